//! The text of a file, to a record.
//!
//! What is borrowed is read when it is asked for: of a record's forty values most are, once.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDateTime};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::body::{self, Details};
use super::raw::{self, Raw};
use super::{AbortedBy, Form, Record, SocketMessage, Timings, Unreadable, older};
use crate::redaction;
use crate::rules::Kind;

#[derive(Deserialize)]
pub(super) struct File<'a> {
    #[serde(borrow, default, rename = "proxy-authorization")]
    pub(super) user: Raw<'a>,
    #[serde(borrow, default)]
    pub(super) timestamp: Raw<'a>,
    #[serde(borrow, default, rename = "proxy-time-consumed")]
    pub(super) consumed: Raw<'a>,
    #[serde(borrow, default)]
    pub(super) request: Raw<'a>,
    #[serde(borrow, default)]
    pub(super) response: Raw<'a>,
    #[serde(borrow, default)]
    pub(super) recorder: Raw<'a>,
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    url: Raw<'a>,
    #[serde(borrow, default)]
    method: Raw<'a>,
    #[serde(borrow, default)]
    headers: Raw<'a>,
    #[serde(borrow, default)]
    content: Raw<'a>,
}

#[derive(Default, Deserialize)]
struct Response<'a> {
    #[serde(borrow, default)]
    status_code: Raw<'a>,
    #[serde(borrow, default)]
    headers: Raw<'a>,
    #[serde(borrow, default)]
    content: Raw<'a>,
}

#[derive(Deserialize)]
struct Recorder<'a> {
    #[serde(borrow)]
    id: Raw<'a>,
    #[serde(borrow, default)]
    kind: Raw<'a>,
    #[serde(borrow, default)]
    rule: Raw<'a>,
    #[serde(borrow, default)]
    complete: Raw<'a>,
    #[serde(borrow, default)]
    aborted_by: Raw<'a>,
    #[serde(borrow, default)]
    malformed: Raw<'a>,
    #[serde(borrow, default)]
    bodies_lost: Raw<'a>,
    #[serde(borrow, default)]
    bodies_lost_reason: Raw<'a>,
    #[serde(borrow, default)]
    client: Raw<'a>,
    #[serde(borrow, default)]
    connection: Raw<'a>,
    #[serde(borrow, default)]
    http_version: Raw<'a>,
    #[serde(borrow, default)]
    timings: Raw<'a>,
    #[serde(borrow, default)]
    chunks: Raw<'a>,
    #[serde(borrow, default)]
    request: Raw<'a>,
    #[serde(borrow, default)]
    response: Raw<'a>,
    #[serde(borrow, default)]
    websocket: Raw<'a>,
}

#[derive(Deserialize)]
struct Schema<'a> {
    #[serde(borrow, default)]
    schema: Raw<'a>,
}

#[derive(Deserialize)]
struct Times<'a> {
    #[serde(borrow, default)]
    connect: Raw<'a>,
    #[serde(borrow, default)]
    tls: Raw<'a>,
    #[serde(borrow, default)]
    request_end: Raw<'a>,
    #[serde(borrow, default)]
    first_byte: Raw<'a>,
    #[serde(borrow, default)]
    last_byte: Raw<'a>,
}

#[derive(Deserialize)]
struct Socket<'a> {
    #[serde(borrow, default)]
    messages: Raw<'a>,
}

/// The keys of a file, whatever stands behind them.
pub(super) fn open(bytes: &[u8]) -> Result<File<'_>, Unreadable> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // A file that stops within a character stops within its JSON: the parser says what came before is.
        Err(error) if error.error_len().is_none() => {
            str::from_utf8(bytes.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or_default()
        }
        Err(_) => return Err(Unreadable::NotJson),
    };
    object(text)
}

pub(super) fn record(path: &Path, file: &File<'_>) -> Result<Record, Unreadable> {
    match file.recorder {
        Some(recorder) => ours(file, recorder),
        None => older::parse(path, file),
    }
}

fn object(text: &str) -> Result<File<'_>, Unreadable> {
    if text.trim_ascii_start().starts_with('{') {
        match serde_json::from_str(text) {
            Ok(file) => return Ok(file),
            Err(error) if error.classify() != Category::Data => return Err(unreadable(text, &error)),
            // Keys of a record that say nothing of one; whether the rest is JSON is still to be seen.
            Err(_) => {}
        }
    }
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => Err(Unreadable::Foreign),
        Err(error) => Err(unreadable(text, &error)),
    }
}

