//! What request and response have in common: their fields and their bodies.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::super::content::{Content, Text};
use super::super::redact::push_token;
use super::Writer;
use super::fields::{merged, object_loses, text_of};
use crate::digest::{hex, sha256};
use crate::exchange::Message;
use crate::observer::Fields;

/// How a body was written.
#[derive(Default)]
pub(super) struct Form {
    base64: bool,
    tail: Option<String>,
    sha256: Option<[u8; 32]>,
}

impl Writer {
    pub(super) fn headers(&mut self, fields: &Fields, pointer: &str) {
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

    pub(super) fn content(&mut self, content: &Content, pointer: &str) -> Form {
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

    pub(super) fn details<H>(
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
    pub(super) fn pairs(&mut self, fields: &Fields, pointer: &str) {
        self.json.open(b'[');
        for (index, (name, value)) in fields.iter().enumerate() {
            self.json.next();
            self.json.raw("[");
            self.bytes(name);
            self.json.raw(", ");
            self.bytes(value);
            self.json.raw("]");
            if self.is_marked(&text_of(value)) {
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
}
