//! Figures as charts: what is put on which axis.

use chrono::NaiveDate;
use maud::Markup;

use super::rank::{Measure, Ranked, ranked};
use super::tables::{seconds, span_name};
use crate::figures::{Counts, Figures, Percentiles, Telemetry};
use crate::review::cells::{Cell, millis, persists, rate, spans};
use crate::web::charts::{
    Bar, Bars, Column, Columns, Histogram, Line, Lines, Point, Range, Ranges, Share, Shares, Title, Unit, Value,
};

/// Days in a chart: the latest year.
const DAYS: i64 = 366;

/// The days that are drawn: their numbers from 1970, and their rows.
fn days(rows: &[Figures]) -> Vec<(i64, &Figures)> {
    let number = |row: &Figures| {
        let day = NaiveDate::parse_from_str(&row.group, "%Y-%m-%d").ok()?;
        Some(day.signed_duration_since(NaiveDate::default()).num_days())
    };
    let mut days: Vec<_> = rows.iter().filter_map(|row| Some((number(row)?, row))).collect();
    let last = days.iter().map(|(day, _)| *day).max().unwrap_or(0);
    days.retain(|(day, _)| *day > last - DAYS);
    days
}

/// A cell as something that can be drawn.
fn drawn(cell: Cell) -> Value {
    match cell {
        Cell::Count(count) => Value::Known(count as f64),
        Cell::Share(number) | Cell::Millis(number) => Value::Known(number),
        Cell::Unknown => Value::Unknown,
        Cell::Nothing => Value::Nothing,
    }
}

