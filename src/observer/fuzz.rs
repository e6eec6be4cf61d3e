//! Bodies of the fuzz targets: any bytes in, and what must hold whatever they are.

use std::collections::HashSet;

use super::http2::HpackDecoder;
use super::transcript::Transcript;
use super::{Event, Limits, Observer, PREFACE, Protocol, StreamId};
use crate::wire::Direction;

/// Small, so that short inputs reach them.
const LIMITS: Limits = Limits { head: 48, streams: 3, message: 64 };

/// Any conversation over HTTP/1.x.
pub fn fuzz_http1(data: &[u8]) {
    check(Protocol::Http1, &segments(data));
    check(Protocol::Detect, &segments(data));
}

/// Any conversation over HTTP/2; the preface is put in front, as nothing gets past without.
pub fn fuzz_http2(data: &[u8]) {
    let mut conversation = vec![(Direction::ClientToServer, &PREFACE[..])];
    conversation.extend(segments(data));
    check(Protocol::Http2, &conversation);
    check(Protocol::Detect, &conversation);
    check(Protocol::Http2, &segments(data));
}

/// Any header blocks: each begins with its length.
pub fn fuzz_hpack(data: &[u8]) {
    let mut decoder = HpackDecoder::new();
    let mut again = HpackDecoder::new();
    let Some((&size, mut rest)) = data.split_first() else { return };
    let allowed = usize::from(size) * 64;
    for decoder in [&mut decoder, &mut again] {
        decoder.allow(allowed as u32);
    }
    while let Some((&length, blocks)) = rest.split_first() {
        let (block, more) = blocks.split_at(usize::from(length).min(blocks.len()));
        rest = more;
        let (mut fields, mut fields_again) = (Vec::new(), Vec::new());
        let result = decoder.decode(block, &mut |name, value| fields.push((name.to_vec(), value.to_vec())));
        let repeated = again.decode(block, &mut |name, value| fields_again.push((name.to_vec(), value.to_vec())));
        assert_eq!((result, fields), (repeated, fields_again), "decoding depends on something else than the input");
        assert!(decoder.table_size() <= allowed.max(4096), "the table outgrew what was allowed");
        if result.is_err() {
            return;
        }
    }
}

/// Any conversation on a WebSocket; the first byte chooses what was agreed upon, the rest is as for HTTP.
pub fn fuzz_websocket(data: &[u8]) {
    const AGREED: [&str; 4] = [
        "",
        "Sec-WebSocket-Extensions: permessage-deflate\r\n",
        "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover\r\n",
        "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; server_max_window_bits=9\r\n",
    ];
    let Some((&agreed, rest)) = data.split_first() else { return };
    let agreed = AGREED[usize::from(agreed) % AGREED.len()];
    let answer = format!("HTTP/1.1 101 S\r\nUpgrade: WebSocket\r\n{agreed}\r\n");
    let ask = b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n";
    let mut conversation = vec![(Direction::ClientToServer, &ask[..]), (Direction::ServerToClient, answer.as_bytes())];
    conversation.extend(segments(rest));
    let limits = Limits { head: 4096, ..LIMITS };
    check_within(limits, Protocol::Http1, &conversation);
}

/// Cuts `data` into what one side sends at a time: a byte with the direction in its top bit and the length below.
fn segments(mut data: &[u8]) -> Vec<(Direction, &[u8])> {
    let mut segments = Vec::new();
    while let Some((&head, rest)) = data.split_first() {
        let length = if head & 0x7f == 0x7f { rest.len() } else { usize::from(head & 0x7f) };
        let (bytes, more) = rest.split_at(length.min(rest.len()));
        segments.push((Direction::BOTH[usize::from(head >> 7)], bytes));
        data = more;
    }
    segments
}

/// What holds for every conversation: cuts change nothing, ceilings are kept, and events come in an order.
fn check(protocol: Protocol, conversation: &[(Direction, &[u8])]) {
    check_within(LIMITS, protocol, conversation);
}

