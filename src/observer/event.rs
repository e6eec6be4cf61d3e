//! What an observer says it saw.

use crate::wire::Direction;

/// Names one exchange within a connection: the HTTP/2 stream id, or for HTTP/1.x the request's ordinal from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(pub u64);

/// The HTTP version that a message was written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Version {
    /// HTTP/1.0 (RFC 1945).
    #[serde(rename = "HTTP/1.0")]
    Http10,
    /// HTTP/1.1 (RFC 9112).
    #[serde(rename = "HTTP/1.1")]
    Http11,
    /// HTTP/2 (RFC 9113).
    #[serde(rename = "HTTP/2")]
    Http2,
}

/// What a message on a WebSocket is (RFC 6455 sections 5.5 and 5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// A data message that its sender calls UTF-8; nobody here has checked it.
    Text,
    /// A data message of any bytes.
    Binary,
    /// A control frame that asks for a pong.
    Ping,
    /// A control frame that answers a ping, or is just sent.
    Pong,
    /// A control frame: nothing follows it in its direction. It may begin with a code (two bytes) and a reason.
    Close,
}

impl MessageKind {
    /// Its name in a record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Ping => "ping",
            Self::Pong => "pong",
            Self::Close => "close",
        }
    }

    /// Whether it carries data of the application, and is no control frame.
    #[must_use]
    pub const fn is_data(self) -> bool {
        matches!(self, Self::Text | Self::Binary)
    }
}

/// Header or trailer fields: names and values as sent, in the order sent, repeats kept.
///
/// One buffer for all of them, because a request has about twenty and is parsed on the connection's own task.
/// Holds less than 4 GiB of text: whoever fills it has a ceiling (the observer: [`Limits::head`]) far below that.
///
/// [`Limits::head`]: super::Limits::head
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    bytes: Vec<u8>,
    /// End of each name and end of each value in `bytes`, alternating.
    ends: Vec<u32>,
}

impl Fields {
    /// What a field costs beyond its text: its two ends.
    pub(crate) const OVERHEAD: usize = 2 * size_of::<u32>();

    /// Adds one field.
    ///
    /// A field that would take the whole beyond 4 GiB is left out, as its place could not be noted.
    pub fn push(&mut self, name: &[u8], value: &[u8]) {
        let (Some(name_end), Some(value_end)) = (self.end_after(name.len()), self.end_after(name.len() + value.len()))
        else {
            debug_assert!(false, "fields grew beyond any ceiling");
            return;
        };
        self.bytes.extend_from_slice(name);
        self.bytes.extend_from_slice(value);
        self.ends.extend([name_end, value_end]);
    }

    /// Makes room for what a usual head has, so that it is not grown to field by field.
    pub(crate) fn reserve(&mut self) {
        self.bytes.reserve(768);
        self.ends.reserve(2 * 24);
    }

    /// Adds a space and `more` to the last field's value, as a reader of obs-fold does (RFC 9112 section 5.2).
    pub(crate) fn fold(&mut self, more: &[u8]) {
        let end = self.end_after(1 + more.len());
        let (Some(last), Some(end)) = (self.ends.last_mut(), end) else { return };
        self.bytes.push(b' ');
        self.bytes.extend_from_slice(more);
        *last = end;
    }

    /// Takes the last field away.
    pub(crate) fn pop(&mut self) {
        self.ends.truncate(self.ends.len().saturating_sub(2));
        self.bytes.truncate(self.ends.last().map_or(0, |&end| end as usize));
    }

    /// All fields in order, as (name, value).
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let start = |i: usize| i.checked_sub(1).map_or(0, |i| self.ends[i] as usize);
        (0..self.ends.len() / 2).map(move |i| {
            let (name, value) = (2 * i, 2 * i + 1);
            (&self.bytes[start(name)..self.ends[name] as usize], &self.bytes[start(value)..self.ends[value] as usize])
        })
    }

    /// The value of the first field of that name, compared without regard to ASCII case.
    #[must_use]
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        self.iter().find(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes())).map(|(_, v)| v)
    }

    /// How many fields there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len() / 2
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes of all names and values together.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    fn end_after(&self, added: usize) -> Option<u32> {
        u32::try_from(self.bytes.len() + added).ok()
    }
}

/// The head of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHead {
    /// The method as sent.
    pub method: Vec<u8>,
    /// HTTP/1.x: the request target as sent. HTTP/2: `:path`.
    pub target: Vec<u8>,
    /// HTTP/2 `:authority`; HTTP/1.x has it in the `Host` field.
    pub authority: Option<Vec<u8>>,
    /// The version it was written in.
    pub version: Version,
    /// HTTP/2 pseudo-header fields in the order sent; empty for HTTP/1.x.
    pub pseudo: Fields,
    /// Header fields as sent.
    pub fields: Fields,
    /// Bytes that the head took on the wire (HTTP/2: of the header block, compressed).
    pub wire_size: u64,
    /// The head was larger than the ceiling: fields beyond it are missing here.
    pub truncated: bool,
}

