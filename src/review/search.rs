//! Where in an exchange the words of a search stand.

use std::path::Path;

use super::words::{Context, Snippet, Words};
use crate::archive::{self, Record};
use crate::copilot::prompt::{Part, Prompt};
use crate::copilot::{answer, prompt};
use crate::index::Row;

/// The first place in the record, on one line of so many columns. None where the file has gone or changed, and where
/// the index sees a word that we do not (it takes letters with and without accents for the same).
#[must_use]
pub fn place(logs: &Path, row: &Row, words: &Words, columns: usize) -> Option<Context> {
    first(logs, row, |text| words.place(text, columns))
}

/// As [`place`], for a page: about so many letters, with all hits among them.
#[must_use]
pub fn snippet(logs: &Path, row: &Row, words: &Words, letters: usize) -> Option<Snippet> {
    first(logs, row, |text| words.snippet(text, letters))
}

fn first<T>(logs: &Path, row: &Row, find: impl Fn(&str) -> Option<T>) -> Option<T> {
    let record = archive::read_below(logs, Path::new(&row.file)).ok()?;
    in_record(&record, find)
}

fn in_record<T>(record: &Record, find: impl Fn(&str) -> Option<T>) -> Option<T> {
    let prompt = prompt::read(&record.request_body.text);
    let mut texts = prompt.as_ref().map(texts_of).unwrap_or_default();
    let answer = answer::read(&record.response_body.text);
    for choice in answer.iter().flat_map(|answer| &answer.choices) {
        texts.extend([choice.text.as_str(), choice.reasoning.as_str()]);
        texts.extend(choice.tool_calls.iter().flat_map(|call| [call.name.as_str(), call.arguments.as_str()]));
    }
    // What could not be understood is searched as it is.
    texts.extend([record.request_body.text.as_str(), record.response_body.text.as_str()]);
    texts.into_iter().find_map(find)
}

/// All text of a prompt, the newest turn first: what was found there is what the exchange is about.
fn texts_of(prompt: &Prompt) -> Vec<&str> {
    let mut texts: Vec<_> = [&prompt.prefix, &prompt.suffix].into_iter().flatten().map(String::as_str).collect();
    for part in prompt.turns.iter().rev().flat_map(|turn| &turn.parts) {
        match part {
            Part::Text { text } | Part::Reasoning { text } | Part::ToolResult { text, .. } => texts.push(text),
            Part::ToolCall { name, arguments, .. } => texts.extend([name.as_str(), arguments]),
            Part::Other { .. } => {}
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::testing::row;

    const RECORD: &str = r#"{"proxy-authorization": "-", "timestamp": "2026-03-02T08:00:00.000000", "proxy-time-consumed": "1ms",
        "request": {"url": "https://a.example/chat/completions", "method": "POST", "headers": {},
            "content": "{\"messages\":[{\"role\":\"user\",\"content\":\"old needle\"},{\"role\":\"user\",\"content\":\"new needle\"}]}"},
        "response": {"status_code": 200, "headers": {}, "content": "{\"choices\":[{\"message\":{\"content\":\"hay\"}}]}"}}"#;

    #[test]
    fn the_newest_turn_is_shown_and_the_answer_is_searched_too() {
        let logs = tempfile::tempdir().unwrap();
        std::fs::write(logs.path().join("a.json"), RECORD).unwrap();
        let row = Row { file: "a.json".into(), ..row() };
        let found = |words: &str| snippet(logs.path(), &row, &Words::of(words), 80);
        assert_eq!(found("needle").map(|found| found.text).as_deref(), Some("new needle"));
        let answer = found("hay").unwrap();
        assert_eq!((answer.text.as_str(), answer.hits.first()), ("hay", Some(&(0..3))));
        assert_eq!(found("absent"), None);
        assert_eq!(place(logs.path(), &row, &Words::of("new"), 40).map(|found| found.hit).as_deref(), Some("new"));
        let gone = Row { file: "b.json".into(), ..row.clone() };
        assert_eq!(snippet(logs.path(), &gone, &Words::of("needle"), 80), None);
    }
}
