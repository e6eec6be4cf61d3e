//! A small writer of JSON in the form of the records: four spaces of indent, `": "` between name and value.
//!
//! The text goes straight into a buffer, because a record is written for every exchange and holds its bodies.

use std::io::Write;
use std::time::Duration;

/// JSON text that grows.
#[derive(Default)]
pub(super) struct Json {
    out: Vec<u8>,
    depth: usize,
    /// Nothing was written yet into the innermost object or array.
    empty: bool,
}

impl Json {
    /// Starts anew in a buffer that was used before.
    pub(super) fn reuse(mut out: Vec<u8>) -> Self {
        out.clear();
        Self { out, depth: 0, empty: true }
    }

    /// The text.
    pub(super) fn finish(self) -> Vec<u8> {
        self.out
    }

    pub(super) fn open(&mut self, bracket: u8) {
        self.out.push(bracket);
        self.depth += 1;
        self.empty = true;
    }

    pub(super) fn close(&mut self, bracket: u8) {
        self.depth -= 1;
        if !self.empty {
            self.line();
        }
        self.out.push(bracket);
        self.empty = false;
    }

    /// A member's name, known to need no escaping.
    pub(super) fn key(&mut self, name: &str) {
        self.next();
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\": ");
    }

    /// A member's name that a peer chose.
    pub(super) fn foreign_key(&mut self, name: &str) {
        self.next();
        self.text(name);
        self.out.extend_from_slice(b": ");
    }

    /// Begins the next element of an array, or the next member, on its own line.
    pub(super) fn next(&mut self) {
        if !std::mem::take(&mut self.empty) {
            self.out.push(b',');
        }
        self.line();
    }

    /// A string; what is not ASCII stays UTF-8.
    pub(super) fn text(&mut self, text: &str) {
        serde_json::to_writer(&mut self.out, text).expect("writing to a Vec does not fail");
    }

    /// A string that needs no escaping.
    pub(super) fn plain(&mut self, text: &str) {
        self.out.push(b'"');
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'"');
    }

    /// A string that needs no escaping, formatted in place.
    pub(super) fn shown(&mut self, value: &dyn std::fmt::Display) {
        write!(self.out, "\"{value}\"").expect("writing to a Vec does not fail");
    }

    pub(super) fn optional_text(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.raw("null"),
        }
    }

    pub(super) fn number(&mut self, number: u64) {
        write!(self.out, "{number}").expect("writing to a Vec does not fail");
    }

    pub(super) fn bool(&mut self, value: bool) {
        self.raw(if value { "true" } else { "false" });
    }

    /// Milliseconds with at most `decimals` decimals, as Python prints a rounded float.
    pub(super) fn millis(&mut self, duration: Duration, decimals: u32) {
        push_millis(&mut self.out, duration, decimals);
    }

    /// Text that is JSON already.
    pub(super) fn raw(&mut self, json: &str) {
        self.out.extend_from_slice(json.as_bytes());
    }

    fn line(&mut self) {
        const SPACES: &[u8] = b"\n                                ";
        self.out.extend_from_slice(&SPACES[..1 + 4 * self.depth.min(8)]);
    }
}

/// Writes `duration` in milliseconds, rounded to `decimals`, trailing zeros dropped, always with one decimal: the form
/// of Python's `repr(round(x, decimals))`, which the old files have.
pub(super) fn push_millis(out: &mut Vec<u8>, duration: Duration, decimals: u32) {
    let unit = 10_u128.pow(6 - decimals);
    let scale = 10_u128.pow(decimals);
    let rounded = (duration.as_nanos() + unit / 2) / unit;
    write!(out, "{}.{:0width$}", rounded / scale, rounded % scale, width = decimals as usize)
        .expect("writing to a Vec does not fail");
    while out.ends_with(b"0") && !out.ends_with(b".0") {
        out.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(nanos: u64, decimals: u32) -> String {
        let mut out = Vec::new();
        push_millis(&mut out, Duration::from_nanos(nanos), decimals);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn milliseconds_look_like_pythons_floats() {
        assert_eq!(millis(382_400_000, 2), "382.4");
        assert_eq!(millis(530_509_999, 2), "530.51");
        assert_eq!(millis(0, 2), "0.0");
        assert_eq!(millis(4_999, 2), "0.0");
        assert_eq!(millis(5_000, 2), "0.01");
        assert_eq!(millis(999_999_999, 2), "1000.0");
        assert_eq!(millis(100_000_000, 2), "100.0");
        assert_eq!(millis(1_050_000, 3), "1.05");
        assert_eq!(millis(61_000_001_400, 3), "61000.001");
    }

    #[test]
    fn layout_is_that_of_pythons_json_module() {
        let mut json = Json::default();
        json.empty = true;
        json.open(b'{');
        json.key("a");
        json.open(b'{');
        json.close(b'}');
        json.foreign_key("b\"\n");
        json.open(b'[');
        json.next();
        json.number(1);
        json.next();
        json.text("ä\u{1}\u{7f}\"\\/");
        json.close(b']');
        json.close(b'}');
        let expected =
            "{\n    \"a\": {},\n    \"b\\\"\\n\": [\n        1,\n        \"ä\\u0001\u{7f}\\\"\\\\/\"\n    ]\n}";
        assert_eq!(String::from_utf8(json.finish()).expect("UTF-8"), expected);
    }
}
