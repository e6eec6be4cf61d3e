//! Generated HTTP/2 connections, frames interleaved and cut anywhere: the observer says what was sent.

use copilot_recorder::observer::transcript::Transcript;
use copilot_recorder::observer::{Limits, Protocol};
use copilot_recorder::wire::Direction;
use loona_hpack::Encoder;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// What one side sends on a stream.
#[derive(Clone, Debug)]
struct Message {
    fields: Vec<(String, String)>,
    /// Payloads of DATA, each with its padding.
    data: Vec<(Vec<u8>, Option<u8>)>,
    trailers: Option<String>,
    padding: Option<u8>,
    priority: bool,
    /// How many bytes of the header block go into each frame.
    fragment: usize,
}

fn message() -> impl Strategy<Value = Message> {
    let field = ("(x-[a-c]|cookie|accept|[a-z-]{1,20})", "[ -&(-\\[\\]-~]{0,40}").prop_map(|(name, value)| {
        // A quote would be escaped in the transcript.
        (name, value.replace('"', "x"))
    });
    (
        vec(field, 0..8),
        vec((vec(any::<u8>(), 0..80), any::<Option<u8>>()), 0..5),
        prop::option::of("[a-z]{1,8}"),
        any::<Option<u8>>(),
        any::<bool>(),
        1_usize..40,
    )
        .prop_map(|(fields, data, trailers, padding, priority, fragment)| Message {
            fields,
            data,
            trailers,
            padding,
            priority,
            fragment,
        })
}

impl Message {
    /// The frames, those of a header block in one piece: nothing may come between them.
    fn frames(&self, pseudo: &[(&str, &str)], stream: u32) -> Vec<Unit> {
        let fields = pseudo.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        let head =
            Unit::Block { stream, fields: fields.chain(self.fields.clone()).collect(), of: self.clone(), end: false };
        let mut units = vec![head];
        for (bytes, padding) in &self.data {
            units.push(Unit::Frame(padded(0, 0, stream, bytes, *padding, &[])));
        }
        match &self.trailers {
            Some(value) => {
                let fields = vec![("trailer".to_owned(), value.clone())];
                units.push(Unit::Block { stream, fields, of: self.clone(), end: true });
            }
            None => units.push(Unit::Frame(frame(0, 1, stream, &[]))),
        }
        units
    }

    fn seen(&self, stream: u32, arrow: char, start: String) -> Vec<String> {
        let fields: String = self.fields.iter().map(|(name, value)| format!(" | {name}: {value}")).collect();
        let mut lines = vec![format!("{stream} {start}{fields}")];
        let body: Vec<u8> = self.data.iter().flat_map(|(bytes, _)| bytes.clone()).collect();
        if !body.is_empty() {
            lines.push(format!("{stream} {arrow} data {}", body.escape_ascii()));
        }
        if let Some(value) = &self.trailers {
            lines.push(format!("{stream} {arrow} trailers | trailer: {value}"));
        }
        lines.push(format!("{stream} {arrow} end"));
        lines
    }
}

/// Something that is sent without interruption. Blocks are encoded when they are sent, as the table then is.
#[derive(Clone, Debug)]
enum Unit {
    Frame(Vec<u8>),
    Block { stream: u32, fields: Vec<(String, String)>, of: Message, end: bool },
}

