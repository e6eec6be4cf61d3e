use std::fs;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const TOKEN: &str = "Bearer tid=5e1e;exp=1733664598;sku=seat:5ecre7";

/// The first five keys, as all forms have them.
fn older(user: Value, request: Value, response: Value) -> Value {
    json!({
        "proxy-authorization": user,
        "timestamp": "2024-12-08T13:18:23.331449",
        "proxy-time-consumed": "382.4ms",
        "request": {
            "url": "https://proxy.enterprise.githubcopilot.com/v1/engines/copilot-codex/completions",
            "method": "POST",
            "headers": {"authorization": TOKEN, "x-request-id": "r-1", "cookie": "c00kie"},
            "content": request,
        },
        "response": {"status_code": 200, "headers": {"set-cookie": "c00kie", "server": "x, y"}, "content": response},
    })
}

fn ours() -> Value {
    let mut record = older(json!("alice"), json!("prompt"), json!("data: x\n\n"));
    record["recorder"] = json!({
        "schema": 1,
        "id": "0193a6d1-4f2b-7000-8000-00000000000a",
        "kind": "chat", "rule": "chat", "complete": false, "aborted_by": "client",
        "client": "127.0.0.1:50000", "connection": "0193a6d1-4f2b-7000-8000-00000000000b", "http_version": "HTTP/2",
        "timings": {"connect": 1.5, "tls": 2, "request_end": 0.25, "first_byte": null, "last_byte": 382.4},
        "chunks": [[40.5, 4], [50, 5]],
        "request": {"content_size": 6, "truncated": false, "codings": [], "encoding": "utf-8"},
        "response": {"content_size": 9, "truncated": true, "codings": ["gzip"], "encoding": "utf-8"},
    });
    record
}

fn read_at(path: &str, record: &Value) -> Result<Record, Unreadable> {
    parse(Path::new(path), serde_json::to_string_pretty(record).unwrap().as_bytes())
}

fn record(path: &str, value: &Value) -> Record {
    read_at(path, value).unwrap()
}

#[test]
fn ours_is_read_whole() {
    let found = record("chat/x.json", &ours());
    assert_eq!((found.form, found.kind, found.rule.as_str()), (Form::Recorder, Kind::Chat, "chat"));
    assert_eq!(found.id.to_string(), "0193a6d1-4f2b-7000-8000-00000000000a");
    assert_eq!((found.user.as_deref(), found.began), (Some("alice"), 1_733_663_903_331_449));
    assert_eq!((found.status, found.complete, found.aborted_by), (Some(200), Some(false), Some(AbortedBy::Client)));
    assert_eq!(found.client.as_deref(), Some("127.0.0.1:50000"));
    assert_eq!(found.http_version.as_deref(), Some("HTTP/2"));
    let timings = Timings {
        connect: Some(1.5),
        tls: Some(2.0),
        request_end: Some(0.25),
        first_byte: None,
        last_byte: Some(382.4),
    };
    assert_eq!((found.timings, found.chunks), (timings, vec![(40.5, 4), (50.0, 5)]));
    assert_eq!(found.request_body, Body { text: "prompt".into(), size: 6, ..Body::default() });
    let answer = Body { text: "data: x\n\n".into(), bytes: None, size: 9, coded: true, truncated: true };
    assert_eq!((found.response_body, found.messages, found.problem), (answer, None, None));
    assert_eq!(found.request_headers[1], ("x-request-id".into(), "r-1".into()), "in the order of the file");
}

#[test]
fn no_response_is_none() {
    let mut value = ours();
    value["response"] = json!({"status_code": 0, "headers": {}, "content": ""});
    value["recorder"]["response"] = Value::Null;
    let found = record("chat/x.json", &value);
    assert_eq!((found.status, found.response_body), (None, Body::default()));
}

#[test]
fn what_is_missing_from_a_body_is_said() {
    let mut value = ours();
    value["recorder"]["malformed"] = json!("a frame is too long");
    assert_eq!(record("x.json", &value).problem.as_deref(), Some("a frame is too long"));
    let mut value = ours();
    value["recorder"]["bodies_lost"] = json!(true);
    value["recorder"]["bodies_lost_reason"] = json!("no space");
    assert_eq!(record("x.json", &value).problem.as_deref(), Some("the bodies are missing: no space"));
    let mut value = ours();
    value["recorder"]["response"]["decode_error"] = json!("ends early");
    assert_eq!(record("x.json", &value).problem.unwrap(), "a body could not be decoded to its end: ends early");
}

