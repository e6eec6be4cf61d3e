//! One body on its way into a record: hashed as it came, decoded, made text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::digest::sha256;
use crate::exchange::{Body, DecodeLimits, Decoded, Exchange, decode};
use crate::observer::Fields;

/// A body as the record tells it.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// After content decoding.
    pub(super) decoded: Decoded,
    /// Bytes that it decoded to, before anything was redacted; none when it was lost.
    pub(super) size: Option<u64>,
    /// SHA-256 of what was kept as it came, before content decoding; none when it was lost.
    pub(super) sha256: Option<[u8; 32]>,
    /// Where it was redacted: pointers into it.
    pub(super) redacted: Vec<String>,
    /// It is not written, though something of it came.
    pub(super) lost: bool,
}

/// How bytes became the string `content`.
pub(super) enum Text<'a> {
    /// They are UTF-8, but for at most three bytes of a character cut off at the end.
    Utf8(&'a str, &'a [u8]),
    /// They are not.
    Base64(String),
}

impl Content {
    /// Those of the request and the response; their bytes are gone from the exchange afterwards.
    pub(super) fn both(exchange: &mut Exchange, limits: DecodeLimits) -> (Self, Self) {
        let (request, nothing) = (&mut exchange.request, (&Fields::default(), &mut Body::default()));
        let response = exchange.response.as_mut();
        let response = response.map_or(nothing, |response| (&response.head.fields, &mut response.body));
        if exchange.websocket.is_some() {
            // Messages have no content coding, and where each lies in the body is told.
            return (Self::plain(&mut request.body), Self::plain(response.1));
        }
        let request = Self::of(&request.head.fields, &mut request.body, limits);
        let response = Self::of(response.0, response.1, limits);
        (request, response)
    }

    /// Hashes and decodes; the body's bytes are gone from the exchange afterwards.
    pub(super) fn of(fields: &Fields, body: &mut Body, limits: DecodeLimits) -> Self {
        let kept = std::mem::take(&mut body.kept);
        let sha256 = Some(sha256(&kept));
        let decoded = decode(fields, kept, limits);
        Self { size: Some(decoded.bytes.len() as u64), decoded, sha256, ..Self::default() }
    }

    /// Hashes a body that has no content coding; its bytes are gone from the exchange afterwards.
    fn plain(body: &mut Body) -> Self {
        let bytes = std::mem::take(&mut body.kept);
        let (size, sha256) = (Some(bytes.len() as u64), Some(sha256(&bytes)));
        Self { decoded: Decoded { bytes, ..Decoded::default() }, size, sha256, ..Self::default() }
    }

    /// A body of which nothing is at hand; `lost` tells one that came from one that never was.
    pub(super) fn missing(lost: bool) -> Self {
        Self { lost, ..Self::default() }
    }

    /// Gives the bytes up for a record that must do without; what is known of them stays.
    pub(super) fn lose(&mut self) {
        self.lost |= !self.decoded.bytes.is_empty();
        self.decoded.bytes = Vec::new();
        self.redacted.clear();
    }

    pub(super) fn text(&self) -> Text<'_> {
        text(&self.decoded.bytes)
    }
}

/// A stream that was cancelled often ends within a character: that alone does not make it base64.
pub(super) fn text(bytes: &[u8]) -> Text<'_> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Text::Utf8(text, &[]),
        Err(error) if error.error_len().is_none() => {
            let (text, tail) = bytes.split_at(error.valid_up_to());
            match std::str::from_utf8(text) {
                Ok(text) => Text::Utf8(text, tail),
                Err(_) => Text::Base64(STANDARD.encode(bytes)),
            }
        }
        Err(_) => Text::Base64(STANDARD.encode(bytes)),
    }
}
