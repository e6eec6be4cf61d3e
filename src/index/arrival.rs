//! What arrived lately, for those who watch.

use std::collections::{HashSet, VecDeque};

use super::queries::SEQ_BITS;
use super::{ANEW_MAX, Index, IndexError, Row};

/// What came into the index since a mark.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arrived {
    /// The exchanges, in the order of their coming.
    pub rows: Vec<Row>,
    /// How many came before those and are left out; records that came and went again meanwhile count too.
    pub left_out: u64,
    /// The new mark.
    pub mark: i64,
}

/// Whether two marks are of one index that was not made anew between them: only then the larger one is the later.
#[must_use]
pub fn of_one_index(one: i64, other: i64) -> bool {
    one >> SEQ_BITS == other >> SEQ_BITS
}

impl Index {
    /// As [`Index::arrived`], but no more than the last `most` that came: somebody who was away for a night does not
    /// want them all at once. A mark that this index never gave is taken for one of before it was made anew.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn arrived_last(&self, mark: i64, most: u64) -> Result<Arrived, IndexError> {
        let (_, now) = self.arrived(None)?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let same = of_one_index(mark, now) && mark <= now;
        let since = if same { mark.max(now.saturating_sub(most)) } else { mark };
        let (mut rows, next) = self.arrived(Some(since))?;
        // One may have come since, and an index that was made anew gives as many as it likes.
        let over = rows.len().saturating_sub(usize::try_from(most).unwrap_or(usize::MAX));
        rows.drain(..over);
        let skipped = if same { since.abs_diff(mark) } else { 0 };
        Ok(Arrived { rows, left_out: skipped + over as u64, mark: next })
    }
}

/// The exchanges that were met last: an index that is made anew names them again.
#[derive(Debug, Default)]
pub struct Known {
    ids: HashSet<String>,
    order: VecDeque<String>,
}

impl Known {
    /// Whether it is met for the first time; from now on it is known.
    pub fn is_new(&mut self, id: &str) -> bool {
        if !self.ids.insert(id.to_owned()) {
            return false;
        }
        self.order.push_back(id.to_owned());
        // Twice what an index made anew names: as many may have arrived just before.
        if self.order.len() as u64 > 2 * ANEW_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exchanges_are_known_as_long_as_an_index_may_name_them_again() {
        let mut known = Known::default();
        let ids: Vec<_> = (0..2 * ANEW_MAX + 1).map(|id| id.to_string()).collect();
        assert!(ids.iter().all(|id| known.is_new(id)));
        assert!(!ids[1..].iter().any(|id| known.is_new(id)));
        assert!(known.is_new("0"), "the oldest is forgotten");
    }
}
