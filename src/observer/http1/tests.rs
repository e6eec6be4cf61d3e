use crate::observer::transcript::Transcript;
use crate::observer::{Limits, Observer, Protocol};
use crate::wire::Direction::{self, ClientToServer, ServerToClient};

/// Plays a conversation whole and in small pieces: `>` lines are the client's bytes, `<` lines the server's.
fn play(script: &[&str]) -> Vec<String> {
    play_within(Limits::default(), script)
}

fn play_within(limits: Limits, script: &[&str]) -> Vec<String> {
    let feeds: Vec<(Direction, &[u8])> = script.iter().map(|line| parse(line)).collect();
    let (whole, _) = Transcript::of(Protocol::Http1, limits, feeds.iter().copied());
    for size in 1..20 {
        let cut = feeds.iter().flat_map(|&(direction, bytes)| bytes.chunks(size).map(move |it| (direction, it)));
        assert_eq!(Transcript::of(Protocol::Detect, limits, cut).0, whole, "in pieces of {size}");
    }
    whole.lines
}

fn parse(line: &str) -> (Direction, &[u8]) {
    let direction = if line.starts_with('>') { ClientToServer } else { ServerToClient };
    (direction, &line.as_bytes()[1..])
}

/// Plays, then ends the server's direction.
fn play_to_end(script: &[&str], clean: bool) -> Vec<String> {
    let (mut transcript, mut observer) =
        Transcript::of(Protocol::Http1, Limits::default(), script.iter().map(|line| parse(line)));
    observer.end(ServerToClient, clean, &mut |event| transcript.note(event));
    transcript.lines
}

#[test]
fn a_request_and_its_response() {
    assert_eq!(
        play(&[
            ">POST /v1/engines/copilot-codex/completions HTTP/1.1\r\nHOST: a\r\nX-b:  c\t\r\nx-B: \r\nContent-Length: 5\r\n\r\nhello",
            "<HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6;x=\"y\"\r\ndata: \r\nA \r\n1\n23456789\r\n0\r\n\r\n",
        ]),
        [
            "0 request POST /v1/engines/copilot-codex/completions HTTP/1.1 | HOST: a | X-b: c | x-B:  | Content-Length: 5",
            "0 > data hello",
            "0 > end",
            "0 response 200 OK HTTP/1.1 | Transfer-Encoding: chunked",
            "0 < data data: 1\\n23456789",
            "0 < end",
        ]
    );
}

#[test]
fn sizes_on_the_wire() {
    let feeds = [parse(">\r\nGET / HTTP/1.1\r\na:b\n\r\n"), parse("<HTTP/1.1 204\r\n\r\n")];
    assert_eq!(Transcript::of(Protocol::Http1, Limits::default(), feeds).0.wire_sizes, [22, 16]);
}

#[test]
fn pipelining_and_responses_without_a_body() {
    assert_eq!(
        play(&[
            ">HEAD /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n\r\nGET /3 HTTP/1.0\r\n\r\nGET /4 HTTP/1.1\r\n\r\n",
            "<HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
            "<HTTP/1.1 204 No Content\r\n\r\nHTTP/1.0 200\r\nContent-Length: 0\r\n\r\n",
        ]),
        [
            "0 request HEAD /1 HTTP/1.1",
            "0 > end",
            "1 request GET /2 HTTP/1.1",
            "1 > end",
            "2 request GET /3 HTTP/1.0",
            "2 > end",
            "3 request GET /4 HTTP/1.1",
            "3 > end",
            "0 response 200 OK HTTP/1.1 | Content-Length: 9",
            "0 < end",
            "1 response 304 Not Modified HTTP/1.1 | Content-Length: 9",
            "1 < end",
            "2 response 204 No Content HTTP/1.1",
            "2 < end",
            "3 response 200  HTTP/1.0 | Content-Length: 0",
            "3 < end",
        ]
    );
}

