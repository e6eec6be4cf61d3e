//! JSON lines: one object for each exchange, with what was asked and what came back in one form for all formats.

use std::io::{self, Write};

use serde::Serialize;

use crate::archive::Record;
use crate::copilot::answer::{self, Answer};
use crate::copilot::prompt::{self, Prompt};
use crate::index::Row;
use crate::rules::Kind;

/// Writes one line for each exchange.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
}

/// A line: the row's columns, and then the meaning of the bodies.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    row: &'a Row,
    prompt: Option<Prompt>,
    answer: Option<Answer>,
}

impl<W: Write> Writer<W> {
    /// Writes to `out`, which should be buffered.
    #[must_use]
    pub const fn new(out: W) -> Self {
        Self { out }
    }

    /// Writes one exchange.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn add(&mut self, row: &Row, record: &Record) -> io::Result<()> {
        // Bodies of telemetry are events, not conversations; some have a `prompt` property of their own.
        let conversation = row.kind != Kind::Telemetry;
        let prompt = conversation.then(|| prompt::read(&record.request_body.text)).flatten();
        let answer =
            (conversation && record.status.is_some()).then(|| answer::read(&record.response_body.text)).flatten();
        let answer = answer.map(|answer| answer.or_estimate(prompt.as_ref()));
        let line = Line { row, prompt, answer };
        serde_json::to_writer(&mut self.out, &line)?;
        self.out.write_all(b"\n")
    }

    /// Ends the document and gives back what it was written to.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::super::testing;
    use super::*;

    fn lines(rows: &[(Row, Record)]) -> String {
        let mut writer = Writer::new(Vec::new());
        for (row, record) in rows {
            writer.add(row, record).unwrap();
        }
        String::from_utf8(writer.finish().unwrap()).unwrap()
    }

    #[test]
    fn a_line_is_the_row_and_the_conversation() {
        let row = testing::row();
        let record = testing::record();
        let text = lines(&[(row.clone(), record.clone()), (row.clone(), record.clone())]);
        assert!(text.ends_with('\n'));
        assert_eq!(text.lines().count(), 2);
        let mut expected = serde_json::to_value(&row).unwrap();
        expected["prompt"] = serde_json::to_value(prompt::read(&record.request_body.text)).unwrap();
        expected["answer"] = serde_json::to_value(answer::read(&record.response_body.text)).unwrap();
        for line in text.lines() {
            assert_eq!(serde_json::from_str::<Value>(line).unwrap(), expected);
        }
        assert!(
            text.starts_with(r#"{"id":"01890000-0000-7000-8000-000000000001","file":"completions/a.json","form":"#)
        );
    }

    #[test]
    fn an_answer_without_tokens_has_its_requests_estimate() {
        let mut record = testing::record();
        record.request_body.text = r#"{"prompt":"a","extra":{"prompt_tokens":60,"suffix_tokens":7}}"#.into();
        let usage = |record: &Record| {
            let line: Value = serde_json::from_str(&lines(&[(testing::row(), record.clone())])).unwrap();
            [line["answer"]["usage"]["input"].clone(), line["answer"]["usage"]["source"].clone()]
        };
        record.response_body.text = r#"{"choices":[{"index":0,"text":"b"}]}"#.into();
        assert_eq!(usage(&record), [Value::from(67), Value::from("request")]);
        record.response_body.text = r#"{"choices":[{"index":0,"text":"b"}],"usage":{"prompt_tokens":70}}"#.into();
        assert_eq!(usage(&record), [Value::from(70), Value::from("answer")]);
    }

    #[test]
    fn what_has_no_conversation_has_null() {
        let row = Row { kind: Kind::Telemetry, status: None, ..testing::row() };
        let text = lines(&[(row, Record { status: None, ..testing::record() })]);
        assert!(text.ends_with(",\"prompt\":null,\"answer\":null}\n"), "{text}");
    }

    proptest! {
        #[test]
        fn lines_read_back_equal(rows in prop::collection::vec(testing::any_row(), 0..4)) {
            let pairs: Vec<_> = rows.iter().map(|row| (row.clone(), testing::record())).collect();
            let text = lines(&pairs);
            prop_assert_eq!(text.matches('\n').count(), rows.len(), "no line break within a line");
            for (line, row) in text.lines().zip(&rows) {
                let mut read: Value = serde_json::from_str(line).unwrap();
                let map = read.as_object_mut().unwrap();
                prop_assert!(map.remove("prompt").is_some() && map.remove("answer").is_some());
                prop_assert_eq!(read, serde_json::to_value(row).unwrap());
            }
        }
    }
}
