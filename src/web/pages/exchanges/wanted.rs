//! What somebody wants to see, from the query of the URL and back: the filters of the command line, and beside them how
//! the rows are shown.

use chrono::{DateTime, FixedOffset, Offset, Utc};

use super::columns::Column;
use crate::index::{Cursor, Filter};
use crate::review::params::{FieldError, FilterParams};
use crate::review::query::{pairs, query};
use crate::review::values;
use crate::review::words::Words;

/// The page as it was asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// The filters as they were typed.
    pub(super) params: FilterParams,
    /// What the table shows beside the time; empty is the usual.
    pub(super) columns: Vec<Column>,
    /// Oldest first instead of newest first.
    pub(super) oldest_first: bool,
    /// Where in the list.
    pub(super) place: Place,
    /// The clock by which times are shown and read, as it was typed; none is UTC.
    pub(super) utc_offset: Option<String>,
    /// What is wrong with any of these.
    errors: Vec<FieldError>,
}

/// Where in a list a page lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Place {
    /// At its beginning.
    #[default]
    First,
    /// Behind a row.
    After(Cursor),
    /// Before a row.
    Before(Cursor),
}

/// What is asked of the index.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) filter: Filter,
    /// What is looked for in the texts, if anything is.
    pub(super) words: Option<Words>,
}

/// Parameters of this page that are no filters.
const OTHERS: [&str; 5] = ["columns", "order", "after", "before", "utc-offset"];

impl Wanted {
    /// Reads the query of a URL.
    pub(super) fn of_query(text: &str) -> Self {
        let mut wanted = Self { params: FilterParams::of_query(text, &OTHERS), ..Self::default() };
        for (name, value) in pairs(text) {
            let value = value.trim();
            if value.is_empty() || !OTHERS.contains(&name.as_str()) {
                continue;
            }
            if let Err(sentence) = wanted.set(&name, value) {
                wanted.errors.push(FieldError { field: name, value: value.to_owned(), sentence });
            }
        }
        wanted
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let cursor = || value.parse::<Cursor>().map_err(|error| error.to_string());
        match name {
            "columns" => {
                for key in value.split(',').map(str::trim).filter(|key| !key.is_empty()) {
                    let column = Column::of(key)?;
                    if !self.columns.contains(&column) {
                        self.columns.push(column);
                    }
                }
            }
            "order" => {
                self.oldest_first = match value {
                    "oldest" => true,
                    "newest" => false,
                    _ => return Err("write newest or oldest".to_owned()),
                }
            }
            "after" => self.place = Place::After(cursor()?),
            "before" => self.place = Place::Before(cursor()?),
            _ => {
                values::utc_offset(value)?;
                self.utc_offset = Some(value.to_owned());
            }
        }
        Ok(())
    }

    /// What to ask the index for.
    ///
    /// # Errors
    /// All that makes no sense.
    pub(super) fn question(&self, now: DateTime<Utc>) -> Result<Question, Vec<FieldError>> {
        let mut errors = self.errors.clone();
        let filter = self.params.filter(&now.with_timezone(&self.zone())).map_err(|wrong| errors.extend(wrong)).ok();
        let words = self.params.text.as_deref().map(Words::of);
        if words.as_ref().is_some_and(Words::is_empty) {
            errors.push(FieldError {
                field: "text".to_owned(),
                value: self.params.text.clone().unwrap_or_default(),
                sentence: "it has no word to look for: letters or digits are needed".to_owned(),
            });
        }
        match filter {
            Some(filter) if errors.is_empty() => Ok(Question { filter, words }),
            _ => Err(errors),
        }
    }

    /// The clock by which times are shown and read.
    pub(super) fn zone(&self) -> FixedOffset {
        self.utc_offset.as_deref().and_then(|text| values::utc_offset(text).ok()).unwrap_or_else(|| Utc.fix())
    }

    /// The columns that are shown.
    pub(super) fn shown(&self) -> Vec<Column> {
        if self.columns.is_empty() { Column::USUAL.to_vec() } else { self.columns.clone() }
    }

    /// The address of this view at another place of the list.
    pub(super) fn at(&self, place: Place) -> String {
        Self { place, ..self.clone() }.address()
    }

    /// The address of this view with the other end of the list first.
    pub(super) fn turned(&self) -> String {
        Self { oldest_first: !self.oldest_first, ..self.clone() }.at(Place::First)
    }

    /// The address of this view with one filter left out.
    pub(super) fn without(&self, name: &str) -> String {
        let all = self.params.pairs();
        let others = query(all.iter().filter(|(known, _)| *known != name).map(|(name, value)| (*name, value.as_str())));
        Self { params: FilterParams::of_query(&others, &[]), ..self.clone() }.at(Place::First)
    }

    /// The address of this view: each parameter once, in one order.
    pub(super) fn address(&self) -> String {
        let mut all = self.params.pairs();
        all.extend(self.view());
        match self.place {
            Place::First => {}
            Place::After(cursor) => all.push(("after", cursor.to_string())),
            Place::Before(cursor) => all.push(("before", cursor.to_string())),
        }
        if all.is_empty() {
            return PATH.to_owned();
        }
        format!("{PATH}?{}", query(all.iter().map(|(name, value)| (*name, value.as_str()))))
    }

    /// How the rows are shown, where that is not as usual.
    fn view(&self) -> Vec<(&'static str, String)> {
        let keys = self.columns.iter().map(|column| column.key()).collect::<Vec<_>>().join(",");
        let is_usual = self.shown() == Column::USUAL;
        let columns = (!is_usual).then_some(("columns", keys));
        let order = self.oldest_first.then(|| ("order", "oldest".to_owned()));
        let offset = self.utc_offset.clone().map(|offset| ("utc-offset", offset));
        [columns, order, offset].into_iter().flatten().collect()
    }
}

/// Whether a form without script sent this: fields that were left empty, boxes with the same name. Such an address is
/// exchanged for one that can be passed on.
pub(super) fn is_of_form(text: &str) -> bool {
    let all = pairs(text);
    let is_twice = |at: usize| all[..at].iter().any(|(name, _)| *name == all[at].0);
    all.iter().enumerate().any(|(at, (_, value))| value.trim().is_empty() || is_twice(at))
}

/// The page's path.
pub(super) const PATH: &str = "/exchanges";
