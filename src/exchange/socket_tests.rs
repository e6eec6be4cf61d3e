use std::sync::LazyLock;
use std::time::{Duration, UNIX_EPOCH};

use proptest::prelude::*;

use super::*;
use crate::exchange::testing::{self, connection, request_head, response_head};
use crate::exchange::{Assembler, Exchange, Selector};
use crate::observer::{Event, ResponseHead, StreamId, Version};
use crate::wire::Ending;
use MessageKind::{Close, Ping, Pong, Text};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

const CREATE: &str = r#"{"type":"response.create","model":"m"}"#;
const DELTA: &str = r#"{"type":"response.output_text.delta","delta":"a"}"#;
const DONE: &str = r#"{"type":"response.completed","response":{}}"#;
const ID: StreamId = StreamId(1);

struct NotSkip;

impl Selector for NotSkip {
    fn wanted(&self, _host: &str, head: &RequestHead) -> bool {
        !head.target.starts_with(b"/skip")
    }
}

/// Plays messages on a socket; each at the millisecond that was set last.
struct Script {
    assembler: Assembler,
    at: u64,
    out: Vec<Action>,
}

impl Script {
    /// An upgrade at 0 ms on HTTP/1.1, at 1 ms accepted.
    fn new(target: &str) -> Self {
        Self::with(target, Version::Http11, 1 << 20)
    }

    fn with(target: &str, version: Version, body_limit: usize) -> Self {
        let connection = Arc::new(connection("api.githubcopilot.com"));
        let clock = |at: Instant| UNIX_EPOCH + at.saturating_duration_since(*START);
        LazyLock::force(&START);
        let assembler = Assembler::with_clock(connection, Arc::new(NotSkip), body_limit, clock);
        let mut script = Self { assembler, at: 0, out: Vec::new() };
        let head = RequestHead { version, ..request_head("GET", target, &[("Host", "x.example")]) };
        script.event(Event::Request { stream: ID, head });
        if version != Version::Http2 {
            script.end(ClientToServer);
        }
        let pairs = [("Upgrade", "websocket"), ("Sec-WebSocket-Extensions", "permessage-deflate")];
        let head = ResponseHead { version, ..response_head(101, &pairs) };
        script.at(1).event(Event::Response { stream: ID, head });
        script.event(Event::Upgrade { stream: ID }).event(Event::WebSocket { stream: ID });
        script
    }

    fn now(&self) -> Instant {
        *START + Duration::from_millis(self.at)
    }

    fn at(&mut self, millis: u64) -> &mut Self {
        self.at = millis;
        self
    }

    fn event(&mut self, event: Event<'_>) -> &mut Self {
        self.assembler.event(self.now(), event, &mut self.out);
        self
    }

    fn end(&mut self, direction: Direction) -> &mut Self {
        self.event(Event::End { stream: ID, direction })
    }

    fn begins(&mut self, direction: Direction) -> &mut Self {
        self.event(Event::MessageBegins { stream: ID, direction })
    }

    fn message(&mut self, direction: Direction, kind: MessageKind, bytes: &[u8], truncated: bool) -> &mut Self {
        self.event(Event::Message { stream: ID, direction, kind, bytes, truncated })
    }

    fn up(&mut self, text: &str) -> &mut Self {
        self.begins(ClientToServer).message(ClientToServer, Text, text.as_bytes(), false)
    }

    fn down(&mut self, text: &str) -> &mut Self {
        self.begins(ServerToClient).message(ServerToClient, Text, text.as_bytes(), false)
    }

    fn close(&mut self, direction: Direction, ending: Ending) -> &mut Self {
        self.assembler.end(direction, self.now(), ending, &mut self.out);
        self
    }

    /// The observer gave the socket up.
    fn lost(&mut self) -> &mut Self {
        self.event(Event::Malformed { stream: Some(ID), direction: ServerToClient, reason: "why" })
    }

    /// Both sides end cleanly, the client first.
    fn over(&mut self) -> &mut Self {
        self.close(ClientToServer, Ending::Clean);
        self.end(ServerToClient).close(ServerToClient, Ending::Clean)
    }

    fn tick(&mut self) -> &mut Self {
        self.assembler.tick(self.now(), &mut self.out);
        self
    }

