//! The index for many who ask at once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::index::{Index, IndexError, Progress};

/// Answers questions to the index on threads that may block. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pool {
    logs: Arc<Path>,
}

/// Why a question was not answered.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The index is being built.
    #[error("the index of the records is being built")]
    Building(Option<Progress>),
    /// The index fails.
    #[error(transparent)]
    Failed(#[from] IndexError),
    /// The program ends.
    #[error("the program is being stopped")]
    Stopped,
}

impl Pool {
    /// Opens the index of a folder in the background.
    #[must_use]
    pub fn start(logs: PathBuf) -> Self {
        Self { logs: logs.into() }
    }

    /// Asks.
    ///
    /// # Errors
    /// While the index is being built, and when it fails.
    pub async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Index) -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T, AskError> {
        let logs = Arc::clone(&self.logs);
        let work = move || Ok(ask(&Index::open(&logs, &mut |_| ())?.0)?);
        tokio::task::spawn_blocking(work).await.unwrap_or(Err(AskError::Stopped))
    }
}
