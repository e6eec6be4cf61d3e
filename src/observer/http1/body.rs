//! How long a body is, and the transfer codings (RFC 9112 sections 6 and 7).

use super::head::{Field, field, trim};
use super::line::Lines;
use crate::observer::event::Fields;
use crate::observer::keep::Keeper;

/// The fields that decide on a body's length, seen even where a head has outgrown what is kept.
#[derive(Debug, Default)]
pub(super) struct Framing {
    content_length: Option<Vec<u8>>,
    transfer_encoding: Option<Vec<u8>>,
    /// The message asks to leave HTTP (RFC 9110 section 7.8).
    pub(super) upgrade: bool,
    last: Last,
}

/// The field that a continuation line belongs to.
#[derive(Clone, Copy, Debug, Default)]
enum Last {
    ContentLength,
    TransferEncoding,
    #[default]
    Other,
}

/// Longer values of Content-Length and Transfer-Encoding than anyone sends; what goes beyond makes them unreadable.
const LONGEST: usize = 1024;
const TOO_LONG: u8 = b'?';

impl Framing {
    /// Notes a field; repeats are one list (RFC 9110 section 5.2).
    pub(super) fn field(&mut self, name: &[u8], value: &[u8]) {
        self.last = match name.len() {
            14 if name.eq_ignore_ascii_case(b"content-length") => Last::ContentLength,
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => Last::TransferEncoding,
            _ => Last::Other,
        };
        self.upgrade |= name.eq_ignore_ascii_case(b"upgrade");
        self.add(b',', value);
    }

    /// Notes a continuation line.
    pub(super) fn fold(&mut self, more: &[u8]) {
        self.add(b' ', more);
    }

    /// Notes that a field came which cannot be one of them.
    pub(super) fn other(&mut self) {
        self.last = Last::Other;
    }

    /// The body of a request (section 6.3).
    pub(super) fn request(&self) -> Result<Option<Body>, &'static str> {
        match self.coding() {
            Coding::Chunked => Ok(Some(Body::chunked())),
            Coding::Unknown => Err("request whose length cannot be known"),
            Coding::None => Ok(self.length()?.and_then(Body::length)),
        }
    }

    /// The body of a response whose status and request let it have one (section 6.3).
    pub(super) fn response(&self) -> Result<Option<Body>, &'static str> {
        match self.coding() {
            Coding::Chunked => Ok(Some(Body::chunked())),
            Coding::Unknown => Ok(Some(Body::UntilClose)),
            Coding::None => Ok(self.length()?.map_or(Some(Body::UntilClose), Body::length)),
        }
    }

    /// Transfer-Encoding overrides Content-Length: that is what decides whether what follows is read as chunks.
    fn coding(&self) -> Coding {
        let codings = self.transfer_encoding.as_deref().unwrap_or_default().split(|&byte| byte == b',');
        let mut named = codings.map(trim).filter(|it| !it.is_empty() && !it.eq_ignore_ascii_case(b"identity"));
        match named.next_back() {
            None => Coding::None,
            Some(last) if last.eq_ignore_ascii_case(b"chunked") => Coding::Chunked,
            Some(_) => Coding::Unknown,
        }
    }

    fn length(&self) -> Result<Option<u64>, &'static str> {
        let Some(list) = &self.content_length else { return Ok(None) };
        let mut length = None;
        for item in list.split(|&byte| byte == b',').map(trim).filter(|item| !item.is_empty()) {
            let value = decimal(item).ok_or("Content-Length is not a number")?;
            if length.replace(value).is_some_and(|before| before != value) {
                return Err("Content-Length with two values");
            }
        }
        length.map(Some).ok_or("Content-Length is not a number")
    }

    fn add(&mut self, separator: u8, text: &[u8]) {
        let list = match self.last {
            Last::ContentLength => &mut self.content_length,
            Last::TransferEncoding => &mut self.transfer_encoding,
            Last::Other => return,
        };
        let list = list.get_or_insert_default();
        if list.len() + 1 + text.len() > LONGEST {
            list.push(TOO_LONG);
            list.truncate(LONGEST + 1);
            return;
        }
        list.push(separator);
        list.extend_from_slice(text);
    }
}

enum Coding {
    None,
    Chunked,
    Unknown,
}

/// A body that is being read.
#[derive(Debug)]
pub(super) enum Body {
    /// That many bytes are left.
    Length(u64),
    Chunked(Chunked),
    UntilClose,
}

