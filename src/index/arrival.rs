//! What arrived lately, for those who watch.

use super::queries::SEQ_BITS;
use super::{Index, IndexError, Row};

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
