//! HTTP/2 connections written frame by frame: padding, CONTINUATION, interleaving, and what else RFC 9113 allows.

use loona_hpack::Encoder;

use super::coded::{coded, huffman, on_the_wire};
use super::rng::Rng;
use super::script::{Expected, Fields, Message, Script, Turn};

/// What a client says first (RFC 9113 section 3.4).
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

/// END_STREAM of DATA and HEADERS, ACK of SETTINGS and PING.
pub(crate) const END_STREAM: u8 = 0x1;
pub(crate) const ACK: u8 = 0x1;
pub(crate) const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const PRIORITY_FLAG: u8 = 0x20;

/// A frame as on the wire.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// SETTINGS with these (identifier, value) pairs.
pub(crate) fn settings(values: &[(u16, u32)]) -> Vec<u8> {
    let payload: Vec<u8> =
        values.iter().flat_map(|(id, value)| id.to_be_bytes().into_iter().chain(value.to_be_bytes())).collect();
    frame(SETTINGS, 0, 0, &payload)
}

/// A HEADERS frame with its fields as literals that touch no table.
pub(crate) fn headers(stream: u32, end_stream: bool, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        literal(&mut block, 0x00, name, value);
    }
    frame(HEADERS, END_HEADERS | if end_stream { END_STREAM } else { 0 }, stream, &block)
}

/// RFC 7541 section 6.2: a literal with a new name, strings without Huffman coding.
fn literal(block: &mut Vec<u8>, kind: u8, name: &str, value: &str) {
    block.push(kind);
    for text in [name, value] {
        string(block, 0, &on_the_wire(text));
    }
}

/// The same with Huffman coding, as every real client has it.
fn huffman_literal(block: &mut Vec<u8>, kind: u8, name: &str, value: &str) {
    block.push(kind);
    for text in [name, value] {
        match huffman(text) {
            Some(bytes) => string(block, 0x80, &bytes),
            None => string(block, 0, &on_the_wire(text)),
        }
    }
}

/// RFC 7541 section 5.2; `coded` is its flag H.
fn string(block: &mut Vec<u8>, coded: u8, bytes: &[u8]) {
    loona_hpack::encoder::encode_integer_into(bytes.len(), 7, coded, block).expect("memory takes bytes");
    block.extend(bytes);
}

/// One side of a connection: its HPACK state and what it has written in this turn.
struct Side {
    hpack: Encoder<'static>,
    /// A table size to announce at the start of the next header block (RFC 7541 section 6.3).
    resize: Option<u32>,
    bytes: Vec<u8>,
}

impl Side {
    fn new() -> Self {
        Self { hpack: Encoder::new(), resize: None, bytes: Vec::new() }
    }

    /// A header block in HEADERS and perhaps CONTINUATION frames.
    fn headers(&mut self, rng: &mut Rng, stream: u32, fields: &[(&str, &str)], end_stream: bool) {
        let mut block = Vec::new();
        if let Some(size) = self.resize.take() {
            loona_hpack::encoder::encode_integer_into(size as usize, 5, 0x20, &mut block).expect("memory takes bytes");
            self.hpack.set_max_table_size(size as usize);
        }
        for (name, value) in fields {
            match rng.range(1, 6) {
                1 => literal(&mut block, 0x00, name, value),
                2 => literal(&mut block, 0x10, name, value),
                3 => huffman_literal(&mut block, 0x00, name, value),
                4 => huffman_literal(&mut block, 0x10, name, value),
                _ => {
                    self.hpack.encode_header_into((name.as_bytes(), &*on_the_wire(value)), &mut block).expect("memory");
                }
            }
        }
        let mut pieces: Vec<&[u8]> = Vec::new();
        let mut rest = block.as_slice();
        let split = rng.one_in(3) || block.len() > 10_000;
        while split && !rest.is_empty() && pieces.len() < 20 {
            let (piece, after) = rest.split_at(rng.range(0, rest.len().min(8000)));
            pieces.push(piece);
            rest = after;
        }
        pieces.push(rest);
        let last = pieces.len() - 1;
        for (n, piece) in pieces.into_iter().enumerate() {
            let mut flags = if n == last { END_HEADERS } else { 0 };
            if n > 0 {
                self.bytes.extend(frame(CONTINUATION, flags, stream, piece));
                continue;
            }
            let mut payload = Vec::new();
            if rng.one_in(4) {
                flags |= PRIORITY_FLAG;
                payload.extend((rng.next() as u32 & 0x8000_0000).to_be_bytes());
                payload.push(rng.next() as u8);
            }
            payload.extend(piece);
            let flags = flags | if end_stream { END_STREAM } else { 0 };
            self.padded(rng, HEADERS, flags, stream, payload);
        }
    }

    fn padded(&mut self, rng: &mut Rng, kind: u8, mut flags: u8, stream: u32, mut payload: Vec<u8>) {
        if rng.one_in(3) {
            let padding = rng.range(0, 255);
            flags |= PADDED;
            payload.insert(0, padding as u8);
            payload.extend(vec![0; padding]);
        }
        self.bytes.extend(frame(kind, flags, stream, &payload));
    }

