//! Sums are kept until records arrive, and a while longer: to count a million takes seconds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Span;
use crate::index::{Filter, Index, IndexError, Page, Sightings};

/// What was seen, as of a moment.
#[derive(Debug)]
pub struct Seen {
    /// The sums.
    pub sightings: Sightings,
    /// Not before, microseconds since 1970.
    pub since: Option<i64>,
    /// When the newest record began.
    pub newest: Option<i64>,
}

/// The sums last made for each span. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Cache(Arc<Mutex<HashMap<Span, Slot>>>);

/// One span's.
#[derive(Debug, Default)]
struct Slot {
    kept: Option<Kept>,
    /// Somebody counts.
    busy: bool,
}

#[derive(Debug)]
struct Kept {
    seen: Arc<Seen>,
    mark: i64,
    made: Instant,
    took: Duration,
}

/// Whoever has it is to count, and nobody else does so meanwhile.
#[derive(Debug)]
pub struct Turn {
    cache: Cache,
    span: Span,
}

/// Never counted again before this.
const LEAST: Duration = Duration::from_secs(5);
/// Counting takes at most this part of the time.
const SHARE: u32 = 20;

impl Cache {
    /// What was counted last, and the turn to count again, if it is time and nobody does.
    #[must_use]
    pub fn kept(&self, span: Span) -> (Option<Arc<Seen>>, Option<Turn>) {
        let mut slots = self.slots();
        let slot = slots.entry(span).or_default();
        let is_old = slot.kept.as_ref().is_none_or(|kept| kept.made.elapsed() >= LEAST.max(kept.took * SHARE));
        let is_due = is_old && !slot.busy;
        slot.busy |= is_due;
        let kept = slot.kept.as_ref().map(|kept| Arc::clone(&kept.seen));
        (kept, is_due.then(|| Turn { cache: self.clone(), span }))
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<Span, Slot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Counts, unless nothing has arrived since the last time. Blocks for as long as it takes to read the whole index.
    ///
    /// # Errors
    /// When the index fails.
    pub fn count(self, index: &Index) -> Result<Arc<Seen>, IndexError> {
        let mark = index.mark()?;
        if let Some(kept) = self.cache.slots().entry(self.span).or_default().kept.as_mut()
            && kept.mark == mark
        {
            kept.made = Instant::now();
            return Ok(Arc::clone(&kept.seen));
        }
        let begun = Instant::now();
        let seen = Arc::new(count(index, self.span)?);
        let kept = Kept { seen: Arc::clone(&seen), mark, made: Instant::now(), took: begun.elapsed() };
        self.cache.slots().entry(self.span).or_default().kept = Some(kept);
        Ok(seen)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.cache.slots().entry(self.span).or_default().busy = false;
    }
}

fn count(index: &Index, span: Span) -> Result<Seen, IndexError> {
    let newest = index.list(&Filter::default(), &Page { limit: Some(1), ..Page::default() })?;
    let newest = newest.first().map(|row| row.began);
    let since = newest.and_then(|newest| span.begin(newest));
    Ok(Seen { sightings: index.sightings(since)?, since, newest })
}
