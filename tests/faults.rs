//! Bad input and broken peers: a clear sentence, the right ending on both sides, nothing lost.

mod support;

use std::io::Write as _;
use std::path::Component;

use flate2::Compression;
use flate2::write::GzEncoder;
use support::ca::TestCa;
use support::client::{ask, connect_head, dial, page};
use support::recorder::{Recorder, Setup};
use support::upstream::{Connection, Options, Upstream};
use support::{Ending, HOST, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const PARTIAL: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n\
                       c\r\ndata: half a\r\n";

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n")
}

fn answer(fields: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

/// Sends `bytes` for the first request, then reads to the end.
async fn upstream_that_sends(bytes: Vec<u8>) -> Upstream {
    Upstream::start(Options::default(), move |mut connection: Connection| {
        let bytes = bytes.clone();
        async move {
            connection.received_pattern(b"\r\n\r\n", 1).await;
            connection.send(bytes).await;
            connection.read_to_end().await;
            connection.half_close().await;
        }
    })
    .await
}

#[derive(Clone, Copy, Debug)]
enum Break {
    Cut,
    Reset,
}

/// A real client shows a truncated answer as the completion if it ends cleanly.
#[tokio::test]
async fn an_upstream_cut_in_mid_answer_never_looks_like_a_clean_end() {
    for how in [Break::Cut, Break::Reset] {
        let upstream = Upstream::start(Options::default(), move |mut connection: Connection| async move {
            connection.received_pattern(b"\r\n\r\n", 1).await;
            connection.send(PARTIAL).await;
            // The client says that it has the first half: a reset may overtake what is still on the way.
            connection.received_pattern(b"got it", 1).await;
            match how {
                Break::Cut => connection.cut().await,
                Break::Reset => connection.reset(),
            }
        })
        .await;
        let recorder = Setup::new(&upstream).start().await;
        let mut session = recorder.client(&["http/1.1"]).open(HOST).await;
        session.send(get("/chat/completions")).await;
        session.read_until(b"half a\r\n").await;
        session.send("got it").await;
        let (rest, ending) = session.read_to_end().await;
        assert!(rest.is_empty());
        assert_ne!(ending, Ending::Clean, "{how:?}");
        let record = &recorder.records(1).await[0];
        assert!(!record.complete(), "{how:?}");
        assert_eq!(record.aborted_by(), Some("upstream"), "{how:?}");
        assert_eq!(record.body("response"), b"data: half a");
    }
}

#[tokio::test]
async fn a_client_that_leaves_in_mid_answer() {
    let upstream = upstream_that_sends(PARTIAL.into()).await;
    let recorder = Setup::new(&upstream).start().await;
    for (n, reset) in [true, false].into_iter().enumerate() {
        let mut session = recorder.client(&["http/1.1"]).open(HOST).await;
        session.send(get("/chat/completions")).await;
        session.read_until(b"half a\r\n").await;
        if reset {
            session.reset();
        } else {
            drop(session);
        }
        let records = recorder.records(n + 1).await;
        let record = &records[n];
        assert_eq!((record.complete(), record.aborted_by()), (false, Some("client")), "reset: {reset}");
        assert_eq!(record.body("response"), b"data: half a");
        assert_ne!(upstream.ended(n).await.ending, Some(Ending::Clean), "reset: {reset}");
    }
}

#[tokio::test]
async fn half_close_passes_in_both_directions() {
    // The client ends first; the upstream sees it, and still answers.
    let upstream = Upstream::start(Options::default(), |mut connection: Connection| async move {
        connection.read_to_end().await;
        connection.send(answer("", b"after your end")).await;
        connection.half_close().await;
    })
    .await;
    let recorder = Setup::new(&upstream).start().await;
    let mut session = recorder.client(&["http/1.1"]).open(HOST).await;
    session.send(get("/half")).await;
    session.half_close().await;
    let (bytes, ending) = session.read_to_end().await;
    assert!(bytes.ends_with(b"after your end"), "{:?}", String::from_utf8_lossy(&bytes));
    assert_eq!(ending, Ending::Clean);
    assert_eq!(upstream.ended(0).await.ending, Some(Ending::Clean));
    assert!(recorder.records(1).await[0].complete());

    // The upstream ends first; the client sees it, and what it still says arrives.
    let upstream = Upstream::start(Options::default(), |mut connection: Connection| async move {
        connection.received_pattern(b"\r\n\r\n", 1).await;
        connection.send(answer("", b"my end")).await;
        connection.half_close().await;
        connection.read_to_end().await;
    })
    .await;
    let recorder = Setup::new(&upstream).start().await;
    let mut session = recorder.client(&["http/1.1"]).open(HOST).await;
    session.send(get("/half")).await;
    let (_, ending) = session.read_to_end().await;
    assert_eq!(ending, Ending::Clean);
    session.send("and still here").await;
    session.half_close().await;
    let seen = upstream.ended(0).await;
    assert!(seen.received.ends_with(b"and still here"));
    assert_eq!(seen.ending, Some(Ending::Clean));
}

#[tokio::test]
async fn upstream_refused_or_unknown() {
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = free.local_addr().expect("bound").port();
    drop(free);
    let refused = format!("{HOST}::127.0.0.1:{port}");
    let unknown = "api.individual.githubcopilot.com::does-not-exist.invalid:443";
    let recorder = Setup::without_upstream().with(&["--connect-to", &refused, "--connect-to", unknown]).start().await;
    for host in [HOST, "api.individual.githubcopilot.com"] {
        let answer = recorder.client(&[]).tunnel(host).await.expect_err("no upstream");
        assert_eq!(answer.status, 502, "{}", answer.head);
        assert_one_line(&answer.text());
    }
    assert!(recorder.metric("upstream_failures").await >= 2.0);
    assert_eq!(page(recorder.address, "/healthz").await.status, 200);
}

#[tokio::test]
async fn upstream_that_does_not_answer() {
    // A listener whose queue is full: further connection attempts get no answer at all.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    socket.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("a free port");
    socket.listen(0).expect("a listening socket");
    let address = socket.local_addr().expect("bound").as_socket().expect("an IP address");
    let fill = |_| {
        let one = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
        one.set_nonblocking(true).expect("a socket option");
        one.connect(&address.into()).ok();
        one
    };
    let _queue: Vec<_> = (0..16).map(fill).collect();
    let recorder = Setup::without_upstream()
        .with(&["--connect-to", &format!("::{address}")])
        .config("[limits]\nconnect = \"1 s\"\n")
        .start()
        .await;
    let answer = recorder.client(&[]).tunnel(HOST).await.expect_err("no upstream");
    assert_eq!(answer.status, 504, "{}", answer.head);
    assert_one_line(&answer.text());
}

fn assert_one_line(text: &str) {
    assert!(!text.trim().is_empty() && text.trim_end().lines().count() == 1, "not one line of reason: {text:?}");
}

#[tokio::test]
async fn upstream_certificate_that_is_not_valid() {
    let upstream =
        Upstream::with_ca(TestCa::only_for("other.example"), Options::default(), |_: Connection| async {}).await;
    let recorder = Setup::new(&upstream).start().await;
    let client = recorder.client(&["http/1.1"]);
    let tunnel = client.tunnel(HOST).await.expect("200 to CONNECT");
    let error = client.handshake(tunnel, HOST).await.expect_err("no valid certificate");
    assert!(error.to_string().to_lowercase().contains("alert"), "a TLS alert, not {error}");
    let line = recorder.line("a line for the operator", |line| line.contains(HOST)).await;
    assert!(line.contains("certificate") && line.contains("--upstream-ca"), "{line}");
    assert_eq!(recorder.metric("records_written").await, 0.0);
}

#[tokio::test]
async fn garbage_after_connect_is_passed_on_where_tunnels_may_be_opaque() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = tcp.split();
                tokio::io::copy(&mut read, &mut write).await.ok();
            });
        }
    });
    let garbage = b"SSH-2.0-not TLS at all\r\n\x00\xff";
    let connect_to = format!("::{address}");
    let recorder = Setup::without_upstream().with(&["--connect-to", &connect_to]).start().await;
    for host in [HOST, "example.org"] {
        let mut tunnel = recorder.client(&[]).tunnel(host).await.expect("200 to CONNECT");
        tunnel.write_all(garbage).await.expect("an open tunnel");
        let mut echo = vec![0; garbage.len()];
        within("the echo", tunnel.read_exact(&mut echo)).await.expect("the bytes come back");
        assert_eq!(echo, garbage);
    }
    // The policy allows no opaque tunnel: closed, not passed on.
    let setup = Setup::without_upstream().with(&["--connect-to", &connect_to]);
    let recorder = setup.config("tunnel_others = false\n").start().await;
    let mut tunnel = recorder.client(&[]).tunnel(HOST).await.expect("200 to CONNECT");
    tunnel.write_all(garbage).await.expect("an open tunnel");
    let mut rest = Vec::new();
    within("the close", tunnel.read_to_end(&mut rest)).await.ok();
    assert!(rest.is_empty(), "{rest:?}");
}