#[test]
fn interim_responses_before_the_body_is_sent() {
    assert_eq!(
        play(&[
            ">PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
            "<HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
            ">ab",
            "<HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\nc",
        ]),
        [
            "0 request PUT / HTTP/1.1 | Expect: 100-continue | Content-Length: 2",
            "0 interim 100 Continue HTTP/1.1",
            "0 interim 103 Early Hints HTTP/1.1 | Link: x",
            "0 > data ab",
            "0 > end",
            "0 response 201 Created HTTP/1.1 | Content-Length: 1",
            "0 < data c",
            "0 < end",
        ]
    );
}

#[test]
fn an_answer_while_the_request_is_still_coming() {
    assert_eq!(
        play(&[
            ">POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nab",
            "<HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n",
            ">cdGET /2 HTTP/1.1\r\n\r\n",
            "<HTTP/1.1 204 x\r\n\r\n",
        ]),
        [
            "0 request POST / HTTP/1.1 | Content-Length: 4",
            "0 > data ab",
            "0 response 413 Too Large HTTP/1.1 | Content-Length: 0",
            "0 < end",
            "0 > data cd",
            "0 > end",
            "1 request GET /2 HTTP/1.1",
            "1 > end",
            "1 response 204 x HTTP/1.1",
            "1 < end",
        ]
    );
}

#[test]
fn an_answer_before_the_head_is_complete() {
    assert_eq!(
        play(&[
            ">GET / HTTP/1.1\r\nA: b\r\nC: ",
            "<HTTP/1.1 431 Too Large\r\nContent-Length: 0\r\n\r\n",
            ">d\r\nContent-Length: 1\r\n\r\nxGET /2 HTTP/1.1\r\n\r\n",
        ]),
        [
            "0 request GET / HTTP/1.1 (truncated) | A: b",
            "0 response 431 Too Large HTTP/1.1 | Content-Length: 0",
            "0 < end",
            "0 > data x",
            "0 > end",
            "1 request GET /2 HTTP/1.1",
            "1 > end",
        ]
    );
}

#[test]
fn unusual_heads() {
    assert_eq!(
        play(&[
            ">GET\t /a b  HTTP/1.1 \nname : value \n  folded\t\n\t again\nno colon\n:empty\nX: \u{e9}\n\n",
            "<HTTP/1.1  200  two words\nTransfer-Encoding:\n\tgzip,\n Chunked\nContent-Length: 3\n\n1\nx\n0\nT: 1\n more\n\n",
        ]),
        [
            "0 request GET /a b HTTP/1.1 | name: value folded again | no colon:  | : empty | X: \\xc3\\xa9",
            "0 > end",
            "0 response 200  two words HTTP/1.1 | Transfer-Encoding:  gzip, Chunked | Content-Length: 3",
            "0 < data x",
            "0 < trailers | T: 1 more",
            "0 < end",
        ]
    );
}

#[test]
fn a_body_until_close_ends_with_the_stream() {
    let script = [">GET / HTTP/1.1\r\n\r\n", "<HTTP/1.1 200 OK\r\n\r\nab", "<c"];
    let mut expected = vec!["0 request GET / HTTP/1.1", "0 > end", "0 response 200 OK HTTP/1.1", "0 < data abc"];
    assert_eq!(play_to_end(&script, false), expected, "a cut is no end");
    expected.push("0 < end");
    assert_eq!(play_to_end(&script, true), expected);
}

#[test]
fn a_body_with_a_length_is_not_ended_by_the_stream() {
    let script = [">GET / HTTP/1.1\r\n\r\n", "<HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab"];
    assert_eq!(play_to_end(&script, true).last().unwrap(), "0 < data ab");
}

#[test]
fn an_upgrade_carries_bytes_both_ways() {
    let script = [
        ">GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: x-raw\r\n\r\nGET early",
        "<HTTP/1.1 101 Switching Protocols\r\nUpgrade: x-raw\r\n\r\nGET ",
        ">\r\n",
        "<x",
    ];
    let expected = [
        "0 request GET /ws HTTP/1.1 | Connection: Upgrade | Upgrade: x-raw",
        "0 > end",
        "0 response 101 Switching Protocols HTTP/1.1 | Upgrade: x-raw",
        "0 upgrade",
        "0 > opaque GET early",
        "0 < opaque GET ",
        "0 > opaque \\r\\n",
        "0 < opaque x",
    ];
    assert_eq!(play(&script), expected);
    assert_eq!(play_to_end(&script, true).last().unwrap(), "0 < end");
}