fn unreadable(text: &str, error: &serde_json::Error) -> Unreadable {
    // To the parser a number without its last digits is none; with one more digit it sees the end of the file.
    let in_number = |text: &str| {
        text.ends_with(['.', '-', '+', 'e', 'E'])
            && serde_json::from_str::<IgnoredAny>(&format!("{text}0")).is_err_and(|error| error.is_eof())
    };
    if error.is_eof() || in_number(text) { Unreadable::Cut } else { Unreadable::NotJson }
}

fn ours(file: &File<'_>, recorder: &RawValue) -> Result<Record, Unreadable> {
    let schema = raw::object::<Schema<'_>>(Some(recorder)).and_then(|found| raw::whole(found.schema));
    match schema {
        Some(1) => {}
        None | Some(0) => return Err(Unreadable::Foreign),
        Some(later) => return Err(Unreadable::Future(later)),
    }
    let found: Recorder<'_> = raw::object(Some(recorder)).ok_or(Unreadable::Foreign)?;
    let id = raw::text(found.id).and_then(|id| Uuid::parse_str(&id).ok()).ok_or(Unreadable::Foreign)?;
    let details: [Details<'_>; 2] = [found.request, found.response].map(|raw| raw::object(raw).unwrap_or_default());
    let mut record = common(file, |content, place| body::ours(content, &details[place as usize]))?;
    for (headers, details) in [&mut record.request_headers, &mut record.response_headers].into_iter().zip(&details) {
        if details.raw_headers.is_some() {
            *headers = raw::list(details.raw_headers).into_iter().filter_map(raw_header).collect();
        }
    }
    record.began = time_of(file).ok_or(Unreadable::Foreign)?;
    record.form = Form::Recorder;
    record.id = id;
    // A kind that was added without raising the schema: what this version cannot tell apart.
    record.kind = raw::text(found.kind).and_then(|kind| kind.parse().ok()).unwrap_or(Kind::Other);
    record.rule = raw::owned(found.rule).unwrap_or_default();
    record.complete = raw::truth(found.complete);
    record.aborted_by = raw::text(found.aborted_by).and_then(|by| match &*by {
        "client" => Some(AbortedBy::Client),
        "upstream" => Some(AbortedBy::Upstream),
        "shutdown" => Some(AbortedBy::Shutdown),
        _ => None,
    });
    record.problem = problem(&found, &details);
    record.client = raw::owned(found.client);
    record.connection = raw::owned(found.connection);
    record.http_version = raw::owned(found.http_version);
    record.timings = timings(&found);
    record.chunks = chunks(found.chunks);
    record.messages = raw::object::<Socket<'_>>(found.websocket)
        .filter(|socket| socket.messages.is_some())
        .map(|socket| raw::list(socket.messages).into_iter().filter_map(message).collect());
    Ok(record)
}

/// Which body of the two.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Request = 0,
    Response = 1,
}

/// What all forms have. The rest is as of an older record of which nothing more is known.
pub(super) fn common(file: &File<'_>, read_body: impl Fn(Raw<'_>, Place) -> super::Body) -> Result<Record, Unreadable> {
    let request: Request<'_> = raw::object(file.request).ok_or(Unreadable::Foreign)?;
    let response: Response<'_> = raw::object(file.response).unwrap_or_default();
    let url = raw::text(request.url).ok_or(Unreadable::Foreign)?;
    Ok(Record {
        form: Form::Older,
        id: Uuid::nil(),
        kind: Kind::Other,
        rule: String::new(),
        user: user(file.user),
        began: 0,
        url: lossy(redaction::url(url.as_bytes())),
        method: raw::owned(request.method).unwrap_or_default(),
        request_headers: headers(request.headers),
        request_body: read_body(request.content, Place::Request),
        status: raw::whole(response.status_code).and_then(|code| u16::try_from(code).ok()).filter(|&code| code > 0),
        response_headers: headers(response.headers),
        response_body: read_body(response.content, Place::Response),
        complete: None,
        aborted_by: None,
        problem: None,
        client: None,
        connection: None,
        http_version: None,
        timings: Timings::default(),
        chunks: Vec::new(),
        messages: None,
    })
}

/// `user`, `user:password`, `-`, or null. What follows the colon stays behind. A credential as the header has it is no
/// name.
fn user(raw: Raw<'_>) -> Option<String> {
    let text = raw::text(raw)?;
    let user = text.split(':').next().unwrap_or_default();
    let scheme = user.split_once(' ').map_or("", |(scheme, _)| scheme);
    let is_credential = SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known));
    (!is_credential && !matches!(user, "" | "-")).then(|| user.to_owned())
}

