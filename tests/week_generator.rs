//! The simulated week itself: the same by the same seed, every case in it, records as `docs/record.md` has them.

mod support;

use std::collections::{BTreeMap, HashSet};

use serde_json::{Value, json};
use support::records::Record;
use support::week::{self, Ask, DAY, Exchange, FIELDS, Layout, MONDAY, Options, Truth, Writer};

/// Special cases, and how often the ordinary week has them at least.
const CASES: [(&str, u64); 80] = [
    ("Microsoft's telemetry", 5),
    ("WebSocket turn", 30),
    ("WebSocket: cancelled", 3),
    ("WebSocket: error", 2),
    ("accepted, not said to be shown", 3),
    ("answer never shown", 50),
    ("batch over another user's connection", 10),
    ("batch sent again", 30),
    ("batch sent again days later", 10),
    ("cached show a day later", 20),
    ("cached show hours later", 30),
    ("cached show minutes later", 50),
    ("cancelled before an answer", 50),
    ("cancelled midway", 50),
    ("chat completions", 20),
    ("chat without usage", 10),
    ("chat: cancelled", 10),
    ("chat: compressed", 5),
    ("chat: error event", 5),
    ("chat: not streamed", 5),
    ("chat: status 429", 3),
    ("choice of a later part", 10),
    ("compressed stream", 30),
    ("content filter", 20),
    ("empty answer", 50),
    ("enhanced event, split property", 20),
    ("error event in a stream", 5),
    ("another word for the language", 5),
    ("event without editor", 30),
    ("event without language", 30),
    ("event without model", 30),
    ("event without person", 10),
    ("event without unique_id", 30),
    ("exception", 10),
    ("ghost text", 500),
    ("ghost text without tokens", 50),
    ("late batch", 30),
    ("lost acceptance", 10),
    ("lost event", 50),
    ("lost next edit", 2),
    ("lost show", 30),
    ("messages", 20),
    ("models", 10),
    ("namesakes", 1),
    ("shared account over a stranger's connection", 2),
    ("next edit", 100),
    ("next edit cancelled", 20),
    ("next edit from the cache", 10),
    ("next edit told with both keys", 10),
    ("next edit without language", 5),
    ("next edit without model", 5),
    ("no clientCompletionId", 30),
    ("no opportunityId", 10),
    ("no response", 5),
    ("no server time", 50),
    ("noise: last is not the user's", 2),
    ("noise: no text", 50),
    ("noise: stop", 10),
    ("noise: tools", 5),
    ("one look missing", 30),
    ("partial acceptance", 50),
    ("partial, then whole acceptance", 20),
    ("persistence that ends early", 30),
    ("responses", 10),
    ("several choices", 50),
    ("shown again with the same id", 50),
    ("speculative", 50),
    ("shutdown", 3),
    ("status 401", 5),
    ("status 429", 5),
    ("status 500 without body", 5),
    ("telemetry off", 3),
    ("telemetry refused", 3),
    ("telemetry: a line each", 50),
    ("telemetry: array", 100),
    ("telemetry: compressed", 20),
    ("telemetry: one object", 5),
    ("tool round", 50),
    ("upstream abort", 5),
    ("wrong content type", 20),
];

fn made(options: Options) -> (Vec<Exchange>, Truth) {
    let mut exchanges = Vec::new();
    let truth = week::make(options, &mut |exchange| exchanges.push(exchange.clone()));
    (exchanges, truth)
}

#[test]
fn the_same_seed_makes_the_same_week() {
    let options = Options { percent: 10, ..Options::default() };
    let texts = |options| made(options).0.iter().map(week::text).collect::<Vec<_>>();
    let first = texts(options);
    assert_eq!(first, texts(options));
    assert_ne!(first, texts(Options { seed: 2, ..options }));
}

#[test]
fn a_week_is_as_large_as_was_asked_for() {
    let records = |percent| made(Options { percent, ..Options::default() }).0.len();
    assert!((3_000..6_000).contains(&records(100)), "{}", records(100));
    assert!(records(200) > 17 * records(100) / 10, "{} and {}", records(100), records(200));
}

