//! HTTP/1.x (RFC 9112).
//!
//! ```text
//! each side:  Head ──▶ Body ──▶ Head ...
//!               └──▶ (no body) ─┘
//! after 101, or 2xx to CONNECT: Opaque, for the client once the request has ended
//! ```
//!
//! Requests wait in a queue for their responses, which come in the same order (section 9.3.2).

mod body;
mod head;
mod line;

use std::collections::VecDeque;
use std::mem;

use super::Limits;
use super::event::{Event, StreamId};
use crate::wire::Direction::{self, ClientToServer, ServerToClient};
use body::{Body, Step};
use head::Head;
use line::Lines;

/// Both directions of a connection.
#[derive(Debug)]
pub(super) struct Http1 {
    limits: Limits,
    client: Side,
    server: Side,
    /// Requests without a final response, oldest first.
    waiting: VecDeque<Waiting>,
    /// The id of the next request.
    next: StreamId,
    /// The head that the client is sending has been reported already, as it was answered before it was complete.
    reported: bool,
    /// The request that asked to leave HTTP. What its client sends after it means nothing before the answer.
    asked: Option<StreamId>,
    /// What the client sent since.
    held: Vec<u8>,
    /// The request with which the connection left HTTP.
    upgraded: Option<StreamId>,
}

/// One direction.
#[derive(Debug)]
struct Side {
    phase: Phase,
    lines: Lines,
    head: Head,
    /// The exchange whose message it is in.
    stream: StreamId,
}

#[derive(Debug)]
enum Phase {
    Head,
    Body(Body),
    Opaque,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    stream: StreamId,
    method: Method,
}

/// Methods that change what a response is (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Head,
    Connect,
    Other,
}

