//! What a record's keys take from a message: its URL, and its fields as an object of names and values.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::exchange::Exchange;
use crate::observer::Fields;

/// `https://host[:port]target`: the host that the request names, else the CONNECT request's; the tunnel's port.
pub(super) fn url(exchange: &Exchange) -> String {
    let target = text_of(&exchange.request.head.target);
    if target.contains("://") && !target.starts_with('/') {
        return target.into_owned();
    }
    let host = exchange.host();
    // No user info, which RFC 9110 section 7.2 has no place for: it would be a credential.
    let host = host.rsplit('@').next().unwrap_or_default().trim_matches(['[', ']']);
    let (open, close) = if host.contains(':') { ("[", "]") } else { ("", "") };
    let slash = if target.starts_with('/') { "" } else { "/" };
    match exchange.connection.port {
        443 => format!("https://{open}{host}{close}{slash}{target}"),
        port => format!("https://{open}{host}{close}:{port}{slash}{target}"),
    }
}

/// Names as sent, each once at its first position, the values of repeats joined as RFC 9110 section 5.3 allows.
pub(super) fn merged(fields: &Fields) -> Vec<(&[u8], Cow<'_, [u8]>)> {
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
pub(super) fn object_loses(fields: &Fields) -> bool {
    merged(fields).len() < fields.len()
        || fields.iter().any(|(name, value)| std::str::from_utf8(name).is_err() || std::str::from_utf8(value).is_err())
}

/// Bytes as text: UTF-8 where they are, else each byte as the character of its number (ISO 8859-1).
pub(super) fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().copied().map(char::from).collect()),
    }
}
