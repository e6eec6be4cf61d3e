//! The index for many who ask at once.
//!
//! ```text
//! closed ─▶ opening ─▶ ready ◀─▶ opening again (its file was replaced)
//!  first       │  ▲
//!  asked       ▼  │ asked again, a while later
//!            failed
//! ```
//!
//! SQLite blocks, so each question is answered on a thread for that, with one of a few handles that stay open.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinError, JoinHandle};

use crate::index::{Index, IndexError, Progress, yield_to_all};

/// Answers questions to the index on threads that may block. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pool {
    inner: Arc<Inner>,
}

/// Why a question was not answered.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The index is being opened, or made.
    #[error("the index of the records is being built")]
    Building(Option<Progress>),
    /// The index fails.
    #[error(transparent)]
    Failed(Arc<IndexError>),
    /// The question itself went wrong, which is a mistake of the program.
    #[error("the program made a mistake; its log says which")]
    Panicked,
    /// The program ends.
    #[error("the program is being stopped")]
    Stopped,
}

impl From<IndexError> for AskError {
    fn from(error: IndexError) -> Self {
        Self::Failed(Arc::new(error))
    }
}

/// Questions that are answered at once, and handles that are open: more would wait for the same disk.
const HANDLES: usize = 4;
/// Of the index in the memory of each handle: 16 MB in all. The system keeps the file in its own memory besides, and
/// what is asked most, the end of the narrow table, is a few hundred KiB.
const CACHE_KIB: u32 = 4_096;
/// How often the index looks for what is new, at most, where no recorder keeps it.
const FRESH: Duration = Duration::from_secs(2);
/// What a question waits for the index to be opened, or to take in what is new, before it says so, or does without.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long an index that could not be opened is left alone.
const AGAIN: Duration = Duration::from_secs(2);

/// Files to be read into the index that are work for the processors, and not for a moment only.
const MANY: u64 = 1_000;

#[derive(Debug)]
struct Inner {
    logs: PathBuf,
    beside_relays: bool,
    state: watch::Sender<State>,
    /// Handles that nobody uses.
    idle: Mutex<Vec<Index>>,
    free: Arc<Semaphore>,
    /// When somebody last began to look for what is new.
    refreshed: Mutex<Option<Instant>>,
}

#[derive(Clone, Debug)]
enum State {
    Closed,
    Opening(Option<Progress>),
    Ready,
    Failed(Arc<IndexError>, Instant),
}

impl Pool {
    /// The index of a folder. It is opened when somebody first asks: until then a recorder in the same program may have
    /// made it, which would else be done twice. `beside_relays`: they come first where there is much to be read.
    #[must_use]
    pub fn new(logs: PathBuf, beside_relays: bool) -> Self {
        let inner = Inner {
            logs,
            beside_relays,
            state: watch::Sender::new(State::Closed),
            idle: Mutex::default(),
            free: Arc::new(Semaphore::new(HANDLES)),
            refreshed: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Opens the index in the background, if nobody has yet; that may take minutes where it must be made.
    pub fn open(&self) {
        if self.inner.turn_to_opening(|state| matches!(state, State::Closed)) {
            self.inner.open();
        }
    }

    /// The folder of the logs.
    #[must_use]
    pub fn logs(&self) -> &Path {
        &self.inner.logs
    }

    /// Asks, on a thread that may block. Whoever does not wait for the answer any more loses only that: the question is
    /// answered to its end, and its handle serves others again.
    ///
    /// # Errors
    /// While the index is being built (after half a second's patience), and when it fails.
    pub async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Index) -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T, AskError> {
        self.ready().await?;
        if let Some(refresh) = self.refresh().await? {
            // What is new can wait; who asks cannot.
            let _ = tokio::time::timeout(PATIENCE, refresh).await;
            self.ready().await?;
        }
        answer(self.spawn(ask).await?.await)
    }

    /// As [`Pool::ask`], without a look for what is new: for what is to be there at once.
    ///
    /// # Errors
    /// As [`Pool::ask`].
    pub async fn ask_at_once<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Index) -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T, AskError> {
        self.ready().await?;
        answer(self.spawn(ask).await?.await)
    }

    /// Waits a little for the index to be open.
    ///
    /// # Errors
    /// While it is being built, and when it fails.
    pub async fn ready(&self) -> Result<(), AskError> {
        self.open();
        self.inner.follow();
        let mut state = self.inner.state.subscribe();
        let now = state.borrow().clone();
        if let State::Failed(error, since) = now {
            let is_failed = |state: &State| matches!(state, State::Failed(..));
            if since.elapsed() >= AGAIN && self.inner.turn_to_opening(is_failed) {
                self.inner.open();
            }
            return Err(AskError::Failed(error));
        }
        let opened = state.wait_for(|state| !matches!(state, State::Closed | State::Opening(_)));
        let opened = tokio::time::timeout(PATIENCE, opened).await.map(|state| state.map(|state| state.clone()));
        match opened {
            Ok(Ok(State::Ready)) => Ok(()),
            Ok(Ok(State::Failed(error, _))) => Err(AskError::Failed(error)),
            Ok(Ok(State::Opening(progress))) => Err(AskError::Building(progress)),
            Ok(Ok(State::Closed)) => Err(AskError::Building(None)),
            Ok(Err(_)) => Err(AskError::Stopped),
            Err(_) => match &*self.inner.state.borrow() {
                State::Opening(progress) => Err(AskError::Building(*progress)),
                _ => Err(AskError::Building(None)),
            },
        }
    }

