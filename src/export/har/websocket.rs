//! A WebSocket's messages, in the form of Chromium's exports.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::super::time;
use super::entry::LONGEST;
use crate::archive::{Body, Record};

/// One message; `time` in seconds since 1970, `opcode` as in RFC 6455, `data` text, or base64 where it is no text.
#[derive(Serialize)]
pub(super) struct Message<'a> {
    r#type: &'static str,
    time: f64,
    opcode: u8,
    data: Cow<'a, str>,
}

/// The messages in their order. Each takes its bytes from the body of its direction.
pub(super) fn messages(record: &Record) -> Vec<Message<'_>> {
    let mut sent = Lines::of(&record.request_body);
    let mut received = Lines::of(&record.response_body);
    let listed = record.messages.as_deref().unwrap_or_default();
    let began = time(record.began).timestamp_micros() as f64;
    listed
        .iter()
        .map(|message| {
            let opcode = opcode(&message.kind);
            let (r#type, lines) = if message.from_client { ("send", &mut sent) } else { ("receive", &mut received) };
            // What pings, pongs and closes carry is in no body.
            let bytes = if opcode <= BINARY { lines.take(message.bytes) } else { &[] };
            let data = match std::str::from_utf8(bytes) {
                Ok(text) if opcode == TEXT => Cow::Borrowed(text),
                // A text that a ceiling cut within a character.
                Err(_) if opcode == TEXT => String::from_utf8_lossy(bytes).into_owned().into(),
                _ => STANDARD.encode(bytes).into(),
            };
            let at = if message.at.is_finite() { message.at.clamp(0.0, LONGEST) } else { 0.0 };
            Message { r#type, time: (began + at * 1000.0).round() / 1e6, opcode, data }
        })
        .collect()
}

/// Messages that lie one behind the other in a body, a line feed between two.
struct Lines<'a> {
    left: &'a [u8],
    first: bool,
}

impl<'a> Lines<'a> {
    fn of(body: &'a Body) -> Self {
        Self { left: body.bytes.as_deref().unwrap_or(body.text.as_bytes()), first: true }
    }

    /// What the list says may be more than what is there: a ceiling cut the body, or the file was changed.
    fn take(&mut self, bytes: u64) -> &'a [u8] {
        if !std::mem::take(&mut self.first) {
            self.left = self.left.strip_prefix(b"\n").unwrap_or(self.left);
        }
        let end = usize::try_from(bytes).unwrap_or(usize::MAX).min(self.left.len());
        let (message, left) = self.left.split_at(end);
        self.left = left;
        message
    }
}

const TEXT: u8 = 1;
const BINARY: u8 = 2;

/// RFC 6455 section 5.2.
fn opcode(kind: &str) -> u8 {
    match kind {
        "text" => TEXT,
        "close" => 8,
        "ping" => 9,
        "pong" => 10,
        _ => BINARY,
    }
}
