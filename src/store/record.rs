//! The JSON text of a record (design section 4; every field is explained in `docs/record.md`).
//!
//! The first five keys have the form of the tool before us, byte for byte: what reads its files reads ours. All else
//! is under `recorder`.

use std::borrow::Cow;
use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::content::{Content, Text};
use super::digest::{hex, sha256};
use super::json::{Json, push_millis};
use super::names::{kind_name, timestamp};
use super::redact::{MARK, push_token};
use crate::classifier::Summary;
use crate::config::Redact;
use crate::exchange::{AbortedBy, Exchange, Message};
use crate::observer::{Fields, ResponseHead, Version};

/// The version of the form of `recorder`; raised when a key changes its meaning or goes.
const SCHEMA: u64 = 1;

/// What a record says beyond the exchange itself.
pub(super) struct Circumstances<'a> {
    pub(super) redact: Redact,
    /// Why the bodies are missing, if they are.
    pub(super) bodies_lost: Option<&'a str>,
    /// The exchange was found in the spool of a run that was killed.
    pub(super) recovered: bool,
}

/// Writes a record into a buffer that may have been used before.
pub(super) fn write(
    buffer: Vec<u8>,
    exchange: &Exchange,
    summary: &Summary,
    [request, response]: [&Content; 2],
    circumstances: &Circumstances<'_>,
) -> Vec<u8> {
    let redacts = circumstances.redact == Redact::Secrets;
    let mut writer = Writer { json: Json::reuse(buffer), redacts, redacted: Vec::new() };
    writer.json.open(b'{');
    writer.opening(exchange);
    let request_form = writer.request(exchange, request);
    let response_form = writer.response(exchange.response.as_ref(), response);
    writer.json.key("recorder");
    writer.json.open(b'{');
    writer.identity(exchange, summary, circumstances);
    writer.transport(exchange);
    writer.timings(exchange);
    writer.request_details(exchange, request, &request_form);
    writer.interim(&exchange.interim);
    writer.response_details(exchange, response, &response_form);
    writer.redacted();
    writer.json.close(b'}');
    writer.json.close(b'}');
    writer.json.finish()
}

/// How a body was written.
#[derive(Default)]
struct Form {
    base64: bool,
    tail: Option<String>,
    sha256: Option<[u8; 32]>,
}

struct Writer {
    json: Json,
    redacts: bool,
    redacted: Vec<String>,
}

impl Writer {
    fn opening(&mut self, exchange: &Exchange) {
        self.json.key("proxy-authorization");
        self.json.text(exchange.connection.user.as_deref().unwrap_or("-"));
        self.json.key("timestamp");
        self.json.plain(&timestamp(exchange.began));
        self.json.key("proxy-time-consumed");
        let mut consumed = Vec::with_capacity(16);
        push_millis(&mut consumed, exchange.timings.last_byte.unwrap_or_default(), 2);
        consumed.extend_from_slice(b"ms");
        self.json.plain(&text_of(&consumed));
    }

    fn request(&mut self, exchange: &Exchange, content: &Content) -> Form {
        let head = &exchange.request.head;
        self.json.key("request");
        self.json.open(b'{');
        self.json.key("url");
        self.marked(&url(exchange), || "/request/url".to_owned());
        self.json.key("method");
        self.json.text(&text_of(&head.method));
        self.headers(&head.fields, "/request/headers");
        let form = self.content(content, "/request/content");
        self.json.close(b'}');
        form
    }

    /// Old readers index `response["status_code"]` without a test: no response is an object too, with status 0.
    fn response(&mut self, response: Option<&Message<ResponseHead>>, content: &Content) -> Form {
        self.json.key("response");
        self.json.open(b'{');
        self.json.key("status_code");
        self.json.number(response.map_or(0, |response| response.head.status.into()));
        match response {
            Some(response) => self.headers(&response.head.fields, "/response/headers"),
            None => self.headers(&Fields::default(), "/response/headers"),
        }
        let form = self.content(content, "/response/content");
        self.json.close(b'}');
        form
    }

    fn headers(&mut self, fields: &Fields, pointer: &str) {
        self.json.key("headers");
        self.json.open(b'{');
        for (name, value) in merged(fields) {
            let name = text_of(name);
            self.json.foreign_key(&name);
            self.marked(&text_of(&value), || {
                let mut pointer = pointer.to_owned();
                push_token(&mut pointer, &name);
                pointer
            });
        }
        self.json.close(b'}');
    }

