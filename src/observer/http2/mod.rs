//! HTTP/2 (RFC 9113).
//!
//! Given both directions' bytes, cut anywhere; hands on events. DATA goes through as it comes; frames that are needed
//! whole (headers, settings, resets) are put together under a ceiling; all others are skipped.

mod frame;
mod headers;
mod hpack;
mod messages;
mod settings;
mod side;
mod stream;

use std::mem;

use super::Limits;
use super::event::{Event, StreamId};
use crate::wire::Direction;
use frame::Head;
use side::{Meaning, Reading, Side};
use stream::{Stream, Streams};

pub(super) use frame::PREFACE;
pub(super) use hpack::Decoder as HpackDecoder;

/// Both directions of a connection.
#[derive(Debug)]
pub(super) struct Http2 {
    limits: Limits,
    sides: [Side; 2],
    streams: Streams,
}

/// Why the connection is lost.
type Lost = &'static str;

/// Padding and priority, which are no part of a header block's size but come in the same frame.
const AROUND_BLOCK: usize = 1 + 255 + 5;
/// SETTINGS beyond this are not looked at: a hundred times what is defined.
const SETTINGS_KEPT: usize = 6 * 1024;

impl Http2 {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, sides: [Side::new(PREFACE.len()), Side::new(0)], streams: Streams::new(limits.streams) }
    }

    /// Reads on in one direction. After an error nothing more may be fed.
    pub(super) fn feed<S>(&mut self, direction: Direction, mut input: &[u8], sink: &mut S) -> Result<(), Lost>
    where
        S: FnMut(Event<'_>),
    {
        self.sides[direction.index()].preface(&mut input)?;
        while self.step(direction, &mut input, sink)? {}
        Ok(())
    }

    /// Bytes that are kept now: parts of frames and blocks, dynamic tables, and a guess at what a stream takes.
    pub(super) fn kept(&self) -> usize {
        let side = |side: &Side| {
            side.partial.len() + side.decoder.table_size() + side.unfinished.as_ref().map_or(0, |it| it.bytes.len())
        };
        self.sides.iter().map(side).sum::<usize>() + self.streams.len() * size_of::<(u32, Stream)>()
    }

    /// Takes one step in the grammar; `false`: more input is needed for it.
    fn step<S>(&mut self, direction: Direction, input: &mut &[u8], sink: &mut S) -> Result<bool, Lost>
    where
        S: FnMut(Event<'_>),
    {
        let side = &mut self.sides[direction.index()];
        match side.reading {
            Reading::Head => {
                let Some(head) = side.head(input) else { return Ok(false) };
                self.sides[direction.index()].reading = self.begin(direction, head)?;
            }
            Reading::Padding(head) => {
                let Some((&padding, rest)) = input.split_first() else { return Ok(false) };
                *input = rest;
                self.sides[direction.index()].reading = self.data(direction, head, Some(padding))?;
            }
            Reading::Data { head, left, padding, meaning } => {
                let (bytes, rest) = input.split_at(left.min(input.len()));
                *input = rest;
                let skipped = if bytes.len() == left { padding.min(input.len()) } else { 0 };
                *input = &input[skipped..];
                let (left, padding) = (left - bytes.len(), padding - skipped);
                // The other side, or its reset, may have ended the stream since the frame began.
                let is_over = self.streams.sending(head.stream, direction).is_none();
                let meaning = if is_over { Meaning::Nothing } else { meaning };
                side.reading = Reading::Data { head, left, padding, meaning };
                show(meaning, head.stream, direction, bytes, sink);
                if left + padding > 0 {
                    return Ok(false);
                }
                side.reading = Reading::Head;
                if head.has(frame::END_STREAM) {
                    self.end(head.stream, direction, sink);
                }
            }
            Reading::Whole { head, keep } => {
                if side.partial.is_empty() && input.len() >= keep {
                    let (payload, rest) = input.split_at(keep);
                    *input = rest;
                    side.reading = Reading::Skip { left: head.length - keep };
                    self.payload(direction, head, payload, sink)?;
                } else {
                    side.fill(keep, input);
                    if side.partial.len() < keep {
                        return Ok(false);
                    }
                    side.reading = Reading::Skip { left: head.length - keep };
                    let payload = mem::take(&mut side.partial);
                    self.payload(direction, head, &payload, sink)?;
                }
            }
            Reading::Skip { left } => {
                let skipped = left.min(input.len());
                *input = &input[skipped..];
                let left = left - skipped;
                side.reading = if left == 0 { Reading::Head } else { Reading::Skip { left } };
                return Ok(left == 0);
            }
        }
        Ok(true)
    }

    /// A frame's head is complete: decides how its payload is read.
    fn begin(&mut self, direction: Direction, head: Head) -> Result<Reading, Lost> {
        let side = &mut self.sides[direction.index()];
        if !mem::replace(&mut side.settled, true) && head.kind != frame::SETTINGS {
            return Err("HTTP/2 does not begin with SETTINGS");
        }
        match (&side.unfinished, head.kind) {
            (Some(block), frame::CONTINUATION) if block.head.stream == head.stream => {}
            (None, kind) if kind != frame::CONTINUATION => {}
            _ => return Err("header block without its CONTINUATION"),
        }
        let on_stream = head.stream != 0;
        let whole = |keep| Ok(Reading::Whole { head, keep });
        match head.kind {
            frame::DATA if on_stream && head.has(frame::PADDED) && head.length > 0 => Ok(Reading::Padding(head)),
            frame::DATA if on_stream && head.has(frame::PADDED) => Err(PADDING_TOO_LARGE),
            frame::DATA if on_stream => self.data(direction, head, None),
            frame::HEADERS | frame::CONTINUATION if on_stream => self.header_frame(direction, head),
            frame::PUSH_PROMISE if on_stream && direction == Direction::ServerToClient => {
                self.header_frame(direction, head)
            }
            frame::RST_STREAM if on_stream && head.length == 4 => whole(4),
            frame::SETTINGS if !on_stream && head.length.is_multiple_of(6) => whole(head.length.min(SETTINGS_KEPT)),
            frame::GOAWAY if !on_stream && head.length >= 8 => whole(8),
            frame::DATA
            | frame::HEADERS
            | frame::CONTINUATION
            | frame::PUSH_PROMISE
            | frame::RST_STREAM
            | frame::SETTINGS
            | frame::GOAWAY => Err("HTTP/2 frame with the wrong stream, direction or length"),
            _ => Ok(Reading::Skip { left: head.length }),
        }
    }

    /// A DATA frame begins; `padding` is the byte that says how much there is, none in a frame without.
    fn data(&mut self, direction: Direction, head: Head, padding: Option<u8>) -> Result<Reading, Lost> {
        let around = padding.map_or(0, |padding| 1 + usize::from(padding));
        let left = head.length.checked_sub(around).ok_or(PADDING_TOO_LARGE)?;
        if self.streams.is_idle(head.stream) {
            return Err("DATA on a stream that was never opened");
        }
        let meaning = match self.streams.sending(head.stream, direction) {
            Some(stream) if stream.upgraded => Meaning::Opaque,
            Some(stream) if stream.answered || direction == Direction::ClientToServer => Meaning::Body,
            // A body before its head is malformed; the HEADERS that may follow say so.
            _ => Meaning::Nothing,
        };
        Ok(Reading::Data { head, left, padding: padding.map_or(0, usize::from), meaning })
    }

    fn header_frame(&self, direction: Direction, head: Head) -> Result<Reading, Lost> {
        let before = self.sides[direction.index()].unfinished.as_ref().map_or(0, |block| block.bytes.len());
        if before + head.length > self.limits.head + AROUND_BLOCK {
            return Err(BLOCK_TOO_LARGE);
        }
        Ok(Reading::Whole { head, keep: head.length })
    }

    /// A payload that is needed whole, or as much of it as is.
    fn payload<S>(&mut self, direction: Direction, head: Head, payload: &[u8], sink: &mut S) -> Result<(), Lost>
    where
        S: FnMut(Event<'_>),
    {
        match (head.kind, payload) {
            (frame::HEADERS, _) => {
                let fragment = frame::fragment(head, payload).ok_or("HEADERS cut short")?;
                self.fragment(direction, head, head.stream, fragment, sink)
            }
            (frame::PUSH_PROMISE, _) => {
                let fragment = frame::fragment(head, payload).ok_or("PUSH_PROMISE cut short")?;
                let (&promised, fragment) = fragment.split_first_chunk::<4>().ok_or("PUSH_PROMISE cut short")?;
                self.fragment(direction, head, frame::stream_id(promised), fragment, sink)
            }
            (frame::CONTINUATION, _) => self.continuation(direction, head, payload, sink),
            (frame::SETTINGS, _) if !head.has(frame::ACK) => {
                // They bind those who write to the sender.
                let decoder = &mut self.sides[direction.reverse().index()].decoder;
                settings::header_table_sizes(payload).for_each(|size| decoder.allow(size));
                Ok(())
            }
            (frame::RST_STREAM, &[c1, c2, c3, c4]) => {
                if self.streams.is_idle(head.stream) {
                    return Err("RST_STREAM on a stream that was never opened");
                }
                if self.streams.close(head.stream) {
                    let code = u32::from_be_bytes([c1, c2, c3, c4]);
                    sink(Event::Reset { stream: id(head.stream), direction, code });
                }
                Ok(())
            }
            (frame::GOAWAY, &[s1, s2, s3, s4, c1, c2, c3, c4]) => {
                let last_stream = frame::stream_id([s1, s2, s3, s4]);
                sink(Event::GoAway { direction, last_stream, code: u32::from_be_bytes([c1, c2, c3, c4]) });
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

const PADDING_TOO_LARGE: Lost = "more padding than DATA";
const BLOCK_TOO_LARGE: Lost = "header block above the ceiling";

fn show<S>(meaning: Meaning, stream: u32, direction: Direction, bytes: &[u8], sink: &mut S)
where
    S: FnMut(Event<'_>),
{
    let stream = id(stream);
    match meaning {
        _ if bytes.is_empty() => {}
        Meaning::Body => sink(Event::Data { stream, direction, bytes }),
        Meaning::Opaque => sink(Event::Opaque { stream, direction, bytes }),
        Meaning::Nothing => {}
    }
}

fn id(stream: u32) -> StreamId {
    StreamId(u64::from(stream))
}

#[cfg(test)]
mod tests;
