//! Shows 2: generated conversations on WebSockets, with and without compression, cut at every byte: the observer says
//! what was sent.

mod support;

use copilot_recorder::observer::{Event, Limits, Observer, Protocol};
use copilot_recorder::wire::Direction::{self, ClientToServer, ServerToClient};
use support::http2::{self, DATA, END_STREAM};
use support::websocket::{Conversation, KINDS, conversation};

/// What an observer said of a socket, and the bytes that it said it by.
#[derive(Debug, Default, PartialEq)]
struct Said {
    lines: Vec<Line>,
    opaque: [Vec<u8>; 2],
    /// Neither a message nor a part of the heads.
    other: Vec<String>,
}

#[derive(Debug, PartialEq)]
enum Line {
    Begins(Direction),
    Message(Direction, &'static str, Vec<u8>, bool),
}

type Feed<'a> = (Direction, &'a [u8]);

fn observe<'a>(protocol: Protocol, feeds: impl IntoIterator<Item = Feed<'a>>) -> Said {
    let mut observer = Observer::new(protocol, Limits::default());
    let mut said = Said::default();
    let mut note = |event: Event<'_>| match event {
        Event::MessageBegins { direction, .. } => said.lines.push(Line::Begins(direction)),
        Event::Message { direction, kind, bytes, truncated, .. } => {
            said.lines.push(Line::Message(direction, kind.as_str(), bytes.to_vec(), truncated));
        }
        Event::Opaque { direction, bytes, .. } => said.opaque[direction.index()].extend(bytes),
        Event::Request { .. } | Event::Response { .. } | Event::Upgrade { .. } => {}
        Event::End { .. } | Event::WebSocket { .. } => {}
        other => said.other.push(format!("{other:?}")),
    };
    for (direction, bytes) in feeds {
        observer.feed(direction, bytes, &mut note);
    }
    for direction in Direction::BOTH {
        observer.end(direction, true, &mut note);
    }
    said
}

fn direction(client: bool) -> Direction {
    if client { ClientToServer } else { ServerToClient }
}

/// What must be said.
fn expected(conversation: &Conversation) -> Said {
    let mut said = Said::default();
    for (client, frame) in &conversation.frames {
        let direction = direction(*client);
        said.opaque[direction.index()].extend(&frame.bytes);
        if frame.begins {
            said.lines.push(Line::Begins(direction));
        }
        if let Some(sent) = &frame.ends {
            let (_, kind) = KINDS.into_iter().find(|(opcode, _)| *opcode == sent.opcode).expect("a known opcode");
            said.lines.push(Line::Message(direction, kind, sent.payload.clone(), false));
        }
    }
    said
}

/// What goes over HTTP/1.1, with the frames of one side that follow each other in one piece.
fn http1(conversation: &Conversation) -> Vec<(Direction, Vec<u8>)> {
    let agreed = match conversation.agreed {
        "" => String::new(),
        agreed => format!("Sec-WebSocket-Extensions: {agreed}\r\n"),
    };
    let ask = "GET /responses HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let answer = format!("HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\n{agreed}\r\n");
    let mut pieces = vec![(ClientToServer, ask.into()), (ServerToClient, answer.into_bytes())];
    for (client, frame) in &conversation.frames {
        match pieces.last_mut() {
            Some((last, bytes)) if *last == direction(*client) => bytes.extend(&frame.bytes),
            _ => pieces.push((direction(*client), frame.bytes.clone())),
        }
    }
    pieces
}

/// What goes over HTTP/2: an extended CONNECT (RFC 8441), each frame in a DATA frame of its own, padding between.
fn http2(conversation: &Conversation) -> Vec<(Direction, Vec<u8>)> {
    let fields =
        [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":path", "/"), (":authority", "a")];
    let mut answer = vec![(":status", "200")];
    if !conversation.agreed.is_empty() {
        answer.push(("sec-websocket-extensions", conversation.agreed));
    }
    let ask = [http2::PREFACE, &http2::settings(&[]), &http2::headers(1, false, &fields)].concat();
    let answer = [http2::settings(&[(8, 1)]), http2::headers(1, false, &answer)].concat();
    let mut pieces = vec![(ClientToServer, ask), (ServerToClient, answer)];
    for (client, frame) in &conversation.frames {
        pieces.push((direction(*client), http2::frame(DATA, 0, 1, &frame.bytes)));
    }
    for side in Direction::BOTH {
        pieces.push((side, http2::frame(DATA, END_STREAM, 1, &[])));
    }
    pieces
}

fn whole(pieces: &[(Direction, Vec<u8>)]) -> impl Iterator<Item = Feed<'_>> {
    pieces.iter().map(|(direction, bytes)| (*direction, &bytes[..]))
}

