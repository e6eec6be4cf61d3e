//! HTTP/1.1 connections as no library would write them: legal, and odd in every way that the RFCs allow.

use super::coded::{coded, on_the_wire};
use super::rng::Rng;
use super::script::{Expected, Fields, Message, Script, Turn};

/// A connection's worth of exchanges; the same for the same `seed`.
pub(crate) fn script(seed: u64) -> Script {
    let mut rng = Rng::new(seed);
    let host = format!("c{seed}.individual.githubcopilot.com");
    let mut script = Script { host, turns: Vec::new(), server_closes: false, expected: Vec::new() };
    for _ in 0..rng.range(1, 3) {
        match rng.range(1, 12) {
            1 => awaits_continue(&mut rng, &mut script),
            2 => answered_early(&mut rng, &mut script),
            _ => pipelined(&mut rng, &mut script),
        }
    }
    if rng.one_in(4) {
        until_close(&mut rng, &mut script);
    }
    script
}

/// Several requests in a row, then their answers in a row.
fn pipelined(rng: &mut Rng, script: &mut Script) {
    let (mut client, mut server) = (Vec::new(), Vec::new());
    for _ in 0..*rng.pick(&[&1, &1, &1, &2, &5]) {
        let mut pair = Pair::new(rng, script);
        if rng.one_in(20) {
            // RFC 9112 section 2.2: an empty line before a request is to be ignored.
            client.extend(b"\r\n");
        }
        let (head, body) = pair.request(rng, script);
        client.extend(head);
        client.extend(body);
        server.extend(pair.answer(rng));
        script.expected.push(pair.expected);
    }
    script.turns.push(Turn::new(rng, client, server));
}

/// The body follows after `100 Continue`.
fn awaits_continue(rng: &mut Rng, script: &mut Script) {
    let mut pair = Pair::new(rng, script);
    pair.expected.method = "POST".into();
    pair.expected.request.fields.push(("Expect".into(), "100-continue".into()));
    let (head, body) = pair.request(rng, script);
    script.turns.push(Turn::new(rng, head, b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()));
    let answer = pair.answer(rng);
    script.turns.push(Turn::new(rng, body, answer));
    script.expected.push(pair.expected);
}

/// The answer is complete before the request is.
fn answered_early(rng: &mut Rng, script: &mut Script) {
    let mut pair = Pair::new(rng, script);
    pair.expected.method = "PUT".into();
    let (mut head, body) = pair.request(rng, script);
    let (first, rest) = body.split_at(body.len() / 2);
    head.extend(first);
    let answer = pair.answer(rng);
    script.turns.push(Turn::new(rng, head, answer));
    script.turns.push(Turn::new(rng, rest.to_vec(), Vec::new()));
    script.expected.push(pair.expected);
}

/// The last answer has neither length nor chunks: it ends with the connection.
fn until_close(rng: &mut Rng, script: &mut Script) {
    let mut pair = Pair::new(rng, script);
    pair.expected.method = "GET".into();
    let (client, _) = pair.request(rng, script);
    let response = &mut pair.expected.response;
    response.body = body(rng).into_bytes();
    response.fields = vec![("CONNECTION".into(), "close".into()), ("x-Until".into(), "close".into())];
    let mut server = rng.pick(&["HTTP/1.0 200 OK\r\n", "HTTP/1.1 200 OK\r\n"]).as_bytes().to_vec();
    server.extend(written(rng, &response.fields));
    server.extend(&response.body);
    script.turns.push(Turn::new(rng, client, server));
    script.server_closes = true;
    pair.expected.status = 200;
    script.expected.push(pair.expected);
}

/// A body by what it is made of.
enum Body {
    Text(String),
    Binary(Vec<u8>),
}

impl Body {
    fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }
}

fn body(rng: &mut Rng) -> Body {
    match rng.range(1, 10) {
        1 => Body::Text(String::new()),
        2 => Body::Binary((0..=255).chain(rng.bytes(600)).collect()),
        3 => {
            let n = rng.range(1, 60_000);
            Body::Binary([vec![0xff, 0x00], rng.bytes(n)].concat())
        }
        4 => Body::Text(rng.text(5000)),
        _ => {
            let n = rng.range(1, 200);
            Body::Text(rng.text(n))
        }
    }
}

struct Pair {
    expected: Expected,
}

impl Pair {
    fn new(rng: &mut Rng, script: &Script) -> Self {
        let method = rng.pick(&["GET", "POST", "POST", "PUT", "HEAD", "DELETE", "PATCH", "OPTIONS", "M-SEARCH"]);
        let case = format!("{}-{}", script.host, script.expected.len());
        let target = format!("/gen/{}?a={}&b=%2F%20'~", rng.word(1, 30), rng.word(0, 300));
        Self {
            expected: Expected {
                request: Message { fields: vec![("X-Case".into(), case.clone())], ..Message::default() },
                case,
                method: method.into(),
                url: format!("https://{}{target}", script.host),
                version: "HTTP/1.1",
                status: 0,
                response: Message::default(),
                aborted_by: None,
            },
        }
    }

    /// Head and body as sent.
    fn request(&mut self, rng: &mut Rng, script: &Script) -> (Vec<u8>, Vec<u8>) {
        let expected = &mut self.expected;
        expected.request.fields.push((any_case(rng, "host"), script.host.clone()));
        let with_body = matches!(expected.method.as_str(), "POST" | "PUT" | "PATCH");
        let body = if with_body { framed(rng, &mut expected.request) } else { Vec::new() };
        odd_fields(rng, &mut expected.request.fields, &["Cookie", "X-Repeated", "accept"]);
        let target = expected.url.strip_prefix("https://").and_then(|rest| rest.split_once('/')).expect("a path").1;
        let mut head = format!("{} /{target} HTTP/1.1\r\n", expected.method).into_bytes();
        head.extend(written(rng, &expected.request.fields));
        (head, body)
    }