    fn finished(&mut self) -> Vec<Exchange> {
        testing::finished(&mut self.out)
    }

    #[track_caller]
    fn one(&mut self) -> Exchange {
        testing::one(&mut self.out)
    }

    /// What was asked for since the last call, in short.
    fn actions(&mut self) -> Vec<String> {
        let turn = |exchange: &Exchange| exchange.websocket.as_ref().and_then(|socket| socket.turn);
        let said = self.out.drain(..).map(|action| match action {
            Action::SpoolHead(exchange) => format!("head {:?} {}", turn(&exchange), listed(&exchange).len()),
            Action::SpoolBody { response, bytes, .. } => format!("body {} {}", u8::from(response), bytes.len()),
            Action::SpoolMessages { messages, .. } => format!("messages {}", messages.len()),
            Action::Forget(_) => "forget".into(),
            Action::Skip(_) => "skip".into(),
            Action::Finish(exchange) => format!("finish {:?} {}", turn(&exchange), listed(&exchange).len()),
        });
        said.collect()
    }
}

/// `> 12 text 3`: who, at which millisecond, what, how many bytes.
fn listed(exchange: &Exchange) -> Vec<String> {
    let messages = exchange.websocket.iter().flat_map(|socket| &socket.messages);
    let line = |message: &crate::exchange::SocketMessage| {
        let arrow = if message.from_client { '>' } else { '<' };
        format!("{arrow} {} {} {}", message.at.as_millis(), message.kind.as_str(), message.bytes)
    };
    messages.map(line).collect()
}

fn bodies(exchange: &Exchange) -> [String; 2] {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    [text(&exchange.request.body.kept), exchange.response.as_ref().map_or(String::new(), |it| text(&it.body.kept))]
}

fn turn(exchange: &Exchange) -> Option<u64> {
    exchange.websocket.as_ref().unwrap().turn
}

#[test]
fn a_turn_lasts_from_its_create_to_its_closing_event() {
    let mut script = Script::new("/v1/responses?a=b");
    script.at(10).begins(ClientToServer).at(14).message(ClientToServer, Text, CREATE.as_bytes(), false);
    script.at(20).begins(ServerToClient).at(21).message(ServerToClient, Text, DELTA.as_bytes(), false);
    script.at(30).message(ServerToClient, Ping, b"p", false).at(31).message(ClientToServer, Pong, b"p", false);
    assert_eq!(script.assembler.in_flight(), 2);
    script.at(40).down(DONE);
    let exchange = script.one();
    assert_eq!(bodies(&exchange), [CREATE.to_owned(), format!("{DELTA}\n{DONE}")]);
    assert_eq!(turn(&exchange), Some(0));
    assert_eq!(exchange.began, UNIX_EPOCH + Duration::from_millis(10));
    let millis = |time: Option<Duration>| time.unwrap().as_millis();
    let timings = exchange.timings;
    assert_eq!([timings.request_end, timings.first_byte, timings.last_byte].map(millis), [4, 10, 30]);
    let chunks: Vec<_> = exchange.chunks.iter().map(|chunk| (chunk.at.as_millis(), chunk.bytes as usize)).collect();
    assert_eq!(chunks, [(11, DELTA.len()), (30, DONE.len() + 1)]);
    let (create, delta, done) = (CREATE.len(), DELTA.len(), DONE.len());
    let expected = [format!("> 4 text {create}"), format!("< 11 text {delta}")];
    assert_eq!(listed(&exchange)[..2], expected);
    assert_eq!(listed(&exchange)[2..], ["< 20 ping 0", "> 21 pong 0", &format!("< 30 text {done}")]);
    assert_eq!((exchange.complete, exchange.aborted_by, exchange.opaque), (true, None, None));
    let response = exchange.response.unwrap();
    assert_eq!((response.head.status, response.ended, exchange.request.ended), (101, true, true));
    assert_eq!(exchange.request.head.target, b"/v1/responses?a=b");
    // The socket has nothing of its own to tell.
    script.at(50).message(ClientToServer, Close, b"\x03\xe8", false).over();
    assert!(script.finished().is_empty());
    assert_eq!(script.assembler.in_flight(), 0);
}

