//! CSV for spreadsheets: one line for each exchange, without bodies (RFC 4180).

use std::io::{self, Write};

use serde_json::Value;

use crate::index::Row;

/// The columns: the keys of a row, in their order.
pub const COLUMNS: [&str; 49] = [
    "id",
    "file",
    "form",
    "began",
    "kind",
    "rule",
    "user",
    "tid",
    "client",
    "machine",
    "session",
    "editor",
    "editor_version",
    "plugin",
    "host",
    "path",
    "method",
    "status",
    "complete",
    "aborted_by",
    "problem",
    "error",
    "initiator",
    "intent",
    "interaction",
    "request_id",
    "response_id",
    "previous_response_id",
    "speculative",
    "model",
    "model_answered",
    "language",
    "request_size",
    "response_size",
    "connect_ms",
    "tls_ms",
    "first_byte_ms",
    "first_token_ms",
    "total_ms",
    "server_ms",
    "tokens_in",
    "tokens_cached",
    "tokens_out",
    "tokens_reasoning",
    "finish_reason",
    "choices",
    "tool_calls",
    "answer_chars",
    "noise",
];

/// Writes a line of names, then one line for each exchange.
pub struct Writer<W: Write> {
    out: ::csv::Writer<W>,
}

impl<W: Write> Writer<W> {
    /// Writes the names to `out`.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn new(out: W) -> io::Result<Self> {
        let mut out = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(out);
        out.write_record(COLUMNS).map_err(io_error)?;
        Ok(Self { out })
    }

    /// Writes one exchange.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn add(&mut self, row: &Row) -> io::Result<()> {
        let values = serde_json::to_value(row)?;
        for column in COLUMNS {
            let cell = match &values[column] {
                Value::Null => String::new(),
                Value::Number(_) if column == "began" => super::time(row.began).format(TIME).to_string(),
                Value::String(text) => harmless(text),
                other => other.to_string(),
            };
            self.out.write_field(cell).map_err(io_error)?;
        }
        self.out.write_record(None::<&[u8]>).map_err(io_error)
    }

    /// Ends the document and gives back what it was written to.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn finish(self) -> io::Result<W> {
        self.out.into_inner().map_err(::csv::IntoInnerError::into_error)
    }
}

/// What `out` said: as the library hands it on, nobody could tell a closed pipe from a full disk.
fn io_error(error: ::csv::Error) -> io::Error {
    match error.into_kind() {
        ::csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// ISO 8601, UTC.
const TIME: &str = "%Y-%m-%dT%H:%M:%S%.6fZ";

/// A text that no spreadsheet takes for a formula: models, paths and errors are what a server or a client says. A text
/// that begins with the mark itself gets one more, so that the mark can be taken off again.
pub(crate) fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\'']) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing;
    use super::*;
    use crate::copilot::noise::Noise;

    fn table(rows: &[Row]) -> String {
        let mut writer = Writer::new(Vec::new()).unwrap();
        for row in rows {
            writer.add(row).unwrap();
        }
        String::from_utf8(writer.finish().unwrap()).unwrap()
    }

    #[test]
    fn the_columns_are_the_rows_keys() {
        let row = serde_json::to_value(testing::row()).unwrap();
        assert_eq!(row.as_object().unwrap().keys().collect::<Vec<_>>(), COLUMNS);
    }

    #[test]
    fn nothing_gives_the_names_alone() {
        assert_eq!(table(&[]), COLUMNS.join(",") + "\r\n");
    }

    #[test]
    fn cells_are_exact() {
        let row = Row {
            user: Some("=cmd|' /C calc'!A0".into()),
            editor: Some("a \"b\", c\r\nd".into()),
            noise: Some(Noise::NoText),
            ..testing::row()
        };
        let text = table(&[row]);
        let (_, line) = text.split_once("\r\n").unwrap();
        assert_eq!(
            line,
            "01890000-0000-7000-8000-000000000001,completions/a.json,recorder,2024-12-08T13:05:57.639893Z,completions,\
             ghost text,'=cmd|' /C calc'!A0,5e1e,127.0.0.1,4ce93ec3b2,s-1,\"a \"\"b\"\", c\r\nd\",vscode/1.95.3,\
             copilot/1.248.0,proxy.example.com,/v1/engines/gpt-41-copilot/completions,POST,200,true,,,,,copilot-ghost,,\
             r-1,cmpl-1,,false,gpt-41-copilot,gpt-41-copilot,python,76,67,12.1,24.9,210.3,250.0,382.4,190.0,67,,,,stop,\
             1,0,13,no-text\r\n"
        );
    }

    #[test]
    fn formulas_are_marked() {
        for text in ["=1", "+1", "-1", "@a", "\ta", "\ra", "\na", "'a"] {
            assert_eq!(harmless(text), format!("'{text}"));
        }
        for text in ["", "a=1", " =1", "1-2", "é"] {
            assert_eq!(harmless(text), text);
        }
    }

    proptest! {
        #[test]
        fn tables_read_back_equal(rows in prop::collection::vec(testing::any_row(), 0..4)) {
            let text = table(&rows);
            let mut reader = ::csv::Reader::from_reader(text.as_bytes());
            prop_assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), COLUMNS);
            let lines: Vec<_> = reader.records().collect::<Result<_, _>>().unwrap();
            prop_assert_eq!(lines.len(), rows.len());
            for (line, row) in lines.iter().zip(&rows) {
                let values = serde_json::to_value(row).unwrap();
                for (cell, column) in line.iter().zip(COLUMNS) {
                    match &values[column] {
                        Value::Null => prop_assert_eq!(cell, ""),
                        Value::String(text) => prop_assert_eq!(cell.strip_prefix('\'').unwrap_or(cell), text),
                        Value::Number(micros) if column == "began" => {
                            let read = chrono::DateTime::parse_from_rfc3339(cell).unwrap();
                            prop_assert_eq!(read.timestamp_micros(), micros.as_i64().unwrap());
                        }
                        other => prop_assert_eq!(&serde_json::from_str::<Value>(cell).unwrap(), other),
                    }
                }
            }
        }
    }
}
