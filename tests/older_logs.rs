//! Show 4: folders of the tool before us, in each of its layouts, are listed, shown and counted, and their passwords and
//! tokens are seen nowhere.
//!
//! With `COPILOT_RECORDER_SAMPLES` set to a folder of real ones, that folder is listed and shown as well.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use support::older::{self, Expected, Older, SECRETS};
use support::program::Folder;

type Object = Map<String, Value>;

fn objects(text: &str) -> Vec<Object> {
    text.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect()
}

/// What a command prints on both streams, which must be no secret.
fn said(folder: &Folder, words: &[&str]) -> String {
    let outcome = folder.run(words);
    outcome.succeeds();
    assert_no_secret(&words.join(" "), (outcome.stdout.clone() + &outcome.stderr).as_bytes());
    outcome.stdout
}

#[track_caller]
fn assert_no_secret(place: &str, bytes: &[u8]) {
    for secret in SECRETS {
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{secret} is in {place}");
    }
}

fn path(logs: &Path) -> &str {
    logs.to_str().expect("a path of text")
}

/// The rows of a folder, oldest first.
fn rows(folder: &Folder, logs: &Path) -> Vec<Object> {
    let mut rows = objects(&said(folder, &["list", "--logs", path(logs), "--json"]));
    rows.sort_by_key(|row| row["began"].as_i64());
    rows
}

#[test]
fn records_of_each_version_are_listed() {
    let folder = Folder::new();
    for Older { version, logs, records } in older::all(&folder.path("")) {
        let rows = rows(&folder, &logs);
        assert_eq!(rows.len(), records.len(), "{version}");
        for (row, expected) in rows.iter().zip(&records) {
            assert_row(version, row, expected);
        }
        // As a table, too, and for programs.
        let text = said(&folder, &["list", "--logs", path(&logs)]);
        assert_eq!(text.lines().count(), records.len(), "{text}");
    }
}

fn assert_row(version: &str, row: &Object, expected: &Expected) {
    let found = ["kind", "user", "model", "language", "status", "form", "aborted_by", "first_byte_ms", "total_ms"];
    let found: Vec<&Value> = found.iter().map(|key| &row[*key]).collect();
    let wanted = json!([
        expected.kind,
        expected.user,
        expected.model,
        expected.language,
        200,
        "older",
        null,
        null,
        expected.consumed
    ]);
    assert_eq!(json!(found), wanted, "{version}: {row:?}");
    if expected.kind != "telemetry" {
        assert_eq!(row["editor"], json!(expected.editor), "{version}");
    }
    assert!(row["complete"].is_null(), "{version}: the older form does not say");
    assert_eq!(row["client"], "192.0.2.30", "{version}");
}

#[test]
fn records_of_each_version_are_shown() {
    let folder = Folder::new();
    for Older { version, logs, records } in older::all(&folder.path("")) {
        for (row, expected) in rows(&folder, &logs).iter().zip(&records) {
            let show = |more: &[&str]| {
                let id = row["id"].as_str().expect("an id");
                said(&folder, &[&["show", id, "--logs", path(&logs)], more].concat())
            };
            let page = show(&["--headers", "--full"]);
            assert!(page.contains(expected.asked), "{version}: {page}");
            assert!(page.contains(expected.answered), "{version}: {page}");
            show(&["--raw"]);
            show(&["--raw", "--request"]);
            let json: Value = serde_json::from_str(&show(&["--json"])).expect("an object");
            if expected.kind != "telemetry" {
                let text = json["answer"]["choices"][0]["text"].as_str().expect("a text");
                assert_eq!(text.trim_end(), expected.answered, "{version}");
            }
        }
    }
}

#[test]
fn what_was_said_is_found() {
    let folder = Folder::new();
    for Older { version, logs, records } in older::all(&folder.path("")) {
        let hits = |text: &str| objects(&said(&folder, &["search", text, "--logs", path(&logs), "--json"])).len();
        let asked = |text: &str| records.iter().filter(|expected| expected.asked.contains(text)).count();
        assert_eq!(hits("largest_of"), asked("largest_of"), "{version}");
        if asked("river") > 0 {
            assert_eq!(hits("river"), asked("river"), "{version}");
        }
    }
}

