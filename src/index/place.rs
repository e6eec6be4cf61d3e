//! Where the index lies, and how its file is replaced while others have it open.
//!
//! A SQLite file in WAL mode is three files, and the second and third are found by name: whoever opens the first while
//! it is replaced could take the others' of the new one. So opening and replacing exclude each other by a lock. Who has
//! the old one open goes on with it: SQLite sees that its file has moved and leaves the new one's alone.

use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Result};
use rustix::fs::{FlockOperation, flock};

use super::schema;

/// An index that is open.
#[derive(Debug)]
pub(super) struct Database {
    pub(super) connection: Connection,
    home: Home,
}

#[derive(Debug)]
enum Home {
    /// Beside the logs: the file, by device and number.
    Logs([u64; 2], Mapped),
    /// Without a name, or in memory: gone with this process, however it ends.
    Nowhere,
}

/// Why an index beside the logs cannot be used as it is.
#[derive(Debug)]
pub(super) enum Unusable {
    /// There is none.
    Missing,
    /// Another version wrote it, or another program.
    Version(i64),
    /// SQLite cannot use it.
    Sqlite(rusqlite::Error),
}

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => f.write_str("there was none"),
            Self::Version(version) => write!(f, "it was not of this version (form {version})"),
            Self::Sqlite(error) => write!(f, "it could not be used: {error}"),
        }
    }
}

impl From<rusqlite::Error> for Unusable {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// The name of the index below the logs.
pub(super) const NAME: &str = "index.sqlite";
/// Held by the recorder while it keeps the index up to date.
const LIVE: &str = ".index.live";
/// Another process writes for as long as a large transaction lasts, on a slow disk.
const BUSY: Duration = Duration::from_secs(30);

impl Database {
    /// Opens the index beside the logs.
    pub(super) fn open(logs: &Path) -> Result<Self, Unusable> {
        let path = logs.join(NAME);
        let _swap = lock_folder(logs, FlockOperation::LockShared);
        // Not before: between an old one and a new one there is none.
        if !path.exists() {
            return Err(Unusable::Missing);
        }
        Self::open_locked(&path)
    }

    /// As [`Database::open`], under a lock that the caller holds.
    pub(super) fn open_locked(path: &Path) -> Result<Self, Unusable> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | NO_MUTEX)?;
        configure(&connection)?;
        let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let (application, version) = (number("application_id")?, number("user_version")?);
        if (application, version) != (schema::APPLICATION, schema::VERSION) {
            return Err(Unusable::Version(version));
        }
        // Now SQLite has its other two files open as well.
        connection.query_row("SELECT number FROM generation", [], |row| row.get::<_, i64>(0))?;
        let number = inode(path).unwrap_or_default();
        Ok(Self { connection, home: Home::Logs(number, Mapped::of(path)) })
    }

    /// Whether somebody put another index in the place of this one.
    pub(super) fn was_replaced(&self, logs: &Path) -> bool {
        match self.home {
            Home::Logs(known, _) => inode(&logs.join(NAME)).is_none_or(|now| now != known),
            Home::Nowhere => false,
        }
    }

    /// Whether it lies beside the logs, where the recorder writes to it.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self.home, Home::Logs(..))
    }

    /// To be called before the connection is used by a process that must not end: see [`Mapped`]. `true`: it was
    /// necessary, and the database is to be opened again, because SQLite's locks on the file are gone with it.
    pub(super) fn mend(&self) -> bool {
        matches!(&self.home, Home::Logs(_, mapped) if mapped.mend())
    }

    pub(super) fn generation(&self) -> Result<i64> {
        self.connection.query_row("SELECT number FROM generation", [], |row| row.get(0))
    }

    /// A place in memory.
    pub(super) fn in_memory() -> Result<Self> {
        let connection = Connection::open_in_memory()?;
        Ok(Self { connection, home: Home::Nowhere })
    }

    /// A place in the system's folder for temporary files.
    pub(super) fn temporary() -> io::Result<Result<Self>> {
        let file = tempfile::Builder::new().prefix("copilot-recorder-index-").tempfile()?.into_temp_path();
        let opened =
            Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_WRITE | NO_MUTEX).and_then(|connection| {
                // SQLite opens a file when it is first asked for something.
                connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
                Ok(Self { connection, home: Home::Nowhere })
            });
        // A killed process would leave the words of prompts behind: open files need no name.
        file.close()?;
        Ok(opened)
    }
}

impl Drop for Database {
    /// Closing it is a use.
    fn drop(&mut self) {
        self.mend();
    }
}

/// The third of SQLite's files, which it maps into memory. Should somebody make it shorter in its place (an old copy of
/// the logs is copied over them), the system would end the process at its next look there. Made as long again it is
/// only wrong, and that SQLite finds. (A moment remains, while it is being used; only an index without this file would
/// have none.)
#[derive(Debug)]
struct Mapped {
    path: PathBuf,
    number: Option<[u64; 2]>,
    /// It only grows.
    length: Cell<u64>,
}

impl Mapped {
    fn of(database: &Path) -> Self {
        let mut path = database.as_os_str().to_owned();
        path.push("-shm");
        let path = PathBuf::from(path);
        let mapped = Self { number: inode(&path), path, length: Cell::new(0) };
        mapped.mend();
        mapped
    }

    fn mend(&self) -> bool {
        let Ok(about) = std::fs::metadata(&self.path) else { return false };
        if Some([about.dev(), about.ino()]) != self.number {
            // Ours was replaced whole: what is mapped is the old one.
            return false;
        }
        let known = self.length.get();
        self.length.set(known.max(about.len()));
        if about.len() >= known {
            return false;
        }
        // Closing any descriptor of a file ends all POSIX locks that the process has on it.
        let file = OpenOptions::new().write(true).open(&self.path);
        // Should that fail, nothing else is left to be done.
        let _ = file.and_then(|file| file.set_len(known));
        true
    }
}

