//! A WebSocket's messages to exchanges.
//!
//! On a path that ends in `/responses` one socket carries many requests: each message of the client with the type
//! `response.create` begins a turn, which lasts to its closing event and is an exchange of its own. They are answered
//! one after another, so the server's messages belong to the oldest turn without a closing event. What is outside any
//! turn, and everything on other sockets, is of the exchange that led to the upgrade.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::flight::{self, Cut, Flight};
use super::step::Step;
use super::websocket::Closed;
use super::{AbortedBy, Action, Message, Onlooker, WebSocket};
use crate::observer::{MessageKind, RequestHead};
use crate::wire::Direction::{self, ClientToServer, ServerToClient};

/// Turns in flight at once on a socket; clients have one. Each costs its heads. The message that would begin one more
/// belongs to the oldest.
const TURNS_MAX: usize = 32;

/// What is known of one WebSocket beside the exchange that led to it.
pub(super) struct Socket {
    /// Whether its messages can make turns.
    has_turns: bool,
    /// Turns in flight, oldest first.
    turns: VecDeque<Flight>,
    /// How many `response.create` were seen.
    created: u64,
    /// By direction: when the data message under way began.
    begun: [Option<Instant>; 2],
    /// By direction: a Close frame was seen.
    closed: [bool; 2],
    /// Whose Close frame or end came first.
    first: Option<Direction>,
}

/// A message as an observer tells it.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    pub(super) at: Instant,
    pub(super) direction: Direction,
    pub(super) kind: MessageKind,
    pub(super) bytes: &'a [u8],
    pub(super) truncated: bool,
}

/// What all sockets of a connection share.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    /// Bytes kept of a body.
    pub(super) body_limit: usize,
    pub(super) clock: fn(Instant) -> SystemTime,
    pub(super) onlooker: Option<&'a dyn Onlooker>,
}

impl Socket {
    /// One on which nothing was said yet, to which this request led.
    pub(super) fn new(request: &RequestHead) -> Self {
        let path = request.target.split(|&byte| byte == b'?').next().unwrap_or_default();
        Self {
            has_turns: path.ends_with(b"/responses"),
            turns: VecDeque::new(),
            created: 0,
            begun: [None; 2],
            closed: [false; 2],
            first: None,
        }
    }

    /// The first byte of a data message.
    pub(super) fn begins(&mut self, at: Instant, direction: Direction) {
        self.begun[direction.index()] = Some(at);
    }

    /// A message; `own` is the exchange that led to the upgrade.
    pub(super) fn message(&mut self, own: &mut Flight, told: Told<'_>, terms: Terms<'_>, out: &mut Vec<Action>) {
        if told.kind == MessageKind::Close {
            self.close(own, told);
        }
        if !told.kind.is_data() {
            return self.oldest_or(own).message(told, told.at, terms.body_limit, out);
        }
        let began = self.begun[told.direction.index()].take().unwrap_or(told.at);
        let step = if self.has_turns { Step::of(told.bytes) } else { Step::Other };
        if (step, told.direction) == (Step::Create, ClientToServer) {
            let number = self.created;
            self.created += 1;
            if self.turns.len() < TURNS_MAX
                && let Some(mut turn) = new_turn(own, began, number, terms)
            {
                own.quiet(out);
                turn.message(told, began, terms.body_limit, out);
                turn.created(told.at, !told.truncated || told.bytes.len() >= terms.body_limit);
                return self.turns.push_back(turn);
            }
        }
        self.oldest_or(own).message(told, began, terms.body_limit, out);
        if (step, told.direction) == (Step::Closing, ServerToClient)
            && let Some(turn) = self.turns.pop_front()
        {
            turn.finish(
                |exchange| {
                    exchange.complete = true;
                    exchange.response.iter_mut().for_each(|response| response.ended = true);
                },
                out,
            );
        }
    }

    /// The stream has ended in one direction.
    pub(super) fn ended(&mut self, direction: Direction) {
        self.first.get_or_insert(direction);
    }

    /// The socket is over, and with it what is in flight on it.
    pub(super) fn finish(self, own: Flight, cut: Cut, out: &mut Vec<Action>) {
        let first = self.first.map(AbortedBy::from).filter(|_| cut.malformed.is_none());
        for turn in self.turns {
            let cut = Cut { complete: false, aborted_by: first.or(cut.aborted_by), ..cut };
            turn.finish(|exchange| cut.close(exchange), out);
        }
        if own.is_quiet() && cut.malformed.is_none() {
            return;
        }
        let complete = cut.complete || self.closed == [true; 2] && cut.malformed.is_none();
        let cut = Cut { complete, aborted_by: first.or(cut.aborted_by), ..cut };
        own.finish(|exchange| cut.close(exchange), out);
    }

    /// Turns in flight.
    pub(super) fn turns(&self) -> usize {
        self.turns.len()
    }

    /// Nothing is under way on it, and closing it cuts nothing off: clients keep it open for the next turn.
    pub(super) fn is_between_turns(&self) -> bool {
        self.has_turns && self.turns.is_empty() && self.begun == [None; 2]
    }

    /// When something of a turn is due to be spooled.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.turns.iter().filter_map(Flight::deadline).min()
    }

    /// Moves to the spool what is due.
    pub(super) fn tick(&mut self, now: Instant, out: &mut Vec<Action>) {
        self.turns.iter_mut().for_each(|turn| turn.tick(now, out));
    }

    fn oldest_or<'f>(&'f mut self, own: &'f mut Flight) -> &'f mut Flight {
        self.turns.front_mut().unwrap_or(own)
    }

    fn close(&mut self, own: &mut Flight, told: Told<'_>) {
        self.closed[told.direction.index()] = true;
        self.first.get_or_insert(told.direction);
        let closed = Closed::read(told.direction == ClientToServer, told.bytes);
        for flight in self.turns.iter_mut().chain([own]) {
            flight.closed(&closed);
        }
    }
}

/// A turn: the heads of the upgrade, and a time of its own. None when nobody wants it recorded.
fn new_turn(own: &Flight, began: Instant, number: u64, terms: Terms<'_>) -> Option<Flight> {
    let socket = own.exchange()?;
    let connection = Arc::clone(&socket.connection);
    let mut exchange = flight::begun(connection, (terms.clock)(began), socket.stream, socket.request.head.clone());
    exchange.response = socket.response.as_ref().map(|response| Message::new(response.head.clone()));
    exchange.websocket = Some(WebSocket { turn: Some(number), ..WebSocket::default() });
    Some(Flight::kept(began, exchange, terms.onlooker))
}

#[cfg(test)]
#[path = "socket_tests.rs"]
mod tests;