/// Where in the chunked coding the next byte is (section 7.1).
#[derive(Debug)]
pub(super) enum Chunked {
    /// In the digits of a chunk's size; none while there was no digit.
    Size(Option<u64>),
    /// After the digits, up to the end of the line.
    Extension(u64),
    Data(u64),
    /// In the line end after a chunk.
    DataEnd,
    Trailers(Keeper),
}

/// What a body did with its input.
pub(super) enum Step<'a> {
    /// Content, never empty.
    Data(&'a [u8]),
    /// A line of the coding was read.
    Read,
    /// All input is taken, and the body goes on.
    More,
    /// The body is over. Trailers of a chunked one.
    End(Fields),
}

impl Body {
    /// A body of that length; none when there is none.
    fn length(length: u64) -> Option<Self> {
        (length > 0).then_some(Self::Length(length))
    }

    fn chunked() -> Self {
        Self::Chunked(Chunked::Size(None))
    }

    /// What is kept of it now.
    pub(super) fn kept(&self) -> usize {
        match self {
            Self::Chunked(Chunked::Trailers(keeper)) => keeper.fields.size(),
            _ => 0,
        }
    }

    /// Takes a piece off the input; of trailers up to `cap` bytes are kept.
    pub(super) fn step<'a>(
        &mut self,
        input: &mut &'a [u8],
        lines: &mut Lines,
        cap: usize,
    ) -> Result<Step<'a>, &'static str> {
        match self {
            Self::Length(0) => Ok(Step::End(Fields::default())),
            _ if input.is_empty() => Ok(Step::More),
            Self::Length(left) => Ok(Step::Data(content(input, left))),
            Self::UntilClose => Ok(Step::Data(std::mem::take(input))),
            Self::Chunked(chunked) => chunked.step(input, lines, cap),
        }
    }
}

impl Chunked {
    fn step<'a>(&mut self, input: &mut &'a [u8], lines: &mut Lines, cap: usize) -> Result<Step<'a>, &'static str> {
        match self {
            Self::Data(left) => {
                let bytes = content(input, left);
                if *left == 0 {
                    *self = Self::DataEnd;
                }
                return Ok(Step::Data(bytes));
            }
            Self::Trailers(keeper) => {
                let done = lines.next(input, |line| {
                    match field(line) {
                        Field::Blank => return true,
                        Field::Fold(more) => keeper.fold(more),
                        Field::Field(name, value) => _ = keeper.push(name, value),
                        Field::Cut => keeper.skip(),
                    }
                    false
                });
                if done == Some(true) {
                    return Ok(Step::End(std::mem::take(&mut keeper.fields)));
                }
            }
            Self::Extension(size) => {
                // Any text up to the end of the line; chunk extensions mean nothing to us.
                match input.iter().position(|&byte| byte == b'\n') {
                    Some(end) => {
                        *input = &input[end + 1..];
                        *self = if *size > 0 { Self::Data(*size) } else { Self::Trailers(Keeper::new(cap)) };
                    }
                    None => *input = &[],
                }
            }
            Self::Size(_) | Self::DataEnd => {
                let Some((&byte, rest)) = input.split_first() else { return Ok(Step::More) };
                *self = self.next(byte)?;
                // The line's end is left for `Extension`.
                if !matches!(self, Self::Extension(_)) {
                    *input = rest;
                }
            }
        }
        Ok(Step::Read)
    }

    /// One byte of a chunk's size or of the line end after a chunk.
    fn next(&self, byte: u8) -> Result<Self, &'static str> {
        match (self, byte) {
            (Self::DataEnd, b'\r') => Ok(Self::DataEnd),
            (Self::DataEnd, b'\n') => Ok(Self::Size(None)),
            (Self::Size(size), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = char::from(byte).to_digit(16).map_or(0, u64::from);
                let size = size.unwrap_or(0).checked_mul(16).ok_or("chunk size too large")?;
                Ok(Self::Size(Some(size + digit)))
            }
            (Self::Size(None), b' ' | b'\t') => Ok(Self::Size(None)),
            (Self::Size(Some(size)), b';' | b' ' | b'\t' | b'\r' | b'\n') => Ok(Self::Extension(*size)),
            (Self::DataEnd, _) => Err("chunk without a line end"),
            _ => Err("chunk size is not a number"),
        }
    }
}

/// As much content as there is of what is `left`.
fn content<'a>(input: &mut &'a [u8], left: &mut u64) -> &'a [u8] {
    let length = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
    let (bytes, rest) = input.split_at(length);
    *input = rest;
    *left -= length as u64;
    bytes
}

fn decimal(text: &[u8]) -> Option<u64> {
    text.iter().try_fold(0_u64, |value, &byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}
