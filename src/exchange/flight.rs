//! One exchange while it is in flight: what is kept of it, and what has gone to the spool.

use std::time::{Duration, Instant, SystemTime};

use super::talk::Talk;
use super::{AbortedBy, Action, Body, Chunk, Exchange, ExchangeId, Message, Onlooker, Sight, Timings};
use crate::observer::{Fields, ResponseHead, Version};
use crate::wire::Direction;

/// An exchange older than this is spooled: a crash loses at most this much.
pub(super) const SPOOL_AGE: Duration = Duration::from_secs(1);
/// An exchange with more body bytes in memory is spooled, so that many large ones do not add up.
const SPOOL_SIZE: usize = 64 << 10;
/// Body bytes of a spooled exchange wait for company until there are so many …
const GATHER_SIZE: usize = 16 << 10;
/// … or the first of them has waited so long.
const GATHER_TIME: Duration = Duration::from_millis(250);
/// Arrivals that are told one by one: enough for a long answer, 64 KiB of memory.
const CHUNKS_MAX: usize = 4096;
/// Interim responses kept; honest servers send one or two.
const INTERIM_MAX: usize = 16;

/// One exchange from its request's head to its end.
pub(super) struct Flight {
    id: ExchangeId,
    begin: Instant,
    version: Version,
    /// None when nobody wants it recorded.
    kept: Option<Box<Exchange>>,
    /// Which messages were seen to their end.
    ended: [bool; 2],
    /// Since when body bytes of a spooled exchange wait in memory.
    waiting: Option<Instant>,
    last_arrival: Option<Instant>,
    upgraded: bool,
    /// Dropped with the flight, so that nobody sees one that is over.
    sight: Option<Box<dyn Sight>>,
    pub(super) talk: Talk,
}

impl Flight {
    pub(super) fn kept(begin: Instant, exchange: Exchange, onlooker: Option<&dyn Onlooker>) -> Self {
        let sight = onlooker.map(|onlooker| onlooker.began(&exchange));
        Self { sight, ..Self::new(exchange.id, begin, exchange.request.head.version, Some(Box::new(exchange))) }
    }

    pub(super) fn unwanted(began: SystemTime, begin: Instant, version: Version) -> Self {
        Self::new(ExchangeId::at(began), begin, version, None)
    }

    fn new(id: ExchangeId, begin: Instant, version: Version, kept: Option<Box<Exchange>>) -> Self {
        let (ended, waiting, last_arrival) = ([false; 2], None, None);
        let talk = Talk::default();
        Self { id, begin, version, kept, ended, waiting, last_arrival, upgraded: false, sight: None, talk }
    }

    pub(super) fn interim(&mut self, at: Instant, head: ResponseHead, out: &mut Vec<Action>) {
        let Some(exchange) = self.touched(at) else { return };
        if exchange.interim.len() < INTERIM_MAX {
            exchange.interim.push(head);
            self.spool_head_again(out);
        }
    }

    pub(super) fn response(&mut self, at: Instant, head: ResponseHead, out: &mut Vec<Action>) {
        let since = self.since(at);
        let Some(exchange) = self.touched(at) else { return };
        if exchange.response.is_none() {
            exchange.timings.first_byte = Some(since);
            exchange.response = Some(Message::new(head));
            self.show_response();
            self.spool_head_again(out);
        }
    }

    pub(super) fn data(
        &mut self,
        at: Instant,
        direction: Direction,
        bytes: &[u8],
        limit: usize,
        out: &mut Vec<Action>,
    ) {
        if direction == Direction::ServerToClient {
            self.arrived(at, bytes.len());
        }
        if let Some(sight) = &mut self.sight {
            sight.moved(direction, bytes);
        }
        let Some(exchange) = self.touched(at) else { return };
        let room = room(exchange, direction, limit);
        let Some(body) = body(exchange, direction) else { return };
        body.seen += bytes.len() as u64;
        body.truncated |= bytes.len() > room;
        body.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.gathered(at, out);
    }

    pub(super) fn trailers(&mut self, at: Instant, direction: Direction, fields: Fields) {
        let Some(exchange) = self.touched(at) else { return };
        match (direction, &mut exchange.response) {
            (Direction::ClientToServer, _) => exchange.request.trailers = Some(fields),
            (Direction::ServerToClient, Some(response)) => response.trailers = Some(fields),
            (Direction::ServerToClient, None) => {}
        }
    }

