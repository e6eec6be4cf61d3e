//! The page of figures on a simulated week: each cell of each table, and of each CSV, is what `stats --json` says.

#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use support::page::Page;
use support::program::Folder;
use support::week::{self, Layout, Options, Writer};

const SPLITS: [&str; 7] = ["user", "language", "editor", "model", "kind", "day", "hour"];

/// `web` on a folder with a simulated week.
struct Review(Page);

impl Review {
    fn start() -> Self {
        let folder = Folder::new();
        let mut writer = Writer::new(&folder.path("logs"), Layout::Kind);
        week::make(Options { seed: 7, percent: 30 }, &mut |exchange| {
            writer.write(exchange);
        });
        Self(Page::start(folder, &[]))
    }

    fn get(&self, path: &str) -> (u16, String) {
        let answer = self.0.shown(path);
        (answer.status, answer.text())
    }

    /// The rows of `stats --json`, and the total.
    fn stats(&self, words: &[&str]) -> (Vec<Map<String, Value>>, Map<String, Value>) {
        let outcome = self.0.folder.run(&[&["stats", "--logs", "logs", "--json"], words].concat());
        outcome.succeeds();
        let mut rows: Vec<Map<String, Value>> =
            outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let total = rows.pop().unwrap();
        (rows, total)
    }
}

/// One table of the page: the keys of its columns, its rows by name, its total.
#[derive(Debug)]
struct Table {
    keys: Vec<String>,
    rows: Vec<(String, Vec<String>)>,
    total: Option<Vec<String>>,
}

/// All tables of a page, by what they are called.
fn tables(page: &str) -> BTreeMap<String, Table> {
    let mut tables = BTreeMap::new();
    for part in page.split("role=\"region\" aria-label=\"").skip(1) {
        let (name, rest) = part.split_once('"').unwrap();
        let (table, _) = rest.split_once("</table>").unwrap();
        let (head, body) = table.split_once("</thead>").unwrap();
        let keys = head.split("data-key=\"").skip(1).map(|key| key.split_once('"').unwrap().0.to_owned()).collect();
        let (body, foot) = body.split_once("<tfoot>").unwrap_or((body, ""));
        let rows = |text: &str| -> Vec<(String, Vec<String>)> { text.split("<tr").skip(1).map(row).collect() };
        let total = rows(foot).pop().map(|(name, cells)| {
            assert_eq!(name, "total");
            cells
        });
        let table = Table { keys, rows: rows(body), total };
        assert!(tables.insert(name.to_owned(), table).is_none(), "{name} is there twice");
    }
    tables
}

fn row(text: &str) -> (String, Vec<String>) {
    let (name, cells) = text.split_once("</th>").unwrap();
    let name = name.split_once("<th scope=\"row\">").unwrap().1;
    // A link to the group alone, perhaps.
    let name = name.trim_end_matches("</a>").rsplit('>').next().unwrap().to_owned();
    let cells = cells.split("<td class=\"num").skip(1).map(|cell| {
        let cell = cell.split_once('>').unwrap().1;
        cell.split_once("</td>").unwrap().0.to_owned()
    });
    (name, cells.collect())
}

