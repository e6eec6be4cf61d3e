//! One poller for all who watch.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, watch};
use tokio_util::sync::CancellationToken;

use super::look::{Counters, Flying, Look, Now, Reader};
use crate::index::{ANEW_MAX, Filter, Known, Page};
use crate::live::Streams;
use crate::metrics::Metrics;
use crate::review::pool::{AskError, Pool};
use crate::web::Problem;

/// Who watches at once. Each costs a connection and what it is sent; a team has fewer screens.
pub(super) const WATCHERS_MAX: usize = 64;

/// Places of one person: nobody looks at more windows, and nobody is to keep the others out.
pub(super) const WINDOWS_MAX: usize = 16;

/// Between two looks while something happens: what the eye takes for at once.
const AT_ONCE: Duration = Duration::from_millis(250);
/// Between two looks while nothing does, and after a failure.
const AT_LEISURE: Duration = Duration::from_secs(1);
/// Between two looks at a folder that takes long to be looked at.
const AT_MOST: Duration = Duration::from_secs(5);

/// Looks that wait for a watcher before it is behind.
const LOOKS: usize = 16;

/// What all watchers see; cheap to clone.
#[derive(Clone)]
pub(in crate::web) struct Hub(Arc<Inner>);

struct Inner {
    pool: Pool,
    source: Option<Source>,
    seats: Arc<Semaphore>,
    /// How many of them each person has who has logged in.
    windows: Mutex<HashMap<Arc<str>, usize>>,
    looks: broadcast::Sender<Arc<Look>>,
    now: watch::Sender<Arc<Now>>,
    /// The poller runs. Locked for moments.
    runs: Mutex<bool>,
    end: CancellationToken,
}

/// The proxy in this program.
struct Source {
    streams: Streams,
    metrics: Metrics,
}

/// A watcher's place; it is free again when this is dropped.
pub(super) struct Seat {
    pub(super) looks: broadcast::Receiver<Arc<Look>>,
    pub(super) now: watch::Receiver<Arc<Now>>,
    _permit: OwnedSemaphorePermit,
    _window: Option<Window>,
}

/// One of a person's places.
struct Window {
    hub: Hub,
    who: Arc<str>,
}

impl Drop for Window {
    fn drop(&mut self) {
        let mut windows = self.hub.windows();
        if let Some(count) = windows.get_mut(&self.who) {
            *count -= 1;
            if *count == 0 {
                windows.remove(&self.who);
            }
        }
    }
}

impl Hub {
    /// Nothing runs before somebody watches. `proxy` is the one in this program.
    pub(in crate::web) fn new(pool: Pool, proxy: Option<(Streams, Metrics)>) -> Self {
        let source = proxy.map(|(streams, metrics)| Source { streams, metrics });
        let now = Now { counters: source.as_ref().map(|source| Counters::of(&source.metrics)), ..Now::default() };
        Self(Arc::new(Inner {
            pool,
            source,
            seats: Arc::new(Semaphore::new(WATCHERS_MAX)),
            windows: Mutex::default(),
            looks: broadcast::Sender::new(LOOKS),
            now: watch::Sender::new(Arc::new(now)),
            runs: Mutex::new(false),
            end: CancellationToken::new(),
        }))
    }

    /// Everybody's stream ends, and no new one begins: the program stops.
    pub(in crate::web) fn end(&self) {
        self.0.end.cancel();
    }

    /// Waits for that.
    pub(super) async fn ended(&self) {
        self.0.end.cancelled().await;
    }

    fn windows(&self) -> MutexGuard<'_, HashMap<Arc<str>, usize>> {
        self.0.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more of this person's places; none when there are [`WINDOWS_MAX`].
    fn window(&self, who: &Arc<str>) -> Option<Window> {
        let mut windows = self.windows();
        let count = windows.entry(Arc::clone(who)).or_default();
        if *count == WINDOWS_MAX {
            return None;
        }
        *count += 1;
        Some(Window { hub: self.clone(), who: Arc::clone(who) })
    }

    /// A place to watch from, for whoever has logged in; none when all are taken, that person has too many of them, or
    /// the program stops.
    pub(super) fn sit(&self, who: Option<&Arc<str>>) -> Option<Seat> {
        let window = match who {
            Some(who) => Some(self.window(who)?),
            None => None,
        };
        let permit = Arc::clone(&self.0.seats).try_acquire_owned().ok()?;
        if self.0.end.is_cancelled() {
            return None;
        }
        let seat =
            Seat { looks: self.0.looks.subscribe(), now: self.0.now.subscribe(), _permit: permit, _window: window };
        let mut runs = self.0.runs.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(&mut *runs, true) {
            tokio::spawn(Poller::new(self.clone()).run());
        }
        Some(seat)
    }

    /// What is in flight now, without what it says: for a page without script.
    pub(super) fn glance(&self) -> Now {
        let Some(source) = &self.0.source else { return Now::default() };
        let flying = source.streams.snapshot().into_iter().map(Flying::of).collect();
        Now { counters: Some(Counters::of(&source.metrics)), flying, problem: None }
    }
}

/// The one that looks, as long as anybody watches.
struct Poller {
    hub: Hub,
    mark: Option<i64>,
    known: Known,
    /// Taken while it reads.
    reader: Reader,
    version: Option<u64>,
}

