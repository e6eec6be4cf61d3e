use std::sync::Arc;
use std::time::Duration;

use super::fields::merged;
use super::*;
use crate::classifier::Summary;
use crate::digest::{hex, sha256};
use crate::exchange::testing::{fields, response_head};
use crate::exchange::{ConnectionId, ExchangeId};
use crate::rules::Kind;
use crate::store::content::Content;
use crate::store::redact;
use crate::store::testing::{LIMITS, exchange, message};

fn summary(exchange: &Exchange) -> Summary {
    Summary {
        id: exchange.id,
        kind: Kind::Completions,
        rule: "completions".into(),
        began: exchange.began,
        user: None,
        host: String::new(),
        path: String::new(),
        method: String::new(),
        status: None,
        editor: None,
        language: None,
        model: None,
        duration: None,
        request_size: 0,
        response_size: 0,
        complete: exchange.complete,
        aborted_by: exchange.aborted_by,
    }
}

fn render_with(mut exchange: Exchange, redacts: Redact, lost: Option<&str>) -> String {
    if redacts == Redact::Secrets {
        redact::heads(&mut exchange);
    }
    let mut request = Content::of(&exchange.request.head.fields, &mut exchange.request.body, LIMITS);
    let mut response = match &mut exchange.response {
        Some(response) => Content::of(&response.head.fields, &mut response.body, LIMITS),
        None => Content::missing(false),
    };
    if redacts == Redact::Secrets && redact::body_is_secret(&exchange.request.head.target) {
        request.redacted = redact::body(&mut request.decoded.bytes);
        response.redacted = redact::body(&mut response.decoded.bytes);
    }
    if lost.is_some() {
        request.lose();
        response.lose();
    }
    let circumstances = Circumstances { redact: redacts, bodies_lost: lost, recovered: false };
    let text = write(Vec::new(), &exchange, &summary(&exchange), [&request, &response], &circumstances);
    String::from_utf8(text).unwrap()
}

fn render(exchange: Exchange) -> String {
    render_with(exchange, Redact::Secrets, None)
}

fn parsed(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

fn fixed(mut exchange: Exchange) -> Exchange {
    exchange.id = ExchangeId("01938000-0000-7000-8000-000000000001".parse().unwrap());
    let connection = Arc::make_mut(&mut exchange.connection);
    connection.id = ConnectionId("01938000-0000-7000-8000-000000000002".parse().unwrap());
    exchange
}

#[test]
fn a_completion_in_full() {
    let stream = b"data: {\"choices\":[{\"text\":\"\\n\"}]}\n\ndata: [DONE]\n\n";
    let mut exchange = fixed(exchange("/v1/engines/copilot-codex/completions", b"{\"prompt\":\"\xc3\xa4\"}", stream));
    exchange.request.head.fields.push(b"authorization", b"Bearer tid=5e1e;exp=1733664598:fd1cc3e1");
    exchange.response.as_mut().unwrap().head.reason = b"OK".to_vec();
    let expected = r##"{
    "proxy-authorization": "satomic",
    "timestamp": "2024-12-08T13:05:57.639893",
    "proxy-time-consumed": "382.4ms",
    "request": {
        "url": "https://proxy.example.com/v1/engines/copilot-codex/completions",
        "method": "POST",
        "headers": {
            "vscode-machineid": "4ce93ec3b250003c9580aba5d1a71685fe7df281ac090fa58018e5b6a3017bf9",
            "editor-version": "vscode/1.95.3",
            "authorization": "Bearer tid=5e1e;exp=1733664598:<redacted>"
        },
        "content": "{\"prompt\":\"ä\"}"
    },
    "response": {
        "status_code": 200,
        "headers": {
            "Content-Type": "text/event-stream"
        },
        "content": "data: {\"choices\":[{\"text\":\"\\n\"}]}\n\ndata: [DONE]\n\n"
    },
    "recorder": {
        "schema": 1,
        "id": "01938000-0000-7000-8000-000000000001",
        "kind": "completions",
        "rule": "completions",
        "complete": true,
        "aborted_by": null,
        "client": "127.0.0.1:50000",
        "upstream": "192.0.2.1:443",
        "tunnel": "proxy.example.com:443",
        "connection": "01938000-0000-7000-8000-000000000002",
        "stream": 0,
        "http_version": "HTTP/1.1",
        "alpn": null,
        "tls_version": {"client": null, "upstream": null},
        "sni": "proxy.example.com",
        "timings": {"connect": 2.0, "tls": 5.0, "request_end": 0.25, "first_byte": 180.0, "last_byte": 382.4},
        "chunks": [[180.0, 49]],
        "request": {
            "ended": true,
            "head_size": 0,
            "wire_size": 15,
            "content_size": 15,
            "truncated": false,
            "codings": [],
            "encoding": "utf-8",
            "sha256": "SHA-REQUEST",
            "content_sha256": "SHA-REQUEST"
        },
        "response": {
            "reason": "OK",
            "ended": true,
            "head_size": 0,
            "wire_size": 49,
            "content_size": 49,
            "truncated": false,
            "codings": [],
            "encoding": "utf-8",
            "sha256": "SHA-RESPONSE",
            "content_sha256": "SHA-RESPONSE"
        },
        "redacted": [
            "/request/headers/authorization"
        ]
    }
}"##;
    let expected = expected
        .replace("SHA-REQUEST", &hex(&sha256(b"{\"prompt\":\"\xc3\xa4\"}")))
        .replace("SHA-RESPONSE", &hex(&sha256(stream)));
    assert_eq!(render(exchange), expected);
}

