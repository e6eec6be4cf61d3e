//! What an observer said, as lines of text: tests read as scripts, and two runs can be compared.
//!
//! ```text
//! 0 request GET /models HTTP/1.1 | Host: a        stream, what, then the fields
//! 0 > end                                         > the client's direction, < the server's
//! 0 response 200 OK HTTP/1.1 | Content-Length: 2
//! 0 < data {}                                     pieces that follow each other joined
//! 0 < end
//! 1 < message text {}                             and before it: 1 < begins
//! ```

use std::fmt::Write;

use super::{Event, Fields, Limits, Observer, Protocol, StreamId, Version};
use crate::wire::Direction;

/// Collects events.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Transcript {
    /// One line for each event, pieces of one body joined.
    pub lines: Vec<String>,
    /// Size on the wire of each head, in order.
    pub wire_sizes: Vec<u64>,
    /// The largest number of bytes kept for a head or trailer section that an event carried.
    pub largest: usize,
    /// What more bytes would be joined with, and in which line.
    open: Option<(&'static str, StreamId, Direction, usize)>,
}

impl Transcript {
    /// Feeds a new observer and collects what it says.
    pub fn of<'a>(
        protocol: Protocol,
        limits: Limits,
        feeds: impl IntoIterator<Item = (Direction, &'a [u8])>,
    ) -> (Self, Observer) {
        let mut observer = Observer::new(protocol, limits);
        let mut this = Self::default();
        for (direction, bytes) in feeds {
            observer.feed(direction, bytes, &mut |event| this.note(event));
        }
        (this, observer)
    }

    /// Adds an event.
    pub fn note(&mut self, event: Event<'_>) {
        let line = match event {
            Event::Data { stream, direction, bytes } => return self.bytes("data", stream, direction, bytes),
            Event::Opaque { stream, direction, bytes } => return self.bytes("opaque", stream, direction, bytes),
            Event::Request { stream, head } => {
                self.wire_sizes.push(head.wire_size);
                let own = head.method.len() + head.target.len() + head.authority.as_ref().map_or(0, Vec::len);
                self.largest = self.largest.max(own + head.pseudo.size() + head.fields.size());
                let (method, target) = (head.method.escape_ascii(), head.target.escape_ascii());
                let mut line = format!("{} request {method} {target} {}", stream.0, version(head.version));
                if let Some(authority) = head.authority {
                    _ = write!(line, " authority {}", authority.escape_ascii());
                }
                line + mark(head.truncated) + fields(&head.pseudo).as_str() + fields(&head.fields).as_str()
            }
            Event::Interim { stream, head } | Event::Response { stream, head } => {
                self.wire_sizes.push(head.wire_size);
                self.largest = self.largest.max(head.reason.len() + head.fields.size());
                let what = if matches!(head.status, 100 | 102..=199) { "interim" } else { "response" };
                let (status, reason) = (head.status, head.reason.escape_ascii());
                let line = format!("{} {what} {status} {reason} {}", stream.0, version(head.version));
                line + mark(head.truncated) + fields(&head.fields).as_str()
            }
            Event::Trailers { stream, direction, fields: trailers } => {
                self.largest = self.largest.max(trailers.size());
                format!("{} {} trailers{}", stream.0, arrow(direction), fields(&trailers))
            }
            Event::End { stream, direction } => format!("{} {} end", stream.0, arrow(direction)),
            Event::Reset { stream, direction, code } => format!("{} {} reset {code}", stream.0, arrow(direction)),
            Event::GoAway { direction, last_stream, code } => {
                format!("- {} goaway {last_stream} {code}", arrow(direction))
            }
            Event::Upgrade { stream } => format!("{} upgrade", stream.0),
            Event::WebSocket { stream } => format!("{} websocket", stream.0),
            // They come in the middle of opaque bytes, where exactly depends on the cuts: those stay joined.
            Event::MessageBegins { stream, direction } => {
                return self.lines.push(format!("{} {} begins", stream.0, arrow(direction)));
            }
            Event::Message { stream, direction, kind, bytes, truncated } => {
                let (arrow, kind, mark) = (arrow(direction), kind.as_str(), mark(truncated));
                return self.lines.push(format!("{} {arrow} message {kind}{mark} {}", stream.0, bytes.escape_ascii()));
            }
            Event::Malformed { stream, direction, reason } => {
                self.forget_opaque(stream);
                let stream = stream.map_or_else(|| "-".to_owned(), |stream| stream.0.to_string());
                format!("{stream} {} malformed: {reason}", arrow(direction))
            }
        };
        self.lines.push(line);
        self.open = None;
    }

    fn bytes(&mut self, what: &'static str, stream: StreamId, direction: Direction, bytes: &[u8]) {
        match self.open.filter(|&(w, s, d, _)| (w, s, d) == (what, stream, direction)) {
            Some((.., line)) => _ = write!(self.lines[line], "{}", bytes.escape_ascii()),
            None => {
                self.open = Some((what, stream, direction, self.lines.len()));
                self.lines.push(format!("{} {} {what} {}", stream.0, arrow(direction), bytes.escape_ascii()));
            }
        }
    }

    /// How many opaque bytes come before what is wrong with them depends on the cuts.
    fn forget_opaque(&mut self, stream: Option<StreamId>) {
        let Some(stream) = stream else { return };
        for direction in Direction::BOTH {
            let start = format!("{} {} opaque ", stream.0, arrow(direction));
            self.lines.retain(|line| !line.starts_with(&start));
        }
    }
}

fn fields(fields: &Fields) -> String {
    fields.iter().map(|(name, value)| format!(" | {}: {}", name.escape_ascii(), value.escape_ascii())).collect()
}

fn version(version: Version) -> &'static str {
    match version {
        Version::Http10 => "HTTP/1.0",
        Version::Http11 => "HTTP/1.1",
        Version::Http2 => "HTTP/2",
    }
}

fn arrow(direction: Direction) -> char {
    match direction {
        Direction::ClientToServer => '>',
        Direction::ServerToClient => '<',
    }
}

fn mark(truncated: bool) -> &'static str {
    if truncated { " (truncated)" } else { "" }
}
