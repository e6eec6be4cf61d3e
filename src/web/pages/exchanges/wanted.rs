//! What somebody wants to see, from the query of the URL and back: the filters of the command line, and beside them how
//! the rows are shown. It goes with the reader: the addresses of exchanges, of conversations and of comparisons have it
//! too, so that the way on and the way back are those of the same view. They are all made here.

use chrono::{DateTime, FixedOffset, Offset, SecondsFormat, Utc};

use super::columns::Column;
use crate::index::{Cursor, Filter, Row};
use crate::review::params::{FieldError, FilterParams, is_one_value};
use crate::review::query::{encoded, pairs, query};
use crate::review::values;
use crate::review::words::Words;

/// The page as it was asked for.
#[derive(Clone, Debug, Default)]
pub(in crate::web) struct Wanted {
    /// The filters as they were typed.
    pub(in crate::web) params: FilterParams,
    /// What the table shows beside the time; empty is the usual.
    pub(super) columns: Vec<Column>,
    /// Oldest first instead of newest first.
    pub(in crate::web) oldest_first: bool,
    /// Where in the list.
    pub(super) place: Place,
    /// The clock by which times are shown and read, as it was typed; none is UTC.
    pub(super) utc_offset: Option<String>,
    /// What is wrong with any of these.
    errors: Vec<FieldError>,
}

/// Where in a list a page lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::web) enum Place {
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
pub(in crate::web) struct Question {
    pub(in crate::web) filter: Filter,
    /// What is looked for in the texts, if anything is.
    pub(in crate::web) words: Option<Words>,
}

/// Parameters of this page that are no filters.
const OTHERS: [&str; 5] = ["columns", "order", "after", "before", "utc-offset"];

impl Wanted {
    /// Reads the query of a URL.
    pub(in crate::web) fn of_query(text: &str) -> Self {
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
    pub(in crate::web) fn question(&self, now: DateTime<Utc>) -> Result<Question, Vec<FieldError>> {
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
    pub(in crate::web) fn zone(&self) -> FixedOffset {
        self.utc_offset.as_deref().and_then(|text| values::utc_offset(text).ok()).unwrap_or_else(|| Utc.fix())
    }

    /// The clock, where it makes sense: for pages that filter nothing.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(in crate::web) fn clock(&self) -> Result<FixedOffset, &FieldError> {
        self.errors.iter().find(|error| error.field == "utc-offset").map_or_else(|| Ok(self.zone()), Err)
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
    pub(in crate::web) fn address(&self) -> String {
        self.beside(PATH.to_owned(), &[])
    }

    /// The address of an exchange, seen from this view.
    pub(in crate::web) fn exchange(&self, id: &str) -> String {
        self.beside(format!("{PATH}/{}", encoded(id)), &[])
    }

    /// The address of an exchange in its conversation.
    pub(in crate::web) fn conversation(&self, id: &str) -> String {
        self.beside(format!("/conversations/{}", encoded(id)), &[]) + "#here"
    }

    /// The address of a page of the conversation of an exchange.
    pub(in crate::web) fn conversation_page(&self, id: &str, page: usize) -> String {
        self.beside(format!("/conversations/{}", encoded(id)), &[("page", page.to_string())])
    }

    /// The address at which an exchange is compared: with another, or where that is chosen.
    pub(in crate::web) fn comparison(&self, id: &str, other: Option<&str>) -> String {
        let other = other.map(|other| format!("/{}", encoded(other))).unwrap_or_default();
        self.beside(format!("{PATH}/{}/diff{other}", encoded(id)), &[])
    }

    /// The address of what the same user sent in the hour before and after a row, shown as this view is. None where the
    /// user's name cannot stand in a list.
    pub(in crate::web) fn hour_around(&self, row: &Row) -> Option<String> {
        const HOUR: i64 = 3_600_000_000;
        let user = row.user.as_deref().unwrap_or("-");
        let time =
            |micros: i64| Some(DateTime::from_timestamp_micros(micros)?.to_rfc3339_opts(SecondsFormat::Secs, true));
        let (since, until) = (time(row.began.saturating_sub(HOUR))?, time(row.began.saturating_add(HOUR))?);
        let user = is_one_value(user).then(|| user.to_owned())?;
        let params =
            FilterParams { user: vec![user], since: Some(since), until: Some(until), ..FilterParams::default() };
        Some(Self { params, ..self.clone() }.at(Place::First))
    }

    /// A path with what is wanted of it, and this view behind that.
    fn beside(&self, path: String, of_path: &[(&'static str, String)]) -> String {
        let mut all = of_path.to_vec();
        all.extend(self.pairs());
        if all.is_empty() {
            return path;
        }
        format!("{path}?{}", query(all.iter().map(|(name, value)| (*name, value.as_str()))))
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut all = self.params.pairs();
        all.extend(self.view());
        match self.place {
            Place::First => {}
            Place::After(cursor) => all.push(("after", cursor.to_string())),
            Place::Before(cursor) => all.push(("before", cursor.to_string())),
        }
        all
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
