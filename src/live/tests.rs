use std::io::Write;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::exchange::testing::{connection, request_head, response_head};
use crate::exchange::{Assembler, Connection, Selector};
use crate::observer::{Event, MessageKind, RequestHead, StreamId};
use crate::wire::Direction::{self, ClientToServer, ServerToClient};
use crate::wire::Ending;

struct NotSkip;

impl Selector for NotSkip {
    fn wanted(&self, _host: &str, head: &RequestHead) -> bool {
        !head.target.starts_with(b"/skip")
    }
}

fn streams(body: usize, bodies: usize) -> Streams {
    Streams::with_ceilings(KindTable::builtin(), Kind::DEFAULT.to_vec(), Ceilings { body, bodies })
}

/// A connection of a user, whose events are played by hand.
struct Tunnel {
    assembler: Assembler,
    out: Vec<crate::exchange::Action>,
}

impl Tunnel {
    fn to(host: &str, streams: &Streams) -> Self {
        let connection = Connection { user: Some("ann".into()), ..connection(host) };
        let assembler = Assembler::new(Arc::new(connection), Arc::new(NotSkip), 1 << 20).seen_by(streams.onlooker());
        Self { assembler, out: Vec::new() }
    }

    fn chat(streams: &Streams) -> Self {
        Self::to("api.githubcopilot.com", streams)
    }

    fn event(&mut self, event: Event<'_>) -> &mut Self {
        self.assembler.event(Instant::now(), event, &mut self.out);
        self
    }

    fn request(&mut self, stream: u64, target: &str) -> &mut Self {
        self.event(Event::Request { stream: StreamId(stream), head: request_head("POST", target, &[]) })
    }

    fn response(&mut self, stream: u64, pairs: &[(&str, &str)]) -> &mut Self {
        self.event(Event::Response { stream: StreamId(stream), head: response_head(200, pairs) })
    }

    fn data(&mut self, stream: u64, direction: Direction, bytes: &[u8]) -> &mut Self {
        self.event(Event::Data { stream: StreamId(stream), direction, bytes })
    }

    fn down(&mut self, stream: u64, bytes: &[u8]) -> &mut Self {
        self.data(stream, ServerToClient, bytes)
    }

    fn end(&mut self, stream: u64) -> &mut Self {
        self.event(Event::End { stream: StreamId(stream), direction: ClientToServer });
        self.event(Event::End { stream: StreamId(stream), direction: ServerToClient })
    }

    fn message(&mut self, direction: Direction, text: &str) -> &mut Self {
        let (stream, bytes) = (StreamId(0), text.as_bytes());
        self.event(Event::MessageBegins { stream, direction });
        self.event(Event::Message { stream, direction, kind: MessageKind::Text, bytes, truncated: false })
    }
}

