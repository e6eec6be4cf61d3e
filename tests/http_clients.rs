//! Shows 3: real clients and their ways: curl with both versions, credentials of all kinds, impatient stacks.

mod support;

use std::time::Duration;

use support::client::{Client, ask, basic, connect_head, dial, page};
use support::command::{self, Output};
use support::recorder::{Recorder, Setup};
use support::upstream::{Connection, Options, Upstream};
use support::{HOST, eventually, http2};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";

/// Answers each request with `hello`, in the version that was agreed upon. One request per connection is enough.
async fn hello(mut connection: Connection) {
    if connection.alpn().as_deref() == Some("h2") {
        // The answer comes when the body of stream 1 has ended: a DATA frame with END_STREAM.
        connection.send([http2::settings(&[]), http2::frame(http2::SETTINGS, http2::ACK, 0, &[])].concat()).await;
        connection.received_pattern(b"\x00\x01\x00\x00\x00\x01", 1).await;
        let mut answer = http2::headers(1, false, &[(":status", "200"), ("content-type", "text/plain")]);
        answer.extend(http2::frame(http2::DATA, http2::END_STREAM, 1, b"hello"));
        connection.send(answer).await;
    } else {
        let mut requests = 0;
        while connection.received_pattern(b"\r\n\r\n", requests + 1).await {
            requests += 1;
            connection.send(OK).await;
        }
    }
    connection.read_to_end().await;
    connection.half_close().await;
}