#[test]
fn every_closing_event_closes_and_only_the_servers() {
    for closing in [
        r#"{"type":"response.failed"}"#,
        r#"{"type":"response.incomplete"}"#,
        r#"{"type":"response.cancelled"}"#,
        r#"{"type":"error","code":"x","message":"y"}"#,
        r#"{"type":"error","error":{"code":"x"},"copilot_quota_snapshots":{}}"#,
    ] {
        let mut script = Script::new("/responses");
        script.up(CREATE).up(closing);
        assert!(script.finished().is_empty());
        script.down(closing);
        let exchange = script.one();
        assert_eq!(bodies(&exchange), [format!("{CREATE}\n{closing}"), closing.to_owned()]);
        assert!(exchange.complete);
    }
}

#[test]
fn a_socket_between_two_turns_is_idle() {
    let mut script = Script::new("/responses");
    assert!(script.assembler.is_idle(), "it waits for the first");
    assert!(!script.begins(ClientToServer).assembler.is_idle(), "a message is under way");
    script.message(ClientToServer, Text, CREATE.as_bytes(), false);
    assert!(!script.assembler.is_idle());
    assert!(!script.down(DELTA).assembler.is_idle());
    assert!(script.down(DONE).assembler.is_idle());
    assert!(script.message(ServerToClient, Ping, b"", false).assembler.is_idle());
    let mut other = Script::new("/live");
    assert!(!other.up("a").down("b").assembler.is_idle(), "nobody knows what it waits for");
    assert!(!Script::new("/skip/responses").assembler.is_idle(), "nor what is not read");
}

