//! Show 3: a simulated week, of which the truth is known. Every cell of every table equals it, unknowns included; again
//! after the index is made anew, and when the records come in another order.

mod support;

use std::fs;
use std::path::Path;

use copilot_recorder::figures::{By, Figures, Query, Tally};
use copilot_recorder::index::{EventFact, Filter, Index, Initiator, RequestFact, Row};
use copilot_recorder::rules::Kind;
use copilot_recorder::{archive, copilot};
use serde_json::{Map, Value};
use support::program::Folder;
use support::records::Record;
use support::rng::Rng;
use support::week::{self, Ask, DAY, FIELDS, Fact, Layout, MONDAY, Options, Truth, Writer};

const SPLITS: [(&str, By); 7] = [
    ("user", By::User),
    ("language", By::Language),
    ("editor", By::Editor),
    ("model", By::Model),
    ("kind", By::Kind),
    ("day", By::Day),
    ("hour", By::Hour),
];

/// Writes a week into that folder.
fn write(logs: &Path, layout: Layout, options: Options) -> Truth {
    let mut writer = Writer::new(logs, layout);
    week::make(options, &mut |exchange| {
        writer.write(exchange);
    })
}

fn rebuild(logs: &Path) -> Index {
    let (index, report) = Index::rebuild(logs, &mut |_| ()).expect("an index");
    assert_eq!(report.skipped, [], "every record can be read");
    index
}

fn query(ask: &Ask) -> Query {
    let kind = |name: &&str| name.parse::<Kind>().expect("a kind");
    Query {
        by: ask.by.map(|wanted| SPLITS.iter().find(|(name, _)| *name == wanted).expect("a split").1),
        kinds: ask.kinds.iter().map(kind).collect(),
        users: ask.users.clone(),
        languages: ask.languages.clone(),
        since: ask.since,
        until: ask.until,
        offset_minutes: i32::try_from(ask.offset_minutes).expect("minutes of a day"),
        ..Query::default()
    }
}

/// The figures of all that is asked, in one pass through the index.
fn figures(index: &Index, asks: &[Ask]) -> Vec<(Vec<Figures>, Figures)> {
    let mut tallies: Vec<Tally> = asks.iter().map(|ask| Tally::new(query(ask))).collect();
    index.each_person(&mut |tid, user| tallies.iter_mut().for_each(|tally| tally.person(tid, user))).expect("persons");
    let mut request = |request: &RequestFact<'_>| tallies.iter_mut().for_each(|tally| tally.request(request));
    index.each_request(&Filter::default(), &mut request).expect("requests");
    let mut event = |event: &EventFact<'_>| tallies.iter_mut().for_each(|tally| tally.event(event));
    index.each_event(None, None, &mut event).expect("events");
    tallies.into_iter().map(Tally::finish).collect()
}

/// All that is asked of a week: every split, plain and filtered, and by another clock.
fn asks() -> Vec<Ask> {
    let plain = Ask::default();
    let day = |n: i64| MONDAY + n * DAY;
    let mut asks = vec![
        plain.clone(),
        Ask { since: Some(day(2)), until: Some(day(3)), ..plain.clone() },
        Ask { since: Some(day(5)), ..plain.clone() },
        Ask { users: vec!["anna".into()], ..plain.clone() },
        Ask { users: vec!["quinn".into(), "lena".into()], ..plain.clone() },
        Ask { users: vec!["-".into(), "sam".into()], ..plain.clone() },
        Ask { languages: vec!["rust".into()], ..plain.clone() },
        Ask { kinds: vec!["chat"], ..plain.clone() },
        Ask { kinds: vec!["telemetry"], ..plain.clone() },
        Ask { kinds: vec!["completions", "nes"], until: Some(day(4)), ..plain.clone() },
        Ask { offset_minutes: 330, ..plain.clone() },
        Ask { offset_minutes: -480, since: Some(day(1) + DAY / 3), until: Some(day(2) + DAY / 3), ..plain },
    ];
    asks.extend(asks.clone().iter().flat_map(split));
    asks
}

/// By all that figures can be split by.
fn split(ask: &Ask) -> [Ask; 7] {
    SPLITS.map(|(by, _)| Ask { by: Some(by), ..ask.clone() })
}

