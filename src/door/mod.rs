//! The door book: what happened at the proxy's door, per user and client, also where it never became a record.
//!
//! Given by the listener and the tunnels what became of each CONNECT and of each handshake. Keeps counts with the first
//! and the last time, bounded, and a file of them beside the logs (`.door.json`), so that whoever reads the records
//! later can tell what was not seen: hosts that were not opened, refusals, failed logins, clients that do not trust
//! the CA. Knows nothing of HTTP or of files of records; nothing per byte comes here.

mod contents;
mod event;
mod file;
pub mod fuzz;
mod ledger;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use self::contents::{Contents, Entry, Pair, UpstreamError, What};
pub use self::event::Event;
pub use self::file::BookError;
use self::ledger::Ledger;
use crate::shutdown::Shutdown;

/// The book that is being written. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Book(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The folder of the logs; none: kept in memory only.
    logs: Option<PathBuf>,
    ledger: Mutex<Ledger>,
    /// Held while the file is written.
    writing: Mutex<()>,
}

/// The file is written at most so often: what a kill may take with it.
const SAVE_EVERY: Duration = Duration::from_secs(60);

impl Book {
    /// Goes on with the book beside the logs. A damaged one is put aside, and a new one begun.
    #[must_use]
    pub fn open(logs: &Path) -> Self {
        let contents = match Contents::load(logs) {
            Ok(contents) => contents,
            Err(error) => {
                let aside = file::put_aside(logs);
                tracing::warn!("{error}; {}", if aside { "it was put aside" } else { "it will be written anew" });
                None
            }
        };
        let ledger = contents.map_or_else(|| Ledger::new(now()), Ledger::of);
        Self(Arc::new(Inner { logs: Some(logs.to_owned()), ledger: Mutex::new(ledger), writing: Mutex::new(()) }))
    }

    /// A book that no file is made of.
    #[must_use]
    pub fn in_memory() -> Self {
        let ledger = Mutex::new(Ledger::new(now()));
        Self(Arc::new(Inner { logs: None, ledger, writing: Mutex::new(()) }))
    }

    /// Writes an event down. `user` is the name that was verified, `client` the address without its port.
    pub fn note(&self, user: Option<&str>, client: IpAddr, event: &Event<'_>) {
        self.ledger().note(user, client.to_canonical(), event, now());
    }

    /// What is in it now. The pairs are shared, so that this is quick whatever there is.
    #[must_use]
    pub fn contents(&self) -> Contents {
        self.ledger().contents()
    }

    /// Writes the file, if anything has come since it was written. Blocks.
    ///
    /// # Errors
    /// When the file cannot be written; what has come is written the next time.
    pub fn save(&self) -> Result<(), BookError> {
        let Some(logs) = &self.0.logs else { return Ok(()) };
        let _one = self.0.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(contents) = self.ledger().take_changes() else { return Ok(()) };
        file::write(logs, &contents).inspect_err(|_| self.ledger().not_saved())
    }

    /// Writes the file now and then until the program ends; the last time is [`Book::save`]'s caller's.
    pub async fn keep(self, shutdown: Shutdown) {
        let mut complained = false;
        loop {
            tokio::select! {
                () = tokio::time::sleep(SAVE_EVERY) => {}
                () = shutdown.draining() => return,
            }
            let book = self.clone();
            let saved = tokio::task::spawn_blocking(move || book.save()).await;
            complained = match saved {
                Ok(Err(error)) => {
                    // A full disk is said once, and by the store too.
                    if !complained {
                        tracing::warn!("{error}");
                    }
                    true
                }
                _ => false,
            };
        }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.0.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Book {
    fn default() -> Self {
        Self::in_memory()
    }
}

/// Microseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
