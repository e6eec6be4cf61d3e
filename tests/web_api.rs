//! The JSON API: the same as the command line says with `--json`, as its description says, and nothing but that.
//!
//! The description is judged by the npm package @seriousme/openapi-schema-validator, which `tests/all` installs into a
//! folder outside the repository and names in OPENAPI_VALIDATOR; it checks the answers too. Where that is not set only
//! what this file checks itself is checked; CI insists on it.

#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use copilot_recorder::config::Web;
use copilot_recorder::web::access::Access;
use copilot_recorder::web::{Site, router};
use serde_json::{Value, json};
use support::page::Page;
use support::program::Folder;
use support::samples::{Sample, write};
use support::{command, older, schema};
use tower_service::Service;

/// The API on a folder.
struct Api {
    folder: Folder,
    router: Router,
}

/// What came back.
#[derive(Debug)]
struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Api {
    /// On these records.
    fn on(samples: &[Sample]) -> Self {
        Self::of(recorded(samples), "logs")
    }

    fn of(folder: Folder, logs: &str) -> Self {
        let listen = "127.0.0.1:0".parse().unwrap();
        let web = Web { listen, is_default: false, hosts: Vec::new(), login: false, users: None, tls: None };
        let access = Access::new(&web, &folder.path(logs), None, 8081, None).unwrap();
        let site = Site::new(&folder.path(logs), web, None, access, None);
        Self { folder, router: router(site) }
    }

    async fn send(&self, method: Method, path: &str) -> Reply {
        support::within(path, async {
            loop {
                let request = Request::builder().method(&method).uri(path).header("host", "localhost");
                let response = self.router.clone().call(request.body(Body::empty()).unwrap()).await.unwrap();
                let (parts, body) = response.into_parts();
                let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
                let reply = Reply { status: parts.status, headers: parts.headers, body };
                // The index is being built, and has said that one should try again.
                if reply.status != StatusCode::SERVICE_UNAVAILABLE {
                    return reply;
                }
                assert!(!reply.header("retry-after").is_empty(), "{reply:?}");
            }
        })
        .await
    }

    async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, &format!("/api/v1{path}")).await
    }

    async fn json(&self, path: &str) -> Value {
        let reply = self.get(path).await;
        assert_eq!((reply.status, reply.header("content-type")), (StatusCode::OK, "application/json"), "{reply:?}");
        reply.json()
    }

    /// A list, when it has so many rows.
    async fn until(&self, what: &str, path: &str, rows: usize) -> Value {
        support::within(what, async {
            loop {
                let answer = self.json(path).await;
                if answer["exchanges"].as_array().unwrap().len() >= rows {
                    return answer;
                }
                // The index looks for new files now and then, and tells nobody.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await
    }

    /// What a command prints: one JSON object a line.
    fn printed(&self, words: &[&str]) -> Vec<Value> {
        printed(&self.folder, words)
    }
}

/// A completion at 1 s, one cancelled at 2 s, a chat at 3 s, telemetry of the first at 9 s.
fn samples() -> Vec<Sample> {
    vec![Sample::completion(1), Sample::cancelled(2), Sample::chat(3), Sample::telemetry(9, 1)]
}

/// Markup, terminal codes, reversed text and odd JSON wherever somebody else decides what stands there.
fn hostile(number: u32) -> Sample {
    const EVIL: &str = "<script>alert(1)</script>\u{1b}[2J\u{202e}\"\\\u{0}";
    let prompt = json!({
        "messages": [{"role": EVIL, "content": [{"type": EVIL}, {"type": "text", "text": EVIL}]}, 7, null],
        "tools": [{"function": {"name": EVIL}}, []], "model": EVIL, "stream": "no", "n": -1,
    });
    let answer = json!({"id": EVIL, "model": EVIL, "error": {"code": 7, "message": EVIL},
        "choices": [{"index": 9e99, "message": {"content": EVIL, "tool_calls": [{"id": [], "function": EVIL}]}}]});
    Sample {
        editor: EVIL.replace('\0', ""),
        path: "/chat/completions?<b>=%00%ff",
        request: prompt.to_string(),
        response: answer.to_string(),
        request_id: "\u{9b}31m<i>".into(),
        ..Sample::chat(number)
    }
}

const FIRST: &str = "019e5a10-0001-7000-8000-000000000000";

#[tokio::test]
async fn rows_are_those_of_list_and_search() {
    let api = Api::on(&samples());
    for (query, words) in [
        ("", vec!["list"]),
        ("kind=chat,telemetry&user=bob", vec!["list", "--kind", "chat,telemetry", "--user", "bob"]),
        ("kind=chat&kind=completions&cancelled=1", vec!["list", "--kind", "chat,completions", "--cancelled"]),
        (
            "since=2026-11-20T09:00:02Z&until=2026-11-20T09:00:09Z",
            vec!["list", "--since", "2026-11-20T09:00:02Z", "--until", "2026-11-20T09:00:09Z"],
        ),
        (
            "limit=2&status=2xx&host=*.example.com",
            vec!["list", "-n", "2", "--status", "2xx", "--host", "*.example.com"],
        ),
        ("slower-than=300ms&language=python", vec!["list", "--slower-than", "300ms", "--language", "python"]),
        ("text=null+pointer", vec!["list", "--text", "null pointer"]),
        ("text=null+pointer&context=1", vec!["search", "null pointer"]),
    ] {
        let answer = api.json(&format!("/exchanges?{query}")).await;
        assert_eq!(answer["exchanges"], Value::Array(api.printed(&words)), "{query}");
        assert!(!answer["exchanges"].as_array().unwrap().is_empty(), "{query}");
    }
}

#[tokio::test]
async fn figures_are_those_of_stats() {
    let api = Api::on(&samples());
    for (query, words) in [
        ("", vec!["stats"]),
        ("by=user", vec!["stats", "--by", "user"]),
        ("by=hour&utc-offset=%2B01:00", vec!["stats", "--by", "hour", "--utc-offset", "+01:00"]),
        (
            "by=language&kind=completions&user=ann&editor=vscode&since=2026-11-20T09:00",
            vec![
                "stats",
                "--by=language",
                "--kind=completions",
                "--user=ann",
                "--editor=vscode",
                "--since=2026-11-20T09:00",
            ],
        ),
    ] {
        let answer = api.json(&format!("/figures?{query}")).await;
        let mut lines = answer["rows"].as_array().unwrap().clone();
        lines.push(answer["total"].clone());
        assert_eq!(lines, api.printed(&words), "{query}");
    }
    let answer = api.json("/figures?since=2026-11-20&utc-offset=%2B01:00").await;
    assert_eq!((&answer["since"], &answer["until"]), (&json!("2026-11-19T23:00:00Z"), &Value::Null));
    assert_eq!(answer["utc_offset"], "+01:00");
}

#[tokio::test]
async fn an_exchange_is_that_of_show() {
    let api = Api::on(&samples());
    for sample in samples() {
        let shown = api.printed(&["show", &sample.id()]).remove(0);
        let path = format!("/exchanges/{}", sample.id());
        assert_eq!(api.json(&path).await, shown);
        assert_eq!(api.json(&format!("{path}/record")).await, shown["record"]);
        assert_eq!(api.json(&format!("{path}/events")).await["events"], shown["events"]);
        for (body, text) in [("request-body", &sample.request), ("response-body", &sample.response)] {
            let reply = api.get(&format!("{path}/{body}")).await;
            assert_eq!(String::from_utf8(reply.body.clone()).unwrap(), *text);
            assert_eq!(reply.header("content-type"), "application/octet-stream");
            assert_eq!(reply.header("x-content-type-options"), "nosniff");
            assert!(
                reply
                    .headers
                    .get_all("content-security-policy")
                    .iter()
                    .any(|value| value.to_str().unwrap().contains("sandbox"))
            );
            let name = body.replace("-body", ".txt");
            assert_eq!(reply.header("content-disposition"), format!("attachment; filename=\"{}-{name}\"", sample.id()));
        }
        let har = api.get(&format!("{path}/har")).await;
        assert!(har.header("content-disposition").starts_with("attachment; "));
        assert_eq!(har.json()["log"]["entries"][0]["request"]["postData"]["text"], sample.request);
    }
    let changed = api.json(&format!("/exchanges/{FIRST}/diff/{}", Sample::cancelled(2).id())).await;
    let change = json!({"name": "aborted_by", "old": null, "new": "client"});
    assert!(changed["fields"].as_array().unwrap().contains(&change), "{changed}");
    let events = api.json(&format!("/exchanges/{FIRST}/events")).await;
    assert_eq!(events["events"].as_array().unwrap().len(), 2, "{events}");
    let conversation = api.json(&format!("/conversations/{}", Sample::chat(3).id())).await;
    assert_eq!(conversation["turns"][0]["said"][1]["parts"][0]["text"], "Why the null pointer?");
    assert_eq!(conversation["turns"][0]["answer"]["choices"][0]["text"], "Let me look.");
}

#[tokio::test]
async fn pages_join_without_gap_or_doubles_and_go_on_with_what_arrives() {
    let all: Vec<_> = (1..=7).map(Sample::completion).collect();
    let api = Api::on(&all);
    let ids = |answer: &Value| -> Vec<String> {
        answer["exchanges"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    };
    let follow = |link: &Value| link.as_str().unwrap().strip_prefix("/api/v1").unwrap().to_owned();
    let first = api.json("/exchanges?limit=3&user=ann&count=1").await;
    assert_eq!(first["count"], json!({"number": 7, "exact": true}));
    let mut seen = ids(&first);
    let mut page = first.clone();
    while !page["next"].is_null() {
        page = api.json(&follow(&page["next"])).await;
        assert!(page.get("count").is_none());
        seen.extend(ids(&page));
        assert!(seen.len() <= all.len(), "a page leads back");
    }
    let expected: Vec<_> = all.iter().rev().map(Sample::id).collect();
    assert_eq!(seen, expected);
    // Back: the nearest newer ones.
    let back = api.json(&follow(&page["previous"])).await;
    assert_eq!(ids(&back), expected[3..6]);
    assert_eq!(ids(&api.json(&follow(&back["next"])).await), expected[6..]);
    // Forward: nothing yet, the same question again, then what came.
    let empty = api.json(&follow(&first["previous"])).await;
    assert_eq!((ids(&empty), &empty["next"]), (vec![], &Value::Null));
    assert_eq!(empty["previous"], first["previous"]);
    Sample::completion(8).write(&api.folder.path("logs"));
    let arrived = api.until("a new record", &follow(&empty["previous"]), 1).await;
    assert_eq!(ids(&arrived), [Sample::completion(8).id()]);
}

#[tokio::test]
async fn what_cannot_be_answered_is_said_as_json() {
    let api = Api::on(&samples());
    let gone = Sample::cancelled(2);
    api.json("/exchanges").await;
    fs::remove_file(api.folder.path("logs").join(gone.file())).unwrap();
    let broken = Sample::chat(3);
    fs::write(api.folder.path("logs").join(broken.file()), "{\"no record\":").unwrap();
    let unknown = "019e5a10-ffff-7000-8000-000000000000";
    for (path, status, says) in [
        ("/exchanges?kind=x&page=2".to_owned(), 400, "page"),
        ("/exchanges?limit=1000".into(), 400, "from 1 to 500"),
        ("/exchanges?after=1".into(), 400, "a place in a list"),
        ("/figures?by=week&text=a".into(), 400, "language"),
        ("/coverage?span=2d&from=x".into(), 400, "7d"),
        ("/health?x=1".into(), 400, "no such parameter"),
        ("/session?x=1".into(), 400, "no such parameter"),
        ("/openapi.json?x=1".into(), 400, "no such parameter"),
        (format!("/exchanges/{FIRST}?x=1"), 400, "no such parameter"),
        (format!("/exchanges/{unknown}"), 404, unknown),
        (format!("/exchanges/{unknown}/har"), 404, unknown),
        (format!("/exchanges/{FIRST}/diff/{unknown}"), 404, unknown),
        (format!("/conversations/{unknown}"), 404, unknown),
        ("/exchanges/019e5a10".into(), 404, "019e5a10"),
        ("/exchanges/%FF".into(), 404, "id"),
        ("/exchanges/..%2f..%2fetc%2fpasswd/record".into(), 404, "passwd"),
        ("/nothing".into(), 404, "endpoint"),
        ("".into(), 404, "endpoint"),
    ] {
        let reply = api.get(&path).await;
        let error = reply.json()["error"].clone();
        assert_eq!((reply.status.as_u16(), &error["status"]), (status, &json!(status)), "{path}: {reply:?}");
        assert!(error.to_string().contains(says), "{path}: {error}");
        assert_eq!(error["fields"].as_array().unwrap().is_empty(), status != 400, "{path}: {error}");
        assert_eq!((reply.header("content-type"), reply.header("cache-control")), ("application/json", "no-store"));
    }
    let fields = api.get("/exchanges?kind=x&page=2&since=no").await.json()["error"]["fields"].clone();
    let named: Vec<_> = fields.as_array().unwrap().iter().map(|field| (&field["field"], &field["value"])).collect();
    let wanted = [("page", "2"), ("kind", "x"), ("since", "no")].map(|(name, value)| (json!(name), json!(value)));
    assert_eq!(named, wanted.each_ref().map(|(name, value)| (name, value)));
    for (sample, status) in [(&gone, [404, 410]), (&broken, [404, 500])] {
        for end in ["", "/record", "/request-body", "/har"] {
            let reply = api.get(&format!("/exchanges/{}{end}", sample.id())).await;
            // The index may have seen already that it is gone.
            assert!(status.contains(&reply.status.as_u16()), "{end}: {reply:?}");
            let message = reply.json()["error"]["message"].as_str().unwrap().to_owned();
            assert!(!message.contains(api.folder.path("logs").to_str().unwrap()), "{message}");
        }
    }
}

#[tokio::test]
async fn only_get_and_head_are_answered_and_nothing_is_kept_or_shared() {
    let api = Api::on(&samples());
    for path in ["/session", "/exchanges", "/figures", "/openapi.json", &*format!("/exchanges/{FIRST}/response-body")] {
        let whole = api.get(path).await;
        assert_eq!(whole.status, StatusCode::OK);
        let head = api.send(Method::HEAD, &format!("/api/v1{path}")).await;
        assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0), "{path}");
        assert_eq!(head.header("content-length"), whole.body.len().to_string(), "{path}");
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
            let reply = api.send(method.clone(), &format!("/api/v1{path}")).await;
            // A POST without a token of ours may be turned away before anybody looks at its path.
            let turned_away = [StatusCode::METHOD_NOT_ALLOWED, StatusCode::FORBIDDEN];
            assert!(turned_away.contains(&reply.status), "{method} {path}: {reply:?}");
            if reply.status == StatusCode::METHOD_NOT_ALLOWED {
                assert_eq!(reply.json()["error"]["status"], 405);
                assert!(reply.header("allow").contains("GET"), "{reply:?}");
            }
        }
        for reply in [whole, head] {
            assert_eq!(reply.header("cache-control"), "no-store", "{path}");
            assert!(!reply.headers.keys().any(|name| name.as_str().starts_with("access-control")), "{path}");
        }
    }
}