#[test]
fn an_upgrade_that_is_refused_goes_on_as_http() {
    assert_eq!(
        play(&[
            ">POST / HTTP/1.1\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\nxGET /2 HTTP/1.1\r\n\r\n",
            "<HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ny",
        ]),
        [
            "0 request POST / HTTP/1.1 | Upgrade: h2c | Content-Length: 1",
            "0 > data x",
            "0 > end",
            "0 response 200 OK HTTP/1.1 | Content-Length: 1",
            "1 request GET /2 HTTP/1.1",
            "1 > end",
            "0 < data y",
            "0 < end",
        ]
    );
}

#[test]
fn connect_upgrades_when_it_succeeds() {
    let connect = ">CONNECT a:443 HTTP/1.1\r\n\r\n\x16\x03";
    assert_eq!(
        play(&[connect, "<HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n\x16"])[2..],
        ["0 response 200 OK HTTP/1.1 | Content-Length: 5", "0 upgrade", "0 > opaque \\x16\\x03", "0 < opaque \\x16",]
    );
    assert_eq!(
        play(&[connect, "<HTTP/1.1 407 No\r\nContent-Length: 1\r\n\r\nx"])[2..],
        ["0 response 407 No HTTP/1.1 | Content-Length: 1", "- > malformed: not an HTTP/1.x request line"]
    );
}

