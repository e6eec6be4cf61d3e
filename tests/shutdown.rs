//! The end of the program: streams may end, a second signal does not wait, and what was recorded is said.

mod support;

use std::sync::Arc;

use rustix::process::Signal;
use support::recorder::{Recorder, Setup};
use support::upstream::{Connection, Options, Upstream};
use support::{Ending, HOST, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

const HEAD: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n";
const END: &str = "4\r\nlast\r\n0\r\n\r\n";

/// An upstream that begins its answer, and ends it when it is given a permit.
async fn slow() -> (Upstream, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let upstream = Upstream::start(Options::default(), {
        let gate = gate.clone();
        move |mut connection: Connection| {
            let gate = gate.clone();
            async move {
                connection.received_pattern(b"\r\n\r\n", 1).await;
                connection.send(HEAD).await;
                gate.acquire().await.expect("never closed").forget();
                connection.send(END).await;
                connection.read_to_end().await;
                connection.half_close().await;
            }
        }
    })
    .await;
    (upstream, gate)
}

async fn begin(recorder: &Recorder) -> support::client::Session {
    let mut session = recorder.client(&["http/1.1"]).open(HOST).await;
    session.send(format!("GET /chat/completions HTTP/1.1\r\nHost: {HOST}\r\n\r\n")).await;
    session.read_until(b"first").await;
    session
}

async fn refuses_new_connections(recorder: &Recorder) {
    within("the listener's end", async {
        while TcpStream::connect(recorder.address).await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_end_before_the_program_does() {
    let (upstream, gate) = slow().await;
    for signal in [Signal::TERM, Signal::INT] {
        let mut recorder = Setup::new(&upstream).start().await;
        let mut session = begin(&recorder).await;
        recorder.signal(signal);
        refuses_new_connections(&recorder).await;
        assert_eq!(recorder.ended(), None, "the stream still runs");
        gate.add_permits(1);
        let rest = session.read_until(b"0\r\n\r\n").await;
        assert!(rest.ends_with(END.as_bytes()));
        // The tunnel is idle now: nothing keeps the program, whether or not the client closes.
        let (code, lines, setup) = recorder.wait().await;
        assert_eq!(code, Some(0));
        let records = support::records::Record::all(&setup.logs);
        assert_eq!(records.len(), 1);
        assert!(records[0].complete());
        assert_eq!(records[0].body("response"), b"firstlast");
        assert!(lines.iter().any(|line| line.contains("recorded") && line.contains('1')), "{}", lines.join("\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_at_once() {
    let (upstream, _gate) = slow().await;
    let recorder = Setup::new(&upstream).start().await;
    let mut session = begin(&recorder).await;
    recorder.signal(Signal::TERM);
    refuses_new_connections(&recorder).await;
    recorder.signal(Signal::TERM);
    let (code, _, setup) = recorder.wait().await;
    assert_eq!(code, Some(0));
    let (_, ending) = session.read_to_end().await;
    assert_ne!(ending, Ending::Clean, "a cut stream must not look finished");
    let records = support::records::Record::all(&setup.logs);
    assert_eq!(records.len(), 1);
    assert!(!records[0].complete());
    assert_eq!(records[0].aborted_by(), Some("shutdown"));
    assert_eq!(records[0].body("response"), b"first");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_ends_what_still_runs() {
    let (upstream, gate) = slow().await;
    let recorder = Setup::new(&upstream).config("[limits]\nshutdown = \"1 s\"\n").start().await;
    let mut session = begin(&recorder).await;
    let (code, lines, setup) = recorder.terminate().await;
    assert_eq!(code, Some(0), "{}", lines.join("\n"));
    let (rest, ending) = session.read_to_end().await;
    assert_eq!(String::from_utf8_lossy(&rest), "\r\n", "nothing but what came before");
    assert_ne!(ending, Ending::Clean, "a cut stream must not look finished");
    // The upstream looks for our end only when it has sent all.
    gate.add_permits(1);
    assert_ne!(upstream.ended(0).await.ending, Some(Ending::Clean), "nor a cut request");
    let records = support::records::Record::all(&setup.logs);
    assert_eq!(records.len(), 1);
    assert_eq!((records[0].complete(), records[0].aborted_by()), (false, Some("shutdown")));
    assert_eq!(records[0].body("response"), b"first");
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_tunnels_do_not_keep_the_program() {
    let (upstream, gate) = slow().await;
    let recorder = Setup::new(&upstream).start().await;
    gate.add_permits(1);
    let mut session = begin(&recorder).await;
    session.read_until(b"0\r\n\r\n").await;
    let quiet = TcpStream::connect(recorder.address).await.expect("the proxy listens");
    recorder.records(1).await;
    let (code, _, _) = recorder.terminate().await;
    assert_eq!(code, Some(0));
    drop(quiet);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let output = Setup::without_upstream().with(&["--listen", &address]).refused().await;
    assert_eq!(output.code, Some(3), "{}", output.stderr);
    assert!(output.stderr.contains(&address) && output.stderr.contains("--listen"), "{}", output.stderr);
    // The page's as well, where somebody chose it.
    let output = Setup::without_upstream().with(&["--web", &address]).refused().await;
    assert_eq!(output.code, Some(3), "{}", output.stderr);
    let says = format!("cannot serve the page on {address}; is another program using it? choose another");
    assert!(output.stderr.contains(&says) && output.stderr.contains("--web"), "{}", output.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_that_cannot_be_written() {
    // A file where the folder should be: even root cannot write into it.
    let setup = Setup::without_upstream();
    std::fs::write(&setup.logs, "not a folder").expect("a writable directory");
    let output = setup.refused().await;
    assert_eq!(output.code, Some(3), "{}", output.stderr);
    assert!(output.stderr.contains("logs"), "{}", output.stderr);
    assert_eq!(std::fs::read_to_string(&setup.logs).expect("still there"), "not a folder");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_start_says_what_a_person_needs() {
    let (upstream, _gate) = slow().await;
    let recorder = Setup::new(&upstream).start().await;
    let address = recorder.address.to_string();
    for wanted in [&address, "ca.pem", "logs", "\"http.proxy\"", "NODE_EXTRA_CA_CERTS"] {
        recorder.line(wanted, |line| line.contains(wanted)).await;
    }
    let fingerprint = support::command::run(
        "openssl",
        &["x509", "-in", "certs/ca.pem", "-noout", "-fingerprint", "-sha256"],
        recorder.setup.directory.path(),
        "",
    )
    .await;
    let fingerprint = fingerprint.stdout.trim().rsplit('=').next().expect("a value").replace(':', "").to_lowercase();
    recorder.line("the fingerprint", |line| line.replace(':', "").to_lowercase().contains(&fingerprint)).await;
    let key = std::fs::metadata(recorder.setup.path("certs/ca-key.pem")).expect("a key file");
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&key.permissions()) & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_are_open_do_not_hold_the_end_up() {
    let upstream = Upstream::start(Options::default(), |connection: Connection| connection.close()).await;
    let recorder = Setup::new(&upstream).with(&["--web", "127.0.0.1:0"]).start().await;
    let page = recorder.line("the page's address", |line| line.contains("page     http://")).await;
    let page = page.trim().trim_start_matches("page     http://").trim_end_matches('/').to_owned();
    let begin = async |text: &str| {
        let mut tcp = TcpStream::connect(&page).await.expect("the page is served");
        tcp.write_all(text.as_bytes()).await.expect("a request");
        tcp
    };
    let mut watching = begin("GET /live/events HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let _half = begin("GET / HT").await;
    let _nothing = begin("").await;
    // It does not read its answer.
    let _deaf = begin("GET /exchanges HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    within("the events", watching.read_u8()).await.expect("an answer");
    let (code, lines, _) = recorder.terminate().await;
    assert_eq!(code, Some(0), "{}", lines.join("\n"));
    let mut rest = Vec::new();
    within("the end of the events", watching.read_to_end(&mut rest)).await.expect("an end");
    assert!(rest.ends_with(b"0\r\n\r\n"), "{}", String::from_utf8_lossy(&rest));
}