/// What a cell of the page must say, from a row of `stats --json`: by the words of `docs/figures.md`.
fn expected(row: &Map<String, Value>, key: &str) -> String {
    let number = |key: &str| row[key].as_u64();
    let from_telemetry = || if number("suggestion_users") == Some(0) { "-" } else { "?" };
    let share = |part: &str, whole: &str| match (number(part), number(whole)) {
        (Some(part), Some(whole)) if whole > 0 => percent(part, whole),
        (_, Some(0)) => "-".to_owned(),
        _ => from_telemetry().to_owned(),
    };
    match key {
        "acceptance" => share("accepted", "shown"),
        "acceptance_by_lines" => share("lines_accepted", "lines_shown"),
        "acceptance_by_chars" => share("chars_accepted", "chars_shown"),
        "nes_acceptance" => share("nes_accepted", "nes_shown"),
        "cancelled_share" | "errors_share" => {
            match (number(key.trim_end_matches("_share")), number("requests").unwrap()) {
                (_, 0) => "-".to_owned(),
                (Some(part), whole) => percent(part, whole),
                (None, _) => "?".to_owned(),
            }
        }
        _ => match (flat(row, key), key) {
            (Value::Number(value), _) if key.contains("_p") => format!("{}", value.as_f64().unwrap().round() + 0.0),
            (Value::Number(value), _) => grouped(value.as_u64().unwrap()),
            (_, "turns" | "follow_ups") => "?".to_owned(),
            (_, key) if key.starts_with("tokens") || key == "cancelled" || key == "active_users" => {
                (if number("requests") == Some(0) { "-" } else { "?" }).to_owned()
            }
            (_, key) if key.contains("_p") => {
                let measured = [&row["total"], &row["first_byte"]].iter().any(|span| span["n"] != 0);
                (if measured { "?" } else { "-" }).to_owned()
            }
            _ => from_telemetry().to_owned(),
        },
    }
}

fn percent(part: u64, whole: u64) -> String {
    format!("{:.1} %", part as f64 / whole as f64 * 100.0)
}

/// By what the rows of a table are sorted, the largest first, what is unknown behind them, and then that of which there
/// is nothing. None: by time.
fn weight(table: &str, row: &Map<String, Value>) -> Option<(u8, u64)> {
    const NOTHING: (u8, u64) = (0, 0);
    const UNKNOWN: (u8, u64) = (1, 0);
    let number = |key: &str| row[key].as_u64();
    let known = |amount: Option<u64>| amount.map_or(UNKNOWN, |amount| (2, amount));
    let (what, _) = table.rsplit_once(" by ").unwrap();
    let asked = number("requests") != Some(0);
    Some(match what {
        _ if table.ends_with("by day") || table.ends_with("by hour") => return None,
        "Acceptance" | "Next edits accepted," => {
            let shown = number(if what == "Acceptance" { "shown" } else { "nes_shown" });
            if number("suggestion_users") == Some(0) || shown == Some(0) { NOTHING } else { known(shown) }
        }
        "Whole answer" => row["total"]["n"].as_u64().filter(|n| *n > 0).map_or(NOTHING, |n| (2, n)),
        "Turns and follow-ups" => match (number("turns"), number("follow_ups"), number("turns_unknown")) {
            (Some(0), Some(0), Some(0)) => NOTHING,
            (turns, follow_ups, unknown) => known(turns.zip(follow_ups).zip(unknown).map(|((a, b), c)| a + b + c)),
        },
        "Cached part of prompts," if number("tokens_in") == Some(0) => NOTHING,
        _ if !asked => NOTHING,
        "Cached part of prompts," => known(number("tokens_cached").and_then(|_| number("tokens_in"))),
        "Tokens sent," => known(number("tokens_in")),
        "Tokens answered," => known(number("tokens_out")),
        "Cancelled" => known(number("cancelled").and_then(|_| number("requests"))),
        "Requests" | "Failed" => known(number("requests")),
        _ => panic!("by what is {table} sorted?"),
    })
}

/// Between which bounds values are counted, as the page writes it, and how many.
fn spread(row: &Map<String, Value>, span: &str) -> Vec<(String, u64)> {
    let spread = &row["spread"];
    let name = |bound: &Value| match bound.as_u64().unwrap() {
        bound if bound < 1_000 => format!("{bound} ms"),
        bound if bound % 1_000 == 0 => format!("{} s", bound / 1_000),
        bound => format!("{}.{} s", bound / 1_000, bound % 1_000 / 100),
    };
    let bounds: Vec<String> = spread["bounds"].as_array().unwrap().iter().map(name).collect();
    let mut names = vec![format!("below {}", bounds[0])];
    names.extend(bounds.windows(2).map(|pair| format!("{} to {}", pair[0], pair[1])));
    names.push(format!("{} and more", bounds.last().unwrap()));
    let counts: Vec<u64> = spread[span].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).collect();
    assert_eq!(names.len(), counts.len());
    names.into_iter().zip(counts).collect()
}

