//! An exchange without its bodies as JSON, for the spool.
//!
//! Read back by the next start after a crash, by this program alone: the form is compact and may change with the
//! version. Bytes become characters one to one (ISO 8859-1), so that values that are not UTF-8 survive.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::{
    AbortedBy, Body, Chunk, Connection, ConnectionId, Exchange, ExchangeId, Message, SocketMessage, Timings, WebSocket,
};
use crate::observer::{Fields, RequestHead, ResponseHead, Version};

/// Why a snapshot cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// It is cut, or was written by another version.
    #[error("not a snapshot of an exchange")]
    Json(#[from] serde_json::Error),
    /// A text in it holds a character that stands for no byte.
    #[error("not a snapshot of an exchange: a character beyond U+00FF in its bytes")]
    Bytes,
    /// A time in it is outside what this system can tell.
    #[error("not a snapshot of an exchange: a time out of range")]
    Time,
}

/// The exchange as one line of JSON, without body bytes.
#[must_use]
pub fn to_snapshot(exchange: &Exchange) -> Vec<u8> {
    serde_json::to_vec(&Snapshot::of(exchange)).expect("only strings and numbers, and Vec does not fail")
}

/// Reads [`to_snapshot`] back; bodies have their counters and no bytes.
///
/// # Errors
/// When the text is cut or is no snapshot.
pub fn from_snapshot(text: &[u8]) -> Result<Exchange, SnapshotError> {
    serde_json::from_slice::<Snapshot>(text)?.exchange()
}

/// Messages as one line of JSON, to follow the snapshot of their exchange.
#[must_use]
pub fn messages_to_snapshot(messages: &[SocketMessage]) -> Vec<u8> {
    serde_json::to_vec(messages).expect("only names and numbers, and Vec does not fail")
}

/// Reads [`messages_to_snapshot`] back.
///
/// # Errors
/// When the text is cut or is no such list.
pub fn messages_from_snapshot(text: &[u8]) -> Result<Vec<SocketMessage>, SnapshotError> {
    Ok(serde_json::from_slice(text)?)
}

#[derive(Serialize, Deserialize)]
struct Snapshot {
    id: ExchangeId,
    connection: Link,
    began: (u64, u32),
    stream: u64,
    request: Half<Request>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    interim: Vec<Response>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    response: Option<Half<Response>>,
    /// Nanoseconds: request end, first byte, last byte.
    timings: [Option<u64>; 3],
    /// Nanoseconds and bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    chunks: Vec<(u64, u64)>,
    #[serde(default)]
    chunks_omitted: u64,
    #[serde(default)]
    complete: bool,
    aborted_by: Option<AbortedBy>,
    reset_code: Option<u32>,
    opaque: Option<[u64; 2]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    websocket: Option<WebSocket>,
    malformed: Option<String>,
    spooled: Option<[u64; 2]>,
}

#[derive(Serialize, Deserialize)]
struct Link {
    id: ConnectionId,
    user: Option<String>,
    client: SocketAddr,
    upstream: SocketAddr,
    host: String,
    port: u16,
    sni: Option<String>,
    alpn: Option<String>,
    tls_client: Option<String>,
    tls_upstream: Option<String>,
    connect: u64,
    tls: u64,
}

#[derive(Serialize, Deserialize)]
struct Half<H> {
    head: H,
    seen: u64,
    truncated: bool,
    trailers: Option<Vec<(String, String)>>,
    ended: bool,
}

#[derive(Serialize, Deserialize)]
struct Request {
    method: String,
    target: String,
    authority: Option<String>,
    version: Version,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pseudo: Vec<(String, String)>,
    fields: Vec<(String, String)>,
    wire_size: u64,
    truncated: bool,
}

#[derive(Serialize, Deserialize)]
struct Response {
    status: u16,
    reason: String,
    version: Version,
    fields: Vec<(String, String)>,
    wire_size: u64,
    truncated: bool,
}

impl Snapshot {
    fn of(exchange: &Exchange) -> Self {
        let began = exchange.began.duration_since(UNIX_EPOCH).unwrap_or_default();
        let Timings { request_end, first_byte, last_byte } = exchange.timings;
        Self {
            id: exchange.id,
            connection: Link::of(&exchange.connection),
            began: (began.as_secs(), began.subsec_nanos()),
            stream: exchange.stream,
            request: Half::of(&exchange.request, Request::of),
            interim: exchange.interim.iter().map(Response::of).collect(),
            response: exchange.response.as_ref().map(|response| Half::of(response, Response::of)),
            timings: [request_end, first_byte, last_byte].map(|time| time.map(nanos)),
            chunks: exchange.chunks.iter().map(|chunk| (nanos(chunk.at), chunk.bytes)).collect(),
            chunks_omitted: exchange.chunks_omitted,
            complete: exchange.complete,
            aborted_by: exchange.aborted_by,
            reset_code: exchange.reset_code,
            opaque: exchange.opaque,
            websocket: exchange.websocket.clone(),
            malformed: exchange.malformed.map(str::to_owned),
            spooled: exchange.spooled,
        }
    }

