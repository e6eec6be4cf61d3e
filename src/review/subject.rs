//! One exchange, whole: its row, its record, what was asked and answered, and what became of it.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::text::json_line;
use crate::archive::{self, Form, Record, Unreadable};
use crate::copilot::answer::Answer;
use crate::copilot::prompt::Prompt;
use crate::copilot::telemetry::{self, Batch};
use crate::copilot::{answer, prompt};
use crate::index::{EventRow, Index, IndexError, Row};
use crate::rules::Kind;

/// All that is known of an exchange.
#[derive(Debug)]
pub struct Subject {
    /// What the index has of it.
    pub row: Row,
    /// Its file.
    pub record: Record,
    /// What was asked, if the request's body is a prompt.
    pub prompt: Option<Prompt>,
    /// What was answered, if the response's body is an answer; tokens as the request estimates them where it does not
    /// tell.
    pub answer: Option<Answer>,
    /// What telemetry says of it.
    pub events: Vec<EventRow>,
    /// If it is telemetry: what it says.
    pub batch: Option<Batch>,
    /// The exchange that it goes on from.
    pub previous: Option<Row>,
    /// Those that go on from it, oldest first.
    pub next: Vec<Row>,
}

/// Why an exchange that the index knows cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum SubjectError {
    /// Its file was deleted or moved since the index saw it.
    #[error("{path} {why}")]
    Gone {
        /// The file.
        path: PathBuf,
        /// As the system says it.
        why: Unreadable,
    },
    /// Its file is there and cannot be read any more.
    #[error("{path} {why}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: Unreadable,
    },
    /// The index fails.
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// A record's file, read once, so that all that is shown of it is of one moment.
#[derive(Debug)]
pub struct RecordFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Its bytes.
    pub text: Vec<u8>,
    /// What they say.
    pub record: Record,
}

impl RecordFile {
    /// Reads the file of a row.
    ///
    /// # Errors
    /// When it is gone or cannot be read.
    pub fn read(logs: &Path, row: &Row) -> Result<Self, SubjectError> {
        let path = logs.join(&row.file);
        let read = archive::load(&path).and_then(|text| {
            let record = archive::parse(Path::new(&row.file), &text)?;
            Ok((text, record))
        });
        match read {
            Ok((text, record)) => Ok(Self { path, text, record }),
            Err(why) => {
                let real = logs.join(archive::real_path(logs, Path::new(&row.file)));
                let about = std::fs::symlink_metadata(real);
                match about {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Err(SubjectError::Gone { path, why }),
                    _ => Err(SubjectError::Unreadable { path, why }),
                }
            }
        }
    }
}

impl Subject {
    /// Reads the record of a row and asks the index for what stands around it.
    ///
    /// # Errors
    /// When the file is gone or cannot be read, or the index fails.
    pub fn gather(index: &Index, row: Row) -> Result<Self, SubjectError> {
        let file = RecordFile::read(index.logs(), &row)?;
        Self::of(index, row, file.record)
    }

    /// As [`Subject::gather`], of a record that was read already.
    ///
    /// # Errors
    /// When the index fails.
    pub fn of(index: &Index, row: Row, record: Record) -> Result<Self, SubjectError> {
        let telemetry = row.kind == Kind::Telemetry;
        let events = match &row.request_id {
            Some(id) if !telemetry => index.events_of(id)?,
            _ => Vec::new(),
        };
        let previous = match &row.previous_response_id {
            Some(id) => index.answered(id)?,
            None => None,
        };
        let next = match &row.response_id {
            Some(id) => index.following(id)?,
            None => Vec::new(),
        };
        let body = &record.request_body;
        let batch = telemetry.then(|| telemetry::read(body.bytes.as_deref().unwrap_or(body.text.as_bytes())));
        let (prompt, answer) = if telemetry { (None, None) } else { understood(&record) };
        Ok(Self { row, record, prompt, answer, events, batch, previous, next })
    }

    /// Leaves out what is of users that may not be seen. Ids lead to it, and an id is what a client says: who sends
    /// somebody else's must not be told what became of that one's.
    pub fn restrict(&mut self, may_see: impl Fn(Option<&str>) -> bool) {
        self.events.retain(|event| may_see(event.user.as_deref()));
        self.next.retain(|row| may_see(row.user.as_deref()));
        self.previous = self.previous.take().filter(|row| may_see(row.user.as_deref()));
    }

