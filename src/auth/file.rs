//! The users file on the disk: read with a stamp, written whole or not at all.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::stamp::Stamp;

/// Far more than any company needs (some 50,000 users), and little enough to read while a client waits.
const MAX_FILE: u64 = 8 << 20;

/// Reads the file. The stamp is taken before the text, so a change in between shows as a change later.
pub(super) fn read(path: &Path) -> io::Result<(String, Stamp)> {
    let file = File::open(path)?;
    let stamp = Stamp::of(&file.metadata()?);
    let mut text = String::new();
    file.take(MAX_FILE + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_FILE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 8 MiB"));
    }
    Ok((text, stamp))
}

/// Whether people other than the owner can read it, or other than the owner change it.
pub(super) fn open_to_others(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Reading by the group is left alone: a service often reads a file of root's that way.
        fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o026 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

/// Holds off other writers of the files in this folder until it is dropped.
pub(super) fn lock(path: &Path) -> io::Result<Option<File>> {
    // The folder, not the file: the file is replaced by each write and may not exist yet.
    if cfg!(unix) {
        let folder = File::open(folder(&target(path)))?;
        folder.lock()?;
        Ok(Some(folder))
    } else {
        Ok(None)
    }
}

/// Replaces the file's text in one step; the new file is readable by its owner alone.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    let path = target(path);
    let mut new = NamedTempFile::new_in(folder(&path))?;
    new.write_all(text.as_bytes())?;
    keep_owner(&path, new.as_file())?;
    new.as_file().sync_all()?;
    new.persist(path)?;
    Ok(())
}

/// A service that runs as its own user must still be able to read what root edits for it.
#[cfg(unix)]
fn keep_owner(old: &Path, new: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let (Ok(old), new_metadata) = (fs::metadata(old), new.metadata()?) else { return Ok(()) };
    if (old.uid(), old.gid()) != (new_metadata.uid(), new_metadata.gid()) {
        // Only root may give a file away; anyone else keeps it, and the message of a failed read says the rest.
        let _ = fchown(new, Some(old.uid()), Some(old.gid()));
    }
    Ok(())
}

#[cfg(not(unix))]
fn keep_owner(_: &Path, _: &File) -> io::Result<()> {
    Ok(())
}

/// Where a symbolic link leads: the link stays, what it names is replaced.
fn target(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
