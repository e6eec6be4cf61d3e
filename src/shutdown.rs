//! One signal that everyone waits for, in two steps: drain (finish what is in flight), then cut.

use std::future::Future;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The program's shutdown as a value that is passed down; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    drain: CancellationToken,
    cut: CancellationToken,
    tasks: TaskTracker,
}

impl Shutdown {
    /// Stop accepting; streams in flight may end.
    pub fn start_draining(&self) {
        self.tasks.close();
        self.drain.cancel();
    }

    /// End everything now.
    pub fn start_cutting(&self) {
        self.start_draining();
        self.cut.cancel();
    }

    /// Whether draining has begun.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.drain.is_cancelled()
    }

    /// Waits until draining begins.
    pub async fn draining(&self) {
        self.drain.cancelled().await;
    }

    /// Waits until everything is to end.
    pub async fn cutting(&self) {
        self.cut.cancelled().await;
    }

    /// Runs a task that [`Shutdown::finished`] waits for.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// How many such tasks run.
    #[must_use]
    pub fn running(&self) -> usize {
        self.tasks.len()
    }

    /// Waits until draining has begun and all tasks have ended.
    pub async fn finished(&self) {
        self.tasks.wait().await;
    }
}
