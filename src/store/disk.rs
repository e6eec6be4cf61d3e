//! The few file operations that the store needs, behind a trait so that a test can be the disk that fails.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

/// What the store does with files. Paths are whole; folders are made for the owner alone (0700), files too (0600),
/// because records hold source code.
pub(super) trait Disk: Send + Sync {
    /// Makes a folder and those above it; one that is there is left as it is.
    fn make_folder(&self, path: &Path) -> io::Result<()>;

    /// Writes a file anew. `beat` is called after each piece, so that a slow disk can be told from a stuck one.
    fn write(&self, path: &Path, bytes: &[u8], sync: bool, beat: &dyn Fn()) -> io::Result<()>;

    /// Writes at an offset into a file that is made if it is not there.
    fn write_at(&self, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Renames without ever replacing: [`io::ErrorKind::AlreadyExists`] when the new name is taken.
    fn publish(&self, from: &Path, to: &Path, sync: bool) -> io::Result<()>;

    /// Reads a whole file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// The files in a folder, folders left out.
    fn files(&self, folder: &Path) -> io::Result<Vec<PathBuf>>;
}

/// The operating system's file system.
pub(super) struct RealDisk;

impl Disk for RealDisk {
    fn make_folder(&self, path: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)
    }

    fn write(&self, path: &Path, bytes: &[u8], sync: bool, beat: &dyn Fn()) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        for piece in bytes.chunks(PIECE) {
            file.write_all(piece)?;
            beat();
        }
        if sync {
            file.sync_data()?;
        }
        Ok(())
    }

    fn write_at(&self, path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
        file.write_all_at(bytes, offset)
    }

    fn publish(&self, from: &Path, to: &Path, sync: bool) -> io::Result<()> {
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            Ok(()) => {}
            // Some network file systems do not know the flag; a hard link does not replace either.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                fs::hard_link(from, to)?;
                fs::remove_file(from)?;
            }
            Err(error) => return Err(error.into()),
        }
        if sync && let Some(folder) = to.parent() {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn files(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                files.push(entry.path());
            }
        }
        files.sort();
        Ok(files)
    }
}

/// Small enough that the slowest disk in use writes one within the five seconds after which it counts as stuck.
const PIECE: usize = 1 << 20;
