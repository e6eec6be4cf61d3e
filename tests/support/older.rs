//! Folders of records as the tool before us left them, version by version; all names, tokens and ids are made up.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// A folder of one version, and what is in it.
#[derive(Debug)]
pub(crate) struct Older {
    pub(crate) version: &'static str,
    /// The folder of the logs.
    pub(crate) logs: PathBuf,
    /// By time.
    pub(crate) records: Vec<Expected>,
}

/// What can be known of a record.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) kind: &'static str,
    pub(crate) user: Option<&'static str>,
    pub(crate) editor: Option<&'static str>,
    pub(crate) model: Option<&'static str>,
    pub(crate) language: Option<&'static str>,
    /// In the prompt and in the answer.
    pub(crate) asked: &'static str,
    pub(crate) answered: &'static str,
    pub(crate) consumed: f64,
}

/// What must never be seen again.
pub(crate) const SECRETS: [&str; 5] = [
    "blue-horse-77",
    "9c1185a5c5",
    "4f2e8d1c0b9a7f6e5d4c3b2a190807060504030201f0e0d0c0b0a09080706050",
    "Ymx1ZS1ob3JzZS03Nw",
    "gho_madeup0000000000000000000000000000",
];

const PASSWORD: &str = SECRETS[0];
const SIGNATURE: &str = SECRETS[2];
const TID: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
const MACHINE: &str = "b7c6d5e4f3a2918070615243342516077b6c5d4e3f2a19080716253443526170";
const PROXY: &str = "https://proxy.enterprise.githubcopilot.com";
const API: &str = "https://api.enterprise.githubcopilot.com";

/// All of them, each in a folder of its own below `root`.
pub(crate) fn all(root: &Path) -> Vec<Older> {
    vec![version_1_0(root), version_1_1(root), version_1_3(root), version_1_5(root)]
}

/// Bodies as text, one folder a kind, the user (with the password, where one was asked for) in the file's name too.
fn version_1_0(root: &Path) -> Older {
    let logs = root.join("v1_0/logs");
    let name = |time: &str, user: &str, who: &str| {
        format!("{time}_{who}_192.0.2.30_{user}_{}.json", if who == "-" { "-" } else { "vscode-1.95.3" })
    };
    let first = completion("ann", "2024-12-08T13:18:23.331449", Bodies::Text);
    write(&logs.join("completions").join(name("2024-12-08T13-18-23.331449", "ann", &MACHINE[..10])), &first);
    let second = completion(Value::Null, "2024-12-08T13:19:00.000001", Bodies::Text);
    write(&logs.join("completions").join(name("2024-12-08T13-19-00.000001", "-", &MACHINE[..10])), &second);
    write(&logs.join("telemetry").join(name("2024-12-08T13-28-23.121297", "ann", "-")), &telemetry());
    let event = Expected {
        kind: "telemetry",
        editor: None,
        model: None,
        language: None,
        asked: "ghostText.shown",
        answered: "ghostText.accepted",
        ..ghost(Some("ann"))
    };
    Older { version: "1.0", logs, records: vec![ghost(Some("ann")), ghost(None), event] }
}

/// Bodies parsed: an object, and a list of chunks with an empty text left over. A folder a user.
fn version_1_1(root: &Path) -> Older {
    let logs = root.join("v1_1/logs");
    let user = logs.join("ann");
    write(
        &user.join("completions/2024-12-26T09-00-00.100000_b7c6d5e4f3_192.0.2.30_vscode-1.96.2.json"),
        &completion("ann", "2024-12-26T09:00:00.100000", Bodies::Parsed),
    );
    write(
        &user.join("chat/2024-12-26T09-01-00.200000_b7c6d5e4f3_192.0.2.30_vscode-1.96.2.json"),
        &conversation("ann", "2024-12-26T09:01:00.200000", &format!("{API}/chat/completions"), "gpt-4o"),
    );
    Older { version: "1.1", logs, records: vec![ghost(Some("ann")), chat("chat", "gpt-4o")] }
}