/// The head of a response, interim (1xx) or final.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHead {
    /// Status code.
    pub status: u16,
    /// HTTP/1.x reason phrase as sent; empty for HTTP/2.
    pub reason: Vec<u8>,
    /// The version it was written in.
    pub version: Version,
    /// Header fields as sent (without `:status`).
    pub fields: Fields,
    /// Bytes that the head took on the wire.
    pub wire_size: u64,
    /// The head was larger than the ceiling: fields beyond it are missing here.
    pub truncated: bool,
}

/// One thing that an observer saw. Body bytes are borrowed from what was fed.
///
/// For one stream the order in each direction is: head, data, trailers, end. Nothing follows an [`Event::End`] in its
/// direction, and nothing at all a [`Event::Reset`] or [`Event::Malformed`] of that stream. The one exception is an
/// upgraded HTTP/1.x connection: the request has ended there before its client sends [`Event::Opaque`] bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A request begins.
    Request {
        /// The exchange that begins with it.
        stream: StreamId,
        /// Its head. A head that was answered before it was complete comes as it stood, marked truncated.
        head: RequestHead,
    },
    /// A 1xx response other than 101 (RFC 9110 section 15.2).
    Interim {
        /// The exchange whose final response is still to come.
        stream: StreamId,
        /// Its head; an interim response has no body.
        head: ResponseHead,
    },
    /// The final response begins (101 included). May come before the request has ended.
    Response {
        /// The exchange that it answers.
        stream: StreamId,
        /// Its head.
        head: ResponseHead,
    },
    /// Body bytes, transfer coding and padding removed. Never empty.
    Data {
        /// The exchange that they belong to.
        stream: StreamId,
        /// The request's body or the response's.
        direction: Direction,
        /// A part of the body, as long as it happened to arrive.
        bytes: &'a [u8],
    },
    /// Trailer fields (RFC 9110 section 6.5). Never empty.
    Trailers {
        /// The exchange that they belong to.
        stream: StreamId,
        /// The request's trailers or the response's.
        direction: Direction,
        /// As many as fit under the ceiling for heads.
        fields: Fields,
    },
    /// The message in that direction is complete.
    End {
        /// The exchange that the message belongs to.
        stream: StreamId,
        /// The request or the response. After an upgrade: the sender's bytes.
        direction: Direction,
    },
    /// HTTP/2 RST_STREAM, sent in `direction`, with its error code (RFC 9113 section 7).
    Reset {
        /// The exchange that is over with it.
        stream: StreamId,
        /// Who ended it: the client if it went to the server.
        direction: Direction,
        /// The error code, for example 8 for CANCEL.
        code: u32,
    },
    /// HTTP/2 GOAWAY, sent in `direction` (RFC 9113 section 6.8).
    GoAway {
        /// Who wants to end the connection.
        direction: Direction,
        /// The last stream of the peer that the sender takes care of.
        last_stream: u32,
        /// The error code; 0 when nothing is wrong.
        code: u32,
    },
    /// The connection (HTTP/1.1: 101, or 2xx to CONNECT) or this stream (HTTP/2 extended CONNECT, RFC 8441) left
    /// HTTP: what follows comes as [`Event::Opaque`].
    Upgrade {
        /// The exchange that led there.
        stream: StreamId,
    },
    /// Bytes of an upgraded stream. Never empty.
    Opaque {
        /// The exchange that led to the upgrade.
        stream: StreamId,
        /// Which way they went.
        direction: Direction,
        /// Some of them, as many as happened to arrive.
        bytes: &'a [u8],
    },
    /// The upgraded stream is a WebSocket (RFC 6455, RFC 8441). Its bytes go on to come as [`Event::Opaque`], and what
    /// they mean as the two events below.
    WebSocket {
        /// The exchange that led to the upgrade.
        stream: StreamId,
    },
    /// The first byte of a data message was seen. Its [`Event::Message`] follows, unless the stream ends or is
    /// lost before; control frames may come between.
    MessageBegins {
        /// The exchange that led to the upgrade.
        stream: StreamId,
        /// Which way it goes.
        direction: Direction,
    },
    /// A message on a WebSocket: fragments joined, mask and compression removed. May be empty.
    Message {
        /// The exchange that led to the upgrade.
        stream: StreamId,
        /// Which way it went.
        direction: Direction,
        /// What it is.
        kind: MessageKind,
        /// Its payload, up to the ceiling [`Limits::message`](super::Limits::message).
        bytes: &'a [u8],
        /// There was more, beyond the ceiling; or the stream ended before the message did.
        truncated: bool,
    },
    /// What came cannot be understood. `stream` is none when the whole connection is lost to us: no further
    /// events follow then for that connection.
    Malformed {
        /// The exchange that is lost to us; none: all of them.
        stream: Option<StreamId>,
        /// Where it was seen.
        direction: Direction,
        /// What was wrong, in a few words and without anything that was sent.
        reason: &'static str,
    },
}
