//! The cells of figures: each number, or why there is none. `docs/figures.md` says when that is.

use super::amounts::number;
use crate::figures::{Figures, Percentiles, Persistence, Telemetry};

/// One cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell {
    /// So many.
    Count(u64),
    /// A part of a whole, 0 to 1.
    Share(f64),
    /// Milliseconds.
    Millis(f64),
    /// It cannot be known from these records: `?`, never zero.
    Unknown,
    /// There is nothing to know: `-`.
    Nothing,
}

impl Cell {
    /// For people: `1,234`, `31.2 %`, milliseconds without decimals, `?`, `-`.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Count(count) => number(count),
            Self::Share(share) => format!("{:.1} %", share * 100.0),
            // Adding zero takes the sign from what was rounded to zero.
            Self::Millis(millis) => format!("{}", millis.round() + 0.0),
            Self::Unknown => "?".to_owned(),
            Self::Nothing => "-".to_owned(),
        }
    }

    /// For programs: the number as JSON has it, `?`, and nothing where there is nothing to know.
    #[must_use]
    pub fn plain(self) -> String {
        match self {
            Self::Count(count) => count.to_string(),
            Self::Share(number) | Self::Millis(number) => number.to_string(),
            Self::Unknown => "?".to_owned(),
            Self::Nothing => String::new(),
        }
    }

    fn missing(something_to_know: bool) -> Self {
        if something_to_know { Self::Unknown } else { Self::Nothing }
    }

    fn count(value: Option<u64>, something_to_know: bool) -> Self {
        value.map_or_else(|| Self::missing(something_to_know), Self::Count)
    }
}

/// A cell that records of requests tell: unknown only where there are requests.
#[must_use]
pub fn of_requests(figures: &Figures, value: Option<u64>) -> Cell {
    Cell::count(value, figures.requests > 0)
}

/// A cell that telemetry alone tells.
#[must_use]
pub fn of_telemetry(figures: &Figures, value: Option<u64>) -> Cell {
    Cell::count(value, suggested(figures))
}

/// A rate of two such cells. Of nothing there is no rate.
#[must_use]
pub fn rate(figures: &Figures, ratio: Option<f64>, of: Option<u64>) -> Cell {
    ratio.map_or_else(|| Cell::missing(suggested(figures) && of != Some(0)), Cell::Share)
}

/// Of the requests, a part.
#[must_use]
pub fn part_of_requests(figures: &Figures, part: Option<u64>) -> Cell {
    match part {
        Some(part) if figures.requests > 0 => Cell::Share(part as f64 / figures.requests as f64),
        _ => Cell::missing(figures.requests > 0),
    }
}

/// Turns or follow-ups: none only where chats do not say.
#[must_use]
pub fn of_chats(value: Option<u64>) -> Cell {
    Cell::count(value, true)
}

/// Accepted and looked at after so many seconds.
#[must_use]
pub fn looked_at(figures: &Figures, after: u64) -> Cell {
    let known = persistence(figures, after).map(|at| at.known);
    if suggested(figures) && figures.telemetry() == Telemetry::Unknown {
        return Cell::Unknown;
    }
    Cell::count(known.filter(|_| suggested(figures)), false)
}

/// Of those, still there.
#[must_use]
pub fn still(figures: &Figures, after: u64) -> Cell {
    still_is(figures, persistence(figures, after).and_then(|at| at.still).map(Cell::Count))
}

/// The same as a part of those that were looked at.
#[must_use]
pub fn persists(figures: &Figures, after: u64) -> Cell {
    still_is(figures, persistence(figures, after).and_then(Persistence::share).map(Cell::Share))
}

fn still_is(figures: &Figures, known: Option<Cell>) -> Cell {
    known.unwrap_or_else(|| Cell::missing(suggested(figures) && figures.accepted != Some(0)))
}

fn persistence(figures: &Figures, after: u64) -> Option<&Persistence> {
    figures.persistence.iter().find(|at| at.after == after)
}

/// A percentile: where there were requests that are measured at all, a span without values is unknown.
#[must_use]
pub fn millis(figures: &Figures, value: Option<f64>) -> Cell {
    let measured = figures.total.n.max(figures.first_byte.n) > 0;
    value.map_or_else(|| Cell::missing(measured), Cell::Millis)
}

