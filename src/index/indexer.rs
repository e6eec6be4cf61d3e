//! The recorder's own writer of the index.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::build::{self, Work};
use super::look::Failed;
use super::place::{self, Database, Live};
use super::write::Batch;
use super::{IndexError, feed};

/// The recorder's own writer of the index: a thread at the lowest priority, behind the records.
#[derive(Clone, Debug)]
pub struct Indexer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    logs: PathBuf,
    /// Records that are to be taken in. Gone when it was told to close.
    queue: Mutex<Option<SyncSender<PathBuf>>>,
    /// The queue was full: what did not fit is found by a look at the folders.
    missed: AtomicBool,
    /// No more patience.
    stop: AtomicBool,
    /// Says that the thread is done.
    done: Mutex<Option<Receiver<()>>>,
}

/// Records that may wait: an hour of a busy person's; a look at the folders finds what is beyond.
const WAITING: usize = 4_096;
/// Records of one transaction, and how long the first of them waits for the others.
const TOGETHER: usize = 256;
const SOON: Duration = Duration::from_millis(200);
/// How often someone looks whether another index was put in the place of ours, and whether what failed works again.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const RETRY_EVERY: Duration = Duration::from_secs(60);

impl Indexer {
    /// Starts it; first it catches up with what lies in the folder.
    #[must_use]
    pub fn start(logs: &Path) -> Self {
        let (queue, waiting) = sync_channel(WAITING);
        let (end, done) = sync_channel(1);
        let shared = Arc::new(Shared {
            logs: logs.to_owned(),
            queue: Mutex::new(Some(queue)),
            missed: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            done: Mutex::new(Some(done)),
        });
        let thread = {
            let shared = Arc::clone(&shared);
            move || {
                yield_to_all();
                Keeper::new(shared).run(&waiting);
                // Nobody may wait for it any more.
                let _ = end.send(());
            }
        };
        if let Err(error) = std::thread::Builder::new().name("indexer".to_owned()).spawn(thread) {
            tracing::warn!("the index is not kept up to date: no thread for it: {error}");
        }
        Self { shared }
    }

    /// A record was written. Never waits: what does not fit the queue is found by a look at the folder later.
    pub fn wrote(&self, path: &Path) {
        let queue = self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let path = path.strip_prefix(&self.shared.logs).unwrap_or(path).to_owned();
        if queue.as_ref().is_none_or(|queue| queue.try_send(path).is_err()) {
            self.shared.missed.store(true, Ordering::Relaxed);
        }
    }

    /// Writes what is queued, for so long at most, and stops.
    pub fn close(self, patience: Duration) {
        self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        let done = self.shared.done.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(done) = done
            && done.recv_timeout(patience) == Err(RecvTimeoutError::Timeout)
        {
            // What it does not finish now, the next one to open the index finds.
            self.shared.stop.store(true, Ordering::Relaxed);
            let _ = done.recv_timeout(Duration::from_millis(500).min(patience));
        }
    }
}

/// Puts this thread, and those that it starts, behind whatever else wants the processor: nobody waits for the index.
pub(crate) fn yield_to_all() {
    // On Linux niceness belongs to the thread; elsewhere it would slow the relays too.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(19);
}

/// The thread's own state.
struct Keeper {
    shared: Arc<Shared>,
    open: Option<(Database, Live)>,
    /// What was said last, so that it is said once.
    said: Option<String>,
    failed_at: Option<Instant>,
    /// It was found to be damaged, which opening it again may not show.
    damaged: bool,
}

impl Keeper {
    fn new(shared: Arc<Shared>) -> Self {
        Self { shared, open: None, said: None, failed_at: None, damaged: false }
    }

    fn run(&mut self, waiting: &Receiver<PathBuf>) {
        loop {
            self.keep();
            let first = match waiting.recv_timeout(LOOK_EVERY) {
                Ok(path) => Some(path),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if let Some(first) = first {
                self.take(gather(first, waiting));
            }
            if self.shared.stop.load(Ordering::Relaxed) {
                return;
            }
        }
    }

    /// Opens the index and catches up, where that is not so already.
    fn keep(&mut self) {
        let logs = self.shared.logs.clone();
        let missed = self.shared.missed.swap(false, Ordering::Relaxed);
        let is_broken = |database: &Database| database.mend() || database.was_replaced(&logs);
        if self.open.as_ref().is_some_and(|(database, _)| is_broken(database)) || missed {
            self.open = None;
        }
        let is_early = self.failed_at.is_some_and(|then| then.elapsed() < RETRY_EVERY);
        if self.open.is_some() || is_early {
            return;
        }
        match self.reopen(&logs) {
            Ok(open) => {
                self.open = Some(open);
                self.failed_at = None;
                self.damaged = false;
                if self.said.take().is_some() {
                    tracing::info!("the index is kept up to date again");
                }
            }
            Err(error) => self.failed(&error),
        }
    }

    /// Readers may trust the index only when it has caught up.
    fn reopen(&self, logs: &Path) -> Result<(Database, Live), String> {
        let say = |error: IndexError| match std::error::Error::source(&error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        };
        // One thread of low priority, whatever there is to do.
        let mut silent = |_| ();
        let mut work = Work { threads: 1, stop: &self.shared.stop, progress: &mut silent };
        // Another recorder's word would be trusted; on this folder there is none beside this one.
        let make = if self.damaged { build::rebuild } else { build::open };
        let (database, report) = make(logs, &mut work).map_err(say)?;
        if !database.is_shared() {
            return Err(report.rebuilt.unwrap_or_else(|| "it cannot lie beside the logs".to_owned()));
        }
        let generation = database.generation().map_err(|error| error.to_string())?;
        let live = Live::declare(logs, generation).map_err(|error| error.to_string())?;
        // What came between the look and the word: the queue has it.
        Ok((database, live))
    }

    fn failed(&mut self, error: &str) {
        self.open = None;
        self.failed_at = Some(Instant::now());
        if self.said.as_deref() != Some(error) {
            tracing::warn!("the index is not kept up to date ({error}); records are written as ever");
            self.said = Some(error.to_owned());
        }
    }

    fn take(&mut self, paths: Vec<PathBuf>) {
        let logs = self.shared.logs.clone();
        let Some((database, _)) = &self.open else { return };
        if database.mend() || database.was_replaced(&logs) {
            // Whoever made the new one may have looked before these records came.
            self.open = None;
            return;
        }
        match write(database, &logs, &paths, &self.shared.stop) {
            Ok(()) => {}
            Err(Failed::Sqlite(error)) if place::is_damage(&error) => {
                self.open = None;
                self.damaged = true;
            }
            Err(failed) => self.failed(&failed.into_io().to_string()),
        }
    }
}

/// What comes within a short time of the first.
fn gather(first: PathBuf, waiting: &Receiver<PathBuf>) -> Vec<PathBuf> {
    let until = Instant::now() + SOON;
    let mut paths = vec![first];
    while paths.len() < TOGETHER
        && let Ok(path) = waiting.recv_timeout(until.saturating_duration_since(Instant::now()))
    {
        paths.push(path);
    }
    paths
}

fn write(database: &Database, logs: &Path, paths: &[PathBuf], stop: &AtomicBool) -> Result<(), Failed> {
    let mut batch = Batch::new(&database.connection, logs, usize::MAX, false);
    feed::feed(logs, paths, 1, stop, &mut |entry| batch.put(&entry))?;
    Ok(batch.finish()?)
}
