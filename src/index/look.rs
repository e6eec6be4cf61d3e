//! What changed below the logs since the index was written.
//!
//! A folder's time of change moves when a file comes or goes, so a folder with the time that the index knows is not
//! listed. A record is never changed in its place: a file that somebody did change so is seen when its folder is
//! listed again, or by a rebuild.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, Result, params};

use super::feed::{self, AGAIN, Key, Stamp};
use crate::archive::{self, Entry};

/// A folder as it was when it was looked at.
pub(super) struct Folder {
    pub(super) path: String,
    pub(super) mtime: i64,
    pub(super) problem: Option<String>,
}

/// What is to be done.
#[derive(Default)]
pub(super) struct Changes {
    /// Files to read.
    pub(super) read: Vec<PathBuf>,
    /// Files that are not there any more.
    pub(super) gone: Vec<Key>,
    /// Folders that were listed, to be remembered once all else is done.
    pub(super) folders: Vec<Folder>,
    /// Folders that are not there any more.
    pub(super) gone_folders: Vec<String>,
}

/// Why the logs could not be looked at.
pub(super) enum Failed {
    Logs(io::Error),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

pub(super) fn look(connection: &Connection, logs: &Path) -> Result<Changes, Failed> {
    let mut looker = Looker {
        connection,
        logs,
        stored: stored(connection)?,
        children: HashMap::new(),
        listed: HashSet::new(),
        changes: Changes::default(),
    };
    for path in looker.stored.keys().filter(|path| !path.is_empty()) {
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        looker.children.entry(parent.to_owned()).or_default().push(path.clone());
    }
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        looker.folder(&folder, &mut folders)?;
    }
    looker.problems()?;
    looker.leftovers()?;
    // Names begin with the time: what is read in its order lies in its order in the index.
    looker.changes.read.sort_by(|one, other| name(one).cmp(name(other)));
    Ok(looker.changes)
}

/// The last part of a path. What [`Path::file_name`] says too, which a million comparisons would wait for.
fn name(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

fn stored(connection: &Connection) -> Result<HashMap<String, i64>> {
    let mut statement = connection.prepare("SELECT path, mtime FROM folders")?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

struct Looker<'l> {
    connection: &'l Connection,
    logs: &'l Path,
    /// Folders that the index knows; what is left at the end is gone.
    stored: HashMap<String, i64>,
    children: HashMap<String, Vec<String>>,
    listed: HashSet<String>,
    changes: Changes,
}

impl Looker<'_> {
    fn folder(&mut self, folder: &str, next: &mut Vec<String>) -> Result<(), Failed> {
        let before = self.stored.remove(folder);
        let mtime = match std::fs::metadata(self.logs.join(folder)) {
            Ok(about) => feed::mtime(&about),
            Err(error) if folder.is_empty() => return Err(Failed::Logs(error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.changes.gone_folders.push(folder.to_owned());
                return Ok(());
            }
            Err(error) => return self.closed(folder, &error),
        };
        if before == Some(mtime) {
            next.extend(self.children.remove(folder).unwrap_or_default());
            return Ok(());
        }
        // Before the listing: a file that the index knows then was there before it, and if it is not listed it is gone.
        let mut known = self.known(folder)?;
        let (mut found, mut unnamed) = (Vec::new(), Vec::new());
        let listed = archive::list(self.logs, Path::new(folder), &mut |entry| match entry {
            Entry::File(path) => found.push(path),
            Entry::Folder(path) => match path.to_str() {
                Some(path) => next.push(path.to_owned()),
                None => unnamed.push(path.to_string_lossy().into_owned()),
            },
        });
        match listed {
            Ok(()) => {}
            Err(error) if folder.is_empty() => return Err(Failed::Logs(error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return self.closed(folder, &error),
        }
        for path in unnamed {
            self.stored.remove(&path);
            let problem = Some("has a name that is not UTF-8".to_owned());
            self.changes.folders.push(Folder { path, mtime: AGAIN, problem });
        }
        for path in found {
            self.file(path, &mut known);
        }
        self.changes.gone.extend(known.into_keys().map(|name| Key { folder: folder.to_owned(), name }));
        self.listed.insert(folder.to_owned());
        let mtime = if is_settled(mtime) { mtime } else { AGAIN };
        self.changes.folders.push(Folder { path: folder.to_owned(), mtime, problem: None });
        Ok(())
    }

    /// What it held cannot be seen, and an index that is made anew would not have it.
    fn closed(&mut self, folder: &str, error: &io::Error) -> Result<(), Failed> {
        let known = self.known(folder)?;
        self.changes.gone.extend(known.into_keys().map(|name| Key { folder: folder.to_owned(), name }));
        self.listed.insert(folder.to_owned());
        let problem = Some(format!("cannot be listed: {error}"));
        self.changes.folders.push(Folder { path: folder.to_owned(), mtime: AGAIN, problem });
        Ok(())
    }

    fn known(&self, folder: &str) -> Result<HashMap<String, Stamp>> {
        let mut statement = self.connection.prepare_cached("SELECT name, size, mtime FROM files WHERE folder = ?")?;
        let stamp = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, Stamp { size: row.get(1)?, mtime: row.get(2)? }));
        statement.query_map([folder], stamp)?.collect()
    }

    fn file(&mut self, path: PathBuf, known: &mut HashMap<String, Stamp>) {
        let stamp = [Some(path.clone()), archive::masked_key(&path)]
            .into_iter()
            .flatten()
            .find_map(|key| known.remove(&Key::of(&key).name));
        if stamp.is_none() || stamp != Stamp::of(&self.logs.join(&path)).ok() {
            self.changes.read.push(path);
        }
    }

    /// Files that could not be read are looked at each time: a copy that is whole now, or rights that were given, do
    /// not move the folder's time.
    fn problems(&mut self) -> Result<()> {
        let sql = "SELECT folder, name, size, mtime FROM files WHERE problem IS NOT NULL";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let key = Key { folder: row.get(0)?, name: row.get(1)? };
            if self.listed.contains(&key.folder) {
                continue;
            }
            let stamp = Stamp { size: row.get(2)?, mtime: row.get(3)? };
            let path = archive::real_path(self.logs, Path::new(&key.path()));
            match Stamp::of(&self.logs.join(&path)) {
                // A name that is not UTF-8 is not the one that is known; when its file goes the folder's time moves.
                Err(error) if error.kind() == io::ErrorKind::NotFound && key.path().contains('\u{fffd}') => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => self.changes.gone.push(key),
                Ok(now) if now == stamp => {}
                _ => self.changes.read.push(path),
            }
        }
        Ok(())
    }

    /// Folders that the index knows and that were not met are gone, with all in them.
    fn leftovers(&mut self) -> Result<()> {
        let left = std::mem::take(&mut self.stored);
        self.changes.gone_folders.extend(left.into_keys());
        let mut statement = self.connection.prepare("SELECT name FROM files WHERE folder = ?")?;
        for folder in &self.changes.gone_folders {
            let names = statement.query_map(params![folder], |row| row.get(0))?;
            for name in names {
                self.changes.gone.push(Key { folder: folder.clone(), name: name? });
            }
        }
        Ok(())
    }
}

/// The clock of a file system ticks in up to two seconds: a file that comes within the tick of the listing does not
/// move the folder's time.
fn is_settled(mtime: i64) -> bool {
    let then = SystemTime::UNIX_EPOCH + Duration::from_nanos(u64::try_from(mtime).unwrap_or_default());
    SystemTime::now().duration_since(then).is_ok_and(|age| age > Duration::from_secs(2))
}
