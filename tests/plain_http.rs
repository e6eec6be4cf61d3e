//! Plain HTTP: forwarded when it names another host, answered when it names us, never recorded.

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use support::HOST;
use support::client::{ask, basic, dial, page, request};
use support::command;
use support::recorder::Setup;
use support::upstream::{Connection, Options, Upstream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// A plain HTTP server that hands on each request head and answers `plain`.
async fn origin() -> (std::net::SocketAddr, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let (heads, received) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            let heads = heads.clone();
            tokio::spawn(async move {
                let mut bytes = Vec::new();
                while !bytes.ends_with(b"\r\n\r\n") {
                    bytes.push(tcp.read_u8().await?);
                }
                heads.send(String::from_utf8_lossy(&bytes).into_owned()).ok();
                tcp.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nplain").await
            });
        }
    });
    (address, received)
}

#[tokio::test]
async fn absolute_form_is_forwarded_without_credentials_and_not_recorded() {
    let (origin, mut heads) = origin().await;
    let connect_to = format!("example.test:80:{origin}");
    let setup = Setup::without_upstream().with(&["--connect-to", &connect_to]).with(&["--allow-port", "80"]);
    let recorder = setup.user("ada", "secret").await.start().await;
    let anonymous = request(recorder.address, "GET http://example.test/a HTTP/1.1\r\nHost: example.test\r\n\r\n").await;
    assert_eq!(anonymous.status, 407, "{}", anonymous.head);
    let mut tcp = dial(recorder.address).await;
    let head = format!(
        "GET http://example.test/a?b=c HTTP/1.1\r\nHost: example.test\r\nX-Kept: yes\r\nProxy-Authorization: {}\r\n\r\n",
        basic("ada", "secret")
    );
    let answer = ask(&mut tcp, &head).await.expect("an answer");
    assert_eq!((answer.status, answer.text().as_str()), (200, "plain"));
    let head = heads.recv().await.expect("one request came");
    assert!(head.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{head}");
    assert!(head.to_lowercase().contains("x-kept: yes"), "{head}");
    assert!(!head.to_lowercase().contains("proxy-"), "{head}");
    assert!(heads.try_recv().is_err(), "the request without credentials went nowhere");
    let (_, _, setup) = recorder.terminate().await;
    assert!(support::records::Record::files(&setup.logs).is_empty());
}

#[tokio::test]
async fn the_policy_holds_for_plain_http() {
    let (origin, _heads) = origin().await;
    let recorder = Setup::without_upstream().start().await;
    let head = format!("GET http://{origin}/ HTTP/1.1\r\nHost: {origin}\r\n\r\n");
    let answer = request(recorder.address, &head).await;
    assert_eq!(answer.status, 403, "{}", answer.head);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proxy_itself_answers() {
    let recorder = Setup::without_upstream().start().await;
    let home = page(recorder.address, "/").await;
    assert_eq!(home.status, 200);
    assert!(home.header("content-type").is_some_and(|value| value.starts_with("text/html")));
    for wanted in ["copilot-recorder", "/ca.pem", "/ca.der", "http.proxy", &recorder.address.to_string()] {
        assert!(home.text().contains(wanted), "the page does not name {wanted}");
    }
    assert_eq!(page(recorder.address, "/healthz").await.status, 200);
    assert_eq!(page(recorder.address, "/nothing").await.status, 404);
    let metrics = page(recorder.address, "/metrics").await;
    assert!(metrics.text().contains("copilot_recorder_tunnels_accepted_total 0"), "{}", metrics.text());
    assert!(metrics.text().trim_end().ends_with("# EOF"));

    let directory = recorder.setup.directory.path();
    let pem = page(recorder.address, "/ca.pem").await;
    assert_eq!(pem.body, std::fs::read(directory.join("certs/ca.pem")).expect("the CA's file"));
    let der = page(recorder.address, "/ca.der").await;
    std::fs::write(directory.join("ca.der"), der.body).expect("a writable directory");
    let openssl = |arguments: &'static str| {
        let arguments: Vec<_> = arguments.split(' ').collect();
        async move { command::run("openssl", &arguments, directory, "").await }
    };
    let der = openssl("x509 -inform DER -in ca.der -noout -fingerprint -sha256").await;
    let ours = openssl("x509 -in certs/ca.pem -noout -fingerprint -sha256").await;
    assert_eq!((der.code, der.stdout.as_str()), (Some(0), ours.stdout.as_str()), "{}", der.stderr);
}

/// Windows' own TLS asks for the revocation list of every certificate in the chain but the root.
#[tokio::test(flavor = "multi_thread")]
async fn revocation_lists_cover_the_chain() {
    let upstream = Upstream::start(Options::default(), |connection: Connection| connection.close()).await;
    let recorder = Setup::new(&upstream).start().await;
    let session = recorder.client(&["http/1.1"]).open(HOST).await;
    let chain = session.chain();
    session.close().await;
    let directory = recorder.setup.directory.path();
    let (mut leaf, mut others, mut lists) = (String::new(), String::new(), String::new());
    for (n, der) in chain.iter().enumerate() {
        let pem = if n == 0 { &mut leaf } else { &mut others };
        *pem += &pem_block("CERTIFICATE", der);
    }
    for path in ["/ca.crl", "/ca-root.crl"] {
        let list = page(recorder.address, path).await;
        assert_eq!(list.status, 200, "{path}");
        assert_eq!(list.header("content-type"), Some("application/pkix-crl"));
        lists += &pem_block("X509 CRL", &list.body);
    }
    for (name, text) in [("leaf.pem", leaf), ("others.pem", others), ("lists.pem", lists)] {
        std::fs::write(directory.join(name), text).expect("a writable directory");
    }
    let verify = |more: &'static [&'static str]| async move {
        let mut arguments = vec!["verify", "-CAfile", "certs/ca.pem", "-crl_check_all"];
        arguments.extend(["-purpose", "sslserver", "-verify_hostname", HOST, "-untrusted", "others.pem"]);
        arguments.extend(more);
        arguments.push("leaf.pem");
        command::run("openssl", &arguments, directory, "").await
    };
    let output = verify(&["-CRLfile", "lists.pem"]).await;
    assert_eq!(output.code, Some(0), "{}{}", output.stdout, output.stderr);
    let without = verify(&[]).await;
    assert_ne!(without.code, Some(0), "the lists were not looked at");
}

