//! Record files, read back: ours, and those of the tool before us.
//!
//! Given a folder, hands on [`Record`]s and says what it could not read and why. Never changes a file. The index and
//! every command read records through here. Whatever a file holds, no credential of it comes out: heads are redacted
//! as they are before writing, and a password in the first key or in the file's name is left behind.

mod body;
mod file;
#[doc(hidden)]
pub mod fuzz;
mod names;
mod older;
mod raw;
pub mod verify;
mod walk;

use std::io;
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
    /// In the order of the file; as sent, where the record has them so (a repeated name, bytes that are no UTF-8).
    pub request_headers: Vec<(String, String)>,
    /// The body as text; of a parsed body, its JSON text.
    pub request_body: Body,
    /// None when no response came.
    pub status: Option<u16>,
    /// As `request_headers`.
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

/// Reads one file. `path`, best that below the folder of the logs, tells of older records what they do not say: the
/// user and the kind, by their folders.
///
/// # Errors
/// When it is not a record.
pub fn parse(path: &Path, text: &[u8]) -> Result<Record, Unreadable> {
    file::record(path, &file::open(text)?)
}

/// Reads one file from the disk. A name with a masked password, as [`file_key`] makes it, is found too.
///
/// # Errors
/// When it cannot be read or is not a record.
pub fn read(path: &Path) -> Result<Record, Unreadable> {
    parse(path, &load(path)?)
}

/// Reads a file by its path below the folder of the logs, which tells more than a whole path: see [`parse`].
///
/// # Errors
/// As [`read`].
pub fn read_below(logs: &Path, file: &Path) -> Result<Record, Unreadable> {
    parse(file, &load(&logs.join(file))?)
}

/// The bytes of a record's file. A name with a masked password, as [`file_key`] makes it, is found too.
///
/// # Errors
/// When it cannot be read.
pub fn load(path: &Path) -> Result<Vec<u8>, Unreadable> {
    let found = match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => match names::unmasked(path) {
            Some(path) => std::fs::metadata(&path).map(|about| (path, about)),
            None => Err(error),
        },
        about => about.map(|about| (path.to_owned(), about)),
    };
    let (path, about) = found.map_err(|error| Unreadable::Io(error.to_string()))?;
    // A pipe would never end.
    if !about.is_file() {
        return Err(Unreadable::Io("not a file".to_owned()));
    }
    if about.len() > LARGEST {
        return Err(Unreadable::Io(format!("{} bytes are more than a record can have", about.len())));
    }
    std::fs::read(path).map_err(|error| Unreadable::Io(error.to_string()))
}

/// Two bodies of 64 MiB, each byte escaped in six, would have more than any that was seen; something else that lies
/// among the records must not fill the memory.
const LARGEST: u64 = 1 << 30;

/// What a file is called in the index and in messages: its path, but for the password that files of the older tool's
/// first version have in their names, which becomes `*`. `record` is what was read from it, if it could be.
#[must_use]
pub fn file_key(path: &Path, record: Option<&Record>) -> PathBuf {
    names::key(path, record)
}

/// What [`file_key`] may call a file, told from its name alone: none if only its path.
#[must_use]
pub fn masked_key(path: &Path) -> Option<PathBuf> {
    names::masked(path)
}

/// A file that may be a record, or a folder that could not be looked into.
#[derive(Debug)]
pub enum Found {
    /// A file, by its path below the folder of the logs.
    File(PathBuf),
    /// A folder that cannot be listed, and what the system says.
    Closed(PathBuf, String),
}

/// The path of the file that [`file_key`] called so, both below `logs`: another one where a password was masked.
#[must_use]
pub fn real_path(logs: &Path, key: &Path) -> PathBuf {
    let masked = key.file_name().is_some_and(|name| name.as_encoded_bytes().contains(&b'*'));
    let found = if masked { names::unmasked(&logs.join(key)) } else { None };
    found.and_then(|path| Some(key.with_file_name(path.file_name()?))).unwrap_or_else(|| key.to_owned())
}

/// Calls `each` for every file below `logs` that may be a record, in no particular order, in any of the layouts of ours
/// and of the older tool. Hidden folders, the index, and what the older tool keeps beside its records (`metrics/`,
/// `user_auth.json`, …) are left out. Links to folders are not followed: what is inside is found anyway, and what is
/// outside is none of the logs'.
///
/// # Errors
/// When `logs` itself cannot be listed.
pub fn walk(logs: &Path, each: &mut dyn FnMut(Found)) -> io::Result<()> {
    walk::walk(logs, each)
}

/// What lies in one folder below the logs.
#[derive(Debug)]
pub enum Entry {
    /// A file that may be a record, by its path below the folder of the logs.
    File(PathBuf),
    /// A folder that may hold records, likewise.
    Folder(PathBuf),
}

/// Calls `each` for what [`walk`] would look at in one folder, which is named by its path below `logs`, empty for
/// `logs` itself.
///
/// # Errors
/// When the folder cannot be listed.
pub fn list(logs: &Path, folder: &Path, each: &mut dyn FnMut(Entry)) -> io::Result<()> {
    walk::list(logs, folder, each)
}

#[cfg(test)]
mod tests;
