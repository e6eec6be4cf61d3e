//! The queue before the writer, bounded in bytes, and what happens when it is full (design D7).
//!
//! While the writer makes progress a full queue makes the relays wait, so that nothing is lost under load. When it
//! makes none for five seconds they go on, and what does not fit loses its bodies.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::clock::Clock;
use super::losses::Losses;
use crate::exchange::{Action, Exchange, SocketMessage};
use crate::metrics::Metrics;
use crate::observer::Fields;

/// Without progress for so long, the disk counts as stuck.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// What is said when the disk is stuck.
pub(super) const STUCK: &str = "the disk has taken nothing for 5 s";

/// Bytes of metadata that may wait beyond the queue's bound while the disk is stuck, and again as records that could
/// not be written: some ten thousand records.
pub(super) const METADATA_LIMIT: usize = 32 << 20;

/// The writer looks again after this long before it waits to be woken. Under load the next records have come by then,
/// and the relays are spared waking it for each: that was a tenth of what an exchange cost.
const LINGER: Duration = Duration::from_micros(500);

/// An action with what it costs.
pub(super) struct Job {
    pub(super) action: Action,
    /// Its bodies were dropped while it waited to be queued.
    pub(super) stripped: bool,
    cost: usize,
}

/// What the writer gets when it asks for work.
pub(super) enum Next {
    Job(Job),
    /// Nothing came for the time given.
    Idle,
    /// Nothing more will come.
    Closed,
}

/// See the module.
pub(super) struct Queue {
    limit: usize,
    clock: Arc<dyn Clock>,
    losses: Arc<Losses>,
    metrics: Metrics,
    /// Bytes of the jobs that wait and of the one being done.
    bytes: AtomicUsize,
    /// Records among them.
    records: AtomicU64,
    /// When the writer last got something done, in milliseconds of the clock.
    progress: AtomicU64,
    state: Mutex<State>,
    /// Something came, or the queue was closed.
    arrived: Condvar,
    /// The writer has finished.
    finished: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// Relays that wait, by the identity of their waker: one that asks again does not wait twice.
    waiting: HashMap<(usize, usize), Waker>,
    writer_waits: bool,
    closing: bool,
    finished: bool,
}

impl Queue {
    pub(super) fn new(limit: usize, clock: Arc<dyn Clock>, losses: Arc<Losses>, metrics: Metrics) -> Self {
        Self {
            // A bound of nothing would never let a relay go on.
            limit: limit.max(1),
            clock,
            losses,
            metrics,
            bytes: AtomicUsize::new(0),
            records: AtomicU64::new(0),
            progress: AtomicU64::new(0),
            state: Mutex::default(),
            arrived: Condvar::new(),
            finished: Condvar::new(),
        }
    }

    /// Takes an action in; never blocks on the disk.
    pub(super) fn submit(&self, action: Action) {
        let is_record = matches!(action, Action::Finish(_));
        let mut job = Job { cost: cost(&action), action, stripped: false };
        let mut state = self.state();
        if state.closing {
            drop(state);
            if is_record {
                self.losses.records_lost(1, "the recorder is shutting down");
            }
            return;
        }
        if self.bytes.load(Ordering::Relaxed) + job.cost > self.limit && self.is_stuck() {
            let Some(stripped) = strip(job) else { return };
            job = stripped;
            if job.stripped {
                self.losses.bodies_lost(STUCK);
            }
            if self.bytes.load(Ordering::Relaxed) + job.cost > self.limit + METADATA_LIMIT {
                drop(state);
                return self.losses.records_lost(1, STUCK);
            }
        }
        if self.bytes.fetch_add(job.cost, Ordering::Relaxed) == 0 {
            self.beat();
        }
        self.metrics.queue_bytes.inc_by(i64::try_from(job.cost).unwrap_or(i64::MAX));
        self.records.fetch_add(is_record.into(), Ordering::Relaxed);
        state.jobs.push_back(job);
        if state.writer_waits {
            self.arrived.notify_one();
        }
    }

    /// `Pending` while the queue is full and the writer makes progress.
    pub(super) fn poll_ready(&self, cx: &Context<'_>) -> Poll<()> {
        if self.bytes.load(Ordering::Relaxed) < self.limit {
            return Poll::Ready(());
        }
        let mut state = self.state();
        // Once more under the lock, under which the writer looks for those who wait.
        if self.bytes.load(Ordering::Relaxed) < self.limit || state.closing || self.is_stuck() {
            return Poll::Ready(());
        }
        let waker = cx.waker();
        let identity = (waker.data() as usize, std::ptr::from_ref(waker.vtable()) as usize);
        state.waiting.insert(identity, waker.clone());
        Poll::Pending
    }

