//! Record files made by a test: whole ones, with the digests that the recorder would have written.
#![allow(clippy::unwrap_used, reason = "a test that cannot write its files has failed")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// A record; what is not said is that of a completion in order.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// The number of the record: its id and its second.
    pub(crate) number: u32,
    pub(crate) kind: &'static str,
    pub(crate) user: &'static str,
    pub(crate) path: &'static str,
    pub(crate) status: u16,
    pub(crate) aborted_by: Option<&'static str>,
    pub(crate) editor: String,
    pub(crate) request_id: String,
    pub(crate) request: String,
    pub(crate) response: String,
}

impl Sample {
    /// Ghost text in Python, begun so many seconds after 2026-11-20 09:00 UTC.
    pub(crate) fn completion(number: u32) -> Self {
        let prompt = json!({
            "prompt": format!("# Path: src/m{number}.py\ndef add_{number}(a, b):\n    return "),
            "suffix": "\nprint(1)\n",
            "stream": true,
            "nwo": "octo/demo",
            "extra": {"language": "python"},
        });
        let event = json!({"id": format!("cmpl-{number}"), "choices": [{"index": 0, "text": "a + b", "finish_reason": "stop"}]});
        Self {
            number,
            kind: "completions",
            user: "ann",
            path: "/v1/engines/m-1/completions",
            status: 200,
            aborted_by: None,
            editor: "vscode/1.95.3".into(),
            request_id: format!("req-{number}"),
            request: prompt.to_string(),
            response: format!("data: {event}\n\ndata: [DONE]\n\n"),
        }
    }

    /// The same, taken back before the answer's end.
    pub(crate) fn cancelled(number: u32) -> Self {
        let event = json!({"id": format!("cmpl-{number}"), "choices": [{"index": 0, "text": "a + b"}]});
        let response = format!("data: {event}\n\n");
        Self { aborted_by: Some("client"), response, ..Self::completion(number) }
    }

    /// A chat, answered by a tool call.
    pub(crate) fn chat(number: u32) -> Self {
        let prompt = json!({
            "model": "m-chat",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Why the null pointer?"},
            ],
            "tools": [{"type": "function", "function": {"name": "read_file"}}],
        });
        let answer = json!({
            "id": "chat-1", "object": "chat.completion", "model": "m-chat-2",
            "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {
                "role": "assistant", "content": "Let me look.",
                "tool_calls": [{"id": "call_1", "type": "function",
                    "function": {"name": "read_file", "arguments": "{\"path\":\"a.java\"}"}}],
            }}],
            "usage": {"prompt_tokens": 812, "completion_tokens": 41, "total_tokens": 853},
        });
        Self {
            kind: "chat",
            user: "bob",
            path: "/chat/completions",
            request: prompt.to_string(),
            response: answer.to_string(),
            ..Self::completion(number)
        }
    }

    /// Telemetry of ann's: the suggestion of `of` was shown and accepted.
    pub(crate) fn telemetry(number: u32, of: u32) -> Self {
        let event = |name: &str, at: u32| {
            json!({
                "name": "Microsoft.ApplicationInsights.standard.Event",
                "time": format!("2026-11-20T09:00:{at:02}.500Z"),
                "iKey": "standard",
                "tags": {"ai.user.id": "tid-ann"},
                "data": {"baseType": "EventData", "baseData": {
                    "name": format!("copilot/{name}"),
                    "properties": {
                        "unique_id": format!("{name}-{of}"), "headerRequestId": format!("req-{of}"), "choiceIndex": "0",
                        "clientCompletionId": format!("suggestion-{of}"), "languageId": "python",
                        "editor_version": "vscode/1.95.3",
                    },
                    "measurements": {"compCharLen": 5, "numLines": 1},
                }},
            })
        };
        Self {
            kind: "telemetry",
            path: "/telemetry",
            request_id: String::new(),
            request: json!([event("ghostText.shown", of + 1), event("ghostText.accepted", of + 2)]).to_string(),
            response: "{}".into(),
            ..Self::completion(number)
        }
    }

    pub(crate) fn id(&self) -> String {
        format!("019e5a10-{:04x}-7000-8000-000000000000", self.number)
    }

    /// Its path below the logs.
    pub(crate) fn file(&self) -> PathBuf {
        let Self { kind, user, number, .. } = self;
        let (minute, second) = (number / 60, number % 60);
        format!("{kind}/2026-11-20T09-{minute:02}-{second:02}.000000_-_127.0.0.1_{user}_-.json").into()
    }

    /// The file's JSON.
    pub(crate) fn json(&self) -> Value {
        let (minute, second) = (self.number / 60, self.number % 60);
        let message = |text: &str| {
            json!({
                "ended": true, "head_size": 100, "wire_size": text.len(), "content_size": text.len(), "truncated": false,
                "codings": [], "encoding": "utf-8", "sha256": sha256(text), "content_sha256": sha256(text),
            })
        };
        let answered = self.status > 0;
        json!({
            "proxy-authorization": self.user,
            "timestamp": format!("2026-11-20T09:{minute:02}:{second:02}.000000"),
            "proxy-time-consumed": "382.4ms",
            "request": {
                "url": format!("https://proxy.example.com{}", self.path),
                "method": "POST",
                "headers": {"Editor-Version": self.editor, "X-Request-Id": self.request_id},
                "content": self.request,
            },
            "response": {"status_code": self.status, "headers": {}, "content": if answered { &self.response } else { "" }},
            "recorder": {
                "schema": 1, "id": self.id(), "kind": self.kind, "rule": self.kind,
                "complete": self.aborted_by.is_none(), "aborted_by": self.aborted_by,
                "client": "127.0.0.1:5000", "upstream": "127.0.0.1:443", "tunnel": "proxy.example.com:443",
                "connection": "019e5a10-0000-7000-8000-00000000ffff", "stream": 0, "http_version": "HTTP/1.1",
                "alpn": null, "tls_version": {"client": "TLSv1.3", "upstream": "TLSv1.3"}, "sni": null,
                "timings": {"connect": 10.0, "tls": 20.0, "request_end": 1.0, "first_byte": 180.0, "last_byte": 382.4},
                "chunks": [], "request": message(&self.request),
                "response": if answered { message(&self.response) } else { Value::Null },
                "redacted": [],
            },
        })
    }

    /// Writes it below `logs`.
    pub(crate) fn write(&self, logs: &Path) -> PathBuf {
        write(logs, &self.file(), &serde_json::to_string_pretty(&self.json()).unwrap())
    }
}

/// Writes a file below `logs` as the recorder does: it is whole when it appears.
pub(crate) fn write(logs: &Path, file: &Path, text: &str) -> PathBuf {
    let path = logs.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let draft = logs.join(".tmp").join("draft");
    fs::create_dir_all(draft.parent().unwrap()).unwrap();
    fs::write(&draft, text).unwrap();
    fs::rename(&draft, &path).unwrap();
    path
}

fn sha256(text: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
