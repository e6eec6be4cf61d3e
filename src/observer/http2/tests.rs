use super::frame::*;
use crate::observer::transcript::Transcript;
use crate::observer::{Limits, Observer, Protocol};
use crate::wire::Direction::{self, ClientToServer as C, ServerToClient as S};

/// A frame on a stream.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A header block without table or Huffman code: literals never indexed.
fn block(fields: &str) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields.split_terminator(", ").map(|field| field.rsplit_once('=').unwrap()) {
        block.push(0x10);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).unwrap());
            block.extend(text.as_bytes());
        }
    }
    block
}

const EH: u8 = END_HEADERS;
const ES: u8 = END_STREAM;
const GET: &str = ":method=GET, :scheme=https, :path=/, :authority=a";
const SEEN: &str = " request GET / HTTP/2 authority a | :method: GET | :scheme: https | :path: / | :authority: a";

type Feed = (Direction, Vec<u8>);

fn headers(direction: Direction, stream: u32, flags: u8, fields: &str) -> Feed {
    (direction, frame(HEADERS, flags | EH, stream, &block(fields)))
}

fn data(direction: Direction, stream: u32, flags: u8, bytes: &[u8]) -> Feed {
    (direction, frame(DATA, flags, stream, bytes))
}

/// What both sides say first.
fn hello() -> Vec<Feed> {
    vec![(C, [&PREFACE[..], &frame(SETTINGS, 0, 0, b"")].concat()), (S, frame(SETTINGS, 0, 0, b""))]
}

/// Plays a conversation after the greeting, whole and in small pieces.
fn play(script: impl IntoIterator<Item = Feed>) -> Vec<String> {
    play_within(Limits::default(), script)
}

fn play_within(limits: Limits, script: impl IntoIterator<Item = Feed>) -> Vec<String> {
    let feeds: Vec<Feed> = hello().into_iter().chain(script).collect();
    let whole = Transcript::of(Protocol::Http2, limits, feeds.iter().map(|(d, bytes)| (*d, &bytes[..]))).0;
    for size in 1..20 {
        let cut = feeds.iter().flat_map(|(direction, bytes)| bytes.chunks(size).map(move |it| (*direction, it)));
        assert_eq!(Transcript::of(Protocol::Detect, limits, cut).0, whole, "in pieces of {size}");
    }
    whole.lines
}

#[test]
fn a_request_and_its_response() {
    assert_eq!(
        play([
            headers(C, 1, 0, ":method=POST, :path=/v1, x=y, X=y"),
            data(C, 1, ES, b"hello"),
            headers(S, 1, 0, ":status=200, content-type=text"),
            data(S, 1, 0, b"a"),
            data(S, 1, 0, b""),
            data(S, 1, 0, b"b"),
            headers(S, 1, ES, "t=1"),
        ]),
        [
            "1 request POST /v1 HTTP/2 | :method: POST | :path: /v1 | x: y | X: y",
            "1 > data hello",
            "1 > end",
            "1 response 200  HTTP/2 | content-type: text",
            "1 < data ab",
            "1 < trailers | t: 1",
            "1 < end",
        ]
    );
}

#[test]
fn padding_priority_and_continuation() {
    let fields = block(GET);
    let mut first = vec![4, 0x80, 0, 0, 0, 16];
    first.extend(&fields[..3]);
    first.extend([0; 4]);
    assert_eq!(
        play([
            (C, frame(0x2, 0, 7, &[0, 0, 0, 0, 1])),
            (C, frame(HEADERS, PADDED | PRIORITY | ES, 1, &first)),
            (C, frame(CONTINUATION, 0, 1, &fields[3..9])),
            (C, frame(CONTINUATION, 0, 1, b"")),
            (C, frame(CONTINUATION, EH, 1, &fields[9..])),
            (C, frame(0xbe, 0xff, 1, b"unknown")),
            (S, frame(0x6, 0, 0, &[0; 8])),
            (S, frame(0x8, 0, 1, &[0, 0, 0, 1])),
            headers(S, 1, 0, ":status=200"),
            data(S, 1, PADDED, b"\x03abc\0\0\0"),
            data(S, 1, PADDED, b"\x02\0\0"),
            data(S, 1, PADDED | ES, b"\x00d"),
        ]),
        [&format!("1{SEEN}"), "1 > end", "1 response 200  HTTP/2", "1 < data abcd", "1 < end"]
    );
}

