//! Shows 1: what goes in comes out, byte for byte, in both directions; and the records say what was sent.

mod support;

use std::collections::HashMap;
use std::sync::Arc;

use support::recorder::Setup;
use support::records::Record;
use support::rng::Rng;
use support::script::{Script, assert_same_bytes};
use support::upstream::{Connection, Options, Upstream};
use support::{Ending, HOST, http1, http2};
use tokio::sync::Semaphore;

/// Connections open at once: enough to mix them, few enough for a test machine.
const AT_ONCE: usize = 100;

async fn play(scripts: Vec<Script>, alpn: &'static str) {
    let scripts: Arc<HashMap<String, Script>> =
        Arc::new(scripts.into_iter().map(|script| (script.host.clone(), script)).collect());
    let upstream = Upstream::start(Options::default(), {
        let scripts = scripts.clone();
        move |connection| {
            let scripts = scripts.clone();
            async move {
                assert_eq!(connection.alpn().as_deref(), Some(alpn), "the upstream is offered what the client offers");
                scripts[&connection.sni()].play_server(connection).await;
            }
        }
    })
    .await;
    let recorder = Setup::new(&upstream).with(&["--redact", "none"]).start().await;

    let client = Arc::new(recorder.client(&[alpn]));
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut connections = tokio::task::JoinSet::new();
    let hosts: Vec<String> = scripts.keys().cloned().collect();
    for host in hosts {
        let (client, scripts, turns) = (client.clone(), scripts.clone(), turns.clone());
        connections.spawn(async move {
            let _turn = turns.acquire().await.expect("never closed");
            let script = &scripts[&host];
            let (received, ending) = script.play_client(client.open(&host).await).await;
            assert_same_bytes(&format!("answers at {host}"), &received, &script.server_bytes());
            assert_eq!(ending, Ending::Clean, "end of {host}");
        });
    }
    while let Some(result) = connections.join_next().await {
        result.expect("a connection went well");
    }

    let seen = upstream.seen();
    assert_eq!(seen.len(), scripts.len());
    for seen in seen {
        let host = seen.sni.expect("a server name");
        assert_same_bytes(&format!("requests at {host}"), &seen.received, &scripts[&host].client_bytes());
    }

    let expected: usize = scripts.values().map(|script| script.expected.len()).sum();
    recorder.records(expected).await;
    let (code, lines, setup) = recorder.terminate().await;
    assert_eq!(code, Some(0), "{}", lines.join("\n"));
    let mut records = Record::by_case(Record::all(&setup.logs));
    for expected in scripts.values().flat_map(|script| &script.expected) {
        let record = records.remove(&expected.case).unwrap_or_else(|| panic!("no record of {}", expected.case));
        record.assert_says(expected);
    }
    assert!(records.is_empty(), "records of nothing: {:?}", records.keys());
}

#[tokio::test(flavor = "multi_thread")]
async fn http1() {
    play((0..1000).map(http1::script).collect(), "http/1.1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn http2() {
    play((0..200).map(http2::script).collect(), "h2").await;
}

/// A body of several megabytes as sent after its head.
fn framed(h2: bool, body: &[u8]) -> Vec<u8> {
    if !h2 {
        return body.to_vec();
    }
    let mut bytes: Vec<u8> = body.chunks(16_000).flat_map(|piece| http2::frame(http2::DATA, 0, 1, piece)).collect();
    bytes.extend(http2::frame(http2::DATA, http2::END_STREAM, 1, b""));
    bytes
}

async fn both_sides_at_once(h2: bool) {
    const SIZE: usize = 6 << 20;
    let mut rng = Rng::new(7);
    let (question, answer) = (rng.bytes(SIZE), rng.bytes(SIZE));
    let (sent, sent_back) = (framed(h2, &question), framed(h2, &answer));
    let path = "/v1/engines/m/completions";
    let (head, head_back) = if h2 {
        let fields = [(":method", "POST"), (":scheme", "https"), (":authority", HOST), (":path", path)];
        let head = [http2::PREFACE, &http2::settings(&[]), &http2::headers(1, false, &fields)].concat();
        (head, [http2::settings(&[]), http2::headers(1, false, &[(":status", "200")])].concat())
    } else {
        let length = format!("Content-Length: {SIZE}\r\n\r\n");
        let head = format!("POST {path} HTTP/1.1\r\nHost: {HOST}\r\n{length}");
        (head.into_bytes(), format!("HTTP/1.1 200 OK\r\n{length}").into_bytes())
    };
    let upstream = Upstream::start(Options::default(), {
        let (expects, back, n) = (head.len(), [head_back.clone(), sent_back.clone()], sent.len());
        move |mut connection: Connection| {
            let [head, body] = back.clone();
            async move {
                connection.received(expects).await;
                connection.send(head).await;
                connection.both_ways(&body, n).await;
                connection.read_to_end().await;
                connection.half_close().await;
            }
        }
    })
    .await;
    let recorder = Setup::new(&upstream).start().await;
    let mut session = recorder.client(&[if h2 { "h2" } else { "http/1.1" }]).open(HOST).await;
    session.send(&head).await;
    assert_same_bytes("the answer's head", &session.read_exact(head_back.len()).await, &head_back);
    let received = session.both_ways(&sent, sent_back.len()).await;
    assert_same_bytes("the answer", &received, &sent_back);
    assert_eq!(session.close().await, (Vec::new(), Ending::Clean));
    assert_same_bytes("the request", &upstream.ended(0).await.received, &[head, sent].concat());
    let record = &recorder.records(1).await[0];
    assert!(record.complete());
    assert_same_bytes("the recorded request", &record.body("request"), &question);
    assert_same_bytes("the recorded answer", &record.body("response"), &answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_send_at_once_over_http1() {
    both_sides_at_once(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_send_at_once_over_http2() {
    both_sides_at_once(true).await;
}
