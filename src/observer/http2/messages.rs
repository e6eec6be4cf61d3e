//! Header blocks put together, and what they mean for their streams (RFC 9113 section 8).

use super::frame::{self, Head};
use super::headers::Block;
use super::side::Unfinished;
use super::stream::{self, Stream};
use super::{BLOCK_TOO_LARGE, Http2, Lost, id};
use crate::observer::event::Event;
use crate::wire::Direction;

impl Http2 {
    /// The beginning of a header block.
    pub(super) fn fragment<S>(
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
    pub(super) fn continuation<S>(
        &mut self,
        direction: Direction,
        head: Head,
        more: &[u8],
        sink: &mut S,
    ) -> Result<(), Lost>
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

    /// END_STREAM was seen.
    pub(super) fn end<S>(&mut self, stream: u32, direction: Direction, sink: &mut S)
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

fn trailers<S>(stream: u32, direction: Direction, block: Block, sink: &mut S)
where
    S: FnMut(Event<'_>),
{
    let fields = block.into_trailers();
    if !fields.is_empty() {
        sink(Event::Trailers { stream: id(stream), direction, fields });
    }
}