    /// A frame that concerns no message.
    fn noise(&mut self, rng: &mut Rng, stream: u32) {
        let noise = match rng.range(1, 5) {
            1 => frame(PING, if rng.one_in(2) { ACK } else { 0 }, 0, &rng.bytes(8)),
            2 => frame(PRIORITY, 0, stream, &[0, 0, 0, 0, rng.next() as u8]),
            3 => frame(WINDOW_UPDATE, 0, if rng.one_in(2) { 0 } else { stream }, &[0, 0, 1, 0]),
            // Unknown types must be ignored (RFC 9113 section 5.5).
            4 => frame(0xbe, 0xff, 0, &rng.bytes(20)),
            _ => settings(&[(0x0a0a, rng.next() as u32)]),
        };
        self.bytes.extend(noise);
    }
}

/// What is still to be written of one message.
enum Item {
    /// Interim or final head, with END_STREAM.
    Head(Vec<(String, String)>, bool),
    Data(Vec<u8>, bool),
    Trailers(Fields),
    Reset(u32),
}

/// A connection's worth of exchanges; the same for the same `seed`.
pub(crate) fn script(seed: u64) -> Script {
    let mut rng = Rng::new(seed);
    let rng = &mut rng;
    let host = format!("h{seed}.individual.githubcopilot.com");
    let mut script = Script { host, turns: Vec::new(), server_closes: false, expected: Vec::new() };
    let (mut client, mut server) = (Side::new(), Side::new());

    // Windows so large that neither side ever has to wait for an update; tables of odd sizes.
    let sizes = [0u32, 100, 4096, 4096, 10_000];
    let (client_table, server_table) = (sizes[rng.range(0, 4)], sizes[rng.range(0, 4)]);
    client.bytes.extend(PREFACE);
    client.bytes.extend(settings(&[(0x1, client_table), (0x2, 0), (0x4, 0x4000_0000)]));
    client.bytes.extend(frame(WINDOW_UPDATE, 0, 0, &0x7000_0000u32.to_be_bytes()));
    server.bytes.extend(settings(&[(0x1, server_table), (0x3, 100), (0x4, 0x4000_0000)]));
    server.bytes.extend(frame(WINDOW_UPDATE, 0, 0, &0x7000_0000u32.to_be_bytes()));
    server.bytes.extend(frame(SETTINGS, ACK, 0, &[]));
    turn(rng, &mut script, &mut client, &mut server);
    client.bytes.extend(frame(SETTINGS, ACK, 0, &[]));
    client.resize = (server_table != 4096).then_some(server_table);
    server.resize = (client_table != 4096).then_some(client_table);

    let mut stream = 1;
    for _ in 0..rng.range(1, 3) {
        let (mut requests, mut answers) = (Vec::new(), Vec::new());
        for _ in 0..rng.range(1, 5) {
            let (request, answer) = exchange(rng, &mut script);
            requests.push((stream, request));
            answers.push((stream, answer));
            stream += 2;
        }
        // Streams are opened in the order of their numbers (RFC 9113 section 5.1.1).
        interleave(rng, &mut client, requests, true);
        interleave(rng, &mut server, answers, false);
        turn(rng, &mut script, &mut client, &mut server);
    }
    if rng.one_in(2) {
        let mut payload = (stream - 2).to_be_bytes().to_vec();
        payload.extend([0, 0, 0, 0]);
        server.bytes.extend(frame(GOAWAY, 0, 0, &[payload.as_slice(), b"so long"].concat()));
        turn(rng, &mut script, &mut client, &mut server);
    }
    script
}

fn turn(rng: &mut Rng, script: &mut Script, client: &mut Side, server: &mut Side) {
    let turn = Turn::new(rng, std::mem::take(&mut client.bytes), std::mem::take(&mut server.bytes));
    script.turns.push(turn);
}

/// Writes the items of all streams, each stream's in order, the streams mixed.
fn interleave(rng: &mut Rng, side: &mut Side, streams: Vec<(u32, Vec<Item>)>, opening: bool) {
    let mut queues: Vec<_> = streams.into_iter().map(|(id, items)| (id, items.into_iter().peekable(), false)).collect();
    while queues.iter_mut().any(|(_, items, _)| items.peek().is_some()) {
        let opened = queues.iter().filter(|(.., opened)| *opened).count();
        let last = if opening { opened.min(queues.len() - 1) } else { queues.len() - 1 };
        let (stream, items, opened) = &mut queues[rng.range(0, last)];
        let Some(item) = items.next() else { continue };
        *opened = true;
        match item {
            Item::Head(fields, end) => {
                let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                side.headers(rng, *stream, &fields, end);
            }
            Item::Data(bytes, end) => side.padded(rng, DATA, u8::from(end), *stream, bytes),
            Item::Trailers(fields) => {
                let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                side.headers(rng, *stream, &fields, true);
            }
            Item::Reset(code) => side.bytes.extend(frame(RST_STREAM, 0, *stream, &code.to_be_bytes())),
        }
        if rng.one_in(6) {
            side.noise(rng, *stream);
        }
    }
}