/// A client of such a protocol says nothing before it was greeted: waiting for its ClientHello would be for ever.
#[tokio::test]
async fn an_upstream_that_speaks_first_is_heard() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let connect_to = format!("::{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            tcp.write_all(b"220 ready\r\n").await.ok();
            tokio::spawn(async move {
                let mut asked = [0; 6];
                tcp.read_exact(&mut asked).await.ok();
                tcp.write_all(&asked).await.ok();
            });
        }
    });
    let recorder = Setup::without_upstream().with(&["--connect-to", &connect_to]).start().await;
    for host in ["192.0.2.1", HOST] {
        let mut tunnel = recorder.client(&[]).tunnel(host).await.expect("200 to CONNECT");
        let mut greeting = [0; 11];
        within("the greeting", tunnel.read_exact(&mut greeting)).await.expect("what the upstream said");
        assert_eq!(&greeting, b"220 ready\r\n", "{host}");
        tunnel.write_all(b"EHLO\r\n").await.expect("an open tunnel");
        let mut echo = Vec::new();
        within("the answer", tunnel.read_to_end(&mut echo)).await.expect("an orderly end");
        assert_eq!(echo, b"EHLO\r\n", "{host}");
    }
}

#[tokio::test]
async fn a_client_that_never_sends_its_hello() {
    let upstream = upstream_that_sends(answer("", b"x")).await;
    let recorder = Setup::new(&upstream).config("[limits]\nhello = \"1 s\"\n").start().await;
    let mut tcp = dial(recorder.address).await;
    let connected = ask(&mut tcp, &connect_head(&format!("{HOST}:443"), None)).await.expect("an answer");
    assert_eq!(connected.status, 200);
    // Half a ClientHello is none.
    tcp.write_all(b"\x16\x03\x01\x02\x00\x01").await.expect("an open tunnel");
    let mut rest = Vec::new();
    within("the close", tcp.read_to_end(&mut rest)).await.ok();
    assert!(rest.is_empty(), "{rest:?}");
    assert_works(&recorder).await;
}

