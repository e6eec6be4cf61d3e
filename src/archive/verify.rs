//! Whether record files are what was written: whole, unchanged, in their place, and each there once.

use std::collections::HashSet;
use std::path::Path;

use serde::Deserialize;
use uuid::Uuid;

use super::body::Details;
use super::file::{self, File};
use super::raw::{self, Raw};
use super::{Form, Record, Unreadable};
use crate::digest::{hex, sha256};
use crate::rules::Kind;

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// It cannot be read, or is no record.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// A body is not the one that was written.
    #[error("the {message}'s body was changed: its SHA-256 is {found}, and {written} was written")]
    Changed {
        /// `request` or `response`.
        message: &'static str,
        /// Of what is there, in hexadecimal digits.
        found: String,
        /// As it was noted.
        written: String,
    },
    /// A body is there of which no digest was noted, because it was lost; or a digest is no digest.
    #[error("the {message}'s body cannot be checked: {why}")]
    Unchecked {
        /// `request` or `response`.
        message: &'static str,
        /// Why.
        why: &'static str,
    },
    /// It lies in the folder of another kind.
    #[error("is of the kind {kind} and lies in the folder of {folder}")]
    Misplaced {
        /// As recorded.
        kind: Kind,
        /// As the folder says.
        folder: Kind,
    },
    /// Another file has the same id.
    #[error("has the id {id} of another file")]
    Duplicate {
        /// The id.
        id: Uuid,
    },
}

impl Finding {
    /// A short word for programs and for summaries.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::Unreadable(Unreadable::Io(_)) => "unreadable",
            Self::Unreadable(Unreadable::Cut) => "truncated",
            Self::Unreadable(Unreadable::NotJson) => "not-json",
            Self::Unreadable(Unreadable::Foreign) => "foreign",
            Self::Unreadable(Unreadable::Future(_)) => "future",
            Self::Changed { .. } => "changed",
            Self::Unchecked { .. } => "unchecked",
            Self::Misplaced { .. } => "misplaced",
            Self::Duplicate { .. } => "duplicate",
        }
    }
}

/// Checks a file by itself: `path` below the folder of the logs, and what is in it. The record, if it is one, and what
/// is wrong.
#[must_use]
pub fn check(path: &Path, text: &[u8]) -> (Option<Record>, Vec<Finding>) {
    let read = file::open(text).and_then(|file| Ok((file::record(path, &file)?, file)));
    let (record, file) = match read {
        Ok(read) => read,
        Err(why) => return (None, vec![why.into()]),
    };
    let mut findings = Vec::new();
    if record.form == Form::Recorder {
        findings.extend(changed(&file));
        findings.extend(misplaced(path, record.kind));
    }
    (Some(record), findings)
}

/// Tells files with the id of another. Keeps the ids: 16 bytes each, a few tens of MB for a million.
#[derive(Debug, Default)]
pub struct Ids {
    seen: HashSet<Uuid>,
}

impl Ids {
    /// A file has this id.
    pub fn see(&mut self, id: Uuid) -> Option<Finding> {
        (!self.seen.insert(id)).then_some(Finding::Duplicate { id })
    }
}

#[derive(Default, Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    content: Raw<'a>,
}

#[derive(Default, Deserialize)]
struct Recorder<'a> {
    #[serde(borrow, default)]
    request: Raw<'a>,
    #[serde(borrow, default)]
    response: Raw<'a>,
}

/// The bodies against the digests that were noted when they were written.
fn changed(file: &File<'_>) -> Vec<Finding> {
    let recorder: Recorder<'_> = raw::object(file.recorder).unwrap_or_default();
    let messages = [("request", file.request, recorder.request), ("response", file.response, recorder.response)];
    messages.into_iter().filter_map(|(name, message, details)| body(name, message, details)).collect()
}

fn body(message: &'static str, written: Raw<'_>, details: Raw<'_>) -> Option<Finding> {
    let content = raw::object::<Message<'_>>(written).unwrap_or_default().content;
    let Some(content) = raw::text(content) else {
        return Some(Finding::Unchecked { message, why: "its content is not a string" });
    };
    // Without details there was no such message; without digest its body was lost.
    let noted = raw::object::<Details<'_>>(details).and_then(|details| raw::owned(details.content_sha256));
    match noted {
        None if content.is_empty() => None,
        None => Some(Finding::Unchecked { message, why: "no digest of it was written" }),
        Some(noted) => {
            let found = hex(&sha256(content.as_bytes()));
            (found != noted).then(|| Finding::Changed { message, found, written: noted.chars().take(64).collect() })
        }
    }
}