fn only(streams: &Streams) -> InFlight {
    let mut all = streams.snapshot();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

fn body(streams: &Streams) -> Growing {
    streams.body(only(streams).id).expect("its text is copied")
}

#[test]
fn an_exchange_is_seen_from_its_beginning_to_its_end() {
    let streams = streams(100, 100);
    let mut tunnel = Tunnel::to("proxy.individual.githubcopilot.com", &streams);
    assert_eq!(streams.snapshot(), []);
    let version = streams.version();
    tunnel.request(0, "/v1/engines/m-1/completions?key=secret").data(0, ClientToServer, b"{}");
    let begun = only(&streams);
    assert_eq!(
        begun,
        InFlight {
            id: begun.id,
            user: Some("ann".into()),
            client: ([127, 0, 0, 1], 50_000).into(),
            host: "proxy.individual.githubcopilot.com".to_owned(),
            method: "POST".to_owned(),
            path: "/v1/engines/m-1/completions".to_owned(),
            kind: Kind::Completions,
            model: Some("m-1".to_owned()),
            began: begun.began,
            status: None,
            sent: 2,
            received: 0,
            has_text: true,
        }
    );
    assert_eq!(streams.body(begun.id), Some(Growing::default()));
    assert_ne!(streams.version(), version);
    tunnel.response(0, &[]).down(0, b"data: 1").down(0, b"\n\n");
    assert_eq!(only(&streams), InFlight { status: Some(200), received: 9, ..begun.clone() });
    assert_eq!(body(&streams).bytes, b"data: 1\n\n");
    let version = streams.version();
    assert_eq!(streams.version(), version, "nothing happened");
    tunnel.end(0);
    assert_eq!((streams.snapshot(), streams.body(begun.id)), (vec![], None));
    assert_ne!(streams.version(), version);
}

#[test]
fn it_is_gone_however_it_ends() {
    let streams = streams(100, 100);
    let begin = || {
        let mut tunnel = Tunnel::chat(&streams);
        tunnel.request(1, "/chat/completions").response(1, &[]).down(1, b"data");
        assert_eq!(streams.snapshot().len(), 1);
        tunnel
    };
    let is_empty = || streams.snapshot().is_empty() && streams.0.as_ref().unwrap().held.load(Ordering::Relaxed) == 0;

    begin().event(Event::Reset { stream: StreamId(1), direction: ClientToServer, code: 8 });
    assert!(is_empty(), "reset");
    let direction = ServerToClient;
    begin().event(Event::Malformed { stream: Some(StreamId(1)), direction, reason: "odd" });
    assert!(is_empty(), "malformed");
    begin().event(Event::Malformed { stream: None, direction, reason: "odd" });
    assert!(is_empty(), "the connection is malformed");
    let mut tunnel = begin();
    tunnel.assembler.end(ServerToClient, Instant::now(), Ending::Aborted, &mut tunnel.out);
    assert!(is_empty(), "aborted");
    drop(begin());
    assert!(is_empty(), "the connection's task is gone");
}

#[test]
fn what_is_not_recorded_is_not_seen() {
    let streams = streams(100, 100);
    Tunnel::chat(&streams).request(0, "/skip/chat/completions");
    assert_eq!(streams.snapshot(), []);
}

#[test]
fn only_text_for_people_is_copied() {
    let has_text = |host, target| {
        let streams = streams(100, 100);
        let mut tunnel = Tunnel::to(host, &streams);
        tunnel.request(0, target).response(0, &[]).down(0, b"data");
        let seen = only(&streams);
        assert_eq!((seen.received, streams.body(seen.id).is_some()), (4, seen.has_text));
        (seen.kind, seen.has_text)
    };
    let api = "api.githubcopilot.com";
    assert_eq!(has_text(api, "/chat/completions"), (Kind::Chat, true));
    assert_eq!(has_text(api, "/responses"), (Kind::Chat, true));
    assert_eq!(has_text("proxy.individual.githubcopilot.com", "/chat/completions"), (Kind::Nes, true));
    // Of text, but not among those that are recorded, should the selector let it pass.
    assert_eq!(has_text(api, "/embeddings"), (Kind::Embeddings, false));
    assert_eq!(has_text(api, "/copilot_internal/v2/token"), (Kind::Auth, false));
    assert_eq!(has_text("copilot-telemetry.githubusercontent.com", "/telemetry"), (Kind::Telemetry, false));
}

#[test]
fn chat_that_is_not_recorded_is_not_copied() {
    let streams = Streams::new(KindTable::builtin(), vec![Kind::Completions]);
    Tunnel::chat(&streams).request(0, "/chat/completions").response(0, &[]).down(0, b"data");
    let mut tunnel = Tunnel::chat(&streams);
    tunnel.request(0, "/chat/completions");
    assert!(!only(&streams).has_text);
}

#[test]
fn copies_stop_at_their_ceilings() {
    let streams = streams(10, 15);
    let mut first = Tunnel::chat(&streams);
    first.request(1, "/chat/completions").response(1, &[]).down(1, b"12345678");
    assert_eq!(body(&streams), Growing { bytes: b"12345678".to_vec(), ..Growing::default() });
    first.down(1, b"90x").down(1, b"y");
    assert_eq!(body(&streams), Growing { bytes: b"1234567890".to_vec(), cut: true, ..Growing::default() });
    assert_eq!(only(&streams).received, 12);

    // What does not fit beside the others is not begun.
    let mut second = Tunnel::chat(&streams);
    second.request(1, "/chat/completions").response(1, &[]).down(1, b"abc").down(1, b"defg").down(1, b"h");
    let seen = streams.snapshot();
    let texts: Vec<_> = seen.iter().map(|seen| streams.body(seen.id).unwrap()).collect();
    assert_eq!(texts[1], Growing { bytes: b"abc".to_vec(), cut: true, ..Growing::default() });
    assert_eq!(seen[1].received, 8);

    // Room comes back with the end of the first, for those that begin then.
    first.end(1);
    second.request(3, "/chat/completions").response(3, &[]).down(3, b"1234567890");
    let third = streams.snapshot().pop().unwrap();
    assert_eq!(streams.body(third.id), Some(Growing { bytes: b"1234567890".to_vec(), ..Growing::default() }));
}

#[test]
fn long_names_are_shortened() {
    let streams = streams(10, 10);
    let mut tunnel = Tunnel::chat(&streams);
    tunnel.request(0, &format!("/{}", "é".repeat(100_000)));
    assert_eq!(only(&streams).path.chars().count(), 300);
}

#[test]
fn turns_on_a_websocket_are_seen_one_by_one() {
    let streams = streams(1000, 1000);
    let mut tunnel = Tunnel::chat(&streams);
    tunnel.request(0, "/responses");
    tunnel.event(Event::Response { stream: StreamId(0), head: response_head(101, &[]) });
    tunnel.event(Event::Upgrade { stream: StreamId(0) }).event(Event::WebSocket { stream: StreamId(0) });
    let socket = only(&streams);
    tunnel.message(ClientToServer, r#"{"type":"response.create"}"#);
    let turn = only(&streams);
    assert_ne!(turn.id, socket.id, "nothing is to be told of the socket itself");
    assert_eq!((turn.status, turn.sent, turn.received), (Some(101), 26, 0));
    tunnel.message(ServerToClient, r#"{"type":"response.created","response":{"id":"r","model":"m-1"}}"#);
    for delta in ["Hel", "lo"] {
        tunnel.message(
            ServerToClient,
            &format!(
                r#"{{"type":"response.output_text.delta","item_id":"i","output_index":0,"content_index":0,"delta":"{delta}"}}"#
            ),
        );
    }
    let text = body(&streams).read().unwrap();
    assert_eq!((text.text.as_str(), text.model.as_deref()), ("Hello", Some("m-1")));
    tunnel.message(ServerToClient, r#"{"type":"response.completed"}"#);
    assert_eq!(streams.snapshot(), []);
    tunnel.message(ClientToServer, r#"{"type":"response.create"}"#);
    assert_ne!(only(&streams).id, turn.id);
}

#[test]
fn a_growing_answer_is_read_as_far_as_it_came() {
    let read = |text: &str| Growing { bytes: text.into(), ..Growing::default() }.read();
    assert_eq!(read(""), None);
    let chunk =
        |delta: &str| format!("data: {{\"model\":\"m-1\",\"choices\":[{{\"index\":0,\"delta\":{delta}}}]}}\n\n");
    let said = chunk(r#"{"role":"assistant","content":"Hel"}"#);
    assert_eq!(read(&said), Some(Text { model: Some("m-1".to_owned()), text: "Hel".to_owned(), ..Text::default() }));
    let more = said + &*chunk(r#"{"content":"lö"}"#);
    assert_eq!(read(&more).unwrap().text, "Hellö");
    // In the middle of an event, and of a character.
    for end in more.len() - 20..more.len() {
        let cut = Growing { bytes: more.as_bytes()[..end].to_vec(), ..Growing::default() }.read().unwrap();
        assert!(["Hel", "Hellö"].contains(&cut.text.as_str()), "{cut:?}");
    }
    let call =
        more + &*chunk(r#"{"tool_calls":[{"index":0,"id":"c","function":{"name":"read_file","arguments":"{"}}]}"#);
    assert_eq!(read(&call).unwrap().tools, ["read_file"]);
}

#[test]
fn a_coded_answer_is_read_as_far_as_it_was_flushed() {
    let streams = streams(BODY_MAX, BODIES_MAX);
    let mut tunnel = Tunnel::chat(&streams);
    tunnel.request(0, "/chat/completions").response(0, &[("content-type", "x"), ("Content-Encoding", "gzip")]);
    let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut said = String::new();
    for word in ["one ", "two ", "three"] {
        said += word;
        write!(coder, "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{word}\"}}}}]}}\n\n").unwrap();
        coder.flush().unwrap();
        tunnel.down(0, &std::mem::take(coder.get_mut()));
        let text = body(&streams).read().unwrap();
        assert_eq!((text.text, text.cut), (said.clone(), false));
    }
}

#[test]
fn a_body_that_decodes_to_more_than_anybody_reads_is_cut() {
    let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writeln!(coder, "data: {{\"choices\":[{{\"text\":\"x\"}}]}}\n").unwrap();
    coder.write_all(&b": nothing\n".repeat(1_000_000)).unwrap();
    let mut coding = Fields::default();
    coding.push(b"content-encoding", b"gzip");
    let text = Growing { bytes: coder.finish().unwrap(), coding, cut: false }.read().unwrap();
    assert_eq!((text.text.as_str(), text.cut), ("x", true));
}

#[test]
fn where_it_is_off_nothing_looks_on() {
    let streams = Streams::off();
    assert!(!streams.is_on() && streams.onlooker().is_none());
    let mut tunnel = Tunnel::chat(&streams);
    tunnel.request(0, "/chat/completions").response(0, &[]).down(0, b"data");
    assert_eq!((streams.snapshot(), streams.version()), (vec![], 0));
}

#[test]
fn readers_miss_nothing_while_the_relay_writes() {
    let streams = streams(BODY_MAX, BODIES_MAX);
    let mut tunnel = Tunnel::chat(&streams);
    tunnel.request(0, "/chat/completions").response(0, &[]);
    let id = only(&streams).id;
    let wanted: Vec<u8> = (0..20_000_u32).flat_map(u32::to_le_bytes).collect();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let deadline = Instant::now() + Duration::from_secs(60);
                let mut seen = 0;
                while seen < wanted.len() && Instant::now() < deadline {
                    let bytes = streams.body(id).unwrap().bytes;
                    assert!(bytes.len() >= seen, "it never shrinks");
                    assert!(wanted.starts_with(&bytes));
                    seen = bytes.len();
                }
                assert_eq!(seen, wanted.len());
            });
        }
        for piece in wanted.chunks(7) {
            tunnel.down(0, piece);
        }
    });
}

proptest! {
    /// However it is cut into pieces and whenever somebody reads, the body is the bytes that came.
    #[test]
    fn any_pieces_and_any_reads_give_the_body(pieces in prop::collection::vec((prop::collection::vec(any::<u8>(), 1..20), any::<bool>()), 0..40)) {
        const MOST: usize = 200;
        let streams = streams(MOST, BODIES_MAX);
        let mut tunnel = Tunnel::chat(&streams);
        tunnel.request(0, "/chat/completions").response(0, &[]);
        let mut whole = Vec::new();
        for (piece, read) in &pieces {
            tunnel.down(0, piece);
            whole.extend_from_slice(piece);
            if *read {
                let body = body(&streams);
                prop_assert_eq!(&body.bytes[..], &whole[..whole.len().min(MOST)]);
                prop_assert_eq!(body.cut, whole.len() > MOST);
            }
        }
        prop_assert_eq!(only(&streams).received, whole.len() as u64);
        prop_assert_eq!(&body(&streams).bytes[..], &whole[..whole.len().min(MOST)]);
    }

    /// Whatever bytes come, reading them ends in something.
    #[test]
    fn hostile_bodies_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400), coding in "(gzip|br|zstd|deflate)?") {
        let mut fields = Fields::default();
        fields.push(b"content-encoding", coding.as_bytes());
        let _ = Growing { bytes, coding: fields, cut: false }.read();
    }
}
