//! Bodies: text, base64, or what the older tool parsed them into.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Body;
use super::raw::{self, Raw};

/// What `recorder.request` and `recorder.response` say of a body.
#[derive(Default, Deserialize)]
pub(super) struct Details<'a> {
    #[serde(borrow, default)]
    content_size: Raw<'a>,
    #[serde(borrow, default)]
    truncated: Raw<'a>,
    #[serde(borrow, default)]
    codings: Raw<'a>,
    #[serde(borrow, default)]
    encoding: Raw<'a>,
    #[serde(borrow, default)]
    content_tail: Raw<'a>,
    #[serde(borrow, default)]
    decode_error: Raw<'a>,
    #[serde(borrow, default)]
    pub(super) content_sha256: Raw<'a>,
    /// Pairs, where the plain headers say less than was sent.
    #[serde(borrow, default)]
    pub(super) raw_headers: Raw<'a>,
}

impl Details<'_> {
    /// Why the body stops where it does, if it could not be decoded to its end.
    pub(super) fn problem(&self) -> Option<String> {
        raw::owned(self.decode_error)
    }
}

pub(super) fn ours(content: Raw<'_>, details: &Details<'_>) -> Body {
    let text = raw::owned(content).unwrap_or_default();
    let tail = raw::text(details.content_tail).and_then(|tail| STANDARD.decode(&*tail).ok()).unwrap_or_default();
    let mut body = Body {
        size: raw::whole(details.content_size).unwrap_or(text.len() as u64),
        coded: !raw::list(details.codings).is_empty(),
        truncated: raw::truth(details.truncated) == Some(true),
        bytes: (!tail.is_empty()).then(|| [text.as_bytes(), &tail].concat()),
        text,
    };
    if raw::text(details.encoding).as_deref() == Some("base64")
        && let Ok(bytes) = STANDARD.decode(&body.text)
    {
        body.text = String::from_utf8_lossy(&bytes).into_owned();
        body.bytes = Some(bytes);
    }
    body
}

/// Version 1.0 has text; later ones have JSON, a stream as a list of its chunks.
pub(super) fn older(content: Raw<'_>) -> Body {
    let text = match content.map(RawValue::get) {
        None | Some("null") => String::new(),
        Some(json) => raw::owned(content).unwrap_or_else(|| raw::compact(json)),
    };
    Body { size: text.len() as u64, text, ..Body::default() }
}
