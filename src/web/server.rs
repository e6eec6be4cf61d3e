//! The page's listener. Whoever reaches it can cost so much and no more: the same process records.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::IntoResponse;
use http::header::CONNECTION;
use http::{Method, Request, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::task::TaskTracker;
use tower_service::Service;

use super::Site;
use crate::shutdown::Shutdown;
use crate::tls::PageTls;

/// Connections at once where the system gives enough descriptors; one more waits in the system's queue, where it takes
/// none from the proxy. A browser has six, and 64 watch at most.
pub const CONNECTIONS: usize = 512;

/// For a TLS handshake, and for a request's head from its connection, or from the answer before it. So long a browser
/// may keep a connection that it has no use for just now.
const HEAD: Duration = Duration::from_secs(30);

/// Bytes of a head. Addresses with all filters have some KB, as cookies of other services of this host may have.
const HEAD_BYTES: usize = 64 << 10;

/// For a form and its answer: a login waits for its turn for 15 seconds at most.
const FORM: Duration = Duration::from_secs(60);

/// An answer is held for a reader who takes nothing of it for so long: it may be a body of 16 MB.
const STALL: Duration = Duration::from_secs(60);

/// Where the system has no descriptor left: until others have ended.
const BREATH: Duration = Duration::from_secs(1);

/// For answers under way when the program is told to stop.
const FAREWELL: Duration = Duration::from_secs(1);

/// Serves the pages to so many connections at once until the program is told to stop, and a second longer what is under
/// way.
pub async fn serve(listener: TcpListener, site: Site, shutdown: Shutdown, connections: usize) {
    let live = site.live().clone();
    let tls = site.tls().cloned();
    let router = super::router(site);
    let places = Arc::new(Semaphore::new(connections));
    let browsers = TaskTracker::new();
    loop {
        let accepted = async {
            // First a place: who is accepted has a descriptor.
            let place = Arc::clone(&places).acquire_owned().await;
            (accept(&listener).await, place)
        };
        let ((stream, peer), place) = tokio::select! {
            accepted = accepted => accepted,
            () = shutdown.draining() => break,
        };
        let (router, tls, shutdown) = (router.clone(), tls.clone(), shutdown.clone());
        browsers.spawn(async move {
            match tls {
                Some(tls) => secured(stream, peer, router, &tls, shutdown).await,
                None => connection(Patient::new(stream), peer, router, shutdown).await,
            }
            drop(place);
        });
    }
    drop(listener);
    // They would last as long as somebody looks.
    live.end();
    browsers.close();
    // Whoever is still not done is cut off with the program.
    let _ = timeout(FAREWELL, browsers.wait()).await;
}

/// The next connection, however long the system has no descriptor for it.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    let mut complained = false;
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // It was gone before it was taken.
            Err(error) if is_of_the_peer(&error) => {}
            Err(error) => {
                if !std::mem::replace(&mut complained, true) {
                    tracing::warn!("the page cannot take a connection: {error}; recording goes on");
                }
                sleep(BREATH).await;
            }
        }
    }
}

fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// A connection that is to begin with a TLS handshake.
async fn secured(stream: TcpStream, peer: SocketAddr, router: Router, tls: &PageTls, shutdown: Shutdown) {
    let opened = tokio::select! {
        opened = timeout(HEAD, open(stream, tls)) => opened,
        () = shutdown.draining() => return,
    };
    match opened {
        Ok(Ok(Opened::Tls(stream))) => connection(*stream, peer, router, shutdown).await,
        Ok(Ok(Opened::Plain(stream))) => connection(stream, peer, only_https(), shutdown).await,
        // A scanner, a browser that does not trust the certificate: nothing that somebody here could mend.
        Ok(Err(error)) => tracing::debug!(%peer, %error, "no TLS with a browser"),
        Err(_) => tracing::debug!(%peer, "a browser did not finish its TLS handshake"),
    }
}

/// What a connection began with.
enum Opened {
    Tls(Box<TlsStream<Patient<TcpStream>>>),
    Plain(Patient<TcpStream>),
}

async fn open(stream: TcpStream, tls: &PageTls) -> io::Result<Opened> {
    /// A handshake's (RFC 8446 section 5.1); no method of HTTP begins with it.
    const RECORD: u8 = 22;
    let mut first = [0];
    if stream.peek(&mut first).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let stream = Patient::new(stream);
    if first != [RECORD] {
        return Ok(Opened::Plain(stream));
    }
    let stream = TlsAcceptor::from(tls.config()).accept(stream).await?;
    Ok(Opened::Tls(Box::new(stream)))
}

/// For whoever left the `s` out. No redirect: what leads on without a word is not noticed, and each first request would
/// go on being made in the open.
fn only_https() -> Router {
    let says = "This page speaks https. Write https:// before its address.\n";
    Router::new()
        .fallback(move || async move { (StatusCode::BAD_REQUEST, [(CONNECTION, "close")], says) })
        .layer(axum::middleware::from_fn(super::access::secure))
}

