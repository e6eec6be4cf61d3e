//! `export`: the real binary on a folder with records of ours and of the older tool.

#![allow(clippy::unwrap_used)]

mod support;

use std::fs;

use serde_json::{Value, json};
use support::program::{Folder, Outcome};

/// What must never leave, in any form.
const SIGNATURE: &str = "00112233445566778899aabbccddeeff";
const PASSWORD: &str = "hunter2hunter2";

const PROMPT: &str = r#"{"prompt":"def add(a, b):","stream":true,"extra":{"language":"python"}}"#;
const SUGGESTION: &str = "data: {\"id\":\"cmpl-1\",\"choices\":[{\"text\":\" return a + b\",\"index\":0,\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
const NO_SUGGESTION: &str = "data: {\"id\":\"cmpl-2\",\"choices\":[{\"text\":\"\",\"index\":0,\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
const QUESTION: &str = r#"{"model":"gpt-4o","messages":[{"role":"user","content":"why?"}]}"#;
const REPLY: &str = r#"{"id":"c-1","model":"gpt-4o","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"=because"}}]}"#;

/// A record of ours; `minute` of 2024-12-08T13.
fn ours(folder: &Folder, minute: u32, path: &str, request: &str, response: &str) {
    let kind = if path.ends_with("/chat/completions") { "chat" } else { "completions" };
    let host = if kind == "chat" { "api.example.com" } else { "proxy.example.com" };
    let sizes = |body: &str| {
        json!({
            "ended": true, "head_size": 100, "wire_size": body.len(), "content_size": body.len(), "truncated": false,
            "codings": [], "encoding": "utf-8", "sha256": null, "content_sha256": null,
        })
    };
    let record = json!({
        "proxy-authorization": "ann",
        "timestamp": format!("2024-12-08T13:{minute:02}:00.250000"),
        "proxy-time-consumed": "382.4ms",
        "request": {
            "url": format!("https://{host}{path}"),
            "method": "POST",
            "headers": { "Editor-Version": "vscode/1.95.3", "Content-Type": "application/json" },
            "content": request,
        },
        "response": { "status_code": 200, "headers": { "content-type": "text/event-stream" }, "content": response },
        "recorder": {
            "schema": 1,
            "id": format!("01890000-0000-7000-8000-0000000000{minute:02}"),
            "kind": kind, "rule": kind, "complete": true, "aborted_by": null,
            "client": "127.0.0.1:50000", "upstream": "192.0.2.1:443", "tunnel": format!("{host}:443"),
            "connection": "01890000-0000-7000-8000-0000000000c1",
            "stream": 1, "http_version": "HTTP/2", "alpn": "h2",
            "tls_version": { "client": "TLSv1.3", "upstream": "TLSv1.3" }, "sni": host,
            "timings": {
                "connect": 12.1, "tls": 24.9, "request_end": 1.3, "first_byte": 210.3, "last_byte": 382.4,
            },
            "chunks": [[210.4, response.len()]],
            "request": sizes(request), "response": sizes(response), "redacted": [],
        },
    });
    write(folder, &format!("logs/{kind}/2024-12-08T13-{minute:02}-00.250000_-_127.0.0.1_ann_-.json"), &record);
}

/// A record of the older tool 1.0, with all the secrets that it kept.
fn older(folder: &Folder) {
    let record = json!({
        "proxy-authorization": format!("bob:{PASSWORD}"),
        "timestamp": "2024-12-08T14:00:00.500000",
        "proxy-time-consumed": "188.35ms",
        "request": {
            "url": "https://proxy.enterprise.githubcopilot.com/v1/engines/copilot-codex/completions",
            "method": "POST",
            "headers": {
                "authorization": format!("Bearer tid=5e1e;exp=1733664598;st=dotcom:{SIGNATURE}"),
                "editor-version": "JetBrains-PC/243.1",
                "proxy-authorization": format!("Basic {PASSWORD}"),
                "cookie": format!("session={SIGNATURE}"),
            },
            "content": PROMPT,
        },
        "response": {
            "status_code": 200,
            "headers": { "content-type": "text/event-stream", "set-cookie": format!("a={SIGNATURE}") },
            "content": SUGGESTION,
        },
    });
    write(folder, "logs/completions/2024-12-08T14-00-00.500000_-_127.0.0.1_bob_JetBrains-PC-243.1.json", &record);
}

fn write(folder: &Folder, name: &str, record: &Value) {
    fs::create_dir_all(folder.path(name).parent().unwrap()).unwrap();
    folder.write(name, &serde_json::to_string_pretty(record).unwrap());
}

fn four_records() -> Folder {
    let folder = Folder::new();
    ours(&folder, 1, "/v1/engines/gpt-41-copilot/completions", PROMPT, SUGGESTION);
    ours(&folder, 2, "/v1/engines/gpt-41-copilot/completions", PROMPT, NO_SUGGESTION);
    ours(&folder, 3, "/chat/completions", QUESTION, REPLY);
    older(&folder);
    folder
}

fn export(folder: &Folder, format: &str, more: &[&str]) -> Outcome {
    folder.run(&[&["export", "--format", format], more].concat())
}

