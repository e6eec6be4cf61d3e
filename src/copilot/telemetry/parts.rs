//! Properties, the split ones joined again.
//!
//! A client cuts a long value into `key`, `key_02`, `key_03`, … of 8192 UTF-16 units each, which may part the two
//! halves of one character. The parts are therefore joined as they stand in the JSON, and read as one text.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::value::RawValue;

/// Parts that a value may have; chat has the most.
const PARTS_MAX: usize = 50;

/// The values as text, each `key` joined with its parts as far as they are consecutive. A `key_02` without `key` is a
/// property of its own. Of a key that is there twice, the last counts.
pub(super) fn joined(properties: Vec<(Cow<'_, str>, &RawValue)>) -> BTreeMap<String, String> {
    let split = properties.iter().any(|(key, _)| key.ends_with("_02"));
    if !split {
        return properties.into_iter().map(|(key, raw)| (key.into_owned(), text(raw.get()))).collect();
    }
    let properties: BTreeMap<_, _> = properties.into_iter().map(|(key, raw)| (key, raw.get())).collect();
    let mut joined = BTreeMap::new();
    let mut used = BTreeSet::new();
    // In this order a key comes before its parts.
    for (key, raw) in &properties {
        if used.contains(key) {
            continue;
        }
        let Some(first) = inside(raw) else {
            // What is no text has no parts.
            joined.insert(key.clone().into_owned(), text(raw));
            continue;
        };
        let mut whole = format!("\"{first}");
        for part in 2..=PARTS_MAX {
            let part: Cow<'_, str> = Cow::Owned(format!("{key}_{part:02}"));
            let Some(more) = properties.get(&part).and_then(|raw| inside(raw)) else { break };
            whole.push_str(more);
            used.insert(part);
        }
        whole.push('"');
        joined.insert(key.clone().into_owned(), text(&whole));
    }
    joined
}

/// A value as text: a string's content, of anything else its JSON.
pub(super) fn text(raw: &str) -> String {
    let Some(inside) = inside(raw) else { return raw.to_owned() };
    if !inside.contains('\\') {
        return inside.to_owned();
    }
    serde_json::from_str(raw).unwrap_or_else(|_| {
        // A half of a character, alone: what serde takes for bytes it does not refuse.
        let bytes = serde_json::from_str::<Bytes>(raw).map_or_else(|_| inside.into(), |bytes| bytes.0);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// What stands between the quotes; none when it is no string.
fn inside(raw: &str) -> Option<&str> {
    raw.strip_prefix('"')?.strip_suffix('"')
}

struct Bytes(Vec<u8>);

impl<'de> serde::Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Bytes;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_owned()))
            }
        }
        deserializer.deserialize_bytes(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: &str) -> Vec<(String, String)> {
        let raw: BTreeMap<String, Box<RawValue>> = serde_json::from_str(json).unwrap();
        joined(raw.iter().map(|(key, raw)| (Cow::Borrowed(key.as_str()), &**raw)).collect()).into_iter().collect()
    }

    fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
        of.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn consecutive_parts_are_one_value() {
        assert_eq!(of(r#"{"k_03":"c","k":"a","k_02":"b","l":"x"}"#), pairs(&[("k", "abc"), ("l", "x")]));
        let all: Vec<_> = (2..=52).map(|part| format!(r#""k_{part:02}":"{}""#, part % 10)).collect();
        let whole = of(&format!(r#"{{"k":"1",{}}}"#, all.join(",")));
        let text: String = (1..=50).map(|part| (part % 10).to_string()).collect();
        assert_eq!(whole, pairs(&[("k", &text), ("k_51", "1"), ("k_52", "2")]));
    }

    #[test]
    fn what_is_no_part_stays() {
        assert_eq!(of(r#"{"k_02":"b","k_03":"c"}"#), pairs(&[("k_02", "b"), ("k_03", "c")]));
        assert_eq!(of(r#"{"k":"a","k_03":"c"}"#), pairs(&[("k", "a"), ("k_03", "c")]));
        assert_eq!(of(r#"{"k":"a","k_02":"b","k_04":"d"}"#), pairs(&[("k", "ab"), ("k_04", "d")]));
        assert_eq!(of(r#"{"k":1,"k_02":"b"}"#), pairs(&[("k", "1"), ("k_02", "b")]));
        assert_eq!(of(r#"{"k":"a","k_02":7}"#), pairs(&[("k", "a"), ("k_02", "7")]));
        assert_eq!(of(r#"{"k":"a","k_02":"b","k_02_02":"c"}"#), pairs(&[("k", "ab"), ("k_02_02", "c")]));
        assert_eq!(of(r#"{"k":"a","k_2":"b","k_02x":"c"}"#), pairs(&[("k", "a"), ("k_02x", "c"), ("k_2", "b")]));
    }

    #[test]
    fn a_character_parted_between_two_parts_is_whole_again() {
        assert_eq!(of(r#"{"k":"a\ud83d","k_02":"\ude00b"}"#), pairs(&[("k", "a\u{1f600}b")]));
        let [(_, alone)] = &of(r#"{"k":"a\ud83d"}"#)[..] else { panic!("one") };
        assert!(alone.starts_with("a\u{fffd}"), "{alone:?}");
    }

    #[test]
    fn values_that_are_not_text_are_their_json() {
        assert_eq!(
            of(r#"{"a":1.50,"b":true,"c":null,"d":{"x": [1]},"e":"\"q\"\n"}"#),
            pairs(&[("a", "1.50"), ("b", "true"), ("c", "null"), ("d", r#"{"x": [1]}"#), ("e", "\"q\"\n")])
        );
    }
}
