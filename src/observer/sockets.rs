//! The WebSockets of one connection: finds them among the events of HTTP, and reads what they carry.

use std::collections::{HashMap, HashSet};

use super::event::{Event, RequestHead, ResponseHead, StreamId};
use super::websocket::{Room, Said, WebSocket};
use crate::wire::Direction;

/// Messages under way on all sockets of a connection are kept up to so many times the ceiling of one: HTTP/2 carries
/// many sockets at once.
const MESSAGES: usize = 4;

/// Sockets read at once on a connection. Each that compresses takes some 200 KiB to inflate; clients have one or two.
const SOCKETS_MAX: usize = 64;

/// See the module.
#[derive(Debug)]
pub(super) struct Sockets {
    /// Ceiling of one message.
    message: usize,
    /// Bytes that may still be kept of messages under way.
    room: usize,
    /// Requests for a WebSocket over HTTP/2 (RFC 8441 section 4) without an answer.
    asked: HashSet<StreamId>,
    /// The stream whose answer agreed on a WebSocket; its upgrade comes next.
    agreed: Option<(StreamId, Box<WebSocket>)>,
    open: HashMap<StreamId, Entry>,
}

#[derive(Debug)]
struct Entry {
    /// None when it cannot be understood: of its stream nothing more is said.
    socket: Option<Box<WebSocket>>,
    /// By direction: the stream has ended.
    ended: [bool; 2],
}

impl Sockets {
    /// None yet; at most `message` bytes are kept of a message.
    pub(super) fn new(message: usize) -> Self {
        Self {
            message,
            room: message.saturating_mul(MESSAGES),
            asked: HashSet::new(),
            agreed: None,
            open: HashMap::new(),
        }
    }