    fn content(&mut self, content: &Content, pointer: &str) -> Form {
        for inside in &content.redacted {
            let hash = if inside.is_empty() { "" } else { "#" };
            self.redacted.push(format!("{pointer}{hash}{inside}"));
        }
        self.json.key("content");
        let mut form = Form::default();
        let written = match content.text() {
            Text::Utf8(text, tail) => {
                self.json.text(text);
                form.tail = (!tail.is_empty()).then(|| STANDARD.encode(tail));
                Cow::Borrowed(text)
            }
            Text::Base64(text) => {
                self.json.plain(&text);
                form.base64 = true;
                Cow::Owned(text)
            }
        };
        // What was neither coded, cut nor redacted has the digest that it had on the wire.
        let as_it_came = content.decoded.codings.is_empty()
            && !content.decoded.truncated
            && content.redacted.is_empty()
            && !form.base64
            && form.tail.is_none();
        form.sha256 = match content.sha256 {
            _ if content.lost => None,
            Some(sha256) if as_it_came => Some(sha256),
            _ => Some(sha256(written.as_bytes())),
        };
        form
    }

    fn identity(&mut self, exchange: &Exchange, summary: &Summary, circumstances: &Circumstances<'_>) {
        let json = &mut self.json;
        json.key("schema");
        json.number(SCHEMA);
        json.key("id");
        json.shown(&exchange.id.0);
        json.key("kind");
        json.plain(kind_name(summary.kind));
        json.key("rule");
        json.text(&summary.rule);
        json.key("complete");
        json.bool(exchange.complete);
        json.key("aborted_by");
        json.optional_text(exchange.aborted_by.map(|by| match by {
            AbortedBy::Client => "client",
            AbortedBy::Upstream => "upstream",
            AbortedBy::Shutdown => "shutdown",
        }));
        if let Some(code) = exchange.reset_code {
            json.key("reset_code");
            json.number(code.into());
        }
        if let Some(reason) = exchange.malformed {
            json.key("malformed");
            json.text(reason);
        }
        if circumstances.recovered {
            json.key("recovered");
            json.bool(true);
        }
        if let Some(reason) = circumstances.bodies_lost {
            json.key("bodies_lost");
            json.bool(true);
            json.key("bodies_lost_reason");
            json.text(reason);
        }
    }

    fn transport(&mut self, exchange: &Exchange) {
        let (json, connection) = (&mut self.json, &exchange.connection);
        json.key("client");
        json.shown(&connection.client);
        json.key("upstream");
        json.shown(&connection.upstream);
        json.key("connection");
        json.shown(&connection.id.0);
        json.key("stream");
        json.number(exchange.stream);
        json.key("http_version");
        json.plain(version(exchange.request.head.version));
        json.key("alpn");
        json.optional_text(connection.alpn.as_deref());
        json.key("tls_version");
        json.raw("{\"client\": ");
        json.optional_text(connection.tls_client);
        json.raw(", \"upstream\": ");
        json.optional_text(connection.tls_upstream);
        json.raw("}");
        json.key("sni");
        json.optional_text(connection.sni.as_deref());
        if let Some([to_server, to_client]) = exchange.opaque {
            json.key("opaque");
            json.raw("{\"client_to_server\": ");
            json.number(to_server);
            json.raw(", \"server_to_client\": ");
            json.number(to_client);
            json.raw("}");
        }
    }

    fn timings(&mut self, exchange: &Exchange) {
        let (json, connection, timings) = (&mut self.json, &exchange.connection, &exchange.timings);
        json.key("timings");
        json.raw("{\"connect\": ");
        json.millis(connection.connect, 3);
        json.raw(", \"tls\": ");
        json.millis(connection.tls, 3);
        for (name, time) in [
            (", \"request_end\": ", timings.request_end),
            (", \"first_byte\": ", timings.first_byte),
            (", \"last_byte\": ", timings.last_byte),
        ] {
            json.raw(name);
            match time {
                Some(time) => json.millis(time, 3),
                None => json.raw("null"),
            }
        }
        json.raw("}");
        json.key("chunks");
        json.raw("[");
        for (index, chunk) in exchange.chunks.iter().enumerate() {
            json.raw(if index == 0 { "[" } else { ", [" });
            json.millis(chunk.at, 3);
            json.raw(", ");
            json.number(chunk.bytes);
            json.raw("]");
        }
        json.raw("]");
        if exchange.chunks_omitted > 0 {
            json.key("chunks_omitted");
            json.number(exchange.chunks_omitted);
        }
    }

