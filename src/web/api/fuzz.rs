//! A part of the body of the fuzz target `address`.

use chrono::{DateTime, Utc};

use super::parameters::{CoverageParams, ListParams};

/// Links to other parts of a list lead to the same list.
pub(in crate::web) fn fuzz_address(text: &str, now: DateTime<Utc>) {
    let query = |link: &str| link.split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default();
    if let Ok(asked) = ListParams::read(text, &now) {
        let Ok(again) = ListParams::read(&query(&asked.link(asked.side)), &now) else { panic!("{asked:?}") };
        assert_eq!((again.side, again.limit, again.context), (asked.side, asked.limit, asked.context));
        assert_eq!((again.filter, again.typed), (asked.filter, asked.typed));
    }
    if let Ok(asked) = CoverageParams::read(text) {
        let Ok(again) = CoverageParams::read(&query(&asked.link(asked.from))) else { panic!("{asked:?}") };
        assert_eq!((again.span, again.from, again.limit), (asked.span, asked.from, asked.limit));
    }
}
