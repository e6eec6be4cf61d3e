//! What all pages share.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::Problem;
use super::access::{Access, Seen, Viewer};
use crate::config::{Config, Web};
use crate::index::{Index, IndexError, Row};
use crate::metrics::Metrics;
use crate::review::kept::Kept;
use crate::review::pool::Pool;
use crate::tls::Authority;

/// The state of the web server; cheap to clone.
#[derive(Clone)]
pub struct Site(Arc<Inner>);

struct Inner {
    logs: PathBuf,
    web: Web,
    pool: Pool,
    figures: Kept,
    access: Access,
    recording: Option<Recording>,
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
    /// When it started.
    pub began: SystemTime,
}

impl Site {
    /// The pages on a folder of records; `recording` where the proxy runs in the same program.
    #[must_use]
    pub fn new(logs: &Path, web: Web, access: Access, recording: Option<Recording>) -> Self {
        let pool = Pool::start(logs.to_owned());
        let figures = Kept::new(pool.clone());
        Self(Arc::new(Inner { logs: logs.to_owned(), web, pool, figures, access, recording }))
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
