//! Small parts that several pages are made of.

use chrono::{DateTime, SecondsFormat, Utc};
use maud::{Markup, html};

use crate::review::amounts::number;

/// A moment, microseconds since 1970, to the minute in UTC; `?` where it is none that people know.
pub(super) fn moment(micros: i64) -> Markup {
    match DateTime::<Utc>::from_timestamp_micros(micros) {
        Some(time) => html! {
            time.nowrap datetime=(time.to_rfc3339_opts(SecondsFormat::Secs, true)) {
                (time.format("%Y-%m-%d %H:%M").to_string())
            }
        },
        None => html! { "?" },
    }
}

/// A count, or nothing to look at where there is none.
pub(super) fn count(value: u64) -> Markup {
    html! { @if value == 0 { span.muted { "-" } } @else { (number(value)) } }
}

/// A text to copy, with its button. `id` is its own on the page.
pub(super) fn to_copy(id: &str, text: &str) -> Markup {
    html! {
        div.to-copy {
            pre id=(id) tabindex="0" { code { (text) } }
            button type="button" data-copy=(format!("#{id}")) { "Copy" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_counts_and_texts_to_copy() {
        assert!(moment(0).into_string().contains("1970-01-01 00:00"));
        assert_eq!(moment(i64::MAX).into_string(), "?");
        assert_eq!(
            (count(0).into_string(), count(1234).into_string().as_str()),
            (html! { span.muted { "-" } }.into_string(), "1,234")
        );
        assert!(to_copy("x", "<script>").into_string().contains("&lt;script&gt;"));
    }
}
