//! Where an export goes: a file that appears whole, and that never takes the place of another unless asked to.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use tempfile::NamedTempFile;

use super::CliError;

/// A file that is being written.
#[derive(Debug)]
pub(super) enum Destination {
    /// Under another name beside it, until it is whole. Readable by its owner alone, as the records are.
    New { file: NamedTempFile, path: PathBuf, replace: bool },
    /// A pipe or a device, which must not be replaced.
    Special(File),
}

impl Destination {
    /// Makes it ready. `replace`: a file may be there already.
    ///
    /// # Errors
    /// When it is there and must not be replaced, or cannot be written.
    pub(super) fn open(path: &Path, replace: bool) -> Result<Self, CliError> {
        let failed = |error| CliError::Start(cannot_write(path, error));
        let mut path_to_write = path.to_owned();
        match fs::metadata(path) {
            Ok(there) if there.is_dir() => {
                return Err(CliError::Usage(anyhow!("{} is a folder; name a file", path.display())));
            }
            Ok(there) if !there.is_file() => {
                return Ok(Self::Special(File::options().write(true).open(path).map_err(failed)?));
            }
            Ok(_) if !replace => {
                return Err(CliError::Usage(anyhow!("{} exists already; --force replaces it", path.display())));
            }
            // What a link leads to is replaced, not the link.
            Ok(_) => path_to_write = fs::canonicalize(path).map_err(failed)?,
            Err(_) => {}
        }
        let folder = path_to_write.parent().filter(|folder| !folder.as_os_str().is_empty());
        let file = NamedTempFile::new_in(folder.unwrap_or_else(|| Path::new("."))).map_err(failed)?;
        Ok(Self::New { file, path: path_to_write, replace })
    }

    /// Lets it appear.
    ///
    /// # Errors
    /// When the system says no; then nothing appears.
    pub(super) fn finish(self) -> io::Result<()> {
        match self {
            Self::New { file, path, replace: true } => file.persist(path)?,
            Self::New { file, path, replace: false } => file.persist_noclobber(path)?,
            Self::Special(file) => file,
        };
        Ok(())
    }
}

/// Says which file it was.
pub(super) fn cannot_write(path: &Path, error: io::Error) -> anyhow::Error {
    anyhow::Error::new(error).context(format!("cannot write {}", path.display()))
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::New { file, .. } => file.write(bytes),
            Self::Special(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::New { file, .. } => file.flush(),
            Self::Special(file) => file.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, replace: bool, text: &str) -> Result<(), CliError> {
        let mut destination = Destination::open(path, replace)?;
        destination.write_all(text.as_bytes())?;
        destination.finish()?;
        Ok(())
    }

    #[test]
    fn a_file_appears_whole_and_is_not_replaced_unless_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.har");
        let mut unfinished = Destination::open(&path, false).unwrap();
        unfinished.write_all(b"half").unwrap();
        assert!(!path.exists());
        drop(unfinished);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left of it");

        write(&path, false, "one").unwrap();
        let error = write(&path, false, "two").unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert_eq!(error.message().unwrap(), format!("{} exists already; --force replaces it", path.display()));
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        write(&path, true, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
    }

    #[test]
    fn a_file_that_came_in_between_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.har");
        let destination = Destination::open(&path, false).unwrap();
        fs::write(&path, "other").unwrap();
        destination.finish().unwrap_err();
        assert_eq!(fs::read_to_string(&path).unwrap(), "other");
    }

    #[test]
    fn folders_are_no_files() {
        let folder = tempfile::tempdir().unwrap();
        for replace in [false, true] {
            assert_eq!(Destination::open(folder.path(), replace).unwrap_err().exit_code(), 2);
        }
        let error = Destination::open(&folder.path().join("no/a.har"), false).unwrap_err();
        assert_eq!(error.exit_code(), 3);
        assert!(error.message().unwrap().starts_with("cannot write "), "{error:?}");
    }

    #[cfg(unix)]
    #[test]
    fn devices_stay_and_links_too() {
        write(Path::new("/dev/null"), false, "text").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());

        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert_eq!(write(&link, false, "new").unwrap_err().exit_code(), 2);
        write(&link, true, "new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "new");
    }
}
