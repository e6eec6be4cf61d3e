//! What all pages share.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::Problem;
use super::access::{Access, Seen, Viewer};
use super::live::Hub;
use crate::config::{Config, Web};
use crate::door::Book;
use crate::index::{Index, IndexError, Row};
use crate::live::Streams;
use crate::metrics::Metrics;
use crate::review::coverage::Cache;
use crate::review::kept::Kept;
use crate::review::pool::Pool;
use crate::tls::{Authority, PageTls};

/// The state of the web server; cheap to clone.
#[derive(Clone)]
pub struct Site(Arc<Inner>);

struct Inner {
    logs: PathBuf,
    web: Web,
    pool: Pool,
    live: Hub,
    access: Access,
    figures: Kept,
    recording: Option<Recording>,
    coverage: Cache,
    tls: Option<PageTls>,
}

/// What there is to show of the proxy that runs in the same program.
pub struct Recording {
    /// How it was set up.
    pub config: Config,
    /// `host:port` that clients reach the proxy by.
    pub advertise: String,
    /// Its CA.
    pub authority: Arc<Authority>,
    /// Its counters.
    pub metrics: Metrics,
    /// What happened at its door.
    pub door: Book,
    /// What is in flight in it.
    pub streams: Streams,
    /// When it started.
    pub began: SystemTime,
}

impl Site {
    /// The pages on a folder of records; `tls` where they are served with TLS, `recording` where the proxy runs in the
    /// same program.
    #[must_use]
    pub fn new(logs: &Path, web: Web, tls: Option<PageTls>, access: Access, recording: Option<Recording>) -> Self {
        let pool = Pool::new(logs.to_owned(), recording.is_some());
        if recording.is_none() {
            // Nobody else does.
            pool.open();
        }
        let proxy = recording.as_ref().map(|it| (it.streams.clone(), it.metrics.clone()));
        let live = Hub::new(pool.clone(), proxy);
        let figures = Kept::new(pool.clone());
        let coverage = Cache::default();
        Self(Arc::new(Inner { logs: logs.to_owned(), web, pool, live, access, figures, recording, coverage, tls }))
    }

    /// The folder of the records.
    #[must_use]
    pub fn logs(&self) -> &Path {
        &self.0.logs
    }

    /// How the page is served.
    #[must_use]
    pub fn web(&self) -> &Web {
        &self.0.web
    }

    /// What the page speaks TLS with; none: it speaks plain HTTP.
    #[must_use]
    pub fn tls(&self) -> Option<&PageTls> {
        self.0.tls.as_ref()
    }

    /// Who is let in, and what is written down of it.
    #[must_use]
    pub fn access(&self) -> &Access {
        &self.0.access
    }

    /// The index.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.0.pool
    }

    /// What those see who watch.
    pub(in crate::web) fn live(&self) -> &Hub {
        &self.0.live
    }

    /// Figures, added up once for all who ask.
    #[must_use]
    pub fn figures(&self) -> &Kept {
        &self.0.figures
    }

    /// The proxy in this program; none where a folder from elsewhere is reviewed.
    #[must_use]
    pub fn recording(&self) -> Option<&Recording> {
        self.0.recording.as_ref()
    }

    /// The sums that coverage is made of, as they were counted last.
    #[must_use]
    pub fn coverage(&self) -> &Cache {
        &self.0.coverage
    }

    /// Waits a little for the index to be open: for a page that begins before it has asked.
    ///
    /// # Errors
    /// As a page that says why it is not.
    pub async fn ready(&self) -> Result<(), Problem> {
        Ok(self.0.pool.ready().await?)
    }

    /// Asks the index as it is, without a look for what is new.
    ///
    /// # Errors
    /// As a page that says why there is no answer.
    pub async fn ask_at_once<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Index) -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T, Problem> {
        Ok(self.0.pool.ask_at_once(ask).await?)
    }

    /// Asks the index.
    ///
    /// # Errors
    /// As a page that says why there is no answer.
    pub async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Index) -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T, Problem> {
        Ok(self.0.pool.ask(ask).await?)
    }

    /// Must be called before contents of these records are shown: notes in the audit log who looks. `what` is shown:
    /// `exchange`, `body`, `record`, `har`, `diff`, `conversation`, `search`, `stream`; `query` what was searched for.
    ///
    /// # Errors
    /// When the look cannot be noted and must be; then nothing may be shown.
    pub async fn look(
        &self,
        viewer: &Viewer,
        what: &'static str,
        rows: &[Row],
        query: Option<&str>,
    ) -> Result<(), Problem> {
        self.look_at(viewer, what, rows.iter().map(Seen::of_row).collect(), query).await
    }

    /// The same for what is no row yet: a stream in flight.
    ///
    /// # Errors
    /// When the look cannot be noted and must be; then nothing may be shown.
    pub async fn look_at(
        &self,
        viewer: &Viewer,
        what: &'static str,
        seen: Vec<Seen>,
        query: Option<&str>,
    ) -> Result<(), Problem> {
        let written = self.access().audit().look(viewer, what, seen, query).await;
        written.map_err(|error| Problem::Unavailable(format!("{error}.")))
    }
}
