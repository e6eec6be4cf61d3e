//! Shows 7: 2,000 slow streams at once through a release build; none fails.
//!
//! `tests/all` builds it and names it in `COPILOT_RECORDER_BIN`.

mod support;

use std::sync::Arc;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use support::recorder::{Recorder, Setup};
use support::upstream::{Connection, Options, Upstream};
use support::{HOST, http2};
use tokio::sync::{Semaphore, watch};

const STREAMS: usize = 2000;
/// Pieces of each answer; a piece is sent when every stream has the one before.
const ROUNDS: usize = 10;

fn piece(h2: bool, round: usize) -> Vec<u8> {
    let text = if round < ROUNDS { format!("data: {round}\n\n") } else { String::new() };
    match h2 {
        true => http2::frame(http2::DATA, u8::from(round == ROUNDS), 1, text.as_bytes()),
        false => format!("{:x}\r\n{text}\r\n", text.len()).into_bytes(),
    }
}

fn head(h2: bool) -> Vec<u8> {
    match h2 {
        true => [http2::settings(&[]), http2::headers(1, false, &[(":status", "200")])].concat(),
        false => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(),
    }
}

fn request(h2: bool) -> Vec<u8> {
    let path = "/chat/completions";
    if h2 {
        let fields = [(":method", "GET"), (":scheme", "https"), (":authority", HOST), (":path", path)];
        [http2::PREFACE, &http2::settings(&[]), &http2::headers(1, true, &fields)].concat()
    } else {
        format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n").into_bytes()
    }
}

/// Both ends of every stream live in this process.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).expect("its own limit");
    let enough = limit.maximum.is_none_or(|maximum| maximum > 2 * STREAMS as u64 + 200);
    assert!(enough, "this test needs more open files than the hard limit of {:?} allows", limit.maximum);
}

/// One line of `/proc/PID/status`.
fn memory(recorder: &Recorder, what: &str) -> String {
    let status = std::fs::read_to_string(format!("/proc/{}/status", recorder.pid())).unwrap_or_default();
    status.lines().find(|line| line.starts_with(what)).map_or_else(|| "unknown".into(), str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a release build, named in COPILOT_RECORDER_BIN; tests/all runs it"]
async fn two_thousand_slow_streams() {
    raise_file_limit();
    let (next, round) = watch::channel(0);
    let upstream = Upstream::start(Options::default(), move |mut connection: Connection| {
        let mut round = round.clone();
        async move {
            let h2 = connection.alpn().as_deref() == Some("h2");
            connection.received(request(h2).len()).await;
            connection.send(head(h2)).await;
            for n in 0..=ROUNDS {
                round.wait_for(|&round| round >= n).await.expect("the test is not over");
                connection.send(piece(h2, n)).await;
            }
            connection.read_to_end().await;
            connection.half_close().await;
        }
    })
    .await;
    let recorder = Setup::new(&upstream).with(&["--quiet"]).start().await;
    println!("idle:  {}", memory(&recorder, "VmRSS"));

    let opening = Arc::new(Semaphore::new(64));
    let arrived = Arc::new(Semaphore::new(0));
    let clients = [recorder.client(&["http/1.1"]), recorder.client(&["h2"])];
    let mut streams = tokio::task::JoinSet::new();
    for n in 0..STREAMS {
        let h2 = n % 2 == 1;
        let (client, opening, arrived) = (clients[n % 2].clone(), opening.clone(), arrived.clone());
        streams.spawn(async move {
            let turn = opening.acquire().await.expect("never closed");
            let mut session = client.open(HOST).await;
            session.send(request(h2)).await;
            assert_eq!(session.read_exact(head(h2).len()).await, head(h2));
            drop(turn);
            for round in 0..=ROUNDS {
                let wanted = piece(h2, round);
                assert_eq!(session.read_exact(wanted.len()).await, wanted);
                arrived.add_permits(1);
            }
            session.close().await;
        });
    }
    for n in 0..=ROUNDS {
        let all = arrived.acquire_many(STREAMS as u32);
        tokio::time::timeout(std::time::Duration::from_secs(240), all).await.expect("a round").expect("open").forget();
        if n == 0 {
            println!("open:  {} with {STREAMS} streams", memory(&recorder, "VmRSS"));
        }
        next.send_replace(n + 1);
    }
    while let Some(stream) = streams.join_next().await {
        stream.expect("no stream fails");
    }
    println!("after: {}, at most {}", memory(&recorder, "VmRSS"), memory(&recorder, "VmHWM"));
    let records = recorder.records(STREAMS).await;
    assert_eq!(records.len(), STREAMS);
    assert!(records.iter().all(support::records::Record::complete));
    let (code, _, _) = recorder.terminate().await;
    assert_eq!(code, Some(0));
}