    /// The message's end; `true` when that ends the exchange.
    pub(super) fn end(&mut self, at: Instant, direction: Direction) -> bool {
        self.ended[direction.index()] = true;
        let since = self.since(at);
        if let Some(exchange) = &mut self.kept {
            match (direction, &mut exchange.response) {
                (Direction::ClientToServer, _) => {
                    exchange.request.ended = true;
                    exchange.timings.request_end = Some(since);
                }
                (Direction::ServerToClient, Some(response)) => response.ended = true,
                (Direction::ServerToClient, None) => {}
            }
            // The end of a body that goes on until the connection closes (RFC 9112 section 6.3) is no byte.
            let closed = direction == Direction::ServerToClient && exchange.response.as_ref().is_some_and(until_close);
            if !closed {
                exchange.timings.last_byte = Some(since);
            }
        }
        self.ended == [true; 2] && !self.connection_upgraded()
    }

    pub(super) fn upgrade(&mut self) {
        self.upgraded = true;
        if let Some(exchange) = &mut self.kept {
            exchange.opaque.get_or_insert_default();
        }
    }

    pub(super) fn opaque(&mut self, at: Instant, direction: Direction, bytes: usize) {
        if let Some(exchange) = self.touched(at) {
            exchange.opaque.get_or_insert_default()[direction.index()] += bytes as u64;
        }
    }

    /// Moves to the spool what is due, and bytes that wait even if they are not due yet: else many streams, each
    /// with its own time, would be gone through many times a second.
    pub(super) fn tick(&mut self, now: Instant, out: &mut Vec<Action>) {
        let Some(exchange) = self.kept.as_ref().filter(|_| !self.is_quiet()) else { return };
        if self.waiting.is_some() || (exchange.spooled.is_none() && self.begin + SPOOL_AGE <= now) {
            self.spool(now, out);
        }
    }

    /// When something is due to be spooled.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.kept {
            None => None,
            Some(_) if self.is_quiet() => None,
            Some(exchange) if exchange.spooled.is_none() => Some(self.begin + SPOOL_AGE),
            Some(_) => self.waiting.map(|since| since + GATHER_TIME),
        }
    }

    /// Whether the message in that direction was seen to its end.
    pub(super) fn ended(&self, direction: Direction) -> bool {
        self.ended[direction.index()]
    }

    /// Whether the whole connection was upgraded, and has no end but the connection's.
    pub(super) fn connection_upgraded(&self) -> bool {
        self.upgraded && self.version != Version::Http2
    }

    /// The exchange is over; `close` says how, if somebody is there to be told.
    pub(super) fn finish(self, close: impl FnOnce(&mut Exchange), out: &mut Vec<Action>) {
        out.push(match self.kept {
            Some(mut exchange) => {
                close(&mut exchange);
                Action::Finish(exchange)
            }
            None => Action::Skip(self.id),
        });
    }

    /// The exchange, if it is kept.
    pub(super) fn exchange(&self) -> Option<&Exchange> {
        self.kept.as_deref()
    }

    pub(super) fn exchange_mut(&mut self) -> Option<&mut Exchange> {
        self.kept.as_deref_mut()
    }

    fn show_response(&mut self) {
        let response = self.kept.as_ref().and_then(|exchange| exchange.response.as_ref());
        if let (Some(sight), Some(response)) = (&mut self.sight, response) {
            sight.responded(&response.head);
        }
    }

    /// Nobody is to see it any more.
    pub(super) fn hide(&mut self) {
        self.sight = None;
    }

    pub(super) fn since(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.begin)
    }

    /// The exchange if it is kept, after a byte of it was seen.
    fn touched(&mut self, at: Instant) -> Option<&mut Exchange> {
        let since = self.since(at);
        let exchange = self.kept.as_deref_mut()?;
        exchange.timings.last_byte = Some(since);
        Some(exchange)
    }

    fn arrived(&mut self, at: Instant, bytes: usize) {
        let since = self.since(at);
        let Some(exchange) = &mut self.kept else { return };
        if bytes == 0 {
            return;
        }
        let again = self.last_arrival.replace(at) == Some(at);
        if let Some(last) = exchange.chunks.last_mut().filter(|_| again && exchange.chunks_omitted == 0) {
            last.bytes += bytes as u64;
        } else if exchange.chunks.len() < CHUNKS_MAX {
            exchange.chunks.push(Chunk { at: since, bytes: bytes as u64 });
        } else {
            exchange.chunks_omitted += u64::from(!again);
        }
    }

    /// Body bytes came in: it may be time to spool them.
    fn gathered(&mut self, at: Instant, out: &mut Vec<Action>) {
        let Some(exchange) = &self.kept else { return };
        let size = exchange.request.body.kept.len() + exchange.response.as_ref().map_or(0, |r| r.body.kept.len());
        let most = if exchange.spooled.is_some() { GATHER_SIZE } else { SPOOL_SIZE };
        if size > most {
            self.spool(at, out);
        } else if exchange.spooled.is_some() && size > 0 {
            self.waiting.get_or_insert(at);
        }
    }

    fn spool(&mut self, now: Instant, out: &mut Vec<Action>) {
        let since = self.since(now);
        let id = self.id;
        let Some(exchange) = self.kept.as_deref_mut() else { return };
        if exchange.spooled.is_none() {
            exchange.spooled = Some([0; 2]);
            out.push(Action::SpoolHead(Box::new(without_bodies(exchange))));
        } else {
            out.extend(self.talk.unspooled(exchange).map(|messages| Action::SpoolMessages { id, messages }));
        }
        self.talk.spooled(exchange);
        for direction in Direction::BOTH {
            let Some(bytes) = body(exchange, direction).map(|body| std::mem::take(&mut body.kept)) else { continue };
            if !bytes.is_empty() {
                exchange.spooled.get_or_insert_default()[direction.index()] += bytes.len() as u64;
                let response = direction == Direction::ServerToClient;
                out.push(Action::SpoolBody { id, response, at: since, bytes });
            }
        }
        self.waiting = None;
    }

    pub(super) fn spool_head_again(&mut self, out: &mut Vec<Action>) {
        if let Some(exchange) = self.kept.as_deref_mut().filter(|exchange| exchange.spooled.is_some()) {
            self.talk.spooled(exchange);
            out.push(Action::SpoolHead(Box::new(without_bodies(exchange))));
        }
    }
}

