use std::sync::{Arc, Mutex};

use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use super::*;

/// What a tap was told, with adjacent bytes of one direction joined.
#[derive(Clone, Debug, PartialEq)]
enum Told {
    Bytes(Direction, Vec<u8>),
    End(Direction, Ending),
}

#[derive(Clone, Default)]
struct Log {
    told: Arc<Mutex<Vec<Told>>>,
    busy: bool,
}

impl Log {
    fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }
}

impl Tap for Log {
    fn bytes(&mut self, direction: Direction, _: Instant, bytes: &[u8]) {
        let mut told = self.told.lock().unwrap();
        match told.last_mut() {
            Some(Told::Bytes(last, before)) if *last == direction => before.extend_from_slice(bytes),
            _ => told.push(Told::Bytes(direction, bytes.to_vec())),
        }
    }

    fn end(&mut self, direction: Direction, _: Instant, ending: Ending) {
        self.told.lock().unwrap().push(Told::End(direction, ending));
    }

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn tick(&mut self, _: Instant) {}

    fn is_idle(&self) -> bool {
        !self.busy
    }
}

async fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (far, _) = listener.accept().await.unwrap();
    (near, far)
}

async fn tls_pair() -> (client::TlsStream<TcpStream>, server::TlsStream<TcpStream>) {
    let made = rcgen::generate_simple_self_signed(["upstream.example".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let near_config = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let far_config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let (near, far) = tcp_pair().await;
    let (near, far) = tokio::join!(
        TlsConnector::from(Arc::new(near_config)).connect("upstream.example".try_into().unwrap(), near),
        TlsAcceptor::from(Arc::new(far_config)).accept(far),
    );
    (near.unwrap(), far.unwrap())
}

#[tokio::test]
async fn both_directions_pass_unchanged_and_the_tap_sees_the_same() {
    let ((mut client, near), (near_upstream, mut upstream)) = (tcp_pair().await, tcp_pair().await);
    let log = Log::default();
    let relay = tokio::spawn(Relay::new(near, near_upstream, log.clone(), b"first ".to_vec()));

    client.write_all(b"question").await.unwrap();
    let mut question = [0; 14];
    upstream.read_exact(&mut question).await.unwrap();
    assert_eq!(&question, b"first question");
    upstream.write_all(b"answer").await.unwrap();
    let mut answer = [0; 6];
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"answer");
    client.shutdown().await.unwrap();
    assert_eq!(upstream.read(&mut [0]).await.unwrap(), 0);
    upstream.write_all(b" after half-close").await.unwrap();
    upstream.shutdown().await.unwrap();
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b" after half-close");

    let totals = relay.await.unwrap();
    assert_eq!(totals, Totals { client_to_server: 14, server_to_client: 23 });
    let (up, down) = (Direction::ClientToServer, Direction::ServerToClient);
    assert_eq!(
        log.told(),
        [
            Told::Bytes(up, b"first question".to_vec()),
            Told::Bytes(down, b"answer".to_vec()),
            Told::End(up, Ending::Clean),
            Told::Bytes(down, b" after half-close".to_vec()),
            Told::End(down, Ending::Clean),
        ]
    );
}

/// A pipe that takes as few bytes at once as it was made for.
impl Side for tokio::io::DuplexStream {
    fn poll_fin(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(self).poll_shutdown(cx)
    }

    fn reset_on_drop(&self) {}
}

#[tokio::test]
async fn the_tap_is_shown_a_question_before_its_answer_even_where_the_receiver_takes_it_in_parts() {
    let ((mut client, near), (near_upstream, mut upstream)) = (tokio::io::duplex(1024), tokio::io::duplex(10));
    let log = Log::default();
    let relay = Relay::new(near, near_upstream, log.clone(), Vec::new());
    let talk = async {
        client.write_all(b"question, and more that the upstream does not read").await.unwrap();
        upstream.read_exact(&mut [0; 8]).await.unwrap();
        upstream.write_all(b"answer").await.unwrap();
        client.read_exact(&mut [0; 6]).await.unwrap();
    };
    tokio::select! {
        _ = relay => panic!("nothing ends it"),
        () = talk => {}
    }
    match &log.told()[0] {
        Told::Bytes(Direction::ClientToServer, bytes) => assert!(bytes.starts_with(b"question"), "{bytes:?}"),
        other => panic!("first came {other:?}"),
    }
}