#[test]
fn records_of_each_version_are_counted() {
    let folder = Folder::new();
    for Older { version, logs, records } in older::all(&folder.path("")) {
        let rows = objects(&said(&folder, &["stats", "--logs", path(&logs), "--json", "--by", "kind"]));
        let total = rows.last().expect("the total comes last");
        let of = |kind: &str| records.iter().filter(|expected| expected.kind == kind).count();
        assert_eq!(total["requests"], records.len() - of("telemetry"), "{version}");
        for row in rows.iter().filter(|row| row["group"] != "total") {
            let kind = row["group"].as_str().expect("a kind");
            assert_eq!(row["requests"], of(kind), "{version}: {kind}");
        }
        // Who ended it, and when its first byte came, is not in these records: unknown, not zero.
        assert!(total["cancelled"].is_null(), "{version}");
        assert_eq!(total["first_byte"], json!({"n": 0, "p50": null, "p90": null, "p99": null}), "{version}");
        assert_eq!((&total["total"]["p50"], &total["active_users"]), (&json!(382.4), &json!(1)), "{version}");
        // These clients do not say who asked; what went wrong the statuses tell.
        let (chats, turns) = (of("chat"), json!([total["turns"], total["follow_ups"], total["turns_unknown"]]));
        assert_eq!(turns, if chats > 0 { json!([null, null, chats]) } else { json!([0, 0, 0]) }, "{version}");
        assert_eq!(total["errors"], 0, "{version}");
        assert_eq!(total["tokens_in"], 67 * of("completions"), "{version}");
        let known = version == "1.0";
        let suggestions = [&total["shown"], &total["accepted"], &total["lines_accepted"], &total["chars_shown"]];
        assert_eq!(json!(suggestions), if known { json!([1, 1, 2, 17]) } else { json!([null, null, null, null]) });
    }
}

#[test]
fn exports_and_the_index_hold_no_secret() {
    let folder = Folder::new();
    for Older { version, logs, .. } in older::all(&folder.path("")) {
        said(&folder, &["reindex", "--logs", path(&logs)]);
        for format in ["jsonl", "csv", "har"] {
            let text = said(&folder, &["export", "--logs", path(&logs), "--format", format]);
            assert!(text.contains("192.0.2.30") || format == "har", "{version}: {format} has something in it: {text}");
        }
        let out = folder.path(&format!("metrics-{version}"));
        said(&folder, &["export", "--logs", path(&logs), "--format", "seed-metrics", "--out", path(&out)]);
        let mut derived: Vec<PathBuf> = files(&out);
        derived.extend(files(&logs).into_iter().filter(|file| file.extension().is_none_or(|end| end != "json")));
        assert!(derived.len() >= 2, "{version}: metrics and an index: {derived:?}");
        for file in derived {
            assert_no_secret(&file.display().to_string(), &fs::read(&file).expect("a file"));
        }
    }
}

/// The files in a folder itself.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect()
}

/// By hand: a folder of real records, given by name, is listed and shown too.
#[test]
fn real_samples_are_listed_and_shown_if_there_are_any() {
    let Some(samples) = std::env::var_os("COPILOT_RECORDER_SAMPLES") else { return };
    let folder = Folder::new();
    let logs = folder.path("logs");
    let copied = copy(Path::new(&samples), &logs);
    let rows = rows(&folder, &logs);
    assert_eq!(rows.len(), copied, "every file is a record");
    for row in &rows {
        let id = row["id"].as_str().expect("an id");
        let page = said(&folder, &["show", id, "--logs", path(&logs), "--headers", "--full"]);
        assert!(page.contains(row["host"].as_str().expect("a host")), "{page}");
        let file = fs::read_to_string(logs.join(row["file"].as_str().expect("a file"))).expect("a record");
        let signature = |text: &str| -> Option<String> {
            let token = &text[text.find("Bearer tid=")?..];
            Some(token[..token.find('"')?].rsplit_once(':')?.1.to_owned())
        };
        if let Some(signature) = signature(&file) {
            assert!(!page.contains(&signature), "{page}");
        }
    }
    let stats = objects(&said(&folder, &["stats", "--logs", path(&logs), "--json", "--by", "kind"]));
    let counted: u64 =
        stats.iter().filter(|row| row["group"] != "total").filter_map(|row| row["requests"].as_u64()).sum();
    assert_eq!(counted, copied as u64);
}

/// Copies a tree and says how many files it has.
fn copy(from: &Path, to: &Path) -> usize {
    fs::create_dir_all(to).expect("a folder");
    let entries = fs::read_dir(from).expect("a folder of samples");
    let one = |entry: fs::DirEntry| {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            return copy(&entry.path(), &target);
        }
        fs::copy(entry.path(), target).map(|_| 1).expect("a sample is copied")
    };
    entries.map(|entry| one(entry.expect("an entry"))).sum()
}
