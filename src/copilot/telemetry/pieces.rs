//! Where one envelope ends and the next begins.
//!
//! Between envelopes stands white space, a comma, a bracket, or nothing. JSON itself is read by the caller; here only
//! strings and braces are told apart, so that a body is gone through once and no tree of it is built.

use memchr::memchr3;

use super::envelope::Wrong;

/// How often the bytes of a broken body may be gone through again in search of where the envelopes go on. Without a
/// ceiling, a body of nothing but beginnings would take time in the square of its length.
const SEARCHES_MAX: usize = 8;

/// Calls `read` with each object at the top of `text`; how many of them, and of other things there, could not be read.
pub(super) fn each(text: &str, mut read: impl FnMut(&str) -> Result<(), Wrong>) -> u64 {
    let mut pieces = Pieces { text, at: 0, unreadable: 0, search: text.len().saturating_mul(SEARCHES_MAX) };
    while let Some(first) = pieces.skip_between() {
        if first == b'{' {
            pieces.object(&mut read);
        } else {
            pieces.unreadable += 1;
            pieces.skip_junk();
        }
    }
    pieces.unreadable
}

struct Pieces<'a> {
    text: &'a str,
    at: usize,
    unreadable: u64,
    /// Bytes that the search may still look at.
    search: usize,
}

impl Pieces<'_> {
    /// The byte that the next piece begins with.
    fn skip_between(&mut self) -> Option<u8> {
        let rest = &self.text.as_bytes()[self.at..];
        let skipped = rest.iter().position(|byte| !byte.is_ascii_whitespace() && !b",[]".contains(byte))?;
        self.at += skipped;
        Some(rest[skipped])
    }

    /// Anything that is no object, up to what may be one.
    fn skip_junk(&mut self) {
        let bytes = self.text.as_bytes();
        let quoted = bytes[self.at] == b'"';
        if quoted && let Some(end) = string_end(bytes, self.at) {
            self.at = end;
            return;
        }
        // A string that is not closed may hold anything up to the end of its line.
        let next: &[u8] = if quoted { b"\n" } else { b"\n,[]{" };
        let skipped = bytes[self.at + 1..].iter().position(|byte| next.contains(byte));
        self.at = skipped.map_or(bytes.len(), |skipped| self.at + 1 + skipped);
    }

    fn object(&mut self, read: &mut impl FnMut(&str) -> Result<(), Wrong>) {
        let start = self.at;
        let end = object_end(self.text.as_bytes(), start);
        let outcome = end.map_or(Err(Wrong::NoJson), |end| read(&self.text[start..end]));
        match (outcome, end) {
            (Ok(()), Some(end)) => self.at = end,
            (Err(Wrong::NoEvent), Some(end)) => {
                self.unreadable += 1;
                self.at = end;
            }
            _ => {
                self.unreadable += 1;
                self.find_next(read);
            }
        }
    }

    /// After something that is no JSON: goes on behind the next envelope that can be read. What begins a line is an
    /// envelope, good or bad; what stands after a comma or a bracket may be a part of one, and then says nothing.
    fn find_next(&mut self, read: &mut impl FnMut(&str) -> Result<(), Wrong>) {
        let bytes = self.text.as_bytes();
        let mut from = self.at + 1;
        while let Some(start) = memchr::memchr(b'{', &bytes[from..]).map(|found| from + found) {
            from = start + 1;
            let line = matches!(bytes[start - 1], b'\n');
            if !line && !may_begin(bytes, start) {
                continue;
            }
            let end = object_end(bytes, start);
            let seen = end.unwrap_or(bytes.len()) - start;
            let Some(left) = self.search.checked_sub(seen) else { break };
            self.search = left;
            match end.map(|end| (end, read(&self.text[start..end]))) {
                Some((end, Ok(()))) => {
                    self.at = end;
                    return;
                }
                Some((end, Err(Wrong::NoEvent))) => from = end,
                _ => {}
            }
            self.unreadable += u64::from(line);
        }
        self.at = bytes.len();
    }
}

/// Whether an envelope may stand here: behind another or at the beginning of an array, and with a key.
fn may_begin(bytes: &[u8], start: usize) -> bool {
    let before = bytes[..start].iter().rev().find(|byte| !byte.is_ascii_whitespace());
    let after = bytes[start + 1..].iter().find(|byte| !byte.is_ascii_whitespace());
    before.is_none_or(|byte| b",[}".contains(byte)) && after == Some(&b'"')
}

/// Behind the brace that closes the one at `start`.
fn object_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = start;
    loop {
        at += memchr3(b'"', b'{', b'}', &bytes[at..])?;
        match bytes[at] {
            b'"' => {
                at = string_end(bytes, at)?;
                continue;
            }
            b'{' => depth += 1,
            _ => depth -= 1,
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

/// Behind the quote that closes the string at `start`. A line feed never stands in a JSON string: the string is broken.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        at += memchr3(b'"', b'\\', b'\n', bytes.get(at..)?)?;
        match bytes[at] {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => return None,
        }
    }
}