#[tokio::test]
async fn a_slow_receiver_gets_everything_in_order() {
    let ((mut client, near), (near_upstream, mut upstream)) = (tls_pair().await, tcp_pair().await);
    let relay = tokio::spawn(Relay::new(near, near_upstream, Log::default(), Vec::new()));
    let sent: Vec<u8> = (0..8 << 20).map(|i: u32| (i % 251) as u8).collect();
    let expected = sent.clone();
    let sender = tokio::spawn(async move {
        client.write_all(&sent).await.unwrap();
        client.shutdown().await.unwrap();
        client
    });
    // Nothing is read until all buffers between are full and the sender must wait.
    while !sender.is_finished() {
        tokio::task::yield_now().await;
        if upstream.peek(&mut [0; 1 << 16]).await.unwrap() == 1 << 16 {
            break;
        }
    }
    let mut received = Vec::new();
    upstream.read_to_end(&mut received).await.unwrap();
    assert!(received == expected, "{} of {} bytes arrived, or not the same", received.len(), expected.len());
    drop(upstream);
    assert_eq!(relay.await.unwrap().client_to_server, expected.len() as u64);
    drop(sender.await.unwrap());
}

#[tokio::test]
async fn an_upstream_cut_without_close_notify_is_no_clean_end_for_the_client() {
    let ((near_upstream, mut upstream), (mut client, near)) = (tls_pair().await, tls_pair().await);
    let log = Log::default();
    let relay = tokio::spawn(Relay::new(near, near_upstream, log.clone(), Vec::new()));
    upstream.write_all(b"half an ans").await.unwrap();
    upstream.flush().await.unwrap();
    upstream.get_mut().0.shutdown().await.unwrap();
    let mut got = Vec::new();
    let error = client.read_to_end(&mut got).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    assert_eq!(got, b"half an ans");
    drop(client);
    relay.await.unwrap();
    assert!(log.told().contains(&Told::End(Direction::ServerToClient, Ending::Truncated)), "{:?}", log.told());
}

#[tokio::test]
async fn close_notify_is_passed_on_as_close_notify() {
    let ((near_upstream, mut upstream), (mut client, near)) = (tls_pair().await, tls_pair().await);
    let relay = tokio::spawn(Relay::new(near, near_upstream, Log::default(), Vec::new()));
    upstream.write_all(b"the whole answer").await.unwrap();
    upstream.shutdown().await.unwrap();
    let mut got = Vec::new();
    client.read_to_end(&mut got).await.unwrap();
    assert_eq!(got, b"the whole answer");
    client.shutdown().await.unwrap();
    assert_eq!(upstream.read(&mut [0]).await.unwrap(), 0);
    relay.await.unwrap();
}

#[tokio::test]
async fn a_reset_by_either_peer_resets_the_other() {
    for by_client in [true, false] {
        let ((client, near), (near_upstream, upstream)) = (tcp_pair().await, tcp_pair().await);
        let (gone, mut left) = if by_client { (client, upstream) } else { (upstream, client) };
        let log = Log::default();
        let relay = tokio::spawn(Relay::new(near, near_upstream, log.clone(), Vec::new()));
        gone.reset_on_drop();
        drop(gone);
        let error = left.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        relay.await.unwrap();
        let first = if by_client { Direction::ClientToServer } else { Direction::ServerToClient };
        assert_eq!(
            log.told(),
            [Told::End(first, Ending::Aborted), Told::End(first.reverse(), Ending::Aborted)],
            "reset by {first:?}"
        );
    }
}

