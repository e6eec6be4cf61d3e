//! The store: finished exchanges become files, those in flight are kept safe.
//!
//! One writer thread behind a queue bounded in bytes (design D7, D8). Given [`Action`]s, makes JSON files below the
//! logs folder. Knows nothing of sockets or TLS, and never makes traffic wait for a disk that is stuck.

mod clock;
mod content;
mod disk;
#[doc(hidden)]
pub mod fuzz;
mod json;
mod losses;
mod names;
mod queue;
mod record;
mod redact;
mod spool;
mod spooler;
#[cfg(test)]
mod testing;
mod writer;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use self::clock::{Clock, RealClock};
use self::disk::{Disk, RealDisk};
use self::losses::Losses;
use self::queue::Queue;
use self::writer::{Counts, Writer};
use crate::classifier::Summary;
use crate::config::{Config, Layout, OnStoreFailure, Redact};
use crate::exchange::{Action, DecodeLimits};
use crate::metrics::Metrics;
use crate::rules::{Kind, KindTable};

/// Called on the writer's thread after each record, with what it says in short and the file's path. Records found in
/// the spool are reported on the thread that opens the store.
pub type OnRecord = Box<dyn Fn(&Summary, &Path) + Send>;

/// The handle that connections hold; cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

/// Why the store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder is not there and cannot be made.
    #[error("cannot make the folder {path} for the logs: make it writable or choose another with --logs")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file cannot be made in the folder.
    #[error("cannot write to the folder {path} for the logs: make it writable or choose another with --logs")]
    NotWritable {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another program holds the folder's lock.
    #[error("another copilot-recorder writes to {path}: stop it or choose another folder with --logs")]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// What is left in the folder from the run before cannot be listed.
    #[error("cannot read the folder {path}: make it readable or choose other logs with --logs")]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The system gives no thread.
    #[error("cannot start the thread that writes the records")]
    Thread(#[source] io::Error),
}

/// What was recorded and lost, said at exit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Record files written, recovered ones and those without bodies included.
    pub written: u64,
    /// Records made of what a killed run had left in the spool.
    pub recovered: u64,
    /// Records that had to do without their bodies.
    pub bodies_lost: u64,
    /// Records of which nothing was written.
    pub records_lost: u64,
}

impl Store {
    /// Checks that the folders can be written, turns what lies in the spool into records, starts the writer.
    ///
    /// # Errors
    /// When the logs folder cannot be made, written or locked.
    pub fn open(config: &Config, metrics: Metrics, on_record: OnRecord) -> Result<Self, OpenError> {
        Self::start(Settings::of(config), metrics, on_record, Arc::new(RealDisk), Arc::new(RealClock::start()))
    }

    /// Hands an action to the writer; never blocks on the disk. The actions of one exchange must come in their order.
    pub fn submit(&self, action: Action) {
        self.inner.submit(action);
    }

    /// `Pending` while the queue is full and the writer makes progress.
    pub fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.inner.queue.poll_ready(cx)
    }

    /// Whether new tunnels must be refused now ([`OnStoreFailure::Refuse`] and records cannot be kept whole).
    #[must_use]
    pub fn refuses(&self) -> bool {
        let inner = &self.inner;
        inner.on_failure == OnStoreFailure::Refuse && (inner.losses.in_trouble() || inner.queue.is_stuck())
    }

    /// Writes all that is queued, stops the writer, and says what became of it. Blocks, but never longer than the
    /// writer makes progress and five seconds: what a stuck disk does not take by then is lost.
    ///
    /// Other handles may go on to be used: what they hand in is counted as lost.
    #[must_use]
    pub fn close(self) -> Totals {
        self.inner.close()
    }

    fn start(
        settings: Settings,
        metrics: Metrics,
        on_record: OnRecord,
        disk: Arc<dyn Disk>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        let logs = settings.logs.clone();
        let lock = prepare(&logs, disk.as_ref())?;
        let losses = Arc::new(Losses::new(logs.clone(), clock.clone(), metrics.clone(), settings.on_failure));
        let queue = Arc::new(Queue::new(settings.queue, clock.clone(), losses.clone(), metrics.clone()));
        let counts = Arc::new(Counts::default());
        let on_failure = settings.on_failure;
        let mut writer =
            Writer::new(settings, disk, queue.clone(), losses.clone(), metrics.clone(), on_record, counts.clone());
        writer.recover().map_err(|source| OpenError::Unreadable { path: logs.join(SPOOL), source })?;
        let write = Builder::new().name("store-writer".to_owned());
        let write = write
            .spawn(move || {
                yield_to_relays();
                writer.run(&|| clock.now());
            })
            .map_err(OpenError::Thread)?;
        let inner = Inner {
            queue,
            losses,
            counts,
            metrics,
            on_failure,
            writer: Mutex::new(Some(write)),
            lock: Mutex::new(Some(lock)),
        };
        let watched = Arc::downgrade(&inner.queue);
        let watch = move || {
            while let Some(queue) = watched.upgrade().filter(|queue| !queue.is_closing()) {
                queue.watch();
                drop(queue);
                std::thread::sleep(WATCH_EVERY);
            }
        };
        Builder::new().name("store-watch".to_owned()).spawn(watch).map_err(OpenError::Thread)?;
        Ok(Self { inner: Arc::new(inner) })
    }
}

