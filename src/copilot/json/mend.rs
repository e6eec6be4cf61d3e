//! JSON text that does not parse, made to parse as far as it goes.
//!
//! A body that was cut in the middle of its JSON still holds most of an answer. The text is read up to where it ends or
//! breaks, cut back to the last place at which a value was whole, and the open brackets are closed. A string that was
//! cut is kept as far as it came where it is text for people or for a program ([`TEXTS`]); half a name or half an id
//! would be a wrong one.

use std::borrow::Cow;

/// Keys whose strings may be cut.
const TEXTS: [&str; 17] = [
    "arguments",
    "content",
    "cot_summary",
    "delta",
    "input",
    "instructions",
    "message",
    "output",
    "partial_json",
    "prompt",
    "reasoning_content",
    "reasoning_text",
    "refusal",
    "suffix",
    "system",
    "text",
    "thinking",
];

/// Deepest nesting followed: serde_json's own.
const DEPTH: usize = 127;

/// How a text ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::copilot) enum End {
    /// A whole value; more may follow.
    Whole,
    /// The text ends within the value.
    Cut,
    /// What comes is no JSON, or nested too deeply.
    Broken,
}

/// The value at the start of a text, as far as it goes.
#[derive(Debug)]
pub(in crate::copilot) struct Scan<'a> {
    text: &'a str,
    /// Where reading stopped.
    pub(in crate::copilot) stopped: usize,
    /// Why.
    pub(in crate::copilot) end: End,
    /// The text up to here can be closed.
    kept: usize,
    /// `kept` lies within a string.
    in_string: bool,
    /// The brackets open at `kept`, outermost first, each by the bracket that closes it.
    open: Vec<u8>,
}

/// A text that parses.
#[derive(Debug)]
pub(in crate::copilot) struct Mended {
    /// The text: the beginning of the original, and what closes it.
    pub(in crate::copilot) text: String,
    kept: usize,
}

impl Mended {
    /// How far it is the original.
    pub(in crate::copilot) fn origin(&self) -> Origin {
        Origin { start: self.text.as_ptr().addr(), kept: self.kept }
    }
}

/// How far a mended text is the original.
#[derive(Clone, Copy, Debug)]
pub(in crate::copilot) struct Origin {
    /// Address of its first byte: values borrow from the text, and theirs tells where they begin.
    start: usize,
    /// How many of its first bytes are the original's.
    kept: usize,
}

impl Origin {
    /// A value of the text as it was sent: without the brackets that mending added.
    pub(in crate::copilot) fn as_sent(self, value: &str) -> &str {
        let before = value.as_ptr().addr().saturating_sub(self.start);
        value.get(..value.len().min(self.kept.saturating_sub(before))).unwrap_or(value)
    }
}

impl<'a> Scan<'a> {
    /// Reads one value.
    pub(in crate::copilot) fn of(text: &'a str) -> Self {
        let scan = Self { text, stopped: 0, end: End::Cut, kept: 0, in_string: false, open: Vec::new() };
        let mut walk = Walk { bytes: text.as_bytes(), at: 0, key: "", scan };
        walk.scan.end = walk.value().err().unwrap_or(End::Whole);
        walk.scan.stopped = walk.at;
        walk.scan
    }

    /// The mended text.
    pub(in crate::copilot) fn mend(&self) -> Mended {
        let mut text = self.text.get(..self.kept).unwrap_or_default().to_owned();
        if self.in_string {
            text.push('"');
        }
        text.extend(self.open.iter().rev().map(|&bracket| char::from(bracket)));
        Mended { text, kept: self.kept }
    }
}

/// What comes next.
#[derive(Clone, Copy)]
enum Next {
    Value,
    /// The first value of a list, or its end.
    ValueOrEnd,
    Key,
    /// The first key of an object, or its end.
    KeyOrEnd,
    CommaOrEnd,
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The last key read.
    key: &'a str,
    scan: Scan<'a>,
}

impl<'a> Walk<'a> {
    fn value(&mut self) -> Result<(), End> {
        let mut next = Next::Value;
        loop {
            let byte = self.peek()?;
            next = match (next, byte) {
                (Next::Value | Next::ValueOrEnd, b'{') => self.opened(b'}', Next::KeyOrEnd)?,
                (Next::Value | Next::ValueOrEnd, b'[') => self.opened(b']', Next::ValueOrEnd)?,
                (Next::ValueOrEnd | Next::CommaOrEnd, b']') | (Next::KeyOrEnd | Next::CommaOrEnd, b'}') => {
                    if self.scan.open.last() != Some(&byte) {
                        return Err(End::Broken);
                    }
                    self.scan.open.pop();
                    self.at += 1;
                    self.valued()
                }
                (Next::Value | Next::ValueOrEnd, _) => {
                    self.scalar(byte)?;
                    self.valued()
                }
                (Next::Key | Next::KeyOrEnd, b'"') => {
                    let text = self.scan.text;
                    let (from, to) = self.string(false)?;
                    self.key = text.get(from..to).unwrap_or_default();
                    if self.peek()? != b':' {
                        return Err(End::Broken);
                    }
                    self.at += 1;
                    Next::Value
                }
                (Next::CommaOrEnd, b',') => {
                    self.at += 1;
                    if self.scan.open.last() == Some(&b'}') { Next::Key } else { Next::Value }
                }
                (Next::Key | Next::KeyOrEnd | Next::CommaOrEnd, _) => return Err(End::Broken),
            };
            if self.scan.open.is_empty() {
                return Ok(());
            }
        }
    }

