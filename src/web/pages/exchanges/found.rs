//! What the index has for a page, and what the files of its rows say.

use std::path::Path;

use super::wanted::Place;
use crate::index::{Cursor, Field, Filter, Index, IndexError, Page, Row};
use crate::review::search::snippet;
use crate::review::words::{Snippet, Words};

/// Rows of a page: two screens.
pub(super) const ROWS: usize = 50;
/// Exchanges are counted up to here; beyond, nobody needs to know.
pub(super) const COUNTED: u64 = 10_000;
/// Values that a field offers: a list that can still be read.
const CHOICES: u64 = 200;
/// Letters of a snippet: two lines.
const LETTERS: usize = 160;
/// Bodies that are looked into for one page, in bytes: what is read and understood in a tenth of a second.
const LOOKED_INTO: u64 = 8 << 20;

/// One page of a list.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) rows: Vec<Row>,
    /// The pages beside this one, in the order of the list.
    pub(super) before: Option<Place>,
    pub(super) after: Option<Place>,
    /// How many there are, counted up to [`COUNTED`].
    pub(super) count: u64,
    /// There is nothing at all, filtered or not.
    pub(super) is_empty_index: bool,
}

impl Found {
    /// Asks for the page at a place.
    pub(super) fn ask(index: &Index, filter: &Filter, place: Place, oldest_first: bool) -> Result<Self, IndexError> {
        let list = |after, oldest_first| {
            // One more than is shown tells whether there is another page.
            let page = Page { limit: Some(ROWS as u64 + 1), after, offset: 0, oldest_first };
            index.list(filter, &page)
        };
        let mut found = Self::default();
        let mut place = place;
        if let Place::Before(cursor) = place {
            let mut rows = list(Some(cursor), !oldest_first)?;
            if rows.len() > ROWS {
                rows.truncate(ROWS);
                rows.reverse();
                found.before = rows.first().map(|row| Place::Before(Cursor::of(row)));
                found.after = rows.last().map(|row| Place::After(Cursor::of(row)));
                found.rows = rows;
            } else {
                // It is the first page, with what may have come to it since.
                place = Place::First;
            }
        }
        if !matches!(place, Place::Before(_)) {
            let after = if let Place::After(cursor) = place { Some(cursor) } else { None };
            let mut rows = list(after, oldest_first)?;
            let is_last = rows.len() <= ROWS;
            rows.truncate(ROWS);
            found.after = rows.last().filter(|_| !is_last).map(|row| Place::After(Cursor::of(row)));
            found.before = match (after, rows.first()) {
                (None, _) => None,
                (Some(_), Some(first)) => Some(Place::Before(Cursor::of(first))),
                // The rows that were there are gone.
                (Some(_), None) => Some(Place::First),
            };
            found.rows = rows;
        }
        let is_all = found.before.is_none() && found.after.is_none();
        found.count = if is_all { found.rows.len() as u64 } else { index.count_up_to(filter, COUNTED)? };
        found.is_empty_index = found.count == 0 && index.count_up_to(&Filter::default(), 1)? == 0;
        Ok(found)
    }
}

/// What fields offer, in the order of [`Choices::NAMES`].
#[derive(Clone, Debug, Default)]
pub(super) struct Choices(Vec<Vec<String>>);

impl Choices {
    const NAMES: [(&'static str, Field); 5] = [
        ("user", Field::User),
        ("model", Field::Model),
        ("language", Field::Language),
        ("editor", Field::Editor),
        ("host", Field::Host),
    ];

    pub(super) fn ask(index: &Index) -> Result<Self, IndexError> {
        let all = Self::NAMES.iter().map(|(_, field)| index.values(*field, CHOICES));
        all.collect::<Result<_, _>>().map(Self)
    }

    /// Those of a parameter.
    pub(super) fn of(&self, name: &str) -> &[String] {
        let at = Self::NAMES.iter().position(|(known, _)| *known == name);
        at.and_then(|at| self.0.get(at)).map_or(&[], Vec::as_slice)
    }
}

/// Where the words stand in the records of these rows: none where the record is too large to be looked into here, has
/// gone, or has them only in other letters.
pub(super) fn snippets(logs: &Path, rows: &[Row], words: &Words) -> Vec<Option<Snippet>> {
    let mut room = LOOKED_INTO;
    let mut look = |row: &Row| {
        let size = row.request_size.saturating_add(row.response_size);
        let left = room.checked_sub(size)?;
        room = left;
        snippet(logs, row, words, LETTERS)
    };
    rows.iter().map(&mut look).collect()
}