fn in_pieces_of(size: usize, pieces: &[(Direction, Vec<u8>)]) -> impl Iterator<Item = Feed<'_>> {
    whole(pieces).flat_map(move |(direction, bytes)| bytes.chunks(size).map(move |chunk| (direction, chunk)))
}

/// Whole but for one cut, after so many bytes.
fn cut_at(mut place: usize, pieces: &[(Direction, Vec<u8>)]) -> Vec<Feed<'_>> {
    let mut feeds = Vec::new();
    for (direction, bytes) in whole(pieces) {
        let (before, after) = bytes.split_at(place.min(bytes.len()));
        place -= before.len();
        feeds.extend([(direction, before), (direction, after)]);
    }
    feeds
}

#[test]
fn cut_at_every_byte_the_messages_are_those_that_were_sent() {
    for seed in 0..18 {
        let conversation = conversation(seed, 300);
        let expected = expected(&conversation);
        for (protocol, pieces) in [(Protocol::Http1, http1(&conversation)), (Protocol::Http2, http2(&conversation))] {
            assert_eq!(observe(protocol, whole(&pieces)), expected, "seed {seed} over {protocol:?}");
            for size in [1, 2, 3, 125] {
                let said = observe(protocol, in_pieces_of(size, &pieces));
                assert_eq!(said, expected, "seed {seed} over {protocol:?} in pieces of {size}");
            }
            let total: usize = pieces.iter().map(|(_, bytes)| bytes.len()).sum();
            for place in 1..total {
                let said = observe(protocol, cut_at(place, &pieces));
                assert_eq!(said, expected, "seed {seed} over {protocol:?} cut at {place}");
            }
        }
    }
}

#[test]
fn large_messages_are_those_that_were_sent() {
    for seed in 100..112 {
        let conversation = conversation(seed, 150_000);
        let expected = expected(&conversation);
        let pieces = http1(&conversation);
        for size in [1, 4095, 16 << 10, usize::MAX] {
            assert!(observe(Protocol::Http1, in_pieces_of(size, &pieces)) == expected, "seed {seed}, pieces of {size}");
        }
    }
}

/// What is cut off or damaged anywhere gives a beginning of what was sent, or the socket is given up: never a panic,
/// never a message that is marked whole and is none.
#[test]
fn cut_off_anywhere_it_is_a_beginning() {
    for seed in 200..206 {
        let conversation = conversation(seed, 200);
        let expected = expected(&conversation);
        let pieces = http1(&conversation);
        let total: usize = pieces.iter().map(|(_, bytes)| bytes.len()).sum();
        for end in 0..total {
            let mut left = end;
            let feeds = whole(&pieces).map(|(direction, bytes)| {
                let bytes = &bytes[..left.min(bytes.len())];
                left -= bytes.len();
                (direction, bytes)
            });
            let said = observe(Protocol::Http1, feeds.collect::<Vec<_>>());
            let cut = |line: &Line| matches!(line, Line::Message(.., true));
            let agree = said.lines.iter().zip(&expected.lines).take_while(|(one, other)| one == other).count();
            // Of each side at most one message was under way.
            assert!(said.lines[agree..].iter().all(cut) && said.lines.len() <= agree + 2, "seed {seed} ends at {end}");
            for line in &said.lines[agree..] {
                let Line::Message(side, kind, bytes, _) = line else { continue };
                let is_beginning = |line: &Line| {
                    matches!(line, Line::Message(whose, what, all, false)
                    if whose == side && what == kind && all.starts_with(bytes))
                };
                assert!(expected.lines[agree..].iter().any(is_beginning), "seed {seed} ends at {end}: {line:?}");
            }
        }
    }
}

#[test]
fn damaged_anywhere_it_never_panics_and_cuts_do_not_matter() {
    for seed in 300..306 {
        let conversation = conversation(seed, 130);
        let mut pieces = http1(&conversation);
        let total: usize = pieces[2..].iter().map(|(_, bytes)| bytes.len()).sum();
        for place in 0..total {
            let flip = |pieces: &mut Vec<(Direction, Vec<u8>)>| {
                let mut left = place;
                for (_, bytes) in &mut pieces[2..] {
                    if let Some(byte) = bytes.get_mut(left) {
                        *byte ^= 1 << (place % 8);
                        return;
                    }
                    left -= bytes.len();
                }
            };
            flip(&mut pieces);
            let (one, other) =
                (observe(Protocol::Http1, whole(&pieces)), observe(Protocol::Http1, in_pieces_of(1, &pieces)));
            assert_eq!((one.lines, one.other), (other.lines, other.other), "seed {seed} damaged at {place}");
            flip(&mut pieces);
        }
    }
}
