//! For tests of pages: the router on a folder of records, asked as a browser asks.

use std::fs;
use std::path::Path;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tower_service::Service;

use super::Site;
use super::access::Access;
use crate::config::Web;

/// The pages on a folder of records, without login.
pub(in crate::web) fn site(logs: &Path) -> Site {
    let listen = ([127, 0, 0, 1], 0).into();
    let web = Web { listen, is_default: true, hosts: Vec::new(), login: false, users: None };
    let access = Access::new(&web, logs, None, 0, None).expect("random bytes are for a login only");
    Site::new(logs, web, access, None)
}

/// The pages, with the folder that they are on.
pub(super) struct Pages {
    router: axum::Router,
    _logs: tempfile::TempDir,
}

/// What came.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: String,
}

impl Pages {
    pub(super) fn of(records: &[Value]) -> Self {
        Self::with(records, |_| ())
    }

    /// `more` puts other things into the folder before it is opened.
    pub(super) fn with(records: &[Value], more: impl FnOnce(&Path)) -> Self {
        let logs = tempfile::tempdir().unwrap();
        fs::create_dir(logs.path().join("chat")).unwrap();
        for (number, record) in records.iter().enumerate() {
            fs::write(logs.path().join(format!("chat/{number}.json")), record.to_string()).unwrap();
        }
        more(logs.path());
        let router = super::router(site(logs.path()));
        Self { router, _logs: logs }
    }

    pub(super) async fn get(&self, address: &str) -> Answer {
        loop {
            let request = Request::get(address).header("host", "localhost").body(Body::empty()).unwrap();
            let response = self.router.clone().call(request).await.unwrap();
            let status = response.status();
            let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
            let body = String::from_utf8_lossy(&body).into_owned();
            // As a browser does while the index is made.
            if status != StatusCode::SERVICE_UNAVAILABLE && !body.contains("is being built") {
                return Answer { status, body };
            }
        }
    }

    pub(super) async fn page(&self, address: &str) -> String {
        let answer = self.get(address).await;
        assert_eq!(answer.status, StatusCode::OK, "{address}: {}", answer.body);
        answer.body
    }
}

/// A record of one user and editor.
pub(super) fn record(user: &str, editor: &str, kind: &str, path: &str) -> Value {
    json!({
        "proxy-authorization": user,
        "timestamp": "2026-11-20T13:00:00.331449",
        "proxy-time-consumed": "10.0ms",
        "request": {"url": format!("https://proxy.individual.githubcopilot.com{path}"), "method": "POST",
            "headers": {"Editor-Version": editor, "Editor-Plugin-Version": "copilot/1.2"}, "content": "{}"},
        "response": {"status_code": 200, "headers": {}, "content": ""},
        "recorder": {"schema": 1, "id": uuid::Uuid::now_v7(), "kind": kind, "rule": kind, "complete": true,
            "aborted_by": null, "client": "192.0.2.7:5", "timings": {"first_byte": 5, "last_byte": 9.5}, "chunks": []},
    })
}