/// With which an `Authorization` header begins.
const SCHEMES: [&str; 3] = ["Basic", "Bearer", "token"];

/// Microseconds since 1970.
pub(super) fn time_of(file: &File<'_>) -> Option<i64> {
    time(&raw::text(file.timestamp)?)
}

/// `2024-12-08T13:18:23.331449`, in UTC unless it says otherwise; the fraction may be missing.
pub(super) fn time(text: &str) -> Option<i64> {
    let plain = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map(|time| time.and_utc());
    let time = plain.or_else(|_| DateTime::parse_from_rfc3339(text).map(|time| time.to_utc()));
    Some(time.ok()?.timestamp_micros())
}

fn problem(found: &Recorder<'_>, details: &[Details<'_>; 2]) -> Option<String> {
    if let Some(malformed) = raw::owned(found.malformed) {
        return Some(malformed);
    }
    if raw::truth(found.bodies_lost) == Some(true) {
        let reason = raw::text(found.bodies_lost_reason).unwrap_or(Cow::Borrowed("no reason given"));
        return Some(format!("the bodies are missing: {reason}"));
    }
    let undecoded = details.iter().find_map(Details::problem)?;
    Some(format!("a body could not be decoded to its end: {undecoded}"))
}

fn timings(found: &Recorder<'_>) -> Timings {
    let Some(times) = raw::object::<Times<'_>>(found.timings) else { return Timings::default() };
    Timings {
        connect: raw::number(times.connect),
        tls: raw::number(times.tls),
        request_end: raw::number(times.request_end),
        first_byte: raw::number(times.first_byte),
        last_byte: raw::number(times.last_byte),
    }
}

/// There may be thousands: as a rule they are read in one go.
fn chunks(raw: Raw<'_>) -> Vec<(f64, u64)> {
    let plain = raw.and_then(|raw| serde_json::from_str(raw.get()).ok());
    plain.unwrap_or_else(|| raw::list(raw).into_iter().filter_map(chunk).collect())
}

/// `[milliseconds, bytes]`.
fn chunk(raw: &RawValue) -> Option<(f64, u64)> {
    let parts = raw::list(Some(raw));
    Some((raw::number(parts.first().copied())?, raw::whole(parts.get(1).copied())?))
}

/// `["client", milliseconds, bytes, "text"]`.
fn message(raw: &RawValue) -> Option<SocketMessage> {
    let parts = raw::list(Some(raw));
    let part = |at: usize| parts.get(at).copied();
    Some(SocketMessage {
        from_client: raw::text(part(0))? == "client",
        at: raw::number(part(1))?,
        bytes: raw::whole(part(2))?,
        kind: raw::owned(part(3))?,
    })
}

/// Names and values in the order of the file, without secrets.
fn headers(raw: Raw<'_>) -> Vec<(String, String)> {
    raw::object::<Headers>(raw).map(|headers| headers.0).unwrap_or_default()
}

struct Headers(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeadersVisitor)
    }
}

struct HeadersVisitor;

impl<'de> Visitor<'de> for HeadersVisitor {
    type Value = Headers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
        let mut headers = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
            let value = raw::text(Some(value)).unwrap_or_else(|| Cow::Borrowed(value.get()));
            let value = without_secret(&name, value);
            headers.push((name, value));
        }
        Ok(Headers(headers))
    }
}

/// A field as it was sent: `["name", "value"]`.
fn raw_header(raw: &RawValue) -> Option<(String, String)> {
    let parts = raw::list(Some(raw));
    let name = raw_text(parts.first().copied())?.into_owned();
    let value = without_secret(&name, raw_text(parts.get(1).copied())?);
    Some((name, value))
}

/// Text, or `{"base64": "…"}`: bytes that are no UTF-8 are shown as ISO 8859-1, as in the plain headers.
fn raw_text<'a>(part: Raw<'a>) -> Option<Cow<'a, str>> {
    raw::text(part).or_else(|| {
        let bytes = STANDARD.decode(&*raw::text(raw::object::<Base64<'_>>(part)?.base64)?).ok()?;
        Some(bytes.into_iter().map(char::from).collect())
    })
}

#[derive(Deserialize)]
struct Base64<'a> {
    #[serde(borrow)]
    base64: Raw<'a>,
}

fn without_secret(name: &str, value: Cow<'_, str>) -> String {
    match redaction::field(name.as_bytes(), value.as_bytes()) {
        Cow::Borrowed(_) => value.into_owned(),
        redacted => lossy(redacted),
    }
}

/// What redaction leaves of a text is one, unless it cut within a character.
fn lossy(bytes: Cow<'_, [u8]>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}
