//! What is asked of an index.

use std::path::{Path, PathBuf};

use rusqlite::types::{Type, Value};
use rusqlite::{Row as Columns, params_from_iter};

use super::columns::{self, Reader};
use super::filter::Condition;
use super::names::Texts;
use super::statements::Way;
use super::{
    EventFact, EventRow, Filter, Index, IndexError, Located, Page, RequestFact, Row, build, facts, statements,
};
use crate::archive;

impl Index {
    /// The exchanges of a filter, by time. `filter.text`: words must all be there, the last one may go on; a text in
    /// double quotes is a phrase. Punctuation separates words.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn list(&self, filter: &Filter, page: &Page) -> Result<Vec<Row>, IndexError> {
        let way = self.way(filter)?;
        if let (Way::Walk, Some(limit), 0, Some(_)) = (way, page.limit, page.offset, &filter.text) {
            return self.list_by_stretches(filter, page, limit);
        }
        let Condition { sql, values } = statements::list(filter, page, way);
        self.rows(&sql, &values)
    }

    /// How many there are.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn count(&self, filter: &Filter) -> Result<u64, IndexError> {
        self.count_up_to(filter, u64::MAX)
    }

    /// Calls `each` for every exchange of the filter, oldest first, without holding them all.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn each_row(&self, filter: &Filter, each: &mut dyn FnMut(Row)) -> Result<(), IndexError> {
        let all = Page { oldest_first: true, ..Page::default() };
        let Condition { sql, values } = statements::list(filter, &all, self.way(filter)?);
        self.stream(&sql, &values, &mut |row| {
            each(columns::row(row)?);
            Ok(())
        })
    }

    /// The exchange whose id begins so, or whose file this is.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn find(&self, id: &str) -> Result<Located, IndexError> {
        let (row, tail) = (columns::ROW, "ORDER BY id LIMIT 11");
        if let Some([first, last]) = id_range(id) {
            let sql = format!("SELECT {row} FROM exchanges WHERE id BETWEEN ? AND ? {tail}");
            let bounds = [first, last].map(|id| Value::Blob(id.to_vec()));
            let found = self.rows(&sql, &bounds)?;
            if !found.is_empty() {
                return Ok(located(found));
            }
        }
        let sql = format!(
            "SELECT {row} FROM exchanges WHERE id = (SELECT id FROM files WHERE folder = ? AND name = ?) {tail}"
        );
        for path in self.below(Path::new(id)) {
            let key = super::feed::Key::of(&path);
            let found = self.rows(&sql, &[Value::Text(key.folder), Value::Text(key.name)])?;
            if !found.is_empty() {
                return Ok(located(found));
            }
        }
        Ok(Located::None)
    }

    /// What a path that somebody typed may be called in the index.
    fn below(&self, path: &Path) -> Vec<PathBuf> {
        let whole = path.canonicalize().ok().zip(self.logs.canonicalize().ok());
        let whole = whole.and_then(|(path, logs)| path.strip_prefix(logs).map(Path::to_owned).ok());
        let typed = path.strip_prefix(&self.logs).unwrap_or(path).to_owned();
        let paths = whole.into_iter().chain([typed]);
        paths.flat_map(|path| [archive::masked_key(&path), Some(path)]).flatten().collect()
    }

    /// The exchange whose answer has this id (`resp_…`): what a `previous_response_id` refers to. Of several, the
    /// latest.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn answered(&self, response_id: &str) -> Result<Option<Row>, IndexError> {
        let Condition { sql, values } = statements::answered(response_id);
        Ok(self.rows(&sql, &values)?.pop())
    }

    /// The exchanges that go on from the answer with this id, oldest first: mostly one, more where a client tried again
    /// or turned back. At most 20.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn following(&self, response_id: &str) -> Result<Vec<Row>, IndexError> {
        let Condition { sql, values } = statements::following(response_id);
        self.rows(&sql, &values)
    }

    /// The telemetry that speaks of an exchange: by `headerRequestId`, and then by the suggestions named there. Each
    /// event once, by time.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn events_of(&self, request_id: &str) -> Result<Vec<EventRow>, IndexError> {
        let sql = format!(
            "SELECT {} FROM events WHERE is_first AND (request_id = ?1 OR completion IN (
                SELECT completion FROM events WHERE request_id = ?1 AND completion IS NOT NULL
            )) ORDER BY time, record, ordinal",
            columns::EVENT
        );
        self.ask(|index| index.prepare_cached(&sql)?.query_map([columns::Code(request_id)], columns::event)?.collect())
    }

    /// Exchanges that came into the index after `mark`, in the order of their coming, and the new mark. `None`: the
    /// mark of now, without rows. Where the index was made anew meanwhile nobody can say which came since: the newest
    /// [`ANEW_MAX`] by time, most of which the caller knows.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn arrived(&self, mark: Option<i64>) -> Result<(Vec<Row>, i64), IndexError> {
        self.refresh()?;
        // In milliseconds and 15 bits of them: two that follow each other are the same once in many thousands.
        let generation = (self.ask(|_| self.database.borrow().generation())? / 1_000_000) & 0x7fff;
        let last: i64 =
            self.ask(|index| index.query_row("SELECT coalesce(max(seq), 0) FROM exchanges", [], |row| row.get(0)))?;
        let now = generation << SEQ_BITS | last;
        let Some(mark) = mark else { return Ok((Vec::new(), now)) };
        if mark >> SEQ_BITS != generation {
            let newest = Page { limit: Some(ANEW_MAX), ..Page::default() };
            let mut rows = self.list(&Filter::default(), &newest)?;
            rows.reverse();
            return Ok((rows, now));
        }
        let sql = format!("SELECT {} FROM exchanges WHERE seq > ? AND seq <= ? ORDER BY seq", columns::ROW);
        let after = mark & ((1 << SEQ_BITS) - 1);
        // What was taken out again must not bring the mark back.
        Ok((self.rows(&sql, &[Value::Integer(after), Value::Integer(last)])?, now.max(mark)))
    }

    /// Who is who: calls `each` for every pair of `tid` and proxy user that exchanges with a token show.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn each_person(&self, each: &mut dyn FnMut(&str, &str)) -> Result<(), IndexError> {
        let sql = "SELECT DISTINCT tid, user FROM exchanges
            WHERE tid IS NOT NULL AND user IS NOT NULL AND kind <> 'telemetry' ORDER BY tid, user";
        self.stream(sql, &[], &mut |row| {
            let mut next = Reader::new(row);
            let (tid, user) = (next.name()?, next.name()?);
            each(tid, user);
            Ok(())
        })
    }

    /// Calls `each` for the few facts that figures need of each exchange of the filter, in no particular order.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn each_request(&self, filter: &Filter, each: &mut dyn FnMut(&RequestFact<'_>)) -> Result<(), IndexError> {
        let Condition { sql, values } = statements::requests(filter, self.way(filter)?);
        self.stream_facts(&sql, &values, &mut |packed, texts, given| {
            facts::unpack_request(packed, texts, |fact| {
                if given.is_new() {
                    each(fact);
                }
            })
        })
    }

    /// Calls `each` for every telemetry event whose time is in the span, each event once (by `unique_id`), in no
    /// particular order.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn each_event(
        &self,
        since: Option<i64>,
        until: Option<i64>,
        each: &mut dyn FnMut(&EventFact<'_>),
    ) -> Result<(), IndexError> {
        let is_in = |time| since.is_none_or(|since| time >= since) && until.is_none_or(|until| time < until);
        self.stream_facts(statements::EVENTS, &[], &mut |packed, texts, given| {
            facts::unpack_events(packed, texts, &mut |fact| {
                if given.is_new() && is_in(fact.time) {
                    each(fact);
                }
            })
        })
    }

    /// Files and folders that could not be read, and why.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn skipped(&self) -> Result<Vec<(PathBuf, String)>, IndexError> {
        self.ask(|index| {
            let mut all = Vec::new();
            build::each_problem(index, &mut |path, problem| all.push((path, problem)))?;
            Ok(all)
        })
    }

    pub(super) fn rows(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>, IndexError> {
        self.ask(|index| index.prepare_cached(sql)?.query_map(params_from_iter(values), columns::row)?.collect())
    }

    /// Hands rows on as SQLite gives them.
    fn stream(
        &self,
        sql: &str,
        values: &[Value],
        each: &mut dyn FnMut(&Columns<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), IndexError> {
        let mut given = Given::default();
        self.ask(|index| {
            given.again();
            let mut statement = index.prepare_cached(sql)?;
            let mut rows = statement.query(params_from_iter(values))?;
            while let Some(row) = rows.next()? {
                if given.is_new() {
                    each(row)?;
                }
            }
            Ok(())
        })
    }

    /// Hands packed facts on. `each` says with [`Given`] which of those in one value were handed on before, and returns
    /// none when the value is damaged.
    fn stream_facts(&self, sql: &str, values: &[Value], each: &mut EachPacked<'_>) -> Result<(), IndexError> {
        let mut given = Given::default();
        self.ask(|index| {
            given.again();
            let mut statement = index.prepare_cached(sql)?;
            let mut rows = statement.query(params_from_iter(values))?;
            let mut texts = None;
            while let Some(row) = rows.next()? {
                let texts = match &texts {
                    Some(texts) => texts,
                    None => texts.insert(Texts::load(index)?),
                };
                each(row.get_ref(0)?.as_blob()?, texts, &mut given).ok_or_else(damaged)?;
            }
            Ok(())
        })
    }
}

/// What is done with one packed value.
type EachPacked<'e> = dyn FnMut(&[u8], &Texts, &mut Given) -> Option<()> + 'e;

/// Counts what was handed on. An index made anew in the middle gives the same in the same order: what was handed on
/// before is left out.
#[derive(Default)]
struct Given {
    given: u64,
    at: u64,
}

impl Given {
    /// From the beginning.
    fn again(&mut self) {
        self.at = 0;
    }

    /// Whether the next one is to be handed on.
    fn is_new(&mut self) -> bool {
        self.at += 1;
        let is_new = self.at > self.given;
        self.given = self.given.max(self.at);
        is_new
    }
}

/// Nobody asks more often from one answer by hand; what a loop does is listed no further.
pub(super) const FOLLOWERS_MAX: usize = 20;

/// What arrives within the second or two between two looks of somebody who follows, on the busiest box.
pub const ANEW_MAX: u64 = 1_000;

/// Bits of a mark that count arrivals; those above are the index's generation.
pub(super) const SEQ_BITS: u32 = 48;

/// What is packed there is not what we pack.
fn damaged() -> rusqlite::Error {
    rusqlite::Error::InvalidColumnType(0, "fact".to_owned(), Type::Blob)
}

fn located(mut rows: Vec<Row>) -> Located {
    match rows.len() {
        0 => Located::None,
        1 => rows.pop().map_or(Located::None, |row| Located::One(Box::new(row))),
        _ => {
            rows.truncate(10);
            Located::Several(rows)
        }
    }
}

/// The first and the last id that begin so, with hyphens or without.
fn id_range(prefix: &str) -> Option<[[u8; 16]; 2]> {
    let digits: Vec<u8> = prefix.trim().bytes().filter(|byte| *byte != b'-').collect();
    if digits.is_empty() || digits.len() > 32 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let bound = |fill: u8| {
        let mut all = [fill; 32];
        for (to, from) in all.iter_mut().zip(&digits) {
            *to = *from;
        }
        std::str::from_utf8(&all).ok().and_then(|text| u128::from_str_radix(text, 16).ok()).map(u128::to_be_bytes)
    };
    Some([bound(b'0')?, bound(b'f')?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_of_an_id_is_a_range() {
        let [first, last] = id_range("0193A6-d1").unwrap();
        assert_eq!((first[..4].to_vec(), first[4..].to_vec()), (vec![1, 0x93, 0xa6, 0xd1], vec![0; 12]));
        assert_eq!(last[4..], [0xff; 12]);
        assert_eq!(id_range("0").unwrap()[1][0], 0x0f);
        for none in ["", "-", "0x1", "g", "+1", &"0".repeat(33)] {
            assert_eq!(id_range(none), None, "{none}");
        }
    }
}
