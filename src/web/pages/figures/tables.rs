//! The numbers below each chart.

use maud::{Markup, html};

use super::rank::{Measure, sorted};
use super::view::View;
use crate::figures::{By, Counts, Figures};
use crate::review::cells::{
    Cell, looked_at, millis, of_chats, of_requests, of_telemetry, part_of_requests, persists, rate, spans, still,
};
use crate::review::text::printable;
use crate::web::charts::between;

/// One column.
pub(super) struct Column {
    /// The key of `stats --json`, or the name of a rate.
    pub(super) key: &'static str,
    pub(super) title: &'static str,
    pub(super) cell: fn(&Figures) -> Cell,
}

const fn column(key: &'static str, title: &'static str, cell: fn(&Figures) -> Cell) -> Column {
    Column { key, title, cell }
}

const REQUESTS: Column = column("requests", "Requests", |row| Cell::Count(row.requests));
const USERS: Column = column("active_users", "Users", |row| of_requests(row, row.active_users));
const CANCELLED: Column = column("cancelled", "Cancelled", |row| of_requests(row, row.cancelled));
const CANCELLED_SHARE: Column = column("cancelled_share", "Share", |row| part_of_requests(row, row.cancelled));
const ERRORS: Column = column("errors", "Failed", |row| Cell::Count(row.errors));
const ERRORS_SHARE: Column = column("errors_share", "Share", |row| part_of_requests(row, Some(row.errors)));
const OF_REQUESTS: Column = column("requests", "of requests", |row| Cell::Count(row.requests));
const ACCEPTANCE: Column = column("acceptance", "Rate", |row| rate(row, row.acceptance(), row.shown));
const ACCEPTED: Column = column("accepted", "Accepted", |row| of_telemetry(row, row.accepted));
const SHOWN: Column = column("shown", "of shown", |row| of_telemetry(row, row.shown));
const TOKENS_KNOWN: Column = column("tokens_known", "Told by", |row| Cell::Count(row.tokens_known));
const TOKENS_IN: Column = column("tokens_in", "Sent", |row| of_requests(row, row.tokens_in));
const TOKENS_OUT: Column = column("tokens_out", "Answered", |row| of_requests(row, row.tokens_out));

// What each chart draws, and what that is made of: the rest is in the CSV.
pub(super) const MANY: [Column; 2] = [REQUESTS, USERS];
pub(super) const MANY_OF_USER: [Column; 1] = [REQUESTS];
pub(super) const WHO: [Column; 2] = [USERS, REQUESTS];
pub(super) const ENDS: [Column; 3] = [
    column("cancelled_share", "Cancelled", |row| part_of_requests(row, row.cancelled)),
    column("errors_share", "Failed", |row| part_of_requests(row, Some(row.errors))),
    OF_REQUESTS,
];
pub(super) const CANCELS: [Column; 3] = [CANCELLED_SHARE, CANCELLED, OF_REQUESTS];
pub(super) const FAILURES: [Column; 3] = [ERRORS_SHARE, ERRORS, OF_REQUESTS];
pub(super) const SUGGESTIONS: [Column; 3] = [ACCEPTANCE, ACCEPTED, SHOWN];
/// Two rates and what they are of: with all amounts it would be too wide for a phone. They are in the CSV.
pub(super) const SUGGESTIONS_AND_CHARS: [Column; 3] = [
    ACCEPTANCE,
    SHOWN,
    column("acceptance_by_chars", "by chars", |row| rate(row, row.acceptance_by_chars(), row.chars_shown)),
];
pub(super) const NEXT_EDITS: [Column; 3] = [
    column("nes_acceptance", "Rate", |row| rate(row, row.nes_acceptance(), row.nes_shown)),
    column("nes_accepted", "Accepted", |row| of_telemetry(row, row.nes_accepted)),
    column("nes_shown", "of shown", |row| of_telemetry(row, row.nes_shown)),
];
pub(super) const WAITING: [Column; 4] = [
    column("first_token_p50", "First token, ms", |row| millis(row, row.first_token.p50)),
    column("first_token_n", "of", |row| Cell::Count(row.first_token.n)),
    column("total_p50", "Whole, ms", |row| millis(row, row.total.p50)),
    column("total_n", "of", |row| Cell::Count(row.total.n)),
];
pub(super) const WHOLE: [Column; 4] = [
    column("total_p50", "p50, ms", |row| millis(row, row.total.p50)),
    column("total_p90", "p90, ms", |row| millis(row, row.total.p90)),
    column("total_p99", "p99, ms", |row| millis(row, row.total.p99)),
    column("total_n", "of", |row| Cell::Count(row.total.n)),
];
pub(super) const TOKENS: [Column; 3] = [TOKENS_IN, TOKENS_OUT, TOKENS_KNOWN];
pub(super) const SENT: [Column; 3] = [TOKENS_IN, TOKENS_KNOWN, OF_REQUESTS];
pub(super) const ANSWERED: [Column; 3] = [TOKENS_OUT, TOKENS_KNOWN, OF_REQUESTS];
pub(super) const CACHED: [Column; 2] = [
    column("tokens_cached", "Cached", |row| of_requests(row, row.tokens_cached)),
    column("tokens_in", "of sent", |row| of_requests(row, row.tokens_in)),
];
pub(super) const TURNS: [Column; 3] = [
    column("turns", "Turns", |row| of_chats(row.turns)),
    column("follow_ups", "Follow-ups", |row| of_chats(row.follow_ups)),
    column("turns_unknown", "Not told", |row| Cell::Count(row.turns_unknown)),
];

