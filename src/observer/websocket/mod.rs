//! WebSocket (RFC 6455), with permessage-deflate (RFC 7692).
//!
//! ```text
//! each side:  Head ──▶ Payload ──▶ Head ...          frame.rs
//!                         │ unmasked
//!                         ▼
//!             control frame │ data message, inflated, its fragments joined     side.rs, deflate.rs
//! ```
//!
//! Lenient where the bytes can be read all the same, because the two ends decide what is wrong: a client that does not
//! mask, a server that does, a length in more bytes than needed, a text that is not UTF-8. What cannot be read ends
//! the observation of the socket.

mod deflate;
mod extensions;
mod frame;
mod side;

use super::event::{Fields, MessageKind};
use crate::wire::Direction;
use extensions::Deflate;
use side::Side;

/// Both directions of one WebSocket.
#[derive(Debug)]
pub(super) struct WebSocket {
    sides: [Side; 2],
}

/// What a side said.
#[derive(Debug)]
pub(super) enum Said<'a> {
    /// The first byte of a data message.
    Begins,
    /// A message, data or control; cut if there is more of it than is kept.
    Message { kind: MessageKind, bytes: &'a [u8], truncated: bool },
}

/// Ceilings while reading on.
#[derive(Debug)]
pub(super) struct Room<'a> {
    /// Bytes kept of one message.
    pub(super) message: usize,
    /// Bytes that may be kept now, of all messages under way on the connection.
    pub(super) left: &'a mut usize,
}

/// Why a socket is lost to us.
type Lost = &'static str;

impl WebSocket {
    /// One on which nothing was sent yet; `response` are the fields of the answer that agreed on it.
    pub(super) fn new(response: &Fields) -> Self {
        let deflate = Deflate::agreed(response);
        Self { sides: Direction::BOTH.map(|direction| Side::new(deflate.map(|agreed| agreed.takeover(direction)))) }
    }

    /// Reads on in one direction. After an error nothing more may be fed.
    pub(super) fn feed<S>(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        room: &mut Room<'_>,
        said: &mut S,
    ) -> Result<(), Lost>
    where
        S: FnMut(Said<'_>),
    {
        self.sides[direction.index()].feed(bytes, room, said)
    }

    /// The direction has ended: a message under way is told as far as it came. Nothing more may be fed.
    pub(super) fn end<S>(&mut self, direction: Direction, room: &mut Room<'_>, said: &mut S)
    where
        S: FnMut(Said<'_>),
    {
        self.sides[direction.index()].end(room, said);
    }

    /// Bytes of messages under way that are kept now; they were taken from the room.
    pub(super) fn kept(&self) -> usize {
        self.sides.iter().map(Side::kept).sum()
    }
}

#[cfg(test)]
mod tests;
