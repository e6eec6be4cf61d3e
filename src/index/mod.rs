//! The index: a SQLite file beside the logs, made from the record files alone.
//!
//! The files are the truth (design D8): whatever is wrong with the index, it is rebuilt. Written by the recorder's
//! [`Indexer`] behind the records, or by a reader that finds it behind; safe for both at once.

mod arrival;
mod build;
mod columns;
mod cursor;
mod digest;
mod dump;
mod facts;
mod feed;
mod filter;
mod indexer;
mod look;
mod names;
mod narrow;
mod nearby;
mod place;
mod queries;
pub mod row;
mod schema;
mod sightings;
mod statements;
mod stretches;
#[cfg(test)]
pub(crate) mod testing;
mod write;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{SystemTime, UNIX_EPOCH};

use self::build::Work;
use self::place::{Database, Live};
pub use arrival::{Arrived, Known, of_one_index};
pub use cursor::{Cursor, CursorError};
pub use indexer::Indexer;
pub(crate) use indexer::yield_to_all;
pub use nearby::Field;
pub use queries::ANEW_MAX;
pub use row::{EventFact, EventRow, Initiator, RequestFact, Row};
pub use sightings::{Endpoint, Sighting, Sightings, Spoken};

use crate::rules::Kind;

/// Which exchanges are asked for. Every test that is set must hold; within a list any one may.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Kinds; empty is all.
    pub kinds: Vec<Kind>,
    /// Proxy users, exactly; `-` is nobody.
    pub users: Vec<String>,
    /// Hosts: a name, or `*.name` for every name below it.
    pub hosts: Vec<String>,
    /// Status codes, or classes as 2 for 2xx; 0 is no response.
    pub statuses: Vec<u16>,
    /// Models asked for or that answered.
    pub models: Vec<String>,
    /// Languages of ghost text.
    pub languages: Vec<String>,
    /// Editors: `vscode`, or with version `vscode/1.95.3`.
    pub editors: Vec<String>,
    /// Not before, microseconds since 1970.
    pub since: Option<i64>,
    /// Before, microseconds since 1970.
    pub until: Option<i64>,
    /// Took longer than so many milliseconds in all.
    pub slower_than: Option<f64>,
    /// The client ended it early.
    pub cancelled: bool,
    /// Status 400 and above, an error in the answer, ended by the upstream, or no response at all.
    pub failed: bool,
    /// Words or a phrase in prompt or answer, see [`Index::list`].
    pub text: Option<String>,
}

/// Which part of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// At most so many; none is all.
    pub limit: Option<u64>,
    /// Only what comes behind this place in the order asked for: older rows, or newer ones when the oldest come first.
    pub after: Option<Cursor>,
    /// Left out at the beginning.
    pub offset: u64,
    /// Oldest first instead of newest first.
    pub oldest_first: bool,
}

/// How far a rebuild has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Files looked at.
    pub done: u64,
    /// Files there are.
    pub total: u64,
}

/// What was read and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Records that are in the index now.
    pub records: u64,
    /// Files that were read for it this time.
    pub read: u64,
    /// Files and folders that could not be read, and why: the first thousand.
    pub skipped: Vec<(PathBuf, String)>,
    /// How many there are in all.
    pub skipped_total: u64,
    /// Why the index was made anew, if it was.
    pub rebuilt: Option<String>,
}

