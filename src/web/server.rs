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
use http::{Method, Request, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{Sleep, sleep, timeout};
use tower_service::Service;

/// Connections at once; one more waits in the system's queue, where it takes no descriptor from the proxy. A browser has
/// six, and 64 watch at most.
const CONNECTIONS: usize = 512;

/// For a request's head from its connection, or from the answer before it. So long a browser may keep a connection that
/// it has no use for just now.
const HEAD: Duration = Duration::from_secs(30);

/// Bytes of a head. Addresses with all filters have some KB, as cookies of other services of this host may have.
const HEAD_BYTES: usize = 64 << 10;

/// For a form and its answer: a login waits for its turn for 15 seconds at most.
const FORM: Duration = Duration::from_secs(60);

/// An answer is held for a reader who takes nothing of it for so long: it may be a body of 16 MB.
const STALL: Duration = Duration::from_secs(60);

/// Where the system has no descriptor left: until others have ended.
const BREATH: Duration = Duration::from_secs(1);

/// Answers requests for ever.
pub(super) async fn serve(listener: TcpListener, router: Router) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let place = Arc::clone(&places).acquire_owned().await.map_err(io::Error::other)?;
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            // It was gone before it was taken.
            Err(error) if is_of_the_peer(&error) => continue,
            Err(error) => {
                tracing::warn!("the page's listener: {error}");
                sleep(BREATH).await;
                continue;
            }
        };
        let router = router.clone();
        tokio::spawn(async move {
            connection(Patient::new(stream), peer, router).await;
            drop(place);
        });
    }
}

fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin, peer: SocketAddr, router: Router) {
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
    // What goes wrong is the peer's: it left, or sent what is no HTTP.
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
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
    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    /// What comes back on a connection on which this is said, until it is ended from the other side.
    async fn said(bytes: &[u8]) -> String {
        let router = Router::new()
            .route("/", get(|| async { "here" }))
            .route("/form", post(|form: String| async move { form }))
            .route("/large", get(|| async { vec![b'x'; 16 << 20] }));
        let (mut client, server) = duplex(64 << 10);
        tokio::spawn(connection(Patient::new(server), ([127, 0, 0, 1], 1).into(), router));
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
}
