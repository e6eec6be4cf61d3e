//! Makes an index from the files, and brings one up to date with them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::{Connection, ErrorCode, Result, params};

use super::feed::{Outcome, feed};
use super::look::{Changes, Failed, look};
use super::place::{self, Database, Draft, NAME};
use super::write::{Batch, repack_copies};
use super::{IndexError, Progress, Report, schema};

/// How it is done: by how many threads, and for how long.
pub(super) struct Work<'w> {
    pub(super) threads: usize,
    /// Set from outside to end it early; what was done until then stays, and the rest is found again.
    pub(super) stop: &'w AtomicBool,
    pub(super) progress: &'w mut dyn FnMut(Progress),
}

/// As many as there are processors; more would only fight for the disk.
pub(super) fn all_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(8)
}

/// Opens the index and brings it up to date, or makes it anew where it cannot be used.
pub(super) fn open(logs: &Path, work: &mut Work<'_>) -> Result<(Database, Report), IndexError> {
    place::remove_stale(logs);
    let unusable = match Database::open(logs) {
        Ok(database) => {
            // A recorder that keeps it up to date knows what it wrote: no need to look.
            let generation = database.generation().map_err(|source| sqlite(logs, source))?;
            if place::Live::is_declared(logs, generation) {
                listable(logs)?;
                let report = report(&database.connection).map_err(|source| sqlite(logs, source))?;
                return Ok((database, report));
            }
            match catch_up(&database.connection, logs, work) {
                Ok(report) => return Ok((database, report)),
                // Damaged, or the disk is full: a new one, or one elsewhere, is no worse.
                Err(Failed::Sqlite(error)) => place::Unusable::Sqlite(error),
                Err(failed) => return Err(failed.into_error(logs)),
            }
        }
        Err(unusable) => unusable,
    };
    listable(logs)?;
    let (database, mut report) = rebuild(logs, work)?;
    report.rebuilt.get_or_insert_with(|| unusable.to_string());
    Ok((database, report))
}

fn listable(logs: &Path) -> Result<(), IndexError> {
    std::fs::read_dir(logs).map(drop).map_err(|source| IndexError::Logs { path: logs.to_owned(), source })
}

/// Makes the index anew: beside the logs, else among temporary files, else in memory. `Report::rebuilt` is set where
/// it is not beside the logs.
pub(super) fn rebuild(logs: &Path, work: &mut Work<'_>) -> Result<(Database, Report), IndexError> {
    listable(logs)?;
    let why = match rebuild_beside(logs, work) {
        Ok(done) => return Ok(done),
        Err(Failed::Logs(error)) => error.to_string(),
        Err(Failed::Sqlite(error)) => match error.sqlite_error_code() {
            Some(
                ErrorCode::DiskFull
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::SystemIoFailure,
            ) => error.to_string(),
            _ => return Err(sqlite(logs, error)),
        },
    };
    let elsewhere = match Database::temporary() {
        Ok(Ok(database)) => fill_in_place(database, logs, work),
        Ok(Err(error)) => Err(Failed::Sqlite(error)),
        Err(error) => Err(Failed::Logs(error)),
    };
    let (database, mut report) = match elsewhere {
        Ok(done) => done,
        Err(_) => {
            let database = Database::in_memory().map_err(|source| sqlite(logs, source))?;
            fill_in_place(database, logs, work).map_err(|failed| failed.into_error(logs))?
        }
    };
    report.rebuilt = Some(format!("it is kept for this command only, because it cannot lie beside the logs: {why}"));
    Ok((database, report))
}

fn rebuild_beside(logs: &Path, work: &mut Work<'_>) -> Result<(Database, Report), Failed> {
    let before = place::current(logs);
    let draft = Draft::create(logs).map_err(Failed::Logs)?;
    let connection = draft.connect()?;
    let report = fill(&connection, logs, work)?;
    // Before the lock, for which all who open the index wait.
    draft.sync().map_err(Failed::Logs)?;
    let swap = place::lock_to_swap(logs);
    let theirs = if place::current(logs) == before { None } else { Database::open_locked(&logs.join(NAME)).ok() };
    let database = match theirs {
        // Another made one anew meanwhile, the recorder beside its page: in the place of that one, ours would be told
        // to whoever watches as news once more, and readers might see what was there go again.
        Some(theirs) => {
            drop(swap);
            theirs
        }
        None => {
            // SQLite's other files come with the first use, and are those of the new place.
            connection.close().map_err(|(_, error)| error)?;
            draft.publish(logs, swap).map_err(Failed::Logs)?.map_err(|unusable| match unusable {
                place::Unusable::Sqlite(error) => Failed::Sqlite(error),
                other => Failed::Logs(io::Error::other(other.to_string())),
            })?
        }
    };
    // While it was made, others may have written records, and taken them into the index that was here before.
    let mut silent = |_| ();
    let late = catch_up(&database.connection, logs, &mut Work { threads: 1, stop: work.stop, progress: &mut silent })?;
    Ok((database, Report { read: report.read + late.read, ..late }))
}

fn fill_in_place(database: Database, logs: &Path, work: &mut Work<'_>) -> Result<(Database, Report), Failed> {
    place::prepare(&database.connection)?;
    let report = fill(&database.connection, logs, work)?;
    Ok((database, report))
}

