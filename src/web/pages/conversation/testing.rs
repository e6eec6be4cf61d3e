//! A folder of records, and the pages on it, for tests.

use std::fs;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::web::testing;

/// A folder of records that grows while it is written.
pub(in crate::web::pages) struct Folder(TempDir);

/// The id of the record with this number.
pub(in crate::web::pages) fn id(number: u32) -> String {
    format!("0193a6d1-0000-7000-8000-{number:012}")
}

impl Folder {
    pub(in crate::web::pages) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A chat of alice's session: what she asked, and what was answered.
    pub(in crate::web::pages) fn chat(&self, number: u32, headers: &Value, asked: &Value, answered: &str) {
        self.record(number, "alice", headers, asked, answered);
    }

    pub(in crate::web::pages) fn record(
        &self,
        number: u32,
        user: &str,
        headers: &Value,
        asked: &Value,
        answered: &str,
    ) {
        let mut all = json!({"vscode-sessionid": "s-1", "editor-version": "vscode/1.97.2"});
        for (name, value) in headers.as_object().unwrap() {
            all[name] = value.clone();
        }
        let events = json!({"id": format!("chatcmpl-{number}"), "model": "m-1", "choices": [{"index": 0,
            "delta": {"content": answered}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 1000, "completion_tokens": 7}});
        let record = json!({
            "proxy-authorization": user,
            "timestamp": format!("2026-03-02T08:{:02}:{:02}.000000", number / 60, number % 60),
            "proxy-time-consumed": "1500ms",
            "request": {"url": "https://api.example.com/chat/completions", "method": "POST", "headers": all,
                "content": asked.to_string()},
            "response": {"status_code": 200, "headers": {"content-type": "text/event-stream", "x-number": number.to_string()},
                "content": format!("data: {events}\n\ndata: [DONE]\n\n")},
            "recorder": {"schema": 1, "id": id(number), "kind": "chat", "rule": "chat", "complete": true,
                "aborted_by": null, "client": "127.0.0.1:5000", "timings": {"last_byte": 1500.0}},
        });
        let folder = self.0.path().join("chat");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{number}.json")), record.to_string()).unwrap();
    }

    pub(in crate::web::pages) fn delete(&self, number: u32) {
        fs::remove_file(self.0.path().join(format!("chat/{number}.json"))).unwrap();
    }

    /// All pages, on what is in the folder now.
    pub(in crate::web::pages) fn pages(&self) -> Pages {
        Pages(testing::Pages::at(self.0.path()))
    }
}

pub(in crate::web::pages) struct Pages(testing::Pages);

impl Pages {
    pub(in crate::web::pages) async fn get(&self, address: &str) -> (StatusCode, String) {
        let answer = self.0.get(address).await;
        (answer.status, answer.text().to_owned())
    }

    /// The text of a page, without its markup, with one space between words.
    pub(in crate::web::pages) async fn text(&self, address: &str) -> String {
        let (status, page) = self.get(address).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        plain(&page)
    }
}

/// The text between the tags of `<main>`.
fn plain(page: &str) -> String {
    let main = page.split_once("<main").and_then(|(_, rest)| rest.split_once("</main>")).map_or(page, |(main, _)| main);
    let mut text = String::new();
    for piece in main.split('<') {
        text.push(' ');
        text.push_str(piece.split_once('>').map_or("", |(_, text)| text));
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
