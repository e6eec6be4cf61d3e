use std::path::Path;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;

use super::*;
use crate::web::testing::site;

const PATIENCE: Duration = Duration::from_millis(300);

async fn start(logs: &Path, bounds: Bounds) -> (SocketAddr, Shutdown, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = Shutdown::default();
    let serving = tokio::spawn(serve(listener, site(logs), shutdown.clone(), bounds));
    (address, shutdown, serving)
}

async fn dial(address: SocketAddr, text: &str) -> TcpStream {
    let mut tcp = TcpStream::connect(address).await.unwrap();
    tcp.write_all(text.as_bytes()).await.unwrap();
    tcp
}

/// All that comes until the connection ends.
async fn rest(tcp: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(30), tcp.read_to_end(&mut bytes)).await;
    read.expect("the connection ends").ok();
    String::from_utf8_lossy(&bytes).into_owned()
}

const GET: &str = "GET /assets/style.css HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn whoever_says_nothing_or_half_of_it_is_sent_away() {
    let logs = tempfile::tempdir().unwrap();
    let (address, ..) = start(logs.path(), Bounds { connections: 8, patience: PATIENCE }).await;
    for beginning in ["", "GET / HT", "GET /assets/style.css HTTP/1.1\r\nHost: local"] {
        let mut tcp = dial(address, beginning).await;
        assert_eq!(rest(&mut tcp).await, "", "{beginning}");
    }
    // Between two requests too.
    let mut tcp = dial(address, "GET /assets/style.css HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(rest(&mut tcp).await.starts_with("HTTP/1.1 200"));
    // And with a form of which nothing comes.
    let half = "POST /login HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 10\r\n\
                Content-Type: application/x-www-form-urlencoded\r\n\r\nname";
    let mut tcp = dial(address, half).await;
    let answer = rest(&mut tcp).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
}

#[tokio::test]
async fn no_more_connections_than_the_bound_and_the_next_has_its_turn() {
    let logs = tempfile::tempdir().unwrap();
    let patience = Duration::from_secs(600);
    let (address, ..) = start(logs.path(), Bounds { connections: 2, patience }).await;
    let (mut first, _second) = (dial(address, "GET / HT").await, dial(address, "GET / HT").await);
    let mut third = dial(address, GET).await;
    // Nothing can be awaited that shows that it has to wait: its answer would come long before.
    let early = tokio::time::timeout(Duration::from_millis(200), third.read_u8()).await;
    assert!(early.is_err(), "the third was served beside two others");
    first.shutdown().await.unwrap();
    assert!(rest(&mut third).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let logs = tempfile::tempdir().unwrap();
    let (address, ..) = start(logs.path(), Bounds::default()).await;
    let endless = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n", "x".repeat(BUFFER_MAX));
    let mut tcp = dial(address, &endless).await;
    let answer = rest(&mut tcp).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn whoever_only_waits_or_watches_does_not_hold_the_end_up() {
    let logs = tempfile::tempdir().unwrap();
    let (address, shutdown, serving) = start(logs.path(), Bounds::default()).await;
    let mut watching = dial(address, "GET /live/events HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let mut head = [0; 15];
    watching.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    let mut idle = dial(address, "GET /assets/style.css HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    idle.read_exact(&mut head).await.unwrap();
    shutdown.start_draining();
    serving.await.unwrap();
    assert!(rest(&mut watching).await.ends_with("0\r\n\r\n"), "the stream of events has an end");
    rest(&mut idle).await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_answer_that_nobody_reads_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // More than the buffers of both ends hold.
    let pages = Router::new().fallback(|| async { vec![0_u8; 64 << 20] });
    let serving = tokio::spawn(async move {
        let (stream, peer) = accept(&listener).await;
        converse(stream, peer, pages, PATIENCE, Shutdown::default()).await;
    });
    let _deaf = dial(address, GET).await;
    tokio::time::timeout(Duration::from_secs(30), serving).await.expect("the connection ends").unwrap();
}
