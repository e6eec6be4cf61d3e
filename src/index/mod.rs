//! The index: a SQLite file beside the logs, made from the record files alone.
//!
//! The files are the truth (design D8): whatever is wrong with the index, it is rebuilt. Written by the recorder's
//! [`Indexer`] behind the records, or by a reader that finds it behind; safe for both at once.

pub mod row;

use std::path::{Path, PathBuf};

pub use row::{EventFact, EventRow, Initiator, RequestFact, Row};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// At most so many; none is all.
    pub limit: Option<u64>,
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
}

impl Index {
    /// Opens the index of a folder, and brings it up to date with the files unless a recorder is running on it (which
    /// does so itself). A missing, older or damaged index is made anew; where the folder cannot be written, in memory.
    ///
    /// # Errors
    /// When the logs cannot be listed or SQLite fails for another reason than the file.
    pub fn open(logs: &Path, _progress: &mut dyn FnMut(Progress)) -> Result<(Self, Report), IndexError> {
        Ok((Self { logs: logs.to_owned() }, Report::default()))
    }

    /// Makes the index anew from the files alone.
    ///
    /// # Errors
    /// As [`Index::open`].
    pub fn rebuild(logs: &Path, progress: &mut dyn FnMut(Progress)) -> Result<(Self, Report), IndexError> {
        Self::open(logs, progress)
    }

    /// The folder of the logs.
    #[must_use]
    pub fn logs(&self) -> &Path {
        &self.logs
    }

    /// The exchanges of a filter, by time. `filter.text`: words must all be there, the last one may go on; a text in
    /// double quotes is a phrase. Punctuation separates words.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn list(&self, _filter: &Filter, _page: &Page) -> Result<Vec<Row>, IndexError> {
        Ok(Vec::new())
    }

    /// How many there are.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn count(&self, _filter: &Filter) -> Result<u64, IndexError> {
        Ok(0)
    }

    /// Calls `each` for every exchange of the filter, oldest first, without holding them all.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn each_row(&self, _filter: &Filter, _each: &mut dyn FnMut(Row)) -> Result<(), IndexError> {
        Ok(())
    }

    /// The exchange whose id begins so, or whose file this is.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn find(&self, _id: &str) -> Result<Located, IndexError> {
        Ok(Located::None)
    }

    /// The exchange whose answer has this id (`resp_…`): what a `previous_response_id` refers to.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn answered(&self, _response_id: &str) -> Result<Option<Row>, IndexError> {
        Ok(None)
    }

    /// The telemetry that speaks of an exchange: by `headerRequestId`, and then by the suggestions named there. Each
    /// event once, by time.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn events_of(&self, _request_id: &str) -> Result<Vec<EventRow>, IndexError> {
        Ok(Vec::new())
    }

    /// Exchanges that came into the index after `mark`, in the order of their coming, and the new mark. `None`: the
    /// mark of now, without rows.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn arrived(&self, mark: Option<i64>) -> Result<(Vec<Row>, i64), IndexError> {
        Ok((Vec::new(), mark.unwrap_or(0)))
    }

    /// Who is who: calls `each` for every pair of `tid` and proxy user that exchanges with a token show.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn each_person(&self, _each: &mut dyn FnMut(&str, &str)) -> Result<(), IndexError> {
        Ok(())
    }

    /// Calls `each` for the few facts that figures need of each exchange of the filter, in no particular order.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn each_request(&self, _filter: &Filter, _each: &mut dyn FnMut(&RequestFact<'_>)) -> Result<(), IndexError> {
        Ok(())
    }

    /// Calls `each` for every telemetry event whose time is in the span, each event once (by `unique_id`), in no
    /// particular order.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn each_event(
        &self,
        _since: Option<i64>,
        _until: Option<i64>,
        _each: &mut dyn FnMut(&EventFact<'_>),
    ) -> Result<(), IndexError> {
        Ok(())
    }

    /// Files and folders that could not be read, and why.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn skipped(&self) -> Result<Vec<(PathBuf, String)>, IndexError> {
        Ok(Vec::new())
    }
}

/// The row that a record gives: what the index has of it if it is up to date. `file` as [`Row::file`].
#[must_use]
pub fn row_of(_record: &crate::archive::Record, _file: String) -> Row {
    unimplemented!("digest")
}

/// The recorder's own writer of the index: a thread at the lowest priority, behind the records.
#[derive(Debug)]
pub struct Indexer {}

impl Indexer {
    /// Starts it; first it catches up with what lies in the folder.
    #[must_use]
    pub fn start(_logs: &Path) -> Self {
        Self {}
    }

    /// A record was written. Never waits: what does not fit the queue is found by a look at the folder later.
    pub fn wrote(&self, _path: &Path) {}

    /// Writes what is queued, for so long at most, and stops.
    pub fn close(self, _patience: std::time::Duration) {}
}
