//! Observer events to exchanges.

use std::sync::Arc;
use std::time::Instant;

use super::{Action, Connection, Selector};
use crate::observer::Event;
use crate::wire::{Direction, Ending};

/// Puts the events of one connection together to exchanges.
pub struct Assembler {
    _connection: Arc<Connection>,
}

impl Assembler {
    /// For one connection.
    #[must_use]
    pub fn new(connection: Arc<Connection>, selector: Arc<dyn Selector>, body_limit: usize) -> Self {
        let _ = (selector, body_limit);
        Self { _connection: connection }
    }

    /// One event, of bytes that were read at `at`.
    pub fn event(&mut self, at: Instant, event: Event<'_>, out: &mut Vec<Action>) {
        let _ = (at, event, out);
        unimplemented!()
    }

    /// One direction of the connection ended (call it after the observer was told and its events were passed on).
    /// When both have ended, or one was cut, every exchange in flight is finished as incomplete.
    pub fn end(&mut self, direction: Direction, at: Instant, ending: Ending, out: &mut Vec<Action>) {
        let _ = (direction, at, ending, out);
        unimplemented!()
    }

    /// When [`Assembler::tick`] wants to be called: the oldest exchange in flight that is not in the spool yet turns
    /// one second old, or spooled ones have bytes in memory.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        None
    }

    /// The deadline has passed.
    pub fn tick(&mut self, now: Instant, out: &mut Vec<Action>) {
        let _ = (now, out);
    }
}
