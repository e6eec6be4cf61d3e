//! Observer events to exchanges.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::flight::{self, Cut, Flight, SPOOL_AGE};
use super::socket::{Socket, Terms, Told};
use super::{AbortedBy, Action, Connection, Onlooker, Selector, host};
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
///
/// One that led to a WebSocket may have turns, which are exchanges of their own: see the module `socket`.
pub struct Assembler {
    connection: Arc<Connection>,
    selector: Arc<dyn Selector>,
    onlooker: Option<Arc<dyn Onlooker>>,
    body_limit: usize,
    clock: fn(Instant) -> SystemTime,
    flights: BTreeMap<StreamId, Flight>,
    /// Of those in `flights` that are kept and led to a WebSocket.
    sockets: BTreeMap<StreamId, Socket>,
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
            onlooker: None,
            body_limit,
            clock,
            flights: BTreeMap::new(),
            sockets: BTreeMap::new(),
            due: None,
            endings: [None; 2],
            first_ended: None,
            last_stream: u64::MAX,
            lost: false,
        }
    }

    /// Lets somebody look on.
    #[must_use]
    pub fn seen_by(self, onlooker: Option<Arc<dyn Onlooker>>) -> Self {
        Self { onlooker, ..self }
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
                if let Some(socket) = self.sockets.get_mut(&stream) {
                    socket.ended(direction);
                }
                if self.flights.get_mut(&stream).is_some_and(|flight| flight.end(at, direction)) {
                    self.finish(stream, Cut { complete: true, ..Cut::default() }, out);
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
            Event::WebSocket { stream } => self.websocket(stream, out),
            Event::MessageBegins { stream, direction } => {
                if let Some(socket) = self.sockets.get_mut(&stream) {
                    socket.begins(at, direction);
                }
            }
            Event::Message { stream, direction, kind, bytes, truncated } => {
                self.message(stream, Told { at, direction, kind, bytes, truncated }, out);
            }
            Event::Malformed { stream, reason, .. } => self.malformed(stream, reason, out),
        }
    }

    /// One direction of the connection ended (call it after the observer was told and its events were passed on).
    ///
    /// Every exchange in flight is finished when both directions have ended, when one was aborted or shut down, and
    /// when the server's was cut. A client that only stopped to send still waits for its answers.
    pub fn end(&mut self, direction: Direction, _at: Instant, ending: Ending, out: &mut Vec<Action>) {
        self.endings[direction.index()] = Some(ending);
        self.first_ended.get_or_insert(direction);
        if ending != Ending::Shutdown {
            self.sockets.values_mut().for_each(|socket| socket.ended(direction));
        }
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
        for socket in self.sockets.values_mut() {
            socket.tick(now, out);
        }
        let flights = self.flights.values().filter_map(Flight::deadline);
        self.due = flights.chain(self.sockets.values().filter_map(Socket::deadline)).min();
    }

    /// How many exchanges are in flight, turns on WebSockets included.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.flights.len() + self.sockets.values().map(Socket::turns).sum::<usize>()
    }

    /// Nothing is cut off when the connection is closed now: nothing is in flight but WebSockets between two turns.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.flights.keys().all(|stream| self.sockets.get(stream).is_some_and(Socket::is_between_turns))
    }

    fn request(&mut self, at: Instant, stream: StreamId, head: RequestHead, out: &mut Vec<Action>) {
        // No observer begins a stream twice; were it so, the first must not vanish.
        self.finish(stream, Cut { malformed: Some("its stream began again"), ..Cut::default() }, out);
        let began = (self.clock)(at);
        let wanted = self.selector.wanted(&host(&self.connection, &head), &head);
        let flight = if wanted {
            self.due_at(at + SPOOL_AGE);
            let exchange = flight::begun(Arc::clone(&self.connection), began, stream.0, head);
            Flight::kept(at, exchange, self.onlooker.as_deref())
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
        let complete = aborted_by.is_none();
        self.finish(stream, Cut { complete, aborted_by, reset_code: Some(code), malformed: None }, out);
    }

    fn websocket(&mut self, stream: StreamId, out: &mut Vec<Action>) {
        let Some(flight) = self.flights.get_mut(&stream) else { return };
        flight.websocket(out);
        if let Some(exchange) = flight.exchange() {
            self.sockets.insert(stream, Socket::new(&exchange.request.head));
        }
    }

    fn message(&mut self, stream: StreamId, told: Told<'_>, out: &mut Vec<Action>) {
        let onlooker = self.onlooker.as_deref();
        let terms = Terms { body_limit: self.body_limit, clock: self.clock, onlooker };
        let (Some(flight), Some(socket)) = (self.flights.get_mut(&stream), self.sockets.get_mut(&stream)) else {
            return;
        };
        socket.message(flight, told, terms, out);
        for deadline in [flight.deadline(), socket.deadline()].into_iter().flatten() {
            self.due_at(deadline);
        }
    }

    fn malformed(&mut self, stream: Option<StreamId>, reason: &'static str, out: &mut Vec<Action>) {
        let cut = Cut { malformed: Some(reason), ..Cut::default() };
        if let Some(stream) = stream {
            return self.finish(stream, cut, out);
        }
        self.lost = true;
        for stream in self.streams() {
            self.finish(stream, cut, out);
        }
    }

    fn finish_all(&mut self, out: &mut Vec<Action>) {
        let clean = self.endings == [Some(Ending::Clean); 2];
        let first = if self.endings.contains(&Some(Ending::Shutdown)) {
            AbortedBy::Shutdown
        } else {
            self.first_ended.map_or(AbortedBy::Upstream, AbortedBy::from)
        };
        for stream in self.streams() {
            let upgraded = self.flights.get(&stream).is_some_and(Flight::connection_upgraded);
            let by = if stream.0 > self.last_stream { AbortedBy::Upstream } else { first };
            let cut = Cut { complete: upgraded && clean, aborted_by: Some(by), ..Cut::default() };
            self.finish(stream, cut, out);
        }
    }

    fn finish(&mut self, stream: StreamId, cut: Cut, out: &mut Vec<Action>) {
        let socket = self.sockets.remove(&stream);
        match (self.flights.remove(&stream), socket) {
            (Some(flight), Some(socket)) => socket.finish(flight, cut, out),
            (Some(flight), None) => flight.finish(|exchange| cut.close(exchange), out),
            (None, _) => {}
        }
        if self.flights.is_empty() {
            self.due = None;
        }
    }

    fn streams(&self) -> Vec<StreamId> {
        self.flights.keys().copied().collect()
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
