//! The commands that read records, where files, folders and people are not as they should be.

#![allow(clippy::unwrap_used)]

mod support;

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde_json::{Value, json};
use support::program::{Folder, Outcome};
use support::samples::{Sample, write};
use support::terminal::on_a_terminal;

/// A folder `logs` with a completion in it.
fn folder() -> Folder {
    let folder = Folder::new();
    Sample::completion(1).write(&folder.path("logs"));
    folder
}

fn run(folder: &Folder, words: &[&str]) -> Outcome {
    folder.run_in(words, &[("TZ", "UTC")])
}

/// A record of the older tool, about a request for a token, with secrets wherever one may be.
fn token_request(content: &Value, answer: &Value) -> Value {
    json!({
        "proxy-authorization": "ann:SECRET-1",
        "timestamp": "2024-12-08T13:05:01.000000",
        "proxy-time-consumed": "12.0ms",
        "authorization": "Bearer SECRET-2",
        "request": {
            "url": "https://api.example.com/copilot_internal/v2/token?key=SECRET-3", "method": "POST",
            "headers": {"Authorization": "token SECRET-4"}, "content": content, "cookies": {"session": "SECRET-5"},
        },
        "response": {"status_code": 200, "headers": {"set-cookie": "SECRET-6"}, "content": answer},
    })
}

#[test]
fn no_credential_of_an_older_file_is_shown() {
    let parsed = [json!({"client_secret": "SECRET-7", "kept": "words"}), json!([{"token": "SECRET-8"}])];
    let text = parsed.each_ref().map(|body| Value::from(body.to_string()));
    for bodies in [parsed, text] {
        let folder = Folder::new();
        let file = Path::new("completions/2024-12-08T13-05-01.000000_-_127.0.0.1_ann-SECRET-1_-.json");
        write(&folder.path("logs"), file, &token_request(&bodies[0], &bodies[1]).to_string());
        let id = serde_json::from_str::<Value>(&run(&folder, &["list", "--json"]).stdout).unwrap()["id"].clone();
        let id = id.as_str().unwrap();
        for words in [
            &["list"][..],
            &["show", id, "--headers", "--full"],
            &["show", id, "--json"],
            &["show", id, "--raw"],
            &["show", id, "--raw", "--request"],
            &["export", "--format", "jsonl"],
            &["export", "--format", "har"],
            &["export", "--format", "csv"],
            &["verify"],
        ] {
            let said = run(&folder, words);
            assert!(!said.stdout.contains("SECRET"), "{words:?}: {}", said.stdout);
            assert!(!said.stderr.contains("SECRET"), "{words:?}: {}", said.stderr);
        }
        let shown: Value = serde_json::from_str(&run(&folder, &["show", id, "--json"]).stdout).unwrap();
        let content = &shown["record"]["request"]["content"];
        let kept = content.as_str().map_or_else(|| content.clone(), |text| serde_json::from_str(text).unwrap());
        assert_eq!(kept["kept"], "words", "what is no secret stays, in the form it had: {shown}");
        assert_eq!(content.is_string(), bodies[0].is_string());
        assert_eq!(shown["record"]["proxy-authorization"], "ann");
    }
}

#[test]
fn a_credential_in_the_place_of_the_user_is_not_shown() {
    for first in ["Bearer SECRET-1", "basic U0VDUkVULTE=", "token SECRET-1"] {
        let folder = Folder::new();
        let mut record = token_request(&json!({}), &json!({}));
        record["proxy-authorization"] = first.into();
        let file = Path::new("completions/2024-12-08T13-05-01.000000_-_127.0.0.1_-_-.json");
        write(&folder.path("logs"), file, &record.to_string());
        let listed: Value = serde_json::from_str(&run(&folder, &["list", "--json"]).stdout).unwrap();
        assert_eq!(listed["user"], Value::Null, "{first}");
        let shown = run(&folder, &["show", listed["id"].as_str().unwrap(), "--json"]).stdout;
        assert!(!shown.contains("SECRET") && !shown.contains("U0VDUkVULTE"), "{first}: {shown}");
    }
}

#[test]
fn reindex_says_when_the_index_cannot_be_kept() {
    let folder = folder();
    // Not by rights: who runs the tests may have them all.
    fs::create_dir_all(folder.path("logs/index.sqlite/occupied")).unwrap();
    run(&folder, &["reindex"]).fails(3, "the index was not replaced");
    let listed = run(&folder, &["list"]);
    assert_eq!((listed.code, listed.stdout.lines().count()), (Some(0), 1), "{listed:?}");
}