#[tokio::test]
async fn answers_are_as_they_are_described() {
    let api = Api::on(&[samples(), vec![hostile(20), hostile(21)]].concat());
    let description = api.json("/openapi.json").await;
    let mut asked = vec![("/session", "/session".to_owned()), ("/figures", "/figures?by=x&since=1".into())];
    for query in ["", "kind=chat&count=1", "text=alert&context=1", "limit=1", "limit=x", "kind=x&nothing=1"] {
        asked.push(("/exchanges", format!("/exchanges?{query}")));
    }
    for by in ["user", "language", "editor", "model", "kind", "day", "hour"] {
        asked.push(("/figures", format!("/figures?by={by}")));
    }
    for query in ["", "?span=all&limit=1", "?span=2d"] {
        asked.push(("/coverage", format!("/coverage{query}")));
    }
    asked.push(("/health", "/health".into()));
    for sample in [samples(), vec![hostile(20), hostile(21)]].concat() {
        for path in [
            "/exchanges/{id}",
            "/exchanges/{id}/record",
            "/exchanges/{id}/events",
            "/exchanges/{id}/har",
            "/conversations/{id}",
        ] {
            asked.push((path, path.replace("{id}", &sample.id())));
        }
    }
    let both = format!("/exchanges/{}/diff/{}", hostile(20).id(), FIRST);
    asked.push(("/exchanges/{id}/diff/{other}", both));
    asked.push(("/exchanges/{id}", "/exchanges/019e5a10-ffff-7000-8000-000000000000".into()));
    let answers = checked(&api, &description, asked).await;
    assert!(answers.len() > 40);
    judged(&api.folder, &description, &answers).await;
}

