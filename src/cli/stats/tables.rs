//! The figures as tables of at most 100 columns, one for each section.

use super::super::output::{Look, printable};
use super::super::rows::number;
use super::super::table::{self, Column, Layout};
use crate::figures::{Figures, Percentiles};
use crate::review::cells::{Cell, looked_at, millis, of_chats, of_requests, of_telemetry, persists, rate};

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

fn line(section: &Section, figures: &Figures, is_total: bool) -> Vec<table::Cell> {
    let tint = if is_total { "1" } else { "" };
    let mut cells = vec![table::Cell { text: printable(&figures.group).into_owned(), tint }];
    cells.extend((section.cells)(figures).into_iter().map(|text| {
        let tint = if text == UNKNOWN { "33" } else { "" };
        table::Cell { text, tint }
    }));
    cells
}

fn texts<const N: usize>(cells: [Cell; N]) -> Vec<String> {
    cells.map(Cell::text).into()
}

fn requests(figures: &Figures) -> Vec<String> {
    texts([
        Cell::Count(figures.requests),
        Cell::Count(figures.speculative),
        of_requests(figures, figures.cancelled),
        Cell::Count(figures.errors),
        Cell::Count(figures.noise),
        of_requests(figures, figures.active_users),
    ])
}

fn suggestions(figures: &Figures) -> Vec<String> {
    let coverage = match figures.suggestion_users {
        0 => NOTHING.to_owned(),
        users => format!("{} of {}", number(figures.telemetry_users), number(users)),
    };
    let mut line = vec![coverage];
    line.extend(texts([
        of_telemetry(figures, figures.shown),
        of_telemetry(figures, figures.accepted),
        rate(figures, figures.acceptance(), figures.shown),
        of_telemetry(figures, figures.nes_shown),
        of_telemetry(figures, figures.nes_accepted),
        rate(figures, figures.nes_acceptance(), figures.nes_shown),
    ]));
    line
}

fn amounts(figures: &Figures) -> Vec<String> {
    texts([
        of_telemetry(figures, figures.lines_shown),
        of_telemetry(figures, figures.lines_accepted),
        rate(figures, figures.acceptance_by_lines(), figures.lines_shown),
        of_telemetry(figures, figures.chars_shown),
        of_telemetry(figures, figures.chars_accepted),
        rate(figures, figures.acceptance_by_chars(), figures.chars_shown),
    ])
}

/// `91.3 % of 120`, at each of the five times.
fn persistence(figures: &Figures) -> Vec<String> {
    let cell = |after| match persists(figures, after) {
        share @ Cell::Share(_) => format!("{} of {}", share.text(), looked_at(figures, after).text()),
        without => without.text(),
    };
    [15, 30, 120, 300, 600].map(cell).into()
}

fn latency(figures: &Figures, of: [&Percentiles; 3]) -> Vec<String> {
    let cell = |percentiles: &Percentiles| {
        let cells = [percentiles.p50, percentiles.p90, percentiles.p99].map(|value| millis(figures, value));
        let text = match cells {
            [Cell::Millis(_), ..] => texts(cells).join("/"),
            [without, ..] => without.text(),
        };
        [text, number(percentiles.n)]
    };
    of.into_iter().flat_map(cell).collect()
}

fn tokens(figures: &Figures) -> Vec<String> {
    texts([
        of_requests(figures, figures.tokens_in),
        of_requests(figures, figures.tokens_cached),
        of_requests(figures, figures.tokens_out),
        Cell::Count(figures.tokens_known),
        of_chats(figures.turns),
        of_chats(figures.follow_ups),
        Cell::Count(figures.turns_unknown),
    ])
}