    fn request_details(&mut self, exchange: &Exchange, content: &Content, form: &Form) {
        let message = &exchange.request;
        self.json.key("request");
        self.json.open(b'{');
        // The target in origin form is in the URL; any other (RFC 9112 section 3.2) is not.
        if !message.head.target.starts_with(b"/") {
            self.json.key("target");
            self.marked(&text_of(&message.head.target), || "/recorder/request/target".to_owned());
        }
        if !message.head.pseudo.is_empty() {
            self.json.key("pseudo");
            self.pairs(&message.head.pseudo, "/recorder/request/pseudo");
        }
        let head = (&message.head.fields, message.head.wire_size, message.head.truncated);
        self.details(head, message, content, form, "/recorder/request");
        self.json.close(b'}');
    }

    fn interim(&mut self, interim: &[ResponseHead]) {
        if interim.is_empty() {
            return;
        }
        self.json.key("interim");
        self.json.open(b'[');
        for (index, head) in interim.iter().enumerate() {
            self.json.next();
            self.json.open(b'{');
            self.json.key("status_code");
            self.json.number(head.status.into());
            self.json.key("headers");
            self.pairs(&head.fields, &format!("/recorder/interim/{index}/headers"));
            self.json.close(b'}');
        }
        self.json.close(b']');
    }

    fn response_details(&mut self, exchange: &Exchange, content: &Content, form: &Form) {
        self.json.key("response");
        let Some(message) = &exchange.response else { return self.json.raw("null") };
        self.json.open(b'{');
        if message.head.version != exchange.request.head.version {
            self.json.key("http_version");
            self.json.plain(version(message.head.version));
        }
        if !message.head.reason.is_empty() {
            self.json.key("reason");
            self.json.text(&text_of(&message.head.reason));
        }
        let head = (&message.head.fields, message.head.wire_size, message.head.truncated);
        self.details(head, message, content, form, "/recorder/response");
        self.json.close(b'}');
    }

    fn details<H>(
        &mut self,
        (fields, head_size, head_truncated): (&Fields, u64, bool),
        message: &Message<H>,
        content: &Content,
        form: &Form,
        pointer: &str,
    ) {
        if object_loses(fields) {
            self.json.key("raw_headers");
            self.pairs(fields, &format!("{pointer}/raw_headers"));
        }
        if let Some(trailers) = &message.trailers {
            self.json.key("trailers");
            self.pairs(trailers, &format!("{pointer}/trailers"));
        }
        self.json.key("ended");
        self.json.bool(message.ended);
        self.json.key("head_size");
        self.json.number(head_size);
        if head_truncated {
            self.json.key("head_truncated");
            self.json.bool(true);
        }
        self.json.key("wire_size");
        self.json.number(message.body.seen);
        self.json.key("content_size");
        match content.size {
            Some(size) => self.json.number(size),
            None => self.json.raw("null"),
        }
        self.body(content, form, message.body.truncated);
    }

    fn body(&mut self, content: &Content, form: &Form, truncated: bool) {
        let json = &mut self.json;
        json.key("truncated");
        json.bool(truncated || content.decoded.truncated);
        json.key("codings");
        json.raw("[");
        for (index, coding) in content.decoded.codings.iter().enumerate() {
            json.raw(if index == 0 { "" } else { ", " });
            json.plain(coding);
        }
        json.raw("]");
        if let Some(error) = &content.decoded.error {
            json.key("decode_error");
            json.text(error);
        }
        json.key("encoding");
        json.plain(if form.base64 { "base64" } else { "utf-8" });
        if let Some(tail) = &form.tail {
            json.key("content_tail");
            json.plain(tail);
        }
        for (name, sha256) in [("sha256", content.sha256), ("content_sha256", form.sha256)] {
            json.key(name);
            match sha256 {
                Some(sha256) => json.plain(&hex(&sha256)),
                None => json.raw("null"),
            }
        }
    }