/// Why the index cannot be used. What is wrong with its file alone is no error: it is made anew.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The folder of the logs is not there or cannot be listed.
    #[error("cannot read the folder {path} of the logs: name another with --logs")]
    Logs {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// SQLite says no.
    #[error("the index {path} cannot be used")]
    Sqlite {
        /// The index.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

/// What an id stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Located {
    /// Nothing.
    None,
    /// This exchange.
    One(Box<Row>),
    /// So many; the first ten.
    Several(Vec<Row>),
}

/// An open index.
#[derive(Debug)]
pub struct Index {
    logs: PathBuf,
    database: RefCell<Database>,
}

impl Index {
    /// Opens the index of a folder, and brings it up to date with the files unless a recorder is running on it (which
    /// does so itself). A missing, older or damaged index is made anew; where the folder cannot be written, in a
    /// temporary file or in memory, for this process only.
    ///
    /// # Errors
    /// When the logs cannot be listed or SQLite fails for another reason than the file.
    pub fn open(logs: &Path, progress: &mut dyn FnMut(Progress)) -> Result<(Self, Report), IndexError> {
        Self::with(logs, progress, build::open)
    }

    /// Makes the index anew from the files alone.
    ///
    /// # Errors
    /// As [`Index::open`].
    pub fn rebuild(logs: &Path, progress: &mut dyn FnMut(Progress)) -> Result<(Self, Report), IndexError> {
        Self::with(logs, progress, build::rebuild)
    }

    fn with(
        logs: &Path,
        progress: &mut dyn FnMut(Progress),
        make: impl FnOnce(&Path, &mut Work<'_>) -> Result<(Database, Report), IndexError>,
    ) -> Result<(Self, Report), IndexError> {
        let mut work = Work { threads: build::all_threads(), stop: &AtomicBool::new(false), progress };
        let (database, report) = make(logs, &mut work)?;
        Ok((Self { logs: logs.to_owned(), database: RefCell::new(database) }, report))
    }

    /// The folder of the logs.
    #[must_use]
    pub fn logs(&self) -> &Path {
        &self.logs
    }

    /// Whether it lies beside the logs, where all who open it share it. Else it is this value's own, and another that is
    /// opened is made anew.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.database.try_borrow().is_ok_and(|database| database.is_shared())
    }

    /// Whether another index was put in its place, or it was deleted: [`Index::refresh`] opens that one, which may have to
    /// be made first.
    #[must_use]
    pub fn was_replaced(&self) -> bool {
        self.database.try_borrow().is_ok_and(|database| database.was_replaced(&self.logs))
    }

    /// Keeps at most so many KiB of the file in memory, for whoever has it open for long. (Else 16 MB.)
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn limit_cache(&self, kib: u32) -> Result<(), IndexError> {
        self.ask(|index| index.pragma_update(None, "cache_size", -i64::from(kib)))
    }

    /// Asks the index; if it turns out to be damaged, it is made anew and asked again.
    fn ask<T>(&self, mut ask: impl FnMut(&rusqlite::Connection) -> rusqlite::Result<T>) -> Result<T, IndexError> {
        let first = ask(&self.database.borrow().connection);
        let answer = match first {
            Err(error) if place::is_damage(&error) && self.renew()? => ask(&self.database.borrow().connection),
            answer => answer,
        };
        answer.map_err(|source| build::sqlite(&self.logs, source))
    }

    /// Makes the index anew, unless somebody is in the middle of reading it.
    fn renew(&self) -> Result<bool, IndexError> {
        let Ok(mut database) = self.database.try_borrow_mut() else { return Ok(false) };
        let mut silent = |_| ();
        let stop = AtomicBool::new(false);
        let mut work = Work { threads: build::all_threads(), stop: &stop, progress: &mut silent };
        *database = build::rebuild(&self.logs, &mut work)?.0;
        Ok(true)
    }

    /// Takes in what is new, unless the recorder does so.
    ///
    /// # Errors
    /// When the logs cannot be listed or SQLite fails.
    pub fn refresh(&self) -> Result<(), IndexError> {
        let mut silent = |_| ();
        let stop = AtomicBool::new(false);
        let mut work = Work { threads: 1, stop: &stop, progress: &mut silent };
        let Ok(mut database) = self.database.try_borrow_mut() else { return Ok(()) };
        if database.was_replaced(&self.logs) {
            *database = build::open(&self.logs, &mut work)?.0;
            return Ok(());
        }
        let is_kept = |generation| database.is_shared() && Live::is_declared(&self.logs, generation);
        if database.generation().is_ok_and(is_kept) {
            return Ok(());
        }
        match build::catch_up(&database.connection, &self.logs, &mut work) {
            Ok(_) => Ok(()),
            Err(look::Failed::Sqlite(error)) if place::is_damage(&error) => {
                *database = build::rebuild(&self.logs, &mut work)?.0;
                Ok(())
            }
            Err(failed) => Err(failed.into_error(&self.logs)),
        }
    }
}

/// The row that a record gives: what the index has of it when it is up to date. `file` as [`Row::file`].
#[must_use]
pub fn row_of(record: &crate::archive::Record, file: String) -> Row {
    digest::digest(record, file).row
}

/// Which SQLite is built in.
#[must_use]
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

/// Nanoseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