    /// Begins to look for what is new, if that is due. One look serves all handles, which share the file.
    async fn refresh(&self) -> Result<Option<JoinHandle<Result<(), AskError>>>, AskError> {
        {
            let mut refreshed = self.inner.refreshed.lock().unwrap_or_else(PoisonError::into_inner);
            if refreshed.is_some_and(|then| then.elapsed() < FRESH) {
                return Ok(None);
            }
            *refreshed = Some(Instant::now());
        }
        self.spawn(Index::refresh).await.map(Some)
    }

    async fn spawn<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Index) -> Result<T, IndexError> + Send + 'static,
    ) -> Result<JoinHandle<Result<T, AskError>>, AskError> {
        let permit = Arc::clone(&self.inner.free).acquire_owned().await.map_err(|_| AskError::Stopped)?;
        let inner = Arc::clone(&self.inner);
        Ok(tokio::task::spawn_blocking(move || inner.with_handle(permit, ask)))
    }
}

fn answer<T>(joined: Result<Result<T, AskError>, JoinError>) -> Result<T, AskError> {
    match joined {
        Ok(answer) => answer,
        Err(error) if error.is_panic() => Err(AskError::Panicked),
        Err(_) => Err(AskError::Stopped),
    }
}

impl Inner {
    /// Opens the index on a thread of its own, from the state [`State::Opening`].
    fn open(self: &Arc<Self>) {
        let inner = Arc::clone(self);
        let open = move || {
            let opened = Index::open(&inner.logs, &mut |progress| {
                // Else it is as far behind the relays as who asks (a thread has the niceness of the one that started
                // it): further behind, on a busy machine the second's work for which somebody waits takes minutes.
                if inner.beside_relays && progress.total - progress.done >= MANY {
                    yield_to_all();
                }
                inner.state.send_replace(State::Opening(Some(progress)));
            });
            inner.opened(opened.map(|(index, _)| index));
        };
        if let Err(source) = std::thread::Builder::new().name("index".to_owned()).spawn(open) {
            self.opened(Err(IndexError::Logs { path: self.logs.clone(), source }));
        }
    }

    fn opened(&self, opened: Result<Index, IndexError>) {
        let opened = opened.and_then(|index| index.limit_cache(CACHE_KIB).map(|()| index));
        let state = match opened {
            Ok(index) => {
                if !index.is_shared() {
                    // Another handle would be another index, made from all files once more.
                    self.free.forget_permits(HANDLES - 1);
                }
                self.put_back(index);
                // Opening it was a look.
                *self.refreshed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                State::Ready
            }
            Err(error) => State::Failed(Arc::new(error), Instant::now()),
        };
        self.state.send_replace(state);
    }

    /// Whether this call did so: nobody else has taken it from there.
    fn turn_to_opening(&self, from: impl Fn(&State) -> bool) -> bool {
        self.state.send_if_modified(|state| {
            let turns = from(state);
            if turns {
                *state = State::Opening(None);
            }
            turns
        })
    }

    /// Answers a question with a handle. A handle whose question panicked is not put back: who knows how it was left.
    fn with_handle<T>(
        self: Arc<Self>,
        permit: OwnedSemaphorePermit,
        ask: impl FnOnce(&Index) -> Result<T, IndexError>,
    ) -> Result<T, AskError> {
        let index = self.handle()?;
        let answer = ask(&index);
        self.put_back(index);
        drop(permit);
        Ok(answer?)
    }

    /// Where another index was put in the place of this one, turns to that. It may have to be made first, for which nobody
    /// is to wait who asks.
    fn follow(self: &Arc<Self>) {
        let mut idle = self.idle();
        if idle.last().is_some_and(Index::was_replaced) {
            idle.clear();
            drop(idle);
            if self.turn_to_opening(|state| !matches!(state, State::Opening(_))) {
                self.open();
            }
        }
    }

    fn handle(&self) -> Result<Index, IndexError> {
        loop {
            // Not in the condition, where the lock would be held while the loop runs.
            let idle = self.idle().pop();
            match idle {
                // One that was in use when the others were closed.
                Some(index) if index.was_replaced() => drop(index),
                Some(index) => return Ok(index),
                None => break,
            }
        }
        let (index, _) = Index::open(&self.logs, &mut |_| ())?;
        index.limit_cache(CACHE_KIB)?;
        Ok(index)
    }

    fn put_back(&self, index: Index) {
        self.idle().push(index);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Index>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
