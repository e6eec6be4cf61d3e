//! Observer events to exchanges.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::flight::{self, Cut, Flight, SPOOL_AGE};
use super::{AbortedBy, Action, Connection, Selector, host};
use crate::observer::{Event, RequestHead, StreamId};
use crate::wire::{Direction, Ending};

/// `NO_ERROR` (RFC 9113 section 7).
const NO_ERROR: u32 = 0;

/// Puts the events of one connection together to exchanges.
///
/// An exchange is over when both messages have ended. Before that it ends
///
/// - by an HTTP/2 reset: aborted by whoever sent it. But a server that has answered in full may ask the client with
///   `NO_ERROR` to spare the rest of the request (RFC 9113 section 8.1): that exchange is complete;
/// - with the connection: aborted by the side whose direction ended first, however it ended, or by us. An answer
///   that was complete before its request was (HTTP/1.1) is kept as it is, and the exchange is not complete. Streams
///   that a GOAWAY of the server excludes (RFC 9113 section 6.8) are aborted by the upstream. An upgraded connection is
///   complete when both sides ended it cleanly;
/// - by bytes that cannot be understood: neither complete nor aborted by anybody.
pub struct Assembler {
    connection: Arc<Connection>,
    selector: Arc<dyn Selector>,
    body_limit: usize,
    clock: fn(Instant) -> SystemTime,
    flights: BTreeMap<StreamId, Flight>,
    /// Not later than anything that is due; may be too early, for exchanges that ended in the meantime.
    due: Option<Instant>,
    endings: [Option<Ending>; 2],
    first_ended: Option<Direction>,
    /// The last stream that the server promised to look at.
    last_stream: u64,
    /// Nothing that follows can be understood.
    lost: bool,
}

impl Assembler {
    /// For one connection; at most `body_limit` bytes of each body are kept.
    #[must_use]
    pub fn new(connection: Arc<Connection>, selector: Arc<dyn Selector>, body_limit: usize) -> Self {
        Self::with_clock(connection, selector, body_limit, wall_clock)
    }

    /// Like [`Assembler::new`], with a function that tells the wall clock's time of an instant.
    #[must_use]
    pub fn with_clock(
        connection: Arc<Connection>,
        selector: Arc<dyn Selector>,
        body_limit: usize,
        clock: fn(Instant) -> SystemTime,
    ) -> Self {
        Self {
            connection,
            selector,
            body_limit,
            clock,
            flights: BTreeMap::new(),
            due: None,
            endings: [None; 2],
            first_ended: None,
            last_stream: u64::MAX,
            lost: false,
        }
    }

    /// One event, of bytes that were read at `at`. Events of streams that never began or are over are ignored.
    pub fn event(&mut self, at: Instant, event: Event<'_>, out: &mut Vec<Action>) {
        if self.lost {
            return;
        }
        match event {
            Event::Request { stream, head } => self.request(at, stream, head, out),
            Event::Interim { stream, head } => self.with(stream, |flight| flight.interim(at, head, out)),
            Event::Response { stream, head } => self.with(stream, |flight| flight.response(at, head, out)),
            Event::Data { stream, direction, bytes } => self.data(at, stream, direction, bytes, out),
            Event::Trailers { stream, direction, fields } => {
                self.with(stream, |flight| flight.trailers(at, direction, fields));
            }
            Event::End { stream, direction } => {
                if self.flights.get_mut(&stream).is_some_and(|flight| flight.end(at, direction)) {
                    self.finish(stream, |exchange| exchange.complete = true, out);
                }
            }
            Event::Reset { stream, direction, code } => self.reset(stream, direction, code, out),
            Event::GoAway { direction: Direction::ServerToClient, last_stream, .. } => {
                self.last_stream = self.last_stream.min(last_stream.into());
            }
            // Excludes streams that the server begins, which clients of Copilot do not allow.
            Event::GoAway { direction: Direction::ClientToServer, .. } => {}
            Event::Upgrade { stream } => self.with(stream, Flight::upgrade),
            Event::Opaque { stream, direction, bytes } => {
                self.with(stream, |flight| flight.opaque(at, direction, bytes.len()));
            }
            Event::Malformed { stream, reason, .. } => self.malformed(stream, reason, out),
        }
    }

    /// One direction of the connection ended (call it after the observer was told and its events were passed on).
    ///
    /// Every exchange in flight is finished when both directions have ended, when one was aborted or shut down, and
    /// when the server's was cut. A client that only stopped to send still waits for its answers.
    pub fn end(&mut self, direction: Direction, at: Instant, ending: Ending, out: &mut Vec<Action>) {
        let _ = at;
        self.endings[direction.index()] = Some(ending);
        self.first_ended.get_or_insert(direction);
        let over = match (self.endings, ending) {
            ([Some(_), Some(_)], _) | (_, Ending::Aborted | Ending::Shutdown) => true,
            (_, Ending::Truncated) => direction == Direction::ServerToClient,
            (_, Ending::Clean) => false,
        };
        if over {
            self.finish_all(out);
        }
    }

