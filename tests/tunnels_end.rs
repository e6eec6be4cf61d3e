//! Nothing is held for a client that has left.

mod support;

use std::time::Duration;

use socket2::SockRef;
use support::client::connect_head;
use support::recorder::Setup;
use support::within;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The client is gone when the 200 is written, so hyper has no stream to hand over.
#[tokio::test]
async fn a_client_that_leaves_before_the_200_takes_its_upstream_with_it() {
    let company = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let proxy = format!("http://{}", company.local_addr().expect("a bound address"));
    let recorder =
        Setup::without_upstream().with(&["--upstream-proxy", &proxy, "--max-connections", "1"]).start().await;

    let mut client = TcpStream::connect(recorder.address).await.expect("it listens");
    // Bytes behind the CONNECT keep hyper from reading on, and so from noticing that the client leaves.
    let head = [connect_head("api.example.com:443", None).as_bytes(), b"early"].concat();
    client.write_all(&head).await.expect("it is read");
    let (mut upstream, _) = within("the company proxy's client", company.accept()).await.expect("a connection");
    assert!(upstream.read(&mut [0; 1024]).await.is_ok_and(|n| n > 0), "a CONNECT");
    SockRef::from(&client).set_linger(Some(Duration::ZERO)).expect("a socket");
    drop(client);
    upstream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.expect("it still waits");

    let ended = within("the end of the upstream's connection", upstream.read(&mut [0; 1024])).await;
    assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
    // There is one place, and a while after the connection's end it is free again.
    within("a place for the next client", async {
        loop {
            let mut next = TcpStream::connect(recorder.address).await.expect("it listens");
            next.write_all(connect_head("api.example.com:443", None).as_bytes()).await.expect("it is read");
            let mut answer = [0; 12];
            tokio::select! {
                _ = company.accept() => break,
                read = next.read_exact(&mut answer) => {
                    read.expect("an answer");
                    assert_eq!(&answer, b"HTTP/1.1 503", "no place yet");
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        }
    })
    .await;
}
