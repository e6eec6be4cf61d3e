//! HTTP/2 (RFC 9113).
//!
//! Given both directions' bytes, cut anywhere; hands on events. DATA goes through as it comes; frames that are needed
//! whole (headers, settings, resets) are put together under a ceiling; all others are skipped.

mod frame;
mod headers;
mod hpack;
mod settings;
mod stream;

use std::mem;

use super::Limits;
use super::event::{Event, StreamId};
use crate::wire::Direction;
use frame::Head;
use headers::Block;
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

/// One direction.
#[derive(Debug)]
struct Side {
    reading: Reading,
    /// Bytes of the preface that are still to come.
    preface: usize,
    /// The first frame, which must be SETTINGS, has begun.
    settled: bool,
    /// Bytes of a frame head that was cut, or of a payload that is needed whole.
    partial: Vec<u8>,
    /// A header block that CONTINUATION has to complete.
    unfinished: Option<Unfinished>,
    decoder: hpack::Decoder,
}

/// Where in a frame the next byte is.
#[derive(Clone, Copy, Debug)]
enum Reading {
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
enum Meaning {
    Body,
    Opaque,
    /// The stream is over, or was never tracked.
    Nothing,
}

/// A header block and where it belongs.
#[derive(Debug)]
struct Unfinished {
    /// The frame that began it.
    head: Head,
    /// Which stream's head it is: for PUSH_PROMISE the promised one.
    stream: u32,
    bytes: Vec<u8>,
}

/// Why the connection is lost.
type Lost = &'static str;

/// Padding and priority, which are no part of a header block's size but come in the same frame.
const AROUND_BLOCK: usize = 1 + 255 + 5;
/// SETTINGS beyond this are not looked at: a hundred times what is defined.
const SETTINGS_KEPT: usize = 6 * 1024;

impl Http2 {
    pub(super) fn new(limits: Limits) -> Self {
        let side = |preface| Side {
            reading: Reading::Head,
            preface,
            settled: false,
            partial: Vec::new(),
            unfinished: None,
            decoder: hpack::Decoder::new(),
        };
        Self { limits, sides: [side(PREFACE.len()), side(0)], streams: Streams::new(limits.streams) }
    }