#[test]
fn every_case_occurs() {
    let (_, truth) = made(Options::default());
    let few: Vec<_> =
        CASES.iter().filter(|(case, least)| truth.cases.get(case).is_none_or(|found| found < least)).collect();
    assert!(few.is_empty(), "too few of {few:?} in {:#?}", truth.cases);
    assert_eq!(persons(&truth), 25);
}

fn persons(truth: &Truth) -> usize {
    truth.exchanges.iter().filter_map(|fact| fact.person.as_ref()).collect::<HashSet<_>>().len()
}

#[test]
fn records_are_valid_in_each_layout() {
    let (exchanges, _) = made(Options { percent: 20, seed: 3 });
    for layout in [Layout::Kind, Layout::KindDate, Layout::UserKind] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut writer = Writer::new(folder.path(), layout);
        let paths: HashSet<_> = exchanges.iter().map(|exchange| writer.write(exchange)).collect();
        assert_eq!(paths.len(), exchanges.len(), "no two share a file");
        let records = Record::all(folder.path());
        assert_eq!(records.len(), exchanges.len());
        records.iter().for_each(|record| assert_valid(record, layout, folder.path()));
    }
}

fn assert_valid(record: &Record, layout: Layout, logs: &std::path::Path) {
    let (json, name) = (&record.json, record.name());
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        keys(json),
        ["proxy-authorization", "timestamp", "proxy-time-consumed", "request", "response", "recorder"]
    );
    assert_eq!(keys(&json["request"]), ["url", "method", "headers", "content"]);
    assert_eq!(keys(&json["response"]), ["status_code", "headers", "content"]);
    let recorder = &json["recorder"];
    for key in [
        "schema",
        "id",
        "kind",
        "rule",
        "complete",
        "aborted_by",
        "client",
        "upstream",
        "tunnel",
        "connection",
        "stream",
        "http_version",
        "alpn",
        "tls_version",
        "sni",
        "timings",
        "chunks",
        "request",
        "response",
        "redacted",
    ] {
        assert!(recorder.get(key).is_some(), "{name} has no {key}");
    }
    assert_eq!(recorder["schema"], 1);
    assert_eq!(recorder["complete"], recorder["aborted_by"].is_null(), "{name}");
    let uuid: uuid::Uuid = recorder["id"].as_str().expect("text").parse().expect("a UUID");
    assert_eq!(uuid.get_version_num(), 7);
    for side in ["request", "response"] {
        assert_message(record, side);
    }
    assert_eq!(recorder["response"].is_null(), json["response"]["status_code"] == 0, "{name}");
    let stamp = json["timestamp"].as_str().expect("text").replace(':', "-");
    assert!(name.starts_with(&format!("{stamp}_")), "{name} at {stamp}");
    assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._@+-".contains(&byte)), "{name}");
    let kind = recorder["kind"].as_str().expect("text");
    let below = record.path.strip_prefix(logs).expect("below the logs").parent().expect("a folder");
    let parts: Vec<_> = below.iter().map(|part| part.to_str().expect("UTF-8")).collect();
    let user = json["proxy-authorization"].as_str().expect("text");
    match layout {
        Layout::Kind => assert_eq!(parts, [kind]),
        Layout::KindDate => assert_eq!(parts, [kind, &stamp[..10]]),
        Layout::UserKind if user == "chat" => {
            assert!(parts[0].starts_with("chat~") && parts[0].len() == 21, "{parts:?}");
        }
        Layout::UserKind => assert!(parts[0] == user || parts[0].contains('~'), "{parts:?} of {user}"),
    }
}