/// Where the program's figures differ from the truth, a line each.
fn differences(truth: &Truth, ask: &Ask, found: (Vec<Map<String, Value>>, Map<String, Value>)) -> Vec<String> {
    let (mut rows, total) = truth.rows(ask);
    let mut wrong = Vec::new();
    // By name, and what says nothing at the end.
    let names: Vec<_> = found.0.iter().map(|row| (row["group"] == "-", row["group"].as_str())).collect();
    if !names.is_sorted() {
        wrong.push(format!("the rows are not in order: {names:?}"));
    }
    for row in &found.0 {
        let group = row["group"].as_str().expect("a group's name").to_owned();
        match rows.remove(&group) {
            Some(expected) => compare(&mut wrong, &group, &expected, row),
            None => wrong.push(format!("{group}: there is no such group")),
        }
    }
    wrong.extend(rows.keys().map(|group| format!("{group}: is missing")));
    compare(&mut wrong, "total", &total, &found.1);
    wrong.iter().map(|line| format!("{ask:?}: {line}")).collect()
}

fn compare(wrong: &mut Vec<String>, group: &str, expected: &Map<String, Value>, found: &Map<String, Value>) {
    for field in FIELDS {
        let (expected, found) = (&expected[field], found.get(field));
        if !found.is_some_and(|found| same(expected, found)) {
            wrong.push(format!("{group}: {field}: expected {expected}, got {}", found.unwrap_or(&Value::Null)));
        }
    }
}

/// Numbers by their value, whether they are written with decimals or without.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

#[track_caller]
fn assert_none(wrong: &[String]) {
    let shown: Vec<_> = wrong.iter().take(60).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{} differences, the first:\n{}", wrong.len(), shown.join("\n"));
}

fn assert_true(index: &Index, truth: &Truth, asks: &[Ask]) {
    let map = |row: &Figures| match serde_json::to_value(row).expect("figures are JSON") {
        Value::Object(map) => map,
        other => panic!("not an object: {other}"),
    };
    let mut wrong = Vec::new();
    for (ask, (rows, total)) in asks.iter().zip(figures(index, asks)) {
        wrong.extend(differences(truth, ask, (rows.iter().map(map).collect(), map(&total))));
    }
    assert_none(&wrong);
}

#[test]
fn every_cell_equals_the_truth_and_again_with_a_new_index() {
    let logs = tempfile::tempdir().expect("a folder");
    let truth = write(logs.path(), Layout::Kind, Options::default());
    assert_true(&rebuild(logs.path()), &truth, &asks());
    // Everything but the records' folders is the index's.
    for entry in fs::read_dir(logs.path()).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            fs::remove_file(path).expect("a file that can be removed");
        }
    }
    let (index, report) = Index::open(logs.path(), &mut |_| ()).expect("an index");
    assert_eq!(report.records, truth.exchanges.len() as u64);
    assert_true(&index, &truth, &split(&Ask::default()));
}

#[test]
fn other_weeks_in_other_layouts_are_true_too() {
    for (seed, layout) in [(2, Layout::KindDate), (3, Layout::UserKind)] {
        let logs = tempfile::tempdir().expect("a folder");
        let truth = write(logs.path(), layout, Options { seed, percent: 30 });
        assert_true(&rebuild(logs.path()), &truth, &asks());
    }
}

#[test]
fn the_order_in_which_records_arrive_does_not_matter() {
    let (from, logs) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let truth = write(from.path(), Layout::Kind, Options { seed: 4, percent: 30 });
    let mut files = Record::files(from.path());
    let mut rng = Rng::new(4);
    for at in (1..files.len()).rev() {
        files.swap(at, rng.range(0, at));
    }
    let mut last = None;
    for batch in files.chunks(files.len() / 5 + 1) {
        for file in batch {
            let to = logs.path().join(file.strip_prefix(from.path()).expect("below the folder"));
            fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
            fs::rename(file, to).expect("a file moved");
        }
        let (index, report) = Index::open(logs.path(), &mut |_| ()).expect("an index");
        assert_eq!(report.read, batch.len() as u64, "what is new is read, and nothing twice");
        last = Some(index);
    }
    assert_true(&last.expect("an index"), &truth, &asks());
}

#[test]
fn each_row_says_what_happened() {
    let logs = tempfile::tempdir().expect("a folder");
    let truth = write(logs.path(), Layout::UserKind, Options { seed: 5, percent: 30 });
    let index = rebuild(logs.path());
    let mut wrong = Vec::new();
    let mut rows = 0;
    let mut facts: Vec<&Fact> = truth.exchanges.iter().collect();
    facts.sort_by_key(|fact| &fact.id);
    let mut each = |row: Row| {
        rows += 1;
        let place = facts.binary_search_by_key(&&row.id, |fact| &fact.id).expect("an exchange that happened");
        wrong.extend(wrong_row(&row, facts[place]));
        wrong.extend(wrong_answer(&logs.path().join(&row.file), facts[place]));
    };
    index.each_row(&Filter::default(), &mut each).expect("rows");
    assert_eq!(rows, facts.len());
    assert_none(&wrong);
}