/// A line: its name, and the cell that it goes through.
pub(super) type Curve = (&'static str, fn(&Figures) -> Cell);

/// Lines over days.
pub(super) fn lines(title: Title, unit: Unit, rows: &[Figures], lines: &[Curve]) -> Markup {
    let days = days(rows);
    let line = |(name, cell): &Curve| Line {
        name,
        points: days.iter().map(|(day, row)| Point { day: *day, value: drawn(cell(row)) }).collect(),
    };
    Lines { title, unit, lines: lines.iter().map(line).collect() }.draw()
}

/// A column for each day from the first to the last; one of which there is no record has none.
pub(super) fn by_day(title: Title, unit: Unit, rows: &[Figures], cell: fn(&Figures) -> Cell) -> Markup {
    let days = days(rows);
    let (first, last) = (days.first().map_or(0, |(day, _)| *day), days.last().map_or(-1, |(day, _)| *day));
    let columns = (first..=last).map(|day| {
        let row = days.iter().find(|(known, _)| *known == day);
        let name = NaiveDate::default()
            .checked_add_signed(chrono::TimeDelta::days(day))
            .map_or_else(String::new, |day| day.format("%m-%d").to_string());
        Column { name, value: row.map_or(Value::Nothing, |(_, row)| drawn(cell(row))) }
    });
    Columns { title, unit, columns: columns.collect() }.draw()
}

/// A column for each hour of the day.
pub(super) fn by_hour(title: Title, unit: Unit, rows: &[Figures], cell: fn(&Figures) -> Cell) -> Markup {
    let columns = (0..24).map(|hour| {
        let name = format!("{hour:02}");
        let row = rows.iter().find(|row| row.group == name);
        Column { value: row.map_or(Value::Nothing, |row| drawn(cell(row))), name }
    });
    Columns { title, unit, columns: columns.collect() }.draw()
}

/// The largest groups, and the others together.
pub(super) fn bars(title: Title, unit: Unit, rows: &[Figures], measure: fn(&Figures) -> Measure) -> Markup {
    let bar = |Ranked { name, measure, is_rest }: Ranked| {
        let note = match &measure {
            Measure::Part(_, whole) => format!("of {}", Cell::Count(*whole).text()),
            _ => String::new(),
        };
        // So many others may be more than all that are named; of a share there is no more than all.
        Bar { name, value: measure.value(), note, is_text: is_rest && unit == Unit::Count }
    };
    Bars { title, unit, bars: ranked(rows, measure).into_iter().map(bar).collect() }.draw()
}

/// What the whole of each of the largest groups is made of.
pub(super) fn shares(
    title: Title,
    parts: &[&'static str],
    rows: &[Figures],
    measure: fn(&Figures) -> Measure,
) -> Markup {
    let share = |Ranked { name, measure, .. }: Ranked| {
        let parts = match measure {
            Measure::Parts(parts) => Some(parts.into_iter().map(|part| part as f64).collect()),
            _ => None,
        };
        Share { name, parts }
    };
    let shares = ranked(rows, measure).into_iter().map(share).collect();
    Shares { title, parts: parts.to_vec(), shares }.draw()
}

/// Persistence of the total.
pub(super) fn persistence(title: Title, total: &Figures) -> Markup {
    let bars = total.persistence.iter().map(|at| Bar {
        name: format!("after {}", seconds(at.after)),
        value: drawn(persists(total, at.after)),
        note: format!("of {}", Cell::Count(at.known).text()),
        is_text: false,
    });
    Bars { title, unit: Unit::Share, bars: bars.collect() }.draw()
}

/// How the values of a span are spread.
pub(super) fn histogram(title: Title, row: &Figures, (counts, span): (&Counts, &Percentiles)) -> Markup {
    let mark = |(name, value): (&'static str, Option<f64>)| (name, drawn(millis(row, value)));
    let marks = [("p50", span.p50), ("p90", span.p90), ("p99", span.p99)].map(mark);
    Histogram { title, bounds: &row.spread.bounds, counts, marks: marks.into() }.draw()
}

/// All spans of the total.
pub(super) fn all_spans(title: Title, total: &Figures) -> Markup {
    let ranges = spans(total).map(|(key, span)| range(span_name(key), total, span));
    Ranges { title, ranges: ranges.into() }.draw()
}

/// One span of the groups with most values. Percentiles of the others cannot be put together: they are left out, and
/// how many they are is handed back.
pub(super) fn ranges(title: Title, rows: &[Figures], span: fn(&Figures) -> &Percentiles) -> (Markup, usize) {
    const MOST: usize = 12;
    let mut answered: Vec<_> = rows.iter().filter(|row| span(row).n > 0).collect();
    answered.sort_by_key(|row| std::cmp::Reverse(span(row).n));
    let left_out = answered.len().saturating_sub(MOST);
    let ranges = answered.into_iter().take(MOST).map(|row| range(&row.group, row, span(row)));
    (Ranges { title, ranges: ranges.collect() }.draw(), left_out)
}

fn range(name: &str, row: &Figures, span: &Percentiles) -> Range {
    let values = [span.p50, span.p90, span.p99].map(|value| drawn(millis(row, value)));
    Range { name: name.to_owned(), values }
}

/// Suggestions accepted of those shown.
pub(super) fn acceptance(row: &Figures) -> Measure {
    accepted_of_shown(row, row.accepted, row.shown)
}

fn accepted_of_shown(row: &Figures, accepted: Option<u64>, shown: Option<u64>) -> Measure {
    match (row.telemetry(), accepted, shown) {
        (Telemetry::NothingToKnow, ..) => Measure::Nothing,
        (_, Some(_), Some(0)) => Measure::Nothing,
        (_, Some(accepted), Some(shown)) => Measure::Part(accepted, shown),
        _ => Measure::Unknown,
    }
}

/// The rate of suggestions, as a cell.
pub(super) fn acceptance_rate(row: &Figures) -> Cell {
    rate(row, row.acceptance(), row.shown)
}

/// The rate of characters, as a cell.
pub(super) fn acceptance_by_chars(row: &Figures) -> Cell {
    rate(row, row.acceptance_by_chars(), row.chars_shown)
}

/// Next edits accepted of those shown.
pub(super) fn nes_acceptance(row: &Figures) -> Measure {
    accepted_of_shown(row, row.nes_accepted, row.nes_shown)
}

/// Answers whose times are known.
pub(super) fn measured(row: &Figures) -> Measure {
    if row.total.n == 0 { Measure::Nothing } else { Measure::Amount(row.total.n) }
}

/// Requests that the client ended.
pub(super) fn cancelled(row: &Figures) -> Measure {
    match (row.requests, row.cancelled) {
        (0, _) => Measure::Nothing,
        (requests, Some(cancelled)) => Measure::Part(cancelled, requests),
        (_, None) => Measure::Unknown,
    }
}

/// Requests that failed.
pub(super) fn errors(row: &Figures) -> Measure {
    if row.requests == 0 { Measure::Nothing } else { Measure::Part(row.errors, row.requests) }
}

/// Requests.
pub(super) fn requests(row: &Figures) -> Measure {
    if row.requests == 0 { Measure::Nothing } else { Measure::Amount(row.requests) }
}

/// Tokens, where there are requests that could tell them.
pub(super) fn tokens(row: &Figures, tokens: Option<u64>) -> Measure {
    match (row.requests, tokens) {
        (0, _) => Measure::Nothing,
        (_, Some(tokens)) => Measure::Amount(tokens),
        (_, None) => Measure::Unknown,
    }
}

/// Cached tokens, and the others of the prompts.
pub(super) fn cached(row: &Figures) -> Measure {
    match (row.tokens_cached, row.tokens_in) {
        (_, Some(0)) => Measure::Nothing,
        (Some(cached), Some(all)) => Measure::Parts(vec![cached, all.saturating_sub(cached)]),
        _ if row.requests == 0 => Measure::Nothing,
        _ => Measure::Unknown,
    }
}

/// Turns of people, follow-ups of the client, and those that do not say.
pub(super) fn turns(row: &Figures) -> Measure {
    match (row.turns, row.follow_ups) {
        (Some(0), Some(0)) if row.turns_unknown == 0 => Measure::Nothing,
        (Some(turns), Some(follow_ups)) => Measure::Parts(vec![turns, follow_ups, row.turns_unknown]),
        _ => Measure::Unknown,
    }
}