#[test]
fn each_format_has_all_exchanges_and_no_secret() {
    let folder = four_records();
    for format in ["jsonl", "csv", "har"] {
        let text = export(&folder, format, &[]).succeeds().stdout.clone();
        assert!(!text.contains(SIGNATURE) && !text.contains(PASSWORD), "{format}: {text}");
        let file = format!("out.{format}");
        export(&folder, format, &["--out", &file]).succeeds().says_nothing();
        assert_eq!(folder.read(&file), text, "a file has the same");
    }
    export(&folder, "seed-metrics", &["--out", "counts"]).succeeds().says_nothing();
    assert_eq!(fs::read_dir(folder.path("counts")).unwrap().count(), 1);

    let lines: Vec<Value> = folder.read("out.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen: Vec<_> = lines.iter().map(|line| (line["user"].as_str().unwrap(), line["noise"].as_str())).collect();
    assert_eq!(seen, [("ann", None), ("ann", Some("no-text")), ("ann", None), ("bob", None)], "the oldest first");
    assert_eq!(lines[0]["answer"]["choices"][0]["text"], " return a + b");
    assert_eq!(lines[2]["prompt"]["turns"][0]["role"], "user");
    assert_eq!(lines[2]["answer"]["choices"][0]["text"], "=because");
    assert_eq!(lines[3]["prompt"]["prefix"], "def add(a, b):");

    let table = folder.read("out.csv");
    assert_eq!(table.matches("\r\n").count(), 5);
    assert!(table.contains(",2024-12-08T13:01:00.250000Z,completions,"), "{table}");

    let document: Value = serde_json::from_str(&folder.read("out.har")).unwrap();
    let entries = document["log"]["entries"].as_array().unwrap();
    let bodies: Vec<_> = entries
        .iter()
        .map(|entry| {
            let (asked, came) = (&entry["request"]["postData"]["text"], &entry["response"]["content"]["text"]);
            (asked.as_str().unwrap(), came.as_str().unwrap())
        })
        .collect();
    assert_eq!(bodies, [(PROMPT, SUGGESTION), (PROMPT, NO_SUGGESTION), (QUESTION, REPLY), (PROMPT, SUGGESTION)]);
}

#[test]
fn filters_choose() {
    let folder = four_records();
    for (filter, count) in [
        (["--kind", "chat"], 1),
        (["--user", "bob"], 1),
        (["--language", "python"], 3),
        (["--until", "2024-12-08T13:02:30Z"], 2),
    ] {
        let out = export(&folder, "jsonl", &filter);
        assert_eq!(out.succeeds().stdout.lines().count(), count, "{filter:?}");
    }
    let none = export(&folder, "csv", &["--user", "nobody-of-that-name"]);
    assert_eq!((none.code, none.stdout.lines().count()), (Some(1), 1), "{none:?}");
    assert!(none.stderr.contains("no record fits the filters"), "{none:?}");
}

#[test]
fn daily_counts_are_where_the_older_tool_had_them() {
    let folder = four_records();
    export(&folder, "seed-metrics", &[]).succeeds();
    let day: Value = serde_json::from_str(&folder.read("logs/metrics/copilot-usage_2024-12-08.json")).unwrap();
    assert_eq!(
        day,
        json!({
            "day": "2024-12-08",
            "total_chat_turns": 1,
            "total_completions_count": 2,
            "usage": {
                "ann": {
                    "chat_turns": 1, "completions_count": 1,
                    "chat": { "vscode-1.95.3": 1 }, "completions": { "vscode-1.95.3": { "python": 1 } },
                    "noise": { "no-text": 1 },
                },
                "bob": {
                    "chat_turns": 0, "completions_count": 1,
                    "chat": {}, "completions": { "JetBrains-PC-243.1": { "python": 1 } },
                    "noise": {},
                },
            },
            "noise": { "no-text": 1 },
        })
    );
    export(&folder, "seed-metrics", &["--out", "-"]).fails(2, "name a folder with --out");
    export(&folder, "seed-metrics", &[]).fails(2, "copilot-usage_2024-12-08.json exists already");
    export(&folder, "seed-metrics", &["--force"]).succeeds();
    let again = export(&folder, "jsonl", &[]);
    assert_eq!(again.succeeds().stdout.lines().count(), 4, "the counts are not taken for a record");
}

#[test]
fn what_is_there_is_not_replaced_unasked() {
    let folder = four_records();
    folder.write("mine", "mine");
    export(&folder, "har", &["--out", "mine"]).fails(2, "mine exists already; --force replaces it");
    assert_eq!(folder.read("mine"), "mine");
    export(&folder, "har", &["--out", "mine", "--force"]).succeeds();
    assert!(folder.read("mine").starts_with("{\"log\":"));
    export(&folder, "har", &["--out", "no/such/folder.har"]).fails(3, "cannot write no/such/folder.har");
}

#[test]
fn what_cannot_be_read_is_said_and_the_rest_exported() {
    let folder = four_records();
    folder.write("logs/chat/2024-12-08T15-00-00.000000_-_-_-_-.json", "{\"proxy-authorization\": \"x");
    let out = export(&folder, "jsonl", &[]);
    assert_eq!((out.code, out.stdout.lines().count()), (Some(1), 4), "{out:?}");
    assert!(out.stderr.contains("2024-12-08T15-00-00.000000"), "{out:?}");
}
