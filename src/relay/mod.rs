//! The relay: copies plaintext between the two sides of a tunnel, unchanged, and shows each piece to a [`Tap`].
//!
//! Knows nothing of HTTP. Both directions run in the connection's own task; a direction owns memory only while the
//! receiver is slower than the sender. Ends are passed on as what they are: `close_notify` as `close_notify`, FIN
//! without it as FIN without it, anything else as a reset on both sides.

mod copy;
mod side;
mod tap;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::Sleep;

use self::copy::{Copy, Failed};
pub use self::side::Side;
pub use self::tap::Tap;
use crate::wire::{Direction, Ending};

/// A tunnel of which one direction has ended and the other is silent is closed after this long. Long enough for any
/// answer to a half-closed request, short enough that forgotten halves do not pile up.
const HALF_CLOSED_IDLE: Duration = Duration::from_secs(600);

/// How often a draining tunnel is asked whether it is idle, where no bytes say so.
const DRAIN_INTERVAL: Duration = Duration::from_millis(100);

/// What went through a tunnel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Bytes relayed from the client to the upstream.
    pub client_to_server: u64,
    /// Bytes relayed from the upstream to the client.
    pub server_to_client: u64,
}

/// Both directions of one tunnel, as a future that ends when both have ended.
pub struct Relay<C: Side, S: Side, T: Tap + Unpin> {
    client: C,
    server: S,
    tap: T,
    upward: Copy,
    downward: Copy,
    /// When bytes last went through, as far as a half-closed tunnel needs to know.
    active: Instant,
    /// The upstream takes no more; what it has answered is still to be passed on.
    refused: bool,
    draining: bool,
    timer: Option<Pin<Box<Sleep>>>,
    armed: Option<Instant>,
}

impl<C: Side, S: Side, T: Tap + Unpin> Relay<C, S, T> {
    /// `first` holds bytes of the client that were read already.
    pub fn new(client: C, server: S, tap: T, first: Vec<u8>) -> Self {
        Self {
            client,
            server,
            tap,
            upward: Copy::new(Direction::ClientToServer, first),
            downward: Copy::new(Direction::ServerToClient, Vec::new()),
            active: Instant::now(),
            refused: false,
            draining: false,
            timer: None,
            armed: None,
        }
    }

    /// From now on the tunnel is closed as soon as nothing is in flight.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// Ends the tunnel at once; both peers see a reset.
    pub fn cut(mut self) -> Totals {
        self.client.reset_on_drop();
        self.server.reset_on_drop();
        self.end_both(Direction::ClientToServer, Ending::Shutdown);
        self.totals()
    }

    /// What went through so far.
    pub fn totals(&self) -> Totals {
        Totals { client_to_server: self.upward.total, server_to_client: self.downward.total }
    }

    fn end_both(&mut self, first: Direction, ending: Ending) {
        let (one, other) = match first {
            Direction::ClientToServer => (&mut self.upward, &mut self.downward),
            Direction::ServerToClient => (&mut self.downward, &mut self.upward),
        };
        one.end(ending, &mut self.tap);
        other.end(ending, &mut self.tap);
    }

    /// A peer is gone: the other one must not take this for an orderly end.
    fn abort(&mut self, gone: Direction) {
        self.client.reset_on_drop();
        self.server.reset_on_drop();
        self.end_both(gone, Ending::Aborted);
    }

    /// Begins to say goodbye to both peers.
    fn close_idle(&mut self) {
        self.end_both(Direction::ClientToServer, Ending::Shutdown);
        self.upward.close();
        self.downward.close();
    }

    fn poll_both(&mut self, cx: &mut Context<'_>) -> Result<(), Direction> {
        let before = (self.half_closed(), self.upward.total + self.downward.total);
        if !self.refused
            && let Poll::Ready(Err(failed)) = self.upward.poll(cx, &mut self.client, &mut self.server, &mut self.tap)
        {
            match failed {
                Failed::Sender => return Err(Direction::ClientToServer),
                // A server that answers an upload early (413, 401) and closes resets the connection: the answer has
                // arrived all the same, and without us the client would read it.
                Failed::Receiver => self.refused = true,
            }
        }
        if let Poll::Ready(Err(failed)) = self.downward.poll(cx, &mut self.server, &mut self.client, &mut self.tap) {
            return Err(gone(Direction::ServerToClient, failed));
        }
        if self.refused && self.downward.is_done() {
            return Err(Direction::ServerToClient);
        }
        let now = (self.half_closed(), self.upward.total + self.downward.total);
        if now.0 && now != before {
            self.active = Instant::now();
        }
        Ok(())
    }

    fn half_closed(&self) -> bool {
        self.refused || self.upward.ending.is_some() != self.downward.ending.is_some()
    }

    fn deadline(&self, now: Instant) -> Option<Instant> {
        let half_closed = self.half_closed().then(|| self.active + HALF_CLOSED_IDLE);
        let drain = self.draining.then(|| now + DRAIN_INTERVAL);
        [self.tap.deadline(), half_closed, drain].into_iter().flatten().min()
    }

    /// Whether the next deadline has come; otherwise the task will be woken for it.
    ///
    /// The timer is moved only to an earlier deadline: on a busy connection it then fires at most once per deadline
    /// that was real when it was set, instead of being moved with every exchange.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(deadline) = self.deadline(Instant::now()) else { return false };
        let timer = match (&mut self.timer, self.armed) {
            (Some(timer), Some(armed)) if armed <= deadline => timer,
            (Some(timer), _) => {
                timer.as_mut().reset(deadline.into());
                self.armed = Some(deadline);
                timer
            }
            (None, _) => {
                self.armed = Some(deadline);
                self.timer.insert(Box::pin(tokio::time::sleep_until(deadline.into())))
            }
        };
        let fired = timer.as_mut().poll(cx).is_ready();
        if fired {
            self.armed = None;
        }
        fired
    }

    /// One round: `Some` when the tunnel is over.
    fn poll_once(&mut self, cx: &mut Context<'_>) -> Option<Totals> {
        loop {
            if let Err(gone) = self.poll_both(cx) {
                self.abort(gone);
                return Some(self.totals());
            }
            if self.upward.is_done() && self.downward.is_done() {
                return Some(self.totals());
            }
            let at_rest = self.upward.holds_nothing() && self.downward.holds_nothing();
            if !(self.draining && at_rest && self.tap.is_idle()) {
                break;
            }
            self.close_idle();
        }
        let now = Instant::now();
        if self.half_closed() && now >= self.active + HALF_CLOSED_IDLE {
            self.abort(Direction::ClientToServer);
            return Some(self.totals());
        }
        if self.tap.deadline().is_some_and(|deadline| now >= deadline) {
            self.tap.tick(now);
        }
        None
    }
}

/// Whose direction ends first when a copy in `direction` failed.
fn gone(direction: Direction, failed: Failed) -> Direction {
    match failed {
        Failed::Sender => direction,
        Failed::Receiver => direction.reverse(),
    }
}

impl<C: Side, S: Side, T: Tap + Unpin> Future for Relay<C, S, T> {
    type Output = Totals;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Totals> {
        let this = self.get_mut();
        loop {
            if let Some(totals) = this.poll_once(cx) {
                return Poll::Ready(totals);
            }
            if !this.poll_timer(cx) {
                return Poll::Pending;
            }
        }
    }
}

impl<C: Side, S: Side, T: Tap + Unpin> Drop for Relay<C, S, T> {
    /// A relay dropped before its end (its task was cancelled) still tells the tap.
    fn drop(&mut self) {
        self.end_both(Direction::ClientToServer, Ending::Shutdown);
    }
}
