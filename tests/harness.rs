//! The test support against itself: generated traffic through a tunnel that does nothing.
//!
//! What fails here is a fault of the tests, not of the program.

mod support;

use std::sync::Arc;

use support::client::Client;
use support::script::{Script, assert_same_bytes};
use support::upstream::{Options, Upstream};
use support::{Ending, blind, http1, http2};

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

#[tokio::test]
async fn generated_http1_has_every_oddity() {
    let all: Vec<Script> = (0..200).map(http1::script).collect();
    let text: String = all.iter().map(|script| String::from_utf8_lossy(&script.client_bytes()).into_owned()).collect();
    for oddity in [";q=\"a\\\"; b\"", "\r\n\r\n\r\nPOST ", "M-SEARCH /", ":\t", "100-continue"] {
        assert!(text.contains(oddity), "no {oddity:?} in 200 connections");
    }
    assert!(all.iter().any(|script| script.server_closes));
    assert!(all.iter().any(|script| script.turns.iter().any(|turn| turn.server.is_empty())), "no early answer");
}