/// A folder `usage`, daily figures beside it, and names with passwords in clear: in the records, and in a list.
fn version_1_3(root: &Path) -> Older {
    let logs = root.join("v1_3/logs");
    let user = logs.join("usage/ann");
    let login = format!("ann:{PASSWORD}");
    write(
        &user.join("completions/2024-12-29T10-00-00.000100_b7c6d5e4f3_192.0.2.30_vscode-1.96.2.json"),
        &completion(login.as_str(), "2024-12-29T10:00:00.000100", Bodies::Parsed),
    );
    write(
        &user.join("chat/2024-12-29T10-00-30.000200_b7c6d5e4f3_192.0.2.30_vscode-1.96.2.json"),
        &conversation(&login, "2024-12-29T10:00:30.000200", &format!("{API}/chat/completions"), "gpt-4o"),
    );
    write(
        &logs.join("metrics/copilot-usage_2024-12-29.json"),
        &json!({"day": "2024-12-29", "total_chat_turns": 1, "total_completions_count": 1, "usage": {"ann": {
            "chat_turns": 1, "completions_count": 1, "chat": {"vscode": 1}, "completions": {"vscode": {"python": 1}}}}}),
    );
    write(&logs.join("user_auth.json"), &json!({"ann": {"password": SECRETS[1], "number": 48151}}));
    Older { version: "1.3", logs, records: vec![ghost(Some("ann")), chat("chat", "gpt-4o")] }
}

/// Another folder, more types, and a memory of who logged in from where.
fn version_1_5(root: &Path) -> Older {
    let logs = root.join("v1_5/auditlogs");
    let user = logs.join("usage/ann");
    let login = format!("ann:{PASSWORD}");
    let name = |time: &str| format!("{time}_b7c6d5e4f3_192.0.2.30_vscode-1.99.0.json");
    for (folder, time, url, model) in [
        ("nes", "2025-06-01T08:00:00.000001", format!("{PROXY}/chat/completions"), "copilot-nes-v"),
        ("agent", "2025-06-01T08:01:00.000002", format!("{API}/chat/completions"), "gpt-4.1"),
        ("chat-panel", "2025-06-01T08:02:00.000003", format!("{API}/chat/completions"), "gpt-4o"),
    ] {
        write(&user.join(folder).join(name(&time.replace(':', "-"))), &conversation(&login, time, &url, model));
    }
    write(
        &user.join("completions").join(name("2025-06-01T08-03-00.000004")),
        &completion(login.as_str(), "2025-06-01T08:03:00.000004", Bodies::Parsed),
    );
    write(
        &logs.join("proxy_auth_cache.json"),
        &json!({"192.0.2.30": {"username": "ann", "authorization": format!("Basic {}", SECRETS[3])}}),
    );
    let records =
        vec![chat("nes", "copilot-nes-v"), chat("chat", "gpt-4.1"), chat("chat", "gpt-4o"), ghost(Some("ann"))];
    Older { version: "1.5", logs, records }
}

fn ghost(user: Option<&'static str>) -> Expected {
    Expected {
        kind: "completions",
        user,
        editor: Some("vscode"),
        model: Some("copilot-codex"),
        language: Some("python"),
        asked: "def largest_of(rows):",
        answered: "return max(rows)",
        consumed: 382.4,
    }
}

fn chat(kind: &'static str, model: &'static str) -> Expected {
    Expected {
        kind,
        model: Some(model),
        language: None,
        asked: "Why is the river green?",
        answered: "Because of the algae.",
        ..ghost(Some("ann"))
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Bodies {
    Text,
    Parsed,
}

fn completion(login: impl Into<Value>, time: &str, bodies: Bodies) -> Value {
    let request = json!({"prompt": "def largest_of(rows):\n    ", "suffix": "", "max_tokens": 500, "temperature": 0,
        "top_p": 1, "n": 1, "stop": ["\n\n\n"], "stream": true,
        "extra": {"language": "python", "next_indent": 4, "prompt_tokens": 60, "suffix_tokens": 7}});
    let chunk = |text: &str, reason: Option<&str>| {
        json!({"id": "cmpl-Example", "created": 1733663903, "model": "gpt-35-turbo",
            "choices": [{"text": text, "index": 0, "finish_reason": reason, "logprobs": null, "p": "aaa"}]})
    };
    let chunks = [chunk("return ", None), chunk("max(rows)", None), chunk("\n", Some("stop"))];
    record(login.into(), time, &format!("{PROXY}/v1/engines/copilot-codex/completions"), request, &chunks, bodies)
}

fn conversation(login: &str, time: &str, url: &str, model: &str) -> Value {
    let request = json!({"messages": [{"role": "system", "content": "You are a programmer."},
        {"role": "user", "content": "Why is the river green?"}], "model": model, "temperature": 0.1, "stream": true});
    let chunk = |text: &str, reason: Option<&str>| {
        json!({"id": "chatcmpl-Example", "created": 1735203660, "model": model,
            "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": reason}]})
    };
    let chunks = [chunk("Because ", None), chunk("of the algae.", None), chunk("", Some("stop"))];
    record(login.into(), time, url, request, &chunks, Bodies::Parsed)
}

