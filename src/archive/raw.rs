//! JSON values of which only the form is known: read as what is wanted, and nothing where they are something else.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// A member of an object. Borrowed as text, so that a value of another type hides nothing else.
pub(super) type Raw<'a> = Option<&'a RawValue>;

/// A string. Half of a surrogate pair, which JSON allows to be written and Python writes, becomes U+FFFD.
pub(super) fn text<'a>(raw: Raw<'a>) -> Option<Cow<'a, str>> {
    let raw = raw?.get();
    if !raw.starts_with('"') {
        return None;
    }
    match serde_json::from_str::<Text<'a>>(raw) {
        Ok(text) => Some(text.0),
        Err(_) => serde_json::from_str::<Bytes>(raw).ok().map(|bytes| Cow::Owned(bytes.0)),
    }
}

pub(super) fn owned(raw: Raw<'_>) -> Option<String> {
    text(raw).map(Cow::into_owned)
}

/// A number that is not infinite.
pub(super) fn number(raw: Raw<'_>) -> Option<f64> {
    serde_json::from_str::<f64>(raw?.get()).ok().filter(|number| number.is_finite())
}

/// A whole number of at least 0.
pub(super) fn whole(raw: Raw<'_>) -> Option<u64> {
    serde_json::from_str(raw?.get()).ok()
}

pub(super) fn truth(raw: Raw<'_>) -> Option<bool> {
    serde_json::from_str(raw?.get()).ok()
}

/// An object. An array would be taken member by member otherwise.
pub(super) fn object<'a, T: Deserialize<'a>>(raw: Raw<'a>) -> Option<T> {
    let raw = raw?.get();
    raw.starts_with('{').then(|| serde_json::from_str(raw).ok()).flatten()
}

/// A list, its elements as they are.
pub(super) fn list<'a>(raw: Raw<'a>) -> Vec<&'a RawValue> {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

/// JSON text without the white space between its tokens.
pub(super) fn compact(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut in_string, mut escaped, mut kept) = (false, false, 0);
    for (at, byte) in json.bytes().enumerate() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if byte == b'"' {
            in_string = true;
        } else if byte.is_ascii_whitespace() {
            out.push_str(&json[kept..at]);
            kept = at + 1;
        }
    }
    out.push_str(&json[kept..]);
    out
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A string by its bytes, which serde_json gives where they are no UTF-8.
struct Bytes(String);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Bytes;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(String::from_utf8_lossy(bytes).into_owned()))
            }
        }
        deserializer.deserialize_bytes(Visitor)
    }
}