impl Poller {
    fn new(hub: Hub) -> Self {
        Self { hub, mark: None, known: Known::default(), reader: Reader::default(), version: None }
    }

    async fn run(mut self) {
        let mut pause = AT_ONCE;
        loop {
            let began = Instant::now();
            let flew = self.look_at_streams().await;
            let came = self.look_at_index().await;
            pause = if flew || came { AT_ONCE } else { (pause * 5 / 4).min(AT_LEISURE) };
            // Neither a large folder nor many streams take more than a quarter of a processor.
            let pause = pause.max((began.elapsed() * 3).min(AT_MOST));
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.hub.ended() => return,
            }
            if self.nobody_watches() {
                // What was said is not kept for nobody, nor shown to somebody who comes later.
                self.tell(|now| (now.flying, now.problem) = (Vec::new(), None));
                return;
            }
        }
    }

    /// Decided under the lock under which somebody would come.
    fn nobody_watches(&self) -> bool {
        let mut runs = self.hub.0.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let nobody = self.hub.0.looks.receiver_count() == 0;
        *runs = !nobody;
        nobody
    }

    /// Whether anything changed.
    async fn look_at_streams(&mut self) -> bool {
        let Some(source) = &self.hub.0.source else { return false };
        let counters = Some(Counters::of(&source.metrics));
        let version = source.streams.version();
        let mut flying = None;
        if self.version != Some(version) {
            let (mut reader, streams) = (std::mem::take(&mut self.reader), source.streams.clone());
            let read = tokio::task::spawn_blocking(move || (reader.read(&streams), reader)).await;
            if let Ok((read, reader)) = read {
                (flying, self.reader) = (Some(read), reader);
                self.version = Some(version);
            }
        }
        self.tell(|now| {
            now.counters = counters;
            if let Some(flying) = flying {
                now.flying = flying;
            }
        })
    }

    /// Whether anything came.
    async fn look_at_index(&mut self) -> bool {
        let asked = match self.mark {
            Some(mark) => self.hub.0.pool.ask(move |index| index.arrived_last(mark, ANEW_MAX)).await,
            None => return self.begin().await,
        };
        let arrived = match asked {
            Ok(arrived) => arrived,
            Err(error) => return self.fail(error),
        };
        self.tell(|now| now.problem = None);
        let from = self.mark.replace(arrived.mark).unwrap_or(arrived.mark);
        let (to, left_out) = (arrived.mark, arrived.left_out);
        let rows: Vec<_> = arrived.rows.into_iter().filter(|row| self.known.is_new(&row.id)).collect();
        if from == to {
            return false;
        }
        let came = !rows.is_empty();
        // Fails when nobody watches.
        let _ = self.hub.0.looks.send(Arc::new(Look { from, to, rows, left_out }));
        came
    }

    /// The mark to go on from, and the records that an index made anew would name.
    async fn begin(&mut self) -> bool {
        let asked = self.hub.0.pool.ask(|index| {
            // In this order: what comes in between must not be taken for known.
            let newest = Page { limit: Some(ANEW_MAX), ..Page::default() };
            let rows = index.list(&Filter::default(), &newest)?;
            Ok((index.arrived(None)?.1, rows))
        });
        match asked.await {
            Ok((mark, rows)) => {
                for row in rows.iter().rev() {
                    self.known.is_new(&row.id);
                }
                self.mark = Some(mark);
                // Whoever came before and is behind this mark would else hear of it with the next record only.
                let _ = self.hub.0.looks.send(Arc::new(Look { from: mark, to: mark, rows: Vec::new(), left_out: 0 }));
                self.tell(|now| now.problem = None)
            }
            Err(error) => self.fail(error),
        }
    }

    fn fail(&self, error: AskError) -> bool {
        let problem = Some(Problem::from(error).sentence());
        self.tell(|now| now.problem = problem)
    }

    /// Tells how it is now, if that is news.
    fn tell(&self, change: impl FnOnce(&mut Now)) -> bool {
        self.hub.0.now.send_if_modified(|now| {
            let mut next = Now::clone(now);
            change(&mut next);
            let is_news = next != **now;
            if is_news {
                *now = Arc::new(next);
            }
            is_news
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_person_does_not_keep_the_others_out() {
        let logs = tempfile::tempdir().unwrap();
        let hub = Hub::new(Pool::new(logs.path().to_owned(), false), None);
        let (eve, ann): (Arc<str>, Arc<str>) = ("eve".into(), "ann".into());
        let mut seats: Vec<_> = (0..WATCHERS_MAX).map_while(|_| hub.sit(Some(&eve))).collect();
        assert_eq!(seats.len(), WINDOWS_MAX);
        assert!(hub.sit(Some(&ann)).is_some());
        seats.pop();
        assert!(hub.sit(Some(&eve)).is_some(), "one was closed");
        drop(seats);
        assert!(hub.windows().is_empty(), "nothing is kept of who is gone");
        let seats: Vec<_> = (0..=WATCHERS_MAX).map_while(|_| hub.sit(None)).collect();
        assert_eq!(seats.len(), WATCHERS_MAX, "where nobody logs in");
    }
}
