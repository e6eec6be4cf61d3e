//! Takes files into the index, and out of it. What the tables hold afterwards depends on the files that were taken in,
//! not on the order.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use rusqlite::{Connection, OptionalExtension, Result, ToSql, params};

use super::EventRow;
use super::columns::{self, Id, bind_event, bind_row, id, marks};
use super::digest::Digest;
use super::facts::{self, Packer};
use super::feed::{self, AGAIN, Entry, Key, Outcome, Stamp};
use super::names::Numbers;
use super::narrow;

/// Writes in transactions of some size: each costs a little, and others wait while it lasts.
pub(super) struct Batch<'c> {
    connection: &'c Connection,
    logs: &'c Path,
    most: usize,
    waiting: usize,
    /// Nothing was in the index at the beginning: nothing can have changed, and copies of events are marked at the end.
    fresh: bool,
    numbers: RefCell<Numbers>,
}

impl<'c> Batch<'c> {
    pub(super) fn new(connection: &'c Connection, logs: &'c Path, most: usize, fresh: bool) -> Self {
        Self { connection, logs, most, waiting: 0, fresh, numbers: RefCell::default() }
    }

    /// Takes a file in as it is now.
    pub(super) fn put(&mut self, entry: &Entry) -> Result<()> {
        self.begin()?;
        self.put_now(entry)?;
        self.step()
    }

    /// Takes a file out.
    pub(super) fn remove(&mut self, key: &Key) -> Result<()> {
        self.begin()?;
        self.detach(key)?;
        self.step()
    }

    /// Ends the last transaction.
    pub(super) fn finish(mut self) -> Result<()> {
        self.commit()
    }

    fn begin(&self) -> Result<()> {
        // The lock is taken at once: one that only reads first could not write when another wrote meanwhile.
        if self.waiting == 0 { self.connection.execute_batch("BEGIN IMMEDIATE") } else { Ok(()) }
    }

    fn step(&mut self) -> Result<()> {
        self.waiting += 1;
        if self.waiting >= self.most { self.commit() } else { Ok(()) }
    }

    fn commit(&mut self) -> Result<()> {
        if std::mem::take(&mut self.waiting) == 0 {
            return Ok(());
        }
        self.connection.execute_batch("COMMIT")
    }

    fn put_now(&self, entry: &Entry) -> Result<()> {
        if !self.fresh {
            let known = self.known(&entry.key)?;
            // Another process took it in already.
            if known == Some(entry.stamp) && entry.stamp.mtime != AGAIN {
                return Ok(());
            }
            if known.is_some() {
                self.detach(&entry.key)?;
            }
        }
        let (found, problem) = match &entry.outcome {
            Outcome::Record(digest) => (Some(id(&digest.row.id)), None),
            Outcome::Problem(problem) => (None, Some(super::digest::shortened(problem, PROBLEM_MAX))),
            Outcome::Gone => return Ok(()),
        };
        let sql = "INSERT OR REPLACE INTO files(folder, name, size, mtime, id, problem) VALUES (?, ?, ?, ?, ?, ?)";
        let Key { folder, name } = &entry.key;
        let values = params![folder, name, entry.stamp.size, entry.stamp.mtime, found, problem];
        self.connection.prepare_cached(sql)?.execute(values)?;
        match &entry.outcome {
            Outcome::Record(digest) => self.attach(digest),
            _ => Ok(()),
        }
    }

    fn known(&self, key: &Key) -> Result<Option<Stamp>> {
        let sql = "SELECT size, mtime FROM files WHERE folder = ? AND name = ?";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement
            .query_row(params![key.folder, key.name], |row| Ok(Stamp { size: row.get(0)?, mtime: row.get(1)? }))
            .optional()
    }

