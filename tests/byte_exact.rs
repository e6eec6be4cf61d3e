//! Shows 1: what goes in comes out, byte for byte, in both directions; and the records say what was sent.

mod support;

use std::collections::HashMap;
use std::sync::Arc;

use support::recorder::Setup;
use support::records::Record;
use support::script::{Script, assert_same_bytes};
use support::upstream::{Options, Upstream};
use support::{Ending, http1, http2};
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