/// By what the rows of a chart are told large from small.
pub(super) type Measuring = fn(&Figures) -> Measure;

/// Rows of a table that are shown; the others are in the CSV. Of days the latest: a year. Of others those with most.
const MOST: usize = 366;

/// The rows of a split in the order of their chart, and the total below them. Without a measure: by time.
pub(super) fn of_split(
    view: &View<'_>,
    by: By,
    (columns, measure): (&[Column], Option<Measuring>),
    caption: &str,
) -> Markup {
    let rows = view.overview.by(by);
    let rows = measure.map_or_else(|| rows.iter().collect(), |measure| sorted(rows, measure));
    // Of days the latest are what is looked for.
    let left_out = rows.len().saturating_sub(MOST);
    let shown = if by == By::Day { &rows[left_out..] } else { &rows[..rows.len() - left_out] };
    let name = name_of(by);
    boxed(
        caption,
        &html! {
            thead { tr {
                th scope="col" { (name) }
                @for column in columns { th.num scope="col" data-key=(column.key) { (column.title) } }
            } }
            tbody { @for row in shown {
                tr {
                    th scope="row" {
                        @let label = printable(&row.group);
                        @match view.link(by, &row.group) {
                            Some(address) => a href=(address) { (label) },
                            None => (label),
                        }
                    }
                    @for column in columns { (cell((column.cell)(row))) }
                }
            } }
            tfoot { tr {
                th scope="row" { "total" }
                @for column in columns { (cell((column.cell)(view.overview.total()))) }
            } }
        },
        left_out,
    )
}

/// How the values of a span are spread: a row for each column of the chart, from the first that is not empty to the
/// last.
pub(super) fn of_spread(row: &Figures, counts: &Counts, caption: &str) -> Markup {
    let all: u64 = counts.iter().map(|count| u64::from(*count)).sum();
    let first = counts.iter().position(|count| *count > 0).unwrap_or(0);
    let end = counts.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1);
    let content = html! {
        thead { tr {
            th scope="col" { "Time" }
            th.num scope="col" data-key="count" { "Answers" }
            th.num scope="col" data-key="share" { "share" }
        } }
        tbody { @for (place, count) in counts.iter().enumerate().take(end).skip(first) {
            tr {
                th scope="row" { (between(&row.spread.bounds, place)) }
                (cell(Cell::Count(u64::from(*count)))) (cell(Cell::Share(f64::from(*count) / all as f64)))
            }
        } }
        tfoot { tr {
            th scope="row" { "total" }
            (cell(Cell::Count(all)))
            (cell(if all > 0 { Cell::Share(1.0) } else { millis(row, None) }))
        } }
    };
    boxed(caption, &content, 0)
}

/// Persistence of the total: a row for each time.
pub(super) fn of_persistence(total: &Figures) -> Markup {
    let content = html! {
        thead { tr {
            th scope="col" { "After" }
            @for (key, title) in [("share", "Share"), ("still", "Still there"), ("known", "of looked at")] {
                th.num scope="col" data-key=(key) { (title) }
            }
        } }
        tbody { @for at in &total.persistence {
            tr {
                th scope="row" { (seconds(at.after)) }
                (cell(persists(total, at.after))) (cell(still(total, at.after))) (cell(looked_at(total, at.after)))
            }
        } }
    };
    boxed("Accepted suggestions that are still in the code", &content, 0)
}

/// All spans of the total: a row for each.
pub(super) fn of_spans(total: &Figures) -> Markup {
    let content = html! {
        thead { tr {
            th scope="col" { "Span" }
            @for title in ["p50", "p90", "p99"] { th.num scope="col" data-key=(title) { (title) ", ms" } }
            th.num scope="col" data-key="n" { "of" }
        } }
        tbody { @for (key, span) in spans(total) {
            tr data-key=(key) {
                th scope="row" { (span_name(key)) }
                @for value in [span.p50, span.p90, span.p99] { (cell(millis(total, value))) }
                (cell(Cell::Count(span.n)))
            }
        } }
    };
    boxed("Where the time goes", &content, 0)
}

fn cell(cell: Cell) -> Markup {
    let class = if matches!(cell, Cell::Unknown | Cell::Nothing) { "num muted" } else { "num" };
    html! { td class=(class) { (cell.text()) } }
}

/// A table scrolls in its own box, which the keyboard reaches.
fn boxed(caption: &str, content: &Markup, left_out: usize) -> Markup {
    html! {
        div.scroll.numbers tabindex="0" role="region" aria-label=(caption) {
            table { caption.visually-hidden { (caption) } (content) }
        }
        @if left_out > 0 { p.muted.small { (left_out) " more rows are in the CSV." } }
    }
}

pub(super) fn seconds(after: u64) -> String {
    if after < 60 { format!("{after} s") } else { format!("{} min", after / 60) }
}

pub(super) fn span_name(key: &str) -> &'static str {
    match key {
        "first_byte" => "First byte",
        "first_token" => "First token",
        "total" => "Whole answer",
        "server" => "Server says",
        "network" => "Network",
        _ => "Client side",
    }
}

/// What a row of this split is.
pub(super) fn name_of(by: By) -> &'static str {
    match by {
        By::User => "User",
        By::Language => "Language",
        By::Editor => "Editor",
        By::Model => "Model",
        By::Kind => "Kind",
        By::Day => "Day",
        By::Hour => "Hour",
    }
}
