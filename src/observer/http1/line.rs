//! Lines, put together from input that may be cut anywhere.

/// Takes lines off the input; one that is cut is copied, up to a ceiling, until its end comes.
#[derive(Debug)]
pub(super) struct Lines {
    /// The beginning of a line whose end has not come.
    partial: Vec<u8>,
    /// Bytes of that line so far, with those that were not kept.
    length: usize,
    cap: usize,
}

/// A line with its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// The text without its end; cut at the ceiling.
    pub(super) text: &'a [u8],
    /// Bytes on the wire.
    pub(super) length: usize,
    /// The line was longer than the ceiling.
    pub(super) cut: bool,
}

impl Lines {
    pub(super) fn new(cap: usize) -> Self {
        Self { partial: Vec::new(), length: 0, cap }
    }

    /// Shows the next line to `then`; none: its end has not come, and all input is taken.
    pub(super) fn next<T>(&mut self, input: &mut &[u8], then: impl FnOnce(Line<'_>) -> T) -> Option<T> {
        let Some(end) = memchr::memchr(b'\n', input) else {
            self.keep(input);
            *input = &[];
            return None;
        };
        let (bytes, rest) = input.split_at(end + 1);
        *input = rest;
        if self.length == 0 {
            return Some(then(Line::new(&bytes[..bytes.len().min(self.cap)], bytes.len())));
        }
        self.keep(bytes);
        // Given back with its memory: most connections are idle most of the time.
        let partial = std::mem::take(&mut self.partial);
        let length = std::mem::take(&mut self.length);
        Some(then(Line::new(&partial, length)))
    }

    /// As much as is there of the next line.
    pub(super) fn partial(&self) -> &[u8] {
        &self.partial
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.length += bytes.len();
        let room = self.cap - self.partial.len();
        self.partial.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

impl<'a> Line<'a> {
    fn new(kept: &'a [u8], length: usize) -> Self {
        let cut = kept.len() < length;
        let text = if cut { kept } else { kept.strip_suffix(b"\n").unwrap_or(kept) };
        let text = if cut { text } else { text.strip_suffix(b"\r").unwrap_or(text) };
        Self { text, length, cut }
    }
}