fn check_within(limits: Limits, protocol: Protocol, conversation: &[(Direction, &[u8])]) {
    let (whole, _) = Transcript::of(protocol, limits, conversation.iter().copied());
    for size in [1, 2, 7] {
        let cut = conversation.iter().flat_map(|&(direction, bytes)| bytes.chunks(size).map(move |it| (direction, it)));
        assert_eq!(Transcript::of(protocol, limits, cut).0, whole, "cuts of {size} change the events");
    }
    // Method, path and authority of HTTP/2 are there twice, and counted so.
    assert!(whole.largest <= limits.head, "{} bytes of a head kept: {whole:?}", whole.largest);

    let mut observer = Observer::new(protocol, limits);
    let mut order = Order::default();
    let mut fed = 0;
    for &(direction, bytes) in conversation {
        observer.feed(direction, bytes, &mut |event| order.check(event));
        fed += bytes.len();
        // A line, a head and what is held for each side; dynamic tables; the streams; messages under way.
        let most = 6 * (limits.head + 300) + 2 * 4096 + 4 * limits.message;
        assert!(observer.kept() <= most, "{} bytes kept", observer.kept());
    }
    for direction in Direction::BOTH {
        observer.end(direction, true, &mut |event| order.check(event));
    }
    assert!(order.body <= fed, "more body than input");
}

/// The grammar of events.
#[derive(Default)]
struct Order {
    requests: HashSet<StreamId>,
    responses: HashSet<StreamId>,
    ended: HashSet<(StreamId, Direction)>,
    over: HashSet<StreamId>,
    upgraded: HashSet<StreamId>,
    sockets: HashSet<StreamId>,
    begun: HashSet<(StreamId, Direction)>,
    lost: bool,
    body: usize,
}

impl Order {
    fn check(&mut self, event: Event<'_>) {
        assert!(!self.lost, "{event:?} after the connection was lost");
        match event {
            Event::Request { stream, .. } => assert!(self.requests.insert(stream), "{stream:?} began twice"),
            Event::Interim { stream, .. } => {
                self.going_on(stream, Direction::ServerToClient);
                assert!(!self.responses.contains(&stream), "interim response after the final one");
            }
            Event::Response { stream, .. } => {
                self.going_on(stream, Direction::ServerToClient);
                assert!(self.responses.insert(stream), "{stream:?} answered twice");
            }
            Event::Data { stream, direction, bytes } => {
                self.going_on(stream, direction);
                assert!(direction == Direction::ClientToServer || self.responses.contains(&stream));
                assert!(!bytes.is_empty());
                self.body += bytes.len();
            }
            Event::Opaque { stream, bytes, .. } => {
                assert!(self.upgraded.contains(&stream) && !bytes.is_empty());
                self.body += bytes.len();
            }
            Event::Trailers { stream, direction, fields } => {
                self.going_on(stream, direction);
                assert!(!fields.is_empty());
            }
            Event::End { stream, direction } => {
                self.going_on(stream, direction);
                assert!(direction == Direction::ClientToServer || self.responses.contains(&stream));
                self.ended.insert((stream, direction));
            }
            Event::Reset { stream, .. } => {
                self.going_on_at_all(stream);
                self.over.insert(stream);
            }
            Event::Upgrade { stream } => {
                assert!(self.responses.contains(&stream));
                self.upgraded.insert(stream);
            }
            Event::WebSocket { stream } => {
                self.going_on_at_all(stream);
                assert!(self.upgraded.contains(&stream) && self.sockets.insert(stream));
            }
            Event::MessageBegins { stream, direction } => {
                self.going_on_at_all(stream);
                assert!(self.sockets.contains(&stream) && self.begun.insert((stream, direction)));
            }
            Event::Message { stream, direction, kind, bytes, .. } => {
                self.going_on_at_all(stream);
                assert!(self.sockets.contains(&stream) && bytes.len() <= LIMITS.message.max(125));
                assert!(!kind.is_data() || self.begun.remove(&(stream, direction)), "a message that never began");
            }
            Event::Malformed { stream: Some(stream), .. } => _ = self.over.insert(stream),
            Event::Malformed { stream: None, .. } => self.lost = true,
            Event::GoAway { .. } => {}
        }
    }

    fn going_on(&self, stream: StreamId, direction: Direction) {
        self.going_on_at_all(stream);
        assert!(!self.ended.contains(&(stream, direction)), "{stream:?} goes on after its end in {direction:?}");
    }

    fn going_on_at_all(&self, stream: StreamId) {
        assert!(self.requests.contains(&stream), "{stream:?} never began");
        assert!(!self.over.contains(&stream), "{stream:?} goes on after it was over");
    }
}
