//! One entry: the structures of the HAR 1.2 specification, made from a record.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde::Serialize;

use super::url;
use super::websocket::{self, Message};
use crate::archive::{AbortedBy, Body, Record};
use crate::rules::Kind;

/// An exchange. What begins with `_` is not in the specification, which lets tools add such keys.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry<'a> {
    started_date_time: String,
    time: f64,
    request: Request<'a>,
    response: Response<'a>,
    cache: Cache,
    timings: Timings,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<&'a str>,
    #[serde(rename = "_id")]
    id: uuid::Uuid,
    #[serde(rename = "_kind")]
    kind: Kind,
    #[serde(rename = "_user", skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(rename = "_complete", skip_serializing_if = "Option::is_none")]
    complete: Option<bool>,
    #[serde(rename = "_abortedBy", skip_serializing_if = "Option::is_none")]
    aborted_by: Option<AbortedBy>,
    #[serde(rename = "_problem", skip_serializing_if = "Option::is_none")]
    problem: Option<&'a str>,
    /// As Chromium does, whose panel shows the messages then.
    #[serde(rename = "_resourceType", skip_serializing_if = "Option::is_none")]
    resource_type: Option<&'static str>,
    #[serde(rename = "_webSocketMessages", skip_serializing_if = "Option::is_none")]
    messages: Option<Vec<Message<'a>>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    method: &'a str,
    url: Cow<'a, str>,
    http_version: &'a str,
    cookies: [(); 0],
    headers: Vec<Pair<'a>>,
    query_string: Vec<Pair<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    post_data: Option<PostData<'a>>,
    headers_size: i64,
    body_size: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PostData<'a> {
    mime_type: &'a str,
    text: Cow<'a, str>,
    /// The specification has no encoding here.
    #[serde(rename = "_encoding", skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    status: u16,
    status_text: &'static str,
    http_version: &'a str,
    cookies: [(); 0],
    headers: Vec<Pair<'a>>,
    content: Content<'a>,
    #[serde(rename = "redirectURL")]
    redirect_url: &'a str,
    headers_size: i64,
    body_size: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Content<'a> {
    size: u64,
    mime_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
}

#[derive(Serialize)]
struct Pair<'a> {
    name: &'a str,
    value: &'a str,
}

/// Nothing is known of caches.
#[derive(Serialize)]
struct Cache {}

/// Milliseconds. -1 means "does not apply", which `send`, `wait` and `receive` may not say.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Timings {
    blocked: f64,
    dns: f64,
    connect: f64,
    ssl: f64,
    send: f64,
    wait: f64,
    receive: f64,
}

/// Not known, or not applicable.
const UNKNOWN: i64 = -1;
/// A string that must be there and is not known; Chromium's words.
const UNKNOWN_VERSION: &str = "unknown";
const UNKNOWN_TYPE: &str = "x-unknown";

/// Milliseconds of thirty years: more is a damaged file, and sums of it might be no numbers.
pub(super) const LONGEST: f64 = 1e12;

impl<'a> Entry<'a> {
    /// `opened_tunnel`: the tunnel's connecting belongs to this exchange, not to an earlier one.
    pub(super) fn of(record: &'a Record, opened_tunnel: bool) -> Self {
        let timings = Timings::of(record, opened_tunnel);
        let messages = record.messages.as_ref().map(|_| websocket::messages(record));
        Self {
            started_date_time: super::super::time(record.began).format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
            time: timings.sum(),
            request: Request::of(record),
            response: Response::of(record),
            cache: Cache {},
            timings,
            connection: record.connection.as_deref(),
            id: record.id,
            kind: record.kind,
            user: record.user.as_deref(),
            complete: record.complete,
            aborted_by: record.aborted_by,
            problem: record.problem.as_deref(),
            resource_type: messages.is_some().then_some("websocket"),
            messages,
        }
    }
}

impl<'a> Request<'a> {
    fn of(record: &'a Record) -> Self {
        let body = &record.request_body;
        let (text, encoding) = text_of(body);
        let post_data = (!text.is_empty()).then(|| PostData {
            mime_type: header(&record.request_headers, "content-type").unwrap_or(UNKNOWN_TYPE),
            text,
            encoding,
        });
        Self {
            method: &record.method,
            url: url::valid(&record.url),
            http_version: record.http_version.as_deref().unwrap_or(UNKNOWN_VERSION),
            cookies: [],
            headers: pairs(&record.request_headers),
            query_string: url::query(&record.url).map(|(name, value)| Pair { name, value }).collect(),
            post_data,
            headers_size: UNKNOWN,
            body_size: size_on_the_wire(record, body),
        }
    }
}

