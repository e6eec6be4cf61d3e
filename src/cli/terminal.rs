//! Documents on their way to a terminal, where what others wrote must move no cursor.

use std::io::{self, Write};

use crate::review::text::misleads;

/// Hands text on with what misleads written as in JSON (`\u009b`): in a JSON document such letters stand in strings alone,
/// so it means the same. Line feeds and tabs stay.
#[derive(Debug)]
pub(super) struct Harmless<W: Write> {
    out: W,
    /// The beginning of a letter, or a carriage return that may belong to a line feed: at most four bytes between calls.
    rest: Vec<u8>,
}

impl<W: Write> Harmless<W> {
    pub(super) const fn new(out: W) -> Self {
        Self { out, rest: Vec::new() }
    }

    fn hand_on(&mut self, end: usize) -> io::Result<()> {
        let bytes: Vec<u8> = self.rest.drain(..end).collect();
        let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
        let mut clean = String::with_capacity(text.len());
        for letter in text.chars() {
            if misleads(letter) && letter != '\n' && letter != '\t' {
                let mut units = [0; 2];
                for unit in letter.encode_utf16(&mut units) {
                    clean.push_str(&format!("\\u{unit:04x}"));
                }
            } else {
                clean.push(letter);
            }
        }
        self.out.write_all(clean.as_bytes())
    }
}

impl<W: Write> Write for Harmless<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.rest.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.rest) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            // What is no UTF-8 at all becomes U+FFFD.
            _ => self.rest.len(),
        };
        let end = whole - usize::from(self.rest[..whole].ends_with(b"\r"));
        self.hand_on(end)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hand_on(self.rest.len())?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(bytes: &[u8], step: usize) -> String {
        let mut out = Vec::new();
        let mut terminal = Harmless::new(&mut out);
        for piece in bytes.chunks(step) {
            terminal.write_all(piece).unwrap();
        }
        terminal.flush().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn nothing_moves_the_cursor_wherever_it_is_cut() {
        let value = serde_json::json!({ "a\u{9b}2J": "\u{7f}\u{202e}\u{e0001} é雪\u{1f600}" });
        let text = format!("{value}\n\t\"x\r\ny\rz\u{1b}[2J\"\r\n\r");
        for step in 1..=text.len() {
            let shown = shown(text.as_bytes(), step);
            let (json, csv) = shown.split_once('\n').unwrap();
            assert_eq!(serde_json::from_str::<serde_json::Value>(json).unwrap(), value, "it means the same");
            assert!(json.contains("é雪\u{1f600}") && !json.chars().any(misleads), "{json}");
            assert_eq!(csv, "\t\"x\ny\\u000dz\\u001b[2J\"\n\\u000d");
        }
        assert_eq!(shown(b"a\xff\xc3", 1), "a\u{fffd}\u{fffd}");
    }
}
