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
mod snapshot;
#[cfg(test)]
pub(crate) mod testing;

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub use assemble::Assembler;
pub use body::Body;
pub use decode::{DecodeLimits, Decoded, decode};
pub use id::{ConnectionId, ExchangeId};
pub use snapshot::{SnapshotError, from_snapshot, to_snapshot};

use crate::observer::{Fields, RequestHead, ResponseHead};

/// What is known of a tunnel before the first request, shared by all its exchanges.
#[derive(Clone, Debug)]
pub struct Connection {
    pub id: ConnectionId,
    /// The user name verified at CONNECT; none when nobody was asked.
    pub user: Option<Arc<str>>,
    /// The client's address as we see it.
    pub client: SocketAddr,
    /// The address dialled (with an upstream proxy: the proxy's).
    pub upstream: SocketAddr,
    /// Host and port of the CONNECT request.
    pub host: Arc<str>,
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
    Client,
    Upstream,
    /// We did: the program was shut down (or killed: the record was recovered from the spool).
    Shutdown,
}

/// A message's head with its body and what came after.
#[derive(Clone, Debug)]
pub struct Message<H> {
    pub head: H,
    pub body: Body,
    pub trailers: Option<Fields>,
    /// The message's end was seen.
    pub ended: bool,
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
    pub id: ExchangeId,
    pub connection: Arc<Connection>,
    /// When the request began (wall clock).
    pub began: SystemTime,
    /// HTTP/2 stream id, or ordinal of the request on an HTTP/1.x connection.
    pub stream: u64,
    pub request: Message<RequestHead>,
    /// Interim responses (1xx), bounded.
    pub interim: Vec<ResponseHead>,
    pub response: Option<Message<ResponseHead>>,
    pub timings: Timings,
    /// Arrivals of response body bytes, bounded; see `chunks_omitted`.
    pub chunks: Vec<Chunk>,
    pub chunks_omitted: u64,
    /// Both messages were seen to their end.
    pub complete: bool,
    pub aborted_by: Option<AbortedBy>,
    /// HTTP/2 error code of the reset that ended it.
    pub reset_code: Option<u32>,
    /// Bytes of an upgraded connection, client to server and server to client.
    pub opaque: Option<[u64; 2]>,
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
    /// Body bytes, taken out of memory. `at` counts from the first byte of the request.
    SpoolBody { id: ExchangeId, response: bool, at: Duration, bytes: Vec<u8> },
    /// The exchange is over.
    Finish(Box<Exchange>),
    /// The exchange is over and nobody wants it recorded (its kind is not in the set): count it.
    Skip(ExchangeId),
}

/// Decides at the request's head whether the exchange may be recorded at all.
pub trait Selector: Send + Sync {
    /// `false`: nothing of it needs to be kept.
    fn wanted(&self, host: &str, head: &RequestHead) -> bool;
}