#[test]
fn the_first_five_keys_are_those_of_the_tool_before_us() {
    let record = parsed(&render(exchange("/", b"q", b"r")));
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let top = ["proxy-authorization", "timestamp", "proxy-time-consumed", "request", "response", "recorder"];
    assert_eq!(keys(&record), top);
    assert_eq!(keys(&record["request"]), ["url", "method", "headers", "content"]);
    assert_eq!(keys(&record["response"]), ["status_code", "headers", "content"]);
}

#[test]
fn repeated_fields_are_joined_and_kept_apart_in_the_raw_list() {
    let mut exchange = exchange("/", b"", b"");
    let sent = [("X-A", "1"), ("B", "2"), ("x-a", "3"), ("C", "4"), ("X-a", "5")];
    exchange.response = Some(message(response_head(200, &sent), b""));
    let record = parsed(&render(exchange));
    let headers = &record["response"]["headers"];
    assert_eq!(headers.to_string(), r#"{"X-A":"1, 3, 5","B":"2","C":"4"}"#);
    let raw = record["recorder"]["response"]["raw_headers"].to_string();
    assert_eq!(raw, r#"[["X-A","1"],["B","2"],["x-a","3"],["C","4"],["X-a","5"]]"#);
    assert!(record["recorder"]["request"].get("raw_headers").is_none());
}

#[test]
fn thousands_of_fields_are_merged_as_few_are() {
    let mut many = Fields::default();
    for index in 0..20_000 {
        many.push(format!("X-{}", index % 10_000).as_bytes(), index.to_string().as_bytes());
    }
    let merged = merged(&many);
    assert_eq!(merged.len(), 10_000);
    assert_eq!((merged[7].0, &merged[7].1[..]), (&b"X-7"[..], &b"7, 10007"[..]));
}

#[test]
fn fields_that_are_not_utf8_are_readable_and_exact() {
    let mut exchange = exchange("/", b"", b"");
    exchange.request.head.target = b"/\xe9".to_vec();
    exchange.request.head.fields.push(b"X-Name", b"Zo\xeb");
    let record = parsed(&render(exchange));
    assert_eq!(record["request"]["url"], "https://proxy.example.com/é");
    assert_eq!(record["request"]["headers"]["X-Name"], "Zoë");
    assert_eq!(record["recorder"]["request"]["raw_headers"][2].to_string(), r#"["X-Name",{"base64":"Wm/r"}]"#);
}

#[test]
fn bodies_that_are_not_text_are_base64_and_say_so() {
    let record = parsed(&render(exchange("/", b"\xff\x00\xfe", b"text")));
    assert_eq!(record["request"]["content"], "/wD+");
    let details = &record["recorder"]["request"];
    assert_eq!((&details["encoding"], &details["content_size"]), (&"base64".into(), &3.into()));
    assert_eq!(details["content_sha256"], hex(&sha256(b"/wD+")));
    assert_eq!(details["sha256"], hex(&sha256(b"\xff\x00\xfe")));
    assert_eq!(record["recorder"]["response"]["encoding"], "utf-8");
}

#[test]
fn a_stream_cut_within_a_character_stays_text() {
    let record = parsed(&render(exchange("/", b"", "ä€".as_bytes().split_last().unwrap().1)));
    assert_eq!(record["response"]["content"], "ä");
    let details = &record["recorder"]["response"];
    assert_eq!((&details["encoding"], &details["content_tail"]), (&"utf-8".into(), &"4oI=".into()));
    assert_eq!(details["content_sha256"], hex(&sha256("ä".as_bytes())));
}

#[test]
fn control_characters_and_what_is_not_ascii() {
    let body = "\u{0}\u{1f}\u{7f}\u{2028}\u{1f600}\"\\/\t";
    let text = render(exchange("/", body.as_bytes(), b""));
    assert!(text.contains("\"content\": \"\\u0000\\u001f\u{7f}\u{2028}\u{1f600}\\\"\\\\/\\t\""), "{text}");
    assert_eq!(parsed(&text)["request"]["content"], body);
}

#[test]
fn without_a_response_old_readers_still_find_their_keys() {
    let mut exchange = exchange("/", b"q", b"");
    exchange.response = None;
    exchange.complete = false;
    exchange.aborted_by = Some(AbortedBy::Client);
    exchange.timings.first_byte = None;
    exchange.reset_code = Some(8);
    let record = parsed(&render(exchange));
    assert_eq!(record["response"].to_string(), r#"{"status_code":0,"headers":{},"content":""}"#);
    let recorder = &record["recorder"];
    assert!(recorder["response"].is_null() && recorder["timings"]["first_byte"].is_null());
    assert_eq!(recorder["aborted_by"], "client");
    assert_eq!(recorder["reset_code"], 8);
}

#[test]
fn a_record_without_its_bodies_keeps_what_is_known_of_them() {
    let record = parsed(&render_with(exchange("/", b"question", b""), Redact::Secrets, Some("disk full")));
    assert_eq!(record["request"]["content"], "");
    let recorder = &record["recorder"];
    assert_eq!(recorder["bodies_lost"], true);
    assert_eq!(recorder["bodies_lost_reason"], "disk full");
    assert_eq!(recorder["request"]["wire_size"], 8);
    assert_eq!(recorder["request"]["sha256"], hex(&sha256(b"question")));
    assert!(recorder["request"]["content_sha256"].is_null());
    assert_eq!(recorder["response"]["content_sha256"], hex(&sha256(b"")), "nothing came, so nothing was lost");
}

#[test]
fn every_redacted_path_leads_to_what_was_redacted() {
    let mut exchange = exchange("/login/oauth/access_token?code=S", b"client_secret=S", b"{\"access_token\":\"S\"}");
    exchange.request.head.pseudo = fields(&[(":method", "POST"), (":path", "/login/oauth/access_token?code=S")]);
    exchange.request.head.fields = fields(&[("a/b~-token", "S"), ("Cookie", "S"), ("cookie", "S")]);
    exchange.interim = vec![response_head(103, &[("x", "y"), ("Set-Cookie", "S")])];
    exchange.response.as_mut().unwrap().trailers = Some(fields(&[("X-Token", "S")]));
    let record = parsed(&render(exchange.clone()));
    let redacted: Vec<_> =
        record["recorder"]["redacted"].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
    for pointer in &redacted {
        let (outer, inner) = pointer.split_once('#').unwrap_or((pointer, ""));
        let mut value = record.pointer(outer).unwrap().clone();
        if !inner.is_empty() {
            value = parsed(value.as_str().unwrap()).pointer(inner).unwrap().clone();
        }
        assert!(value.as_str().unwrap().contains(MARK), "{pointer}");
    }
    assert_eq!(
        redacted,
        [
            "/request/url",
            "/request/headers/a~1b~0-token",
            "/request/headers/Cookie",
            "/request/content",
            "/response/content#/access_token",
            "/recorder/request/pseudo/1/1",
            "/recorder/request/raw_headers/0/1",
            "/recorder/request/raw_headers/1/1",
            "/recorder/request/raw_headers/2/1",
            "/recorder/interim/0/headers/1/1",
            "/recorder/response/trailers/0/1",
        ]
    );
    let all = parsed(&render_with(exchange, Redact::None, None));
    assert_eq!(all["recorder"]["redacted"].to_string(), "[]");
    assert!(all["request"]["url"].as_str().unwrap().ends_with("?code=S"));
    assert!(!all.to_string().contains(MARK));
}

#[test]
fn addresses_of_resources() {
    let of = |host: &str, port, named: Option<&str>, target: &str| {
        let mut exchange = exchange(target, b"", b"");
        let connection = Arc::make_mut(&mut exchange.connection);
        connection.host = host.into();
        connection.port = port;
        if let Some(named) = named {
            exchange.request.head.fields.push(b"Host", named.as_bytes());
        }
        url(&exchange)
    };
    assert_eq!(of("a.b", 443, None, "/x?y"), "https://a.b/x?y");
    assert_eq!(of("a.b", 443, Some("c.d"), "/x?y"), "https://c.d/x?y");
    assert_eq!(of("a.b", 8443, Some("a.b:8443"), "/"), "https://a.b:8443/");
    assert_eq!(of("192.0.2.1", 443, Some("c.d"), "/"), "https://c.d/");
    assert_eq!(of("192.0.2.1", 443, None, "/"), "https://192.0.2.1/");
    assert_eq!(of("2001:db8::1", 443, None, "/"), "https://[2001:db8::1]/");
    assert_eq!(of("x", 444, Some("[2001:db8::1]:444"), "/"), "https://[2001:db8::1]:444/");
    assert_eq!(of("a.b", 443, Some("me:secret@a.b:443"), "/"), "https://a.b/");
    assert_eq!(of("a.b", 443, None, "*"), "https://a.b/*");
    assert_eq!(of("a.b", 443, None, "http://x.y/z"), "http://x.y/z");
    assert_eq!(of("a.b", 443, None, "/r?u=http://x.y/z"), "https://a.b/r?u=http://x.y/z");
}

#[test]
fn times_of_no_response_at_all() {
    let mut exchange = exchange("/", b"", b"");
    exchange.timings = crate::exchange::Timings::default();
    exchange.chunks_omitted = 3;
    exchange.chunks.push(crate::exchange::Chunk { at: Duration::from_nanos(1_234_567), bytes: 2 });
    let text = render(exchange);
    assert!(text.contains("\"proxy-time-consumed\": \"0.0ms\""));
    assert!(text.contains("\"chunks\": [[180.0, 0], [1.235, 2]],\n        \"chunks_omitted\": 3,"), "{text}");
}