async fn curl(recorder: &Recorder, proxy: &str, arguments: &[&str]) -> Output {
    let mut all = vec!["--silent", "--show-error", "--noproxy", "", "--proxy", proxy, "--max-time", "30"];
    all.extend(arguments);
    command::run("curl", &all, recorder.setup.directory.path(), "").await
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_with_both_versions() {
    let upstream = Upstream::start(Options::default(), hello).await;
    let recorder = Setup::new(&upstream).user("ada", "correct horse").await.start().await;
    let proxy = format!("http://ada:correct%20horse@{}", recorder.address);
    let url = format!("https://{HOST}/v1/engines/m/completions");
    for (version, said) in [("--http1.1", "1.1"), ("--http2", "2")] {
        let format = "%{http_version} %{http_connect} %{ssl_verify_result}";
        let arguments = [version, "--cacert", "certs/ca.pem", "--data", "{}", "--write-out", format, &url];
        let output = curl(&recorder, &proxy, &arguments).await;
        assert_eq!(output.code, Some(0), "{version}: {}", output.stderr);
        assert_eq!(output.stdout, format!("hello{said} 200 0"));
    }
    let records = recorder.records(2).await;
    for (record, version) in records.iter().zip(["HTTP/1.1", "HTTP/2"]) {
        assert_eq!(record.json["proxy-authorization"], "ada");
        assert_eq!(record.json["recorder"]["http_version"], version);
        assert_eq!(record.json["request"]["url"], url.as_str());
        assert_eq!(record.body("request"), b"{}");
        assert_eq!(record.body("response"), b"hello");
        assert!(record.complete());
        assert_eq!(record.folder(), "completions");
    }
    let text = std::fs::read_to_string(&records[0].path).expect("a record is text");
    assert!(!text.contains("correct horse") && !recorder.stderr().join("\n").contains("correct horse"));
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_without_and_with_wrong_credentials() {
    let upstream = Upstream::start(Options::default(), hello).await;
    let recorder = Setup::new(&upstream).user("ada", "right").await.start().await;
    let url = format!("https://{HOST}/");
    for who in ["", "ada:wrong@", "nobody:right@"] {
        let proxy = format!("http://{who}{}", recorder.address);
        let output =
            curl(&recorder, &proxy, &["--cacert", "certs/ca.pem", "--write-out", "%{http_connect}", &url]).await;
        assert_eq!(output.code, Some(56), "{who}: {}", output.stderr);
        assert_eq!(output.stdout, "407", "{who}");
    }
    assert!(upstream.seen().is_empty(), "nobody came through");
    assert!(upstream.failures().is_empty(), "nothing was dialled");
    assert!(recorder.metric("logins_failed").await >= 2.0);
}

#[tokio::test]
async fn challenge_is_exact_and_the_connection_serves_a_second_try() {
    let upstream = Upstream::start(Options::default(), hello).await;
    let recorder = Setup::new(&upstream).user("ada", "right").await.start().await;
    let authority = format!("{HOST}:443");
    let anonymous = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n");
    let right = basic("ada", "right");
    let authorized =
        format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\nProxy-Authorization: {right}\r\n\r\n");

    let mut tcp = dial(recorder.address).await;
    let answer = ask(&mut tcp, &anonymous).await.expect("an answer");
    assert_eq!(answer.status, 407);
    assert_eq!(answer.header("proxy-authenticate"), Some("Basic realm=\"copilot-recorder\""));
    assert_eq!(answer.header("content-length"), Some("0"));
    // The same connection again, as curl and browsers do.
    let answer = ask(&mut tcp, &authorized).await.expect("the connection was kept");
    assert_eq!(answer.status, 200, "{}", answer.head);
    let client = recorder.client(&["http/1.1"]);
    let mut session = client.handshake(tcp, HOST).await.expect("a handshake");
    session.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await;
    session.read_until(b"hello").await;
    session.close().await;

    // A new connection, as the language server does, with the `Connection: close` that means nothing.
    let mut session = client.authorized("ada", "right").open(HOST).await;
    for _ in 0..3 {
        session.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await;
        session.read_until(b"hello").await;
    }
    session.close().await;
    assert_eq!(recorder.records(4).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_of_every_kind() {
    let upstream = Upstream::start(Options::default(), hello).await;
    let users =
        [("a@b.example", "p:a/s%s@w:"), ("jos\u{e9} \u{96ea}", "\u{fc}ber%20geheim"), ("per%cent", ":"), ("x/y", "p")];
    let mut setup = Setup::new(&upstream);
    for (user, password) in users {
        setup = setup.user(user, password).await;
    }
    let recorder = setup.start().await;
    let url = format!("https://{HOST}/");
    for (n, (user, password)) in users.into_iter().enumerate() {
        let client = recorder.client(&["http/1.1"]).authorized(user, password);
        let mut session = client.open(HOST).await;
        session.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await;
        session.read_until(b"hello").await;
        session.close().await;
        let wrong = recorder.client(&["http/1.1"]).authorized(user, &format!("{password}x"));
        assert_eq!(wrong.tunnel(HOST).await.expect_err("a refusal").status, 407, "{user}");
        // The same through curl, which reads them percent-encoded from the proxy's address.
        let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let proxy = format!("http://{}:{}@{}", encode(user), encode(password), recorder.address);
        let output = curl(&recorder, &proxy, &["--http1.1", "--cacert", "certs/ca.pem", &url]).await;
        assert_eq!((output.code, output.stdout.as_str()), (Some(0), "hello"), "{user}: {}", output.stderr);
        let records = recorder.records(2 * n + 2).await;
        let of_user = records.iter().filter(|record| record.json["proxy-authorization"] == user).count();
        assert_eq!(of_user, 2, "records of {user}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_not_opened_shows_its_own_certificate() {
    let upstream = Upstream::start(Options::default(), hello).await;
    let recorder = Setup::new(&upstream).start().await;
    let proxy = format!("http://{}", recorder.address);
    for host in ["github.com", "example.org", "xgithubcopilot.com"] {
        let url = format!("https://{host}/");
        let trusted = curl(&recorder, &proxy, &["--http1.1", "--cacert", "upstream-ca.pem", &url]).await;
        assert_eq!((trusted.code, trusted.stdout.as_str()), (Some(0), "hello"), "{host}: {}", trusted.stderr);
        let ours = curl(&recorder, &proxy, &["--http1.1", "--cacert", "certs/ca.pem", &url]).await;
        assert_eq!(ours.code, Some(60), "{host}: {}", ours.stderr);
    }
    assert!(recorder.metric("tunnels_opaque").await >= 6.0);
    let (_, _, setup) = recorder.terminate().await;
    assert!(support::records::Record::files(&setup.logs).is_empty());
}

#[tokio::test]
async fn a_hello_in_many_packets() {
    let upstream = Upstream::start(Options::default(), hello).await;
    let recorder = Setup::new(&upstream).start().await;
    let client = recorder.client(&["h2", "http/1.1"]);
    let mut tunnel = client.tunnel(HOST).await.expect("200 to CONNECT");
    // The client's bytes pass a pipe that lets one through at a time.
    let (inner, outer) = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.map(pair).expect("a free port").await;
    tokio::spawn(async move {
        let mut outer = outer;
        let (mut from_client, mut to_client) = outer.split();
        let (mut from_proxy, mut to_proxy) = tunnel.split();
        let up = async {
            let mut passed = 0;
            while let Ok(byte) = from_client.read_u8().await {
                if to_proxy.write_all(&[byte]).await.is_err() {
                    break;
                }
                passed += 1;
                // Single bytes in single packets cost: the ClientHello is the point, the rest may go as it likes.
                if passed > 3000 {
                    tokio::io::copy(&mut from_client, &mut to_proxy).await.ok();
                    break;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::join!(up, async { tokio::io::copy(&mut from_proxy, &mut to_client).await.ok() });
    });
    let mut session = client.handshake(inner, HOST).await.expect("a handshake");
    assert_eq!(session.alpn().as_deref(), Some("h2"));
    session.send([http2::PREFACE, &http2::settings(&[])].concat()).await;
    session.read_exact(http2::settings(&[]).len()).await;
}

async fn pair(listener: tokio::net::TcpListener) -> (tokio::net::TcpStream, tokio::net::TcpStream) {
    let address = listener.local_addr().expect("bound");
    let (one, other) = tokio::join!(tokio::net::TcpStream::connect(address), listener.accept());
    let (one, (other, _)) = (one.expect("connected"), other.expect("accepted"));
    one.set_nodelay(true).expect("a socket option");
    (one, other)
}

/// One client stack opens a tunnel for every request and drops most of them within the handshake.
#[tokio::test]
async fn tunnels_dropped_in_the_handshake_are_quiet() {
    let upstream = Upstream::start(Options::default(), hello).await;
    let recorder = Setup::new(&upstream).start().await;
    let client = recorder.client(&["h2", "http/1.1"]);
    recorder.line("the last line of the greeting", |line| line.contains("NODE_EXTRA_CA_CERTS")).await;
    let before = recorder.stderr().len();
    for n in 0..30 {
        let tunnel = client.tunnel(HOST).await.expect("200 to CONNECT");
        if n % 3 > 0 {
            // Somewhere within the handshake, or after it: the time limit only varies the place.
            let limit = Duration::from_millis(n % 7);
            tokio::time::timeout(limit, client.handshake(tunnel, HOST)).await.ok();
        }
    }
    recorder.metric_reaches("tunnels_accepted", 30.0).await;
    let mut session = client.open(HOST).await;
    session.send([http2::PREFACE, &http2::settings(&[])].concat()).await;
    session.read_exact(9).await;
    session.close().await;
    let said = recorder.stderr()[before..].join("\n");
    assert!(said.trim().is_empty(), "an abandoned handshake is normal, yet the program said:\n{said}");
    no_tunnel_is_left(&recorder).await;
}

async fn no_tunnel_is_left(recorder: &Recorder) {
    support::within("all tunnels closed", async {
        while recorder.metric("tunnels_open").await > 0.0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn alpn_is_mirrored() {
    let cases: [(&[&'static str], &[&str], Option<&str>); 5] = [
        (&["h2", "http/1.1"], &["http/1.1", "h2"], Some("h2")),
        (&["http/1.1"], &["h2", "http/1.1", "http/1.0"], Some("http/1.1")),
        (&["h2", "http/1.1"], &["http/1.1"], Some("http/1.1")),
        (&["h2", "http/1.1"], &[], None),
        (&[], &["h2", "http/1.1"], None),
    ];
    for (upstream_speaks, client_offers, chosen) in cases {
        let upstream = Upstream::start(Options::alpn(upstream_speaks), hello).await;
        let recorder = Setup::new(&upstream).start().await;
        let session = recorder.client(client_offers).open(HOST).await;
        assert_eq!(session.alpn().as_deref(), chosen, "{upstream_speaks:?} {client_offers:?}");
        session.close().await;
        assert_eq!(upstream.ended(0).await.alpn.as_deref(), chosen);
    }
}

#[tokio::test]
async fn both_tls_versions_on_both_sides() {
    use rustls::version::{TLS12, TLS13};
    for (towards_client, towards_upstream) in [(&TLS12, &TLS12), (&TLS12, &TLS13), (&TLS13, &TLS12), (&TLS13, &TLS13)] {
        let options = Options { versions: vec![towards_upstream], ..Options::default() };
        let upstream = Upstream::start(options, hello).await;
        let recorder = Setup::new(&upstream).start().await;
        let roots = support::ca::roots_from(&recorder.setup.path("certs/ca.pem"));
        let client = Client::with_versions(recorder.address, roots, &["http/1.1"], &[towards_client]);
        let mut session = client.open(HOST).await;
        session.send(format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await;
        session.read_until(b"hello").await;
        session.close().await;
        assert_eq!(upstream.ended(0).await.version, Some(towards_upstream.version));
    }
}

/// The answer to CONNECT has no body, and whatever the client waits, nothing follows it.
#[tokio::test]
async fn silence_after_the_answer_to_connect() {
    let upstream = Upstream::start(Options::default(), hello).await;
    let recorder = Setup::new(&upstream).start().await;
    let mut tcp = dial(recorder.address).await;
    let answer = ask(&mut tcp, &connect_head(&format!("{HOST}:443"), None)).await.expect("an answer");
    assert_eq!(answer.status, 200);
    // The program serves others meanwhile, so it had every chance to speak.
    assert_eq!(page(recorder.address, "/healthz").await.status, 200);
    let mut byte = [0];
    assert!(tcp.try_read(&mut byte).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock));
    drop(tcp);
    eventually("the upstream's failed handshake", || (!upstream.failures().is_empty()).then_some(())).await;
}