    /// Interim answers, head and body as sent.
    fn answer(&mut self, rng: &mut Rng) -> Vec<u8> {
        let expected = &mut self.expected;
        let mut bytes = Vec::new();
        if rng.one_in(6) {
            bytes.extend(b"HTTP/1.1 103 Early Hints\r\nLink: </s.css>; rel=preload\r\n\r\n");
        }
        expected.status = *rng.pick(&[&200, &200, &200, &201, &206, &404, &500, &204, &304, &599]);
        let response = &mut expected.response;
        let without = expected.method == "HEAD" || matches!(expected.status, 204 | 304);
        let body = if without { Vec::new() } else { framed(rng, response) };
        if without && expected.status != 204 {
            // A length that describes the body that GET would have given.
            response.fields.push(("Content-Length".into(), "12345".into()));
        }
        odd_fields(rng, &mut response.fields, &["Set-Cookie", "X-Frame-Options", "vary"]);
        let reason = rng.pick(&["OK", "", "Not \t the usual", "fa\u{e7}ade", "200"]);
        bytes.extend(format!("HTTP/1.1 {} {reason}\r\n", expected.status).into_bytes());
        bytes.extend(written(rng, &response.fields));
        bytes.extend(body);
        bytes
    }
}

/// Makes up a body, adds the fields that frame it, gives it as sent.
fn framed(rng: &mut Rng, message: &mut Message) -> Vec<u8> {
    let body = body(rng);
    let text = matches!(body, Body::Text(_));
    message.body = body.into_bytes();
    let mut sent = message.body.clone();
    if text && rng.one_in(4) {
        let coding;
        (coding, sent) = coded(rng, &message.body);
        message.fields.push((any_case(rng, "content-encoding"), any_case(rng, coding)));
    }
    if rng.one_in(2) {
        message.fields.push((any_case(rng, "content-length"), sent.len().to_string()));
        return sent;
    }
    message.fields.push((any_case(rng, "transfer-encoding"), any_case(rng, "chunked")));
    if rng.one_in(3) {
        message.trailers = vec![("X-Checksum".into(), rng.word(1, 40)), (any_case(rng, "x-after"), "the body".into())];
    }
    chunked(rng, &sent, &message.trailers)
}

/// The chunked coding (RFC 9112 section 7.1) with all that it allows.
fn chunked(rng: &mut Rng, body: &[u8], trailers: &Fields) -> Vec<u8> {
    const EXTENSIONS: [&str; 6] = ["", "", ";a", ";name=value", ";q=\"a\\\"; b\"", ";x=1;y"];
    let mut bytes = Vec::new();
    let mut rest = body;
    for cut in rng.cuts(body.len()) {
        let (chunk, after) = rest.split_at(cut);
        let zeros = rng.pick(&["", "", "0", "0000"]);
        let size = if rng.one_in(2) { format!("{cut:x}") } else { format!("{cut:X}") };
        bytes.extend(format!("{zeros}{size}{}\r\n", rng.pick(&EXTENSIONS)).into_bytes());
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
        rest = after;
    }
    bytes.extend(format!("{}{}\r\n", rng.pick(&["0", "000"]), rng.pick(&EXTENSIONS)).into_bytes());
    bytes.extend(written(rng, trailers));
    bytes
}

/// Adds fields of odd names and values, and repeats of those in `repeated`, then mixes the order.
fn odd_fields(rng: &mut Rng, fields: &mut Fields, repeated: &[&str]) {
    for n in 0..rng.range(0, 6) {
        let name = format!("{}-{n}!#$%&'*+.^_`|~", rng.word(1, 12));
        let value = match rng.range(1, 7) {
            1 => String::new(),
            2 => "two  spaces,\tand a tab".into(),
            // Goes out as ISO 8859-1, the obs-text of RFC 9110 section 5.5: no UTF-8.
            3 => "\u{80}, caf\u{e9} and \u{ff}".into(),
            7 => "\"quoted, with: colon\"; é 雪".into(),
            4 => rng.word(1000, 3000),
            _ => rng.word(1, 20),
        };
        fields.push((name, value));
    }
    if rng.one_in(3) {
        let name = rng.pick(repeated);
        for n in 0..rng.range(2, 4) {
            // Each in a case of its own: they are one field all the same (RFC 9110 section 5.1).
            fields.push((any_case(rng, name), format!("{}={n}", rng.word(1, 8))));
        }
    }
    for i in (1..fields.len()).rev() {
        fields.swap(i, rng.range(0, i));
    }
}

/// Field lines with unusual but legal space around the value, and the empty line.
fn written(rng: &mut Rng, fields: &Fields) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in fields {
        let before = rng.pick(&[" ", " ", "", "  ", "\t", " \t "]);
        let after = rng.pick(&["", "", "", " ", "\t "]);
        bytes.extend(format!("{name}:{before}").into_bytes());
        bytes.extend(on_the_wire(value));
        bytes.extend(format!("{after}\r\n").into_bytes());
    }
    bytes.extend(b"\r\n");
    bytes
}

fn any_case(rng: &mut Rng, name: &str) -> String {
    name.chars().map(|c| if rng.one_in(2) { c.to_ascii_uppercase() } else { c }).collect()
}