/// There were suggestions, known or not.
fn suggested(figures: &Figures) -> bool {
    figures.telemetry() != Telemetry::NothingToKnow
}

/// The six spans of time by the names of their keys.
#[must_use]
pub fn spans(figures: &Figures) -> [(&'static str, &Percentiles); 6] {
    [
        ("first_byte", &figures.first_byte),
        ("first_token", &figures.first_token),
        ("total", &figures.total),
        ("server", &figures.server),
        ("network", &figures.network),
        ("client_side", &figures.client_side),
    ]
}

/// All numbers of a row: the keys of `stats --json`, those of the lists and objects in it joined by `_`
/// (`persistence_15_known`, `total_p90`, `spread_total_below_160`: from the bound before it).
#[must_use]
pub fn all(figures: &Figures) -> Vec<(String, Cell)> {
    let requests = |value| of_requests(figures, value);
    let told = |value| of_telemetry(figures, value);
    let mut cells: Vec<(String, Cell)> = [
        ("requests", Cell::Count(figures.requests)),
        ("speculative", Cell::Count(figures.speculative)),
        ("cancelled", requests(figures.cancelled)),
        ("errors", Cell::Count(figures.errors)),
        ("noise", Cell::Count(figures.noise)),
        ("active_users", requests(figures.active_users)),
        ("suggestion_users", Cell::Count(figures.suggestion_users)),
        ("telemetry_users", Cell::Count(figures.telemetry_users)),
        ("shown", told(figures.shown)),
        ("accepted", told(figures.accepted)),
        ("lines_shown", told(figures.lines_shown)),
        ("lines_accepted", told(figures.lines_accepted)),
        ("chars_shown", told(figures.chars_shown)),
        ("chars_accepted", told(figures.chars_accepted)),
    ]
    .map(|(key, cell)| (key.to_owned(), cell))
    .into();
    for at in &figures.persistence {
        cells.push((format!("persistence_{}_known", at.after), Cell::Count(at.known)));
        cells.push((format!("persistence_{}_still", at.after), still(figures, at.after)));
    }
    let nes = [("nes_shown", figures.nes_shown), ("nes_accepted", figures.nes_accepted)];
    cells.extend(nes.map(|(key, value)| (key.to_owned(), told(value))));
    for (span, Percentiles { n, p50, p90, p99 }) in spans(figures) {
        cells.push((format!("{span}_n"), Cell::Count(*n)));
        for (rank, value) in [("p50", p50), ("p90", p90), ("p99", p99)] {
            cells.push((format!("{span}_{rank}"), millis(figures, *value)));
        }
    }
    let bounds = &figures.spread.bounds;
    for (span, counts) in figures.spread.spans() {
        for (place, count) in counts.iter().enumerate() {
            // The last has no bound above it.
            let key = bounds.get(place).map_or_else(
                || format!("spread_{span}_from_{}", bounds.last().unwrap_or(&0)),
                |bound| format!("spread_{span}_below_{bound}"),
            );
            cells.push((key, Cell::Count(u64::from(*count))));
        }
    }
    let rest = [
        ("tokens_in", requests(figures.tokens_in)),
        ("tokens_cached", requests(figures.tokens_cached)),
        ("tokens_out", requests(figures.tokens_out)),
        ("tokens_known", Cell::Count(figures.tokens_known)),
        ("turns", of_chats(figures.turns)),
        ("follow_ups", of_chats(figures.follow_ups)),
        ("turns_unknown", Cell::Count(figures.turns_unknown)),
    ];
    cells.extend(rest.map(|(key, cell)| (key.to_owned(), cell)));
    cells
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn persistence(known: u64, still: Option<u64>) -> Vec<Persistence> {
        [15, 30, 120, 300, 600].map(|after| Persistence { after, known, still }).to_vec()
    }

    fn known() -> Figures {
        let percentiles = Percentiles { n: 3, p50: Some(1.25), p90: Some(-0.25), p99: Some(2_345.5) };
        Figures {
            group: "a".to_owned(),
            requests: 1_234_567,
            cancelled: Some(5),
            suggestion_users: 2,
            telemetry_users: 1,
            shown: Some(40),
            accepted: Some(10),
            persistence: persistence(4, Some(3)),
            total: percentiles,
            tokens_in: Some(u64::MAX),
            turns: Some(1),
            follow_ups: Some(2),
            ..Figures::default()
        }
    }

    /// Keys and values of JSON, those of lists and objects joined.
    fn flat(figures: &Figures) -> Vec<(String, Value)> {
        let mut flat = Vec::new();
        let value = serde_json::to_value(figures).unwrap();
        for (key, value) in value.as_object().unwrap() {
            match value {
                Value::Array(list) => flat.extend(list.iter().flat_map(|one| {
                    ["known", "still"].map(|name| (format!("{key}_{}_{name}", one["after"]), one[name].clone()))
                })),
                Value::Object(spread) if key == "spread" => {
                    let bounds = spread["bounds"].as_array().unwrap();
                    for (span, counts) in spread.iter().filter(|(name, _)| *name != "bounds") {
                        let (last, below) = counts.as_array().unwrap().split_last().unwrap();
                        let below = bounds.iter().zip(below);
                        flat.extend(below.map(|(bound, n)| (format!("spread_{span}_below_{bound}"), n.clone())));
                        flat.push((format!("spread_{span}_from_{}", bounds.last().unwrap()), last.clone()));
                    }
                }
                Value::Object(map) => {
                    flat.extend(map.iter().map(|(name, value)| (format!("{key}_{name}"), value.clone())));
                }
                _ if key == "group" => {}
                _ => flat.push((key.clone(), value.clone())),
            }
        }
        flat
    }

    #[test]
    fn cells_are_those_of_json_in_their_order() {
        let unknown = Figures {
            requests: 5,
            suggestion_users: 2,
            first_byte: Percentiles { n: 1, p50: Some(1.0), p90: Some(1.0), p99: Some(1.0) },
            persistence: persistence(0, None),
            ..Figures::default()
        };
        let nothing = Figures { persistence: persistence(0, None), ..Figures::default() };
        for (figures, without_number) in [(known(), None), (unknown, Some("?")), (nothing, Some(""))] {
            let expected = flat(&figures);
            let cells = all(&figures);
            assert_eq!(cells.len(), expected.len());
            for ((key, cell), (expected_key, value)) in cells.iter().zip(expected) {
                assert_eq!(*key, expected_key);
                match (value, without_number) {
                    (Value::Null, _) if key == "turns" || key == "follow_ups" => assert_eq!(cell.plain(), "?"),
                    (Value::Null, Some(plain)) => assert_eq!(cell.plain(), plain, "{key}"),
                    (Value::Null, None) => assert!(matches!(cell.plain().as_str(), "?" | ""), "{key}"),
                    (number, _) => assert_eq!(cell.plain().parse::<f64>().ok(), number.as_f64(), "{key}"),
                }
            }
        }
    }

    #[test]
    fn people_read_them_as_the_command_writes_them() {
        let figures = known();
        let texts = [
            Cell::Count(figures.requests),
            part_of_requests(&figures, figures.cancelled),
            rate(&figures, figures.acceptance(), figures.shown),
            rate(&figures, figures.nes_acceptance(), figures.nes_shown),
            persists(&figures, 15),
            looked_at(&figures, 600),
            millis(&figures, figures.total.p90),
            millis(&figures, figures.total.p99),
            millis(&figures, figures.server.p50),
            Cell::Nothing,
        ]
        .map(Cell::text);
        assert_eq!(texts, ["1,234,567", "0.0 %", "25.0 %", "?", "75.0 %", "4", "0", "2346", "?", "-"]);
    }

    #[test]
    fn of_nothing_there_is_no_rate() {
        let none = Figures { suggestion_users: 1, telemetry_users: 1, shown: Some(0), ..Figures::default() };
        assert_eq!(rate(&none, none.acceptance(), none.shown), Cell::Nothing);
        assert_eq!(part_of_requests(&none, Some(0)), Cell::Nothing);
        assert_eq!((persists(&none, 15), millis(&none, None)), (Cell::Unknown, Cell::Nothing));
        let zero = Figures { accepted: Some(0), ..none };
        assert_eq!((persists(&zero, 15), still(&zero, 15)), (Cell::Nothing, Cell::Nothing));
    }
}