#[test]
fn sizes_on_the_wire_are_those_of_the_block() {
    let fields = block(GET);
    let feeds = hello().into_iter().chain([
        (C, frame(HEADERS, PADDED, 1, &[&[9], &fields[..5], &[0; 9]].concat())),
        (C, frame(CONTINUATION, EH, 1, &fields[5..])),
    ]);
    let feeds: Vec<Feed> = feeds.collect();
    let feeds = feeds.iter().map(|(direction, bytes)| (*direction, &bytes[..]));
    assert_eq!(Transcript::of(Protocol::Http2, Limits::default(), feeds).0.wire_sizes, [fields.len() as u64]);
}

#[test]
fn streams_interleave_and_are_reset() {
    assert_eq!(
        play([
            headers(C, 1, ES, GET),
            headers(C, 3, 0, GET),
            headers(S, 3, 0, ":status=103, link=x"),
            headers(S, 1, 0, ":status=200"),
            headers(S, 3, 0, ":status=413"),
            data(S, 1, 0, b"a"),
            data(S, 3, ES, b"early"),
            data(C, 3, 0, b"late"),
            (S, frame(RST_STREAM, 0, 3, &[0, 0, 0, 0])),
            (C, frame(RST_STREAM, 0, 1, &[0, 0, 0, 8])),
            data(S, 1, 0, b"on its way"),
            headers(S, 1, ES, "t=1"),
            (S, frame(RST_STREAM, 0, 1, &[0, 0, 0, 5])),
            (S, frame(GOAWAY, 0, 0, b"\0\0\0\x03\0\0\0\x0bcalm down")),
            headers(C, 5, ES, GET),
        ]),
        [
            &format!("1{SEEN}")[..],
            "1 > end",
            &format!("3{SEEN}"),
            "3 interim 103  HTTP/2 | link: x",
            "1 response 200  HTTP/2",
            "3 response 413  HTTP/2",
            "1 < data a",
            "3 < data early",
            "3 < end",
            "3 > data late",
            "3 < reset 0",
            "1 > reset 8",
            "- < goaway 3 11",
            &format!("5{SEEN}"),
            "5 > end",
        ]
    );
}

#[test]
fn data_that_was_on_its_way_when_its_stream_was_reset_is_no_body() {
    let long = data(C, 1, ES, b"beforeafter").1;
    let (before, after) = long.split_at(9 + 6);
    assert_eq!(
        play([
            headers(C, 1, 0, GET),
            (C, before.to_vec()),
            (S, frame(RST_STREAM, 0, 1, &[0, 0, 0, 8])),
            (C, after.to_vec()),
            headers(C, 3, ES, GET),
        ]),
        [&format!("1{SEEN}"), "1 > data before", "1 < reset 8", &format!("3{SEEN}"), "3 > end"]
    );
}

#[test]
fn a_promise_is_a_request() {
    let promise = [&[0, 0, 0, 2], &block(GET)[..]].concat();
    assert_eq!(
        play([
            headers(C, 1, ES, GET),
            (S, frame(PUSH_PROMISE, EH, 1, &promise)),
            headers(S, 2, 0, ":status=200"),
            data(S, 2, ES, b"pushed"),
        ])[2..],
        [&format!("2{SEEN}"), "2 > end", "2 response 200  HTTP/2", "2 < data pushed", "2 < end"]
    );
}

#[test]
fn extended_connect_upgrades_its_stream() {
    assert_eq!(
        play([
            headers(C, 1, 0, ":method=CONNECT, :protocol=connect-ip, :path=/ws"),
            headers(C, 3, ES, GET),
            headers(S, 1, 0, ":status=200"),
            data(C, 1, 0, b"ping"),
            data(S, 1, ES, b"pong"),
            data(C, 1, ES, b""),
            headers(S, 3, ES, ":status=204"),
        ]),
        [
            "1 request CONNECT /ws HTTP/2 | :method: CONNECT | :protocol: connect-ip | :path: /ws",
            &format!("3{SEEN}"),
            "3 > end",
            "1 response 200  HTTP/2",
            "1 upgrade",
            "1 > opaque ping",
            "1 < opaque pong",
            "1 < end",
            "1 > end",
            "3 response 204  HTTP/2",
            "3 < end",
        ]
    );
}

