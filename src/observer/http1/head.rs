//! Start line and fields of a message (RFC 9112 sections 2 to 5).
//!
//! Lenient, because whoever the message was for decides what it means: what can be read is read.

use super::body::Framing;
use super::line::Line;
use crate::observer::event::{RequestHead, ResponseHead, Version};
use crate::observer::keep::Keeper;

/// A head as far as it was read.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) start: Option<Start>,
    pub(super) framing: Framing,
    keeper: Keeper,
    wire_size: u64,
}

/// The start line.
#[derive(Debug)]
pub(super) enum Start {
    Request { method: Vec<u8>, target: Vec<u8>, version: Version },
    Response { status: u16, reason: Vec<u8>, version: Version },
}

/// Methods are a word. Without a bound garbage would have to be kept up to the ceiling before it is known as such.
const LONGEST_METHOD: usize = 64;
const NO_REQUEST: &str = "not an HTTP/1.x request line";
const NO_RESPONSE: &str = "not an HTTP/1.x status line";

impl Head {
    /// An empty one, to keep up to `room` bytes.
    pub(super) fn new(room: usize) -> Self {
        Self { start: None, framing: Framing::default(), keeper: Keeper::new(room), wire_size: 0 }
    }

    /// Reads a request's next line; `true`: the head is complete.
    pub(super) fn request_line(&mut self, line: Line<'_>) -> Result<bool, &'static str> {
        if self.start.is_some() {
            return Ok(self.field_line(line));
        }
        self.start = Some(parse_request(line).ok_or(NO_REQUEST)?);
        self.start_line(line);
        Ok(false)
    }

    /// Reads a response's next line; `true`: the head is complete.
    pub(super) fn response_line(&mut self, line: Line<'_>) -> Result<bool, &'static str> {
        if self.start.is_some() {
            return Ok(self.field_line(line));
        }
        self.start = Some(parse_response(line).ok_or(NO_RESPONSE)?);
        self.start_line(line);
        Ok(false)
    }

    /// What is kept of it now.
    pub(super) fn kept(&self) -> usize {
        let start = match &self.start {
            Some(Start::Request { method, target, .. }) => method.len() + target.len(),
            Some(Start::Response { reason, .. }) => reason.len(),
            None => 0,
        };
        start + self.keeper.fields.size()
    }

    /// The head as a request's, once its start line is there. With `cut`, the rest of it is not waited for.
    pub(super) fn take_request(&mut self, cut: bool) -> Option<RequestHead> {
        let Some(Start::Request { method, target, version }) = &mut self.start else { return None };
        let keeper = std::mem::replace(&mut self.keeper, Keeper::new(0));
        Some(RequestHead {
            method: std::mem::take(method),
            target: std::mem::take(target),
            authority: None,
            version: *version,
            pseudo: Default::default(),
            fields: keeper.fields,
            wire_size: self.wire_size,
            truncated: cut || keeper.truncated,
        })
    }

    /// The head as a response's, once its start line is there.
    pub(super) fn take_response(&mut self) -> Option<ResponseHead> {
        let Some(Start::Response { status, reason, version }) = &mut self.start else { return None };
        let keeper = std::mem::replace(&mut self.keeper, Keeper::new(0));
        Some(ResponseHead {
            status: *status,
            reason: std::mem::take(reason),
            version: *version,
            fields: keeper.fields,
            wire_size: self.wire_size,
            truncated: keeper.truncated,
        })
    }

    fn start_line(&mut self, line: Line<'_>) {
        self.wire_size = line.length as u64;
        if line.cut {
            self.keeper.skip();
        }
        // At most `cap`, as lines are cut there.
        self.keeper.take(self.kept());
    }

    fn field_line(&mut self, line: Line<'_>) -> bool {
        self.wire_size += line.length as u64;
        match field(line) {
            Field::Blank => return true,
            Field::Cut => {
                self.keeper.skip();
                self.framing.other();
            }
            Field::Fold(more) => {
                self.keeper.fold(more);
                self.framing.fold(more);
            }
            Field::Field(name, value) => {
                self.keeper.push(name, value);
                self.framing.field(name, value);
            }
        }
        false
    }
}

/// What a line after the start line is.
pub(super) enum Field<'a> {
    /// The empty line that ends the section.
    Blank,
    /// More of the field before (obs-fold, RFC 9112 section 5.2).
    Fold(&'a [u8]),
    /// Name and value, white space around both removed.
    Field(&'a [u8], &'a [u8]),
    /// Longer than anything that is kept.
    Cut,
}

/// Reads a line of a header or trailer section.
pub(super) fn field(line: Line<'_>) -> Field<'_> {
    match line.text {
        _ if line.cut => Field::Cut,
        [] => Field::Blank,
        [b' ' | b'\t', ..] => Field::Fold(trim(line.text)),
        text => {
            let colon = text.iter().position(|&byte| byte == b':').unwrap_or(text.len());
            Field::Field(trim(&text[..colon]), trim(text.get(colon + 1..).unwrap_or_default()))
        }
    }
}

/// Without the white space around it (OWS, RFC 9110 section 5.6.3).
pub(super) fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

/// Checks what there is of a request line: `Err` as soon as it cannot become one.
pub(super) fn plausible_request(partial: &[u8]) -> Result<(), &'static str> {
    let method = partial.iter().position(|&byte| matches!(byte, b' ' | b'\t')).unwrap_or(partial.len());
    let token = partial[..method].iter().all(|&byte| is_token(byte));
    if token && method <= LONGEST_METHOD && (method > 0 || partial.is_empty()) { Ok(()) } else { Err(NO_REQUEST) }
}

/// Checks what there is of a status line: `Err` as soon as it cannot become one.
pub(super) fn plausible_response(partial: &[u8]) -> Result<(), &'static str> {
    let name = b"HTTP/1.";
    let length = partial.len().min(name.len());
    if partial[..length] == name[..length] { Ok(()) } else { Err(NO_RESPONSE) }
}

fn parse_request(line: Line<'_>) -> Option<Start> {
    plausible_request(line.text).ok()?;
    let end = line.text.iter().position(|&byte| matches!(byte, b' ' | b'\t'))?;
    let (method, rest) = line.text.split_at(end);
    let rest = trim(rest);
    let (target, version) = if line.cut {
        (rest, Version::Http11)
    } else {
        let end = rest.iter().rposition(|&byte| matches!(byte, b' ' | b'\t'))?;
        (trim(&rest[..end]), parse_version(&rest[end + 1..])?)
    };
    Some(Start::Request { method: method.to_vec(), target: target.to_vec(), version })
}

fn parse_response(line: Line<'_>) -> Option<Start> {
    let (version, rest) = line.text.split_at_checked(8)?;
    let version = parse_version(version)?;
    let Some(b' ' | b'\t') = rest.first() else { return None };
    let (status, reason) = trim_start(rest).split_at_checked(3)?;
    if !status.iter().all(u8::is_ascii_digit) || status[0] == b'0' {
        return None;
    }
    let status = status.iter().fold(0, |status, digit| status * 10 + u16::from(digit - b'0'));
    let reason = match reason {
        [] => reason,
        [b' ' | b'\t', reason @ ..] => reason,
        _ => return None,
    };
    Some(Start::Response { status, reason: reason.to_vec(), version })
}

fn parse_version(text: &[u8]) -> Option<Version> {
    match text {
        b"HTTP/1.0" => Some(Version::Http10),
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'1'..=b'9'] => Some(Version::Http11),
        _ => None,
    }
}

fn trim_start(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = text {
        text = rest;
    }
    text
}

/// A character of a token (RFC 9110 section 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