    /// Hands an event on, and with the bytes of a WebSocket what they mean.
    pub(super) fn pass<S>(&mut self, event: Event<'_>, sink: &mut S)
    where
        S: FnMut(Event<'_>),
    {
        match &event {
            Event::Request { stream, head } => self.request(*stream, head),
            Event::Response { stream, head } => self.response(*stream, head),
            _ => {}
        }
        match event {
            Event::Upgrade { stream } => {
                sink(event);
                self.upgrade(stream, sink);
            }
            Event::Opaque { stream, direction, bytes } => self.bytes(stream, direction, bytes, sink),
            Event::End { stream, direction } => {
                if self.end(stream, direction, sink) {
                    sink(event);
                }
            }
            Event::Reset { stream, .. } | Event::Malformed { stream: Some(stream), .. } => {
                if self.over(stream, sink) {
                    sink(event);
                }
            }
            Event::Trailers { stream, .. } if self.is_lost(stream) => {}
            _ => sink(event),
        }
    }

    /// The direction of the connection has ended: messages under way are told as far as they came.
    pub(super) fn cut<S>(&mut self, direction: Direction, sink: &mut S)
    where
        S: FnMut(Event<'_>),
    {
        let mut streams: Vec<_> = self.open.keys().copied().collect();
        streams.sort_unstable();
        for stream in streams {
            self.cut_one(stream, direction, sink);
        }
    }

    /// Drops them all: nothing more is passed.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.message);
    }

    /// Bytes kept of messages under way.
    pub(super) fn kept(&self) -> usize {
        let sockets = self.open.values().filter_map(|entry| entry.socket.as_ref());
        sockets.map(|socket| socket.kept()).sum::<usize>() + self.asked.len() * size_of::<StreamId>()
    }

    fn request(&mut self, stream: StreamId, head: &RequestHead) {
        if head.pseudo.first(":protocol").is_some_and(|protocol| protocol.eq_ignore_ascii_case(b"websocket")) {
            self.asked.insert(stream);
        }
    }

    fn response(&mut self, stream: StreamId, head: &ResponseHead) {
        let asked = self.asked.remove(&stream);
        if head.status == 101 && upgrades(head) || asked && matches!(head.status, 200..300) {
            self.agreed = Some((stream, Box::new(WebSocket::new(&head.fields))));
        }
    }

    fn upgrade<S>(&mut self, stream: StreamId, sink: &mut S)
    where
        S: FnMut(Event<'_>),
    {
        if let Some((_, socket)) = self.agreed.take_if(|(agreed, _)| *agreed == stream) {
            if self.open.values().filter(|entry| entry.socket.is_some()).count() >= SOCKETS_MAX {
                self.open.insert(stream, Entry { socket: None, ended: [false; 2] });
                let (direction, reason) = (Direction::ServerToClient, "more WebSockets at once than are read");
                return sink(Event::Malformed { stream: Some(stream), direction, reason });
            }
            self.open.insert(stream, Entry { socket: Some(socket), ended: [false; 2] });
            sink(Event::WebSocket { stream });
        }
    }

    fn bytes<S>(&mut self, stream: StreamId, direction: Direction, bytes: &[u8], sink: &mut S)
    where
        S: FnMut(Event<'_>),
    {
        let Some(entry) = self.open.get_mut(&stream) else { return sink(Event::Opaque { stream, direction, bytes }) };
        let Some(socket) = &mut entry.socket else { return };
        sink(Event::Opaque { stream, direction, bytes });
        let mut room = Room { message: self.message, left: &mut self.room };
        let result = socket.feed(direction, bytes, &mut room, &mut |said| sink(told(stream, direction, said)));
        if let Err(reason) = result {
            for direction in Direction::BOTH {
                self.cut_one(stream, direction, sink);
            }
            if let Some(entry) = self.open.get_mut(&stream) {
                entry.socket = None;
            }
            sink(Event::Malformed { stream: Some(stream), direction, reason });
        }
    }

    /// END_STREAM, or the connection's end; `false`: of this stream nothing more is said.
    fn end<S>(&mut self, stream: StreamId, direction: Direction, sink: &mut S) -> bool
    where
        S: FnMut(Event<'_>),
    {
        self.cut_one(stream, direction, sink);
        let Some(entry) = self.open.get_mut(&stream) else { return true };
        let tell = entry.socket.is_some();
        entry.ended[direction.index()] = true;
        if entry.ended == [true; 2] {
            self.open.remove(&stream);
        }
        tell
    }

    /// The stream is no more; `false`: that is not to be said.
    fn over<S>(&mut self, stream: StreamId, sink: &mut S) -> bool
    where
        S: FnMut(Event<'_>),
    {
        self.asked.remove(&stream);
        for direction in Direction::BOTH {
            self.cut_one(stream, direction, sink);
        }
        self.open.remove(&stream).is_none_or(|entry| entry.socket.is_some())
    }

    fn is_lost(&self, stream: StreamId) -> bool {
        self.open.get(&stream).is_some_and(|entry| entry.socket.is_none())
    }

    fn cut_one<S>(&mut self, stream: StreamId, direction: Direction, sink: &mut S)
    where
        S: FnMut(Event<'_>),
    {
        let socket = self.open.get_mut(&stream).and_then(|entry| entry.socket.as_mut());
        let Some(socket) = socket else { return };
        let mut room = Room { message: self.message, left: &mut self.room };
        socket.end(direction, &mut room, &mut |said| sink(told(stream, direction, said)));
    }
}

fn told(stream: StreamId, direction: Direction, said: Said<'_>) -> Event<'_> {
    match said {
        Said::Begins => Event::MessageBegins { stream, direction },
        Said::Message { kind, bytes, truncated } => Event::Message { stream, direction, kind, bytes, truncated },
    }
}

/// Whether `Upgrade` names WebSocket (RFC 6455 section 4.2.2).
fn upgrades(head: &ResponseHead) -> bool {
    let values = head.fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"upgrade"));
    let mut names = values.flat_map(|(_, value)| value.split(|&byte| byte == b','));
    names.any(|name| name.trim_ascii().eq_ignore_ascii_case(b"websocket"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observer::{Fields, Version};

    fn head(stream: u64) -> RequestHead {
        let mut pseudo = Fields::default();
        pseudo.push(b":protocol", b"websocket");
        RequestHead {
            method: b"CONNECT".to_vec(),
            target: format!("/{stream}").into_bytes(),
            authority: None,
            version: Version::Http2,
            pseudo,
            fields: Fields::default(),
            wire_size: 0,
            truncated: false,
        }
    }

    fn answer() -> ResponseHead {
        let (reason, fields) = (Vec::new(), Fields::default());
        ResponseHead { status: 200, reason, version: Version::Http2, fields, wire_size: 0, truncated: false }
    }

    #[test]
    fn sockets_at_once_are_bounded() {
        let mut sockets = Sockets::new(1000);
        let (mut read, mut lost, mut opaque) = (0, 0, 0);
        let mut note = |event: Event<'_>| match event {
            Event::WebSocket { .. } => read += 1,
            Event::Malformed { stream: Some(_), .. } => lost += 1,
            Event::Opaque { .. } => opaque += 1,
            _ => {}
        };
        let mut open = |sockets: &mut Sockets, stream| {
            let id = StreamId(stream);
            sockets.pass(Event::Request { stream: id, head: head(stream) }, &mut note);
            sockets.pass(Event::Response { stream: id, head: answer() }, &mut note);
            sockets.pass(Event::Upgrade { stream: id }, &mut note);
            sockets.pass(
                Event::Opaque { stream: id, direction: Direction::ClientToServer, bytes: b"\x81\x00" },
                &mut note,
            );
        };
        let most = SOCKETS_MAX as u64;
        (0..most + 3).for_each(|stream| open(&mut sockets, stream));
        // One that is over makes room for another.
        sockets.pass(Event::Reset { stream: StreamId(1), direction: Direction::ClientToServer, code: 8 }, &mut |_| ());
        open(&mut sockets, most + 3);
        assert_eq!((read, lost, opaque), (SOCKETS_MAX + 1, 3, SOCKETS_MAX + 1));
    }
}
