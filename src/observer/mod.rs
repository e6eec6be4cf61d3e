//! Passive readers of relayed bytes: sans-io, no clock, no logging.
//!
//! Given what went each way, cut anywhere; hands on [`Event`]s. A connection that cannot be understood ends with one
//! [`Event::Malformed`] and costs nothing from then on.

mod event;
#[doc(hidden)]
pub mod fuzz;
mod http1;
mod http2;
mod keep;
mod sockets;
#[doc(hidden)]
pub mod transcript;
mod websocket;

use std::mem;

pub use event::{Event, Fields, MessageKind, RequestHead, ResponseHead, StreamId, Version};
use http1::Http1;
use http2::{Http2, PREFACE};
use sockets::Sockets;

use crate::wire::Direction;

/// What the two sides of a tunnel have agreed to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1 or 1.0 (ALPN `http/1.1`, `http/1.0`).
    Http1,
    /// HTTP/2 (ALPN `h2`).
    Http2,
    /// They said nothing: HTTP/2 if the client begins with its preface (RFC 9113 section 3.3), else HTTP/1.x.
    Detect,
}

/// Ceilings on what an observer keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes kept of one head (names, values, start line, and 8 for each field), of one trailer section, of one line
    /// of either, and of one compressed header block. Default 256 KiB, four times what the largest servers accept.
    pub head: usize,
    /// Streams, or pipelined requests without an answer, tracked at once on a connection. Default 4096; servers
    /// allow 100 to 250.
    pub streams: usize,
    /// Bytes kept of one WebSocket message. Default 16 MiB, as of a body; of all messages under way on a connection
    /// four times that.
    pub message: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { head: 256 * 1024, streams: 4096, message: 16 << 20 }
    }
}

/// Watches one connection.
#[derive(Debug)]
pub struct Observer {
    state: State,
    sockets: Sockets,
}

#[derive(Debug)]
enum State {
    /// The client has sent this many bytes of the HTTP/2 preface.
    Detect {
        seen: usize,
        limits: Limits,
    },
    // Boxed, so that a connection that is lost or never speaks costs a few words.
    Http1(Box<Http1>),
    Http2(Box<Http2>),
    /// Malformed: nothing more is said.
    Lost,
}

impl Observer {
    /// An observer for a connection on which nothing has been sent yet.
    #[must_use]
    pub fn new(protocol: Protocol, limits: Limits) -> Self {
        // Ends of fields are noted in 32 bits.
        let limits = Limits { head: limits.head.min(1 << 30), ..limits };
        let state = match protocol {
            Protocol::Http1 => State::Http1(Box::new(Http1::new(limits))),
            Protocol::Http2 => State::Http2(Box::new(Http2::new(limits))),
            Protocol::Detect => State::Detect { seen: 0, limits },
        };
        Self { state, sockets: Sockets::new(limits.message) }
    }

    /// Reads what went in `direction` and tells `sink` what it meant.
    ///
    /// Bytes must come in the order sent, and in the order of cause and effect between directions: a request before
    /// its response.
    pub fn feed(&mut self, direction: Direction, bytes: &[u8], sink: &mut impl FnMut(Event<'_>)) {
        let Self { state, sockets } = self;
        let result = match state {
            State::Detect { seen, limits } => {
                let (seen, limits) = (*seen, *limits);
                return self.detect(direction, seen, limits, bytes, sink);
            }
            State::Http1(http1) => http1.feed(direction, bytes, &mut |event| sockets.pass(event, sink)),
            State::Http2(http2) => {
                let result = http2.feed(direction, bytes, &mut |event| sockets.pass(event, sink));
                result.map_err(|reason| (direction, reason))
            }
            State::Lost => Ok(()),
        };
        if let Err((direction, reason)) = result {
            self.lose(direction, reason, sink);
        }
    }

    /// The bytes of `direction` have ended. `clean`: their sender said so (TLS `close_notify`); a TCP stream that
    /// merely ended may have been cut, and a body that lasts until close is then not known to be complete.
    pub fn end(&mut self, direction: Direction, clean: bool, sink: &mut impl FnMut(Event<'_>)) {
        let Self { state, sockets } = self;
        sockets.cut(direction, sink);
        if let State::Http1(http1) = state {
            http1.end(direction, clean, &mut |event| sockets.pass(event, sink));
        }
    }

    /// Bytes kept at this moment, of heads, cut frames, dynamic tables and WebSocket messages under way.
    #[must_use]
    pub fn kept(&self) -> usize {
        let http = match &self.state {
            State::Detect { .. } | State::Lost => 0,
            State::Http1(http1) => http1.kept(),
            State::Http2(http2) => http2.kept(),
        };
        http + self.sockets.kept()
    }

    fn detect(
        &mut self,
        direction: Direction,
        seen: usize,
        limits: Limits,
        bytes: &[u8],
        sink: &mut impl FnMut(Event<'_>),
    ) {
        if bytes.is_empty() {
            return;
        }
        if direction == Direction::ServerToClient {
            return self.lose(direction, "the server spoke first", sink);
        }
        let agrees = PREFACE[seen..].iter().zip(bytes).take_while(|(expected, byte)| expected == byte).count();
        let now = seen + agrees;
        if now < PREFACE.len() && agrees == bytes.len() {
            self.state = State::Detect { seen: now, limits };
            return;
        }
        self.state = if now == PREFACE.len() {
            State::Http2(Box::new(Http2::new(limits)))
        } else {
            State::Http1(Box::new(Http1::new(limits)))
        };
        self.feed(direction, &PREFACE[..seen], sink);
        self.feed(direction, bytes, sink);
    }

    fn lose(&mut self, direction: Direction, reason: &'static str, sink: &mut impl FnMut(Event<'_>)) {
        let lost = mem::replace(&mut self.state, State::Lost);
        if !matches!(lost, State::Lost) {
            Direction::BOTH.into_iter().for_each(|direction| self.sockets.cut(direction, sink));
            self.sockets.clear();
            sink(Event::Malformed { stream: None, direction, reason });
        }
    }
}