/// Where a table of a spread differs from the row's.
fn wrong_spread(table: &Table, row: &Map<String, Value>, span: &str, compared: &mut usize) -> Option<String> {
    let all = row[span]["n"].as_u64().unwrap();
    let counts = spread(row, span);
    assert_eq!(counts.iter().map(|(_, count)| count).sum::<u64>(), all, "{span}");
    let first = counts.iter().position(|(_, count)| *count > 0).unwrap_or(0);
    let end = counts.iter().rposition(|(_, count)| *count > 0).map_or(0, |last| last + 1);
    let lines = counts[first.min(end)..end].iter();
    let expected: Vec<_> =
        lines.map(|(name, count)| (name.clone(), vec![grouped(*count), percent(*count, all)])).collect();
    *compared += expected.len() * 2;
    let total = table.total.as_ref().unwrap();
    let is_right = table.rows == expected && total[0] == grouped(all) && (all == 0 || total[1] == "100.0 %");
    (!is_right).then(|| format!("{span}: {table:?}, not {expected:?}"))
}

/// The value of a key; of an object's by both names.
fn flat(row: &Map<String, Value>, key: &str) -> Value {
    if let Some(value) = row.get(key) {
        return value.clone();
    }
    if let Some(at) = key.strip_prefix("persistence_") {
        let (after, name) = at.split_once('_').unwrap();
        let list = row["persistence"].as_array().unwrap();
        let after: u64 = after.parse().unwrap();
        return list.iter().find(|one| one["after"] == after).unwrap()[name].clone();
    }
    if let Some(counted) = key.strip_prefix("spread_") {
        let (span, bound) = counted.split_once("_below_").or_else(|| counted.split_once("_from_")).unwrap();
        let bounds = row["spread"]["bounds"].as_array().unwrap();
        let bound: u64 = bound.parse().unwrap();
        let place = bounds.iter().position(|known| *known == bound).unwrap();
        return row["spread"][span][place + usize::from(counted.contains("_from_"))].clone();
    }
    let (name, rank) = key.rsplit_once('_').unwrap();
    row[name][rank].clone()
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
    groups.join(",")
}

/// Where tables differ from `stats`, a line each; and how many cells were compared.
fn differences(review: &Review, query: &str, words: &[&str], compared: &mut usize) -> Vec<String> {
    let (status, page) = review.get(&format!("/figures?{query}"));
    assert_eq!(status, 200);
    let tables = tables(&page);
    let mut wrong = Vec::new();
    for by in SPLITS {
        let (rows, total) = review.stats(&[words, &["--by", by]].concat());
        let suffix = format!("by {by}");
        let of_split: Vec<_> = tables.iter().filter(|(name, _)| name.ends_with(&suffix)).collect();
        assert!(!of_split.is_empty(), "no table {suffix}");
        for (name, table) in of_split {
            let mut rows: Vec<_> = rows.iter().collect();
            // Those that are as large stay in the order of `stats`.
            rows.sort_by_key(|row| std::cmp::Reverse(weight(name, row)));
            let groups: Vec<_> = rows.iter().map(|row| row["group"].as_str().unwrap()).collect();
            let shown: Vec<_> = table.rows.iter().map(|(group, _)| group.as_str()).collect();
            if groups != shown {
                wrong.push(format!("{query}: {name}: rows {shown:?}, not {groups:?}"));
                continue;
            }
            let lines = rows.into_iter().zip(table.rows.iter().map(|(_, cells)| cells));
            for (row, cells) in lines.chain([(&total, table.total.as_ref().unwrap())]) {
                assert_eq!(cells.len(), table.keys.len());
                for (key, cell) in table.keys.iter().zip(cells) {
                    *compared += 1;
                    let expected = expected(row, key);
                    if *cell != expected {
                        wrong.push(format!("{query}: {name}: {}: {key}: {cell}, not {expected}", row["group"]));
                    }
                }
            }
        }
        wrong.extend(wrong_csv(review, &format!("by={by}&{query}"), rows.iter().chain([&total]), compared));
    }
    let (kinds, total) = review.stats(&[words, &["--by", "kind"]].concat());
    for (name, span) in [("first byte", "first_byte"), ("first token", "first_token"), ("whole answer", "total")] {
        wrong.extend(wrong_spread(&tables[&format!("Time to the {name}")], &total, span, compared));
    }
    let measured: Vec<_> = kinds.iter().filter(|row| row["total"]["n"] != 0).collect();
    let of_kinds: Vec<_> = tables.iter().filter(|(name, _)| name.starts_with("Whole answer: ")).collect();
    assert_eq!(of_kinds.len(), if measured.len() > 1 { measured.len() } else { 0 }, "{query}");
    for (name, table) in of_kinds {
        let row = measured.iter().find(|row| name.ends_with(row["group"].as_str().unwrap())).unwrap();
        wrong.extend(wrong_spread(table, row, "total", compared));
    }
    let (_, total) = review.stats(words);
    wrong.extend(wrong_csv(review, query, [&total].into_iter(), compared));
    for (span, cells) in &tables["Where the time goes"].rows {
        let key = match span.as_str() {
            "Whole answer" => "total".to_owned(),
            "Server says" => "server".to_owned(),
            other => other.to_lowercase().replace(' ', "_"),
        };
        let keys = ["p50", "p90", "p99", "n"].map(|rank| expected(&total, &format!("{key}_{rank}")));
        if *cells != keys {
            wrong.push(format!("{query}: {span}: {cells:?}, not {keys:?}"));
        }
    }
    for ((after, cells), at) in tables["Accepted suggestions that are still in the code"]
        .rows
        .iter()
        .zip(total["persistence"].as_array().unwrap())
    {
        let (still, known) = (at["still"].as_u64(), at["known"].as_u64().unwrap());
        if let Some(still) = still
            && *cells != [percent(still, known), grouped(still), grouped(known)]
        {
            wrong.push(format!("{query}: after {after}: {cells:?}, not {at}"));
        }
    }
    wrong
}

