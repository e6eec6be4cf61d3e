//! Two exchanges beside each other: what is different in their rows, their headers, and what was asked and answered.

use std::fmt::Write;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::archive::{Body, Record};
use crate::copilot::answer::Answer;
use crate::copilot::prompt::{Part, Prompt};
use crate::index::Row;
use crate::review::subject::understood;

/// A value that two exchanges do not have in common.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Change {
    /// The field's name.
    pub name: String,
    /// The first one's; none where it has none.
    pub old: Option<String>,
    /// The second one's.
    pub new: Option<String>,
}

/// What is different between two exchanges.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// Of their rows, by the names of `list --json`.
    pub fields: Vec<Change>,
    /// Of the requests' headers, by name.
    pub request_headers: Vec<Change>,
    /// Of the responses' headers.
    pub response_headers: Vec<Change>,
    /// What was asked, as text: each part behind a line that says what it is.
    pub prompts: [String; 2],
    /// What was answered, likewise.
    pub answers: [String; 2],
}

impl Difference {
    /// From one to the other.
    #[must_use]
    pub fn of(old: (&Row, &Record), new: (&Row, &Record)) -> Self {
        let [(old_prompt, old_answer), (new_prompt, new_answer)] = [old, new].map(|(_, record)| {
            let (prompt, answer) = understood(record);
            let prompt = prompt.map_or_else(|| body(&record.request_body), |prompt| prompt_text(&prompt));
            (prompt, answer.map_or_else(|| body(&record.response_body), |answer| answer_text(&answer)))
        });
        let ((old_row, old), (new_row, new)) = (old, new);
        Self {
            fields: fields(old_row, new_row),
            request_headers: headers(&old.request_headers, &new.request_headers),
            response_headers: headers(&old.response_headers, &new.response_headers),
            prompts: [old_prompt, new_prompt],
            answers: [old_answer, new_answer],
        }
    }
}

/// Which differ always, and say nothing.
const TRIVIAL: [&str; 2] = ["id", "file"];

fn fields(old: &Row, new: &Row) -> Vec<Change> {
    let [old, new] = [old, new].map(|row| match serde_json::to_value(row) {
        Ok(serde_json::Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    });
    let names = old.keys().filter(|name| !TRIVIAL.contains(&name.as_str()));
    let value = |name: &str, value: Option<&serde_json::Value>| match value {
        None | Some(serde_json::Value::Null) => None,
        Some(serde_json::Value::String(text)) => Some(text.clone()),
        Some(value) => Some(match (name, value.as_i64()) {
            ("began", Some(micros)) => time(micros),
            _ => value.to_string(),
        }),
    };
    let changes = names.map(|name| Change {
        name: name.clone(),
        old: value(name, old.get(name)),
        new: value(name, new.get(name)),
    });
    changes.filter(|change| change.old != change.new).collect()
}

fn time(micros: i64) -> String {
    let time = DateTime::<Utc>::from_timestamp_micros(micros).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

type Fields = [(String, String)];

/// Names in the order in which they come, without regard to case; values of a name that stands there twice together.
fn headers(old: &Fields, new: &Fields) -> Vec<Change> {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in old.iter().chain(new) {
        let name = name.to_ascii_lowercase();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let values = |fields: &Fields, name: &str| {
        let values = fields.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let values: Vec<_> = values.map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    };
    let changes = names.into_iter().map(|name| Change { old: values(old, &name), new: values(new, &name), name });
    changes.filter(|change| change.old != change.new).collect()
}

fn body(body: &Body) -> String {
    match &body.bytes {
        Some(bytes) => format!("({} bytes that are no text)\n", bytes.len()),
        None => body.text.clone(),
    }
}

fn prompt_text(prompt: &Prompt) -> String {
    let mut text = String::new();
    for (name, piece) in [("before the cursor", &prompt.prefix), ("behind the cursor", &prompt.suffix)] {
        if let Some(piece) = piece {
            part(&mut text, name, piece);
        }
    }
    for turn in &prompt.turns {
        for piece in &turn.parts {
            match piece {
                Part::Text { text: said } => part(&mut text, &turn.role, said),
                Part::Reasoning { text: said } => part(&mut text, &format!("{}: reasoning", turn.role), said),
                Part::ToolCall { name, arguments, .. } => call(&mut text, name, arguments),
                Part::ToolResult { text: said, .. } => part(&mut text, "result of a tool", said),
                Part::Other { kind } => part(&mut text, &format!("{}: {kind}", turn.role), ""),
            }
        }
    }
    if !prompt.tools.is_empty() {
        part(&mut text, "tools offered", &prompt.tools.join("\n"));
    }
    text
}

fn answer_text(answer: &Answer) -> String {
    let mut text = String::new();
    for choice in &answer.choices {
        let which = if answer.choices.len() > 1 { format!("choice {}", choice.index) } else { "answer".to_owned() };
        if !choice.reasoning.is_empty() {
            part(&mut text, &format!("{which}: reasoning"), &choice.reasoning);
        }
        if !choice.text.is_empty() {
            part(&mut text, &which, &choice.text);
        }
        for tool in &choice.tool_calls {
            call(&mut text, &tool.name, &tool.arguments);
        }
        if let Some(reason) = &choice.finish_reason {
            part(&mut text, &format!("{which}: ended"), reason);
        }
    }
    if let Some(error) = &answer.error {
        part(&mut text, "error", &format!("{} {}", error.code.as_deref().unwrap_or(""), error.message));
    }
    text
}

/// On lines, so that lines can be compared.
fn call(text: &mut String, name: &str, arguments: &str) {
    let value: Option<serde_json::Value> = serde_json::from_str(arguments).ok();
    let pretty = value.and_then(|value| serde_json::to_string_pretty(&value).ok());
    part(text, &format!("call of {name}"), pretty.as_deref().unwrap_or(arguments));
}

fn part(text: &mut String, name: &str, said: &str) {
    let end = if said.is_empty() || said.ends_with('\n') { "" } else { "\n" };
    write!(text, "── {name}\n{said}{end}").expect("writing to a String does not fail");
}

#[cfg(test)]
#[path = "difference_tests.rs"]
mod tests;