fn wrong_row(row: &Row, fact: &Fact) -> Vec<String> {
    let text = |value: &dyn std::fmt::Debug| format!("{value:?}");
    let initiator = row.initiator.map(|initiator| match initiator {
        Initiator::User => "user",
        Initiator::Agent => "agent",
    });
    let aborted_by = row.aborted_by.map(|by| format!("{by:?}").to_lowercase());
    let mut pairs = vec![
        ("began", text(&fact.began), text(&row.began)),
        ("kind", text(&fact.kind), text(&row.kind.as_str())),
        ("user", text(&fact.login), text(&row.user)),
        ("status", text(&fact.status), text(&row.status)),
        ("complete", text(&Some(fact.cut_by().is_none())), text(&row.complete)),
        ("aborted_by", text(&fact.cut_by()), text(&aborted_by.as_deref())),
        ("first byte", text(&fact.first_byte), text(&row.first_byte_ms)),
        ("first token", text(&fact.first_token), text(&row.first_token_ms)),
        ("total", text(&fact.total), text(&row.total_ms)),
        ("tokens in", text(&fact.tokens_in), text(&row.tokens_in)),
        ("tokens cached", text(&fact.tokens_cached), text(&row.tokens_cached)),
        ("tokens out", text(&fact.tokens_out), text(&row.tokens_out)),
    ];
    if fact.kind != "telemetry" {
        pairs.extend([
            ("tid", text(&fact.tid), text(&row.tid)),
            ("editor", text(&fact.editor), text(&row.editor.as_deref())),
            ("model", text(&fact.model), text(&row.model)),
            ("model answered", text(&fact.model_answered), text(&row.model_answered)),
            ("language", text(&fact.language), text(&row.language)),
            ("error", text(&fact.error), text(&row.error.is_some())),
            ("initiator", text(&fact.initiator), text(&initiator)),
            ("speculative", text(&fact.speculative), text(&row.speculative)),
            ("request id", text(&fact.request_id), text(&row.request_id)),
            ("server", text(&fact.server), text(&row.server_ms)),
            ("noise", text(&fact.noise), text(&row.noise.map(noise))),
        ]);
    }
    pairs.retain(|(_, expected, found)| expected != found);
    pairs
        .iter()
        .map(|(name, expected, found)| format!("{}: {name}: expected {expected}, got {found}", row.file))
        .collect()
}

fn noise(noise: copilot::noise::Noise) -> &'static str {
    use copilot::noise::Noise;
    match noise {
        Noise::NoText => "no-text",
        Noise::Stop => "stop",
        Noise::NotUser => "not-user",
        Noise::Tools => "tools",
    }
}

/// The texts of the answer, as `show` puts them together.
fn wrong_answer(file: &Path, fact: &Fact) -> Option<String> {
    let expected: Vec<&str> = fact.texts.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
    if expected.is_empty() {
        return None;
    }
    let record = match archive::read(file) {
        Ok(record) => record,
        Err(error) => return Some(format!("{}: {error}", file.display())),
    };
    let answer = copilot::answer::read(&record.response_body.text);
    let choices = answer.map(|answer| answer.choices).unwrap_or_default();
    let found: Vec<_> = choices.iter().map(|choice| choice.text.as_str()).filter(|text| !text.is_empty()).collect();
    (found != expected).then(|| format!("{}: text: expected {expected:?}, got {found:?}", file.display()))
}

/// As a person at a shell sees it.
#[test]
fn the_command_says_the_truth() {
    let folder = Folder::new();
    let truth = write(&folder.path("logs"), Layout::Kind, Options { seed: 6, percent: 30 });
    let mut wrong = Vec::new();
    for (by, _) in SPLITS {
        for (words, ask) in [
            (vec![], Ask::default()),
            (
                vec!["--since", "2026-03-04T00:00:00Z", "--until", "2026-03-05T00:00:00Z"],
                Ask { since: Some(MONDAY + 2 * DAY), until: Some(MONDAY + 3 * DAY), ..Ask::default() },
            ),
            (vec!["--user", "anna"], Ask { users: vec!["anna".into()], ..Ask::default() }),
            (vec!["--language", "rust"], Ask { languages: vec!["rust".into()], ..Ask::default() }),
        ] {
            let outcome = folder.run(&[&["stats", "--logs", "logs", "--json", "--by", by], words.as_slice()].concat());
            outcome.succeeds();
            let mut rows = objects(&outcome.stdout);
            let total = rows.pop().expect("the total comes last");
            wrong.extend(differences(&truth, &Ask { by: Some(by), ..ask }, (rows, total)));
        }
    }
    assert_none(&wrong);
}

fn objects(text: &str) -> Vec<Map<String, Value>> {
    text.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect()
}
