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

/// Header or trailer fields: names and values as sent, in the order sent, repeats kept.
///
/// One buffer for all of them, because a request has about twenty and is parsed on the connection's own task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    bytes: Vec<u8>,
    /// End of each name and end of each value in `bytes`, alternating.
    ends: Vec<u32>,
}

impl Fields {
    /// Adds one field.
    pub fn push(&mut self, name: &[u8], value: &[u8]) {
        self.bytes.extend_from_slice(name);
        self.ends.push(self.bytes.len() as u32);
        self.bytes.extend_from_slice(value);
        self.ends.push(self.bytes.len() as u32);
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A request begins.
    Request { stream: StreamId, head: RequestHead },
    /// A 1xx response other than 101.
    Interim { stream: StreamId, head: ResponseHead },
    /// The final response begins (101 included).
    Response { stream: StreamId, head: ResponseHead },
    /// Body bytes, transfer coding and padding removed.
    Data { stream: StreamId, direction: Direction, bytes: &'a [u8] },
    /// Trailer fields.
    Trailers { stream: StreamId, direction: Direction, fields: Fields },
    /// The message in that direction is complete.
    End { stream: StreamId, direction: Direction },
    /// HTTP/2 RST_STREAM, sent in `direction`, with its error code (RFC 9113 section 7).
    Reset { stream: StreamId, direction: Direction, code: u32 },
    /// HTTP/2 GOAWAY, sent in `direction`.
    GoAway { direction: Direction, last_stream: u32, code: u32 },
    /// The connection (HTTP/1.1: 101, or 2xx to CONNECT) or this stream (HTTP/2 extended CONNECT) left HTTP:
    /// what follows comes as [`Event::Opaque`].
    Upgrade { stream: StreamId },
    /// Bytes of an upgraded stream.
    Opaque { stream: StreamId, direction: Direction, bytes: &'a [u8] },
    /// What came cannot be understood. `stream` is none when the whole connection is lost to us: no further
    /// events follow then for that connection.
    Malformed { stream: Option<StreamId>, direction: Direction, reason: &'static str },
}