#[test]
fn tables_follow_the_settings_of_the_other_side() {
    // The server allows 8192 (31 + 8161); the client then uses it, which nobody allowed the server.
    let update = [0x3f, 0xe1, 0x3f];
    let settings = || (S, frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 1, 0, 1, 0, 0, 0x20, 0]));
    let request = || (C, frame(HEADERS, EH | ES, 1, &[&update[..], &block(GET)].concat()));
    assert_eq!(play([settings(), request()]), [&format!("1{SEEN}"), "1 > end"]);
    let lost = "malformed: HPACK: table larger than allowed";
    assert_eq!(play([request()]), [format!("- > {lost}")]);
    let response = (S, frame(HEADERS, EH, 1, &update));
    assert_eq!(play([settings(), request(), response])[2..], [format!("- < {lost}")]);
}

#[test]
fn messages_that_are_malformed_cost_their_stream() {
    assert_eq!(
        play([
            headers(C, 1, 0, ":path=/"),
            headers(C, 3, ES, GET),
            headers(C, 5, ES, GET),
            headers(C, 7, ES, GET),
            headers(C, 9, ES, GET),
            headers(S, 3, ES, "server=x"),
            headers(S, 5, 0, ":status=2000"),
            data(S, 7, ES, b"x"),
            headers(S, 9, 0, ":status=200"),
            headers(S, 9, 0, ":status=200"),
            headers(C, 11, ES, GET),
        ])
        .iter()
        .filter(|line| !line.contains(SEEN) && !line.ends_with("> end"))
        .collect::<Vec<_>>(),
        [
            "1 > malformed: HTTP/2 request without a method",
            "3 < malformed: HTTP/2 response without a status",
            "5 < malformed: HTTP/2 status is not a number",
            "7 < malformed: HTTP/2 stream ended without a response",
            "9 response 200  HTTP/2",
            "9 < malformed: a second HTTP/2 response on one stream",
        ]
    );
}

#[test]
fn frames_that_break_the_connection() {
    let wrong = "HTTP/2 frame with the wrong stream, direction or length";
    let unfinished = || (C, frame(HEADERS, 0, 1, b""));
    let cases: Vec<(Vec<Feed>, &str)> = vec![
        (vec![data(C, 0, 0, b"")], wrong),
        (vec![data(C, 1, 0, b"x")], "DATA on a stream that was never opened"),
        (vec![headers(C, 1, 0, GET), data(C, 1, PADDED, b"\x02\0")], "more padding than DATA"),
        (vec![headers(C, 1, 0, GET), data(C, 1, PADDED, b"")], "more padding than DATA"),
        (vec![headers(C, 2, 0, GET)], "HEADERS on a stream that was never opened"),
        (vec![(C, frame(HEADERS, EH | PRIORITY, 1, &[0; 4]))], "HEADERS cut short"),
        (vec![(C, frame(HEADERS, EH | PADDED, 1, &[2, 0]))], "HEADERS cut short"),
        (vec![(C, frame(PUSH_PROMISE, EH, 1, &[0; 4]))], wrong),
        (vec![(C, frame(CONTINUATION, EH, 1, b""))], "header block without its CONTINUATION"),
        (vec![unfinished(), data(C, 1, 0, b"")], "header block without its CONTINUATION"),
        (vec![unfinished(), (C, frame(CONTINUATION, EH, 3, b""))], "header block without its CONTINUATION"),
        (vec![(C, frame(RST_STREAM, 0, 1, &[0; 4]))], "RST_STREAM on a stream that was never opened"),
        (vec![(C, frame(RST_STREAM, 0, 1, &[0; 3]))], wrong),
        (vec![(C, frame(SETTINGS, 0, 0, &[0; 5]))], wrong),
        (vec![(C, frame(GOAWAY, 0, 0, &[0; 7]))], wrong),
        (vec![(C, frame(HEADERS, EH, 1, &[0x80]))], "HPACK: no such table entry"),
    ];
    for (mut script, reason) in cases {
        script.push(headers(C, 101, 0, GET));
        let lines = play(script);
        assert_eq!(*lines.last().unwrap(), format!("- > malformed: {reason}"));
    }
    let lines = play([headers(C, 1, ES, GET), headers(S, 3, 0, ":status=200")]);
    assert_eq!(lines[2..], ["- < malformed: HEADERS on a stream that was never opened"]);
}

