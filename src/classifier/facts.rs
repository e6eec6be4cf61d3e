//! The few facts in a request's body that a summary shows.
//!
//! Bodies reach many MiB and are often cut: they are read once, nothing but the wanted values is kept, and what came
//! before a cut counts.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// What a body says about itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// `model`.
    pub(super) model: Option<String>,
    /// `extra.language`.
    pub(super) language: Option<String>,
}

impl Facts {
    /// Of a request's body in JSON; empty when it is none.
    pub(super) fn read(body: &[u8]) -> Self {
        let mut facts = Self::default();
        // An error means a body that is cut or no JSON: what was found until then stands.
        let _ = Reader(&mut facts).deserialize(&mut serde_json::Deserializer::from_slice(body));
        facts
    }
}

/// `editor_version` of the first event of a telemetry body: an array of envelopes, or one a line.
pub(super) fn telemetry_editor(body: &[u8]) -> Option<String> {
    let body = body.trim_ascii_start();
    let first = body.strip_prefix(b"[").unwrap_or(body);
    let envelope = serde_json::Deserializer::from_slice(first).into_iter::<Envelope<'_>>().next()?.ok()?;
    let properties = envelope.data.base_data.properties;
    properties.editor_version.or(properties.common_vscodeversion).map(Cow::into_owned)
}

struct Reader<'f>(&'f mut Facts);

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
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match &*key {
                "model" => self.0.model = text(map.next_value()?),
                "extra" => {
                    let extra: Option<Extra<'_>> = serde_json::from_str(map.next_value::<&RawValue>()?.get()).ok();
                    self.0.language = extra.and_then(|extra| text(extra.language?));
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// A value of another type is no reason to lose the others.
fn text(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}

#[derive(serde::Deserialize)]
struct Extra<'a> {
    #[serde(borrow)]
    language: Option<&'a RawValue>,
}

#[derive(serde::Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(serde::Deserialize)]
struct Data<'a> {
    #[serde(borrow, rename = "baseData")]
    base_data: BaseData<'a>,
}

#[derive(serde::Deserialize)]
struct BaseData<'a> {
    #[serde(borrow)]
    properties: Properties<'a>,
}

#[derive(serde::Deserialize)]
struct Properties<'a> {
    #[serde(borrow)]
    editor_version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    common_vscodeversion: Option<Cow<'a, str>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPLETION: &[u8] =
        br#"{"prompt":"a\nb","extra":{"next_indent":0,"language":"rust"},"stop":[{}],"model":"x-1","n":1}"#;

    #[test]
    fn reads_model_and_language() {
        let facts = Facts::read(COMPLETION);
        assert_eq!((facts.model.as_deref(), facts.language.as_deref()), (Some("x-1"), Some("rust")));
    }

    #[test]
    fn what_came_before_a_cut_counts() {
        let language = COMPLETION.iter().position(|&byte| byte == b'}').unwrap() + 1;
        let model = COMPLETION.windows(5).position(|window| window == b"x-1\",").unwrap() + 4;
        for end in 0..COMPLETION.len() {
            let facts = Facts::read(&COMPLETION[..end]);
            assert_eq!(facts.language.is_some(), end >= language, "{end}");
            assert_eq!(facts.model.is_some(), end >= model, "{end}");
        }
    }

    #[test]
    fn values_of_other_types_do_not_hide_the_rest() {
        let read = |body: &str| Facts::read(body.as_bytes());
        assert_eq!(read(r#"{"model":7,"extra":{"language":"go"}}"#).language.as_deref(), Some("go"));
        assert_eq!(read(r#"{"extra":{"language":[1]},"model":"m"}"#).model.as_deref(), Some("m"));
        assert_eq!(read(r#"{"extra":"x","model":"m"}"#).model.as_deref(), Some("m"));
        assert_eq!(read(r#"{"nested":{"model":"not this"}}"#), Facts::default());
        for body in ["", "[]", "null", "{", "data: x", "\u{0}"] {
            assert_eq!(read(body), Facts::default(), "{body:?}");
        }
    }

    #[test]
    fn deep_nesting_is_survived() {
        let deep = format!(r#"{{"model":"m","x":{}"#, "[".repeat(1_000_000));
        assert_eq!(Facts::read(deep.as_bytes()).model.as_deref(), Some("m"));
    }

    #[test]
    fn telemetry_names_its_editor_in_its_events() {
        let event = r#"{"time":"t","data":{"baseData":{"name":"n","properties":{"editor_version":"vscode/1.95.3"}}}}"#;
        let other = r#"{"data":{"baseData":{"properties":{"common_vscodeversion":"1.96"}}}}"#;
        let editor = |body: &str| telemetry_editor(body.as_bytes());
        assert_eq!(editor(&format!("[{event},{other}]")).as_deref(), Some("vscode/1.95.3"));
        assert_eq!(editor(&format!("{event}\n{other}\n")).as_deref(), Some("vscode/1.95.3"));
        assert_eq!(editor(&format!(" [ {event},{{\"cut")).as_deref(), Some("vscode/1.95.3"));
        assert_eq!(editor(other).as_deref(), Some("1.96"));
        assert_eq!(editor("[]"), None);
        assert_eq!(editor("[{\"data\":1}]"), None);
    }
}
