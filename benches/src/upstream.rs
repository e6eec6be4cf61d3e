//! The server that every contender reaches: TLS, HTTP/1.1 keep-alive and HTTP/2, Copilot's two answers.

use std::{
    convert::Infallible,
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use anyhow::Result;
use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Either, Full};
use hyper::{
    body::{Body, Frame, Incoming},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    net::TcpStream,
    time::{Sleep, sleep},
};
use tokio_rustls::{
    LazyConfigAcceptor,
    rustls::{ServerConfig, server::Acceptor},
};

use crate::{
    net,
    pki::BenchCa,
    workload::{PLAN_H1, SLOW_PATH, TELEMETRY_ANSWER, TELEMETRY_PATH, events},
};

/// Time between two events of a slow stream.
const SLOW_PACE: Duration = Duration::from_millis(500);
/// hudsucker carries all clients' streams in one upstream connection; the usual 100 would hold most of them back when
/// the memory of 500 open streams is measured.
const MAX_STREAMS: u32 = 2_000;

pub async fn run(folder: &Path) -> Result<()> {
    let ca = BenchCa::in_folder(folder);
    let only_h1 = ca.server_config(&[b"http/1.1"])?;
    let both = ca.server_config(&[b"h2", b"http/1.1"])?;
    let events: Arc<[Bytes]> = events().into();
    let listener = net::listen()?;
    net::announce(&listener)?;
    loop {
        let (socket, _) = listener.accept().await?;
        let (only_h1, both, events) = (Arc::clone(&only_h1), Arc::clone(&both), Arc::clone(&events));
        // A contender that drops a connection is normal here; the client counts what failed.
        tokio::spawn(async move { serve(socket, only_h1, both, events).await.ok() });
    }
}

async fn serve(
    socket: TcpStream,
    only_h1: Arc<ServerConfig>,
    both: Arc<ServerConfig>,
    events: Arc<[Bytes]>,
) -> Result<()> {
    let start = LazyConfigAcceptor::new(Acceptor::default(), socket).await?;
    let h1_name = start.client_hello().server_name().is_some_and(|name| name.contains(PLAN_H1));
    let stream = start.into_stream(if h1_name { only_h1 } else { both }).await?;
    let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let service = service_fn(move |request| answer(request, Arc::clone(&events)));
    let io = TokioIo::new(stream);
    if h2 {
        hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .max_concurrent_streams(MAX_STREAMS)
            .serve_connection(io, service)
            .await?;
    } else {
        hyper::server::conn::http1::Builder::new().serve_connection(io, service).await?;
    }
    Ok(())
}

async fn answer(
    request: Request<Incoming>,
    events: Arc<[Bytes]>,
) -> Result<Response<Either<Full<Bytes>, EventStream>>, hyper::Error> {
    let (head, mut body) = request.into_parts();
    while let Some(frame) = body.frame().await {
        frame?;
    }
    let mut response = if head.uri.path() == TELEMETRY_PATH {
        let mut response = Response::new(Either::Left(Full::new(Bytes::from_static(TELEMETRY_ANSWER))));
        set(&mut response, "content-type", "application/json; charset=utf-8");
        response
    } else {
        let pace = (head.uri.path() == SLOW_PATH).then_some(SLOW_PACE);
        let mut response = Response::new(Either::Right(EventStream::new(events, pace)));
        set(&mut response, "content-type", "text/event-stream");
        set(&mut response, "openai-processing-ms", "41.1556");
        response
    };
    set(&mut response, "content-security-policy", "default-src 'none'; sandbox");
    set(&mut response, "strict-transport-security", "max-age=31536000");
    set(&mut response, "x-github-backend", "Kubernetes");
    set(&mut response, "x-github-request-id", "793D:3AE21:3087E1:352BF1:67559C9E");
    if let Some(id) = head.headers.get("x-request-id") {
        response.headers_mut().insert("x-request-id", id.clone());
    }
    Ok(response)
}

fn set<B>(response: &mut Response<B>, name: &'static str, value: &'static str) {
    response.headers_mut().insert(header::HeaderName::from_static(name), header::HeaderValue::from_static(value));
}

/// The events, each flushed before the next is made.
struct EventStream {
    events: Arc<[Bytes]>,
    next: usize,
    /// Set after an event: the next poll says "pending" once, which makes hyper write out what it has.
    flush: bool,
    pace: Option<Duration>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl EventStream {
    fn new(events: Arc<[Bytes]>, pace: Option<Duration>) -> Self {
        Self { events, next: 0, flush: false, pace, timer: None }
    }
}

impl Body for EventStream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(timer) = &mut self.timer {
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.timer = None;
        }
        if self.flush {
            self.flush = false;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let Some(event) = self.events.get(self.next).cloned() else { return Poll::Ready(None) };
        self.next += 1;
        if let Some(pace) = self.pace {
            // The slow stream repeats its first event for ever: it ends when the client has been measured and leaves.
            self.next = 0;
            self.timer = Some(Box::pin(sleep(pace)));
        } else {
            self.flush = self.next < self.events.len();
        }
        Poll::Ready(Some(Ok(Frame::data(event))))
    }
}