async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin, peer: SocketAddr, router: Router, shutdown: Shutdown) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let is_form = request.method() == Method::POST;
        let answer = router.clone().call(request.map(Body::new));
        async move {
            match is_form {
                true => Ok::<_, Infallible>(
                    timeout(FORM, answer).await.unwrap_or_else(|_| Ok(StatusCode::REQUEST_TIMEOUT.into_response()))?,
                ),
                false => answer.await,
            }
        }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_BYTES);
    let mut served = std::pin::pin!(server.serve_connection(TokioIo::new(stream), service));
    // What goes wrong is the peer's: it left, or sent what is no HTTP.
    tokio::select! {
        _ = served.as_mut() => return,
        () = shutdown.draining() => served.as_mut().graceful_shutdown(),
    }
    let _ = served.await;
}

/// A stream that fails when nothing that is written to it is taken for [`STALL`].
struct Patient<S> {
    stream: S,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    fn new(stream: S) -> Self {
        Self { stream, stalled: None }
    }

    /// What a write came to, unless that is nothing for too long.
    fn or_stalled<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(STALL)));
        stalled.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, to)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.or_stalled(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.or_stalled(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.or_stalled(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::task::JoinHandle;

    use super::*;
    use crate::config::WebTls;
    use crate::web::testing::site;

    /// What comes back on a connection on which this is said, until it is ended from the other side.
    async fn said(bytes: &[u8]) -> String {
        let router = Router::new()
            .route("/", get(|| async { "here" }))
            .route("/form", post(|form: String| async move { form }))
            .route("/large", get(|| async { vec![b'x'; 16 << 20] }));
        let (mut client, server) = duplex(64 << 10);
        tokio::spawn(connection(Patient::new(server), ([127, 0, 0, 1], 1).into(), router, Shutdown::default()));
        // One that says too much is not listened to.
        let _ = client.write_all(bytes).await;
        let mut answer = Vec::new();
        if bytes.starts_with(b"GET /large") {
            // Read nothing for longer than anybody waits.
            sleep(STALL * 2).await;
        }
        client.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_says_nothing_or_not_all_of_it_is_ended() {
        assert_eq!(said(b"").await, "");
        for cut in ["G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: x\r\n"] {
            assert!(!said(cut.as_bytes()).await.contains("here"), "{cut}");
        }
        let answer = said(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(
            answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("here"),
            "and one that has its answer: {answer}"
        );
        let answer = said(b"POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nname=").await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_has_its_limit() {
        let long = format!("GET / HTTP/1.1\r\nHost: x\r\nCookie: {}\r\n\r\n", "c".repeat(HEAD_BYTES));
        assert!(said(long.as_bytes()).await.starts_with("HTTP/1.1 431 "));
        let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "a: b\r\n".repeat(1000));
        assert!(said(many.as_bytes()).await.starts_with("HTTP/1.1 431 "));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_nobody_takes_is_given_up() {
        let answer = said(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.len() < 1 << 20, "{} bytes", answer.len());
    }

    #[tokio::test(start_paused = true)]
    async fn a_tls_handshake_that_is_not_finished_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let files = WebTls { certificate: folder.path().join("page.pem"), key: folder.path().join("page-key.pem") };
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(&files.certificate, made.cert.pem()).unwrap();
        std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
        let tls = PageTls::open(&files).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        // Nothing, the first byte, a record that does not end; and one who finds out that it is not HTTP.
        for cut in [&b""[..], &[22], &[22, 3, 1, 0x20, 0, 1], b"GET / HT"] {
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            client.write_all(cut).await.unwrap();
            let (stream, peer) = listener.accept().await.unwrap();
            // Its own end is what is shown.
            let ended = timeout(HEAD * 4, secured(stream, peer, Router::new(), &tls, Shutdown::default())).await;
            assert!(ended.is_ok(), "{cut:?} is waited for");
            assert!(!rest(&mut client).await.contains(" 200 "), "{cut:?}");
        }
    }

    async fn start(logs: &Path, connections: usize) -> (SocketAddr, Shutdown, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = Shutdown::default();
        let serving = tokio::spawn(serve(listener, site(logs), shutdown.clone(), connections));
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
        let read = timeout(Duration::from_secs(30), tcp.read_to_end(&mut bytes)).await;
        read.expect("the connection ends").ok();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    const GET: &str = "GET /assets/style.css HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

    #[tokio::test]
    async fn no_more_connections_than_the_bound_and_the_next_has_its_turn() {
        let logs = tempfile::tempdir().unwrap();
        let (address, ..) = start(logs.path(), 2).await;
        let (mut first, _second) = (dial(address, "GET / HT").await, dial(address, "GET / HT").await);
        let mut third = dial(address, GET).await;
        // Nothing can be awaited that shows that it has to wait: its answer would come long before.
        let early = timeout(Duration::from_millis(200), third.read_u8()).await;
        assert!(early.is_err(), "the third was served beside two others");
        first.shutdown().await.unwrap();
        assert!(rest(&mut third).await.starts_with("HTTP/1.1 200"));
    }

    #[tokio::test]
    async fn whoever_only_waits_or_watches_does_not_hold_the_end_up() {
        let logs = tempfile::tempdir().unwrap();
        let (address, shutdown, serving) = start(logs.path(), CONNECTIONS).await;
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
}