#[tokio::test]
async fn a_draining_tunnel_closes_when_nothing_is_in_flight() {
    let ((mut client, near), (near_upstream, _upstream)) = (tls_pair().await, tcp_pair().await);
    let mut relay = Relay::new(near, near_upstream, Log::default(), Vec::new());
    relay.drain();
    relay.await;
    assert_eq!(client.read(&mut [0]).await.unwrap(), 0, "the client is told goodbye");
}

#[tokio::test]
async fn a_tunnel_that_is_cut_tells_the_tap_and_resets_both() {
    let ((mut client, near), (near_upstream, mut upstream)) = (tcp_pair().await, tcp_pair().await);
    let log = Log { busy: true, ..Log::default() };
    let mut relay = Relay::new(near, near_upstream, log.clone(), Vec::new());
    relay.drain();
    tokio::select! {
        _ = &mut relay => panic!("a busy tunnel was closed"),
        () = tokio::task::yield_now() => {}
    }
    relay.cut();
    assert!(client.read(&mut [0]).await.is_err() && upstream.read(&mut [0]).await.is_err());
    let shutdown = |direction| Told::End(direction, Ending::Shutdown);
    assert_eq!(log.told(), [shutdown(Direction::ClientToServer), shutdown(Direction::ServerToClient)]);
}

#[tokio::test]
async fn an_old_tunnel_may_be_half_closed_like_a_young_one() {
    let ((mut client, near), (near_upstream, mut upstream)) = (tcp_pair().await, tcp_pair().await);
    let mut relay = Relay::new(near, near_upstream, Log::default(), Vec::new());
    relay.active = Instant::now().checked_sub(HALF_CLOSED_IDLE).unwrap();
    let relay = tokio::spawn(relay);
    client.shutdown().await.unwrap();
    assert_eq!(upstream.read(&mut [0]).await.unwrap(), 0);
    upstream.write_all(b"answer").await.unwrap();
    upstream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, b"answer");
    relay.await.unwrap();
}

#[tokio::test]
async fn a_draining_tunnel_first_delivers_what_it_has_read() {
    let ((mut client, near), (near_upstream, mut upstream)) = (tls_pair().await, tcp_pair().await);
    let log = Log::default();
    let mut relay = Relay::new(near, near_upstream, log.clone(), Vec::new());
    let sender = tokio::spawn(async move { upstream.write_all(&vec![7; 16 << 20]).await });
    let told = || log.told().iter().map(|told| if let Told::Bytes(_, bytes) = told { bytes.len() } else { 0 }).sum();
    let stuck = async {
        let (mut before, mut same): (usize, _) = (0, 0);
        while before == 0 || same < 1000 {
            tokio::task::yield_now().await;
            let now: usize = told();
            same = if now == before { same + 1 } else { 0 };
            before = now;
        }
    };
    tokio::select! {
        _ = &mut relay => panic!("nothing ends it"),
        () = stuck => {}
    }
    relay.drain();
    let mut got = Vec::new();
    let (_, read) = tokio::join!(relay, client.read_to_end(&mut got));
    read.expect("a clean end");
    assert_eq!(got.len(), told());
    sender.abort();
}

#[tokio::test]
async fn an_answer_that_comes_before_the_upload_is_refused_reaches_the_client() {
    for round in 0..50 {
        let ((mut client, near), (near_upstream, mut upstream)) = (tcp_pair().await, tcp_pair().await);
        let log = Log::default();
        let relay = tokio::spawn(Relay::new(near, near_upstream, log.clone(), Vec::new()));
        let answering = tokio::spawn(async move {
            upstream.read_exact(&mut [0; 100]).await.unwrap();
            upstream.write_all(b"413 too large").await.unwrap();
            // Closed with bytes unread, which is a reset.
        });
        while client.write_all(&[7; 64 << 10]).await.is_ok() {}
        let mut got = vec![0; 13];
        let read = client.read_exact(&mut got).await;
        assert!(read.is_ok() && got == b"413 too large", "round {round}: {read:?}");
        answering.await.unwrap();
        relay.await.unwrap();
        assert!(log.told().contains(&Told::Bytes(Direction::ServerToClient, b"413 too large".to_vec())));
    }
}
