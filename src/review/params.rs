//! Filters as the parameters of a URL, with the names of the command line's long flags, so that a view can be shared.
//!
//! What was typed is kept as it was typed: a form shows it again, also where it is wrong, and `7d` stays `7d` in the URL.

use chrono::{DateTime, TimeZone};

use super::values;
use super::{query, query::pairs};
use crate::figures::{By, Query};
use crate::index::Filter;

/// What is wrong with a parameter.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct FieldError {
    /// The parameter's name, as it was typed where there is no such parameter.
    pub field: String,
    /// What was typed.
    pub value: String,
    /// What is wrong with it, or what is allowed.
    pub sentence: String,
}

impl FieldError {
    fn new(field: &str, value: &str, sentence: impl Into<String>) -> Self {
        Self { field: field.to_owned(), value: value.to_owned(), sentence: sentence.into() }
    }
}

/// Values of one list: SQLite's expressions may be a thousand tests deep, and a page with so many is no view.
const LIST_MAX: usize = 100;

/// Whether a list parameter of this text is a list of this alone: values are separated by commas, and what stands around
/// them is cut off.
#[must_use]
pub fn is_one_value(text: &str) -> bool {
    !text.is_empty() && !text.contains(',') && text.trim() == text
}

/// The filters of a list of exchanges, as they were typed. Empty values are not set: a form without script sends those
/// too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterParams {
    /// `kind`: see [`Filter::kinds`].
    pub kind: Vec<String>,
    /// `user`: see [`Filter::users`].
    pub user: Vec<String>,
    /// `host`: see [`Filter::hosts`].
    pub host: Vec<String>,
    /// `status`: a code, `4xx`, `none`.
    pub status: Vec<String>,
    /// `model`: see [`Filter::models`].
    pub model: Vec<String>,
    /// `language`: see [`Filter::languages`].
    pub language: Vec<String>,
    /// `editor`: see [`Filter::editors`].
    pub editor: Vec<String>,
    /// `since`: a date, a time, `7d`, `today`.
    pub since: Option<String>,
    /// `until`: likewise.
    pub until: Option<String>,
    /// `slower-than`: `300ms`, `2s`.
    pub slower_than: Option<String>,
    /// `cancelled`: `1`.
    pub cancelled: Option<String>,
    /// `failed`: `1`.
    pub failed: Option<String>,
    /// `text`: words that must all be there.
    pub text: Option<String>,
    /// Parameters that there are not, or that are there twice.
    pub strange: Vec<FieldError>,
}

impl FilterParams {
    /// The names of the parameters, in the order of the canonical query.
    pub const NAMES: [&'static str; 13] = [
        "kind",
        "user",
        "host",
        "status",
        "model",
        "language",
        "editor",
        "since",
        "until",
        "slower-than",
        "cancelled",
        "failed",
        "text",
    ];

    /// Reads the query of a URL. `others` are the parameters that somebody else reads.
    #[must_use]
    pub fn of_query(text: &str, others: &[&str]) -> Self {
        let mut params = Self::default();
        for (name, value) in pairs(text) {
            let list = match name.as_str() {
                "kind" => &mut params.kind,
                "user" => &mut params.user,
                "host" => &mut params.host,
                "status" => &mut params.status,
                "model" => &mut params.model,
                "language" => &mut params.language,
                "editor" => &mut params.editor,
                _ => {
                    params.single(&name, &value, others);
                    continue;
                }
            };
            add(list, &value);
        }
        params
    }

    fn single(&mut self, name: &str, value: &str, others: &[&str]) {
        let slot = match name {
            "since" => &mut self.since,
            "until" => &mut self.until,
            "slower-than" => &mut self.slower_than,
            "cancelled" => &mut self.cancelled,
            "failed" => &mut self.failed,
            "text" => &mut self.text,
            _ if others.contains(&name) => return,
            _ => return self.strange.push(unknown(name, value)),
        };
        self.strange.extend(set(slot, name, value));
    }

