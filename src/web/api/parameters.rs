//! The parameters that only the API has; filters and figures are read by `review`.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;

use super::answer::Refusal;
use crate::index::{Cursor, Filter};
use crate::review::params::{FieldError, FilterParams};
use crate::review::query::pairs;
use crate::web::Problem;

/// Rows of one answer: a megabyte, roughly.
const ROWS_MAX: u64 = 500;
/// Rows with their contexts: the file of each is read.
const CONTEXTS_MAX: u64 = 100;
const ROWS: u64 = 50;

/// Of an endpoint that has no parameters.
pub(super) struct NoParams;

impl<S: Send + Sync> FromRequestParts<S> for NoParams {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let pairs = pairs(parts.uri.query().unwrap_or_default()).into_iter();
        let unknown = pairs.map(|(name, value)| wrong(&name, &value, "there is no such parameter"));
        let unknown: Vec<_> = unknown.collect();
        if unknown.is_empty() { Ok(Self) } else { Err(Refusal::of_fields(unknown)) }
    }
}

/// The id in the path of an endpoint that has no parameters beside it.
pub(super) struct Id(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        in_path(parts, state).await.map(Self)
    }
}

/// The two ids in the path of an endpoint that has no parameters beside them.
pub(super) struct Ids(pub(super) [String; 2]);

impl<S: Send + Sync> FromRequestParts<S> for Ids {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let (id, other) = in_path(parts, state).await?;
        Ok(Self([id, other]))
    }
}

async fn in_path<T: DeserializeOwned + Send, S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<T, Refusal> {
    NoParams::from_request_parts(parts, state).await?;
    // What is no UTF-8 is no id either.
    let no_id = |_| Problem::NotFound("There is no exchange with such an id.".to_owned()).into();
    Path::from_request_parts(parts, state).await.map(|Path(ids)| ids).map_err(no_id)
}

/// Which side of a place in the list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// The newest of all.
    Newest,
    /// What is older than this.
    After(Cursor),
    /// What is newer than this, the nearest.
    Before(Cursor),
}

/// What list is asked for.
#[derive(Clone, Debug)]
pub(super) struct ListParams {
    /// The filters as they were typed: links repeat them.
    pub(super) typed: FilterParams,
    pub(super) filter: Filter,
    pub(super) limit: u64,
    pub(super) side: Side,
    pub(super) count: bool,
    pub(super) context: bool,
}

impl ListParams {
    /// Their names.
    pub(super) const OWN: [&str; 5] = ["limit", "after", "before", "count", "context"];

    /// Reads the query of a URL.
    ///
    /// # Errors
    /// All parameters that make no sense.
    pub(super) fn read(query: &str, now: &DateTime<Utc>) -> Result<Self, Refusal> {
        let mut errors = Vec::new();
        let typed = FilterParams::of_query(query, &Self::OWN);
        let filter = typed.filter(now).unwrap_or_else(|wrong| {
            errors.extend(wrong);
            Filter::default()
        });
        let mut own = Own { pairs: pairs(query), errors: &mut errors };
        let context = own.one("context", switch).unwrap_or(false);
        let most = if context { CONTEXTS_MAX } else { ROWS_MAX };
        let limit = own.one("limit", |text| limit(text, most)).unwrap_or(ROWS);
        let count = own.one("count", switch).unwrap_or(false);
        let place = |text: &str| text.parse::<Cursor>().map_err(|why| why.to_string());
        let side = match (own.one("after", place), own.one("before", place)) {
            (None, None) => Side::Newest,
            (Some(after), None) => Side::After(after),
            (None, Some(before)) => Side::Before(before),
            (Some(_), Some(before)) => {
                errors.push(wrong("before", &before.to_string(), "there is an after already"));
                Side::Newest
            }
        };
        if context && filter.text.is_none() {
            errors.push(wrong("context", "1", "there is a context only of what text looks for"));
        }
        if errors.is_empty() {
            Ok(Self { typed, filter, limit, side, count, context })
        } else {
            Err(Refusal::of_fields(errors))
        }
    }

    /// The address of another part of the same list.
    pub(super) fn link(&self, side: Side) -> String {
        let mut pairs = self.typed.pairs();
        let switch = |name, on: bool| on.then(|| (name, "1".to_owned()));
        pairs.extend((self.limit != ROWS).then(|| ("limit", self.limit.to_string())));
        pairs.extend(switch("context", self.context));
        pairs.extend(match side {
            Side::Newest => None,
            Side::After(place) => Some(("after", place.to_string())),
            Side::Before(place) => Some(("before", place.to_string())),
        });
        let query = crate::review::query::query(pairs.iter().map(|(name, value)| (*name, value.as_str())));
        format!("{}/exchanges?{query}", super::PREFIX)
    }
}

struct Own<'a> {
    pairs: Vec<(String, String)>,
    errors: &'a mut Vec<FieldError>,
}

impl Own<'_> {
    /// The value of a parameter; an empty one is not set.
    fn one<T>(&mut self, name: &str, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let mut values = self.pairs.iter().filter(|(known, value)| known == name && !value.trim().is_empty());
        let (_, value) = values.next()?;
        let answer = match values.find(|(_, other)| other != value) {
            Some((_, other)) => Err(wrong(name, other, &format!("it stands there twice, first as {value:?}"))),
            None => read(value.trim()).map_err(|why| wrong(name, value, &why)),
        };
        answer.map_err(|wrong| self.errors.push(wrong)).ok()
    }
}

fn limit(text: &str, most: u64) -> Result<u64, String> {
    let number = text.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| format!("write a number from 1 to {most}"))
}

fn switch(text: &str) -> Result<bool, String> {
    match text {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("write 1 or 0".to_owned()),
    }
}

fn wrong(field: &str, value: &str, sentence: &str) -> FieldError {
    FieldError { field: field.to_owned(), value: value.to_owned(), sentence: sentence.to_owned() }
}
