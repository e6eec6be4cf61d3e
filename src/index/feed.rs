//! Files, read and understood by several threads, handed to one that writes.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;

use super::digest::{Digest, digest};
use crate::archive::{self, Unreadable};

/// A file as the index calls it: folder and name, below the logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) folder: String,
    pub(super) name: String,
}

impl Key {
    /// A name that is not UTF-8 is shown as it can be; its file is never read as a record.
    pub(super) fn of(path: &Path) -> Self {
        let folder = path.parent().map(|folder| folder.to_string_lossy().into_owned());
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        Self { folder: folder.unwrap_or_default(), name: name.unwrap_or_default() }
    }

    pub(super) fn path(&self) -> String {
        if self.folder.is_empty() { self.name.clone() } else { format!("{}/{}", self.folder, self.name) }
    }
}

/// A file's size and time of change, by which a changed one is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) size: i64,
    /// Nanoseconds since 1970; [`AGAIN`] where it must be looked at again whatever the time is.
    pub(super) mtime: i64,
}

/// What could not be read may be readable later without a change of its time.
pub(super) const AGAIN: i64 = -1;

impl Stamp {
    pub(super) fn of(path: &Path) -> std::io::Result<Self> {
        let about = std::fs::metadata(path)?;
        Ok(Self { size: i64::try_from(about.size()).unwrap_or(i64::MAX), mtime: mtime(&about) })
    }
}

pub(super) fn mtime(about: &std::fs::Metadata) -> i64 {
    about.mtime().saturating_mul(1_000_000_000).saturating_add(about.mtime_nsec())
}

/// What was found in a file.
pub(super) enum Outcome {
    Record(Box<Digest>),
    Problem(String),
    /// It is not there any more.
    Gone,
}

/// A file that was looked at.
pub(super) struct Entry {
    pub(super) key: Key,
    pub(super) stamp: Stamp,
    pub(super) outcome: Outcome,
}

/// Looks at one file, named by its path below `logs`.
pub(super) fn entry(logs: &Path, path: &Path) -> Entry {
    let whole = logs.join(path);
    // Before it is read: what changes afterwards is then seen to have changed.
    let mut stamp = match Stamp::of(&whole) {
        Ok(stamp) => stamp,
        Err(error) => {
            let gone = error.kind() == std::io::ErrorKind::NotFound;
            let outcome = if gone { Outcome::Gone } else { Outcome::Problem(format!("cannot be read: {error}")) };
            let key = Key::of(&archive::file_key(path, None));
            return Entry { key, stamp: Stamp { size: 0, mtime: AGAIN }, outcome };
        }
    };
    if path.to_str().is_none() {
        return Entry { key: Key::of(path), stamp, outcome: Outcome::Problem("has a name that is not UTF-8".into()) };
    }
    match archive::read_below(logs, path) {
        Ok(record) => {
            let key = Key::of(&archive::file_key(path, Some(&record)));
            let outcome = Outcome::Record(Box::new(digest(&record, key.path())));
            Entry { key, stamp, outcome }
        }
        Err(problem) => {
            if let Unreadable::Io(_) = problem {
                stamp.mtime = AGAIN;
            }
            Entry {
                key: Key::of(&archive::file_key(path, None)),
                stamp,
                outcome: Outcome::Problem(problem.to_string()),
            }
        }
    }
}

/// Looks at files with so many threads and hands them to `each`, in no particular order, until it fails or `stop` is
/// set. At most [`AHEAD`] are waiting for `each` at once.
pub(super) fn feed<E>(
    logs: &Path,
    paths: &[PathBuf],
    threads: usize,
    stop: &AtomicBool,
    each: &mut dyn FnMut(Entry) -> Result<(), E>,
) -> Result<(), E> {
    let next = AtomicUsize::new(0);
    let (ready, entries) = sync_channel::<Entry>(AHEAD);
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, paths.len().max(1)) {
            let (ready, next) = (ready.clone(), &next);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed)
                    && let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed))
                    && ready.send(entry(logs, path)).is_ok()
                {}
            });
        }
        drop(ready);
        // Owned here, so that a failure ends the threads, which the scope waits for.
        let entries = entries;
        entries.iter().try_for_each(each)
    })
}

/// Enough that neither side waits for the other's longest step; some may hold a megabyte of text.
const AHEAD: usize = 64;
