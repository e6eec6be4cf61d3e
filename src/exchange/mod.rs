//! One request with its response, put together from what an observer saw.
//!
//! Given observer events and instants, hands on [`Action`]s for the store. Knows no sockets, no files, no rules
//! beyond the [`Selector`] that it is given.

mod assemble;
mod body;
mod decode;
mod flight;
#[doc(hidden)]
pub mod fuzz;
mod id;
mod onlook;
mod snapshot;
mod socket;
mod step;
mod talk;
#[cfg(test)]
pub(crate) mod testing;
mod websocket;

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub use assemble::Assembler;
pub use body::Body;
pub use decode::{DecodeLimits, Decoded, decode};
pub use id::{ConnectionId, ExchangeId};
pub use onlook::{Onlooker, Sight};
pub use snapshot::{SnapshotError, from_snapshot, messages_from_snapshot, messages_to_snapshot, to_snapshot};
pub use websocket::{Closed, SocketMessage, WebSocket};

use crate::observer::{Fields, RequestHead, ResponseHead};
use crate::wire::Direction;

/// What is known of a tunnel before the first request, shared by all its exchanges.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Names the tunnel.
    pub id: ConnectionId,
    /// The user name verified at CONNECT; none when nobody was asked.
    pub user: Option<Arc<str>>,
    /// The client's address as we see it.
    pub client: SocketAddr,
    /// The address dialled (with an upstream proxy: the proxy's).
    pub upstream: SocketAddr,
    /// Host of the CONNECT request.
    pub host: Arc<str>,
    /// Port of the CONNECT request.
    pub port: u16,
    /// The server name in the ClientHello.
    pub sni: Option<Arc<str>>,
    /// The protocol both sides agreed upon, as text; none when none was offered.
    pub alpn: Option<Arc<str>>,
    /// TLS version towards the client, for example `TLSv1.3`.
    pub tls_client: Option<&'static str>,
    /// TLS version towards the upstream.
    pub tls_upstream: Option<&'static str>,
    /// Time to resolve and connect to the upstream.
    pub connect: Duration,
    /// Time for both TLS handshakes.
    pub tls: Duration,
}

/// Who ended an exchange before it was complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AbortedBy {
    /// The editor, most often because what it asked for is no longer wanted.
    Client,
    /// Copilot, or the network on the way to it.
    Upstream,
    /// We did: the program was shut down (or killed: the record was recovered from the spool).
    Shutdown,
}

impl From<Direction> for AbortedBy {
    /// Whoever sends in that direction.
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::ClientToServer => Self::Client,
            Direction::ServerToClient => Self::Upstream,
        }
    }
}

/// A message's head with its body and what came after.
#[derive(Clone, Debug)]
pub struct Message<H> {
    /// Its head.
    pub head: H,
    /// Its body, as far as it came and is kept.
    pub body: Body,
    /// Its trailer fields, if any came.
    pub trailers: Option<Fields>,
    /// The message's end was seen.
    pub ended: bool,
}

impl<H> Message<H> {
    /// Of which nothing but the head was seen.
    pub(crate) fn new(head: H) -> Self {
        Self { head, body: Body::default(), trailers: None, ended: false }
    }
}

/// When things happened, counted from the first byte of the request.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Timings {
    /// The last byte of the request.
    pub request_end: Option<Duration>,
    /// The first byte of the (final) response's head.
    pub first_byte: Option<Duration>,
    /// The last byte seen, of either message.
    pub last_byte: Option<Duration>,
}

/// One arrival of response body bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chunk {
    /// Counted from the first byte of the request.
    pub at: Duration,
    /// Body bytes that arrived.
    pub bytes: u64,
}

