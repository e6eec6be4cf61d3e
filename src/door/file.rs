//! The book's file beside the logs, read as if somebody else had written it.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ledger::Ledger;
use super::{Contents, Pair, UpstreamError};

/// Below the logs. Readers of records leave out what begins with a dot.
const NAME: &str = ".door.json";
/// Renamed to [`NAME`] when it is whole.
const DRAFT: &str = ".door.json.new";
/// A damaged one, of which the last is kept for whoever wants to know.
const ASIDE: &str = ".door.json.damaged";
/// Raised when the form changes.
const FORM: u32 = 1;
/// A full book has half of it.
const MOST_BYTES: u64 = 128 << 20;

/// Why the book's file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// The system says no.
    #[error("the door book {path} cannot be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The system says no.
    #[error("the door book {path} cannot be written")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is not what we write.
    #[error("the door book {path} is damaged")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
}

#[derive(Deserialize)]
struct Found {
    form: u32,
    begun: i64,
    as_of: i64,
    pairs: Vec<Pair>,
    #[serde(default)]
    dropped: u64,
    #[serde(default)]
    errors: Vec<UpstreamError>,
}

#[derive(Serialize)]
struct Written<'c> {
    form: u32,
    begun: i64,
    as_of: i64,
    pairs: Vec<&'c Pair>,
    dropped: u64,
    errors: &'c VecDeque<UpstreamError>,
}

pub(super) fn read(logs: &Path) -> Result<Option<Contents>, BookError> {
    let path = logs.join(NAME);
    let mut bytes = Vec::new();
    match File::open(&path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes)) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(BookError::Read { path, source }),
    }
    parse(&bytes).map(Some).ok_or(BookError::Damaged { path })
}

/// The book in a file's bytes, within our bounds; none where they are no book.
pub(super) fn parse(bytes: &[u8]) -> Option<Contents> {
    let found = serde_json::from_slice::<Found>(bytes).ok().filter(|found| found.form == FORM)?;
    let Found { begun, as_of, pairs, dropped, errors, .. } = found;
    let pairs = pairs.into_iter().map(Arc::new).collect();
    Some(Ledger::of(Contents { begun, as_of, pairs, dropped, errors: errors.into() }).contents())
}

/// A file's text.
pub(super) fn print(contents: &Contents, out: impl Write) -> serde_json::Result<()> {
    let written = Written {
        form: FORM,
        begun: contents.begun,
        as_of: contents.as_of,
        pairs: contents.pairs.iter().map(AsRef::as_ref).collect(),
        dropped: contents.dropped,
        errors: &contents.errors,
    };
    serde_json::to_writer(out, &written)
}

/// Replaces the file as a whole, so that a reader sees the one or the other.
pub(super) fn write(logs: &Path, contents: &Contents) -> Result<(), BookError> {
    let draft = logs.join(DRAFT);
    let all = || -> io::Result<()> {
        // For the owner alone, as the records are: it says who works when, and from where.
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        let mut file = BufWriter::new(file);
        print(contents, &mut file)?;
        file.flush()?;
        file.get_ref().sync_data()?;
        std::fs::rename(&draft, logs.join(NAME))
    };
    all().map_err(|source| BookError::Write { path: logs.join(NAME), source })
}

/// Whether it could be.
pub(super) fn put_aside(logs: &Path) -> bool {
    std::fs::rename(logs.join(NAME), logs.join(ASIDE)).is_ok()
}
