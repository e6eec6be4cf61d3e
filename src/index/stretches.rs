//! Words that many exchanges have, looked for in stretches of time: to find the newest fifty of half a million, or to
//! count as far as is asked, not all that have them need be collected first.
//!
//! Exchanges of one time came into the index at about one time, so that a stretch has places that lie together; where
//! they do not, it only costs more.

use rusqlite::{Row as Columns, params_from_iter};

use super::filter::{Condition, search_query};
use super::statements::{self, FEW, Way};
use super::{Filter, Index, IndexError, Page, Row};

/// Exchanges of the first stretches; the last has the rest. A word that one in a hundred has fills a page from the first.
const LENGTHS: [i64; 3] = [4_096, 32_768, 262_144];

impl Index {
    /// As [`Index::list`], of a page with an end, without what it leaves out at the beginning.
    pub(super) fn list_by_stretches(&self, filter: &Filter, page: &Page, limit: u64) -> Result<Vec<Row>, IndexError> {
        self.list_by(filter, page, limit, &LENGTHS)
    }

    fn list_by(&self, filter: &Filter, page: &Page, limit: u64, lengths: &[i64]) -> Result<Vec<Row>, IndexError> {
        let mut filter = filter.clone();
        if let Some(cursor) = page.after {
            // The statement itself leaves out those of the same time that come before it.
            if page.oldest_first {
                filter.since = filter.since.max(Some(cursor.began));
            } else {
                let until = cursor.began.saturating_add(1);
                filter.until = Some(filter.until.map_or(until, |known| known.min(until)));
            }
        }
        let mut rows = Vec::new();
        self.each_stretch(&filter, page.oldest_first, lengths, &mut |stretch, way| {
            let left = limit.saturating_sub(rows.len() as u64);
            let page = Page { limit: Some(left), ..*page };
            let Condition { sql, values } = statements::list(stretch, &page, way);
            rows.extend(self.rows(&sql, &values)?);
            Ok((rows.len() as u64) < limit)
        })?;
        Ok(rows)
    }

    /// As [`Index::count_up_to`].
    pub(super) fn count_by_stretches(&self, filter: &Filter, max: u64) -> Result<u64, IndexError> {
        let by_words_alone = Filter { text: filter.text.clone(), ..Filter::default() } == *filter;
        if let (true, Some(count)) = (by_words_alone, statements::with_words(filter, i64::try_from(max).unwrap_or(-1)))
        {
            return Ok(u64::try_from(self.one(&count, |row| row.get::<_, i64>(0))?).unwrap_or_default());
        }
        self.count_stretches(filter, max, &LENGTHS)
    }

    fn count_stretches(&self, filter: &Filter, max: u64, lengths: &[i64]) -> Result<u64, IndexError> {
        let mut count = 0;
        self.each_stretch(filter, false, lengths, &mut |stretch, way| {
            count += self.count_by(stretch, max - count, way)?;
            Ok(count < max)
        })?;
        Ok(count)
    }

    pub(super) fn count_by(&self, filter: &Filter, max: u64, way: Way) -> Result<u64, IndexError> {
        let max = i64::try_from(max).unwrap_or(-1);
        let count = self.one(&statements::count(filter, max, way), |row| row.get::<_, i64>(0))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Calls `each` with the filter of each stretch, in the order of the list, until it says that it is enough.
    fn each_stretch(
        &self,
        filter: &Filter,
        oldest_first: bool,
        lengths: &[i64],
        each: &mut dyn FnMut(&Filter, Way) -> Result<bool, IndexError>,
    ) -> Result<(), IndexError> {
        // Without a word nothing is found, which needs no stretches.
        let Some(query) = filter.text.as_deref().and_then(search_query) else {
            return each(filter, Way::Walk).map(drop);
        };
        let mut rest = filter.clone();
        for &length in lengths {
            let query = query.clone();
            let Some((edge, places)) = self.stretch(&rest, oldest_first, length)? else { break };
            // Not all of the time at which it ends may be in it: that time is left to the next one.
            let mut stretch = rest.clone();
            if oldest_first {
                (stretch.until, rest.since) = (Some(edge), Some(edge));
            } else {
                stretch.since = Some(edge.saturating_add(1));
                rest.until = stretch.since;
            }
            let has_words = self.one(&statements::has_words(query, places), |row| row.get(0))?;
            if has_words && !each(&stretch, Way::Among(places))? {
                return Ok(());
            }
        }
        each(&rest, Way::Walk).map(drop)
    }

    /// The time at which a stretch ends, and its first and last place; none where there are not so many.
    fn stretch(&self, rest: &Filter, oldest_first: bool, length: i64) -> Result<Option<(i64, [i64; 2])>, IndexError> {
        self.one(&statements::stretch(rest, oldest_first, length), |row| {
            if row.get::<_, i64>(1)? < length {
                return Ok(None);
            }
            Ok(Some((row.get(0)?, [row.get(2)?, row.get(3)?])))
        })
    }

    /// Counts those that have the words, a little way: whichever way is the shorter one.
    pub(super) fn way(&self, filter: &Filter) -> Result<Way, IndexError> {
        let Some(count) = statements::with_words(filter, FEW) else { return Ok(Way::Walk) };
        let count: i64 = self.one(&count, |row| row.get(0))?;
        Ok(if count < FEW { Way::Words } else { Way::Walk })
    }

    fn one<T>(
        &self,
        query: &Condition,
        mut read: impl FnMut(&Columns<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, IndexError> {
        self.ask(|index| index.prepare_cached(&query.sql)?.query_row(params_from_iter(&query.values), |row| read(row)))
    }
}

#[cfg(test)]
#[path = "stretches_tests.rs"]
mod tests;