impl Unit {
    fn wire(self, encoder: &mut Encoder<'_>) -> Vec<u8> {
        let (stream, fields, of, end) = match self {
            Self::Frame(frame) => return frame,
            Self::Block { stream, fields, of, end } => (stream, fields, of, end),
        };
        let block = encoder.encode(fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
        let fragments: Vec<&[u8]> = block.chunks(of.fragment).collect();
        let mut wire = Vec::new();
        for (at, fragment) in fragments.iter().enumerate() {
            let flags = if at + 1 == fragments.len() { 4 } else { 0 };
            if at > 0 {
                wire.extend(frame(9, flags, stream, fragment));
                continue;
            }
            let priority: &[u8] = if of.priority { &[0x80, 0, 0, 0, 200] } else { &[] };
            let flags = flags | u8::from(end) | if of.priority { 0x20 } else { 0 };
            wire.extend(padded(1, flags, stream, fragment, of.padding, priority));
        }
        wire
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    [&(payload.len() as u32).to_be_bytes()[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

fn padded(kind: u8, flags: u8, stream: u32, payload: &[u8], padding: Option<u8>, before: &[u8]) -> Vec<u8> {
    match padding {
        Some(padding) => {
            let zeros = vec![0; usize::from(padding)];
            frame(kind, flags | 8, stream, &[&[padding], before, payload, &zeros].concat())
        }
        None => frame(kind, flags, stream, &[before, payload].concat()),
    }
}

/// One of the queues gives its next unit, until all are empty; the streams of `order` come first.
fn interleave(mut queues: Vec<Vec<Unit>>, order: &[Index], encoder: &mut Encoder<'_>) -> Vec<u8> {
    let mut wire = Vec::new();
    // Streams are opened in the order of their ids, so all heads come first.
    let heads: Vec<Unit> = queues.iter_mut().map(|queue| queue.remove(0)).collect();
    heads.into_iter().for_each(|unit| wire.extend(unit.wire(encoder)));
    let mut order = order.iter().cycle();
    while !queues.is_empty() {
        let at = order.next().map_or(0, |index| index.index(queues.len()));
        wire.extend(queues[at].remove(0).wire(encoder));
        wire.extend(frame(6, 0, 0, b"any ping"));
        queues.retain(|queue| !queue.is_empty());
    }
    wire
}

fn cut<'a>(direction: Direction, bytes: &'a [u8], places: &[Index]) -> Vec<(Direction, &'a [u8])> {
    let mut places: Vec<usize> = places.iter().map(|place| place.index(bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| (direction, &bytes[pair[0]..pair[1]])).collect()
}

/// The lines of one stream and direction, pieces of its body joined.
fn lines_of(lines: &[String], prefix: &str, arrow: char, head: &str) -> Vec<String> {
    let of_it = |line: &&String| {
        line.starts_with(&format!("{prefix} {arrow} ")) || line.starts_with(&format!("{prefix} {head} "))
    };
    let mut joined: Vec<String> = Vec::new();
    for line in lines.iter().filter(of_it) {
        let data = format!("{prefix} {arrow} data ");
        match (joined.last_mut(), line.strip_prefix(&data)) {
            (Some(last), Some(more)) if last.starts_with(&data) => last.push_str(more),
            _ => joined.push(line.clone()),
        }
    }
    joined
}

proptest! {
    #[test]
    fn interleaved_exchanges(
        exchanges in vec((message(), message()), 1..5),
        order in vec(any::<Index>(), 1..40),
        places in vec(any::<Index>(), 0..20),
    ) {
        let id = |at: usize| 2 * at as u32 + 1;
        let request = [(":method", "POST"), (":authority", "a"), (":path", "/p")];
        let queues = |server: bool| exchanges.iter().enumerate().map(|(at, (question, answer))| {
            if server { answer.frames(&[(":status", "200")], id(at)) } else { question.frames(&request, id(at)) }
        }).collect();
        let settings = frame(4, 0, 0, &[]);
        let mut client = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &settings].concat();
        client.extend(interleave(queues(false), &order, &mut Encoder::new()));
        let mut server = settings;
        server.extend(interleave(queues(true), &order, &mut Encoder::new()));

        for protocol in [Protocol::Http2, Protocol::Detect] {
            let feeds = cut(Direction::ClientToServer, &client, &places).into_iter()
                .chain(cut(Direction::ServerToClient, &server, &places));
            let lines = Transcript::of(protocol, Limits::default(), feeds).0.lines;
            let mut seen = 0;
            for (at, (question, answer)) in exchanges.iter().enumerate() {
                let pseudo = "request POST /p HTTP/2 authority a | :method: POST | :authority: a | :path: /p";
                let prefix = id(at).to_string();
                prop_assert_eq!(lines_of(&lines, &prefix, '>', "request"), question.seen(id(at), '>', pseudo.to_owned()));
                let response = answer.seen(id(at), '<', "response 200  HTTP/2".to_owned());
                prop_assert_eq!(lines_of(&lines, &prefix, '<', "response"), response);
                seen += lines.iter().filter(|line| line.starts_with(&format!("{prefix} "))).count();
            }
            prop_assert_eq!(seen, lines.len(), "something else was said");
        }
    }
}
