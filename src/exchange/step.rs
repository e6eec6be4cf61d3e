//! What a message of the Responses API over a WebSocket means for its turn.
//!
//! Messages reach many MiB: they are read as far as their `type`, which comes first as a rule, and nothing is kept.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// `response.create`: a turn begins.
    Create,
    /// The last event of an answer, or an error, whichever form the rest of it has.
    Closing,
    /// Anything else.
    Other,
}

impl Step {
    /// Of a message, or the beginning of one that was cut.
    pub(super) fn of(message: &[u8]) -> Self {
        let mut found = Self::Other;
        // An error also says that `type` was found and the rest is not read; or that there is none.
        let _ = Reader(&mut found).deserialize(&mut serde_json::Deserializer::from_slice(message));
        found
    }

    fn named(name: &str) -> Self {
        match name {
            "response.create" => Self::Create,
            "response.completed" | "response.failed" | "response.incomplete" | "response.cancelled" | "error" => {
                Self::Closing
            }
            _ => Self::Other,
        }
    }
}

struct Reader<'s>(&'s mut Step);

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(is_type) = map.next_key_seed(Text(|key: &str| key == "type"))? {
            if is_type {
                *self.0 = map.next_value_seed(Text(Step::named))?;
                return Err(A::Error::custom("the rest is not needed"));
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

/// A text of which only what the function says is kept.
struct Text<F>(F);

impl<'de, T, F: FnOnce(&str) -> T> DeserializeSeed<'de> for Text<F> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<T, F: FnOnce(&str) -> T> Visitor<'_> for Text<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        Ok((self.0)(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_type_wherever_it_stands() {
        let step = |text: &str| Step::of(text.as_bytes());
        assert_eq!(step(r#"{"type":"response.create"}"#), Step::Create);
        assert_eq!(step(r#" {"a":{"type":"error"},"b":[1,{"c":2}],"type" : "response.create","#), Step::Create);
        assert_eq!(step(r#"{"ty\u0070e":"response\u002ecreate","type":"error"}"#), Step::Create);
        for closing in ["completed", "failed", "incomplete", "cancelled"] {
            assert_eq!(step(&format!(r#"{{"type":"response.{closing}","response":{{}}}}"#)), Step::Closing);
        }
        // OpenAI's form of an error, and GitHub's.
        assert_eq!(step(r#"{"type":"error","code":"x","message":"y"}"#), Step::Closing);
        assert_eq!(step(r#"{"type":"error","error":{"code":"x"},"copilot_quota_snapshots":{}}"#), Step::Closing);
        assert_eq!(step(r#"{"type":"response.output_text.delta","delta":"response.completed"}"#), Step::Other);
    }

    #[test]
    fn what_has_no_type_is_nothing() {
        for text in ["", "{", "[]", "null", "\"type\"", r#"{"type":7}"#, r#"{"type":["error"]}"#, r#"{"type"}"#, "{]"] {
            assert_eq!(Step::of(text.as_bytes()), Step::Other, "{text}");
        }
        assert_eq!(Step::of(b"{\"\xff\":1,\"type\":\"error\"}"), Step::Other);
        assert_eq!(Step::of(br#"{"x":{"type":"error"}}"#), Step::Other);
    }

    #[test]
    fn deep_nesting_and_long_numbers_are_survived() {
        let deep = "[".repeat(1_000_000);
        assert_eq!(Step::of(format!(r#"{{"x":{deep}"#).as_bytes()), Step::Other);
        let closed = format!(r#"{{"x":{deep}{},"n":{},"type":"error"}}"#, "]".repeat(1_000_000), "9".repeat(100_000));
        assert_eq!(Step::of(closed.as_bytes()), Step::Closing);
    }
}
