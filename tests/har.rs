//! Shows 6: HAR exports are accepted by an independent validator and list the bodies of the records.
//!
//! The validator is the npm package har-validator, which `tests/all` installs into a folder outside the repository and
//! names in HAR_VALIDATOR. Where that is not set only what this file checks itself is checked; CI insists on it.

#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use copilot_recorder::archive::{self, AbortedBy, Body, Form, Record, SocketMessage, Timings};
use copilot_recorder::export::har::Writer;
use copilot_recorder::rules::Kind;
use serde_json::{Value, json};
use support::command;

fn text(text: &str) -> Body {
    Body { text: text.to_owned(), size: text.len() as u64, ..Body::default() }
}

fn bytes(bytes: &[u8]) -> Body {
    let text = String::from_utf8_lossy(bytes).into_owned();
    Body { text, bytes: Some(bytes.to_vec()), size: bytes.len() as u64, ..Body::default() }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// An ordinary exchange of chat; the others differ from it.
fn chat() -> Record {
    Record {
        form: Form::Recorder,
        id: uuid::Uuid::from_u128(0x0189_0000_0000_7000_8000_0000_0000_0001),
        kind: Kind::Chat,
        rule: "chat".into(),
        user: Some("ada".into()),
        began: 1_795_165_205_250_999,
        url: "https://api.example.com/chat/completions".into(),
        method: "POST".into(),
        request_headers: pairs(&[
            ("Authorization", "Bearer tid=5e1e;exp=1:<redacted>"),
            ("Content-Type", "application/json"),
        ]),
        request_body: text(r#"{"model":"m","messages":[{"role":"user","content":"wo ist \"das\"? 雪\u0000\ud800"}]}"#),
        status: Some(200),
        response_headers: pairs(&[
            ("content-type", "application/json; charset=utf-8"),
            ("x-request-id", "00000000-0000-4000-8000-000000000001"),
        ]),
        response_body: text("{\"choices\":[{\"message\":{\"content\":\"da\u{2028}\u{7f}\u{9b}\u{0}</script>\"}}]}"),
        complete: Some(true),
        aborted_by: None,
        problem: None,
        client: Some("127.0.0.1:50000".into()),
        connection: Some("01890000-0000-7000-8000-0000000000c1".into()),
        http_version: Some("HTTP/2".into()),
        timings: Timings {
            connect: Some(12.1),
            tls: Some(24.9),
            request_end: Some(1.303),
            first_byte: Some(210.3),
            last_byte: Some(382.402),
        },
        chunks: vec![(211.0, 30), (382.4, 60)],
        messages: None,
    }
}

fn ghost_text() -> Record {
    Record {
        kind: Kind::Completions,
        url: "https://proxy.example.com/v1/engines/gpt-41-copilot/completions?a=b%20c&d&<redacted>#x".into(),
        request_body: text(r#"{"prompt":"def add(a, b):","stream":true,"extra":{"language":"python"}}"#),
        response_headers: pairs(&[("content-type", "text/event-stream")]),
        response_body: text("data: {\"choices\":[{\"text\":\" return a\",\"index\":0}]}\r\n\r\ndata: [DO"),
        complete: Some(false),
        aborted_by: Some(AbortedBy::Client),
        connection: Some("not an id".into()),
        ..chat()
    }
}

fn telemetry() -> Record {
    let envelopes = "{\"name\":\"a\",\"time\":\"2026-11-20T09:00:05Z\"}\n{\"name\":\"b\"}\n";
    Record {
        kind: Kind::Telemetry,
        url: "https://telemetry.example.com/telemetry".into(),
        request_headers: pairs(&[("Content-Encoding", "gzip"), ("content-type", "application/x-json-stream")]),
        request_body: Body { coded: true, ..text(envelopes) },
        response_body: text(r#"{"itemsReceived":2,"itemsAccepted":2,"errors":[]}"#),
        ..chat()
    }
}

fn binary() -> Record {
    let all: Vec<u8> = (0..=255).collect();
    Record {
        kind: Kind::Index,
        request_headers: Vec::new(),
        request_body: bytes(&all),
        response_headers: pairs(&[("Content-Type", "application/octet-stream"), ("location", "/elsewhere")]),
        response_body: Body { coded: true, truncated: true, ..bytes(b"\xff\xfe\x00") },
        status: Some(302),
        ..chat()
    }
}

fn no_response() -> Record {
    Record {
        method: "GET".into(),
        request_headers: Vec::new(),
        request_body: Body::default(),
        status: None,
        response_headers: Vec::new(),
        response_body: Body::default(),
        complete: Some(false),
        aborted_by: Some(AbortedBy::Upstream),
        problem: Some("the disk was full".into()),
        timings: Timings { request_end: Some(0.4), last_byte: Some(3.0), ..Timings::default() },
        ..chat()
    }
}

fn websocket() -> Record {
    let message = |from_client, at, of: &str, kind: &str| SocketMessage {
        from_client,
        at,
        bytes: of.len() as u64,
        kind: kind.into(),
    };
    let (create, one, two) = (
        r#"{"type":"response.create","input":[]}"#,
        r#"{"type":"response.output_text.delta","delta":"ü"}"#,
        r#"{"type":"response.completed"}"#,
    );
    Record {
        method: "GET".into(),
        url: "https://api.example.com/responses".into(),
        request_body: text(create),
        status: Some(101),
        response_headers: pairs(&[("Upgrade", "websocket")]),
        response_body: text(&format!("{one}\n{two}")),
        http_version: Some("HTTP/1.1".into()),
        messages: Some(vec![
            message(true, 0.5, create, "text"),
            message(false, 100.25, one, "text"),
            message(false, 200.5, two, "text"),
        ]),
        ..chat()
    }
}

fn older() -> Record {
    Record {
        form: Form::Older,
        request_body: text("{\"prompt\": \"x\", \"n\": 1}"),
        response_body: text("[{\"choices\": [{\"text\": \"y\"}]}]"),
        complete: None,
        client: None,
        connection: None,
        http_version: None,
        timings: Timings { last_byte: Some(188.35), ..Timings::default() },
        chunks: Vec::new(),
        ..ghost_text()
    }
}

fn hostile() -> Record {
    Record {
        kind: Kind::Other,
        user: Some("\u{1b}[2J\u{202e}".into()),
        url: "ht tp:// \u{0}\"<>\u{e9}/?\u{9b}=\u{1b}&&=".into(),
        method: "G\u{fffd}T".into(),
        request_headers: pairs(&[("X-\u{ff}\u{0}", "\u{1b}]0;x\u{7}\u{80}"), ("", "")]),
        response_headers: pairs(&[("content-type", "\u{9b}2J"), ("location", "\n")]),
        status: Some(999),
        began: i64::MAX,
        timings: Timings {
            connect: Some(f64::NAN),
            tls: Some(-3.0),
            request_end: Some(1e300),
            first_byte: Some(-0.0),
            last_byte: Some(f64::INFINITY),
        },
        ..chat()
    }
}

fn records() -> Vec<Record> {
    let lost = Record { began: i64::MIN, response_body: Body::default(), ..chat() };
    vec![chat(), ghost_text(), telemetry(), binary(), no_response(), websocket(), older(), hostile(), lost]
}

fn exported(records: &[Record]) -> Value {
    let mut writer = Writer::new(Vec::new()).unwrap();
    for record in records {
        writer.add(record).unwrap();
    }
    serde_json::from_slice(&writer.finish().unwrap()).unwrap()
}

/// The body as its bytes.
fn listed(text: &Value, encoding: &Value) -> Vec<u8> {
    match (text.as_str(), encoding.as_str()) {
        (None, _) => Vec::new(),
        (Some(text), Some("base64")) => STANDARD.decode(text).unwrap(),
        (Some(text), None) => text.as_bytes().to_vec(),
        (Some(_), Some(other)) => panic!("unknown encoding {other}"),
    }
}

fn recorded(body: &Body) -> &[u8] {
    body.bytes.as_deref().unwrap_or(body.text.as_bytes())
}

#[test]
fn the_export_lists_the_bodies_of_the_records() {
    let document = exported(&records());
    let entries = document["log"]["entries"].as_array().unwrap();
    assert_eq!(entries.len(), records().len());
    for (entry, record) in entries.iter().zip(records()) {
        let post = &entry["request"]["postData"];
        assert_eq!(listed(&post["text"], &post["_encoding"]), recorded(&record.request_body), "{entry}");
        let content = &entry["response"]["content"];
        assert_eq!(listed(&content["text"], &content["encoding"]), recorded(&record.response_body), "{entry}");
        assert_eq!(content["size"], record.response_body.size);
    }
    let messages = entries[5]["_webSocketMessages"].as_array().unwrap();
    let data = |kind: &str| -> Vec<&str> {
        messages.iter().filter(|message| message["type"] == kind).map(|m| m["data"].as_str().unwrap()).collect()
    };
    assert_eq!(data("send").join("\n"), websocket().request_body.text);
    assert_eq!(data("receive").join("\n"), websocket().response_body.text);
}

/// The validator's schema says so too, but with a keyword that is none (`min`).
#[test]
fn times_are_as_the_specification_wants_them() {
    for entry in exported(&records())["log"]["entries"].as_array().unwrap() {
        let timings = entry["timings"].as_object().unwrap();
        let value = |name: &str| timings[name].as_f64().unwrap_or_else(|| panic!("{name} of {entry}"));
        for name in ["send", "wait", "receive"] {
            assert!(value(name) >= 0.0, "{name} of {entry}");
        }
        for name in ["blocked", "dns", "connect", "ssl"] {
            assert!(value(name) >= 0.0 || value(name) == -1.0, "{name} of {entry}");
        }
        let sum: f64 = timings.iter().filter(|(name, _)| *name != "ssl").map(|(name, _)| value(name).max(0.0)).sum();
        let time = entry["time"].as_f64().unwrap();
        assert!((time - sum).abs() <= 0.001 + sum * 1e-12, "{time} and {sum}");
        assert!(value("ssl") <= value("connect"), "ssl is part of connect");
        let started = entry["startedDateTime"].as_str().unwrap();
        assert!(started.ends_with('Z') && started.len() == "2026-11-20T09:00:05.250Z".len(), "{started}");
        chrono::DateTime::parse_from_rfc3339(started).unwrap();
    }
}

/// From the file to the export: what a record lists as sent comes out as sent, and of a credential nothing, though a file of
/// the older tool has it.
#[test]
fn headers_are_those_sent_and_no_secret_leaves() {
    let (signature, password) = ("00112233445566778899aabbccddeeff", "hunter2hunter2");
    let bearer = format!("Bearer tid=5e1e;exp=1733664598;st=dotcom:{signature}");
    let older = json!({
        "proxy-authorization": format!("bob:{password}"),
        "timestamp": "2024-12-08T13:18:23.331449",
        "proxy-time-consumed": "382.4ms",
        "request": {
            "url": format!("https://bob:{password}@proxy.example.com/v1/engines/copilot-codex/completions?sig={signature}"),
            "method": "POST",
            "headers": {
                "authorization": bearer,
                "Proxy-Authorization": format!("Basic {password}"),
                "cookie": signature,
                "editor-version": "vscode/1.95.3",
            },
            "content": "{}",
        },
        "response": { "status_code": 200, "headers": { "set-cookie": signature }, "content": "" },
    });
    let mut ours = older.clone();
    ours["recorder"] = json!({
        "schema": 1, "id": "01890000-0000-7000-8000-000000000001", "kind": "completions",
        "request": { "raw_headers": [
            ["Authorization", bearer], ["X-A", "1"], ["x-a", "2"], ["X-B", { "base64": "4A==" }],
        ] },
        "response": { "raw_headers": [["Set-Cookie", signature], ["Set-Cookie", signature], ["broken"]] },
    });
    let path = Path::new("completions/a.json");
    let records: Vec<_> = [&older, &ours].map(|file| archive::parse(path, file.to_string().as_bytes()).unwrap()).into();
    let document = exported(&records);
    let text = document.to_string();
    assert!(!text.contains(signature) && !text.contains(password), "{text}");
    let entries = &document["log"]["entries"];
    let tid = "Bearer tid=5e1e;exp=1733664598;st=dotcom:<redacted>";
    assert_eq!(entries[0]["request"]["headers"][0], json!({ "name": "authorization", "value": tid }));
    assert_eq!(
        entries[1]["request"]["headers"],
        json!([
            { "name": "Authorization", "value": tid },
            { "name": "X-A", "value": "1" },
            { "name": "x-a", "value": "2" },
            { "name": "X-B", "value": "\u{e0}" },
        ])
    );
    let redacted = json!({ "name": "Set-Cookie", "value": "<redacted>" });
    assert_eq!(entries[1]["response"]["headers"], json!([redacted, redacted]));
}

async fn validate(folder: &str, document: &Value) -> command::Output {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("export.har");
    std::fs::write(&file, document.to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/har_validate.cjs");
    let arguments = [script.to_str().unwrap(), folder, file.to_str().unwrap()];
    command::run("node", &arguments, directory.path(), "").await
}

#[tokio::test]
async fn an_independent_validator_accepts_the_export() {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let Some(folder) = set("HAR_VALIDATOR") else {
        assert!(set("CI").is_none(), "HAR_VALIDATOR is not set: tests/all installs the validator and sets it");
        eprintln!("NOT VALIDATED: HAR_VALIDATOR is not set, run tests/all");
        return;
    };
    for records in [records(), Vec::new()] {
        let output = validate(&folder, &exported(&records)).await;
        assert_eq!((output.code, output.stdout.as_str()), (Some(0), "valid\n"), "{}", output.stderr);
    }
    // It does look: it says no where something is missing or wrong.
    for (pointer, key, wrong) in [
        ("/log", "creator", None),
        ("/log/entries/3", "timings", None),
        ("/log/entries/3", "startedDateTime", Some("yesterday")),
        ("/log/entries/3/request", "postData", Some("text")),
        ("/log/entries/8/response", "content", None),
    ] {
        let mut document = exported(&records());
        let object = document.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
        assert!(object.remove(key).is_some());
        object.extend(wrong.map(|wrong| (key.to_owned(), wrong.into())));
        let output = validate(&folder, &document).await;
        assert_eq!(output.code, Some(1), "{pointer}/{key} was not missed");
        assert!(output.stdout.contains(key), "{}", output.stdout);
    }
}
