//! The door book: what happened to each user and address, also where no record tells of it.

#![allow(clippy::unwrap_used)]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use copilot_recorder::door::{Contents, Entry, What};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use support::HOST;
use support::ca::provider;
use support::client::{Client, basic, connect_head, request};
use support::recorder::{Recorder, Setup};
use support::upstream::{Connection, Options, Upstream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Copilot's hosts at ports where nobody listens, or that answers nothing but TLS.
const CLOSED: &str = "api.individual.githubcopilot.com";

async fn start(with: impl FnOnce(Setup) -> Setup) -> (Upstream, Recorder) {
    let upstream = Upstream::start(Options::alpn(&["http/1.1"]), |connection: Connection| connection.close()).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let setup = Setup::without_upstream()
        .with(&["--upstream-ca", "upstream-ca.pem"])
        .with(&["--connect-to", &format!("{CLOSED}:443:127.0.0.1:{port}")])
        .with(&["--connect-to", &format!(":443:127.0.0.1:{}", upstream.address.port())]);
    std::fs::write(setup.path("upstream-ca.pem"), upstream.ca.pem()).unwrap();
    (upstream, with(setup).start().await)
}

/// The book after the program's end.
async fn book(recorder: Recorder) -> (Contents, Setup) {
    let (code, _, setup) = recorder.terminate().await;
    assert_eq!(code, Some(0));
    (Contents::load(&setup.logs).unwrap().unwrap(), setup)
}

/// `(user, kind, host, detail, count)`, sorted.
fn all(contents: &Contents) -> Vec<(String, What, String, String, u64)> {
    let mut all = Vec::new();
    for pair in &contents.pairs {
        assert!(pair.client.is_loopback());
        let user = pair.user.as_deref().unwrap_or("-");
        for Entry { what, host, detail, count, first, last } in &pair.entries {
            assert!(contents.begun <= *first && first <= last && *last <= contents.as_of);
            all.push((user.to_owned(), *what, host.to_string(), detail.to_string(), *count));
        }
    }
    all.sort();
    all
}

fn entry(user: &str, what: What, host: &str, detail: &str, count: u64) -> (String, What, String, String, u64) {
    (user.to_owned(), what, host.to_owned(), detail.to_owned(), count)
}

#[tokio::test]
async fn a_tunnel_that_waits_when_the_program_ends_was_not_left() {
    let (_upstream, recorder) = start(|setup| setup).await;
    let client = recorder.client(&["http/1.1"]);
    let waiting = client.open(HOST).await;
    recorder.metric_reaches("tunnels_intercepted", 1.0).await;
    let (contents, _) = book(recorder).await;
    assert_eq!(all(&contents), [entry("-", What::Opened, HOST, "", 1)]);
    drop(waiting);
}

/// A ClientHello, an answer, and no more.
async fn leave_in_the_handshake(client: &Client) {
    let mut tcp = client.tunnel(HOST).await.expect("200 to CONNECT");
    let roots = Arc::new(rustls::RootCertStore::empty());
    let config = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(HOST).unwrap();
    let mut tls = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut hello = Vec::new();
    tls.write_tls(&mut hello).unwrap();
    tcp.write_all(&hello).await.unwrap();
    support::within("a ServerHello", tcp.read_u8()).await.unwrap();
}

#[tokio::test]
async fn what_became_of_each_tunnel() {
    let (upstream, recorder) = start(|setup| setup).await;
    let client = recorder.client(&["http/1.1"]);
    for _ in 0..2 {
        let mut session = client.open(HOST).await;
        session.send(b"GET /no/such HTTP/1.1\r\nhost: x\r\n\r\n").await;
        session.close().await;
    }
    client.open(HOST).await.close().await;
    let suspicious = Client::new(recorder.address, upstream.ca.roots(), &["http/1.1"]);
    let tcp = suspicious.tunnel(HOST).await.expect("200 to CONNECT");
    suspicious.handshake(tcp, HOST).await.expect_err("a CA that it does not know");
    leave_in_the_handshake(&client).await;
    drop(client.tunnel("example.com").await.expect("200 to CONNECT"));
    client.tunnel(CLOSED).await.expect_err("nobody listens there");
    let refused = request(recorder.address, &connect_head("example.com:22", None)).await;
    assert_eq!(refused.status, 403);
    recorder.metric_reaches("tunnels_opaque", 1.0).await;
    recorder.line("the alert", |line| line.contains("refused our certificate")).await;

    let (contents, setup) = book(recorder).await;
    let found = all(&contents);
    let why = |what| found.iter().find(|entry| entry.1 == what).map(|entry| entry.3.clone()).unwrap_or_default();
    let port = "port 22 may not be dialled; the operator can allow it with --allow-port";
    assert!(why(What::Unreachable).contains("cannot be reached: "), "{found:?}");
    let expected = [
        entry("-", What::Opened, HOST, "", 3),
        entry("-", What::Unused, HOST, "", 1),
        entry("-", What::Opaque, "example.com", "", 1),
        entry("-", What::Refused, "example.com", port, 1),
        entry("-", What::Unreachable, CLOSED, &why(What::Unreachable), 1),
        entry("-", What::Untrusted, HOST, "UnknownCA", 1),
        entry("-", What::BrokenOff, HOST, "", 1),
    ];
    assert_eq!(found, expected);
    let errors: Vec<_> = contents.errors.iter().map(|error| (&*error.host, &*error.why)).collect();
    assert_eq!(errors, [(CLOSED, why(What::Unreachable).as_str())]);

    let path = setup.logs.join(".door.json");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    no_reader_of_records_takes_it_for_one(&setup, &path).await;
}

async fn no_reader_of_records_takes_it_for_one(setup: &Setup, book: &Path) {
    let verified = setup.run(&["verify", "--logs", "logs", "--json"], "").await;
    assert_eq!(verified.code, Some(0), "{}", verified.stderr);
    assert!(!verified.stdout.contains("door") && !verified.stderr.contains("door"), "{verified:?}");
    let mut files = Vec::new();
    copilot_recorder::archive::walk(&setup.logs, &mut |found| files.push(format!("{found:?}"))).unwrap();
    assert!(book.exists() && !files.is_empty());
    assert!(!files.iter().any(|file| file.contains("door")), "{files:?}");
}

#[tokio::test]
async fn who_was_not_let_in_and_no_password_ever() {
    let upstream = Upstream::start(Options::default(), |connection: Connection| connection.close()).await;
    let setup = Setup::new(&upstream).user("alice", "wonderland-42").await;
    let recorder = setup.start().await;
    let connect = |authorization: Option<String>| {
        let head = connect_head(&format!("{HOST}:443"), authorization.as_deref());
        async move { request(recorder.address, &head).await.status }
    };
    assert_eq!(connect(None).await, 407);
    assert_eq!(connect(Some("Basic !".into())).await, 407);
    assert_eq!(connect(Some(basic("alice", "looking-glass"))).await, 407);
    assert_eq!(connect(Some(basic("wonderland-42", "alice"))).await, 407);
    let mut session = recorder.client(&[]).authorized("alice", "wonderland-42").open(HOST).await;
    session.send(b"x").await;
    session.close().await;
    // The page that tells how to log in is no failed login.
    support::client::page(recorder.address, "/").await;

    let (contents, setup) = book(recorder).await;
    let expected = [
        entry("-", What::Asked, "", "", 2),
        entry("-", What::LoginFailed, "", "", 1),
        entry("-", What::LoginFailed, "", "alice", 1),
        entry("alice", What::Opened, HOST, "", 1),
    ];
    assert_eq!(all(&contents), expected);
    let text = std::fs::read_to_string(setup.logs.join(".door.json")).unwrap();
    assert!(!text.contains("wonderland") && !text.contains("looking"), "{text}");
}

#[tokio::test]
async fn it_goes_on_where_it_ended_and_begins_anew_when_it_is_damaged() {
    let (_upstream, recorder) = start(|setup| setup).await;
    request(recorder.address, &connect_head("example.com:22", None)).await;
    let (first, setup) = book(recorder).await;
    let recorder = setup.start().await;
    request(recorder.address, &connect_head("example.com:22", None)).await;
    let (second, setup) = book(recorder).await;
    assert_eq!((second.begun, all(&second)[0].4), (first.begun, 2));
    std::fs::write(setup.logs.join(".door.json"), "{\"form\":1,").unwrap();
    let recorder = setup.start().await;
    recorder.line("a warning", |line| line.contains(".door.json is damaged; it was put aside")).await;
    let (third, setup) = book(recorder).await;
    assert!(third.pairs.is_empty() && third.begun > second.as_of);
    assert!(setup.logs.join(".door.json.damaged").exists());
}