/// One request and its answer; the expectation goes into the script.
fn exchange(rng: &mut Rng, script: &mut Script) -> (Vec<Item>, Vec<Item>) {
    let case = format!("{}-{}", script.host, script.expected.len());
    let path = format!("/gen/{}?q={}", rng.word(1, 20), rng.word(0, 60));
    let method = rng.pick(&["GET", "POST", "POST", "PUT", "HEAD"]);
    let reset = rng.one_in(8);
    let mut pseudo = vec![(":method", method), (":authority", &script.host), (":scheme", "https"), (":path", &path)];
    for i in (1..4).rev() {
        pseudo.swap(i, rng.range(0, i));
    }
    let pseudo: Fields = pseudo.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut request = message(rng, matches!(method, "POST" | "PUT"));
    request.fields.insert(0, ("x-case".into(), case.clone()));
    let sent_body = sent(rng, &mut request, true);
    let requested = items(rng, pseudo, &request, &sent_body);

    let status: u16 = *rng.pick(&[&200, &200, &200, &404, &500, &204, &304]);
    let mut response = message(rng, method != "HEAD" && !matches!(status, 204 | 304));
    let mut answered = Vec::new();
    if rng.one_in(5) {
        answered.push(Item::Head(vec![(":status".into(), "103".into()), ("link".into(), "</a>".into())], false));
    }
    // Of a coded body that is cut, the test could not say what is left.
    let sent_body = sent(rng, &mut response, !reset);
    answered.extend(items(rng, vec![(":status".into(), status.to_string())], &response, &sent_body));
    if reset {
        cut_by_reset(rng, &mut answered, &mut response);
    }
    script.expected.push(Expected {
        url: format!("https://{}{path}", script.host),
        case,
        method: method.into(),
        version: "HTTP/2",
        request,
        status,
        response,
        aborted_by: reset.then_some("upstream"),
    });
    (requested, answered)
}

/// Replaces the message's end by RST_STREAM: the head stays, and a part of the body.
fn cut_by_reset(rng: &mut Rng, items: &mut Vec<Item>, message: &mut Message) {
    let head = items.iter().position(|item| matches!(item, Item::Head(fields, _) if fields[0].1 != "103"));
    let keep = rng.range(head.expect("an answer has a head") + 1, items.len());
    items.truncate(keep);
    message.trailers.clear();
    message.body.clear();
    for item in items.iter_mut() {
        match item {
            Item::Data(bytes, end) => {
                *end = false;
                message.body.extend_from_slice(bytes);
            }
            Item::Head(_, end) => *end = false,
            Item::Trailers(_) | Item::Reset(_) => {}
        }
    }
    items.retain(|item| !matches!(item, Item::Trailers(_)));
    items.push(Item::Reset(*rng.pick(&[&0, &2, &8])));
}

fn message(rng: &mut Rng, with_body: bool) -> Message {
    let mut message = Message::default();
    for n in 0..rng.range(0, 6) {
        let value = match rng.range(1, 6) {
            1 => String::new(),
            6 => "\u{80}, caf\u{e9} and \u{ff}".into(),
            2 => "é, 雪; \"quoted\"".into(),
            3 => rng.word(500, 4000),
            _ => rng.word(1, 20),
        };
        message.fields.push((format!("x-{}-{n}", rng.word(1, 10).to_ascii_lowercase()), value));
    }
    if rng.one_in(4) {
        for n in 0..2 {
            message.fields.push(("set-cookie".into(), format!("c{n}=v")));
        }
    }
    if with_body {
        let n = rng.range(0, 300);
        message.body = match rng.range(1, 5) {
            1 => Vec::new(),
            2 => [vec![0xff, 0x00], rng.bytes(n * 100)].concat(),
            _ => rng.text(n).into_bytes(),
        };
        if rng.one_in(4) {
            message.trailers = vec![("grpc-status".into(), "0".into()), ("x-after".into(), rng.word(0, 20))];
        }
    }
    message
}

/// The body as sent: sometimes in a content coding, which its fields then name.
fn sent(rng: &mut Rng, message: &mut Message, may_be_coded: bool) -> Vec<u8> {
    if !may_be_coded || message.body.is_empty() || !rng.one_in(4) {
        return message.body.clone();
    }
    let (coding, sent) = coded(rng, &message.body);
    message.fields.push(("content-encoding".into(), coding.into()));
    sent
}

/// Head, DATA frames (some empty), trailers; the last carries END_STREAM.
fn items(rng: &mut Rng, mut pseudo: Fields, message: &Message, sent: &[u8]) -> Vec<Item> {
    pseudo.extend(message.fields.clone());
    let bare = message.body.is_empty() && message.trailers.is_empty();
    let in_head = bare && rng.one_in(2);
    let mut items = vec![Item::Head(pseudo, in_head)];
    if in_head {
        return items;
    }
    let mut rest = sent;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rng.range(0, rest.len().min(8000)));
        items.push(Item::Data(piece.to_vec(), false));
        rest = after;
    }
    if message.trailers.is_empty() {
        items.push(Item::Data(Vec::new(), true));
    } else {
        items.push(Item::Trailers(message.trailers.clone()));
    }
    items
}
