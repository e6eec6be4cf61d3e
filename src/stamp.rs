//! Files that are taken up again when somebody changes them: the users file, the page's certificate.

use std::fs::{self, Metadata};
use std::path::Path;
use std::time::SystemTime;

/// Tells one state of a file from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    modified: Option<SystemTime>,
    len: u64,
    /// The inode and the time of its last change, which an editor that keeps the modification time cannot hide.
    inode: (u64, i64, i64),
}

impl Stamp {
    /// The stamp of an open file.
    pub(crate) fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let inode = {
            use std::os::unix::fs::MetadataExt;
            (metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
        };
        #[cfg(not(unix))]
        let inode = (0, 0, 0);
        Self { modified: metadata.modified().ok(), len: metadata.len(), inode }
    }

    /// The stamp of the file as it is now, where a link leads; `None` where it cannot be looked at.
    pub(crate) fn now(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().map(|metadata| Self::of(&metadata))
    }
}