/// What decides on a body's length, in a response to GET and in a request (RFC 9112 section 6.3).
#[test]
fn framing() {
    let response = |fields: &str| {
        let response = format!("<HTTP/1.1 200 OK\r\n{fields}\r\n2\r\nab\r\n0\r\n\r\n");
        play(&[">GET / HTTP/1.1\r\n\r\n", &response]).split_off(3).join("; ")
    };
    let chunked = "0 < data ab; 0 < end";
    let until_close = "0 < data 2\\r\\nab\\r\\n0\\r\\n\\r\\n";
    let (junk, three) = ("- < malformed: response without a request", "0 < data 2\\r\\n; 0 < end; ");
    assert_eq!(response("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), chunked);
    assert_eq!(response("Content-Length: 3, 4\r\nTransfer-Encoding: CHUNKED\r\n"), chunked);
    assert_eq!(response("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"), chunked);
    assert_eq!(response("Transfer-Encoding: chunked, gzip\r\n"), until_close);
    assert_eq!(response("Transfer-Encoding: identity\r\n"), until_close);
    assert_eq!(response(""), until_close);
    assert_eq!(response("Content-Length: 3\r\nContent-Length: 3, 3\r\n"), format!("{three}{junk}"));
    assert_eq!(response("Content-Length: 3\r\nContent-Length: 4\r\n"), "- < malformed: Content-Length with two values");
    for wrong in ["", "-1", "+3", "3x", "99999999999999999999"] {
        let wrong = format!("Content-Length: {wrong}\r\n");
        assert_eq!(response(&wrong), "- < malformed: Content-Length is not a number", "{wrong}");
    }
    let long = format!("Content-Length: {}\r\n", "0".repeat(2000));
    assert_eq!(response(&long), "- < malformed: Content-Length is not a number");

    let request = play(&[">POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n"]);
    assert_eq!(request[1], "- > malformed: request whose length cannot be known");
}

#[test]
fn chunks_that_are_none() {
    for (chunks, reason) in [
        ("x\r\n", "chunk size is not a number"),
        ("\r\n", "chunk size is not a number"),
        ("-1\r\n", "chunk size is not a number"),
        ("1ffffffffffffffff\r\n", "chunk size too large"),
        ("1\r\nab\r\n", "chunk without a line end"),
    ] {
        let response = format!("<HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
        let lines = play(&[">GET / HTTP/1.1\r\n\r\n", &response]);
        assert_eq!(*lines.last().unwrap(), format!("- < malformed: {reason}"), "{chunks:?}");
    }
}

#[test]
fn what_is_no_http_is_known_at_once() {
    for garbage in [">\x16\x03\x01", "> GET", ">GET /\r\n", ">GET / HTTP/2.0\r\n", ">GET / http/1.1\r\n"] {
        assert_eq!(play(&[garbage]), ["- > malformed: not an HTTP/1.x request line"], "{garbage:?}");
    }
    let long = format!(">{}", "a".repeat(65));
    assert_eq!(play(&[&long]), ["- > malformed: not an HTTP/1.x request line"]);
    for garbage in ["<HTTQ", "<HTTP/1.1 20 OK\r\n", "<HTTP/1.1 2000\r\n", "<HTTP/1.1200\r\n", "<HTTP/1.1 099 x\r\n"] {
        let lines = play(&[">GET / HTTP/1.1\r\n\r\n", garbage]);
        assert_eq!(lines[2..], ["- < malformed: not an HTTP/1.x status line"], "{garbage:?}");
    }
}

#[test]
fn responses_need_a_request() {
    let (lines, _) = Transcript::of(Protocol::Http1, Limits::default(), [parse("<HTTP/1.1 408 x\r\n\r\n")]);
    assert_eq!(lines.lines, ["- < malformed: response without a request"]);
    let twice = "<HTTP/1.1 204 x\r\n\r\nHTTP/1.1 204 x\r\n\r\n";
    let lines = play(&[">GET / HTTP/1.1\r\n\r\n", twice, ">GET / HTTP/1.1\r\n\r\n"]);
    assert_eq!(lines[3..], ["0 < end", "- < malformed: response without a request"]);
}

#[test]
fn requests_that_wait_are_bounded() {
    let limits = Limits { streams: 2, ..Limits::default() };
    let lines = play_within(limits, &[">GET /1 HTTP/1.1\n\nGET /2 HTTP/1.1\n\nGET /3 HTTP/1.1\n\n"]);
    assert_eq!(lines[3..], ["1 > end", "- > malformed: more requests wait than are tracked"]);
}

#[test]
fn a_head_above_the_ceiling_keeps_what_fits_and_its_framing() {
    let limits = Limits { head: 56, ..Limits::default() };
    let long = "x".repeat(40);
    let request = format!(
        ">POST / HTTP/1.1\r\na: b\r\nlong: {long}\r\nlonger: {long}{long}\r\n folded\r\nc: d\r\ne: f\r\n {long}\r\n\
         Content-Length: 2\r\n\r\nabGET / HTTP/1.1\r\n\r\n"
    );
    assert_eq!(
        play_within(limits, &[&request]),
        [
            "0 request POST / HTTP/1.1 (truncated) | a: b | c: d",
            "0 > data ab",
            "0 > end",
            "1 request GET / HTTP/1.1",
            "1 > end",
        ]
    );
    let target = "t".repeat(100);
    let request = format!(">GET /{target} HTTP/1.1\r\na: b\r\n\r\n");
    assert_eq!(
        play_within(limits, &[&request]),
        [format!("0 request GET /{} HTTP/1.1 (truncated)", "t".repeat(51)), "0 > end".to_owned()]
    );
}

#[test]
fn ten_megabytes_of_head_are_not_kept() {
    let mut observer = Observer::new(Protocol::Http1, Limits::default());
    let mut lines = Transcript::default();
    let mut feed = |observer: &mut Observer, bytes: &[u8]| {
        observer.feed(ClientToServer, bytes, &mut |event| lines.note(event));
        assert!(observer.kept() <= 2 * 256 * 1024, "{} bytes kept", observer.kept());
    };
    feed(&mut observer, b"GET / HTTP/1.1\r\n");
    for _ in 0..1000 {
        feed(&mut observer, "x: y\r\n:\r\n".repeat(1000).as_bytes());
    }
    for _ in 0..1000 {
        feed(&mut observer, &[b'z'; 10_000]);
    }
    feed(&mut observer, b"\r\n\r\nGET /2 HTTP/1.1\r\n\r\n");
    assert!(lines.largest <= 256 * 1024);
    assert_eq!(lines.lines.len(), 4, "both requests were seen");
    assert_eq!(lines.lines[2], "1 request GET /2 HTTP/1.1");
}
