//! Design D11: the box is not an open door.

mod support;

use support::HOST;
use support::client::{Answer, connect_head, request};
use support::recorder::{Recorder, Setup};
use support::upstream::{Connection, Options, Upstream};

async fn connect(recorder: &Recorder, authority: &str) -> Answer {
    request(recorder.address, &connect_head(authority, None)).await
}

fn assert_refused(answer: &Answer, status: u16, reason: &str) {
    assert_eq!(answer.status, status, "{}", answer.head);
    let text = answer.text();
    assert_eq!(text.trim_end().lines().count(), 1, "{text:?}");
    assert!(text.contains(reason), "{text:?} does not name {reason:?}");
}

#[tokio::test]
async fn ports_that_are_not_allowed() {
    let recorder = Setup::without_upstream().start().await;
    for port in [22, 25, 80, 8443] {
        assert_refused(&connect(&recorder, &format!("{HOST}:{port}")).await, 403, &port.to_string());
    }
    assert!(recorder.metric("tunnels_refused").await >= 4.0);
}

#[tokio::test]
async fn local_addresses_are_refused_by_whatever_name() {
    let recorder = Setup::without_upstream().start().await;
    let targets = [
        "127.0.0.1",
        "127.9.9.9",
        "localhost",
        "169.254.169.254",
        "[::1]",
        "[fe80::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
    ];
    for target in targets {
        assert_refused(&connect(&recorder, &format!("{target}:443")).await, 403, "local");
    }
}

#[tokio::test]
async fn a_target_that_the_operator_named_is_allowed() {
    let upstream = Upstream::start(Options::default(), |connection: Connection| connection.close()).await;
    let recorder = Setup::new(&upstream).start().await;
    recorder.client(&["http/1.1"]).open(HOST).await.close().await;
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn local_addresses_when_the_configuration_allows_them() {
    let upstream = Upstream::start(Options::default(), |connection: Connection| connection.close()).await;
    let port = upstream.address.port();
    let setup = Setup::without_upstream().config(&format!("allow_port = [{port}]\nallow_local = true\n"));
    let recorder = setup.start().await;
    assert_eq!(connect(&recorder, &format!("127.0.0.1:{port}")).await.status, 200);
    assert_refused(&connect(&recorder, "127.0.0.1:1").await, 403, "port");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_proxy_only_on_request() {
    let output = Setup::without_upstream().with(&["--listen", "0.0.0.0:0"]).refused().await;
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    assert!(output.stderr.contains("users add") && output.stderr.contains("--no-auth"), "{}", output.stderr);
}

#[tokio::test]
async fn more_tunnels_than_allowed() {
    let upstream = Upstream::start(Options::default(), |connection: Connection| connection.close()).await;
    let recorder = Setup::new(&upstream).with(&["--max-connections", "2"]).start().await;
    let client = recorder.client(&[]);
    let one = client.tunnel(HOST).await.expect("a tunnel");
    let two = client.tunnel(HOST).await.expect("a tunnel");
    recorder.metric_reaches("tunnels_open", 2.0).await;
    assert_refused(&client.tunnel(HOST).await.expect_err("full"), 503, "tunnels");
    drop((one, two));
    support::within("room for another", async {
        while client.tunnel(HOST).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
}

/// Wrong usage and wrong configuration: exit 2, and the sentence names what is wrong and where.
#[tokio::test(flavor = "multi_thread")]
async fn configuration_that_is_wrong() {
    for (toml, named) in [
        ("listen = 8080\n", "listen"),
        ("no_such_key = 1\n", "no_such_key"),
        ("[limits]\nhello = \"soon\"\n", "hello"),
        ("listen = \"127.0.0.1:8080\n", "config.toml"),
    ] {
        let output = Setup::without_upstream().config(toml).refused().await;
        assert_eq!(output.code, Some(2), "{toml:?}: {}", output.stderr);
        assert!(output.stderr.contains(named), "{toml:?}: {}", output.stderr);
        assert!(output.stderr.contains("config.toml"), "{toml:?}: {}", output.stderr);
    }
    let setup = Setup::without_upstream();
    std::fs::write(setup.path("users.toml"), "[[[ not TOML").expect("a writable directory");
    let output = setup.refused().await;
    assert!(matches!(output.code, Some(2 | 3)), "{:?} {}", output.code, output.stderr);
    assert!(output.stderr.contains("users.toml"), "{}", output.stderr);
}

/// A CA without its other half: a clear error, and nothing is overwritten.
#[tokio::test(flavor = "multi_thread")]
async fn half_a_ca() {
    for missing in ["ca.pem", "ca-key.pem"] {
        let (_, _, setup) = Setup::without_upstream().start().await.terminate().await;
        std::fs::remove_file(setup.path("certs").join(missing)).expect("it was made at the start");
        let output = setup.refused().await;
        assert_eq!(output.code, Some(3), "{}", output.stderr);
        assert!(output.stderr.contains(missing), "{}", output.stderr);
        assert!(!setup.path("certs").join(missing).exists(), "made anew behind the operator's back");
    }
}