/// A record can wait for a millisecond, a completion that somebody is typing cannot. When the machine is so busy that
/// the writer falls behind for good, the queue makes the relays wait, and it gets its share again.
fn yield_to_relays() {
    // On Linux niceness belongs to the thread; elsewhere it would slow the relays too.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(5);
}

/// What all handles share.
struct Inner {
    queue: Arc<Queue>,
    losses: Arc<Losses>,
    counts: Arc<Counts>,
    metrics: Metrics,
    on_failure: OnStoreFailure,
    writer: Mutex<Option<JoinHandle<()>>>,
    /// Held as long as files may be written.
    lock: Mutex<Option<File>>,
}

impl Inner {
    fn submit(&self, action: Action) {
        if let Action::Skip(_) = action {
            self.metrics.exchanges_skipped.inc();
        }
        self.queue.submit(action);
    }

    fn close(&self) -> Totals {
        self.queue.close();
        match self.queue.wait_finished() {
            Ok(()) => {
                if let Some(writer) = lock(&self.writer).take() {
                    // It has said that it finished; a panic after that has nothing to tell.
                    let _ = writer.join();
                }
                lock(&self.lock).take();
            }
            // The thread hangs in the system; the process ends without it.
            Err(given_up) => {
                let held = u64::try_from(self.metrics.records_held.get()).unwrap_or_default();
                self.losses.records_lost(given_up + held, queue::STUCK);
            }
        }
        Totals {
            written: self.counts.written.load(Ordering::Relaxed),
            recovered: self.counts.recovered.load(Ordering::Relaxed),
            ..self.losses.counts()
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// What the store needs of the configuration.
#[derive(Clone, Debug)]
struct Settings {
    logs: PathBuf,
    layout: Layout,
    record: Vec<Kind>,
    kinds: KindTable,
    redact: Redact,
    decode: DecodeLimits,
    queue: usize,
    on_failure: OnStoreFailure,
    sync: bool,
}

impl Settings {
    fn of(config: &Config) -> Self {
        Self {
            logs: config.logs.clone(),
            layout: config.layout,
            record: config.record.clone(),
            kinds: config.kinds.clone(),
            redact: config.redact,
            decode: DecodeLimits { output: config.limits.decoded },
            queue: config.limits.queue,
            on_failure: config.on_store_failure,
            sync: config.fsync,
        }
    }
}

/// Makes the folders, takes the lock, and removes drafts that a killed run left.
fn prepare(logs: &Path, disk: &dyn Disk) -> Result<File, OpenError> {
    let not_writable = |source| OpenError::NotWritable { path: logs.to_owned(), source };
    disk.make_folder(logs).map_err(|source| OpenError::Folder { path: logs.to_owned(), source })?;
    let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(logs.join(LOCK));
    let lock = lock.map_err(not_writable)?;
    match lock_alone(&lock) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => return Err(OpenError::Locked { path: logs.to_owned() }),
        Err(error) => return Err(not_writable(error.into())),
    }
    for folder in [DRAFTS, SPOOL] {
        let folder = logs.join(folder);
        disk.make_folder(&folder).map_err(|source| OpenError::Folder { path: folder.clone(), source })?;
    }
    let drafts = logs.join(DRAFTS);
    let left = disk.files(&drafts).map_err(|source| OpenError::Unreadable { path: drafts.clone(), source })?;
    for draft in left {
        disk.remove(&draft).map_err(not_writable)?;
    }
    let probe = drafts.join("probe");
    match disk.write(&probe, b"\n", false, &|| ()) {
        Ok(()) => disk.remove(&probe).map_err(not_writable)?,
        // A full disk is no reason not to start: traffic goes on, and there may be room soon.
        Err(error) if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
            let _ = disk.remove(&probe);
        }
        Err(error) => return Err(not_writable(error)),
    }
    Ok(lock)
}

/// Takes the lock. A command that asks whether a recorder runs holds it too, for a moment: that is no other recorder.
fn lock_alone(lock: &File) -> rustix::io::Result<()> {
    const TRIES: u32 = 25;
    const MOMENT: Duration = Duration::from_millis(20);
    for _ in 1..TRIES {
        match flock(lock, FlockOperation::NonBlockingLockExclusive) {
            Err(rustix::io::Errno::WOULDBLOCK) => std::thread::sleep(MOMENT),
            taken => return taken,
        }
    }
    flock(lock, FlockOperation::NonBlockingLockExclusive)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Files that are not whole yet.
const DRAFTS: &str = ".tmp";
/// Exchanges in flight.
const SPOOL: &str = ".spool";
/// Locked by the process that writes to the folder.
const LOCK: &str = ".lock";
/// How often someone looks whether the disk is stuck.
const WATCH_EVERY: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
