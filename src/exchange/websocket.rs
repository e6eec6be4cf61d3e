//! What an exchange on a WebSocket has beyond other exchanges.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::observer::MessageKind;

/// The messages of one turn, or of a socket outside its turns. Their text is in the bodies, joined by line feeds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WebSocket {
    /// Which `response.create` of its socket it answers, from 0; none: it is the socket itself.
    pub turn: Option<u64>,
    /// Messages in the order in which they were complete, control frames included; bounded, see `messages_omitted`.
    pub messages: Vec<SocketMessage>,
    /// Messages beyond those in `messages`.
    pub messages_omitted: u64,
    /// How the socket was closed, if that was seen while this lasted.
    pub close: Option<Closed>,
}

/// One message of a WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Entry", into = "Entry")]
pub struct SocketMessage {
    /// The client sent it.
    pub from_client: bool,
    /// When it was complete, counted from the exchange's beginning.
    pub at: Duration,
    /// Bytes of it in the body, without the line feed between messages; 0 for a control frame.
    pub bytes: u64,
    /// What it is.
    pub kind: MessageKind,
}

/// The first Close frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Closed {
    /// The client sent it.
    pub by_client: bool,
    /// Its code (RFC 6455 section 7.4), if it had one.
    pub code: Option<u16>,
    /// Its reason; at most 123 bytes fit.
    pub reason: String,
}

impl WebSocket {
    /// Messages told one by one: a long answer has some thousand. 24 bytes each.
    const MESSAGES_MAX: usize = 16 << 10;

    /// Notes a message.
    pub(super) fn push(&mut self, message: SocketMessage) {
        if self.messages.len() < Self::MESSAGES_MAX {
            self.messages.push(message);
        } else {
            self.messages_omitted += 1;
        }
    }
}

impl Closed {
    /// Of a Close frame's payload (RFC 6455 section 5.5.1).
    pub(super) fn read(by_client: bool, payload: &[u8]) -> Self {
        let (code, reason) = match payload.split_first_chunk() {
            Some((&code, reason)) => (Some(u16::from_be_bytes(code)), reason),
            None => (None, &[][..]),
        };
        Self { by_client, code, reason: String::from_utf8_lossy(reason).into_owned() }
    }
}

/// The compact form in a snapshot: whether from the client, nanoseconds, bytes, kind.
#[derive(Serialize, Deserialize)]
struct Entry(bool, u64, u64, MessageKind);

impl From<Entry> for SocketMessage {
    fn from(Entry(from_client, at, bytes, kind): Entry) -> Self {
        Self { from_client, at: Duration::from_nanos(at), bytes, kind }
    }
}

impl From<SocketMessage> for Entry {
    fn from(message: SocketMessage) -> Self {
        let at = u64::try_from(message.at.as_nanos()).unwrap_or(u64::MAX);
        Self(message.from_client, at, message.bytes, message.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_frame_says_code_and_reason() {
        let read = |payload: &[u8]| Closed::read(true, payload);
        assert_eq!(read(b"\x03\xe8bye"), Closed { by_client: true, code: Some(1000), reason: "bye".into() });
        assert_eq!(read(b"\x03\xe9"), Closed { by_client: true, code: Some(1001), reason: String::new() });
        for payload in [&b""[..], b"\x03"] {
            assert_eq!(read(payload), Closed { by_client: true, code: None, reason: String::new() });
        }
        assert_eq!(read(b"\x03\xe8\xff").reason, "\u{fffd}");
    }

    #[test]
    fn messages_listed_are_bounded() {
        let mut socket = WebSocket::default();
        let message = SocketMessage { from_client: true, at: Duration::ZERO, bytes: 1, kind: MessageKind::Text };
        (0..WebSocket::MESSAGES_MAX + 3).for_each(|_| socket.push(message));
        assert_eq!((socket.messages.len(), socket.messages_omitted), (WebSocket::MESSAGES_MAX, 3));
    }
}
