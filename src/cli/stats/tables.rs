//! The figures as tables of at most 100 columns, one for each section.

use super::super::output::{Look, printable};
use super::super::rows::number;
use super::super::table::{Cell, Column, Layout};
use crate::figures::{Figures, Percentiles, Telemetry};

/// A figure that cannot be known from these records.
const UNKNOWN: &str = "?";
/// There is nothing to know.
const NOTHING: &str = "-";

/// A section: its title, its columns behind the group's, and a row's cells.
struct Section {
    title: &'static str,
    columns: &'static [&'static str],
    cells: fn(&Figures) -> Vec<String>,
}

const SECTIONS: [Section; 7] = [
    Section {
        title: "Requests",
        columns: &["REQUESTS", "SPECULATIVE", "CANCELLED", "ERRORS", "NOISE", "ACTIVE USERS"],
        cells: requests,
    },
    Section {
        title: "Suggestions, as telemetry tells (TELEMETRY: users of whom it is known)",
        columns: &["TELEMETRY", "SHOWN", "ACCEPTED", "RATE", "NEXT EDITS SHOWN", "ACCEPTED", "RATE"],
        cells: suggestions,
    },
    Section {
        title: "Suggestions by size",
        columns: &["LINES SHOWN", "ACCEPTED", "RATE", "CHARACTERS SHOWN", "ACCEPTED", "RATE"],
        cells: amounts,
    },
    Section {
        title: "Still in the code after, of the accepted that were looked at then",
        columns: &["15 S", "30 S", "2 MIN", "5 MIN", "10 MIN"],
        cells: persistence,
    },
    Section {
        title: "Latency at the proxy in ms: p50/p90/p99, of N",
        columns: &["FIRST BYTE", "N", "FIRST TOKEN", "N", "TOTAL", "N"],
        cells: |figures| latency(figures, [&figures.first_byte, &figures.first_token, &figures.total]),
    },
    Section {
        title: "Where the first byte's time went in ms: p50/p90/p99, of N",
        columns: &["SERVER", "N", "NETWORK", "N", "CLIENT SIDE", "N"],
        cells: |figures| latency(figures, [&figures.server, &figures.network, &figures.client_side]),
    },
    Section {
        title: "Tokens, and turns of chats",
        columns: &["IN", "CACHED", "OUT", "OF REQUESTS", "TURNS", "FOLLOW-UPS", "UNKNOWN"],
        cells: tokens,
    },
];

/// All sections, with a legend where it is needed. The rows are told from the total by the mark.
pub(super) fn tables(rows: &[(&Figures, bool)], look: &Look) -> String {
    let mut text = String::new();
    let (mut unknown, mut nothing) = (false, false);
    for section in &SECTIONS {
        // The group of a total alone need not be named.
        let group = if rows.len() > 1 { "GROUP" } else { "" };
        let mut columns = vec![Column::new(group).least(12)];
        columns.extend(section.columns.iter().map(|title| Column::new(title).right()));
        let cells: Vec<_> = rows.iter().map(|(figures, is_total)| line(section, figures, *is_total)).collect();
        let figures = || cells.iter().flat_map(|row| row.iter().skip(1));
        unknown |= figures().any(|cell| cell.text == UNKNOWN);
        nothing |= figures().any(|cell| cell.text == NOTHING);
        let layout = Layout::of(&columns, &cells, Some(look.width.unwrap_or(100).max(60)));
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&look.tinted("1", section.title));
        text.push('\n');
        text.push_str(&layout.head(&columns, look));
        text.push('\n');
        for row in &cells {
            text.push_str(&layout.line(&columns, row, look));
            text.push('\n');
        }
    }
    let legend: Vec<_> = [(unknown, "? unknown (not zero)"), (nothing, "- nothing to know")]
        .into_iter()
        .filter_map(|(occurs, means)| occurs.then_some(means))
        .collect();
    if !legend.is_empty() {
        text.push_str(&format!("\n{}; see docs/figures.md\n", legend.join(", ")));
    }
    text
}

