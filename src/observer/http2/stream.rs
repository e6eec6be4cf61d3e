//! Streams that are under way (RFC 9113 section 5.1, seen from the side).

use std::collections::HashMap;

use crate::wire::Direction;

/// What is known of one stream between its request and its end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stream {
    /// By direction: END_STREAM was seen.
    pub(super) ended: [bool; 2],
    /// The final response has begun.
    pub(super) answered: bool,
    /// The request was a CONNECT, plain or extended.
    pub(super) connect: bool,
    /// DATA is no longer HTTP's.
    pub(super) upgraded: bool,
}

/// The streams that are tracked, a bounded number, and which ids were used.
///
/// A stream that is not here and whose id was used is over: what still arrives on it, as it may for a round trip
/// after a reset, is ignored.
#[derive(Debug)]
pub(super) struct Streams {
    open: HashMap<u32, Stream>,
    max: usize,
    /// By who opens them: the client's (odd) and the server's (even, promised).
    last: [u32; 2],
}

impl Streams {
    pub(super) fn new(max: usize) -> Self {
        Self { open: HashMap::new(), max, last: [0; 2] }
    }

    /// Opens a stream; `false`: too many are tracked already.
    pub(super) fn open(&mut self, id: u32, stream: Stream) -> bool {
        self.last[owner(id).index()] = id;
        let room = self.open.len() < self.max;
        if room {
            self.open.insert(id, stream);
        }
        room
    }

    /// Notes END_STREAM; `false`: the stream is not tracked or had it already.
    pub(super) fn end(&mut self, id: u32, direction: Direction) -> bool {
        let Some(stream) = self.open.get_mut(&id) else { return false };
        let first = !stream.ended[direction.index()];
        stream.ended[direction.index()] = true;
        if stream.ended == [true; 2] {
            self.open.remove(&id);
        }
        first
    }

    /// Tracks the stream no longer; `false`: it was not.
    pub(super) fn close(&mut self, id: u32) -> bool {
        self.open.remove(&id).is_some()
    }

    /// The stream, while `direction` of it is open.
    pub(super) fn sending(&mut self, id: u32, direction: Direction) -> Option<&mut Stream> {
        self.open.get_mut(&id).filter(|stream| !stream.ended[direction.index()])
    }

    /// Whether nothing was ever sent on it.
    pub(super) fn is_idle(&self, id: u32) -> bool {
        id > self.last[owner(id).index()]
    }

    /// How many are tracked.
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }
}

/// Which direction the frame that opens the stream goes (section 5.1.1).
pub(super) fn owner(id: u32) -> Direction {
    if id.is_multiple_of(2) { Direction::ServerToClient } else { Direction::ClientToServer }
}
