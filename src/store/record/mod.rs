//! The JSON text of a record (design section 4; every field is explained in `docs/record.md`).
//!
//! The first five keys have the form of the tool before us, byte for byte: what reads its files reads ours. All else
//! is under `recorder`.

mod fields;
mod message;
mod websocket;

use self::fields::{text_of, url};
use self::message::Form;
use super::content::Content;
use super::json::{Json, push_millis};
use super::names::{kind_name, timestamp};
use super::redact::MARK;
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
        json.key("tunnel");
        json.text(&format!("{}:{}", connection.host, connection.port));
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
        self.websocket(exchange);
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
        if self.is_marked(text) {
            self.redacted.push(pointer());
        }
    }

    fn is_marked(&self, text: &str) -> bool {
        self.redacts && text.contains(MARK)
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
mod tests;
