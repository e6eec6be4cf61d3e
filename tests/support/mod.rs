//! What the end-to-end tests share: a real TLS upstream, a client, the running program, generated traffic.
//!
//! Nothing here looks into the program: the tests see what a user sees, bytes on sockets, files and stderr.
#![allow(dead_code, reason = "every test file is a crate of its own and uses its part of this")]

pub(crate) mod blind;
pub(crate) mod ca;
pub(crate) mod client;
pub(crate) mod coded;
pub(crate) mod command;
pub(crate) mod http1;
pub(crate) mod http2;
pub(crate) mod older;
pub(crate) mod page;
pub(crate) mod program;
pub(crate) mod recorder;
pub(crate) mod records;
pub(crate) mod rng;
pub(crate) mod samples;
pub(crate) mod schema;
pub(crate) mod script;
pub(crate) mod terminal;
pub(crate) mod upstream;
pub(crate) mod websocket;
pub(crate) mod week;

use std::future::Future;
use std::time::Duration;

/// A host that the program opens by default.
pub(crate) const HOST: &str = "proxy.individual.githubcopilot.com";

/// Far beyond what anything here takes: a test that hangs fails with a name instead of blocking for ever.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for `future` and fails with `what` when it does not come.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what}: nothing in {PATIENCE:?}"),
    }
}

/// Asks again until `probe` gives something: for what only a look at the file system or a page can tell.
pub(crate) async fn eventually<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    within(what, async {
        loop {
            if let Some(value) = probe() {
                return value;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
}

/// As [`eventually`], where nothing else runs beside it.
#[track_caller]
pub(crate) fn at_last<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let began = std::time::Instant::now();
    loop {
        if let Some(value) = probe() {
            return value;
        }
        assert!(began.elapsed() < PATIENCE, "{what}: nothing in {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// How one side of a TLS connection saw the other end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// `close_notify`.
    Clean,
    /// A FIN without `close_notify`.
    Truncated,
    /// A reset, a broken pipe, or a TLS alert other than `close_notify`.
    Reset,
}

impl Ending {
    pub(crate) fn of(error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Self::Truncated,
            _ => Self::Reset,
        }
    }
}