    fn exchange(self) -> Result<Exchange, SnapshotError> {
        let [request_end, first_byte, last_byte] = self.timings.map(|time| time.map(Duration::from_nanos));
        let (secs, subsec) = self.began;
        let began = Duration::from_secs(secs).checked_add(Duration::from_nanos(subsec.into()));
        let began: Option<SystemTime> = began.and_then(|since| UNIX_EPOCH.checked_add(since));
        Ok(Exchange {
            id: self.id,
            connection: Arc::new(self.connection.connection()),
            began: began.ok_or(SnapshotError::Time)?,
            stream: self.stream,
            request: self.request.message(Request::head)?,
            interim: self.interim.into_iter().map(Response::head).collect::<Result<_, _>>()?,
            response: self.response.map(|response| response.message(Response::head)).transpose()?,
            timings: Timings { request_end, first_byte, last_byte },
            chunks: self.chunks.into_iter().map(|(at, bytes)| Chunk { at: Duration::from_nanos(at), bytes }).collect(),
            chunks_omitted: self.chunks_omitted,
            complete: self.complete,
            aborted_by: self.aborted_by,
            reset_code: self.reset_code,
            opaque: self.opaque,
            websocket: self.websocket,
            malformed: self.malformed.as_deref().map(interned),
            spooled: self.spooled,
        })
    }
}

impl Link {
    fn of(connection: &Connection) -> Self {
        let text = |text: &Option<Arc<str>>| text.as_deref().map(str::to_owned);
        Self {
            id: connection.id,
            user: text(&connection.user),
            client: connection.client,
            upstream: connection.upstream,
            host: connection.host.to_string(),
            port: connection.port,
            sni: text(&connection.sni),
            alpn: text(&connection.alpn),
            tls_client: connection.tls_client.map(str::to_owned),
            tls_upstream: connection.tls_upstream.map(str::to_owned),
            connect: nanos(connection.connect),
            tls: nanos(connection.tls),
        }
    }

    fn connection(self) -> Connection {
        Connection {
            id: self.id,
            user: self.user.map(Arc::from),
            client: self.client,
            upstream: self.upstream,
            host: Arc::from(self.host),
            port: self.port,
            sni: self.sni.map(Arc::from),
            alpn: self.alpn.map(Arc::from),
            tls_client: self.tls_client.as_deref().map(interned),
            tls_upstream: self.tls_upstream.as_deref().map(interned),
            connect: Duration::from_nanos(self.connect),
            tls: Duration::from_nanos(self.tls),
        }
    }
}

impl<H> Half<H> {
    fn of<T>(message: &Message<T>, head: impl Fn(&T) -> H) -> Self {
        Self {
            head: head(&message.head),
            seen: message.body.seen,
            truncated: message.body.truncated,
            trailers: message.trailers.as_ref().map(pairs),
            ended: message.ended,
        }
    }

    fn message<T>(self, head: impl Fn(H) -> Result<T, SnapshotError>) -> Result<Message<T>, SnapshotError> {
        Ok(Message {
            head: head(self.head)?,
            body: Body { kept: Vec::new(), seen: self.seen, truncated: self.truncated },
            trailers: self.trailers.map(fields).transpose()?,
            ended: self.ended,
        })
    }
}

impl Request {
    fn of(head: &RequestHead) -> Self {
        Self {
            method: characters(&head.method),
            target: characters(&head.target),
            authority: head.authority.as_deref().map(characters),
            version: head.version,
            pseudo: pairs(&head.pseudo),
            fields: pairs(&head.fields),
            wire_size: head.wire_size,
            truncated: head.truncated,
        }
    }

    fn head(self) -> Result<RequestHead, SnapshotError> {
        Ok(RequestHead {
            method: bytes(&self.method)?,
            target: bytes(&self.target)?,
            authority: self.authority.as_deref().map(bytes).transpose()?,
            version: self.version,
            pseudo: fields(self.pseudo)?,
            fields: fields(self.fields)?,
            wire_size: self.wire_size,
            truncated: self.truncated,
        })
    }
}

impl Response {
    fn of(head: &ResponseHead) -> Self {
        Self {
            status: head.status,
            reason: characters(&head.reason),
            version: head.version,
            fields: pairs(&head.fields),
            wire_size: head.wire_size,
            truncated: head.truncated,
        }
    }

    fn head(self) -> Result<ResponseHead, SnapshotError> {
        Ok(ResponseHead {
            status: self.status,
            reason: bytes(&self.reason)?,
            version: self.version,
            fields: fields(self.fields)?,
            wire_size: self.wire_size,
            truncated: self.truncated,
        })
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn characters(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

fn bytes(characters: &str) -> Result<Vec<u8>, SnapshotError> {
    characters.chars().map(|c| u8::try_from(c).map_err(|_| SnapshotError::Bytes)).collect()
}

fn pairs(fields: &Fields) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| (characters(name), characters(value))).collect()
}

fn fields(pairs: Vec<(String, String)>) -> Result<Fields, SnapshotError> {
    let mut fields = Fields::default();
    for (name, value) in pairs {
        fields.push(&bytes(&name)?, &bytes(&value)?);
    }
    Ok(fields)
}

/// The text as one that lives as long as the program. Such texts are this program's own few constants, but a file
/// can hold anything: beyond a bound, which no honest spool reaches, the text is given up.
fn interned(text: &str) -> &'static str {
    const TEXTS: usize = 256;
    const LENGTH: usize = 256;
    static KNOWN: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());

    let mut known = KNOWN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(found) = known.iter().copied().find(|&found| found == text) {
        return found;
    }
    if known.len() == TEXTS || text.len() > LENGTH {
        return "unknown";
    }
    let text: &'static str = text.to_owned().leak();
    known.push(text);
    text
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;
