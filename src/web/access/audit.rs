//! The audit log: who looked at whose contents, when, and from where.
//!
//! One JSON object a line in `LOGS/audit/YYYY-MM-DD.jsonl`, the day in UTC. What is one's own is not written down. A
//! line is written before the contents are sent: a look that is not in the file has not been had.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use tokio::task::spawn_blocking;
use tracing::warn;

use super::Viewer;
use crate::index::Row;

/// Below the folder of the records; the archive does not look into it.
const FOLDER: &str = "audit";

/// Records named in one line: some 40 KB.
const MOST_IDS: usize = 1000;

/// Characters of a question or a name in a line. A question comes from an address, which is not longer than some KB.
const MOST_TEXT: usize = 1000;

/// A record whose contents are about to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The record's id.
    pub id: String,
    /// The user of the proxy whose record it is.
    pub of: Option<String>,
}

impl Seen {
    /// A record that the index knows.
    #[must_use]
    pub fn of_row(row: &Row) -> Self {
        Self { id: row.id.clone(), of: row.user.clone() }
    }
}

/// The look could not be written down, so there must be none: 503.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The audit log cannot be written, so no contents are shown: {0}")]
pub struct NotWritten(String);

/// Writes the audit log. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Audit(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    strict: bool,
    /// What the last write failed with. Held while writing, so that lines of this process come one after the other.
    trouble: Mutex<Option<String>>,
}

/// A line, in the order of its fields.
#[derive(Serialize)]
struct Line<'a> {
    at: &'a str,
    who: Option<&'a str>,
    from: IpAddr,
    what: &'static str,
    ids: &'a [&'a str],
    of: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<&'a str>,
}

impl Audit {
    /// Below the folder of the records. `strict`: without a line there is no look. That is so where a login is asked;
    /// on one's own machine a folder that cannot be written, a mounted copy say, may still be read.
    #[must_use]
    pub fn below(logs: &Path, strict: bool) -> Self {
        Self(Arc::new(Inner { folder: logs.join(FOLDER), strict, trouble: Mutex::default() }))
    }

    /// Writes down that the viewer is about to see contents of these records. `what` is shown: `exchange`, `body`,
    /// `record`, `har`, `diff`, `conversation`, `search`, `stream`; `query` is what was searched for. Records of the
    /// viewer's own are left out. Waits for the disk, beside the runtime.
    ///
    /// # Errors
    /// Where it could not be written and must be: show nothing then, and answer 503.
    pub async fn look(
        &self,
        viewer: &Viewer,
        what: &'static str,
        records: Vec<Seen>,
        query: Option<&str>,
    ) -> Result<(), NotWritten> {
        let now = Utc::now();
        let lines = lines(viewer, what, &records, query, now);
        if lines.is_empty() {
            return Ok(());
        }
        let inner = Arc::clone(&self.0);
        let written = spawn_blocking(move || inner.write(&lines, now)).await;
        written.unwrap_or_else(|failure| Err(NotWritten(failure.to_string())))
    }

    /// What the last write failed with; for the page Health.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Inner {
    fn write(&self, lines: &[String], now: DateTime<Utc>) -> Result<(), NotWritten> {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let error = match append(&self.folder, lines, now) {
            Ok(()) => {
                *trouble = None;
                return Ok(());
            }
            Err(error) => error.to_string(),
        };
        if trouble.as_ref() != Some(&error) {
            let then = if self.strict { "no contents are shown" } else { "contents are shown all the same" };
            warn!("audit log in {}: {error}; {then}", self.folder.display());
            *trouble = Some(error.clone());
        }
        if self.strict { Err(NotWritten(error)) } else { Ok(()) }
    }
}

/// The lines for a look: one for each user whose records they are, more where there are very many.
fn lines(
    viewer: &Viewer,
    what: &'static str,
    records: &[Seen],
    query: Option<&str>,
    now: DateTime<Utc>,
) -> Vec<String> {
    let mut by_user: BTreeMap<Option<&str>, Vec<&str>> = BTreeMap::new();
    for record in records {
        let own = record.of.is_some() && record.of.as_deref() == viewer.name.as_deref();
        if !own {
            by_user.entry(record.of.as_deref()).or_default().push(cut(&record.id));
        }
    }
    let at = now.to_rfc3339_opts(SecondsFormat::Micros, true);
    let line = |of: Option<&str>, ids: &[&str]| {
        let line = Line {
            at: &at,
            who: viewer.name.as_deref(),
            from: viewer.from,
            what,
            ids,
            of: of.map(cut),
            query: query.map(cut),
        };
        // JSON has no control characters in strings, so a line is one line whatever a name holds.
        serde_json::to_string(&line).map(|line| line + "\n").unwrap_or_default()
    };
    let by_user = by_user.iter();
    by_user.flat_map(|(of, ids)| ids.chunks(MOST_IDS).map(|ids| line(*of, ids)).collect::<Vec<_>>()).collect()
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(MOST_TEXT).map_or(text, |(at, _)| &text[..at])
}

/// The file is opened for each look, so that it may be moved away at any time.
fn append(folder: &Path, lines: &[String], now: DateTime<Utc>) -> io::Result<()> {
    let path = folder.join(now.format("%Y-%m-%d.jsonl").to_string());
    let open = || OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&path);
    let mut file = match open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // Not the folder of the records: who has misspelt it must not find it made.
            DirBuilder::new().mode(0o700).create(folder).or_else(unless_there)?;
            open()?
        }
        opened => opened?,
    };
    // Until the file is closed: another process may write too, the page of a folder that is being recorded into. A file
    // system that knows no locks keeps whole lines apart all the same.
    let _ = file.lock();
    if !ends_in_newline(&mut file)? {
        // A disk that was full, or a machine that went down: what was cut off must not spoil the next line.
        file.write_all(b"\n")?;
    }
    // One write each: with O_APPEND, lines of two processes do not mix.
    lines.iter().try_for_each(|line| file.write_all(line.as_bytes()))
}

fn unless_there(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) }
}

fn ends_in_newline(file: &mut std::fs::File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