    /// The next byte that is no space.
    fn peek(&mut self) -> Result<u8, End> {
        loop {
            match self.bytes.get(self.at) {
                None => return Err(End::Cut),
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(&byte) => return Ok(byte),
            }
        }
    }

    fn opened(&mut self, closes: u8, next: Next) -> Result<Next, End> {
        if self.scan.open.len() >= DEPTH {
            return Err(End::Broken);
        }
        self.scan.open.push(closes);
        self.at += 1;
        self.scan.kept = self.at;
        Ok(next)
    }

    /// A value is whole.
    fn valued(&mut self) -> Next {
        self.scan.kept = self.at;
        Next::CommaOrEnd
    }

    fn scalar(&mut self, first: u8) -> Result<(), End> {
        match first {
            b'"' => self.string(self.scan.open.last() == Some(&b'}') && TEXTS.contains(&self.key)).map(drop),
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            b'-' | b'0'..=b'9' => self.number(),
            _ => Err(End::Broken),
        }
    }

    fn literal(&mut self, word: &[u8]) -> Result<(), End> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if rest.starts_with(word) {
            self.at += word.len();
            Ok(())
        } else {
            Err(if word.starts_with(rest) { End::Cut } else { End::Broken })
        }
    }

    /// A number at the very end may go on behind the cut.
    fn number(&mut self) -> Result<(), End> {
        let number = |byte: &u8| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
        let from = self.at;
        while self.bytes.get(self.at).is_some_and(number) {
            self.at += 1;
        }
        if self.at == self.bytes.len() {
            return Err(End::Cut);
        }
        let text = self.scan.text.get(from..self.at).unwrap_or_default();
        if serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
            self.at = from;
            return Err(End::Broken);
        }
        Ok(())
    }

    /// Reads a string, and gives where its content lies. With `keep`, what came of it stays when it is cut.
    fn string(&mut self, keep: bool) -> Result<(usize, usize), End> {
        self.at += 1;
        let from = self.at;
        let end = loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let Some(plain) = rest.iter().position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20) else {
                self.at = self.bytes.len();
                break End::Cut;
            };
            self.at += plain;
            match rest.get(plain) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok((from, self.at - 1));
                }
                Some(b'\\') => match self.escape() {
                    Ok(length) => self.at += length,
                    Err(end) => break end,
                },
                _ => break End::Broken,
            }
        };
        if keep {
            self.scan.kept = self.at;
            self.scan.in_string = true;
        }
        Err(end)
    }

    /// Length of the escape that begins here.
    fn escape(&self) -> Result<usize, End> {
        match self.bytes.get(self.at + 1) {
            None => Err(End::Cut),
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(2),
            Some(b'u') => match unit(self.bytes, self.at)? {
                // Its other half may be behind the cut.
                0xd800..0xdc00 if matches!(unit(self.bytes, self.at + 6), Err(End::Cut)) => Err(End::Cut),
                _ => Ok(6),
            },
            Some(_) => Err(End::Broken),
        }
    }
}

/// The text with halves of surrogate pairs that lack the other half replaced by U+FFFD, whose escape is as long, so
/// that all places in the text stay what they are. Clients that cut code in the middle of a character write them, and
/// no Rust string can hold them.
pub(in crate::copilot) fn pair_surrogates(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut fixed: Option<String> = None;
    let mut from = 0;
    while let Some(found) = bytes.get(from..).and_then(|rest| memchr::memmem::find(rest, b"\\u")) {
        let at = from + found;
        let slashes = bytes.iter().take(at).rev().take_while(|&&byte| byte == b'\\').count();
        let lone = match unit(bytes, at) {
            // An escaped backslash, and a letter.
            _ if slashes % 2 == 1 => false,
            Ok(0xd800..0xdc00) => match unit(bytes, at + 6) {
                Ok(0xdc00..0xe000) => {
                    from = at + 12;
                    continue;
                }
                Err(End::Cut) => false,
                _ => true,
            },
            Ok(0xdc00..0xe000) => true,
            _ => false,
        };
        if lone {
            fixed.get_or_insert_with(|| text.to_owned()).replace_range(at..at + 6, "\\ufffd");
        }
        from = at + 2;
    }
    fixed.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// The UTF-16 unit of the escape at a place, if one is there.
fn unit(bytes: &[u8], at: usize) -> Result<u16, End> {
    let rest = bytes.get(at..).unwrap_or_default();
    if !rest.starts_with(b"\\u") {
        return Err(if b"\\u".starts_with(rest) { End::Cut } else { End::Broken });
    }
    let digits = rest.get(2..rest.len().min(6)).unwrap_or_default();
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(End::Broken);
    }
    if digits.len() < 4 {
        return Err(End::Cut);
    }
    let digit = |unit: u16, digit: &u8| unit << 4 | char::from(*digit).to_digit(16).unwrap_or_default() as u16;
    Ok(digits.iter().fold(0, digit))
}
