//! Behind a company proxy: CONNECT through it, with credentials, and a reason where it says no.

mod support;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use support::HOST;
use support::client::basic;
use support::recorder::Setup;
use support::upstream::{Connection, Options, Upstream};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// A proxy that lets one user through, leads every CONNECT to one address, and remembers the heads.
struct Company {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Company {
    async fn start(target: SocketAddr, wanted: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        tokio::spawn({
            let heads = heads.clone();
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    tokio::spawn(serve(client, target, wanted.clone(), heads.clone()));
                }
            }
        });
        Self { address, heads }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("unpoisoned").clone()
    }
}

async fn serve(
    mut client: TcpStream,
    target: SocketAddr,
    wanted: String,
    heads: Arc<Mutex<Vec<String>>>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let head = String::from_utf8(head).expect("a head of text");
    let allowed = head.lines().any(|line| line == format!("Proxy-Authorization: {wanted}"));
    heads.lock().expect("unpoisoned").push(head);
    if !allowed {
        let no = "HTTP/1.1 407 Who are you?\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 2\r\n\r\nno";
        return client.write_all(no.as_bytes()).await;
    }
    let mut upstream = TcpStream::connect(target).await?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\nVia: company\r\n\r\n").await?;
    copy_bidirectional(&mut client, &mut upstream).await.map(|_| ())
}

/// A set-up that reaches `upstream` by nothing but the company's proxy.
fn behind(company: &Company, upstream: &Upstream, credentials: &str) -> Setup {
    let setup = Setup::without_upstream();
    std::fs::write(setup.path("upstream-ca.pem"), upstream.ca.pem()).expect("a writable directory");
    let url = format!("http://{credentials}@{}", company.address);
    setup.with(&["--upstream-ca", "upstream-ca.pem", "--upstream-proxy", &url])
}

async fn hello() -> Upstream {
    Upstream::start(Options::alpn(&["http/1.1"]), |mut connection: Connection| async move {
        connection.received_pattern(b"\r\n\r\n", 1).await;
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").await;
        connection.read_to_end().await;
        connection.half_close().await;
    })
    .await
}

#[tokio::test]
async fn credentials_are_shown_to_the_company_proxy_alone() {
    let upstream = hello().await;
    let company = Company::start(upstream.address, basic("ann@corp", "p:s/é%")).await;
    let recorder = behind(&company, &upstream, "ann%40corp:p%3As%2F%C3%A9%25").start().await;
    let mut session = recorder.client(&["http/1.1"]).open(HOST).await;
    session.send(format!("GET /chat/completions HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await;
    session.read_until(b"\r\n\r\nhello").await;
    session.close().await;

    let heads = company.heads();
    assert_eq!(heads.len(), 1, "one CONNECT, its credentials sent at once: {heads:?}");
    assert!(heads[0].starts_with(&format!("CONNECT {HOST}:443 HTTP/1.1\r\n")), "{heads:?}");
    let seen = String::from_utf8(upstream.ended(0).await.received).expect("text");
    assert!(!seen.to_lowercase().contains("authorization"), "{seen}");
    let record = &recorder.records(1).await[0];
    assert!(record.complete());
    assert_eq!(record.body("response"), b"hello");
    assert_eq!(record.json["recorder"]["upstream"], company.address.to_string());
    assert_eq!(record.json["recorder"]["tunnel"], format!("{HOST}:443"));
    let said = recorder.stderr().join("\n");
    assert!(!said.contains("p:s/") && !said.contains("p%3As"), "{said}");
}

#[tokio::test]
async fn wrong_credentials_are_a_502_with_the_reason() {
    let upstream = hello().await;
    let company = Company::start(upstream.address, basic("ann", "right")).await;
    let recorder = behind(&company, &upstream, "ann:wrong").start().await;
    let answer = recorder.client(&["http/1.1"]).tunnel(HOST).await.expect_err("no way through");
    assert_eq!(answer.status, 502, "{}", answer.head);
    let text = answer.text();
    assert!(text.contains("upstream proxy") && text.contains("407"), "{text}");
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    let line = recorder.line("a line for the operator", |line| line.contains("407")).await;
    assert!(line.contains(HOST) && !line.contains("wrong"), "{line}");
    assert_eq!(company.heads().len(), 1);
    assert!(upstream.seen().is_empty());
}