/// One request/response pair, complete or not.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Sorts by `began`.
    pub id: ExchangeId,
    /// The tunnel that it came through.
    pub connection: Arc<Connection>,
    /// When the request began (wall clock).
    pub began: SystemTime,
    /// HTTP/2 stream id, or ordinal of the request on an HTTP/1.x connection.
    pub stream: u64,
    /// The request.
    pub request: Message<RequestHead>,
    /// Interim responses (1xx), bounded.
    pub interim: Vec<ResponseHead>,
    /// The final response; none when none came.
    pub response: Option<Message<ResponseHead>>,
    /// When things happened.
    pub timings: Timings,
    /// Arrivals of response body bytes, bounded; see `chunks_omitted`.
    pub chunks: Vec<Chunk>,
    /// Arrivals beyond those in `chunks`.
    pub chunks_omitted: u64,
    /// Both messages were seen to their end, or the server did without the rest of the request (RFC 9113 section
    /// 8.1; `request.ended` is false then), or an upgraded connection ended cleanly, or a turn on a WebSocket had its
    /// closing event.
    pub complete: bool,
    /// Who ended it before it was complete; none also when observation failed, see `malformed`.
    pub aborted_by: Option<AbortedBy>,
    /// HTTP/2 error code of the reset that ended it.
    pub reset_code: Option<u32>,
    /// Bytes of an upgraded connection, client to server and server to client; none for a turn on a WebSocket.
    pub opaque: Option<[u64; 2]>,
    /// What it is on a WebSocket, if it is: a turn, or the socket.
    pub websocket: Option<WebSocket>,
    /// Why observation of it ended early, if it did.
    pub malformed: Option<&'static str>,
    /// Body bytes of this exchange that lie in the spool, request and response; they precede those in `Body`.
    pub spooled: Option<[u64; 2]>,
}

impl Exchange {
    /// The host that the request is for, without its port: `:authority` or `Host`, else the CONNECT request's.
    #[must_use]
    pub fn host(&self) -> Cow<'_, str> {
        host(&self.connection, &self.request.head)
    }
}

/// The host that a request is for, without its port: `:authority` or `Host`, else the CONNECT request's.
#[must_use]
pub fn host<'a>(connection: &'a Connection, head: &'a RequestHead) -> Cow<'a, str> {
    let named = head.authority.as_deref().or_else(|| head.fields.first("host"));
    let named = named.map(<[u8]>::trim_ascii).filter(|named| !named.is_empty());
    let Some(authority) = named else { return Cow::Borrowed(&connection.host) };
    // A colon within brackets belongs to an IPv6 address (RFC 3986 section 3.2.2).
    let port = authority.iter().rposition(|&byte| byte == b':').filter(|&at| !authority[at..].contains(&b']'));
    String::from_utf8_lossy(&authority[..port.unwrap_or(authority.len())])
}

/// What the assembler wants done.
#[derive(Debug)]
pub enum Action {
    /// The exchange has been in flight for long or grown large: keep what there is safe on disk. Carries the exchange
    /// without body bytes, as it stands; sent again when a head arrives that was not in it.
    SpoolHead(Box<Exchange>),
    /// Body bytes, taken out of memory.
    SpoolBody {
        /// Of the exchange, which was in a [`Action::SpoolHead`] before.
        id: ExchangeId,
        /// Whether they are the response's, else the request's.
        response: bool,
        /// When they were taken, counted from the first byte of the request.
        at: Duration,
        /// Body bytes, which follow those of the same message that were spooled before.
        bytes: Vec<u8>,
    },
    /// Messages on a WebSocket, which follow those of the same exchange in its [`Action::SpoolHead`] and in others of
    /// these; their bytes follow in an [`Action::SpoolBody`].
    SpoolMessages {
        /// Of the exchange.
        id: ExchangeId,
        /// At least one.
        messages: Vec<SocketMessage>,
    },
    /// What was spooled of the exchange is not needed any more: nothing is left to be told of it.
    Forget(ExchangeId),
    /// The exchange is over. Bytes in its bodies follow those that were spooled.
    Finish(Box<Exchange>),
    /// The exchange is over and nobody wants it recorded (its kind is not in the set): count it.
    Skip(ExchangeId),
}

/// Decides at the request's head whether the exchange may be recorded at all.
pub trait Selector: Send + Sync {
    /// `false`: nothing of it needs to be kept.
    fn wanted(&self, host: &str, head: &RequestHead) -> bool;
}
