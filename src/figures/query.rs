//! What is asked for.

use crate::rules::Kind;

/// What the rows of a table stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// A person, see `docs/figures.md`, "Persons".
    User,
    /// Programming language.
    Language,
    /// Editor, without its version.
    Editor,
    /// The model asked for.
    Model,
    /// Kind of exchange.
    Kind,
    /// Day.
    Day,
    /// Hour of the day, `00` to `23`.
    Hour,
}

/// What is counted and how it is split. In each list `-` stands for those that do not say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// None: the total alone.
    pub by: Option<By>,
    /// Kinds; empty is all but telemetry.
    pub kinds: Vec<Kind>,
    /// Persons; empty is all.
    pub users: Vec<String>,
    /// Languages; empty is all.
    pub languages: Vec<String>,
    /// Editors, without version; empty is all.
    pub editors: Vec<String>,
    /// Models; empty is all.
    pub models: Vec<String>,
    /// Not before, microseconds since 1970.
    pub since: Option<i64>,
    /// Before, microseconds since 1970.
    pub until: Option<i64>,
    /// Minutes east of UTC in which days and hours are told.
    pub offset_minutes: i32,
}

impl Query {
    /// Whether exchanges of that kind count in the total. Suggestions are of the kind `completions`, next edits of `nes`.
    pub(super) fn counts(&self, kind: Kind) -> bool {
        if self.kinds.is_empty() { kind != Kind::Telemetry } else { self.kinds.contains(&kind) }
    }

    pub(super) fn in_time(&self, time: i64) -> bool {
        self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time < until)
    }

    /// The day, counted from 1970, by the clock of the query.
    pub(super) fn day(&self, time: i64) -> i64 {
        self.local_hours(time).div_euclid(24)
    }

    /// The hour of the day by the clock of the query.
    pub(super) fn hour(&self, time: i64) -> i64 {
        self.local_hours(time).rem_euclid(24)
    }

    fn local_hours(&self, time: i64) -> i64 {
        const MINUTE: i64 = 60_000_000;
        time.saturating_add(i64::from(self.offset_minutes) * MINUTE).div_euclid(60 * MINUTE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_hours_are_those_of_the_clock_asked_for() {
        let at = |offset_minutes, minute: i64| {
            let query = Query { offset_minutes, ..Query::default() };
            (query.day(minute * 60_000_000), query.hour(minute * 60_000_000))
        };
        assert_eq!(at(0, 0), (0, 0));
        assert_eq!(at(0, 24 * 60 - 1), (0, 23));
        assert_eq!(at(60, 24 * 60 - 60), (1, 0));
        assert_eq!(at(-330, 0), (-1, 18));
        assert_eq!(at(0, -1), (-1, 23));
        let far = Query { offset_minutes: i32::MAX, ..Query::default() };
        assert!(far.day(i64::MAX) > 0 && far.day(i64::MIN) < 0);
    }
}
