//! WebSockets through the real program: bytes as sent, and a record for each turn.

mod support;

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use support::eventually;
use support::http2::{self, DATA, END_STREAM};
use support::recorder::{Recorder, Setup};
use support::records::Record;
use support::rng::Rng;
use support::script::{Script, Turn, assert_same_bytes};
use support::upstream::{Options, Upstream};
use support::websocket::Side;

const HOST: &str = "api.individual.githubcopilot.com";
const DELTA: &str = r#"{"type":"response.output_text.delta","delta":"é\n"}"#;
const DONE: &str = r#"{"type":"response.completed","response":{"id":"resp_1"}}"#;
const ERROR: &str = r#"{"type":"error","error":{"code":"x","message":"y"},"copilot_quota_snapshots":{}}"#;

fn create(previous: &str) -> String {
    let input = "a prompt, a prompt, a prompt ".repeat(40);
    format!(r#"{{"type":"response.create","model":"gpt-x","previous_response_id":"{previous}","input":"{input}"}}"#)
}

/// Both sides of one socket, and what they say in turn.
struct Talk {
    rng: Rng,
    client: Side,
    server: Side,
    script: Script,
}

impl Talk {
    fn new(host: &str, agreed: &str) -> Self {
        let script = Script { host: host.into(), turns: Vec::new(), server_closes: false, expected: Vec::new() };
        Self { rng: Rng::new(7), client: Side::client(agreed), server: Side::server(agreed), script }
    }

    /// The upgrade of an HTTP/1.1 connection.
    fn upgrade(path: &str, agreed: &str) -> Self {
        let mut talk = Self::new(HOST, agreed);
        let ask = format!(
            "GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Authorization: Bearer tid=1;exp=2:secret\r\nEditor-Version: vscode/1.95.3\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: chat, bearer.SECRET\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
        );
        let agreed = if agreed.is_empty() { String::new() } else { format!("Sec-WebSocket-Extensions: {agreed}\r\n") };
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n{agreed}\r\n"
        );
        talk.turn(ask.into_bytes(), answer.into_bytes());
        talk
    }

    fn turn(&mut self, client: Vec<u8>, server: Vec<u8>) {
        let turn = Turn::new(&mut self.rng, client, server);
        self.script.turns.push(turn);
    }

    /// The client says something, then the server.
    fn say(&mut self, client: &[&str], server: &[&str]) {
        let said = client.iter().flat_map(|text| self.client.text(text)).collect();
        let answered = server.iter().flat_map(|text| self.server.text(text)).collect();
        self.turn(said, answered);
    }

    fn close(&mut self) {
        let closing = [self.client.control(8, b"\x03\xe8done"), self.server.control(8, b"\x03\xe8done")];
        let [client, server] = closing;
        self.turn(client, server);
    }

    /// Plays it through the program; both ends got exactly what was sent.
    async fn play(self, alpn: &'static str, arguments: &[&str]) -> Recorder {
        let script = Arc::new(self.script);
        let served = script.clone();
        let upstream = Upstream::start(Options::alpn(&[alpn]), move |connection| {
            let script = served.clone();
            async move { script.play_server(connection).await }
        })
        .await;
        let recorder = Setup::new(&upstream).with(arguments).start().await;
        let session = recorder.client(&[alpn]).open(&script.host).await;
        let (received, _) = script.play_client(session).await;
        assert_same_bytes("what the client received", &received, &script.server_bytes());
        assert_same_bytes("what the server received", &upstream.ended(0).await.received, &script.client_bytes());
        recorder
    }
}

/// The records of a program that has ended, in the order in which they began.
async fn all(recorder: Recorder) -> Vec<Record> {
    let (code, lines, setup) = recorder.terminate().await;
    assert_eq!(code, Some(0), "{}", lines.join("\n"));
    Record::all(&setup.logs)
}

fn text(record: &Record, side: &str) -> String {
    String::from_utf8(record.body(side)).expect("text")
}

/// Who sent what, without the times.
fn messages(record: &Record) -> Vec<Value> {
    let messages = record.json["recorder"]["websocket"]["messages"].as_array().expect("a list");
    messages.iter().map(|message| json!([message[0], message[2], message[3]])).collect()
}