#[test]
fn what_is_no_http2() {
    let lines = |feeds: &[(Direction, &[u8])]| {
        Transcript::of(Protocol::Http2, Limits::default(), feeds.iter().copied()).0.lines
    };
    assert_eq!(lines(&[(C, b"PRI * HTTP/1.1")]), ["- > malformed: no HTTP/2 preface"]);
    let no_settings = "malformed: HTTP/2 does not begin with SETTINGS";
    assert_eq!(lines(&[(C, PREFACE), (S, b"HTTP/1.1 400 Bad Request\r\n\r\n")]), [format!("- < {no_settings}")]);
    assert_eq!(lines(&[(C, PREFACE), (C, &frame(0x6, 0, 0, &[0; 8]))]), [format!("- > {no_settings}")]);
}

#[test]
fn a_block_above_the_ceiling_loses_the_connection() {
    let limits = Limits { head: 100, ..Limits::default() };
    let too_large = ["- > malformed: header block above the ceiling"];
    assert_eq!(play_within(limits, [(C, frame(HEADERS, EH, 1, &[0x82; 101]))]), too_large);
    assert_eq!(play_within(limits, [(C, frame(HEADERS, 0, 1, &[0x82; 1000]))]), too_large);
    let parts = [frame(HEADERS, 0, 1, &[0x82; 60]), frame(CONTINUATION, EH, 1, &[0x82; 41])];
    assert_eq!(play_within(limits, parts.map(|part| (C, part))), too_large);
    // A frame that claims 16 MB is not waited for.
    let mut observer = Observer::new(Protocol::Http2, limits);
    let mut lines = Transcript::default();
    let mut feed = |bytes: &[u8]| observer.feed(C, bytes, &mut |event| lines.note(event));
    hello().iter().filter(|(direction, _)| *direction == C).for_each(|(_, bytes)| feed(bytes));
    feed(b"\xff\xff\xff\x01\x04\0\0\0\x01");
    assert_eq!(lines.lines, too_large);
}

#[test]
fn a_bomb_is_decoded_and_not_kept() {
    let limits = Limits { head: 2000, ..Limits::default() };
    // One field of a kilobyte enters the table; a byte each repeats it.
    let mut bomb = [&[0x82, 0x84, 0x40, 0x01, b'b', 0x7f, 0xe9, 0x06][..], &[b'x'; 1000]].concat();
    bomb.extend([0xbe; 900]);
    bomb.extend(b"\x40\x01k\x01v");
    let lines =
        play_within(limits, [(C, frame(HEADERS, EH | ES, 1, &bomb)), (C, frame(HEADERS, EH, 3, b"\x82\x84\xbe"))]);
    let kept = format!("1 request GET / HTTP/2 (truncated) | :method: GET | :path: / | b: {} | k: v", "x".repeat(1000));
    assert_eq!(lines, [&kept, "1 > end", "3 request GET / HTTP/2 | :method: GET | :path: / | k: v"]);
}

#[test]
fn streams_at_once_are_bounded() {
    let limits = Limits { streams: 2, ..Limits::default() };
    let lines = play_within(
        limits,
        [
            headers(C, 1, 0, GET),
            headers(C, 3, 0, GET),
            headers(C, 5, ES, GET),
            data(C, 5, 0, b"ignored"),
            headers(S, 5, ES, ":status=200"),
            (C, frame(RST_STREAM, 0, 3, &[0; 4])),
            headers(C, 7, ES, GET),
        ],
    );
    assert_eq!(lines[2..4], [format!("5{SEEN}"), "5 > malformed: more streams at once than are tracked".to_owned()]);
    assert_eq!(lines[4..], ["3 > reset 0", &format!("7{SEEN}"), "7 > end"]);
}