/// Each connection is used by one thread at a time.
const NO_MUTEX: OpenFlags = OpenFlags::SQLITE_OPEN_NO_MUTEX;

/// For everyday use.
fn configure(connection: &Connection) -> Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -16000; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;",
    )
}

/// An index in the making, beside the one in use.
pub(super) struct Draft {
    path: PathBuf,
    /// Locked, so that another process can tell it from one that was left behind.
    file: File,
}

impl Draft {
    pub(super) fn create(logs: &Path) -> io::Result<Self> {
        remove_stale(logs);
        for number in 0..1_000 {
            let path = logs.join(format!("{DRAFT}{}-{number}.new", std::process::id()));
            let file = match OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                file => file?,
            };
            flock(&file, FlockOperation::LockExclusive)?;
            // Before it was locked another process may have taken it for one that was left behind.
            let about = file.metadata()?;
            if inode(&path) == Some([about.dev(), about.ino()]) {
                return Ok(Self { path, file });
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// For one writer and no reader: what is not finished is thrown away.
    pub(super) fn connect(&self) -> Result<Connection> {
        let connection = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE | NO_MUTEX)?;
        prepare(&connection)?;
        Ok(connection)
    }

    /// Waits for the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Puts it into the place of the index and opens it there, under the lock of [`lock_to_swap`].
    pub(super) fn publish(self, logs: &Path, _swap: Option<File>) -> io::Result<Result<Database, Unusable>> {
        self.sync()?;
        let path = logs.join(NAME);
        // The main file first: without it the others mean nothing, with a new one they would be taken for its own.
        for end in ["", "-wal", "-shm", "-journal"] {
            match std::fs::remove_file(logs.join(format!("{NAME}{end}"))) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        std::fs::rename(&self.path, &path)?;
        Ok(Database::open_locked(&path))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Gone already when it was published.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Settings of a connection that fills an index anew.
pub(super) fn prepare(connection: &Connection) -> Result<()> {
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -64000; PRAGMA trusted_schema = OFF;",
    )
}

const DRAFT: &str = ".index-";

/// Removes drafts of processes that were killed: they hold the words of prompts, and may be large.
pub(super) fn remove_stale(logs: &Path) {
    let Ok(entries) = std::fs::read_dir(logs) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(DRAFT)
            && name.ends_with(".new")
            && let Ok(file) = File::open(entry.path())
            && flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok()
        {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Says to readers that one index is kept up to date, as long as it lives.
#[derive(Debug)]
pub(super) struct Live {
    _lock: File,
}

impl Live {
    /// Says so of the index of this generation: another one that is put in its place is not meant.
    pub(super) fn declare(logs: &Path, generation: i64) -> io::Result<Self> {
        let mut open = OpenOptions::new();
        let mut file = open.read(true).write(true).create(true).truncate(false).mode(0o600).open(logs.join(LIVE))?;
        // Whoever asks holds it too, for a moment: it is waited for.
        flock(&file, FlockOperation::LockExclusive)?;
        file.set_len(0)?;
        file.write_all(generation.to_string().as_bytes())?;
        Ok(Self { _lock: file })
    }

    /// Whether somebody keeps the index of this generation up to date now. Many may ask at once, and none is taken for
    /// the other's answer.
    pub(super) fn is_declared(logs: &Path, generation: i64) -> bool {
        let Ok(mut file) = File::open(logs.join(LIVE)) else { return false };
        let mut text = String::new();
        flock(&file, FlockOperation::NonBlockingLockShared) == Err(rustix::io::Errno::WOULDBLOCK)
            && file.read_to_string(&mut text).is_ok()
            && text == generation.to_string()
    }
}

/// While it is held nobody opens or replaces the index.
pub(super) fn lock_to_swap(logs: &Path) -> Option<File> {
    lock_folder(logs, FlockOperation::LockExclusive)
}

/// Which file is the index now, if there is one.
pub(super) fn current(logs: &Path) -> Option<[u64; 2]> {
    inode(&logs.join(NAME))
}

/// Locks the folder itself: that needs no right to write, and leaves no file behind. Where the file system has no locks,
/// SQLite's own do not work either, and nobody else should be there.
fn lock_folder(logs: &Path, operation: FlockOperation) -> Option<File> {
    let folder = File::open(logs).ok()?;
    flock(&folder, operation).ok()?;
    Some(folder)
}

fn inode(path: &Path) -> Option<[u64; 2]> {
    std::fs::metadata(path).ok().map(|about| [about.dev(), about.ino()])
}

/// Whether the file is to blame: it is made anew then. What is in it and should not be there is damage too.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::Error as E;
    match error {
        E::SqliteFailure(error, _) => matches!(
            error.code,
            ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::TypeMismatch
                | ErrorCode::Unknown
                | ErrorCode::ConstraintViolation
        ),
        E::SqlInputError { .. }
        | E::FromSqlConversionFailure(..)
        | E::IntegralValueOutOfRange(..)
        | E::Utf8Error(..)
        | E::InvalidColumnType(..)
        | E::QueryReturnedNoRows => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_for_a_recorder_is_not_taken_for_one() {
        let logs = tempfile::tempdir().expect("a temporary directory");
        assert!(!Live::is_declared(logs.path(), 7));
        let live = Live::declare(logs.path(), 7).expect("a writable folder");
        assert!(Live::is_declared(logs.path(), 7) && Live::is_declared(logs.path(), 7));
        drop(live);
        // All ask again and again, and somebody is always in the middle of it.
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..5_000).for_each(|_| assert!(!Live::is_declared(logs.path(), 7))));
            }
        });
    }
}
