//! Body of the fuzz target, callable from a plain test.

use chrono::{DateTime, Utc};

use super::{api, live, pages};
use crate::figures::Query;
use crate::index::{Cursor, Filter};
use crate::review::params::{FieldError, FiguresParams, FilterParams};
use crate::review::query::{pairs, query};

/// Reads any text as the query of an address, for each part of the page that has one.
///
/// # Panics
/// When an address that we make of it is not plain or asks for something else, or when something is wrong and nothing
/// is said of it.
pub fn fuzz_address(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let all = pairs(&text);
    plain(&query(all.iter().map(|(name, value)| (name.as_str(), value.as_str()))), |query| {
        assert_eq!(pairs(query), all);
    });

    let typed = FilterParams::of_query(&text, &[]);
    let asked = said(typed.filter(&now()));
    plain(&typed.to_query(), |query| {
        let again = FilterParams::of_query(query, &[]);
        assert_eq!(again, FilterParams { strange: Vec::new(), ..typed.clone() });
        assert!(asked.is_none() || said(again.filter(&now())) == asked);
    });
    let Filter { kinds, users, slower_than, .. } = asked.unwrap_or_default();
    assert!(kinds.len() <= LIST_MAX && users.len() <= LIST_MAX);
    assert!(slower_than.is_none_or(|millis| millis.is_finite() && millis >= 0.0), "{slower_than:?}");

    let typed = FiguresParams::of_query(&text, &[]);
    let asked = said(typed.query(&now()));
    plain(&typed.to_query(), |query| {
        let again = FiguresParams::of_query(query, &[]);
        assert_eq!(again, FiguresParams { strange: Vec::new(), ..typed.clone() });
        assert!(asked.is_none() || said(again.query(&now())) == asked);
    });
    assert!(asked.is_none_or(|Query { offset_minutes, .. }| offset_minutes.abs() < 24 * 60));

    if let Ok(cursor) = text.parse::<Cursor>() {
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }
    pages::exchanges::fuzz_address(&text, now());
    api::fuzz_address(&text, now());
    live::fuzz_address(&text);
}

const LIST_MAX: usize = 100;

/// A leap day at the end of a month, in the middle of the night.
fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_709_164_799, 0).unwrap_or_default()
}

/// What was read; none where something is wrong, and then it is said.
fn said<T>(read: Result<T, Vec<FieldError>>) -> Option<T> {
    read.map_err(|errors| assert!(!errors.is_empty() && errors.iter().all(|error| !error.sentence.is_empty()))).ok()
}

/// A query that may stand in an attribute, a header or a log as it is.
fn plain(query: &str, check: impl FnOnce(&str)) {
    assert!(query.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"'`\\#".contains(&byte)), "{query:?}");
    check(query);
}