#[test]
fn bytes_that_are_no_text_come_back() {
    let mut value = ours();
    value["request"]["content"] = json!("AP9h");
    value["recorder"]["request"]["encoding"] = json!("base64");
    value["response"]["content"] = json!("gr");
    value["recorder"]["response"]["content_tail"] = json!("w7w=");
    let found = record("x.json", &value);
    assert_eq!(found.request_body.bytes.as_deref(), Some(&b"\0\xffa"[..]));
    assert_eq!(found.request_body.text, "\0\u{fffd}a");
    assert_eq!(found.response_body.bytes.as_deref(), Some(&b"gr\xc3\xbc"[..]));
    assert_eq!(found.response_body.text, "gr");
    // Not base64 after all: what stands there is shown.
    value["request"]["content"] = json!("?");
    assert_eq!(record("x.json", &value).request_body.text, "?");
}

#[test]
fn messages_of_a_websocket_are_listed() {
    let mut value = ours();
    value["recorder"]["websocket"] = json!({
        "messages": [["client", 0.5, 30, "text"], ["server", 20, 7, "text", "more"], ["server", 21, 0, "ping"], "odd"]
    });
    let messages = record("x.json", &value).messages.unwrap();
    assert_eq!(messages.len(), 3);
    assert_eq!(messages[1], SocketMessage { from_client: false, at: 20.0, bytes: 7, kind: "text".into() });
}

#[test]
fn other_schemas_and_foreign_files_are_told_apart() {
    let mut later = ours();
    later["recorder"]["schema"] = json!(2);
    later["request"] = json!("another form");
    assert_eq!(read_at("x.json", &later), Err(Unreadable::Future(2)));
    for (place, value) in [
        ("/recorder/schema", json!("1")),
        ("/recorder/schema", json!(0)),
        ("/recorder/id", json!(7)),
        ("/recorder", json!([1])),
        ("/request", json!(null)),
        ("/request", json!(["u", "m"])),
        ("/request/url", json!(1)),
        ("/timestamp", json!("yesterday")),
    ] {
        let mut foreign = ours();
        *foreign.pointer_mut(place).unwrap() = value;
        assert_eq!(read_at("x.json", &foreign), Err(Unreadable::Foreign), "{place}");
    }
    let parse = |text: &str| parse(Path::new("x.json"), text.as_bytes()).unwrap_err();
    for text in ["{}", "[]", "1", "null", "\"x\"", r#"{"a": [1]}"#, r#"{"timestamp": 1, "timestamp": 2}"#] {
        assert_eq!(parse(text), Unreadable::Foreign, "{text}");
    }
    for text in ["hello", "\0\0\0", "{]", "{} x", "<html>"] {
        assert_eq!(parse(text), Unreadable::NotJson, "{text}");
    }
    for text in ["", " ", "{", r#"{"timestamp": "#, r#"{"timestamp": 1, "timestamp": 2"#] {
        assert_eq!(parse(text), Unreadable::Cut, "{text}");
    }
    assert_eq!(super::parse(Path::new("x.json"), b"{\"a\": \"\xff\"}"), Err(Unreadable::NotJson));
}

#[test]
fn a_record_cut_at_any_byte_is_cut() {
    let mut value = ours();
    value["request"]["content"] = json!("größer \" \\ \u{1f600}");
    let whole = serde_json::to_string_pretty(&value).unwrap();
    for end in 0..whole.len() {
        assert_eq!(parse(Path::new("x.json"), &whole.as_bytes()[..end]), Err(Unreadable::Cut), "{end}");
    }
    assert!(parse(Path::new("x.json"), whole.as_bytes()).is_ok());
}

#[test]
fn the_first_version_has_bodies_as_text() {
    let path = "completions/2024-12-08T13-05-57.639893_4ce93ec3b2_10.0.0.7_ann_vscode-1.95.3.json";
    let found = record(path, &older(json!("ann"), json!("{\"prompt\":\"p\"}"), json!("data: [DONE]\n\n")));
    assert_eq!((found.form, found.kind, found.rule.as_str()), (Form::Older, Kind::Completions, "completions"));
    assert_eq!((found.request_body.text.as_str(), found.response_body.size), ("{\"prompt\":\"p\"}", 14));
    assert_eq!((found.user.as_deref(), found.client.as_deref()), (Some("ann"), Some("10.0.0.7")));
    assert_eq!((found.complete, found.timings.last_byte), (None, Some(382.4)));
    assert_eq!(found.began, 1_733_663_903_331_449 - 382_400, "the record's own time, not the name's");
}

