//! What is kept of one direction: where in a frame it is, and its header compression.

use super::frame::{self, Head, PREFACE};
use super::{Lost, hpack};

/// One direction.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) reading: Reading,
    /// Bytes of the preface that are still to come.
    pub(super) preface: usize,
    /// The first frame, which must be SETTINGS, has begun.
    pub(super) settled: bool,
    /// Bytes of a frame head that was cut, or of a payload that is needed whole.
    pub(super) partial: Vec<u8>,
    /// A header block that CONTINUATION has to complete.
    pub(super) unfinished: Option<Unfinished>,
    pub(super) decoder: hpack::Decoder,
}

/// Where in a frame the next byte is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reading {
    Head,
    /// The padding's length, before anything else of a padded DATA frame.
    Padding(Head),
    Data {
        head: Head,
        left: usize,
        padding: usize,
        meaning: Meaning,
    },
    /// A payload that is needed up to its `keep`th byte.
    Whole {
        head: Head,
        keep: usize,
    },
    Skip {
        left: usize,
    },
}

/// What DATA on a stream is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Meaning {
    Body,
    Opaque,
    /// The stream is over, or was never tracked.
    Nothing,
}

/// A header block and where it belongs.
#[derive(Debug)]
pub(super) struct Unfinished {
    /// The frame that began it.
    pub(super) head: Head,
    /// Which stream's head it is: for PUSH_PROMISE the promised one.
    pub(super) stream: u32,
    pub(super) bytes: Vec<u8>,
}

impl Side {
    /// One that begins with that many bytes of preface.
    pub(super) fn new(preface: usize) -> Self {
        Self {
            reading: Reading::Head,
            preface,
            settled: false,
            partial: Vec::new(),
            unfinished: None,
            decoder: hpack::Decoder::new(),
        }
    }

    /// Takes the client's preface off the input.
    pub(super) fn preface(&mut self, input: &mut &[u8]) -> Result<(), Lost> {
        let left = &mut self.preface;
        let expected = &PREFACE[PREFACE.len() - *left..];
        let (seen, rest) = input.split_at((*left).min(input.len()));
        if !expected.starts_with(seen) {
            return Err("no HTTP/2 preface");
        }
        *left -= seen.len();
        *input = rest;
        Ok(())
    }

    /// The next frame's head, once it is there.
    pub(super) fn head(&mut self, input: &mut &[u8]) -> Option<Head> {
        if self.partial.is_empty()
            && let Some((&head, rest)) = input.split_first_chunk()
        {
            *input = rest;
            return Some(Head::parse(head));
        }
        self.fill(frame::HEAD, input);
        let head = Head::parse(*self.partial.first_chunk()?);
        self.partial.clear();
        Some(head)
    }

    /// Moves input to `partial` until that has `size` bytes.
    pub(super) fn fill(&mut self, size: usize, input: &mut &[u8]) {
        let (bytes, rest) = input.split_at((size - self.partial.len()).min(input.len()));
        self.partial.extend_from_slice(bytes);
        *input = rest;
    }
}