/// A new exchange, of which the request's head was seen.
pub(super) fn begun(
    connection: std::sync::Arc<super::Connection>,
    began: SystemTime,
    stream: u64,
    head: crate::observer::RequestHead,
) -> Exchange {
    Exchange {
        id: ExchangeId::at(began),
        connection,
        began,
        stream,
        request: Message { head, body: Body::default(), trailers: None, ended: false },
        interim: Vec::new(),
        response: None,
        timings: Timings { last_byte: Some(Duration::ZERO), ..Timings::default() },
        chunks: Vec::new(),
        chunks_omitted: 0,
        complete: false,
        aborted_by: None,
        reset_code: None,
        opaque: None,
        websocket: None,
        malformed: None,
        spooled: None,
    }
}

/// How an exchange came to its end.
#[derive(Clone, Copy, Default)]
pub(super) struct Cut {
    pub(super) complete: bool,
    /// Who ended it if it is not complete.
    pub(super) aborted_by: Option<AbortedBy>,
    pub(super) reset_code: Option<u32>,
    pub(super) malformed: Option<&'static str>,
}

impl Cut {
    pub(super) fn close(self, exchange: &mut Exchange) {
        exchange.complete = self.complete;
        exchange.aborted_by = self.aborted_by.filter(|_| !self.complete);
        exchange.reset_code = self.reset_code;
        exchange.malformed = self.malformed;
    }
}

pub(super) fn body(exchange: &mut Exchange, direction: Direction) -> Option<&mut Body> {
    match direction {
        Direction::ClientToServer => Some(&mut exchange.request.body),
        Direction::ServerToClient => exchange.response.as_mut().map(|response| &mut response.body),
    }
}

/// How many bytes of that body may still be kept.
pub(super) fn room(exchange: &Exchange, direction: Direction, limit: usize) -> usize {
    let spooled = exchange.spooled.map_or(0, |spooled| spooled[direction.index()]) as usize;
    let kept = match direction {
        Direction::ClientToServer => exchange.request.body.kept.len(),
        Direction::ServerToClient => exchange.response.as_ref().map_or(0, |response| response.body.kept.len()),
    };
    limit.saturating_sub(spooled + kept)
}

fn until_close(response: &Message<ResponseHead>) -> bool {
    let head = &response.head;
    head.version != Version::Http2
        && head.fields.first("content-length").is_none()
        && head.fields.first("transfer-encoding").is_none()
}

fn without_bodies(exchange: &mut Exchange) -> Exchange {
    let bodies = Direction::BOTH.map(|direction| body(exchange, direction).map(|body| std::mem::take(&mut body.kept)));
    let copy = exchange.clone();
    for (direction, bytes) in Direction::BOTH.into_iter().zip(bodies) {
        if let (Some(body), Some(bytes)) = (body(exchange, direction), bytes) {
            body.kept = bytes;
        }
    }
    copy
}