    /// What to ask the index for. Times without zone are `now`'s.
    ///
    /// # Errors
    /// All values that make no sense, with what is allowed.
    pub fn filter<Z: TimeZone>(&self, now: &DateTime<Z>) -> Result<Filter, Vec<FieldError>> {
        let mut errors = self.strange.clone();
        let filter = Filter {
            kinds: list("kind", &self.kind, values::kind, &mut errors),
            users: list("user", &self.user, values::word, &mut errors),
            hosts: list("host", &self.host, values::host, &mut errors),
            statuses: list("status", &self.status, values::status, &mut errors),
            models: list("model", &self.model, values::word, &mut errors),
            languages: list("language", &self.language, values::word, &mut errors),
            editors: list("editor", &self.editor, values::word, &mut errors),
            since: one("since", self.since.as_ref(), |text| values::when(text, now), &mut errors),
            until: one("until", self.until.as_ref(), |text| values::when(text, now), &mut errors),
            slower_than: one("slower-than", self.slower_than.as_ref(), values::millis, &mut errors),
            cancelled: one("cancelled", self.cancelled.as_ref(), switch, &mut errors).unwrap_or(false),
            failed: one("failed", self.failed.as_ref(), switch, &mut errors).unwrap_or(false),
            text: self.text.clone(),
        };
        if errors.is_empty() { Ok(filter) } else { Err(errors) }
    }

    /// Names and values of the canonical query: each parameter once, lists with commas, in one order.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let list = |list: &Vec<String>| (!list.is_empty()).then(|| list.join(","));
        let values = [
            list(&self.kind),
            list(&self.user),
            list(&self.host),
            list(&self.status),
            list(&self.model),
            list(&self.language),
            list(&self.editor),
            self.since.clone(),
            self.until.clone(),
            self.slower_than.clone(),
            self.cancelled.clone(),
            self.failed.clone(),
            self.text.clone(),
        ];
        Self::NAMES.into_iter().zip(values).filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// The canonical query, without `?`: what it gives is what was asked for.
    #[must_use]
    pub fn to_query(&self) -> String {
        to_query(&self.pairs())
    }

    /// Whether nothing is filtered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What figures are asked for, as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FiguresParams {
    /// `by`: what the rows stand for.
    pub by: Option<String>,
    /// `kind`.
    pub kind: Vec<String>,
    /// `user`.
    pub user: Vec<String>,
    /// `model`.
    pub model: Vec<String>,
    /// `language`.
    pub language: Vec<String>,
    /// `editor`, without version.
    pub editor: Vec<String>,
    /// `since`.
    pub since: Option<String>,
    /// `until`.
    pub until: Option<String>,
    /// `utc-offset`: the clock by which days and hours are told.
    pub utc_offset: Option<String>,
    /// Parameters that there are not, or that are there twice.
    pub strange: Vec<FieldError>,
}

