//! Messages of a WebSocket on their way into the bodies of an exchange in flight.

use std::time::Instant;

use super::flight::{self, Flight};
use super::socket::Told;
use super::websocket::{Closed, SocketMessage};
use super::{Action, Exchange, WebSocket};
use crate::wire::Direction;

/// What stands between two messages in a body: JSON texts have none of their own outside strings.
const SEPARATOR: &[u8] = b"\n";

/// What a flight keeps of its messages beyond the exchange.
#[derive(Default)]
pub(super) struct Talk {
    /// By direction: data messages seen.
    counts: [u64; 2],
    /// How many of those listed have gone to the spool.
    spooled: usize,
    /// It led to a WebSocket whose messages all belonged to turns: nothing is to be told of it.
    quiet: bool,
}

impl Talk {
    /// Messages that the spool does not have yet.
    pub(super) fn unspooled(&self, exchange: &Exchange) -> Option<Vec<SocketMessage>> {
        let messages = exchange.websocket.as_ref()?.messages.get(self.spooled..)?;
        (!messages.is_empty()).then(|| messages.to_vec())
    }

    /// The spool has all that are listed.
    pub(super) fn spooled(&mut self, exchange: &Exchange) {
        self.spooled = exchange.websocket.as_ref().map_or(0, |socket| socket.messages.len());
    }
}

impl Flight {
    /// The exchange has become a WebSocket.
    pub(super) fn websocket(&mut self, out: &mut Vec<Action>) {
        if let Some(exchange) = self.exchange_mut() {
            exchange.websocket.get_or_insert_default();
            self.spool_head_again(out);
        }
    }

    /// A message that began at `began`: listed, and if it carries data, added to the body.
    pub(super) fn message(&mut self, told: Told<'_>, began: Instant, limit: usize, out: &mut Vec<Action>) {
        let Told { at, direction, kind, mut bytes, truncated } = told;
        if !kind.is_data() {
            bytes = &[];
        }
        let index = direction.index();
        let separator = if kind.is_data() && self.talk.counts[index] > 0 { SEPARATOR } else { &[] };
        let (since, first_byte) = (self.since(at), self.since(began));
        let Some(exchange) = self.exchange_mut() else { return };
        let room = flight::room(exchange, direction, limit).saturating_sub(separator.len());
        let from_client = direction == Direction::ClientToServer;
        let kept = bytes.len().min(room) as u64;
        let socket = exchange.websocket.get_or_insert_default();
        socket.push(SocketMessage { from_client, at: since, bytes: kept, kind });
        if !kind.is_data() {
            return;
        }
        if let Some(body) = flight::body(exchange, direction) {
            body.truncated |= truncated;
        }
        // Of a socket it is the head's, which came long before.
        if !from_client && socket_is_turn(exchange) {
            exchange.timings.first_byte.get_or_insert(first_byte);
        }
        self.talk.counts[index] += 1;
        self.talk.quiet = false;
        self.data(at, direction, separator, limit, out);
        self.data(at, direction, bytes, limit, out);
    }

    /// The message that begins a turn has come; `ended`: to its end.
    pub(super) fn created(&mut self, at: Instant, ended: bool) {
        let since = self.since(at);
        if let Some(exchange) = self.exchange_mut().filter(|_| ended) {
            exchange.request.ended = true;
            exchange.timings.request_end = Some(since);
        }
    }

    /// A Close frame was seen. The first one counts.
    pub(super) fn closed(&mut self, closed: &Closed) {
        if let Some(socket) = self.exchange_mut().and_then(|exchange| exchange.websocket.as_mut()) {
            socket.close.get_or_insert_with(|| closed.clone());
        }
    }

    /// A turn begins on the socket that this exchange led to: unless it has messages of its own, there is nothing to
    /// be told of it, and what the spool has of it is dropped.
    pub(super) fn quiet(&mut self, out: &mut Vec<Action>) {
        let has_body = self.exchange().is_some_and(|exchange| exchange.request.body.seen > 0);
        if self.talk.counts != [0; 2] || has_body {
            return;
        }
        self.talk = Talk { quiet: true, ..Talk::default() };
        self.hide();
        if let Some(exchange) = self.exchange_mut()
            && exchange.spooled.take().is_some()
        {
            out.push(Action::Forget(exchange.id));
        }
    }

    /// See [`Flight::quiet`].
    pub(super) fn is_quiet(&self) -> bool {
        self.talk.quiet
    }
}

fn socket_is_turn(exchange: &Exchange) -> bool {
    matches!(&exchange.websocket, Some(WebSocket { turn: Some(_), .. }))
}