impl<'a> Response<'a> {
    fn of(record: &'a Record) -> Self {
        let body = &record.response_body;
        // 0 is what browsers write where none came, too.
        let Some(status) = record.status else {
            return Self {
                status: 0,
                status_text: "",
                http_version: UNKNOWN_VERSION,
                cookies: [],
                headers: Vec::new(),
                content: Content { size: 0, mime_type: UNKNOWN_TYPE, text: None, encoding: None },
                redirect_url: "",
                headers_size: UNKNOWN,
                body_size: UNKNOWN,
            };
        };
        let (text, encoding) = text_of(body);
        Self {
            status,
            status_text: StatusCode::from_u16(status).ok().and_then(|code| code.canonical_reason()).unwrap_or(""),
            http_version: record.http_version.as_deref().unwrap_or(UNKNOWN_VERSION),
            cookies: [],
            headers: pairs(&record.response_headers),
            content: Content {
                size: body.size,
                mime_type: header(&record.response_headers, "content-type").unwrap_or(UNKNOWN_TYPE),
                text: Some(text),
                encoding,
            },
            redirect_url: header(&record.response_headers, "location").unwrap_or(""),
            headers_size: UNKNOWN,
            body_size: size_on_the_wire(record, body),
        }
    }
}

impl Timings {
    /// A record's times count from the request's first byte; HAR wants spans that follow each other. What is not known
    /// goes to the span before it: of the older form, which has the whole only, all is `wait`.
    fn of(record: &Record, opened_tunnel: bool) -> Self {
        let known = |ms: Option<f64>| ms.filter(|ms| (0.0..=LONGEST).contains(ms));
        let times = &record.timings;
        let latest = [times.last_byte, times.first_byte, times.request_end].into_iter().find_map(known);
        let end = latest.unwrap_or(0.0);
        let first_byte = known(times.first_byte).unwrap_or(end).min(end);
        // An answer may begin before the request has ended.
        let sent = known(times.request_end).unwrap_or(0.0).min(first_byte);
        let (connect, tls) = if opened_tunnel { (known(times.connect), known(times.tls)) } else { (None, None) };
        let none = -1.0;
        Self {
            blocked: none,
            dns: none,
            // `connect` includes `ssl`, says the specification.
            connect: connect.map_or(none, |ms| round(ms + tls.unwrap_or(0.0))),
            ssl: connect.and(tls).map_or(none, round),
            send: round(sent),
            wait: round(first_byte - sent),
            receive: round(end - first_byte),
        }
    }

    /// All that apply; `ssl` is in `connect`.
    fn sum(self) -> f64 {
        round([self.connect, self.send, self.wait, self.receive].into_iter().filter(|ms| *ms > 0.0).sum())
    }
}

/// Microseconds, as precise as records are: differences of decimals would have tails.
fn round(ms: f64) -> f64 {
    (ms * 1000.0).round() / 1000.0
}

/// The body's text, or its bytes in base64.
fn text_of(body: &Body) -> (Cow<'_, str>, Option<&'static str>) {
    match &body.bytes {
        Some(bytes) => (STANDARD.encode(bytes).into(), Some("base64")),
        None => (Cow::Borrowed(&body.text), None),
    }
}

/// Only of a body that is whole and was not coded the record's size is the one on the wire.
fn size_on_the_wire(record: &Record, body: &Body) -> i64 {
    let known = record.complete == Some(true) && !body.coded && !body.truncated && record.messages.is_none();
    if known { i64::try_from(body.size).unwrap_or(UNKNOWN) } else { UNKNOWN }
}

fn pairs(headers: &[(String, String)]) -> Vec<Pair<'_>> {
    headers.iter().map(|(name, value)| Pair { name, value }).collect()
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::super::super::testing;
    use super::*;
    use crate::archive;

    fn timings(times: [Option<f64>; 5], opened_tunnel: bool) -> Timings {
        let [connect, tls, request_end, first_byte, last_byte] = times;
        let timings = archive::Timings { connect, tls, request_end, first_byte, last_byte };
        Timings::of(&Record { timings, ..testing::record() }, opened_tunnel)
    }

    #[test]
    fn spans_follow_each_other() {
        let all = [Some(12.1), Some(24.9), Some(1.3), Some(210.3), Some(382.4)];
        let spans =
            Timings { blocked: -1.0, dns: -1.0, connect: 37.0, ssl: 24.9, send: 1.3, wait: 209.0, receive: 172.1 };
        assert_eq!(timings(all, true), spans);
        assert_eq!(timings(all, true).sum(), 419.4);
        assert_eq!(timings(all, false), Timings { connect: -1.0, ssl: -1.0, ..spans });
        assert_eq!(timings(all, false).sum(), 382.4, "the record's total");
    }

    #[test]
    fn what_is_not_known_is_never_negative() {
        let base = timings([None; 5], true);
        assert_eq!((base.connect, base.ssl, base.send, base.wait, base.receive), (-1.0, -1.0, 0.0, 0.0, 0.0));
        for (times, expected) in [
            // The older form.
            ([None, None, None, None, Some(188.35)], (0.0, 188.35, 0.0)),
            // No response.
            ([None, None, Some(2.0), None, Some(9.0)], (2.0, 7.0, 0.0)),
            ([None, None, Some(2.0), None, None], (2.0, 0.0, 0.0)),
            // The answer came before the request's end.
            ([None, None, Some(9.0), Some(4.0), Some(12.0)], (4.0, 0.0, 8.0)),
            // Nonsense.
            ([None, None, Some(-1.0), Some(f64::NAN), Some(f64::INFINITY)], (0.0, 0.0, 0.0)),
            ([None, None, Some(50.0), Some(40.0), Some(30.0)], (30.0, 0.0, 0.0)),
        ] {
            let got = timings(times, false);
            assert_eq!((got.send, got.wait, got.receive), expected, "{times:?}");
        }
    }
}