#[test]
fn a_file_whose_name_is_not_text_is_said_every_time() {
    let folder = folder();
    write(&folder.path("logs"), Path::new(OsStr::from_bytes(b"completions/\xff.json")), "{}");
    // A folder whose time of change is long past is not listed again.
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    for name in ["logs/completions", "logs"] {
        fs::File::open(folder.path(name)).unwrap().set_modified(long_ago).unwrap();
    }
    for _ in 0..3 {
        let listed = run(&folder, &["list"]);
        assert_eq!(listed.code, Some(1), "{listed:?}");
        assert!(listed.stderr.contains("has a name that is not UTF-8"), "{listed:?}");
    }
    fs::remove_file(folder.path("logs/completions").join(OsStr::from_bytes(b"\xff.json"))).unwrap();
    assert_eq!(run(&folder, &["list"]).code, Some(0), "it is gone");
}

#[test]
fn what_a_killed_reindex_left_goes_with_the_next_command() {
    let folder = folder();
    run(&folder, &["list"]).succeeds();
    fs::write(folder.path("logs/.index-99999999-0.new"), "half an index").unwrap();
    run(&folder, &["list"]).succeeds();
    let left = fs::read_dir(folder.path("logs")).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().starts_with(".index")).collect();
    assert_eq!(left, Vec::<std::ffi::OsString>::new());
}

#[test]
fn an_empty_line_above_the_cursor_is_shown() {
    let folder = folder();
    let request = json!({"prompt": "one\n\ntwo", "suffix": "", "extra": {"language": "python"}}).to_string();
    let sample = Sample { request, ..Sample::completion(2) };
    sample.write(&folder.path("logs"));
    let page = run(&folder, &["show", &sample.id()]).stdout;
    assert!(page.contains("  │ one\n  │\n  │ two▮\n"), "{page}");
}

#[test]
fn ids_that_are_not_all_named_are_said_to_be_more() {
    let folder = folder();
    for number in 2..=9 {
        Sample::completion(number).write(&folder.path("logs"));
    }
    let said = run(&folder, &["show", "019e5a10"]).stderr;
    assert!(said.contains("019e5a10-0009") && !said.contains('…'), "all are named: {said}");
    Sample::completion(10).write(&folder.path("logs"));
    Sample::completion(11).write(&folder.path("logs"));
    run(&folder, &["show", "019e5a10"]).fails(1, "; …");
}

#[test]
fn cancelled_stays_whole_on_a_usual_terminal() {
    let folder = folder();
    let editor = "JetBrains-PC/243.22562.220".to_owned();
    Sample { user: "alexander", aborted_by: Some("client"), editor, ..Sample::completion(2) }
        .write(&folder.path("logs"));
    let mut command = folder.command();
    command.arg("list").env("TZ", "UTC").env("NO_COLOR", "1");
    let (_, text) = on_a_terminal(&mut command, 80);
    let line = text.lines().find(|line| line.contains("019e5a10-0002")).unwrap();
    assert!(line.ends_with("  cancelled"), "{line}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn an_export_of_nothing_leaves_no_folder() {
    let folder = Folder::new();
    fs::create_dir(folder.path("logs")).unwrap();
    run(&folder, &["export", "--format", "seed-metrics"]).fails(1, "there are no records");
    assert!(!folder.path("logs/metrics").exists());
}

#[test]
fn a_time_to_come_is_not_taken_for_one_gone_by() {
    let folder = folder();
    for text in ["+5d", "-2026-01-01", "+12026-01-01"] {
        let outcome = run(&folder, &["list", &format!("--since={text}")]);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{text}: {outcome:?}");
    }
}

#[test]
fn an_index_for_one_command_leaves_nothing_behind() {
    let folder = folder();
    fs::create_dir_all(folder.path("logs/index.sqlite/occupied")).unwrap();
    fs::create_dir(folder.path("temporary")).unwrap();
    let mut command = folder.command();
    command.args(["tail", "--json"]).env("TMPDIR", folder.path("temporary"));
    let mut tail = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(tail.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains(&Sample::completion(1).id()), "{line}");
    // While it runs and holds its index open: there is nothing that a kill could leave.
    assert_eq!(fs::read_dir(folder.path("temporary")).unwrap().count(), 0);
    tail.kill().unwrap();
    tail.wait().unwrap();
}

#[test]
fn a_reader_that_goes_ends_an_export_of_any_form() {
    let folder = folder();
    // More than a pipe and the buffers before it hold.
    for number in 2..400 {
        let editor = format!("vscode/{}", "9".repeat(90));
        Sample { editor, response: "x".repeat(2_000), ..Sample::completion(number) }.write(&folder.path("logs"));
    }
    run(&folder, &["list"]).succeeds();
    for form in ["jsonl", "csv", "har"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = folder.command();
        let output = command.args(["export", "--format", form]).stdout(writer).output().unwrap();
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{form}");
    }
}