/// The program still does its work.
async fn assert_works(recorder: &Recorder) {
    let before = support::records::Record::files(&recorder.setup.logs).len();
    let mut session = recorder.client(&["http/1.1"]).open(HOST).await;
    session.send(get("/works")).await;
    session.read_until(b"\r\n\r\n").await;
    session.close().await;
    recorder.records(before + 1).await;
}

#[tokio::test]
async fn a_header_block_of_ten_megabytes() {
    let upstream = upstream_that_sends(answer("", b"fine")).await;
    let recorder = Setup::new(&upstream).start().await;
    let mut session = recorder.client(&["http/1.1"]).open(HOST).await;
    let long = "v".repeat(10 << 20);
    let head = format!("GET /long HTTP/1.1\r\nHost: {HOST}\r\nX-Long: {long}\r\n\r\n");
    session.send(&head).await;
    let answer = session.read_until(b"fine").await;
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    session.close().await;
    assert_eq!(upstream.ended(0).await.received.len(), head.len());
    let record = &recorder.records(1).await[0];
    assert!(std::fs::metadata(&record.path).expect("a file").len() < 1 << 20, "the ceiling holds");
    assert_works(&recorder).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compression_bomb() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..256 {
        gzip.write_all(&[b'0'; 1 << 20]).expect("memory takes bytes");
    }
    let bomb = gzip.finish().expect("memory takes bytes");
    let upstream = upstream_that_sends(answer("Content-Encoding: gzip\r\n", &bomb)).await;
    let recorder = Setup::new(&upstream).start().await;
    let mut session = recorder.client(&["http/1.1"]).open(HOST).await;
    session.send(get("/bomb")).await;
    session.read_until(b"\r\n\r\n").await;
    session.close().await;
    let record = &recorder.records(1).await[0];
    assert!(record.complete());
    assert_eq!(record.json["recorder"]["response"]["truncated"], true);
    assert_eq!(record.json["recorder"]["response"]["wire_size"], bomb.len());
    assert!(record.body("response").len() <= 64 << 20);
    assert_works(&recorder).await;
}