#[test]
fn the_older_tool_took_the_time_when_all_was_over() {
    let began = |consumed: Value| {
        let mut value = older(json!("ann"), json!("p"), json!("a"));
        value["proxy-time-consumed"] = consumed;
        1_733_663_903_331_449 - record("x.json", &value).began
    };
    assert_eq!(began(json!("61000.25ms")), 61_000_250);
    for untold in [Value::Null, json!("soon"), json!("-5ms"), json!("1e300ms"), json!("NaNms")] {
        assert_eq!(began(untold.clone()), 0, "{untold}");
    }
}

#[test]
fn later_versions_have_bodies_as_json_and_keep_their_text() {
    let chunks = json!([{"choices": [{"text": "a  \"b"}]}, "[DONE]"]);
    let found =
        record("usage/ann/completions/x.json", &older(Value::Null, json!({"n": 1.50, "prompt": "a b"}), chunks));
    assert_eq!(found.request_body.text, r#"{"n":1.5,"prompt":"a b"}"#);
    assert_eq!(found.response_body.text, r#"[{"choices":[{"text":"a  \"b"}]},"[DONE]"]"#);
    assert_eq!(found.user.as_deref(), Some("ann"), "the folder's");
    // A number is not read and written again: it would lose digits.
    let text = r#"{"timestamp":"2024-12-08T13:18:23","request":{"url":"https://x/","content":{ "a" : 1.10e400 }},"response":{}}"#;
    assert_eq!(parse(Path::new("x.json"), text.as_bytes()).unwrap().request_body.text, r#"{"a":1.10e400}"#);
}

#[test]
fn half_a_surrogate_pair_hides_nothing_else() {
    let text =
        r#"{"timestamp":"2024-12-08T13:18:23","request":{"url":"https://x/","content":"a\ud800b"},"response":{}}"#;
    let found = parse(Path::new("x.json"), text.as_bytes()).unwrap();
    assert!(found.request_body.text.starts_with('a') && found.request_body.text.ends_with('b'));
}

#[test]
fn a_password_stays_behind_wherever_it_stands() {
    let name = "2024-12-08T13-05-57.639893_4ce93ec3b2_127.0.0.1_ann-se-cret_vscode-1.95.3.json";
    let path = format!("completions/{name}");
    for user in [json!("ann:se/cret"), json!("ann"), Value::Null] {
        let found = record(&path, &older(user.clone(), json!("p"), json!("a")));
        assert_eq!(found.user.as_deref(), user.as_str().map(|_| "ann"));
        assert!(!format!("{found:?}").contains("cret"));
        let key = file_key(Path::new(&path), Some(&found));
        assert_eq!(key.to_str().unwrap(), path.replace("se-cret", "*"));
    }
    // What could not be read may be of that version too.
    assert!(!file_key(Path::new(&path), None).to_str().unwrap().contains("cret"));
    // A name with a hyphen that the record knows is a name, and ours have no password.
    let found = record(&path, &older(json!("ann-se-cret"), json!("p"), json!("a")));
    assert_eq!(file_key(Path::new(&path), Some(&found)), Path::new(&path));
    assert_eq!(file_key(Path::new(&path), Some(&record(&path, &ours()))), Path::new(&path));
    for plain in ["chat/x.json", "chat/2024-12-08T13-05-57.639893_-_127.0.0.1_ann_-.json", "metrics.json"] {
        assert_eq!(masked_key(Path::new(plain)), None, "{plain}");
    }
}

#[test]
fn a_masked_name_leads_to_its_file() {
    let logs = tempfile::tempdir().unwrap();
    let name = "2024-12-08T13-05-57.639893_4ce93ec3b2_127.0.0.1_ann-secret_vscode-1.95.3.json";
    fs::create_dir(logs.path().join("completions")).unwrap();
    let text = older(json!("ann:secret"), json!("p"), json!("a")).to_string();
    fs::write(logs.path().join("completions").join(name), text).unwrap();
    let masked = Path::new("completions").join(name.replace("secret", "*"));
    let found = read_below(logs.path(), &masked).unwrap();
    assert_eq!(found.user.as_deref(), Some("ann"));
    assert_eq!(read(&logs.path().join(&masked)).unwrap(), found);
    assert_eq!(real_path(logs.path(), &masked), Path::new("completions").join(name));
    assert!(matches!(read(&logs.path().join("none.json")), Err(Unreadable::Io(_))));
}

#[test]
fn of_files_that_fit_a_masked_name_the_first_is_meant() {
    let logs = tempfile::tempdir().unwrap();
    let name = |password: &str| format!("2024-12-08T13-05-57.639893_m_127.0.0.1_ann-{password}_vscode.json");
    let masked = name("*");
    // The name without any password is no file of that login.
    fs::write(logs.path().join(name("")), "{}").unwrap();
    assert_eq!(real_path(logs.path(), Path::new(&masked)), Path::new(&masked));
    for password in ["b", "a", "c"] {
        fs::write(logs.path().join(name(password)), "{}").unwrap();
    }
    assert_eq!(real_path(logs.path(), Path::new(&masked)), Path::new(&name("a")));
}

#[test]
fn what_a_record_adds_to_its_plain_form_is_taken() {
    let mut value = ours();
    value["recorder"]["aborted_by"] = json!("shutdown");
    value["recorder"]["chunks"] = json!([[1.5, 4], "odd", [2]]);
    value["recorder"]["response"]["raw_headers"] =
        json!([["X-A", "1"], ["x-a", "2"], [7], ["x-b", {"base64": "/w=="}]]);
    let found = record("chat/x.json", &value);
    assert_eq!(found.aborted_by, Some(AbortedBy::Shutdown));
    assert_eq!(found.chunks, [(1.5, 4)], "one odd chunk hides no other");
    let headers: Vec<_> = found.response_headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(headers, [("X-A", "1"), ("x-a", "2"), ("x-b", "\u{ff}")]);
}

#[test]
fn names_and_folders_of_older_records_are_read_to_the_letter() {
    let value = older(json!("-"), json!("p"), json!("a"));
    let client = |name: &str| record(name, &value).client;
    assert_eq!(client("2024-12-08T13-05-57.639893_m_2001-db8--1_-_-.json").as_deref(), Some("2001:db8::1"));
    assert_eq!(client("2024-12-08T13-05-57.639893_m_nobody_-_-.json"), None);
    for (path, user) in [("ann/../completions/x.json", None), ("../ann/completions/x.json", Some("ann"))] {
        assert_eq!(record(path, &value).user.as_deref(), user, "{path}");
    }
}

#[test]
fn only_the_logs_own_folders_and_files_are_passed_over() {
    let logs = tempfile::tempdir().unwrap();
    for file in ["metrics/2024/x.json", "metrics/y.json", "chat/metrics/index.sqlite.json"] {
        fs::create_dir_all(logs.path().join(file).parent().unwrap()).unwrap();
        fs::write(logs.path().join(file), "{}").unwrap();
    }
    let listed = |folder: &str| {
        let mut found = Vec::new();
        list(logs.path(), Path::new(folder), &mut |entry| found.push(format!("{entry:?}"))).unwrap();
        found
    };
    assert_eq!(listed("metrics"), [""; 0]);
    assert_eq!(listed("chat"), [r#"Folder("chat/metrics")"#]);
    assert_eq!(listed("chat/metrics"), [r#"File("chat/metrics/index.sqlite.json")"#]);
}

#[test]
fn a_file_is_checked_against_the_folders_of_kinds_and_the_other_files() {
    let mut ids = verify::Ids::default();
    let mut findings = |path: &str, value: &Value| {
        let (record, mut findings) = verify::check(Path::new(path), value.to_string().as_bytes());
        findings.extend(record.and_then(|record| ids.see(record.id)));
        findings.iter().map(verify::Finding::class).filter(|class| *class != "unchecked").collect::<Vec<_>>()
    };
    assert_eq!(findings("backup/2024/nes/x.json", &ours()), [""; 0], "what lies that deep is somebody's own order");
    assert_eq!(findings("a.json", &older(json!("-"), json!("p"), json!("a"))), [""; 0]);
    assert_eq!(findings("b.json", &older(json!("-"), json!("p"), json!("a"))), ["duplicate"]);
}

#[test]
fn no_usable_token_comes_out() {
    let mut value = older(json!("ann"), json!("p"), json!("a"));
    value["request"]["url"] = json!("https://u:pass@api.example.com/x?key=k3y&n=1");
    let shown = format!("{:?}", record("chat/x.json", &value));
    for secret in ["5ecre7", "c00kie", "k3y", "pass@"] {
        assert!(!shown.contains(secret), "{secret} is in {shown}");
    }
    assert!(shown.contains("tid=5e1e;exp=1733664598"), "who it was stays");
    let mut value = older(json!("ann"), json!(""), json!({"token": "gho_5ecre7", "sku": "seat"}));
    value["request"]["url"] = json!("https://api.github.com/copilot_internal/v2/token");
    let found = record("auth/x.json", &value);
    assert_eq!(found.response_body.text, r#"{"token":"<redacted>","sku":"seat"}"#);
}

#[test]
fn folders_tell_the_user_and_the_type() {
    let other = |url: &str| {
        let mut value = older(Value::Null, json!("p"), json!("a"));
        value["request"]["url"] = json!(url);
        value
    };
    for (path, user, kind) in [
        ("completions/x.json", None, Kind::Completions),
        ("ann/chat/x.json", Some("ann"), Kind::Chat),
        ("usage/ann/nes/x.json", Some("ann"), Kind::Nes),
        ("auditlogs/usage/ann/commit-message/x.json", Some("ann"), Kind::Chat),
        ("/var/old/logs/ann/chat-panel/x.json", Some("ann"), Kind::Chat),
        ("/var/old/logs/chat/x.json", None, Kind::Chat),
        ("/home/bob/chat/x.json", None, Kind::Chat),
        ("../bob/telemetry/x.json", Some("bob"), Kind::Telemetry),
        ("x.json", None, Kind::Other),
        ("-/extension/x.json", None, Kind::Extension),
        ("usage/anonymous/chat/x.json", None, Kind::Chat),
    ] {
        let found = record(path, &other("https://api.example.com/unheard/of"));
        assert_eq!((found.user.as_deref(), found.kind), (user, kind), "{path}");
    }
    for user in [json!("anonymous"), json!("anonymous:")] {
        let found = record("usage/anonymous/chat/x.json", &older(user, json!("p"), json!("a")));
        assert_eq!(found.user, None, "its word for nobody is no person");
    }
    let chat = "https://api.githubcopilot.com/chat/completions";
    assert_eq!(record("ann/nes/x.json", &other(chat)).kind, Kind::Nes, "the older tool looked at the model");
    assert_eq!(record("ann/agent/x.json", &other(chat)).rule, "chat");
    assert_eq!(record("ann/chat/x.json", &other("https://proxy.x.com/chat/completions")).kind, Kind::Nes);
}

#[test]
fn the_id_of_an_older_record_is_that_of_its_time_and_content() {
    let value = older(json!("ann:secret"), json!("p"), json!("a"));
    let id = record("ann/chat/x.json", &value).id;
    assert_eq!(id, record("usage/bob/nes/y.json", &value).id, "wherever it lies");
    assert_eq!(id, record("x.json", &older(json!("ann:other"), json!("p"), json!("a"))).id, "whatever the password");
    assert_eq!((id.get_version_num(), id.get_variant()), (7, uuid::Variant::RFC4122));
    assert_eq!(&id.as_bytes()[..6], &1_733_663_903_331_u64.to_be_bytes()[2..]);
    assert_ne!(id, record("x.json", &older(json!("ann"), json!("pa"), json!(""))).id);
    assert_ne!(id, record("x.json", &older(json!("bob"), json!("p"), json!("a"))).id);
}

#[test]
fn a_walk_finds_records_and_nothing_else() {
    let logs = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("x.json"), "{}").unwrap();
    for file in [
        "chat/a.json",
        "chat/2024-12-08/b.json",
        "ann/chat/c.json",
        "usage/ann/chat/d.json",
        "top.json",
        ".tmp/n.json",
        ".spool/n.json",
        "index.sqlite",
        "index.sqlite-wal",
        "metrics/n.json",
        "audit/n.json",
        "user_auth.json",
        "proxy_auth_cache.json",
        "chat/.n.json",
        "chat/notes.txt",
        "ann/metrics/e.json",
    ] {
        let path = logs.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "{}").unwrap();
    }
    std::os::unix::fs::symlink(outside.path(), logs.path().join("link")).unwrap();
    let mut found = Vec::new();
    walk(logs.path(), &mut |entry| match entry {
        Found::File(path) => found.push(path.to_str().unwrap().to_owned()),
        Found::Closed(path, error) => panic!("{path:?}: {error}"),
    })
    .unwrap();
    found.sort();
    let wanted = [
        "ann/chat/c.json",
        "ann/metrics/e.json",
        "chat/2024-12-08/b.json",
        "chat/a.json",
        "top.json",
        "usage/ann/chat/d.json",
    ];
    assert_eq!(found, wanted);
    assert!(walk(&logs.path().join("none"), &mut |_| ()).is_err());
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let logs = tempfile::tempdir().unwrap();
    let pipe = logs.path().join("x.json");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    assert_eq!(read(&pipe), Err(Unreadable::Io("not a file".into())));
}

proptest! {
    #[test]
    fn any_bytes_are_a_record_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        fuzz::fuzz_record(&bytes);
    }

    #[test]
    fn compact_text_means_the_same(text in "[a-c\" \\\\{}:,\\n0-9]{0,30}") {
        let value = json!({"a": [text, 1.5, null], "b c": {}});
        let compact = raw::compact(&serde_json::to_string_pretty(&value).unwrap());
        prop_assert_eq!(compact, value.to_string());
    }
}
