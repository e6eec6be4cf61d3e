//! Says at once, and not too often, that records cannot be kept whole; counts what was lost.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Totals;
use super::clock::Clock;
use crate::config::OnStoreFailure;
use crate::metrics::Metrics;

/// The losses of one run.
pub(super) struct Losses {
    logs: PathBuf,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    /// What becomes of the traffic meanwhile.
    meanwhile: &'static str,
    bodies: AtomicU64,
    records: AtomicU64,
    in_trouble: AtomicBool,
    episode: Mutex<Option<Episode>>,
}

/// A time during which records could not be kept whole.
struct Episode {
    began: Duration,
    said: Duration,
    reason: String,
    /// Counters when it began.
    before: Totals,
}

impl Losses {
    pub(super) fn new(logs: PathBuf, clock: Arc<dyn Clock>, metrics: Metrics, on_failure: OnStoreFailure) -> Self {
        let meanwhile = match on_failure {
            OnStoreFailure::Continue => "traffic goes on",
            OnStoreFailure::Refuse => "new tunnels are refused",
        };
        Self {
            logs,
            clock,
            metrics,
            meanwhile,
            bodies: AtomicU64::new(0),
            records: AtomicU64::new(0),
            in_trouble: AtomicBool::new(false),
            episode: Mutex::new(None),
        }
    }

    /// A record must do without its bodies.
    pub(super) fn bodies_lost(&self, reason: &str) {
        self.trouble(reason);
        self.bodies.fetch_add(1, Ordering::Relaxed);
        self.metrics.bodies_lost.inc();
    }

    /// Not even a record's metadata could be kept.
    pub(super) fn records_lost(&self, number: u64, reason: &str) {
        self.trouble(reason);
        self.records.fetch_add(number, Ordering::Relaxed);
        self.metrics.records_lost.inc_by(number);
    }

    /// Something went wrong that costs, or will cost, bodies or records.
    pub(super) fn trouble(&self, reason: &str) {
        if let Some(sentence) = self.sentence(reason) {
            tracing::error!("{sentence}");
        }
    }

    /// Records are kept whole again.
    pub(super) fn over(&self) {
        if let Some(sentence) = self.last_sentence() {
            tracing::warn!("{sentence}");
        }
    }

    /// Whether records cannot be kept whole at present.
    pub(super) fn in_trouble(&self) -> bool {
        self.in_trouble.load(Ordering::Relaxed)
    }

    /// Records without their bodies, and records lost.
    pub(super) fn counts(&self) -> Totals {
        Totals {
            bodies_lost: self.bodies.load(Ordering::Relaxed),
            records_lost: self.records.load(Ordering::Relaxed),
            ..Totals::default()
        }
    }

    /// What is to be said now, if anything: at once when trouble begins, then every ten seconds.
    fn sentence(&self, reason: &str) -> Option<String> {
        let now = self.clock.now();
        let mut episode = self.episode();
        let (logs, meanwhile) = (self.logs.display(), self.meanwhile);
        match &mut *episode {
            None => {
                self.in_trouble.store(true, Ordering::Relaxed);
                *episode = Some(Episode { began: now, said: now, reason: reason.to_owned(), before: self.counts() });
                Some(format!("cannot write records to {logs}: {reason}; {meanwhile}, records lose their bodies"))
            }
            Some(episode) if now.saturating_sub(episode.said) >= SAY_EVERY => {
                episode.said = now;
                reason.clone_into(&mut episode.reason);
                let lost = self.since(episode);
                Some(format!("still cannot write records to {logs}: {reason}; so far {lost}"))
            }
            Some(_) => None,
        }
    }

    fn last_sentence(&self) -> Option<String> {
        let episode = self.episode().take()?;
        self.in_trouble.store(false, Ordering::Relaxed);
        let seconds = self.clock.now().saturating_sub(episode.began).as_secs_f64();
        let (logs, reason, lost) = (self.logs.display(), &episode.reason, self.since(&episode));
        Some(format!("records are written whole again to {logs} after {seconds:.1} s ({reason}): {lost}"))
    }

    fn since(&self, episode: &Episode) -> String {
        let counts = self.counts();
        let bodies = counts.bodies_lost - episode.before.bodies_lost;
        let records = counts.records_lost - episode.before.records_lost;
        let held = match self.metrics.records_held.get() {
            0 => String::new(),
            held => format!(", {held} waiting in memory"),
        };
        format!("{bodies} records without their bodies, {records} records lost{held}")
    }

    fn episode(&self) -> MutexGuard<'_, Option<Episode>> {
        self.episode.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Often enough to be seen, seldom enough not to bury other lines.
const SAY_EVERY: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::TestClock;

    #[test]
    fn says_at_once_then_every_ten_seconds_then_sums_up() {
        let clock = Arc::new(TestClock::default());
        let losses = Losses::new("logs".into(), clock.clone(), Metrics::default(), OnStoreFailure::Continue);
        let first = losses.sentence("disk full");
        assert_eq!(
            first.as_deref(),
            Some("cannot write records to logs: disk full; traffic goes on, records lose their bodies")
        );
        losses.bodies_lost("disk full");
        losses.records_lost(2, "disk full");
        losses.metrics.records_held.inc();
        clock.advance(Duration::from_millis(9_999));
        assert_eq!(losses.sentence("disk full"), None);
        clock.advance(Duration::from_millis(1));
        let still = "still cannot write records to logs: quota; \
                     so far 1 records without their bodies, 2 records lost, 1 waiting in memory";
        assert_eq!(losses.sentence("quota").as_deref(), Some(still));
        assert!(losses.in_trouble());
        losses.metrics.records_held.dec();
        clock.advance(Duration::from_millis(2_500));
        let last = "records are written whole again to logs after 12.5 s (quota): \
                    1 records without their bodies, 2 records lost";
        assert_eq!(losses.last_sentence().as_deref(), Some(last));
        assert_eq!(losses.last_sentence(), None);
        assert!(!losses.in_trouble());
        assert!(losses.sentence("again").is_some_and(|sentence| sentence.starts_with("cannot write")));
    }

    #[test]
    fn does_not_say_that_traffic_goes_on_where_it_does_not() {
        let clock = Arc::new(TestClock::default());
        let losses = Losses::new("logs".into(), clock, Metrics::default(), OnStoreFailure::Refuse);
        let sentence = losses.sentence("disk full").unwrap();
        assert_eq!(
            sentence,
            "cannot write records to logs: disk full; new tunnels are refused, records lose their bodies"
        );
    }
}