fn wrong_csv<'a>(
    review: &Review,
    query: &str,
    rows: impl Iterator<Item = &'a Map<String, Value>>,
    compared: &mut usize,
) -> Vec<String> {
    let (status, text) = review.get(&format!("/figures.csv?{query}"));
    assert_eq!(status, 200);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let keys: Vec<_> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let lines: Vec<_> = reader.records().map(Result::unwrap).collect();
    let rows: Vec<_> = rows.collect();
    assert_eq!(lines.len(), rows.len(), "{query}");
    let mut wrong = Vec::new();
    for (row, line) in rows.into_iter().zip(&lines) {
        for (key, cell) in keys.iter().zip(line) {
            *compared += 1;
            let is_right = match flat(row, key) {
                Value::Number(number) => cell.parse::<f64>().ok() == number.as_f64(),
                Value::String(text) => cell.strip_prefix('\'').unwrap_or(cell) == text,
                Value::Bool(truth) => cell == truth.to_string(),
                _ if key == "by" => cell.is_empty(),
                _ => cell == "?" || cell.is_empty(),
            };
            if !is_right {
                wrong.push(format!("{query}: {}: {key}: {cell}", row["group"]));
            }
        }
    }
    wrong
}

#[test]
fn every_cell_is_what_stats_says() {
    let review = Review::start();
    let mut compared = 0;
    let mut wrong = Vec::new();
    for (query, words) in [
        ("", vec![]),
        ("since=2026-03-04&until=2026-03-05", vec!["--since", "2026-03-04", "--until", "2026-03-05"]),
        ("user=anna", vec!["--user", "anna"]),
        ("language=rust,go", vec!["--language", "rust,go"]),
        ("kind=chat", vec!["--kind", "chat"]),
        ("kind=telemetry", vec!["--kind", "telemetry"]),
        ("editor=vscode&utc-offset=%2B05:30", vec!["--editor", "vscode", "--utc-offset", "+05:30"]),
    ] {
        wrong.extend(differences(&review, query, &words, &mut compared));
    }
    assert!(wrong.is_empty(), "{} differences, the first:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
    assert!(compared > 20_000, "{compared} cells were compared");
}