/// Two turns, pings between: two records and none for the socket.
async fn two_turns(agreed: &'static str) {
    let (first, second) = (create(""), create("resp_1"));
    let mut talk = Talk::upgrade("/responses?x=1", agreed);
    talk.say(&[&first], &[DELTA]);
    let (pong, ping) = (talk.client.control(10, b"p"), talk.server.control(9, b"p"));
    talk.turn(pong, ping);
    talk.say(&[], &[DONE]);
    talk.say(&[&second], &[DELTA, DELTA, ERROR]);
    talk.close();
    let records = all(talk.play("http/1.1", &[]).await).await;
    assert_eq!(records.len(), 2, "{:?}", records.iter().map(|record| &record.path).collect::<Vec<_>>());
    let expected = [(first, format!("{DELTA}\n{DONE}")), (second, format!("{DELTA}\n{DELTA}\n{ERROR}"))];
    for (number, (record, (request, response))) in records.iter().zip(&expected).enumerate() {
        assert_eq!((&text(record, "request"), &text(record, "response")), (request, response));
        assert_eq!((record.folder(), record.status(), record.complete()), ("chat".into(), Some(101), true));
        assert_eq!(record.json["request"]["url"], format!("https://{HOST}/responses?x=1"));
        assert_eq!(record.json["request"]["method"], "GET");
        assert_eq!(record.request_header("Sec-WebSocket-Protocol").as_deref(), Some("chat, bearer.<redacted>"));
        let recorder = &record.json["recorder"];
        let socket = &recorder["websocket"];
        assert_eq!((&socket["unit"], &socket["turn"]), (&json!("response.create"), &json!(number)));
        let extensions = if agreed.is_empty() { Value::Null } else { agreed.into() };
        assert_eq!(socket["extensions"], extensions);
        assert!(recorder.get("opaque").is_none());
        let time = |name: &str| recorder["timings"][name].as_f64().expect("a time");
        assert!(time("request_end") <= time("first_byte") && time("first_byte") <= time("last_byte"));
        let bytes: u64 = recorder["chunks"].as_array().expect("a list").iter().filter_map(|it| it[1].as_u64()).sum();
        assert_eq!(bytes as usize, response.len(), "chunks are of the body");
    }
    let length = |text: &str| json!(text.len());
    let delta = json!(["server", length(DELTA), "text"]);
    // The pong is sent before the ping: the script lets the client speak first.
    let expected = [
        json!(["client", length(&expected[0].0), "text"]),
        delta.clone(),
        json!(["client", 0, "pong"]),
        json!(["server", 0, "ping"]),
        json!(["server", length(DONE), "text"]),
    ];
    assert_eq!(messages(&records[0]), expected);
    assert_eq!(messages(&records[1])[1..3], [delta.clone(), delta]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_for_each_turn() {
    two_turns("").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_for_each_turn_of_a_compressed_socket() {
    two_turns("permessage-deflate").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_for_another_socket() {
    let mut talk = Talk::upgrade("/live", "permessage-deflate; server_no_context_takeover");
    talk.say(&["hello", DELTA], &["hello to you", "hello to you", DONE]);
    talk.close();
    let records = all(talk.play("http/1.1", &[]).await).await;
    assert_eq!(records.len(), 1);
    let record = &records[0];
    assert_eq!((record.folder(), record.complete(), record.aborted_by()), ("other".into(), true, None));
    assert_eq!(text(record, "request"), format!("hello\n{DELTA}"));
    assert_eq!(text(record, "response"), format!("hello to you\nhello to you\n{DONE}"));
    let socket = &record.json["recorder"]["websocket"];
    assert_eq!((&socket["unit"], socket.get("turn")), (&json!("socket"), None));
    assert_eq!(socket["close"], json!({"by": "client", "code": 1000, "reason": "done"}));
    assert_eq!(messages(record).len(), 7);
    assert!(record.json["recorder"]["opaque"]["server_to_client"].as_u64() > Some(30));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_for_each_turn_over_http2() {
    let fields = [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "https"),
        (":path", "/responses"),
        (":authority", HOST),
    ];
    let agreed = "permessage-deflate";
    let mut talk = Talk::new(HOST, agreed);
    talk.turn([http2::PREFACE, &http2::settings(&[])].concat(), http2::settings(&[(8, 1)]));
    let answer = [(":status", "200"), ("sec-websocket-extensions", agreed)];
    talk.turn(http2::headers(1, false, &fields), http2::headers(1, false, &answer));
    let (first, second) = (create(""), create("resp_1"));
    for create in [&first, &second] {
        let said = talk.client.text(create);
        let answered = [talk.server.text(DELTA), talk.server.text(DONE)].concat();
        // Messages and DATA frames have nothing to do with each other.
        let (half, rest) = answered.split_at(answered.len() / 3);
        let answered = [http2::frame(DATA, 0, 1, half), http2::frame(DATA, 0, 1, rest)].concat();
        talk.turn(http2::frame(DATA, 0, 1, &said), answered);
    }
    talk.turn(http2::frame(DATA, END_STREAM, 1, &[]), http2::frame(DATA, END_STREAM, 1, &[]));
    let records = all(talk.play("h2", &[]).await).await;
    assert_eq!(records.len(), 2);
    for (record, create) in records.iter().zip([&first, &second]) {
        assert_eq!((record.folder(), record.status(), record.complete()), ("chat".into(), Some(200), true));
        assert_eq!(record.json["recorder"]["http_version"], "HTTP/2");
        assert_eq!((&text(record, "request"), text(record, "response")), (create, format!("{DELTA}\n{DONE}")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_the_client_cuts() {
    let mut talk = Talk::upgrade("/v1/responses", "");
    talk.say(&[&create("")], &[DELTA]);
    let records = all(talk.play("http/1.1", &[]).await).await;
    assert_eq!(records.len(), 1);
    assert_eq!((records[0].complete(), records[0].aborted_by()), (false, Some("client")));
    assert_eq!(text(&records[0], "response"), DELTA);
}

#[tokio::test(flavor = "multi_thread")]
async fn kinds_that_are_not_recorded_leave_nothing() {
    let mut talk = Talk::upgrade("/responses", "");
    talk.say(&[&create("")], &[DONE]);
    talk.close();
    let recorder = talk.play("http/1.1", &["--record", "completions"]).await;
    recorder.metric_reaches("exchanges_skipped", 1.0).await;
    assert_eq!(all(recorder).await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_websocket_after_all_is_said_and_relayed() {
    let mut talk = Talk::upgrade("/responses", "");
    talk.say(&[&create("")], &[DONE]);
    talk.turn(b"\xff\xff not a frame".to_vec(), b"nor this".to_vec());
    let records = all(talk.play("http/1.1", &[]).await).await;
    assert_eq!(records.len(), 2);
    let [socket, turn] = [&records[0], &records[1]];
    assert_eq!((turn.complete(), text(turn, "response")), (true, DONE.to_owned()));
    assert!(!socket.complete());
    let reason = "WebSocket frame with a reserved bit that was not agreed upon";
    assert_eq!(socket.json["recorder"]["malformed"], reason);
}

/// Bytes of files anywhere below a folder.
fn contents(folder: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| std::fs::read(entry.path()).ok()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_of_a_turn() {
    let mut talk = Talk::upgrade("/responses", "permessage-deflate");
    talk.say(&[&create("")], &[DONE]);
    talk.say(&[&create("resp_1")], &[DELTA, DELTA]);
    let script = Arc::new(talk.script);
    let served = script.clone();
    let upstream = Upstream::start(Options::alpn(&["http/1.1"]), move |connection| {
        let script = served.clone();
        async move { script.play_server(connection).await }
    })
    .await;
    let recorder = Setup::new(&upstream).start().await;
    let mut session = recorder.client(&["http/1.1"]).open(HOST).await;
    for turn in &script.turns {
        session.send(&turn.client).await;
        session.read_exact(turn.server.len()).await;
    }
    let spool = recorder.setup.logs.join(".spool");
    eventually("both deltas in the spool", || {
        let found =
            |file: &Vec<u8>| file.windows(DELTA.len()).filter(|window| *window == DELTA.as_bytes()).count() == 2;
        contents(&spool).iter().any(found).then_some(())
    })
    .await;
    let setup = recorder.kill();
    drop(session);
    let recorder = setup.start().await;
    recorder.records(2).await;
    let records = all(recorder).await;
    assert_eq!(records.len(), 2, "the turn that was over, the turn that was cut, and nothing for the socket");
    assert_eq!((records[0].complete(), text(&records[0], "response")), (true, DONE.to_owned()));
    let cut = &records[1];
    assert_eq!((cut.complete(), cut.aborted_by(), cut.folder()), (false, Some("shutdown"), "chat".into()));
    assert_eq!(cut.json["recorder"]["recovered"], true);
    assert_eq!(text(cut, "request"), create("resp_1"));
    assert_eq!(text(cut, "response"), format!("{DELTA}\n{DELTA}"));
    assert_eq!(messages(cut).len(), 3);
    assert_eq!(cut.json["recorder"]["websocket"]["turn"], 1);
}
