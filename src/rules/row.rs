//! One row of the table of kinds: tests, and what they say about a request that passes them all.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::Error;

use super::path::PathPattern;
use super::{HostPattern, Kind};
use crate::observer::Fields;

/// One row: a name, a kind, and the tests that must all hold. The keys are explained in `kinds.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindRow {
    #[serde(deserialize_with = "shared")]
    pub(super) name: Arc<str>,
    pub(super) kind: Kind,
    #[serde(default)]
    hosts: Vec<HostPattern>,
    #[serde(default)]
    first_label: Vec<Label>,
    #[serde(default)]
    methods: Vec<String>,
    #[serde(default)]
    paths: Vec<PathPattern>,
    header: Option<HeaderTest>,
    pub(super) body: Option<BodyTest>,
}

/// What is known of a request at its head.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) host: &'a str,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) fields: &'a Fields,
}

impl KindRow {
    /// Whether it has no test.
    pub(super) fn matches_all(&self) -> bool {
        self.hosts.is_empty()
            && self.first_label.is_empty()
            && self.methods.is_empty()
            && self.paths.is_empty()
            && self.header.is_none()
            && self.body.is_none()
    }

    /// Whether all tests but the body's hold.
    pub(super) fn matches(&self, asked: &Asked<'_>) -> bool {
        any(&self.methods, |method| method == asked.method)
            && any(&self.first_label, |label| label.matches(asked.host))
            && any(&self.hosts, |pattern| pattern.matches(asked.host))
            && any(&self.paths, |pattern| pattern.matches(asked.path))
            && self.header.as_ref().is_none_or(|test| test.holds(asked.fields))
    }
}

/// No test holds always.
fn any<T>(tests: &[T], holds: impl FnMut(&T) -> bool) -> bool {
    tests.is_empty() || tests.iter().any(holds)
}

/// The first label of a host, or how it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Label {
    text: String,
    open: bool,
}

impl Label {
    fn matches(&self, host: &str) -> bool {
        let first = host.split('.').next().unwrap_or(host).as_bytes();
        let wanted = self.text.as_bytes();
        let compared = if self.open { first.get(..wanted.len()).unwrap_or_default() } else { first };
        compared.eq_ignore_ascii_case(wanted)
    }
}

/// A field of the request's head.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderTest {
    name: String,
    equals: Option<String>,
    prefix: Option<String>,
}

impl HeaderTest {
    fn holds(&self, fields: &Fields) -> bool {
        fields.first(&self.name).is_some_and(|value| {
            self.equals.as_ref().is_none_or(|wanted| value == wanted.as_bytes())
                && self.prefix.as_ref().is_none_or(|wanted| value.starts_with(wanted.as_bytes()))
        })
    }
}

/// A string in the JSON of the request's body.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BodyTest {
    pointer: String,
    equals: Option<String>,
    prefix: Option<String>,
}

impl BodyTest {
    pub(super) fn holds(&self, json: &serde_json::Value) -> bool {
        json.pointer(&self.pointer).and_then(serde_json::Value::as_str).is_some_and(|value| {
            self.equals.as_ref().is_none_or(|wanted| value == wanted)
                && self.prefix.as_ref().is_none_or(|wanted| value.starts_with(wanted.as_str()))
        })
    }
}

fn shared<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
    String::deserialize(deserializer).map(Arc::from)
}

impl<'de> Deserialize<'de> for Label {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (label, open) = match text.strip_suffix('*') {
            Some(label) => (label, true),
            None => (text.as_str(), false),
        };
        if label.is_empty() || label.contains(['*', '.']) {
            return Err(D::Error::custom(format_args!(
                "not the first label of a host: {text:?}; write api, or api* for labels that begin so"
            )));
        }
        Ok(Self { text: label.to_owned(), open })
    }
}

impl<'de> Deserialize<'de> for PathPattern {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .map_err(|reason| D::Error::custom(format_args!("not a pattern of paths: {text:?} ({reason})")))
    }
}