fn record(login: Value, time: &str, url: &str, request: Value, chunks: &[Value], bodies: Bodies) -> Value {
    let (asked, answered) = match bodies {
        Bodies::Text => {
            let events: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
            (json!(request.to_string()), json!(format!("{events}data: [DONE]\n\n")))
        }
        // The text was split at `data: `, and what came before the first one is left over.
        Bodies::Parsed => (request, Value::Array([&[json!("")], chunks].concat())),
    };
    let token =
        format!("Bearer tid={TID};exp=1733664598;sku=copilot_enterprise_seat;st=dotcom;ssc=1;chat=1:{SIGNATURE}");
    json!({
        "proxy-authorization": login,
        "timestamp": time,
        "proxy-time-consumed": "382.4ms",
        "request": {
            "url": url,
            "method": "POST",
            "headers": {
                "authorization": token,
                "x-request-id": format!("00000000-0000-4000-8000-{:>012}", time[20..].parse::<u64>().expect("digits") + 1),
                "vscode-machineid": MACHINE,
                "editor-version": "vscode/1.95.3",
                "x-github-token": SECRETS[4],
                "content-type": "application/json"
            },
            "content": asked
        },
        "response": {
            "status_code": 200,
            "headers": {
                "content-type": "text/event-stream",
                "openai-processing-ms": "41.125",
                "x-content-type-options": "nosniff, nosniff"
            },
            "content": answered
        }
    })
}

/// What 1.0 still recorded: one suggestion shown and accepted, said in the words of its language server.
fn telemetry() -> Value {
    let event = |name: &str, time: &str, id: u64| {
        json!({"time": time, "iKey": "7d7048df-6dd0-4048-bb23-b716c1461f8f",
            "name": "Microsoft.ApplicationInsights.7d7048df6dd04048bb23b716c1461f8f.Event",
            "tags": {"ai.user.id": TID, "ai.cloud.roleInstance": "REDACTED", "ai.internal.sdkVersion": "javascript:3.3.4"},
            "data": {"baseType": "EventData", "baseData": {"ver": 2, "name": format!("copilot/{name}"),
                "properties": {"languageId": "python", "engineName": "copilot-codex", "editor_version": "vscode/1.95.3",
                    "clientCompletionId": "00000000-0000-4000-8000-00000000c0de", "choiceIndex": "0",
                    "unique_id": format!("00000000-0000-4000-8000-{id:012}")},
                "measurements": {"numLines": 2, "compCharLen": 17}}}})
    };
    let events = json!([
        event("ghostText.shown", "2024-12-08T13:18:24.023Z", 1),
        event("ghostText.accepted", "2024-12-08T13:18:26.912Z", 2)
    ]);
    json!({
        "proxy-authorization": "ann",
        "timestamp": "2024-12-08T13:28:23.121297",
        "proxy-time-consumed": "382.4ms",
        "request": {
            "url": "https://telemetry.enterprise.githubcopilot.com/telemetry",
            "method": "POST",
            "headers": {"content-type": "application/json", "user-agent": "GithubCopilot/1.248.0"},
            "content": events.to_string()
        },
        "response": {
            "status_code": 200,
            "headers": {"content-type": "application/json; charset=utf-8"},
            "content": "{\"itemsReceived\":2,\"itemsAccepted\":2,\"appId\":null,\"errors\":[]}"
        }
    })
}

/// As Python's `json.dump(…, indent=4)` does.
fn write(path: &Path, value: &Value) {
    fs::create_dir_all(path.parent().expect("a folder above")).expect("a folder");
    let mut text = Vec::new();
    let form = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    serde::Serialize::serialize(value, &mut serde_json::Serializer::with_formatter(&mut text, form)).expect("JSON");
    fs::write(path, text).expect("a file is written");
}