/// Fills an empty file. The texts' index keeps its newest words in memory until they are so many.
fn fill(connection: &Connection, logs: &Path, work: &mut Work<'_>) -> Result<Report, Failed> {
    schema::create(connection, super::now())?;
    connection.execute("INSERT INTO texts(texts, rank) VALUES ('hashsize', ?)", [32 << 20])?;
    let changes = look(connection, logs)?;
    let read = apply(connection, logs, &changes, work, true)?;
    // Of a million files the names are as large as what SQLite now sorts.
    drop(changes);
    connection.execute("INSERT INTO texts(texts, rank) VALUES ('hashsize', ?)", [1 << 20])?;
    schema::finish(connection)?;
    repack_copies(connection)?;
    Ok(Report { read, ..report(connection)? })
}

/// Brings an index up to date.
pub(super) fn catch_up(connection: &Connection, logs: &Path, work: &mut Work<'_>) -> Result<Report, Failed> {
    let changes = look(connection, logs)?;
    let read = apply(connection, logs, &changes, work, false)?;
    Ok(Report { read, ..report(connection)? })
}

fn apply(
    connection: &Connection,
    logs: &Path,
    changes: &Changes,
    work: &mut Work<'_>,
    fresh: bool,
) -> Result<u64, Failed> {
    let mut batch = Batch::new(connection, logs, if fresh { BULK } else { SHARED }, fresh);
    for key in &changes.gone {
        batch.remove(key)?;
    }
    let total = changes.read.len() as u64;
    let mut done = 0;
    if total > 0 {
        // Before the threads that read are made: they get the niceness that this one has then, and whoever is told how
        // much is to be read may lower it.
        (work.progress)(Progress { done, total });
    }
    feed(logs, &changes.read, work.threads, work.stop, &mut |entry| -> Result<()> {
        match entry.outcome {
            Outcome::Gone => batch.remove(&entry.key)?,
            _ => batch.put(&entry)?,
        }
        done += 1;
        if done % 64 == 0 || done == total {
            (work.progress)(Progress { done, total });
        }
        Ok(())
    })?;
    batch.finish()?;
    // Only now: a folder that is remembered is not listed again.
    if !work.stop.load(Ordering::Relaxed) {
        match remember(connection, changes) {
            // Nothing was to be written but this, which only spares work.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ReadOnly) => {}
            done => done?,
        }
    }
    Ok(done)
}

fn remember(connection: &Connection, changes: &Changes) -> Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let all = || -> Result<()> {
        let mut forget = connection.prepare_cached("DELETE FROM folders WHERE path = ?")?;
        for folder in &changes.gone_folders {
            forget.execute([folder])?;
        }
        let sql = "INSERT OR REPLACE INTO folders(path, mtime, problem) VALUES (?, ?, ?)";
        let mut store = connection.prepare_cached(sql)?;
        for folder in &changes.folders {
            store.execute(params![folder.path, folder.mtime, folder.problem])?;
        }
        Ok(())
    };
    let end = all().and_then(|()| connection.execute_batch("COMMIT"));
    if end.is_err() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    end
}

/// Records in one transaction, where nobody else waits for the file.
const BULK: usize = 10_000;
/// Where somebody may: the recorder's writer of the index, another command.
const SHARED: usize = 500;

/// What the index has, and what could not be read.
pub(super) fn report(connection: &Connection) -> Result<Report> {
    let records = connection.query_row("SELECT count(*) FROM exchanges", [], |row| row.get::<_, i64>(0))?;
    let mut report = Report { records: u64::try_from(records).unwrap_or_default(), ..Report::default() };
    each_problem(connection, &mut |path, problem| {
        report.skipped_total += 1;
        if report.skipped.len() < NAMED {
            report.skipped.push((path, problem));
        }
    })?;
    Ok(report)
}

/// Problems that a report names: more than anybody reads.
const NAMED: usize = 1_000;

/// Files and folders that could not be read, by path.
pub(super) fn each_problem(connection: &Connection, each: &mut dyn FnMut(PathBuf, String)) -> Result<()> {
    let sql = "SELECT CASE folder WHEN '' THEN name ELSE folder || '/' || name END AS path, problem FROM files
            WHERE problem IS NOT NULL
        UNION ALL SELECT path, problem FROM folders WHERE problem IS NOT NULL ORDER BY path";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        each(PathBuf::from(row.get::<_, String>(0)?), row.get(1)?);
    }
    Ok(())
}

impl Failed {
    pub(super) fn into_error(self, logs: &Path) -> IndexError {
        match self {
            Self::Logs(source) => IndexError::Logs { path: logs.to_owned(), source },
            Self::Sqlite(source) => sqlite(logs, source),
        }
    }

    /// The same for those who only tell it.
    pub(super) fn into_io(self) -> io::Error {
        match self {
            Self::Logs(error) => error,
            Self::Sqlite(error) => io::Error::other(error),
        }
    }
}

pub(super) fn sqlite(logs: &Path, source: rusqlite::Error) -> IndexError {
    IndexError::Sqlite { path: logs.join(NAME), source }
}
