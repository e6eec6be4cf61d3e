//! For tests of pages: the router on a folder of records, asked as a browser asks.

use std::fs;
use std::path::{Path, PathBuf};

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use serde_json::{Value, json};
use tower_service::Service;

use super::access::Access;
use super::{Problem, Site};
use crate::config::Web;

/// The pages on a folder of records, without login.
pub(in crate::web) fn site(logs: &Path) -> Site {
    let listen = ([127, 0, 0, 1], 0).into();
    let web = Web { listen, is_default: true, hosts: Vec::new(), login: false, users: None, tls: None };
    let access = Access::new(&web, logs, None, 0, None).expect("random bytes are for a login only");
    Site::new(logs, web, None, access, None)
}

/// The pages on a folder.
pub(in crate::web) struct Pages {
    router: axum::Router,
    site: Site,
    /// The folder.
    pub(in crate::web) logs: PathBuf,
    /// Gone with the pages, where it is theirs.
    _kept: Option<tempfile::TempDir>,
}

/// What came.
pub(in crate::web) struct Answer {
    pub(in crate::web) status: StatusCode,
    pub(in crate::web) headers: HeaderMap,
    pub(in crate::web) body: Vec<u8>,
}

impl Answer {
    pub(in crate::web) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// A header; empty where there is none.
    pub(in crate::web) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Writes a record into a folder, under its number.
fn put(logs: &Path, number: usize, record: &Value) {
    fs::create_dir_all(logs.join("chat")).unwrap();
    fs::write(logs.join(format!("chat/{number}.json")), record.to_string()).unwrap();
}

/// The id of the record with this number, where tests give ids by numbers.
pub(in crate::web) fn id(number: usize) -> String {
    format!("0193a6d1-4f2b-7000-8000-{number:012}")
}

impl Pages {
    pub(in crate::web) fn of(records: &[Value]) -> Self {
        Self::with(records, |_| ())
    }

    /// `more` puts other things into the folder before it is opened.
    pub(in crate::web) fn with(records: &[Value], more: impl FnOnce(&Path)) -> Self {
        let logs = tempfile::tempdir().unwrap();
        for (number, record) in records.iter().enumerate() {
            put(logs.path(), number, record);
        }
        more(logs.path());
        let pages = Self::at(logs.path());
        Self { _kept: Some(logs), ..pages }
    }

    /// On a folder that somebody else keeps.
    pub(in crate::web) fn at(logs: &Path) -> Self {
        let site = site(logs);
        Self { router: super::router(site.clone()), site, logs: logs.to_owned(), _kept: None }
    }

    pub(in crate::web) async fn get(&self, address: &str) -> Answer {
        self.ask(&Method::GET, address).await
    }

    pub(in crate::web) async fn ask(&self, method: &Method, address: &str) -> Answer {
        ready(&self.site).await;
        loop {
            let request =
                Request::builder().method(method).uri(address).header("host", "localhost").body(Body::empty()).unwrap();
            let (head, body) = self.router.clone().call(request).await.unwrap().into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
            // As a browser does while records are counted.
            if head.status != StatusCode::SERVICE_UNAVAILABLE {
                return Answer { status: head.status, headers: head.headers, body };
            }
        }
    }

    pub(in crate::web) async fn page(&self, address: &str) -> String {
        let answer = self.get(address).await;
        assert_eq!(answer.status, StatusCode::OK, "{address}: {}", answer.text());
        answer.text().to_owned()
    }
}

/// A record of one user and editor.
pub(in crate::web) fn record(user: &str, editor: &str, kind: &str, path: &str) -> Value {
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

/// Waits until the index is there: where many tests run at once that may take longer than a page waits for it.
pub(in crate::web) async fn ready(site: &Site) {
    while let Err(Problem::Building(_)) = site.ask(|_| Ok(())).await {}
}
