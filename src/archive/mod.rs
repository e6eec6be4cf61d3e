//! Record files, read back: ours, and those of the tool before us.
//!
//! Given a folder, hands on [`Record`]s and says what it could not read and why. Never changes a file. The index and
//! every command read records through here.

use std::path::{Path, PathBuf};

use crate::rules::Kind;

/// Which form a record file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Ours, with a `recorder` object.
    Recorder,
    /// The older tool's: the first five keys alone, bodies as text (1.0) or parsed (1.1 and later).
    Older,
}

/// A message's facts that older forms do not have are none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timings {
    /// Milliseconds to resolve and connect to the upstream.
    pub connect: Option<f64>,
    /// Milliseconds for both TLS handshakes.
    pub tls: Option<f64>,
    /// Milliseconds from the request's first byte to its last.
    pub request_end: Option<f64>,
    /// Milliseconds from the request's first byte to the first of the response's head.
    pub first_byte: Option<f64>,
    /// Milliseconds from the request's first byte to the last seen (older form: `proxy-time-consumed`).
    pub last_byte: Option<f64>,
}

/// Who ended an exchange early.
pub use crate::exchange::AbortedBy;

/// One message of a WebSocket, as `recorder.websocket.messages` lists it.
#[derive(Clone, Debug, PartialEq)]
pub struct SocketMessage {
    /// The client sent it.
    pub from_client: bool,
    /// Milliseconds since the exchange began.
    pub at: f64,
    /// Bytes of the message in `content`, without the line feed that separates messages.
    pub bytes: u64,
    /// `text`, `binary`, `ping`, `pong` or `close`.
    pub kind: String,
}

/// One record, whichever form its file has.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The form of the file.
    pub form: Form,
    /// UUID. An older record has one derived from its time and content, which is the same wherever the file lies.
    pub id: uuid::Uuid,
    /// As recorded; of an older record by the rules.
    pub kind: Kind,
    /// The rule's name.
    pub rule: String,
    /// The user name; never a password.
    pub user: Option<String>,
    /// When the request began, in microseconds since 1970 (UTC).
    pub began: i64,
    /// `request.url`.
    pub url: String,
    /// `request.method`.
    pub method: String,
    /// In the order of the file.
    pub request_headers: Vec<(String, String)>,
    /// The body as text; of a parsed body, its JSON text.
    pub request_body: Body,
    /// None when no response came.
    pub status: Option<u16>,
    /// In the order of the file.
    pub response_headers: Vec<(String, String)>,
    /// As `request_body`.
    pub response_body: Body,
    /// None where the form does not say.
    pub complete: Option<bool>,
    /// Who ended it early, if somebody did.
    pub aborted_by: Option<AbortedBy>,
    /// Why observation ended early, or the bodies are missing, if so.
    pub problem: Option<String>,
    /// The client's address, with port where known.
    pub client: Option<String>,
    /// The tunnel's id.
    pub connection: Option<String>,
    /// `HTTP/1.1`, `HTTP/2`, …
    pub http_version: Option<String>,
    /// When things happened.
    pub timings: Timings,
    /// Arrivals of response body bytes: milliseconds since the request's first byte, and bytes on the wire.
    pub chunks: Vec<(f64, u64)>,
    /// Messages, if the exchange was one of a WebSocket.
    pub messages: Option<Vec<SocketMessage>>,
}

/// A body as a record has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    /// The decoded body. A body that is not UTF-8 has here what can be read of it, see `bytes`.
    pub text: String,
    /// The body's bytes where they are no UTF-8.
    pub bytes: Option<Vec<u8>>,
    /// Size of the decoded body in bytes as the record says, else of `text`.
    pub size: u64,
    /// A content coding was removed: offsets in the text are not offsets on the wire.
    pub coded: bool,
    /// A ceiling cut it.
    pub truncated: bool,
}

/// Why a file is no record that we can read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The system does not let us read it.
    #[error("cannot be read: {0}")]
    Io(String),
    /// Half a file: JSON that stops.
    #[error("is cut off: it ends in the middle of its JSON")]
    Cut,
    /// No JSON at all.
    #[error("is not JSON")]
    NotJson,
    /// JSON, but nothing of a record.
    #[error("is JSON, but not a record")]
    Foreign,
    /// Written by a later version of this program.
    #[error("has the form {0} of a later version: update copilot-recorder")]
    Future(u64),
}

/// Reads one file. `path` is for the kind of older records, which only their folder and URL tell.
///
/// # Errors
/// When it is not a record.
pub fn parse(_path: &Path, _text: &[u8]) -> Result<Record, Unreadable> {
    Err(Unreadable::Foreign)
}

/// Reads one file from the disk.
///
/// # Errors
/// When it cannot be read or is not a record.
pub fn read(path: &Path) -> Result<Record, Unreadable> {
    let text = std::fs::read(path).map_err(|error| Unreadable::Io(error.to_string()))?;
    parse(path, &text)
}

/// A file that may be a record, or a folder that could not be looked into.
#[derive(Debug)]
pub enum Found {
    /// A file, by its path below the folder of the logs.
    File(PathBuf),
    /// A folder that cannot be listed, and what the system says.
    Closed(PathBuf, String),
}

/// Calls `each` for every file below `logs` that may be a record, in no particular order, in any of the layouts of ours
/// and of the older tool. Hidden folders, the index, and what the older tool keeps beside its records (`metrics/`,
/// `user_auth.json`, …) are left out.
///
/// # Errors
/// When `logs` itself cannot be listed.
pub fn walk(_logs: &Path, _each: &mut dyn FnMut(Found)) -> std::io::Result<()> {
    Ok(())
}