#[test]
fn turns_wait_for_each_other() {
    let create = |id: &str| format!(r#"{{"previous_response_id":"{id}","type":"response.create"}}"#);
    let mut script = Script::new("/responses");
    script.at(10).up(&create("a")).at(11).up(&create("b")).at(12).up(r#"{"type":"response.cancel"}"#);
    script.at(20).down(DELTA).at(21).down(DONE).at(22).down("second").at(23).down(DONE);
    script.at(30).up(&create("c")).at(31).down(DONE).over();
    let finished = script.finished();
    assert_eq!(finished.iter().map(turn).collect::<Vec<_>>(), [Some(0), Some(1), Some(2)]);
    let cancelled = format!("{}\n{}", create("a"), r#"{"type":"response.cancel"}"#);
    assert_eq!(bodies(&finished[0]), [cancelled, format!("{DELTA}\n{DONE}")]);
    assert_eq!(bodies(&finished[1]), [create("b"), format!("second\n{DONE}")]);
    assert_eq!(bodies(&finished[2]), [create("c"), DONE.to_owned()]);
    let ids: std::collections::BTreeSet<_> = finished.iter().map(|exchange| exchange.id).collect();
    assert_eq!(ids.len(), 3);
    assert!(finished.iter().all(|exchange| exchange.complete));
}

#[test]
fn what_is_outside_turns_is_the_sockets() {
    let mut script = Script::new("/responses");
    script.at(5).down("hello").at(6).up(CREATE).at(7).down(DONE).at(8).down("late").at(9).up("bye");
    script.at(10).message(ClientToServer, Close, b"\x03\xe8done", false);
    script.at(11).message(ServerToClient, Close, b"\x03\xe8", false).over();
    let finished = script.finished();
    assert_eq!(finished.iter().map(turn).collect::<Vec<_>>(), [Some(0), None]);
    assert_eq!(bodies(&finished[1]), ["bye", "hello\nlate"]);
    let expected = ["< 5 text 5", "< 8 text 4", "> 9 text 3", "> 10 close 0", "< 11 close 0"];
    assert_eq!(listed(&finished[1]), expected);
    let closed = Closed { by_client: true, code: Some(1000), reason: "done".into() };
    assert_eq!(finished[1].websocket.as_ref().unwrap().close, Some(closed));
    assert_eq!(finished[0].websocket.as_ref().unwrap().close, None);
    assert_eq!((finished[1].complete, finished[1].opaque), (true, Some([0, 0])));
}

#[test]
fn another_socket_is_one_exchange() {
    let mut script = Script::new("/ws");
    script.at(5).up(CREATE).at(6).down(DONE).at(7).message(ServerToClient, MessageKind::Binary, b"\xff", false);
    script.event(Event::Opaque { stream: ID, direction: ServerToClient, bytes: b"12345" });
    assert!(script.finished().is_empty());
    script.over();
    let exchange = script.one();
    assert_eq!((turn(&exchange), exchange.complete, exchange.opaque), (None, true, Some([0, 5])));
    assert_eq!(exchange.response.as_ref().unwrap().body.kept, [DONE.as_bytes(), b"\n\xff"].concat());
    assert_eq!(exchange.timings.first_byte, Some(Duration::from_millis(1)), "of the head");
    assert_eq!(listed(&exchange).len(), 3);
}

#[test]
fn a_socket_without_messages_is_an_exchange() {
    let mut script = Script::new("/responses");
    script.over();
    let exchange = script.one();
    assert_eq!((turn(&exchange), exchange.complete, listed(&exchange).len()), (None, true, 0));
}

#[test]
fn nothing_is_kept_of_a_socket_that_nobody_wants() {
    let mut script = Script::new("/skip/responses");
    script.up(CREATE).at(5_000).tick().down(DONE).over();
    assert_eq!(script.actions(), ["skip"]);
}

#[test]
fn a_turn_that_is_cut_says_by_whom() {
    type Play = fn(&mut Script) -> &mut Script;
    let cases: [(Play, Option<AbortedBy>); 10] = [
        (|it| it.message(ClientToServer, Close, b"", false).close(ServerToClient, Ending::Truncated), CLIENT),
        (|it| it.message(ServerToClient, Close, b"", false).over(), UPSTREAM),
        (|it| it.message(ServerToClient, Close, b"", false).close(ClientToServer, Ending::Shutdown), UPSTREAM),
        (|it| it.over(), CLIENT),
        (
            |it| it.end(ServerToClient).close(ServerToClient, Ending::Clean).close(ClientToServer, Ending::Clean),
            UPSTREAM,
        ),
        (|it| it.close(ServerToClient, Ending::Truncated), UPSTREAM),
        (|it| it.close(ClientToServer, Ending::Aborted), CLIENT),
        (|it| it.close(ClientToServer, Ending::Shutdown).close(ServerToClient, Ending::Shutdown), SHUTDOWN),
        (|it| it.lost(), None),
        (|it| it.message(ClientToServer, Close, b"", false).lost(), None),
    ];
    for (index, (play, by)) in cases.into_iter().enumerate() {
        let mut script = Script::new("/responses");
        script.up(CREATE).down(DELTA).up(CREATE);
        play(&mut script);
        let finished = script.finished();
        let turns: Vec<_> = finished.iter().filter(|exchange| turn(exchange).is_some()).collect();
        assert_eq!(turns.len(), 2, "{index}");
        for exchange in turns {
            assert_eq!((exchange.complete, exchange.aborted_by), (false, by), "{index}");
            assert_eq!(exchange.malformed.is_some(), by.is_none(), "{index}");
            assert!(exchange.request.ended && !exchange.response.as_ref().unwrap().ended);
        }
        // What was wrong with a socket is told of the socket too, whatever turns it had.
        assert_eq!(finished.len() == 3, by.is_none(), "{index}");
    }
}

const CLIENT: Option<AbortedBy> = Some(AbortedBy::Client);
const UPSTREAM: Option<AbortedBy> = Some(AbortedBy::Upstream);
const SHUTDOWN: Option<AbortedBy> = Some(AbortedBy::Shutdown);

#[test]
fn http2_streams_end_without_their_connection() {
    let play = |act: fn(&mut Script) -> &mut Script| {
        let mut script = Script::with("/responses", Version::Http2, 1 << 20);
        script.up(CREATE);
        act(&mut script);
        script.one()
    };
    let exchange = play(|it| it.end(ServerToClient).end(ClientToServer));
    assert_eq!((turn(&exchange), exchange.complete, exchange.aborted_by), (Some(0), false, UPSTREAM));
    let exchange = play(|it| it.event(Event::Reset { stream: ID, direction: ClientToServer, code: 8 }));
    assert_eq!((exchange.complete, exchange.aborted_by, exchange.reset_code), (false, CLIENT, Some(8)));
}

#[test]
fn a_message_cut_by_the_end_is_kept_as_far_as_it_came() {
    let mut script = Script::new("/responses");
    script.begins(ClientToServer).message(ClientToServer, Text, &CREATE.as_bytes()[..30], true);
    script.close(ClientToServer, Ending::Aborted);
    let exchange = script.one();
    assert_eq!(bodies(&exchange)[0], CREATE[..30]);
    assert!(exchange.request.body.truncated && !exchange.request.ended);
    assert_eq!((turn(&exchange), exchange.timings.request_end), (Some(0), None));
}

#[test]
fn the_ceiling_cuts_the_body_and_the_list_says_what_is_there() {
    let mut script = Script::with("/ws", Version::Http11, 10);
    script.up("123456").up("789").up("x").down("abcdefghijk").down("").over();
    let exchange = script.one();
    assert_eq!(bodies(&exchange), ["123456\n789", "abcdefghij"]);
    assert_eq!(exchange.request.body.seen, 12);
    assert!(exchange.request.body.truncated && exchange.response.as_ref().unwrap().body.truncated);
    let sizes: Vec<_> = exchange.websocket.unwrap().messages.iter().map(|message| message.bytes).collect();
    assert_eq!(sizes, [6, 3, 0, 10, 0]);
}

#[test]
fn what_separates_messages_takes_room_too() {
    let mut script = Script::with("/ws", Version::Http11, 10);
    script.up("123456").up("7890").over();
    let exchange = script.one();
    assert_eq!(bodies(&exchange)[0], "123456\n789");
    let sizes: Vec<_> = exchange.websocket.unwrap().messages.iter().map(|message| message.bytes).collect();
    assert_eq!(sizes, [6, 3]);
}

#[test]
fn a_socket_that_was_lost_is_not_whole_though_both_said_goodbye() {
    let mut script = Script::new("/ws");
    script.message(ClientToServer, Close, b"", false).message(ServerToClient, Close, b"", false).lost();
    let exchange = script.one();
    assert!(!exchange.complete && exchange.malformed.is_some());
}

#[test]
fn empty_messages_are_told_from_none() {
    let mut script = Script::new("/ws");
    script.up("").up("").up("a").over();
    assert_eq!(bodies(&script.one())[0], "\n\na");
}

#[test]
fn turns_at_once_are_bounded() {
    let mut script = Script::new("/responses");
    (0..TURNS_MAX + 2).for_each(|_| _ = script.up(CREATE));
    assert_eq!(script.assembler.in_flight(), 1 + TURNS_MAX);
    script.down(DONE);
    assert_eq!(bodies(&script.one())[0], [CREATE; 3].join("\n"), "what is too much is not lost");
    script.up(CREATE).over();
    let last = script.finished().pop().unwrap();
    assert_eq!(turn(&last), Some(TURNS_MAX as u64 + 2));
}

#[test]
fn a_turn_is_spooled_with_its_messages() {
    let mut script = Script::new("/responses");
    script.at(10).up(CREATE).at(20).down(DELTA);
    assert_eq!(
        script.assembler.deadline(),
        Some(*START + Duration::from_millis(1_000)),
        "the socket's, maybe too early"
    );
    script.at(1_000).tick();
    assert_eq!(script.actions(), [""; 0], "the socket has nothing to tell");
    assert_eq!(script.assembler.deadline(), Some(*START + Duration::from_millis(1_010)));
    let (create, delta) = (CREATE.len(), DELTA.len());
    script.at(1_010).tick();
    assert_eq!(script.actions(), ["head Some(0) 2".to_owned(), format!("body 0 {create}"), format!("body 1 {delta}")]);
    script.at(1_100).down(DELTA).message(ServerToClient, Ping, b"", false).at(1_400).tick();
    assert_eq!(script.actions(), ["messages 2".to_owned(), format!("body 1 {}", delta + 1)]);
    script.at(1_500).tick();
    assert_eq!(script.actions(), [""; 0]);
    script.at(1_600).down(DONE);
    assert_eq!(script.actions(), ["finish Some(0) 5"]);
}

#[test]
fn what_was_spooled_of_a_socket_is_dropped_when_it_has_nothing_to_tell() {
    let mut script = Script::new("/responses");
    script.at(2_000).tick();
    assert_eq!(script.actions(), ["head None 0"]);
    script.up(CREATE).at(2_001).down(DONE);
    assert_eq!(script.actions(), ["forget", "finish Some(0) 2"]);
    script.at(4_000).tick();
    assert_eq!(script.assembler.deadline(), None);
    // Now it has: it is spooled again, from the beginning.
    script.down("late");
    script.at(4_001).tick();
    assert_eq!(script.actions(), ["head None 1", "body 1 4"]);
    script.over();
    assert_eq!(script.actions(), ["finish None 1"]);
}

#[test]
fn a_socket_with_messages_of_its_own_stays_spooled() {
    let mut script = Script::new("/responses");
    script.down("early").at(2_000).tick().up(CREATE).down(DONE).over();
    assert_eq!(script.actions(), ["head None 1", "body 1 5", "finish Some(0) 2", "finish None 1"]);
}

proptest! {
    /// Whatever is said in whatever order: no message is lost, none is there twice, and the lists say where each lies.
    #[test]
    fn every_message_is_in_one_exchange(said in prop::collection::vec((any::<bool>(), 0..6_u8), 0..60), turns in any::<bool>()) {
        let mut script = Script::new(if turns { "/responses" } else { "/ws" });
        let mut sent = [Vec::new(), Vec::new()];
        for (at, (client, what)) in said.into_iter().enumerate() {
            let direction = if client { ClientToServer } else { ServerToClient };
            let kind = match what {
                0 => "response.create",
                1 => "response.completed",
                2 => "error",
                3 => "response.cancel",
                4 => "",
                _ => {
                    script.message(direction, Ping, b"", false);
                    continue;
                }
            };
            let text = if kind.is_empty() { String::new() } else { format!(r#"{{"type":"{kind}","n":{at}}}"#) };
            script.at(at as u64 * 300).tick().begins(direction).message(direction, Text, text.as_bytes(), false);
            sent[direction.index()].push(text);
        }
        script.over();
        let found = in_bodies(script.out);
        for (mut sent, mut found) in sent.into_iter().zip(found) {
            sent.sort();
            found.sort();
            prop_assert_eq!(found, sent);
        }
    }
}

/// The messages of each direction that the records would have, as their lists say.
fn in_bodies(actions: Vec<Action>) -> [Vec<String>; 2] {
    let mut spooled = std::collections::HashMap::<_, [Vec<u8>; 2]>::new();
    let mut found = [Vec::new(), Vec::new()];
    for action in actions {
        match action {
            Action::SpoolHead(exchange) => _ = spooled.entry(exchange.id).or_default(),
            Action::SpoolBody { id, response, bytes, .. } => {
                spooled.get_mut(&id).expect("a head before")[usize::from(response)].extend(bytes);
            }
            Action::Forget(id) => assert_eq!(spooled.remove(&id), Some(Default::default())),
            Action::Finish(exchange) => {
                let mut bodies = spooled.remove(&exchange.id).unwrap_or_default();
                bodies[0].extend(exchange.request.body.kept);
                bodies[1].extend(exchange.response.expect("a head").body.kept);
                let mut rest = bodies.each_ref().map(|body| &body[..]);
                let mut first = [true; 2];
                for message in exchange.websocket.expect("a socket").messages {
                    let side = usize::from(!message.from_client);
                    if message.kind.is_data() {
                        if !std::mem::take(&mut first[side]) {
                            rest[side] = rest[side].strip_prefix(b"\n").expect("a line feed between");
                        }
                        let (text, after) = rest[side].split_at(message.bytes as usize);
                        rest[side] = after;
                        found[side].push(String::from_utf8(text.to_vec()).expect("text"));
                    }
                }
                assert_eq!(rest, [b"", b""], "nothing is left");
            }
            Action::SpoolMessages { .. } | Action::Skip(_) => {}
        }
    }
    assert!(spooled.is_empty(), "what was spooled is finished or forgotten");
    found
}
