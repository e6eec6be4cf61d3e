//! The numbers below each chart.

use maud::{Markup, html};

use super::view::View;
use crate::figures::{By, Figures};
use crate::review::cells::{
    Cell, looked_at, millis, of_chats, of_requests, of_telemetry, part_of_requests, persists, rate, spans, still,
};
use crate::review::text::printable;

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

pub(super) const REQUESTS: [Column; 8] = [
    column("requests", "Requests", |row| Cell::Count(row.requests)),
    column("active_users", "Active users", |row| of_requests(row, row.active_users)),
    column("cancelled", "Cancelled", |row| of_requests(row, row.cancelled)),
    column("cancelled_share", "of requests", |row| part_of_requests(row, row.cancelled)),
    column("errors", "Errors", |row| Cell::Count(row.errors)),
    column("errors_share", "of requests", |row| part_of_requests(row, Some(row.errors))),
    column("speculative", "Speculative", |row| Cell::Count(row.speculative)),
    column("noise", "Noise", |row| Cell::Count(row.noise)),
];

pub(super) const SUGGESTIONS: [Column; 14] = [
    column("shown", "Shown", |row| of_telemetry(row, row.shown)),
    column("accepted", "Accepted", |row| of_telemetry(row, row.accepted)),
    column("acceptance", "Acceptance", |row| rate(row, row.acceptance(), row.shown)),
    column("telemetry_users", "With telemetry", |row| Cell::Count(row.telemetry_users)),
    column("suggestion_users", "of users", |row| Cell::Count(row.suggestion_users)),
    column("lines_shown", "Lines shown", |row| of_telemetry(row, row.lines_shown)),
    column("lines_accepted", "accepted", |row| of_telemetry(row, row.lines_accepted)),
    column("acceptance_by_lines", "rate", |row| rate(row, row.acceptance_by_lines(), row.lines_shown)),
    column("chars_shown", "Characters shown", |row| of_telemetry(row, row.chars_shown)),
    column("chars_accepted", "accepted", |row| of_telemetry(row, row.chars_accepted)),
    column("acceptance_by_chars", "rate", |row| rate(row, row.acceptance_by_chars(), row.chars_shown)),
    column("nes_shown", "Next edits shown", |row| of_telemetry(row, row.nes_shown)),
    column("nes_accepted", "accepted", |row| of_telemetry(row, row.nes_accepted)),
    column("nes_acceptance", "rate", |row| rate(row, row.nes_acceptance(), row.nes_shown)),
];

pub(super) const LATENCY: [Column; 12] = [
    column("first_token_p50", "First token p50, ms", |row| millis(row, row.first_token.p50)),
    column("first_token_p90", "p90", |row| millis(row, row.first_token.p90)),
    column("first_token_p99", "p99", |row| millis(row, row.first_token.p99)),
    column("first_token_n", "of", |row| Cell::Count(row.first_token.n)),
    column("total_p50", "Total p50, ms", |row| millis(row, row.total.p50)),
    column("total_p90", "p90", |row| millis(row, row.total.p90)),
    column("total_p99", "p99", |row| millis(row, row.total.p99)),
    column("total_n", "of", |row| Cell::Count(row.total.n)),
    column("first_byte_p50", "First byte p50, ms", |row| millis(row, row.first_byte.p50)),
    column("first_byte_p90", "p90", |row| millis(row, row.first_byte.p90)),
    column("first_byte_p99", "p99", |row| millis(row, row.first_byte.p99)),
    column("first_byte_n", "of", |row| Cell::Count(row.first_byte.n)),
];

pub(super) const TOKENS: [Column; 5] = [
    column("tokens_in", "In", |row| of_requests(row, row.tokens_in)),
    column("tokens_cached", "of them cached", |row| of_requests(row, row.tokens_cached)),
    column("tokens_out", "Out", |row| of_requests(row, row.tokens_out)),
    column("tokens_known", "Told by", |row| Cell::Count(row.tokens_known)),
    column("requests", "of requests", |row| Cell::Count(row.requests)),
];

pub(super) const TURNS: [Column; 3] = [
    column("turns", "Turns", |row| of_chats(row.turns)),
    column("follow_ups", "Follow-ups", |row| of_chats(row.follow_ups)),
    column("turns_unknown", "Not told", |row| Cell::Count(row.turns_unknown)),
];

/// Rows of a table that are shown; the others are in the CSV. Of days the latest: a year.
const MOST: usize = 366;

/// The rows of a split, and the total below them.
pub(super) fn of_split(view: &View<'_>, by: By, columns: &[Column], caption: &str) -> Markup {
    let rows = view.overview.by(by);
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

/// Persistence of the total: a row for each time.
pub(super) fn of_persistence(total: &Figures) -> Markup {
    let content = html! {
        thead { tr {
            th scope="col" { "After" }
            @for (key, title) in [("still", "Still there"), ("known", "of looked at"), ("share", "share")] {
                th.num scope="col" data-key=(key) { (title) }
            }
        } }
        tbody { @for at in &total.persistence {
            tr {
                th scope="row" { (seconds(at.after)) }
                (cell(still(total, at.after))) (cell(looked_at(total, at.after))) (cell(persists(total, at.after)))
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