    /// All of it as one line of JSON: row, prompt, answer, events, telemetry, record. `file` is the text of its file.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn json(&self, file: &[u8]) -> Result<String, serde_json::Error> {
        json_line(&Whole {
            row: &self.row,
            prompt: self.prompt.as_ref(),
            answer: self.answer.as_ref(),
            events: &self.events,
            telemetry: self.batch.as_ref().map(|batch| batch.events.iter().map(event_json).collect()),
            previous: self.previous.as_ref().map(|row| row.id.as_str()),
            next: self.next.iter().map(|row| row.id.as_str()).collect(),
            record: self.file_json(file),
        })
    }

    /// The file's own JSON. Files of the older tool hold credentials, which nobody is given.
    #[must_use]
    pub fn file_json(&self, file: &[u8]) -> serde_json::Value {
        file_json(&self.record, file)
    }
}

/// What a record's bodies say: the prompt, and the answer with its request's estimate of tokens.
#[must_use]
pub fn understood(record: &Record) -> (Option<Prompt>, Option<Answer>) {
    let prompt = prompt::read(&record.request_body.text);
    let answer = answer::read(&record.response_body.text).map(|answer| answer.or_estimate(prompt.as_ref()));
    (prompt, answer)
}

/// What `show --json` writes.
#[derive(Serialize)]
struct Whole<'a> {
    row: &'a Row,
    prompt: Option<&'a Prompt>,
    answer: Option<&'a Answer>,
    events: &'a [EventRow],
    #[serde(skip_serializing_if = "Option::is_none")]
    telemetry: Option<Vec<serde_json::Value>>,
    previous: Option<&'a str>,
    next: Vec<&'a str>,
    record: serde_json::Value,
}

/// An event of a batch of telemetry, as JSON has it.
#[must_use]
pub fn event_json(event: &telemetry::Event) -> serde_json::Value {
    serde_json::json!({
        "time": event.time,
        "key": event.key,
        "name": event.name,
        "full_name": event.full_name,
        "tid": event.tid,
        "properties": event.properties,
        "measurements": event.measurements,
        "exception": event.exception,
    })
}

/// The JSON of a record's file, without what those of the older tool have of credentials.
#[must_use]
pub fn file_json(record: &Record, text: &[u8]) -> serde_json::Value {
    // What was read as a record can be deeper than this reader goes, in what records do not have.
    let mut file: serde_json::Value = serde_json::from_slice(text).unwrap_or_default();
    let Some(top) = file.as_object_mut().filter(|_| record.form == Form::Older) else { return file };
    // Other keys are not of that tool: nobody knows what is in them.
    top.retain(|key, _| OLDER_KEYS.contains(&key.as_str()));
    top.insert("proxy-authorization".into(), record.user.as_deref().unwrap_or("-").into());
    for (message, fields, body) in [
        ("request", &record.request_headers, &record.request_body),
        ("response", &record.response_headers, &record.response_body),
    ] {
        let Some(message) = top.get_mut(message).and_then(serde_json::Value::as_object_mut) else { continue };
        message.retain(|key, _| OLDER_MESSAGE_KEYS.contains(&key.as_str()));
        if message.contains_key("url") {
            message.insert("url".into(), record.url.as_str().into());
        }
        let fields = fields.iter().map(|(name, value)| (name.clone(), value.as_str().into()));
        message.insert("headers".into(), serde_json::Value::Object(fields.collect()));
        if let Some(content) = message.get_mut("content").filter(|content| !content.is_null()) {
            *content = without_secrets(content, &body.text);
        }
    }
    file
}

/// The keys of the older tool's records.
const OLDER_KEYS: [&str; 5] = ["proxy-authorization", "timestamp", "proxy-time-consumed", "request", "response"];
/// Those of its two messages.
const OLDER_MESSAGE_KEYS: [&str; 5] = ["url", "method", "headers", "content", "status_code"];

/// A body in the form that the file has it in, parsed or text. `text` is what was read of it, without credentials.
fn without_secrets(content: &serde_json::Value, text: &str) -> serde_json::Value {
    let parsed = if content.is_string() { None } else { serde_json::from_str(text).ok() };
    parsed.unwrap_or_else(|| text.into())
}

#[cfg(test)]
#[path = "subject_tests.rs"]
mod tests;