    /// Of several files with the same id, the first by path is the exchange.
    fn attach(&self, digest: &Digest) -> Result<()> {
        let record = id(&digest.row.id);
        match self.owner(&record)? {
            Some((_, file)) if file < digest.row.file => return Ok(()),
            Some((seq, _)) => self.drop_exchange(seq, &record)?,
            None => {}
        }
        let mut statement = self.connection.prepare_cached(&INSERT_ROW)?;
        let seq = bind_row(&digest.row, |values| statement.insert(values))?;
        narrow::put(self.connection, &mut self.numbers.borrow_mut(), seq, &record, &digest.row)?;
        let fact =
            Packer::new(self.connection, &mut self.numbers.borrow_mut()).request(&facts::request(&digest.row))?;
        let sql = "INSERT INTO request_facts(record, fact) VALUES (?, ?)";
        self.connection.prepare_cached(sql)?.execute(params![record, fact])?;
        if !(digest.prompt.is_empty() && digest.answer.is_empty()) {
            let sql = "INSERT INTO texts(rowid, prompt, answer) VALUES (?, ?, ?)";
            self.connection.prepare_cached(sql)?.execute(params![seq, digest.prompt, digest.answer])?;
        }
        self.insert_events(&record, digest)
    }

    fn insert_events(&self, record: &Id, digest: &Digest) -> Result<()> {
        if digest.events.is_empty() {
            return Ok(());
        }
        let mut statement = self.connection.prepare_cached(&INSERT_EVENT)?;
        for event in &digest.events {
            bind_event(event, |values| statement.execute(values))?;
        }
        pack_events(self.connection, &mut self.numbers.borrow_mut(), record, &digest.events)?;
        if self.fresh {
            return Ok(());
        }
        self.mark_copies(digest.events.iter().filter_map(|event| event.unique_id.as_deref()).collect())
    }

    fn owner(&self, record: &Id) -> Result<Option<(i64, String)>> {
        let mut statement = self.connection.prepare_cached("SELECT seq, file FROM exchanges WHERE id = ?")?;
        statement.query_row([record], |row| Ok((row.get(0)?, row.get(1)?))).optional()
    }

    /// Forgets a file; if it was the exchange, another file with the same id is now.
    fn detach(&self, key: &Key) -> Result<()> {
        let sql = "DELETE FROM files WHERE folder = ? AND name = ? RETURNING id";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found = statement.query_row(params![key.folder, key.name], |row| row.get::<_, Option<Vec<u8>>>(0));
        let Some(record) = found.optional()?.flatten() else { return Ok(()) };
        let record = Id(uuid::Uuid::from_slice(&record).unwrap_or_default());
        match self.owner(&record)? {
            Some((seq, file)) if file == key.path() => self.drop_exchange(seq, &record)?,
            _ => return Ok(()),
        }
        while let Some(next) = self.next_owner(&record)? {
            if self.take_over(&next, &record)? {
                break;
            }
        }
        Ok(())
    }

    fn next_owner(&self, record: &Id) -> Result<Option<Key>> {
        let sql = "SELECT folder, name FROM files WHERE id = ?
            ORDER BY CASE folder WHEN '' THEN name ELSE folder || '/' || name END LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.query_row([record], |row| Ok(Key { folder: row.get(0)?, name: row.get(1)? })).optional()
    }

    /// Whether it did.
    fn take_over(&self, next: &Key, record: &Id) -> Result<bool> {
        match feed::entry(self.logs, Path::new(&next.path())).outcome {
            Outcome::Record(digest) if digest.row.id == record.0.to_string() => self.attach(&digest).map(|()| true),
            // It changed, or went too: the next look at its folder takes that in.
            _ => {
                let sql = "UPDATE files SET mtime = ?, id = NULL, problem = 'changed' WHERE folder = ? AND name = ?";
                self.connection.prepare_cached(sql)?.execute(params![AGAIN, next.folder, next.name]).map(|_| false)
            }
        }
    }