    /// When [`Assembler::tick`] wants to be called: the oldest exchange in flight that is not in the spool yet turns
    /// one second old, or spooled ones have bytes in memory.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.due
    }

    /// The deadline has passed.
    pub fn tick(&mut self, now: Instant, out: &mut Vec<Action>) {
        for flight in self.flights.values_mut() {
            flight.tick(now, out);
        }
        self.due = self.flights.values().filter_map(Flight::deadline).min();
    }

    /// How many exchanges are in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.flights.len()
    }

    fn request(&mut self, at: Instant, stream: StreamId, head: RequestHead, out: &mut Vec<Action>) {
        // No observer begins a stream twice; were it so, the first must not vanish.
        self.finish(stream, |exchange| exchange.malformed = Some("its stream began again"), out);
        let began = (self.clock)(at);
        let wanted = self.selector.wanted(&host(&self.connection, &head), &head);
        let flight = if wanted {
            self.due_at(at + SPOOL_AGE);
            Flight::kept(at, flight::begun(Arc::clone(&self.connection), began, stream.0, head))
        } else {
            Flight::unwanted(began, at, head.version)
        };
        self.flights.insert(stream, flight);
    }

    fn data(&mut self, at: Instant, stream: StreamId, direction: Direction, bytes: &[u8], out: &mut Vec<Action>) {
        let Some(flight) = self.flights.get_mut(&stream) else { return };
        flight.data(at, direction, bytes, self.body_limit, out);
        if let Some(deadline) = flight.deadline() {
            self.due_at(deadline);
        }
    }

    fn reset(&mut self, stream: StreamId, direction: Direction, code: u32, out: &mut Vec<Action>) {
        let Some(flight) = self.flights.get(&stream) else { return };
        let aborted_by = match direction {
            Direction::ServerToClient if code == NO_ERROR && flight.ended(Direction::ServerToClient) => None,
            Direction::ServerToClient => Some(AbortedBy::Upstream),
            Direction::ClientToServer => Some(AbortedBy::Client),
        };
        let cut = Cut { aborted_by, reset_code: Some(code), malformed: None };
        let close = |exchange: &mut super::Exchange| {
            cut.close(exchange);
            exchange.complete = aborted_by.is_none();
        };
        self.finish(stream, close, out);
    }

    fn malformed(&mut self, stream: Option<StreamId>, reason: &'static str, out: &mut Vec<Action>) {
        let cut = Cut { malformed: Some(reason), ..Cut::default() };
        if let Some(stream) = stream {
            self.finish(stream, |exchange| cut.close(exchange), out);
            return;
        }
        self.lost = true;
        self.due = None;
        for flight in std::mem::take(&mut self.flights).into_values() {
            flight.finish(|exchange| cut.close(exchange), out);
        }
    }

    fn finish_all(&mut self, out: &mut Vec<Action>) {
        let clean = self.endings == [Some(Ending::Clean); 2];
        let first = if self.endings.contains(&Some(Ending::Shutdown)) {
            AbortedBy::Shutdown
        } else if self.first_ended == Some(Direction::ClientToServer) {
            AbortedBy::Client
        } else {
            AbortedBy::Upstream
        };
        self.due = None;
        for (stream, flight) in std::mem::take(&mut self.flights) {
            let complete = flight.connection_upgraded() && clean;
            let by = if stream.0 > self.last_stream { AbortedBy::Upstream } else { first };
            let close = |exchange: &mut super::Exchange| {
                exchange.complete = complete;
                exchange.aborted_by = (!complete).then_some(by);
            };
            flight.finish(close, out);
        }
    }

    fn finish(&mut self, stream: StreamId, close: impl FnOnce(&mut super::Exchange), out: &mut Vec<Action>) {
        if let Some(flight) = self.flights.remove(&stream) {
            flight.finish(close, out);
        }
        if self.flights.is_empty() {
            self.due = None;
        }
    }

    fn with(&mut self, stream: StreamId, act: impl FnOnce(&mut Flight)) {
        if let Some(flight) = self.flights.get_mut(&stream) {
            act(flight);
        }
    }

    fn due_at(&mut self, deadline: Instant) {
        self.due = Some(self.due.map_or(deadline, |due| due.min(deadline)));
    }
}

/// The time of day at an instant that is not long ago.
fn wall_clock(at: Instant) -> SystemTime {
    let now = SystemTime::now();
    now.checked_sub(at.elapsed()).unwrap_or(now)
}

#[cfg(test)]
#[path = "assemble_tests.rs"]
mod tests;