    /// Reads on in one direction. After an error nothing more may be fed.
    pub(super) fn feed<S>(&mut self, direction: Direction, mut input: &[u8], sink: &mut S) -> Result<(), Lost>
    where
        S: FnMut(Event<'_>),
    {
        self.preface(direction, &mut input)?;
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

    fn preface(&mut self, direction: Direction, input: &mut &[u8]) -> Result<(), Lost> {
        let left = &mut self.sides[direction.index()].preface;
        let expected = &PREFACE[PREFACE.len() - *left..];
        let (seen, rest) = input.split_at((*left).min(input.len()));
        if !expected.starts_with(seen) {
            return Err("no HTTP/2 preface");
        }
        *left -= seen.len();
        *input = rest;
        Ok(())
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

    /// The beginning of a header block.
    fn fragment<S>(
        &mut self,
        direction: Direction,
        head: Head,
        stream: u32,
        fragment: &[u8],
        sink: &mut S,
    ) -> Result<(), Lost>
    where
        S: FnMut(Event<'_>),
    {
        if head.has(frame::END_HEADERS) {
            return self.block(direction, head, stream, fragment, sink);
        }
        if fragment.len() > self.limits.head {
            return Err(BLOCK_TOO_LARGE);
        }
        let unfinished = Unfinished { head, stream, bytes: fragment.to_vec() };
        self.sides[direction.index()].unfinished = Some(unfinished);
        Ok(())
    }

    /// The rest of a header block, or a part of it.
    fn continuation<S>(&mut self, direction: Direction, head: Head, more: &[u8], sink: &mut S) -> Result<(), Lost>
    where
        S: FnMut(Event<'_>),
    {
        let unfinished = &mut self.sides[direction.index()].unfinished;
        let Some(mut block) = unfinished.take() else { return Ok(()) };
        if block.bytes.len() + more.len() > self.limits.head {
            return Err(BLOCK_TOO_LARGE);
        }
        block.bytes.extend_from_slice(more);
        if head.has(frame::END_HEADERS) {
            return self.block(direction, block.head, block.stream, &block.bytes, sink);
        }
        *unfinished = Some(block);
        Ok(())
    }

    /// A complete header block.
    fn block<S>(
        &mut self,
        direction: Direction,
        head: Head,
        stream: u32,
        bytes: &[u8],
        sink: &mut S,
    ) -> Result<(), Lost>
    where
        S: FnMut(Event<'_>),
    {
        if bytes.len() > self.limits.head {
            return Err(BLOCK_TOO_LARGE);
        }
        let decoder = &mut self.sides[direction.index()].decoder;
        let block = Block::decode(decoder, bytes, self.limits.head)?;
        if head.kind == frame::PUSH_PROMISE {
            return self.promise(stream, block, sink);
        }
        if self.streams.sending(stream, direction).is_some() {
            match direction {
                Direction::ClientToServer => trailers(stream, direction, block, sink),
                Direction::ServerToClient => self.answer(stream, block, sink),
            }
        } else if self.streams.is_idle(stream) {
            if direction == Direction::ServerToClient || stream::owner(stream) != direction {
                return Err("HEADERS on a stream that was never opened");
            }
            self.request(stream, direction, block, false, sink);
        }
        if head.has(frame::END_STREAM) {
            self.end(stream, direction, sink);
        }
        Ok(())
    }

    /// PUSH_PROMISE: a request that the server makes in the client's name (section 8.4).
    fn promise<S>(&mut self, stream: u32, block: Block, sink: &mut S) -> Result<(), Lost>
    where
        S: FnMut(Event<'_>),
    {
        if stream::owner(stream) != Direction::ServerToClient || !self.streams.is_idle(stream) {
            return Err("PUSH_PROMISE of a stream that cannot be promised");
        }
        self.request(stream, Direction::ServerToClient, block, true, sink);
        self.end(stream, Direction::ClientToServer, sink);
        Ok(())
    }

    fn request<S>(&mut self, stream: u32, direction: Direction, block: Block, promised: bool, sink: &mut S)
    where
        S: FnMut(Event<'_>),
    {
        let connect = !promised && block.is_connect();
        let tracked = self.streams.open(stream, Stream { connect, ..Stream::default() });
        match block.into_request() {
            Some(head) => sink(Event::Request { stream: id(stream), head }),
            None => return self.malformed(stream, direction, "HTTP/2 request without a method", sink),
        }
        if !tracked {
            self.malformed(stream, direction, "more streams at once than are tracked", sink);
        }
    }

    /// HEADERS from the server: an interim or final response, or trailers.
    fn answer<S>(&mut self, stream: u32, block: Block, sink: &mut S)
    where
        S: FnMut(Event<'_>),
    {
        let direction = Direction::ServerToClient;
        let Some(state) = self.streams.sending(stream, direction) else { return };
        match block.status() {
            None if state.answered => trailers(stream, direction, block, sink),
            Some(Ok(status @ 100..200)) if !state.answered => {
                sink(Event::Interim { stream: id(stream), head: block.into_response(status) });
            }
            Some(Ok(status)) if !state.answered => {
                state.answered = true;
                state.upgraded = state.connect && matches!(status, 200..300);
                let upgraded = state.upgraded;
                sink(Event::Response { stream: id(stream), head: block.into_response(status) });
                if upgraded {
                    sink(Event::Upgrade { stream: id(stream) });
                }
            }
            None => self.malformed(stream, direction, "HTTP/2 response without a status", sink),
            Some(Ok(_)) => self.malformed(stream, direction, "a second HTTP/2 response on one stream", sink),
            Some(Err(())) => self.malformed(stream, direction, "HTTP/2 status is not a number", sink),
        }
    }

    fn end<S>(&mut self, stream: u32, direction: Direction, sink: &mut S)
    where
        S: FnMut(Event<'_>),
    {
        if direction == Direction::ServerToClient
            && self.streams.sending(stream, direction).is_some_and(|stream| !stream.answered)
        {
            return self.malformed(stream, direction, "HTTP/2 stream ended without a response", sink);
        }
        if self.streams.end(stream, direction) {
            sink(Event::End { stream: id(stream), direction });
        }
    }

    fn malformed<S>(&mut self, stream: u32, direction: Direction, reason: &'static str, sink: &mut S)
    where
        S: FnMut(Event<'_>),
    {
        self.streams.close(stream);
        sink(Event::Malformed { stream: Some(id(stream)), direction, reason });
    }
}

const PADDING_TOO_LARGE: Lost = "more padding than DATA";
const BLOCK_TOO_LARGE: Lost = "header block above the ceiling";

impl Side {
    /// The next frame's head, once it is there.
    fn head(&mut self, input: &mut &[u8]) -> Option<Head> {
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
    fn fill(&mut self, size: usize, input: &mut &[u8]) {
        let (bytes, rest) = input.split_at((size - self.partial.len()).min(input.len()));
        self.partial.extend_from_slice(bytes);
        *input = rest;
    }
}

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

fn trailers<S>(stream: u32, direction: Direction, block: Block, sink: &mut S)
where
    S: FnMut(Event<'_>),
{
    let fields = block.into_trailers();
    if !fields.is_empty() {
        sink(Event::Trailers { stream: id(stream), direction, fields });
    }
}

fn id(stream: u32) -> StreamId {
    StreamId(u64::from(stream))
}

#[cfg(test)]
mod tests;