fn assert_message(record: &Record, side: &str) {
    let details = &record.json["recorder"][side];
    if details.is_null() {
        return;
    }
    let content = record.json[side]["content"].as_str().expect("text");
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, content.as_bytes());
    let digest: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(details["content_sha256"], digest.as_str(), "{}", record.name());
    assert_eq!(details["content_size"], content.len());
    let coded = details["codings"] != json!([]);
    assert_eq!(details["sha256"] == details["content_sha256"], !coded);
    let chunks = record.json["recorder"]["chunks"].as_array().expect("a list");
    if side == "response" && record.json["recorder"].get("websocket").is_none() {
        let sum: u64 = chunks.iter().map(|chunk| chunk[1].as_u64().expect("a number")).sum();
        assert_eq!(details["wire_size"], sum, "{}", record.name());
        let times: Vec<f64> = chunks.iter().map(|chunk| chunk[0].as_f64().expect("a number")).collect();
        assert!(times.is_sorted(), "{}", record.name());
    }
    if let Some(socket) = record.json["recorder"].get("websocket") {
        let messages = socket["messages"].as_array().expect("a list");
        let (who, lines) = if side == "request" { ("client", 1) } else { ("server", content.lines().count()) };
        let sizes = messages.iter().filter(|message| message[0] == who).map(|message| message[2].as_u64());
        let sizes: Vec<u64> = sizes.map(|bytes| bytes.expect("a number")).collect();
        assert_eq!(sizes.len(), lines);
        assert_eq!(sizes.iter().sum::<u64>() as usize + lines - 1, content.len(), "{}", record.name());
    }
}

/// Sums over any split are those of the total, and what is in a row agrees with itself.
#[test]
fn the_truth_agrees_with_itself() {
    let (exchanges, truth) = made(Options::default());
    let (_, total) = truth.rows(&Ask::default());
    assert_eq!(total.len(), FIELDS.len());
    assert!(FIELDS.iter().all(|field| total.contains_key(*field)));
    let telemetry = exchanges.iter().filter(|exchange| exchange.fact.kind == "telemetry").count();
    assert_eq!(number(&total["requests"]) as usize, exchanges.len() - telemetry);
    for by in ["user", "language", "editor", "model", "kind", "day", "hour"] {
        let (rows, same) = truth.rows(&Ask { by: Some(by), ..Ask::default() });
        assert_eq!(same, total, "by {by}");
        for field in [
            "requests",
            "speculative",
            "cancelled",
            "errors",
            "noise",
            "shown",
            "accepted",
            "chars_accepted",
            "nes_shown",
            "tokens_in",
            "tokens_known",
            "turns",
            "follow_ups",
            "turns_unknown",
        ] {
            let rows = rows.iter().filter(|(name, _)| *name != "telemetry");
            let sum: u64 = rows.map(|(_, row)| number(&row[field])).sum();
            assert_eq!(sum, number(&total[field]), "{field} by {by}");
        }
        assert!(rows.values().any(|row| !row["shown"].is_null()), "by {by}");
    }
    let (users, _) = truth.rows(&Ask { by: Some("user"), ..Ask::default() });
    for unknown in ["lena", "marek"] {
        assert_eq!((&users[unknown]["shown"], &users[unknown]["telemetry_users"]), (&Value::Null, &json!(0)));
    }
    assert_eq!(users["-"]["active_users"], Value::Null);
    for sharer in ["rosa", "sam"] {
        assert!(number(&users[sharer]["shown"]) > 0, "{sharer}: the events of a shared account are of who brings them");
    }
    let ask = Ask { by: Some("day"), users: vec!["-".to_owned()], ..Ask::default() };
    let (days, _) = truth.rows(&ask);
    for (day, row) in &days {
        let spoke = ["2026-03-05", "2026-03-06"].contains(&day.as_str());
        assert_eq!(!row["shown"].is_null(), spoke, "{day}: of nobody only suggestions of his own are known");
    }
    assert!(days.len() >= 5);
    assert!(number(&users["quinn"]["requests"]) > 0);
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

#[test]
fn a_day_has_what_happened_on_it() {
    let (_, truth) = made(Options { percent: 50, ..Options::default() });
    let (days, _) = truth.rows(&Ask { by: Some("day"), ..Ask::default() });
    let wednesday = MONDAY + 2 * DAY;
    let ask = Ask { by: Some("day"), since: Some(wednesday), until: Some(wednesday + DAY), ..Ask::default() };
    let (rows, total) = truth.rows(&ask);
    let expected: BTreeMap<_, _> = days.into_iter().filter(|(day, _)| day == "2026-03-04").collect();
    assert_eq!(rows, expected);
    assert_eq!(rows["2026-03-04"]["shown"], total["shown"]);
}
