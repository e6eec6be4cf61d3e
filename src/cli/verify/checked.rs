//! Files, checked by several threads, each by itself.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::super::CliError;
use crate::archive::verify::{self, Finding};
use crate::archive::{self, Found};
use crate::index::{self, IndexError, Row};

/// What was met on the walk.
pub(super) enum Looked {
    /// A folder that cannot be listed, and why.
    Closed(PathBuf, String),
    File(Checked),
}

/// A file, and what it is found to be without a look at others.
pub(super) struct Checked {
    /// As messages and the index call it.
    pub(super) key: PathBuf,
    /// What the index should have of it, if it is a record.
    pub(super) row: Option<Box<Row>>,
    pub(super) findings: Vec<Finding>,
}

/// Files that are on their way between two threads.
const AHEAD: usize = 64;
/// More would only fight for the disk.
const THREADS: usize = 8;

/// Calls `each` for every file and closed folder, in no particular order, until it fails.
pub(super) fn checked(logs: &Path, each: &mut dyn FnMut(Looked) -> Result<(), CliError>) -> Result<(), CliError> {
    let (found, to_check) = sync_channel(AHEAD);
    let to_check = Mutex::new(to_check);
    let (done, looked) = sync_channel(AHEAD);
    thread::scope(|scope| {
        // Owned here, so that a failure ends the threads, which the scope waits for.
        let looked: Receiver<Looked> = looked;
        for _ in 0..thread::available_parallelism().map_or(1, usize::from).min(THREADS) {
            let (done, to_check) = (done.clone(), &to_check);
            scope.spawn(move || {
                while let Some(found) = next(to_check)
                    && done.send(look(logs, found)).is_ok()
                {}
                // Nobody wants more: the walk must not wait for somebody who takes what it finds.
                while next(to_check).is_some() {}
            });
        }
        drop(done);
        let walk = scope.spawn(move || {
            archive::walk(logs, &mut |met| {
                // Fails only when all threads are gone.
                let _ = found.send(met);
            })
        });
        let ended = looked.iter().try_for_each(each);
        drop(looked);
        let walked = walk.join().unwrap_or(Ok(()));
        walked.map_err(|source| IndexError::Logs { path: logs.to_owned(), source })?;
        ended
    })
}

fn next(to_check: &Mutex<Receiver<Found>>) -> Option<Found> {
    to_check.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

fn look(logs: &Path, found: Found) -> Looked {
    let path = match found {
        Found::Closed(folder, why) => return Looked::Closed(folder, why),
        Found::File(path) => path,
    };
    let (record, findings) = match archive::load(&logs.join(&path)) {
        Ok(text) => verify::check(&path, &text),
        Err(why) => (None, vec![Finding::from(why)]),
    };
    let key = archive::file_key(&path, record.as_ref());
    let row = record.map(|record| Box::new(index::row_of(&record, key.to_string_lossy().into_owned())));
    Looked::File(Checked { key, row, findings })
}