fn pem_block(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let lines: String =
        base64.as_bytes().chunks(64).map(|line| format!("{}\n", String::from_utf8_lossy(line))).collect();
    format!("-----BEGIN {label}-----\n{lines}-----END {label}-----\n")
}

/// The page needs no credentials: it is how one gets the CA. The counters do.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_needs_no_credentials() {
    let recorder = Setup::without_upstream().user("ada", "secret").await.start().await;
    for path in ["/", "/ca.pem", "/ca.crl", "/healthz"] {
        assert_eq!(page(recorder.address, path).await.status, 200, "{path}");
    }
    assert!(!page(recorder.address, "/").await.text().contains("ada"));
}

/// Half a head, and silence: others are served meanwhile.
#[tokio::test]
async fn a_client_that_never_ends_its_head() {
    let recorder = Setup::without_upstream().config("[limits]\nheader_read = \"1 s\"\n").start().await;
    let mut tcp = dial(recorder.address).await;
    tcp.write_all(b"CONNECT example.org:443 HTTP/1.1\r\nHost: ex").await.expect("an open connection");
    assert_eq!(page(recorder.address, "/healthz").await.status, 200);
    let mut rest = Vec::new();
    support::within("the close", tcp.read_to_end(&mut rest)).await.ok();
    assert!(!String::from_utf8_lossy(&rest).contains(" 200 "));
}