/// Asks each path and compares the answer with its description.
async fn checked(api: &Api, description: &Value, asked: Vec<(&str, String)>) -> Vec<Value> {
    let mut answers = Vec::new();
    for (path, address) in asked {
        let reply = api.get(&address).await;
        let text = String::from_utf8(reply.body.clone()).unwrap();
        // HAR is for browsers and has its own rules.
        let misleads = |letter: char| letter != '\n' && (letter.is_control() || letter == '\u{202e}');
        assert!(path.ends_with("/har") || !text.contains(misleads), "{address}: {text:?}");
        let status = reply.status.as_u16().to_string();
        let mut response = &description["paths"][path]["get"]["responses"][&status];
        if let Some(reference) = response["$ref"].as_str() {
            response = description.pointer(reference.trim_start_matches('#')).unwrap();
        }
        let body = reply.json();
        let wrong = schema::wrong(description, &response["content"]["application/json"]["schema"], &body);
        assert_eq!(wrong, Vec::<String>::new(), "{address}");
        assert!(!response.is_null(), "{address} {status} is not described");
        answers.push(json!({"path": path, "status": status, "body": body}));
    }
    answers
}

/// Lets the independent validator judge the description and the answers, where there is one.
async fn judged(folder: &Folder, description: &Value, answers: &[Value]) {
    let Some(validator) = std::env::var_os("OPENAPI_VALIDATOR") else {
        assert!(
            std::env::var_os("CI").is_none(),
            "in CI the validator must be there: OPENAPI_VALIDATOR names its folder"
        );
        return;
    };
    folder.write("openapi.json", &description.to_string());
    folder.write("answers.json", &serde_json::to_string(answers).unwrap());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openapi_validate.cjs");
    let files = [folder.path("openapi.json"), folder.path("answers.json")];
    let words =
        [script.to_str().unwrap(), validator.to_str().unwrap(), files[0].to_str().unwrap(), files[1].to_str().unwrap()];
    let output = command::run("node", &words, &folder.path(""), "").await;
    assert_eq!((output.code, output.stdout.as_str()), (Some(0), ""), "{output:?}");
}

