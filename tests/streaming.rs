//! Shows 2: nothing is held back. The upstream sends chunk n + 1 only when the client has chunk n: any buffer on the
//! way would end in a deadlock, which the time limit of the support names.

mod support;

use std::sync::Arc;

use support::HOST;
use support::http2::{self, ACK, DATA, END_STREAM, PREFACE, SETTINGS, frame};
use support::recorder::{Recorder, Setup};
use support::upstream::{Connection, Options, Upstream};
use tokio::sync::Semaphore;

const CHUNKS: usize = 100;

fn event(n: usize) -> String {
    format!("data: {{\"choices\":[{{\"text\":\"{n} \"}}]}}\n\n")
}

/// Starts an upstream that is given a permit for each chunk that it may send, and the program before it.
async fn start(
    alpn: &'static str,
    head: fn() -> Vec<u8>,
    chunk: fn(usize) -> Vec<u8>,
) -> (Upstream, Recorder, Arc<Semaphore>) {
    let received = Arc::new(Semaphore::new(1));
    let upstream = Upstream::start(Options::alpn(&[alpn]), {
        let received = received.clone();
        move |mut connection: Connection| {
            let received = received.clone();
            async move {
                connection.read().await;
                connection.send(head()).await;
                for n in 0..=CHUNKS {
                    received.acquire().await.expect("never closed").forget();
                    connection.send(chunk(n)).await;
                }
                connection.read_to_end().await;
                connection.half_close().await;
            }
        }
    })
    .await;
    let recorder = Setup::new(&upstream).start().await;
    (upstream, recorder, received)
}

async fn assert_recorded(recorder: &Recorder, version: &str) {
    let records = recorder.records(1).await;
    let wanted: String = (0..CHUNKS).map(event).collect();
    assert_eq!(String::from_utf8(records[0].body("response")).expect("text"), wanted);
    assert_eq!(records[0].json["recorder"]["http_version"], version);
    assert!(records[0].complete());
    assert_eq!(records[0].folder(), "completions");
}

#[tokio::test]
async fn http1_chunks_arrive_one_by_one() {
    let head = || b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let chunk = |n| {
        let text = if n < CHUNKS { event(n) } else { String::new() };
        format!("{:x}\r\n{text}\r\n", text.len()).into_bytes()
    };
    let (_upstream, recorder, received) = start("http/1.1", head, chunk).await;
    let mut session = recorder.client(&["http/1.1"]).open(HOST).await;
    session
        .send(format!(
            "POST /v1/engines/gpt-41-copilot/completions HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 2\r\n\r\n{{}}"
        ))
        .await;
    session.read_until(b"\r\n\r\n").await;
    for n in 0..=CHUNKS {
        let wanted = chunk(n);
        assert_eq!(session.read_exact(wanted.len()).await, wanted);
        received.add_permits(1);
    }
    session.close().await;
    assert_recorded(&recorder, "HTTP/1.1").await;
}

#[tokio::test]
async fn http2_frames_arrive_one_by_one() {
    let head = || {
        let mut bytes = http2::settings(&[]);
        bytes.extend(frame(SETTINGS, ACK, 0, &[]));
        bytes.extend(http2::headers(1, false, &[(":status", "200"), ("content-type", "text/event-stream")]));
        bytes
    };
    let chunk = |n| match n {
        CHUNKS => frame(DATA, END_STREAM, 1, &[]),
        n => frame(DATA, 0, 1, event(n).as_bytes()),
    };
    let (_upstream, recorder, received) = start("h2", head, chunk).await;
    let mut session = recorder.client(&["h2"]).open(HOST).await;
    let mut request = PREFACE.to_vec();
    request.extend(http2::settings(&[]));
    let path = "/v1/engines/gpt-41-copilot/completions";
    let fields = [(":method", "POST"), (":authority", HOST), (":scheme", "https"), (":path", path)];
    request.extend(http2::headers(1, false, &fields));
    request.extend(frame(DATA, END_STREAM, 1, b"{}"));
    session.send(request).await;
    session.read_exact(head().len()).await;
    for n in 0..=CHUNKS {
        let wanted = chunk(n);
        assert_eq!(session.read_exact(wanted.len()).await, wanted);
        received.add_permits(1);
    }
    session.close().await;
    assert_recorded(&recorder, "HTTP/2").await;
}
