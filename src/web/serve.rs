//! The connections of browsers, and what they may take.
//!
//! The proxy in the same program comes first. Whoever reaches the page's port can open connections and say nothing,
//! send half a request, or never read an answer: each of these ends, and no more than a share of the descriptors goes
//! to all of them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::ConnectInfo;
use axum::http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tower_service::Service;

use super::Site;
use crate::shutdown::Shutdown;

/// What browsers may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Connections at once. Others wait outside, where they cost no descriptor.
    pub connections: usize,
    /// From the opening of a connection, or from the answer before, to the end of a request's head; then to the answer
    /// to a request with a body; and for an answer that nobody reads.
    pub patience: Duration,
}

impl Default for Bounds {
    /// A browser opens six, and the live page keeps one.
    fn default() -> Self {
        Self { connections: 256, patience: Duration::from_secs(30) }
    }
}

/// Bytes of a request's head, and of an answer that wait to be sent.
const BUFFER_MAX: usize = 64 << 10;

/// For answers under way when the program is told to stop.
const FAREWELL: Duration = Duration::from_secs(1);

/// Before the next try where the system has no descriptor for a connection.
const AGAIN: Duration = Duration::from_secs(1);

/// Serves the pages until the program is told to stop, and a second longer what is under way.
pub async fn serve(listener: TcpListener, site: Site, shutdown: Shutdown, bounds: Bounds) {
    let live = site.live().clone();
    let pages = super::router(site);
    let seats = Arc::new(Semaphore::new(bounds.connections));
    let browsers = TaskTracker::new();
    loop {
        let accepted = async {
            // First a place: who is accepted has a descriptor.
            let seat = Arc::clone(&seats).acquire_owned().await;
            (accept(&listener).await, seat)
        };
        let ((stream, peer), seat) = tokio::select! {
            accepted = accepted => accepted,
            () = shutdown.draining() => break,
        };
        let (pages, shutdown) = (pages.clone(), shutdown.clone());
        browsers.spawn(async move {
            converse(stream, peer, pages, bounds.patience, shutdown).await;
            drop(seat);
        });
    }
    drop(listener);
    // They would last as long as somebody looks.
    live.end();
    browsers.close();
    // Whoever is still not done is cut off with the program.
    let _ = tokio::time::timeout(FAREWELL, browsers.wait()).await;
}

/// The next connection, however long the system has no descriptor for it.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    let mut complained = false;
    loop {
        let error = match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => error,
        };
        // Those are of the one who left before it was accepted.
        if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
            continue;
        }
        if !std::mem::replace(&mut complained, true) {
            tracing::warn!("the page cannot take a connection: {error}; recording goes on");
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// One connection to its end.
async fn converse(stream: TcpStream, peer: SocketAddr, pages: Router, patience: Duration, shutdown: Shutdown) {
    give_up_on_who_does_not_read(&stream, patience);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        let mut pages = pages.clone();
        async move {
            if request.body().is_end_stream() {
                return pages.call(request.map(Body::new)).await;
            }
            // The head has its own time limit, but whoever sends the rest byte by byte must not stay either.
            match tokio::time::timeout(patience, pages.call(request.map(Body::new))).await {
                Ok(answered) => answered,
                Err(_) => Ok(too_slow()),
            }
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(patience).max_buf_size(BUFFER_MAX);
    let connection = http.serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // Errors are the browser's, which left or spoke no HTTP.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = shutdown.draining() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

fn too_slow() -> Response<Body> {
    let mut response = Response::new(Body::from("the rest of the request did not come\n"));
    *response.status_mut() = StatusCode::REQUEST_TIMEOUT;
    response
}

/// An answer that the browser does not take would else keep the connection for as long as its machine is on.
fn give_up_on_who_does_not_read(stream: &TcpStream, patience: Duration) {
    // Elsewhere the bound on connections must do.
    #[cfg(target_os = "linux")]
    {
        let milliseconds = u32::try_from(patience.as_millis()).unwrap_or(u32::MAX);
        if let Err(error) = rustix::net::sockopt::set_tcp_user_timeout(stream, milliseconds) {
            tracing::debug!("a slow browser may stay: {error}");
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (stream, patience);
}

#[cfg(test)]
#[path = "serve_tests.rs"]
mod tests;