#[tokio::test]
async fn records_of_the_older_tool_come_without_credentials_and_as_described() {
    let root = tempfile::tempdir().unwrap();
    for older in older::all(root.path()) {
        let folder = Folder::new();
        let logs = folder.path("logs");
        copy(&older.logs, &logs);
        let api = Api::of(folder, "logs");
        let description = api.json("/openapi.json").await;
        let rows = api.json("/exchanges").await["exchanges"].clone();
        assert_eq!(rows.as_array().unwrap().len(), older.records.len(), "{}", older.version);
        let mut asked = vec![("/exchanges", "/exchanges".to_owned()), ("/figures", "/figures?by=user".into())];
        for row in rows.as_array().unwrap() {
            let id = row["id"].as_str().unwrap();
            asked.push(("/exchanges/{id}", format!("/exchanges/{id}")));
            asked.push(("/exchanges/{id}/record", format!("/exchanges/{id}/record")));
            asked.push(("/exchanges/{id}/har", format!("/exchanges/{id}/har")));
            asked.push(("/conversations/{id}", format!("/conversations/{id}")));
            for body in ["request-body", "response-body"] {
                let text = String::from_utf8(api.get(&format!("/exchanges/{id}/{body}")).await.body).unwrap();
                assert!(!older::SECRETS.iter().any(|secret| text.contains(secret)), "{text}");
            }
        }
        for answer in checked(&api, &description, asked).await {
            let text = answer.to_string();
            assert!(!older::SECRETS.iter().any(|secret| text.contains(secret)), "{}: {text}", older.version);
        }
    }
}

