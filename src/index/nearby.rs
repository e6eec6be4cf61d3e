//! What a page asks about one exchange and about all: its neighbours, what there is to choose from, whether anything
//! changed.

use super::filter::Condition;
use super::statements::{self, Way};
use super::{Cursor, Filter, Index, IndexError, Page, Row};

/// What the values of filters are taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// Users of the proxy.
    User,
    /// Models asked for and models that answered.
    Model,
    /// Languages of ghost text.
    Language,
    /// Editors, without version.
    Editor,
    /// Hosts.
    Host,
}

impl Field {
    /// As the table `choices` has it.
    pub(super) fn number(self) -> i64 {
        match self {
            Self::User => 1,
            Self::Model => 2,
            Self::Language => 3,
            Self::Editor => 4,
            Self::Host => 5,
        }
    }
}

impl Index {
    /// How many exchanges a filter has, or `max` where there are at least so many: counting ends there.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn count_up_to(&self, filter: &Filter, max: u64) -> Result<u64, IndexError> {
        match self.way(filter)? {
            Way::Walk if filter.text.is_some() && max < u64::MAX => self.count_by_stretches(filter, max),
            way => self.count_by(filter, max, way),
        }
    }

    /// The next newer and the next older exchange of a filter; the row itself need not be one of it.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn neighbours(&self, filter: &Filter, row: &Row) -> Result<(Option<Row>, Option<Row>), IndexError> {
        let next = |oldest_first| {
            let page = Page { limit: Some(1), after: Some(Cursor::of(row)), offset: 0, oldest_first };
            Ok(self.list(filter, &page)?.pop())
        };
        Ok((next(true)?, next(false)?))
    }

    /// The exchanges of the same session (`VScode-SessionId`), oldest first: the `limit` nearest in time, the row itself
    /// among them. Where a client names no session: what the same user, client and editor sent within an hour.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn session_of(&self, row: &Row, limit: u64) -> Result<Vec<Row>, IndexError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).max(1);
        // Nearer ones cannot lie beyond so many on one side.
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut found = vec![row.clone()];
        for earlier in [true, false] {
            let Condition { sql, values } = match &row.session {
                Some(session) => statements::session_of(row, session, earlier, most),
                None => statements::hour_of(row, earlier, most),
            };
            found.extend(self.rows(&sql, &values)?);
        }
        // The row itself has the distance 0, and a stable sort leaves it first.
        found.sort_by_key(|other| other.began.abs_diff(row.began));
        found.truncate(limit);
        found.sort_by(|one, other| (one.began, &one.id).cmp(&(other.began, &other.id)));
        Ok(found)
    }

    /// The requests that share this `X-Interaction-Id`, oldest first: the first thousand.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn of_interaction(&self, interaction: &str) -> Result<Vec<Row>, IndexError> {
        let Condition { sql, values } = statements::of_interaction(interaction);
        self.rows(&sql, &values)
    }

    /// The values that exchanges have in a field, sorted: the first `max`. One whose last record has gone since the index
    /// was made may be among them.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn values(&self, field: Field, max: u64) -> Result<Vec<String>, IndexError> {
        let sql = "SELECT text FROM choices JOIN names USING (number) WHERE field = ? ORDER BY text LIMIT ?";
        let max = i64::try_from(max).unwrap_or(i64::MAX);
        self.ask(|index| index.prepare_cached(sql)?.query_map([field.number(), max], |row| row.get(0))?.collect())
    }

    /// A number that is another one when exchanges came or went, and when the index was made anew: what was figured out
    /// from the index may be kept as long as it stays.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn mark(&self) -> Result<i64, IndexError> {
        let sql = "SELECT number, gone, (SELECT coalesce(max(seq), 0) FROM exchanges) FROM generation";
        let counts: [i64; 3] = self
            .ask(|index| index.prepare_cached(sql)?.query_row([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?])))?;
        // FNV's way of mixing: three counters in one number, where no two states that follow each other are the same.
        Ok(counts.iter().fold(0, |mixed: i64, count| mixed.wrapping_mul(0x0100_0000_01b3) ^ count))
    }
}