    /// Fields as `[name, value]`, one on a line; bytes that are not UTF-8 as `{"base64": …}`.
    fn pairs(&mut self, fields: &Fields, pointer: &str) {
        self.json.open(b'[');
        for (index, (name, value)) in fields.iter().enumerate() {
            self.json.next();
            self.json.raw("[");
            self.bytes(name);
            self.json.raw(", ");
            self.bytes(value);
            self.json.raw("]");
            if self.is_marked(value) {
                self.redacted.push(format!("{pointer}/{index}/1"));
            }
        }
        self.json.close(b']');
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if let Ok(text) = std::str::from_utf8(bytes) {
            self.json.text(text);
        } else {
            self.json.raw("{\"base64\": ");
            self.json.plain(&STANDARD.encode(bytes));
            self.json.raw("}");
        }
    }

    fn redacted(&mut self) {
        self.json.key("redacted");
        self.json.open(b'[');
        for pointer in std::mem::take(&mut self.redacted) {
            self.json.next();
            self.json.text(&pointer);
        }
        self.json.close(b']');
    }

    /// Writes a text and notes where it is when something was taken out of it.
    fn marked(&mut self, text: &str, pointer: impl FnOnce() -> String) {
        self.json.text(text);
        if self.is_marked(text.as_bytes()) {
            self.redacted.push(pointer());
        }
    }

    fn is_marked(&self, value: &[u8]) -> bool {
        self.redacts && value.windows(MARK.len()).any(|window| window == MARK.as_bytes())
    }
}

/// `https://host[:port]target`, the host as the client named it in CONNECT or, where that was an address, in its
/// ClientHello.
fn url(exchange: &Exchange) -> String {
    let (connection, target) = (&exchange.connection, text_of(&exchange.request.head.target));
    if target.contains("://") && !target.starts_with('/') {
        return target.into_owned();
    }
    let bare = connection.host.trim_matches(['[', ']']);
    let address = bare.parse::<std::net::IpAddr>().ok();
    let host = match (address, connection.sni.as_deref()) {
        (Some(_), Some(sni)) => Cow::Borrowed(sni),
        (Some(std::net::IpAddr::V6(_)), None) => Cow::Owned(format!("[{bare}]")),
        _ => Cow::Borrowed(bare),
    };
    let slash = if target.starts_with('/') { "" } else { "/" };
    match connection.port {
        443 => format!("https://{host}{slash}{target}"),
        port => format!("https://{host}:{port}{slash}{target}"),
    }
}

/// Names as sent, each once at its first position, the values of repeats joined as RFC 9110 section 5.3 allows.
fn merged(fields: &Fields) -> Vec<(&[u8], Cow<'_, [u8]>)> {
    /// Beyond this many names, which no honest client sends, a search through all of them would take too long.
    const FEW: usize = 64;
    let mut merged: Vec<(&[u8], Cow<'_, [u8]>)> = Vec::with_capacity(fields.len());
    let mut positions: HashMap<Vec<u8>, usize> = HashMap::new();
    for (name, value) in fields.iter() {
        let known = if fields.len() <= FEW {
            merged.iter().position(|(known, _)| known.eq_ignore_ascii_case(name))
        } else {
            let next = merged.len();
            let position = *positions.entry(name.to_ascii_lowercase()).or_insert(next);
            (position < next).then_some(position)
        };
        match known {
            Some(position) => {
                let joined = merged[position].1.to_mut();
                joined.extend_from_slice(b", ");
                joined.extend_from_slice(value);
            }
            None => merged.push((name, Cow::Borrowed(value))),
        }
    }
    merged
}

/// Whether the object of names and values says less than the fields: a repeat was joined, or bytes are not UTF-8.
fn object_loses(fields: &Fields) -> bool {
    merged(fields).len() < fields.len()
        || fields.iter().any(|(name, value)| std::str::from_utf8(name).is_err() || std::str::from_utf8(value).is_err())
}

/// Bytes as text: UTF-8 where they are, else each byte as the character of its number (ISO 8859-1).
fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().copied().map(char::from).collect()),
    }
}

fn version(version: Version) -> &'static str {
    match version {
        Version::Http10 => "HTTP/1.0",
        Version::Http11 => "HTTP/1.1",
        Version::Http2 => "HTTP/2",
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