impl FiguresParams {
    /// The names of the parameters, in the order of the canonical query.
    pub const NAMES: [&'static str; 9] =
        ["by", "kind", "user", "model", "language", "editor", "since", "until", "utc-offset"];

    /// Reads the query of a URL. `others` are the parameters that somebody else reads.
    #[must_use]
    pub fn of_query(text: &str, others: &[&str]) -> Self {
        let mut params = Self::default();
        for (name, value) in pairs(text) {
            let slot = match name.as_str() {
                "kind" => Slot::List(&mut params.kind),
                "user" => Slot::List(&mut params.user),
                "model" => Slot::List(&mut params.model),
                "language" => Slot::List(&mut params.language),
                "editor" => Slot::List(&mut params.editor),
                "by" => Slot::One(&mut params.by),
                "since" => Slot::One(&mut params.since),
                "until" => Slot::One(&mut params.until),
                "utc-offset" => Slot::One(&mut params.utc_offset),
                other if others.contains(&other) => continue,
                other => {
                    params.strange.push(unknown(other, &value));
                    continue;
                }
            };
            match slot {
                Slot::List(list) => add(list, &value),
                Slot::One(slot) => params.strange.extend(set(slot, &name, &value)),
            }
        }
        params
    }

    /// What to count. Times without zone are those of `utc-offset`, which is UTC where it is not told.
    ///
    /// # Errors
    /// All values that make no sense, with what is allowed.
    pub fn query<Z: TimeZone>(&self, now: &DateTime<Z>) -> Result<Query, Vec<FieldError>> {
        let mut errors = self.strange.clone();
        let offset = one("utc-offset", self.utc_offset.as_ref(), values::utc_offset, &mut errors);
        let minutes = offset.map_or(0, |offset| offset.local_minus_utc() / 60);
        let utc = now.to_utc().fixed_offset();
        let now = offset.map_or(utc, |offset| utc.with_timezone(&offset));
        let query = Query {
            by: one("by", self.by.as_ref(), values::by, &mut errors),
            kinds: list("kind", &self.kind, values::kind, &mut errors),
            users: list("user", &self.user, values::word, &mut errors),
            languages: list("language", &self.language, values::word, &mut errors),
            editors: list("editor", &self.editor, values::editor, &mut errors),
            models: list("model", &self.model, values::word, &mut errors),
            since: one("since", self.since.as_ref(), |text| values::when(text, &now), &mut errors),
            until: one("until", self.until.as_ref(), |text| values::when(text, &now), &mut errors),
            offset_minutes: minutes,
        };
        if errors.is_empty() { Ok(query) } else { Err(errors) }
    }

    /// As [`FilterParams::pairs`].
    #[must_use]
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let list = |list: &Vec<String>| (!list.is_empty()).then(|| list.join(","));
        let values = [
            self.by.clone(),
            list(&self.kind),
            list(&self.user),
            list(&self.model),
            list(&self.language),
            list(&self.editor),
            self.since.clone(),
            self.until.clone(),
            self.utc_offset.clone(),
        ];
        Self::NAMES.into_iter().zip(values).filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// As [`FilterParams::to_query`].
    #[must_use]
    pub fn to_query(&self) -> String {
        to_query(&self.pairs())
    }

    /// The same split by something else: what another table or drawing of the same view asks for.
    #[must_use]
    pub fn split(&self, by: Option<By>) -> Self {
        Self { by: by.map(|by| values::by_name(by).to_owned()), ..self.clone() }
    }
}

enum Slot<'a> {
    List(&'a mut Vec<String>),
    One(&'a mut Option<String>),
}

/// Values of a list, repeated or separated by commas; each once.
fn add(list: &mut Vec<String>, value: &str) {
    for value in value.split(',').map(str::trim).filter(|value| !value.is_empty()) {
        // One more than is allowed is enough to say so.
        if list.len() <= LIST_MAX && !list.iter().any(|known| known == value) {
            list.push(value.to_owned());
        }
    }
}

fn set(slot: &mut Option<String>, name: &str, value: &str) -> Option<FieldError> {
    if value.trim().is_empty() {
        return None;
    }
    // A space behind the last word of a text says that the word has ended.
    let value = if name == "text" { value } else { value.trim() };
    match slot {
        Some(known) if known != value => {
            Some(FieldError::new(name, value, format!("it stands there twice, first as {known:?}")))
        }
        slot => {
            *slot = Some(value.to_owned());
            None
        }
    }
}

fn unknown(name: &str, value: &str) -> FieldError {
    FieldError::new(name, value, "there is no such parameter")
}

fn list<T>(
    field: &str,
    values: &[String],
    read: impl Fn(&str) -> Result<T, String>,
    errors: &mut Vec<FieldError>,
) -> Vec<T> {
    if values.len() > LIST_MAX {
        errors.push(FieldError::new(field, "…", format!("there are more than {LIST_MAX}")));
        return Vec::new();
    }
    let values = values.iter().filter_map(|value| one(field, Some(value), &read, errors));
    values.collect()
}

fn one<T>(
    field: &str,
    value: Option<&String>,
    read: impl Fn(&str) -> Result<T, String>,
    errors: &mut Vec<FieldError>,
) -> Option<T> {
    let value = value?;
    read(value).map_err(|why| errors.push(FieldError::new(field, value, why))).ok()
}

/// On or off, as forms and people write it.
fn switch(text: &str) -> Result<bool, String> {
    match text {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("write 1 or 0".to_owned()),
    }
}

fn to_query(pairs: &[(&'static str, String)]) -> String {
    query::query(pairs.iter().map(|(name, value)| (*name, value.as_str())))
}

#[cfg(test)]
#[path = "params_tests.rs"]
mod tests;
