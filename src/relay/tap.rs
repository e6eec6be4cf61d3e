//! What the relay shows to whoever watches.

use std::task::{Context, Poll};
use std::time::Instant;

use crate::wire::{Direction, Ending};

/// A passive listener on one tunnel.
///
/// Bytes are shown after they were written on, inside the connection's own task (design D7). A tap cannot change
/// or stop them; the one thing it can do is ask the relay to wait before it reads more.
pub trait Tap: Send {
    /// These bytes were passed on in `direction`; `at` is when they had been read.
    fn bytes(&mut self, direction: Direction, at: Instant, bytes: &[u8]);

    /// `direction` ended. Called exactly once for each direction.
    fn end(&mut self, direction: Direction, at: Instant, ending: Ending);

    /// Asked before each read: `Pending` holds the relay until the waker is woken.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// When [`Tap::tick`] wants to be called, if at all.
    fn deadline(&self) -> Option<Instant>;

    /// The deadline has passed.
    fn tick(&mut self, now: Instant);

    /// Nothing is in flight: the tunnel may be closed without cutting anything off.
    fn is_idle(&self) -> bool;
}

impl<T: Tap + ?Sized> Tap for Box<T> {
    fn bytes(&mut self, direction: Direction, at: Instant, bytes: &[u8]) {
        (**self).bytes(direction, at, bytes);
    }

    fn end(&mut self, direction: Direction, at: Instant, ending: Ending) {
        (**self).end(direction, at, ending);
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        (**self).poll_ready(cx)
    }

    fn deadline(&self) -> Option<Instant> {
        (**self).deadline()
    }

    fn tick(&mut self, now: Instant) {
        (**self).tick(now);
    }

    fn is_idle(&self) -> bool {
        (**self).is_idle()
    }
}