/// Where and why the connection is lost.
type Lost = (Direction, &'static str);

impl Http1 {
    pub(super) fn new(limits: Limits) -> Self {
        let side = || Side {
            phase: Phase::Head,
            lines: Lines::new(limits.head),
            head: Head::new(limits.head),
            stream: StreamId(0),
        };
        Self {
            limits,
            client: side(),
            server: side(),
            waiting: VecDeque::new(),
            next: StreamId(0),
            reported: false,
            asked: None,
            held: Vec::new(),
            upgraded: None,
        }
    }

    /// Reads on in one direction. After an error nothing more may be fed.
    pub(super) fn feed<S>(&mut self, direction: Direction, bytes: &[u8], sink: &mut S) -> Result<(), Lost>
    where
        S: FnMut(Event<'_>),
    {
        match direction {
            ClientToServer => self.client_bytes(bytes, sink),
            ServerToClient => self.server_bytes(bytes, sink),
        }
    }

    /// The direction's stream of bytes has ended; `clean`: its sender said so.
    pub(super) fn end<S>(&mut self, direction: Direction, clean: bool, sink: &mut S)
    where
        S: FnMut(Event<'_>),
    {
        let until_close = matches!(self.server.phase, Phase::Body(Body::UntilClose) | Phase::Opaque);
        if direction == ServerToClient && clean && until_close {
            self.server.phase = Phase::Head;
            sink(Event::End { stream: self.server.stream, direction });
        }
    }

    /// Bytes that are kept now.
    pub(super) fn kept(&self) -> usize {
        let side = |side: &Side| {
            let body = if let Phase::Body(body) = &side.phase { body.kept() } else { 0 };
            side.lines.partial().len() + side.head.kept() + body
        };
        side(&self.client) + side(&self.server) + self.held.len() + self.waiting.len() * size_of::<Waiting>()
    }

    fn client_bytes<S>(&mut self, mut input: &[u8], sink: &mut S) -> Result<(), Lost>
    where
        S: FnMut(Event<'_>),
    {
        let lost = |reason| (ClientToServer, reason);
        loop {
            match &mut self.client.phase {
                Phase::Head => {
                    if self.client.between_messages() {
                        if let Some(stream) = self.upgraded {
                            self.client.stream = stream;
                            self.client.phase = Phase::Opaque;
                            continue;
                        }
                        if self.asked.is_some() {
                            return self.hold(input);
                        }
                        input = skip_line_ends(input);
                    }
                    if input.is_empty() {
                        return Ok(());
                    }
                    if self.client.request_line(&mut input).map_err(lost)? {
                        self.request(sink).map_err(lost)?;
                    }
                }
                Phase::Body(_) => {
                    if self.client.body(ClientToServer, &mut input, self.limits.head, sink).map_err(lost)? {
                        return Ok(());
                    }
                }
                Phase::Opaque => {
                    opaque(self.client.stream, ClientToServer, input, sink);
                    return Ok(());
                }
            }
        }
    }

    fn server_bytes<S>(&mut self, mut input: &[u8], sink: &mut S) -> Result<(), Lost>
    where
        S: FnMut(Event<'_>),
    {
        let lost = |reason| (ServerToClient, reason);
        loop {
            match &mut self.server.phase {
                Phase::Head => {
                    if self.server.between_messages() {
                        input = skip_line_ends(input);
                    }
                    if input.is_empty() {
                        return Ok(());
                    }
                    if self.waiting.is_empty() {
                        self.report_unfinished(sink).map_err(lost)?;
                    }
                    if self.server.response_line(&mut input).map_err(lost)? {
                        self.response(sink)?;
                    }
                }
                Phase::Body(_) => {
                    if self.server.body(ServerToClient, &mut input, self.limits.head, sink).map_err(lost)? {
                        return Ok(());
                    }
                }
                Phase::Opaque => {
                    opaque(self.server.stream, ServerToClient, input, sink);
                    return Ok(());
                }
            }
        }
    }

    /// A request's head is complete.
    fn request<S>(&mut self, sink: &mut S) -> Result<(), &'static str>
    where
        S: FnMut(Event<'_>),
    {
        let body = self.client.head.framing.request();
        let upgrade = self.client.head.framing.upgrade;
        if !mem::take(&mut self.reported) {
            let method = self.report(false, sink)?;
            if upgrade || method == Method::Connect {
                self.asked = Some(self.client.stream);
            }
        }
        self.client.begin_body(body?, ClientToServer, self.limits.head, sink);
        Ok(())
    }

    /// Reports the request whose head the client has sent, or part of it, and lets it wait for its response.
    fn report<S>(&mut self, cut: bool, sink: &mut S) -> Result<Method, &'static str>
    where
        S: FnMut(Event<'_>),
    {
        let head = self.client.head.take_request(cut).ok_or("response without a request")?;
        if self.waiting.len() >= self.limits.streams {
            return Err("more requests wait than are tracked");
        }
        let method = match &head.method[..] {
            b"HEAD" => Method::Head,
            b"CONNECT" => Method::Connect,
            _ => Method::Other,
        };
        let stream = self.next;
        self.next.0 += 1;
        self.client.stream = stream;
        self.waiting.push_back(Waiting { stream, method });
        sink(Event::Request { stream, head });
        Ok(method)
    }

    /// A response begins and no request is complete: it answers the one that is coming in, for example with 431
    /// because its head is too large.
    fn report_unfinished<S>(&mut self, sink: &mut S) -> Result<(), &'static str>
    where
        S: FnMut(Event<'_>),
    {
        if self.reported {
            return Err("response without a request");
        }
        self.report(true, sink)?;
        self.reported = true;
        Ok(())
    }

    /// A response's head is complete.
    fn response<S>(&mut self, sink: &mut S) -> Result<(), Lost>
    where
        S: FnMut(Event<'_>),
    {
        let lost = |reason| (ServerToClient, reason);
        let head = self.server.head.take_response().ok_or(lost("response without a status"))?;
        let Some(&Waiting { stream, method }) = self.waiting.front() else {
            return Err(lost("response without a request"));
        };
        let status = head.status;
        if status < 200 && status != 101 {
            self.server.head = Head::new(self.limits.head);
            sink(Event::Interim { stream, head });
            return Ok(());
        }
        self.waiting.pop_front();
        self.server.stream = stream;
        sink(Event::Response { stream, head });
        if status == 101 || (method == Method::Connect && status < 300) {
            self.upgraded = Some(stream);
            self.server.phase = Phase::Opaque;
            sink(Event::Upgrade { stream });
        } else {
            let none = method == Method::Head || matches!(status, 204 | 304);
            let body = if none { None } else { self.server.head.framing.response().map_err(lost)? };
            self.server.begin_body(body, ServerToClient, self.limits.head, sink);
        }
        if self.asked.take_if(|asked| *asked == stream).is_some() {
            let held = mem::take(&mut self.held);
            self.client_bytes(&held, sink)?;
        }
        Ok(())
    }

    /// Puts aside what the client sends before it is known whether it is HTTP.
    fn hold(&mut self, input: &[u8]) -> Result<(), Lost> {
        if self.held.len() + input.len() > self.limits.head {
            return Err((ClientToServer, "too much was sent before the answer to an upgrade"));
        }
        self.held.extend_from_slice(input);
        Ok(())
    }
}

impl Side {
    /// Whether no byte of the next head has come.
    fn between_messages(&self) -> bool {
        self.head.start.is_none() && self.lines.partial().is_empty()
    }

    fn request_line(&mut self, input: &mut &[u8]) -> Result<bool, &'static str> {
        match self.lines.next(input, |line| self.head.request_line(line)) {
            Some(done) => done,
            None if self.head.start.is_none() => head::plausible_request(self.lines.partial()).map(|()| false),
            None => Ok(false),
        }
    }

    fn response_line(&mut self, input: &mut &[u8]) -> Result<bool, &'static str> {
        match self.lines.next(input, |line| self.head.response_line(line)) {
            Some(done) => done,
            None if self.head.start.is_none() => head::plausible_response(self.lines.partial()).map(|()| false),
            None => Ok(false),
        }
    }

    /// The head has been reported: what follows is `body`, or the next head.
    fn begin_body<S>(&mut self, body: Option<Body>, direction: Direction, cap: usize, sink: &mut S)
    where
        S: FnMut(Event<'_>),
    {
        self.head = Head::new(cap);
        match body {
            Some(body) => self.phase = Phase::Body(body),
            None => sink(Event::End { stream: self.stream, direction }),
        }
    }

    /// Reads on in a body; `true`: all input is taken.
    fn body<S>(
        &mut self,
        direction: Direction,
        input: &mut &[u8],
        cap: usize,
        sink: &mut S,
    ) -> Result<bool, &'static str>
    where
        S: FnMut(Event<'_>),
    {
        let Phase::Body(body) = &mut self.phase else { return Ok(false) };
        let stream = self.stream;
        match body.step(input, &mut self.lines, cap)? {
            Step::Data(bytes) => sink(Event::Data { stream, direction, bytes }),
            Step::Read => {}
            Step::More => return Ok(true),
            Step::End(fields) => {
                self.phase = Phase::Head;
                if !fields.is_empty() {
                    sink(Event::Trailers { stream, direction, fields });
                }
                sink(Event::End { stream, direction });
            }
        }
        Ok(false)
    }
}

fn opaque<S>(stream: StreamId, direction: Direction, bytes: &[u8], sink: &mut S)
where
    S: FnMut(Event<'_>),
{
    if !bytes.is_empty() {
        sink(Event::Opaque { stream, direction, bytes });
    }
}

/// Servers and clients pass over empty lines before a message (RFC 9112 section 2.2).
fn skip_line_ends(mut input: &[u8]) -> &[u8] {
    while let [b'\r' | b'\n', rest @ ..] = input {
        input = rest;
    }
    input
}

#[cfg(test)]
mod tests;
