//! Event streams end with the session that opened them.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use http::header::CONTENT_TYPE;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::session::Session;
use crate::web::Site;

/// How often it is looked whether the session goes on. Some microseconds each time.
const LOOK: Duration = Duration::from_secs(2);

/// The answer; where it goes on without end, only for as long as the session does, and the roles stay what they were.
pub(super) fn until_ended(response: Response, site: Site, session: Session) -> Response {
    let is_stream =
        response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    if !is_stream {
        return response;
    }
    let goes_on = move || site.access().login.as_ref().is_some_and(|login| login.goes_on(&session));
    response.map(|inner| Body::new(Leashed::new(inner, goes_on)))
}

/// A body that ends early when it may not go on.
struct Leashed<F> {
    inner: Body,
    looks: Interval,
    goes_on: F,
    ended: bool,
}

impl<F: Fn() -> bool> Leashed<F> {
    fn new(inner: Body, goes_on: F) -> Self {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { inner, looks, goes_on, ended: false }
    }
}

impl<F: Fn() -> bool + Unpin> HttpBody for Leashed<F> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, axum::Error>>> {
        while !self.ended && self.looks.poll_tick(cx).is_ready() {
            self.ended = !(self.goes_on)();
        }
        if self.ended {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.inner).poll_frame(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio_stream::StreamExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_stream_ends_when_it_may_not_go_on_also_while_nothing_comes() {
        let allowed = Arc::new(AtomicBool::new(true));
        let first = tokio_stream::once(Ok::<_, std::io::Error>("one"));
        let inner = Body::from_stream(first.chain(tokio_stream::pending()));
        let seen = Arc::clone(&allowed);
        let leashed = Leashed::new(inner, move || seen.load(Ordering::Relaxed));
        let mut data = Body::new(leashed).into_data_stream();
        assert_eq!(data.next().await.unwrap().unwrap(), "one");
        let start = tokio::time::Instant::now();
        assert!(tokio::time::timeout(LOOK * 10, data.next()).await.is_err(), "it goes on");
        allowed.store(false, Ordering::Relaxed);
        assert!(data.next().await.is_none());
        assert!(start.elapsed() <= LOOK * 12);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_ends_by_itself_does() {
        let inner = Body::from("all");
        let mut data = Body::new(Leashed::new(inner, || true)).into_data_stream();
        assert_eq!(data.next().await.unwrap().unwrap(), "all");
        assert!(data.next().await.is_none());
    }
}