/// A folder with these records below `logs`.
fn recorded(samples: &[Sample]) -> Folder {
    let folder = Folder::new();
    fs::create_dir(folder.path("logs")).unwrap();
    for sample in samples {
        sample.write(&folder.path("logs"));
    }
    folder
}

/// What a command prints of the folder: one JSON object a line.
fn printed(folder: &Folder, words: &[&str]) -> Vec<Value> {
    let outcome = folder.run_in(&[words, &["--json", "--logs", "logs"]].concat(), &[("TZ", "UTC")]);
    outcome.succeeds().stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).map(drop).unwrap();
        }
    }
}

#[tokio::test]
async fn bodies_of_16_mb_come_whole_and_bytes_that_are_no_text_as_they_are() {
    let api = Api::on(&[]);
    let large = Sample { response: "a\u{1b}é<\n".repeat((16 << 20) / 7), ..Sample::completion(1) };
    large.write(&api.folder.path("logs"));
    let mut binary = Sample::completion(2).json();
    binary["response"]["content"] = json!("AP+AwyhcIg==");
    binary["recorder"]["response"]["encoding"] = json!("base64");
    write(&api.folder.path("logs"), &Sample::completion(2).file(), &binary.to_string());
    api.until("the records in the index", "/exchanges", 2).await;
    let reply = api.get(&format!("/exchanges/{}/response-body", large.id())).await;
    assert!(reply.body == large.response.as_bytes(), "{} bytes came", reply.body.len());
    let record = api.json(&format!("/exchanges/{}/record", large.id())).await;
    assert!(record["response"]["content"] == large.response);
    let reply = api.get(&format!("/exchanges/{}/response-body", Sample::completion(2).id())).await;
    assert_eq!(reply.body, b"\x00\xff\x80\xc3\x28\x5c\x22");
}