/// In the layouts `{kind}`, `{kind}/{date}` and `{user}/{kind}` the first folder with a kind's name is the kind's; no
/// user's folder has such a name.
fn misplaced(path: &Path, kind: Kind) -> Option<Finding> {
    let folders = path.parent()?.components().take(2);
    let folder = folders.filter_map(|part| part.as_os_str().to_str()?.parse::<Kind>().ok()).next()?;
    (folder != kind).then_some(Finding::Misplaced { kind, folder })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ID: &str = "0193a6f3-0000-7000-8000-000000000001";

    fn record(kind: &str, request: &str, response: &str) -> Value {
        let digest = |text: &str| hex(&sha256(text.as_bytes()));
        json!({
            "proxy-authorization": "-",
            "timestamp": "2024-12-08T13:18:23.331449",
            "proxy-time-consumed": "1.0ms",
            "request": {"url": "https://x.example/y", "method": "POST", "headers": {}, "content": request},
            "response": {"status_code": 200, "headers": {}, "content": response},
            "recorder": {
                "schema": 1, "id": ID, "kind": kind, "rule": "x", "complete": true, "aborted_by": null,
                "request": {"content_sha256": digest(request)},
                "response": {"content_sha256": digest(response)},
            },
        })
    }

    fn check(path: &str, value: &Value) -> Vec<Finding> {
        super::check(Path::new(path), value.to_string().as_bytes()).1
    }

    fn classes(path: &str, text: &str) -> Vec<&'static str> {
        let (_, findings) = super::check(Path::new(path), text.as_bytes());
        findings.iter().map(Finding::class).collect()
    }

    #[test]
    fn a_file_as_it_was_written_is_in_order() {
        let chat = record("chat", "héllo\n\"x\"", "");
        for path in ["chat/a.json", "chat/2024-12-08/a.json", "ann/chat/a.json", "a.json", "x/y/z/a.json"] {
            assert_eq!(check(path, &chat), [], "{path}");
        }
    }

    #[test]
    fn one_letter_of_a_body_is_noticed() {
        let mut value = record("chat", "{\"a\":1}", "data: x");
        value["response"]["content"] = "data: y".into();
        let findings = check("chat/a.json", &value);
        assert_eq!(findings.iter().map(Finding::class).collect::<Vec<_>>(), ["changed"]);
        let said = findings[0].to_string();
        assert!(
            said.starts_with("the response's body was changed") && said.contains(&hex(&sha256(b"data: y"))),
            "{said}"
        );
        value["request"]["content"] = 5.into();
        let said: Vec<_> = check("chat/a.json", &value).iter().map(Finding::class).collect();
        assert_eq!(said, ["unchecked", "changed"]);
    }

    #[test]
    fn a_lost_body_has_no_digest_and_no_content() {
        let mut value = record("chat", "", "");
        value["recorder"]["request"]["content_sha256"] = Value::Null;
        value["recorder"]["response"] = Value::Null;
        assert_eq!(check("chat/a.json", &value), []);
        value["request"]["content"] = "something".into();
        assert_eq!(
            check("chat/a.json", &value),
            [Finding::Unchecked { message: "request", why: "no digest of it was written" }]
        );
    }

    #[test]
    fn a_file_in_the_folder_of_another_kind() {
        let chat = record("chat", "", "");
        let wrong = [Finding::Misplaced { kind: Kind::Chat, folder: Kind::Nes }];
        assert_eq!(check("nes/a.json", &chat), wrong);
        assert_eq!(check("ann/nes/a.json", &chat), wrong);
        assert_eq!(check("nes/2024-12-08/a.json", &chat), wrong);
    }

    #[test]
    fn an_id_is_there_once() {
        let text = record("chat", "", "").to_string();
        let mut ids = Ids::default();
        let mut see = |path: &str| ids.see(super::check(Path::new(path), text.as_bytes()).0.unwrap().id);
        assert_eq!(see("chat/a.json"), None);
        assert_eq!(see("chat/b.json"), Some(Finding::Duplicate { id: ID.parse().unwrap() }));
    }

    #[test]
    fn what_is_no_record_is_said() {
        let whole = record("chat", "abc", "déf").to_string();
        assert_eq!(classes("chat/a.json", "{} x"), ["not-json"]);
        assert_eq!(classes("chat/a.json", "{\"a\": 1}"), ["foreign"]);
        assert_eq!(classes("chat/a.json", &whole.replace("\"schema\":1", "\"schema\":9")), ["future"]);
        for at in whole.char_indices().map(|(at, _)| at).skip(1) {
            assert_eq!(classes("chat/a.json", &whole[..at]), ["truncated"], "cut at {at}");
        }
    }
}