#[tokio::test]
async fn a_body_with_invalid_utf8() {
    let body = b"caf\xe9 \xff\xfe\x00 end";
    let upstream = upstream_that_sends(answer("Content-Type: text/plain; charset=utf-8\r\n", body)).await;
    let recorder = Setup::new(&upstream).start().await;
    let mut session = recorder.client(&["http/1.1"]).open(HOST).await;
    session.send(get("/latin")).await;
    session.read_until(body).await;
    session.close().await;
    let record = &recorder.records(1).await[0];
    assert_eq!(record.body("response"), body);
    assert_eq!(record.json["recorder"]["response"]["encoding"], "base64");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_user_names_stay_in_the_logs_folder() {
    let upstream = upstream_that_sends(answer("", b"x")).await;
    let long = "n".repeat(128);
    let names = ["../../x", "a/b\\c", "con", "..", "-", "*?<>|\"", &long];
    let mut setup = Setup::new(&upstream).with(&["--layout", "{user}/{kind}"]);
    for name in names {
        setup = setup.user(name, "p").await;
    }
    let recorder = setup.start().await;
    for name in names {
        let mut session = recorder.client(&["http/1.1"]).authorized(name, "p").open(HOST).await;
        session.send(get("/name")).await;
        session.read_until(b"\r\n\r\nx").await;
        session.close().await;
    }
    let records = recorder.records(names.len()).await;
    assert_eq!(records.len(), names.len());
    let mut found: Vec<_> =
        records.iter().map(|record| record.json["proxy-authorization"].as_str().expect("text")).collect();
    let mut wanted = names.to_vec();
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(found, wanted);
    for record in &records {
        let inside = record.path.strip_prefix(&recorder.setup.logs).expect("inside the logs");
        assert_eq!(inside.components().count(), 3, "{}", inside.display());
        assert!(inside.components().all(|part| matches!(part, Component::Normal(_))), "{}", inside.display());
        assert!(record.name().len() <= 255);
    }
    let outside: Vec<_> = std::fs::read_dir(recorder.setup.directory.path()).expect("readable").flatten().collect();
    let names: Vec<_> = outside.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert!(
        names.iter().all(|name| ["logs", "certs", "users.toml", "upstream-ca.pem"].contains(&name.as_str())
            || name.starts_with("users")),
        "{names:?}"
    );
}