/// The program itself, asked by curl.
#[tokio::test(flavor = "multi_thread")]
async fn curl_gets_what_the_commands_say() {
    let page = Page::start(recorded(&samples()), &[]);
    let answers = support::within("curl's answers", async {
        let mut answers = Vec::new();
        let id = Sample::chat(3).id();
        for path in ["/exchanges?kind=completions", "/figures?by=model", &*format!("/exchanges/{id}")] {
            let url = page.url(&format!("/api/v1{path}"));
            let words = ["--silent", "--show-error", "--fail", "--http1.1", "--noproxy", "*", "--retry", "20", &url];
            let output = command::run("curl", &words, &page.folder.path(""), "").await;
            assert_eq!(output.code, Some(0), "{output:?}");
            answers.push(serde_json::from_str::<Value>(&output.stdout).unwrap());
        }
        answers
    })
    .await;
    assert_eq!(answers[0]["exchanges"], Value::Array(printed(&page.folder, &["list", "--kind", "completions"])));
    let mut lines = answers[1]["rows"].as_array().unwrap().clone();
    lines.push(answers[1]["total"].clone());
    assert_eq!(lines, printed(&page.folder, &["stats", "--by", "model"]));
    assert_eq!(answers[2], printed(&page.folder, &["show", &Sample::chat(3).id()])[0]);
}
