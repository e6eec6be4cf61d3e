//! Time that only goes forward, replaceable in tests.

use std::time::{Duration, Instant};

/// Tells the time since some moment before the store was opened.
pub(super) trait Clock: Send + Sync {
    /// Never less than what it told before.
    fn now(&self) -> Duration;
}

/// The operating system's monotonic clock.
pub(super) struct RealClock(Instant);

impl RealClock {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for RealClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}