    fn drop_exchange(&self, seq: i64, record: &Id) -> Result<()> {
        let mut statement =
            self.connection.prepare_cached("DELETE FROM events WHERE record = ? RETURNING unique_id")?;
        let touched = statement.query_map([record], |row| columns::Reader::new(row).code())?;
        let touched: BTreeSet<String> = touched.filter_map(Result::transpose).collect::<Result<_>>()?;
        self.connection.prepare_cached("DELETE FROM texts WHERE rowid = ?")?.execute([seq])?;
        narrow::remove(self.connection, seq, record)?;
        self.connection.prepare_cached("DELETE FROM exchanges WHERE seq = ?")?.execute([seq])?;
        self.connection.prepare_cached("UPDATE generation SET gone = gone + 1")?.execute([])?;
        self.connection.prepare_cached("DELETE FROM request_facts WHERE record = ?")?.execute([record])?;
        self.connection.prepare_cached("DELETE FROM event_facts WHERE record = ?")?.execute([record])?;
        if self.fresh { Ok(()) } else { self.mark_copies(touched.iter().map(String::as_str).collect()) }
    }

    /// Of the copies of an event, that of the earliest record counts, whichever came first.
    fn mark_copies(&self, touched: BTreeSet<&str>) -> Result<()> {
        let sql =
            "UPDATE events SET is_first = 1 - is_first WHERE unique_id = ?1 AND is_first <> ((record, ordinal) = (
                SELECT record, ordinal FROM events WHERE unique_id = ?1 ORDER BY record, ordinal LIMIT 1
            )) RETURNING record";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut changed = BTreeSet::new();
        for unique in touched {
            for record in statement.query_map([columns::Code(unique)], |row| row.get::<_, Vec<u8>>(0))? {
                changed.insert(record?);
            }
        }
        let mut numbers = self.numbers.borrow_mut();
        changed.iter().try_for_each(|record| repack(self.connection, &mut numbers, record))
    }
}

/// Packs the events of records anew of which some are copies: they were packed as if they were not.
pub(super) fn repack_copies(connection: &Connection) -> Result<()> {
    let mut statement = connection.prepare("SELECT DISTINCT record FROM events WHERE NOT is_first")?;
    let records: Vec<Vec<u8>> = statement.query_map([], |row| row.get(0))?.collect::<Result<_>>()?;
    let mut numbers = Numbers::default();
    connection.execute_batch("BEGIN IMMEDIATE")?;
    records.iter().try_for_each(|record| repack(connection, &mut numbers, record))?;
    connection.execute_batch("COMMIT")
}

fn repack(connection: &Connection, numbers: &mut Numbers, record: &[u8]) -> Result<()> {
    let sql = format!("SELECT {} FROM events WHERE record = ? AND is_first ORDER BY ordinal", columns::EVENT);
    let mut statement = connection.prepare_cached(&sql)?;
    let events: Vec<EventRow> = statement.query_map([record], columns::event)?.collect::<Result<_>>()?;
    connection.prepare_cached("DELETE FROM event_facts WHERE record = ?")?.execute([record])?;
    pack_events(connection, numbers, &record, &events)
}

fn pack_events(connection: &Connection, numbers: &mut Numbers, record: &dyn ToSql, events: &[EventRow]) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let mut packer = Packer::new(connection, numbers);
    events.iter().try_for_each(|event| packer.event(&facts::event(event)))?;
    let sql = "INSERT INTO event_facts(record, facts) VALUES (?, ?)";
    connection.prepare_cached(sql)?.execute(params![record, packer.finish()]).map(drop)
}

impl Drop for Batch<'_> {
    /// What failed halfway must not be there halfway.
    fn drop(&mut self) {
        if self.waiting > 0 || !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }
}

static INSERT_ROW: LazyLock<String> =
    LazyLock::new(|| format!("INSERT INTO exchanges({}) VALUES ({})", columns::ROW, marks(columns::ROW)));

/// A copy until it is found to be one counts as the first.
static INSERT_EVENT: LazyLock<String> =
    LazyLock::new(|| format!("INSERT INTO events({}, is_first) VALUES ({}, 1)", columns::EVENT, marks(columns::EVENT)));

/// One line on what is wrong.
const PROBLEM_MAX: usize = 300;