fn line(section: &Section, figures: &Figures, is_total: bool) -> Vec<Cell> {
    let tint = if is_total { "1" } else { "" };
    let mut cells = vec![Cell { text: printable(&figures.group).into_owned(), tint }];
    cells.extend((section.cells)(figures).into_iter().map(|text| {
        let tint = if text == UNKNOWN { "33" } else { "" };
        Cell { text, tint }
    }));
    cells
}

/// What stands for a number that is not there.
fn missing(something_to_know: bool) -> String {
    (if something_to_know { UNKNOWN } else { NOTHING }).to_owned()
}

fn or_missing(value: Option<u64>, something_to_know: bool) -> String {
    value.map_or_else(|| missing(something_to_know), number)
}

fn requests(figures: &Figures) -> Vec<String> {
    vec![
        number(figures.requests),
        number(figures.speculative),
        or_missing(figures.cancelled, figures.requests > 0),
        number(figures.errors),
        number(figures.noise),
        or_missing(figures.active_users, figures.requests > 0),
    ]
}

/// There were suggestions, known or not.
fn suggested(figures: &Figures) -> bool {
    figures.telemetry() != Telemetry::NothingToKnow
}

fn suggestions(figures: &Figures) -> Vec<String> {
    let known = |value| or_missing(value, suggested(figures));
    let coverage = match figures.suggestion_users {
        0 => NOTHING.to_owned(),
        users => format!("{} of {}", number(figures.telemetry_users), number(users)),
    };
    vec![
        coverage,
        known(figures.shown),
        known(figures.accepted),
        rate(figures, figures.acceptance(), figures.shown),
        known(figures.nes_shown),
        known(figures.nes_accepted),
        rate(figures, figures.nes_acceptance(), figures.nes_shown),
    ]
}

fn amounts(figures: &Figures) -> Vec<String> {
    let known = |value| or_missing(value, suggested(figures));
    vec![
        known(figures.lines_shown),
        known(figures.lines_accepted),
        rate(figures, figures.acceptance_by_lines(), figures.lines_shown),
        known(figures.chars_shown),
        known(figures.chars_accepted),
        rate(figures, figures.acceptance_by_chars(), figures.chars_shown),
    ]
}

/// Of nothing shown there is no rate.
fn rate(figures: &Figures, ratio: Option<f64>, of: Option<u64>) -> String {
    match ratio {
        Some(ratio) => percent(ratio),
        None => missing(suggested(figures) && of != Some(0)),
    }
}

fn percent(ratio: f64) -> String {
    format!("{:.1} %", ratio * 100.0)
}

/// `91.3 % of 120`, at each of the five times.
fn persistence(figures: &Figures) -> Vec<String> {
    let cell = |after: u64| {
        let at = figures.persistence.iter().find(|at| at.after == after);
        match at.and_then(|at| Some((at.share()?, at.known))) {
            Some((ratio, known)) => format!("{} of {}", percent(ratio), number(known)),
            None => missing(suggested(figures) && figures.accepted != Some(0)),
        }
    };
    [15, 30, 120, 300, 600].map(cell).to_vec()
}

/// Where there were requests that are measured at all, a figure without values is unknown.
fn latency(figures: &Figures, of: [&Percentiles; 3]) -> Vec<String> {
    let measured = figures.total.n.max(figures.first_byte.n) > 0;
    of.into_iter()
        .flat_map(|percentiles| match (percentiles.p50, percentiles.p90, percentiles.p99) {
            (Some(p50), Some(p90), Some(p99)) => {
                // Adding zero takes the sign from what was rounded to zero.
                let [p50, p90, p99] = [p50, p90, p99].map(|value| value.round() + 0.0);
                [format!("{p50}/{p90}/{p99}"), number(percentiles.n)]
            }
            _ => [missing(measured), number(percentiles.n)],
        })
        .collect()
}

fn tokens(figures: &Figures) -> Vec<String> {
    let known = |value| or_missing(value, figures.requests > 0);
    vec![
        known(figures.tokens_in),
        known(figures.tokens_cached),
        known(figures.tokens_out),
        number(figures.tokens_known),
        // None only where there are chats.
        or_missing(figures.turns, true),
        or_missing(figures.follow_ups, true),
        number(figures.turns_unknown),
    ]
}