    /// The writer asks for work and waits for it, at most for `patience` when given.
    pub(super) fn next(&self, patience: Option<Duration>) -> Next {
        let mut state = self.state();
        let mut lingered = false;
        loop {
            // Not at the first byte below the bound, else each relay would be let in by itself.
            if !state.waiting.is_empty() && self.bytes.load(Ordering::Relaxed) <= self.limit / 4 * 3 {
                wake(&mut state);
            }
            if let Some(job) = state.jobs.pop_front() {
                return Next::Job(job);
            }
            if state.closing {
                return Next::Closed;
            }
            if !std::mem::replace(&mut lingered, true) {
                drop(state);
                std::thread::sleep(LINGER);
                state = self.state();
                continue;
            }
            state.writer_waits = true;
            let timed_out;
            (state, timed_out) = match patience {
                None => (self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner), false),
                Some(patience) => {
                    let woken = self.arrived.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner);
                    (woken.0, woken.1.timed_out())
                }
            };
            state.writer_waits = false;
            if timed_out && state.jobs.is_empty() && !state.closing {
                return Next::Idle;
            }
        }
    }

    /// The writer is done with a job.
    pub(super) fn done(&self, cost: usize, was_record: bool) {
        self.beat();
        self.bytes.fetch_sub(cost, Ordering::Relaxed);
        self.metrics.queue_bytes.dec_by(i64::try_from(cost).unwrap_or(i64::MAX));
        self.records.fetch_sub(was_record.into(), Ordering::Relaxed);
    }

    /// The writer got something done.
    pub(super) fn beat(&self) {
        self.progress.store(millis(self.clock.now()), Ordering::Relaxed);
    }

    /// Whether there is work and none of it gets done.
    pub(super) fn is_stuck(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) > 0 && self.is_silent()
    }

    /// Lets relays go on that wait for a disk that is stuck, and says so. Called every second from a thread of its
    /// own, because neither the writer nor a relay that waits can notice.
    pub(super) fn watch(&self) {
        if self.is_stuck() {
            wake(&mut self.state());
            self.losses.trouble(STUCK);
        }
    }

    /// Nothing more will come; the writer ends when the queue is empty.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closing = true;
        self.beat();
        wake(&mut state);
        self.arrived.notify_all();
    }

    /// The writer has ended.
    pub(super) fn finish(&self) {
        self.state().finished = true;
        self.finished.notify_all();
    }

    /// Waits until the writer has ended. False: it makes no progress, and so many records are given up.
    pub(super) fn wait_finished(&self) -> Result<(), u64> {
        let mut state = self.state();
        while !state.finished {
            if self.is_silent() {
                return Err(self.records.load(Ordering::Relaxed));
            }
            // The clock may be a test's: look at it now and then.
            let tick = Duration::from_millis(50);
            state = self.finished.wait_timeout(state, tick).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }

    /// Whether the writer ended or was told to.
    pub(super) fn is_closing(&self) -> bool {
        self.state().closing
    }

    fn is_silent(&self) -> bool {
        millis(self.clock.now()).saturating_sub(self.progress.load(Ordering::Relaxed)) >= millis(PATIENCE)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Job {
    pub(super) fn cost(&self) -> usize {
        self.cost
    }
}

fn wake(state: &mut State) {
    state.waiting.drain().for_each(|(_, waker)| waker.wake());
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The job without bodies; none when nothing is left of it.
fn strip(mut job: Job) -> Option<Job> {
    let Action::Finish(exchange) = &mut job.action else { return None };
    let response = exchange.response.as_mut().map(|response| &mut response.body);
    for body in [Some(&mut exchange.request.body), response].into_iter().flatten() {
        job.stripped |= !std::mem::take(&mut body.kept).is_empty();
    }
    job.stripped |= exchange.spooled.is_some_and(|spooled| spooled != [0, 0]);
    job.cost = cost(&job.action);
    Some(job)
}

/// Bytes of memory that an action holds, roughly.
fn cost(action: &Action) -> usize {
    match action {
        Action::SpoolHead(exchange) | Action::Finish(exchange) => exchange_cost(exchange),
        Action::SpoolBody { bytes, .. } => size_of::<Job>() + bytes.capacity(),
        Action::SpoolMessages { messages, .. } => size_of::<Job>() + messages.capacity() * size_of::<SocketMessage>(),
        Action::Skip(_) | Action::Forget(_) => size_of::<Job>(),
    }
}

fn exchange_cost(exchange: &Exchange) -> usize {
    let fields = |fields: &Fields| fields.size() + 8 * fields.len();
    let request = &exchange.request;
    let mut cost = size_of::<Job>() + size_of::<Exchange>();
    cost += fields(&request.head.fields) + fields(&request.head.pseudo) + request.head.target.len();
    cost += request.trailers.as_ref().map_or(0, fields) + request.body.kept.capacity();
    cost += exchange.interim.iter().map(|head| fields(&head.fields)).sum::<usize>();
    if let Some(response) = &exchange.response {
        cost += fields(&response.head.fields) + response.trailers.as_ref().map_or(0, fields);
        cost += response.body.kept.capacity();
    }
    let messages = exchange.websocket.as_ref().map_or(0, |socket| socket.messages.capacity());
    cost + messages * size_of::<SocketMessage>() + exchange.chunks.capacity() * size_of::<crate::exchange::Chunk>()
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
