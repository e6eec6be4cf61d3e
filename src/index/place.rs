//! Where the index lies, and how its file is replaced while others have it open.
//!
//! A SQLite file in WAL mode is three files, and the second and third are found by name: whoever opens the first while
//! it is replaced could take the others' of the new one. So opening and replacing exclude each other by a lock. Who has
//! the old one open goes on with it: SQLite sees that its file has moved and leaves the new one's alone.

use std::fs::{File, OpenOptions};
use std::io;
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
    Logs([u64; 2]),
    /// Removed when the index is closed.
    Temporary {
        _file: tempfile::TempPath,
    },
    Memory,
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

    fn open_locked(path: &Path) -> Result<Self, Unusable> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | NO_MUTEX)?;
        configure(&connection)?;
        let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let (application, version) = (number("application_id")?, number("user_version")?);
        if (application, version) != (schema::APPLICATION, schema::VERSION) {
            return Err(Unusable::Version(version));
        }
        // Now SQLite has its other two files open as well.
        connection.query_row("SELECT number FROM generation", [], |row| row.get::<_, i64>(0))?;
        let inode = inode(path).unwrap_or_default();
        Ok(Self { connection, home: Home::Logs(inode) })
    }

    /// Whether somebody put another index in the place of this one.
    pub(super) fn was_replaced(&self, logs: &Path) -> bool {
        match self.home {
            Home::Logs(known) => inode(&logs.join(NAME)).is_none_or(|now| now != known),
            Home::Temporary { .. } | Home::Memory => false,
        }
    }

    /// Whether it lies beside the logs, where the recorder writes to it.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self.home, Home::Logs(_))
    }

    pub(super) fn generation(&self) -> Result<i64> {
        self.connection.query_row("SELECT number FROM generation", [], |row| row.get(0))
    }

    /// A place in memory.
    pub(super) fn in_memory() -> Result<Self> {
        let connection = Connection::open_in_memory()?;
        Ok(Self { connection, home: Home::Memory })
    }

    /// A place in the system's folder for temporary files.
    pub(super) fn temporary() -> io::Result<Result<Self>> {
        let file = tempfile::Builder::new().prefix("copilot-recorder-index-").tempfile()?.into_temp_path();
        Ok(Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_WRITE | NO_MUTEX)
            .map(|connection| Self { connection, home: Home::Temporary { _file: file } }))
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
        let mut number = 0;
        let (path, file) = loop {
            let path = logs.join(format!("{DRAFT}{}-{number}.new", std::process::id()));
            match OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 1_000 => {}
                file => {
                    let file = file?;
                    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                        // Before it was locked, who tidies up may have taken it for one that was left behind.
                        Err(rustix::io::Errno::WOULDBLOCK) if number < 1_000 => {}
                        Ok(()) if number < 1_000 && !path.exists() => {}
                        locked => {
                            locked?;
                            break (path, file);
                        }
                    }
                }
            }
            number += 1;
        };
        Ok(Self { path, file })
    }

    /// For one writer and no reader: what is not finished is thrown away.
    pub(super) fn connect(&self) -> Result<Connection> {
        let connection = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE | NO_MUTEX)?;
        prepare(&connection)?;
        Ok(connection)
    }

    /// Puts it into the place of the index and opens it there.
    pub(super) fn publish(self, logs: &Path) -> io::Result<Result<Database, Unusable>> {
        self.file.sync_data()?;
        let _swap = lock_folder(logs, FlockOperation::LockExclusive);
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

/// Removes drafts of processes that were killed.
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

/// Says to readers that the index is kept up to date, as long as it lives.
#[derive(Debug)]
pub(super) struct Live {
    _lock: File,
}

impl Live {
    pub(super) fn declare(logs: &Path) -> io::Result<Self> {
        let mut open = OpenOptions::new();
        let file = open.read(true).write(true).create(true).truncate(false).mode(0o600).open(logs.join(LIVE))?;
        flock(&file, FlockOperation::LockShared)?;
        Ok(Self { _lock: file })
    }

    /// Whether somebody keeps the index up to date now.
    pub(super) fn is_declared(logs: &Path) -> bool {
        let Ok(file) = File::open(logs.join(LIVE)) else { return false };
        flock(&file, FlockOperation::NonBlockingLockExclusive) == Err(rustix::io::Errno::WOULDBLOCK)
    }
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
