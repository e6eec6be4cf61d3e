//! Generated HTTP/1.x conversations, cut anywhere: the observer says what was sent.

use copilot_recorder::observer::transcript::Transcript;
use copilot_recorder::observer::{Limits, Protocol};
use copilot_recorder::wire::Direction;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// A body with the fields that frame it, as sent, and what is to be seen of it.
#[derive(Clone, Debug)]
struct Message {
    fields: Vec<(String, String, String)>,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    None,
    Length(Vec<u8>),
    Chunked { chunks: Vec<Vec<u8>>, extension: String, trailers: Vec<(String, String)> },
}

impl Message {
    /// The header section and body on the wire.
    fn wire(&self, line_end: &str) -> Vec<u8> {
        let mut text = String::new();
        for (name, space, value) in self.framed() {
            text += &format!("{name}:{space}{value}{space}{line_end}");
        }
        text += line_end;
        let mut wire = text.into_bytes();
        match &self.body {
            Body::None => {}
            Body::Length(body) => wire.extend(body),
            Body::Chunked { chunks, extension, trailers } => {
                for chunk in chunks {
                    wire.extend(format!("{:X}{extension}\r\n", chunk.len()).bytes());
                    wire.extend(chunk);
                    wire.extend(b"\r\n");
                }
                wire.extend(format!("000{extension}\r\n").bytes());
                trailers.iter().for_each(|(name, value)| wire.extend(format!("{name}: {value}\r\n").bytes()));
                wire.extend(b"\r\n");
            }
        }
        wire
    }

    /// What an observer says of it, its head beginning with `start`.
    fn seen(&self, id: usize, arrow: char, start: &str) -> Vec<String> {
        let fields: String = self.framed().iter().map(|(name, _, value)| format!(" | {name}: {value}")).collect();
        let mut lines = vec![format!("{id} {start}{fields}")];
        let (body, trailers) = match &self.body {
            Body::None => (vec![], &vec![]),
            Body::Length(body) => (body.clone(), &vec![]),
            Body::Chunked { chunks, trailers, .. } => (chunks.concat(), trailers),
        };
        if !body.is_empty() {
            lines.push(format!("{id} {arrow} data {}", body.escape_ascii()));
        }
        if !trailers.is_empty() {
            let fields: String = trailers.iter().map(|(name, value)| format!(" | {name}: {value}")).collect();
            lines.push(format!("{id} {arrow} trailers{fields}"));
        }
        lines.push(format!("{id} {arrow} end"));
        lines
    }

    /// All fields, the one that frames the body in the middle of the others.
    fn framed(&self) -> Vec<(String, String, String)> {
        let framing = match &self.body {
            Body::None => ("CONTENT-length", "0".to_owned()),
            Body::Length(body) => ("content-Length", body.len().to_string()),
            Body::Chunked { .. } => ("Transfer-encoding", "chunked".to_owned()),
        };
        let mut fields = self.fields.clone();
        fields.insert(fields.len() / 2, (framing.0.to_owned(), " ".to_owned(), framing.1));
        fields
    }
}

fn message() -> impl Strategy<Value = Message> {
    let field = ("[A-Za-z!#$%&'*+.^_`|~-]{1,12}", "[ \t]{0,3}", "([!-~]([ -~]{0,30}[!-~])?)?");
    let named = field.prop_filter("not one that means something", |(name, _, _)| {
        !["upgrade", "content-length", "transfer-encoding"].contains(&name.to_ascii_lowercase().as_str())
    });
    // Values are compared escaped, where a backslash or a quote would stand for two characters.
    let named =
        named.prop_map(|(name, space, value)| (name.replace('\'', "x"), space, value.replace(['\\', '\'', '"'], "x")));
    let chunks = (
        vec(vec(any::<u8>(), 1..40), 0..6),
        prop::sample::select(vec!["", ";a", "; a=\"b;c\"", "  "]),
        vec(("[A-Z][a-z]{1,5}", "[a-z]{1,9}"), 0..3),
    );
    let body = prop_oneof![
        Just(Body::None),
        vec(any::<u8>(), 1..200).prop_map(Body::Length),
        chunks.prop_map(|(chunks, extension, trailers)| Body::Chunked {
            chunks,
            extension: extension.to_owned(),
            trailers
        }),
    ];
    (vec(named, 0..8), body).prop_map(|(fields, body)| Message { fields, body })
}

/// Cuts at each of the places.
fn cut<'a>(direction: Direction, bytes: &'a [u8], places: &[Index]) -> Vec<(Direction, &'a [u8])> {
    let mut places: Vec<usize> = places.iter().map(|place| place.index(bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| (direction, &bytes[pair[0]..pair[1]])).collect()
}

proptest! {
    #[test]
    fn pipelined_exchanges(
        exchanges in vec((message(), message(), "/[a-z?=&]{0,20}", 200_u16..204, any::<bool>(), 0_usize..3), 1..5),
        places in vec(any::<Index>(), 0..12),
    ) {
        let (mut requests, mut responses, mut expected, mut answers) = (vec![], vec![], vec![], vec![]);
        for (id, (request, response, target, status, bare, interim)) in exchanges.iter().enumerate() {
            let line_end = if *bare { "\n" } else { "\r\n" };
            requests.extend(format!("POST {target} HTTP/1.1{line_end}").bytes());
            requests.extend(request.wire(line_end));
            expected.extend(request.seen(id, '>', &format!("request POST {target} HTTP/1.1")));
            for _ in 0..*interim {
                responses.extend(format!("HTTP/1.1 103 Early Hints{line_end}{line_end}").bytes());
                answers.push(format!("{id} interim 103 Early Hints HTTP/1.1"));
            }
            responses.extend(format!("HTTP/1.0 {status} Why not{line_end}").bytes());
            responses.extend(response.wire(line_end));
            answers.extend(response.seen(id, '<', &format!("response {status} Why not HTTP/1.0")));
        }
        expected.extend(answers);
        for protocol in [Protocol::Http1, Protocol::Detect] {
            let feeds = cut(Direction::ClientToServer, &requests, &places).into_iter()
                .chain(cut(Direction::ServerToClient, &responses, &places));
            prop_assert_eq!(&Transcript::of(protocol, Limits::default(), feeds).0.lines, &expected);
        }
    }
}
