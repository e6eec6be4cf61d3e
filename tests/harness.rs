//! The test support against itself: generated traffic through a tunnel that does nothing.
//!
//! What fails here is a fault of the tests, not of the program.

mod support;

use std::collections::HashSet;
use std::sync::Arc;

use support::client::Client;
use support::coded::on_the_wire;
use support::script::{Script, assert_same_bytes};
use support::upstream::{Options, Upstream};
use support::{Ending, blind, http1, http2};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn through_a_blind_tunnel(script: Script, alpn: &'static str) {
    let script = Arc::new(script);
    let upstream = Upstream::start(Options::alpn(&[alpn]), {
        let script = script.clone();
        move |connection| {
            let script = script.clone();
            async move { script.play_server(connection).await }
        }
    })
    .await;
    let client = Client::new(blind::start(upstream.address).await, upstream.ca.roots(), &[alpn]);
    let session = client.open(&script.host).await;
    assert_eq!(session.alpn().as_deref(), Some(alpn));
    let (received, ending) = script.play_client(session).await;
    assert_same_bytes("answers", &received, &script.server_bytes());
    assert_eq!(ending, Ending::Clean);
    if !script.server_closes {
        let seen = upstream.ended(0).await;
        assert_same_bytes("requests", &seen.received, &script.client_bytes());
        assert_eq!(seen.ending, Some(Ending::Clean));
        assert_eq!(seen.sni.as_deref(), Some(script.host.as_str()));
    }
}

#[tokio::test]
async fn generated_http1_plays() {
    for seed in 0..30 {
        through_a_blind_tunnel(http1::script(seed), "http/1.1").await;
    }
}

#[tokio::test]
async fn generated_http2_plays() {
    for seed in 0..10 {
        through_a_blind_tunnel(http2::script(seed), "h2").await;
    }
}

/// The frames are legal: an independent implementation takes them and finds the same messages.
#[tokio::test]
async fn generated_http2_is_understood_by_another_implementation() {
    let (mut understood, mut codings) = (0, HashSet::new());
    for script in (0..60).map(http2::script) {
        // That implementation's table has 4096 bytes; a client that was told of more may use more.
        let settings = &script.turns[0].server[9..15];
        if u32::from_be_bytes([settings[2], settings[3], settings[4], settings[5]]) > 4096 {
            continue;
        }
        let (mut client, server) = tokio::io::duplex(1 << 20);
        let bytes = script.client_bytes();
        let writing = tokio::spawn(async move {
            client.write_all(&bytes).await.expect("the server reads all");
            client.read_to_end(&mut Vec::new()).await.ok();
        });
        let mut builder = h2::server::Builder::new();
        builder.initial_window_size(1 << 30).initial_connection_window_size(1 << 30);
        let mut connection = builder.handshake::<_, &[u8]>(server).await.expect("a legal start");
        let mut found = tokio::task::JoinSet::new();
        for _ in &script.expected {
            let request = connection.accept().await.expect("as many requests as were sent");
            let (request, respond) = request.expect("a legal request");
            found.spawn(async move {
                let (head, mut body) = request.into_parts();
                let mut bytes = Vec::new();
                while let Some(data) = body.data().await {
                    let data = data.expect("legal data");
                    body.flow_control().release_capacity(data.len()).expect("what came");
                    bytes.extend_from_slice(&data);
                }
                let trailers = body.trailers().await.expect("legal trailers").unwrap_or_default();
                drop(respond);
                (head, bytes, trailers)
            });
        }
        let mut found = tokio::select! {
            found = found.join_all() => found,
            // The connection moves only while it is asked for more.
            more = connection.accept() => panic!("neither another request nor an error was sent: {more:?}"),
        };
        for expected in &script.expected {
            let at = found.iter().position(|(head, ..)| head.headers["x-case"] == expected.case.as_str());
            let (head, body, trailers) = found.swap_remove(at.expect("every request came"));
            assert_eq!(head.method.as_str(), expected.method);
            assert_eq!(head.uri.to_string(), expected.url);
            assert_eq!(head.headers.len(), expected.request.fields.len());
            assert_eq!(trailers.len(), expected.request.trailers.len());
            for (name, value) in &expected.request.fields {
                let values = head.headers.get_all(name.as_str());
                let found = values.iter().any(|found| found.as_bytes() == on_the_wire(value));
                assert!(found, "{name}: {value:?} of {} among {values:?}", expected.case);
            }
            match head.headers.get("content-encoding") {
                Some(coding) => _ = codings.insert(coding.clone()),
                None => assert_same_bytes(&expected.case, &body, &expected.request.body),
            }
            understood += 1;
        }
        writing.abort();
    }
    assert!(understood > 100, "only {understood} requests");
    assert_eq!(codings.len(), 4, "every coding is among them: {codings:?}");
}

#[tokio::test]
async fn generated_http1_has_every_oddity() {
    let all: Vec<Script> = (0..200).map(http1::script).collect();
    let text: String = all.iter().map(|script| String::from_utf8_lossy(&script.client_bytes()).into_owned()).collect();
    for oddity in [";q=\"a\\\"; b\"", "\r\n\r\n\r\nPOST ", "M-SEARCH /", ":\t", "100-continue"] {
        assert!(text.contains(oddity), "no {oddity:?} in 200 connections");
    }
    let latin = |script: &Script| script.client_bytes().windows(6).any(|bytes| bytes == b", caf\xe9");
    assert!(all.iter().any(latin), "no obs-text");
    assert!(all.iter().any(|script| script.server_closes));
    assert!(all.iter().any(|script| script.turns.iter().any(|turn| turn.server.is_empty())), "no early answer");
}
