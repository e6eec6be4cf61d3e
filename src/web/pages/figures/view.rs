//! What is looked at: the figures, and the filters by which they came.

use chrono::{DateTime, FixedOffset, NaiveTime, Utc};

use crate::figures::{By, Query};
use crate::review::params::{FiguresParams, is_one_value};
use crate::review::tally::Overview;

/// The figures and their filters.
pub(super) struct View<'a> {
    pub(super) params: &'a FiguresParams,
    pub(super) overview: &'a Overview,
    /// There is only one user to be seen.
    pub(super) is_own: bool,
    /// Between when.
    pub(super) span: Span,
}

/// The time that is looked at, by the clock of the days.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    since: Option<DateTime<FixedOffset>>,
    until: Option<DateTime<FixedOffset>>,
    now: DateTime<FixedOffset>,
}

impl Span {
    pub(super) fn of(query: &Query, now: DateTime<Utc>) -> Self {
        let utc = FixedOffset::east_opt(0);
        let offset = FixedOffset::east_opt(query.offset_minutes.saturating_mul(60)).or(utc);
        let local =
            |time: DateTime<Utc>| offset.map_or_else(|| time.fixed_offset(), |offset| time.with_timezone(&offset));
        let micros = |time: Option<i64>| time.and_then(DateTime::from_timestamp_micros).map(local);
        Self { since: micros(query.since), until: micros(query.until), now: local(now) }
    }
}

impl View<'_> {
    /// The same figures of one group alone.
    pub(super) fn link(&self, by: By, group: &str) -> Option<String> {
        if !is_one_value(group) {
            return None;
        }
        let only = vec![group.to_owned()];
        let params = FiguresParams { by: None, ..self.params.clone() };
        let params = match by {
            By::User => FiguresParams { user: only, ..params },
            By::Language => FiguresParams { language: only, ..params },
            // A filter by editor takes no version.
            By::Editor if !group.contains('/') => FiguresParams { editor: only, ..params },
            By::Model => FiguresParams { model: only, ..params },
            By::Kind => FiguresParams { kind: only, ..params },
            By::Editor | By::Day | By::Hour => return None,
        };
        Some(format!("/figures?{}", params.to_query()))
    }

    /// Which of the days are looked at in part: the filters cut them, or they are not over.
    pub(super) fn partial_days(&self) -> Option<String> {
        let is_there = |day: &str| self.overview.by(By::Day).iter().any(|row| row.group == day);
        let cut = |time: DateTime<FixedOffset>, says: &str| {
            let day = time.format("%Y-%m-%d").to_string();
            (time.time() != NaiveTime::MIN && is_there(&day)).then(|| format!("{day} {says}"))
        };
        let Span { since, until, now } = self.span;
        let begins = since.and_then(|since| cut(since, &format!("is counted from {}", since.format("%H:%M"))));
        let ends = match until.filter(|until| *until < now) {
            Some(until) => cut(until, &format!("up to {}", until.format("%H:%M"))),
            None => cut(now, "is not over"),
        };
        let days: Vec<String> = [begins, ends].into_iter().flatten().collect();
        (!days.is_empty()).then(|| format!("Less than whole days: {}.", days.join(", ")))
    }

    /// What stands in place of names, where there are such rows.
    pub(super) fn nameless(&self, by: By) -> String {
        let is_there = |is: fn(&str) -> bool| self.overview.by(by).iter().any(|row| is(&row.group));
        let tokens = by == By::User && is_there(|group| group.starts_with("tid:"));
        let nobodys = match by {
            By::User => "- has neither login nor token.",
            By::Language => "- tells no language; of requests only ghost text does.",
            _ => "- does not say.",
        };
        let told = [
            tokens.then_some("tid:… is a person without a proxy login, told by the Copilot token."),
            is_there(|group| group == "-").then_some(nobodys),
        ];
        told.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// The rows as CSV; of none, the total.
    pub(super) fn csv(&self, by: Option<By>) -> String {
        let query = self.params.split(by).to_query();
        if query.is_empty() { "/figures.csv".to_owned() } else { format!("/figures.csv?{query}") }
    }
}
