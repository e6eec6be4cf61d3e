//! What the HAR writer gives, byte for byte; the shapes of records are in `tests/har.rs`, before an independent reader.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::testing;
use super::*;
use crate::archive::{Body, SocketMessage};

fn document(records: &[Record]) -> String {
    let mut writer = Writer::new(Vec::new()).unwrap();
    for record in records {
        writer.add(record).unwrap();
    }
    String::from_utf8(writer.finish().unwrap()).unwrap()
}

fn entries(records: &[Record]) -> Vec<Value> {
    let document: Value = serde_json::from_str(&document(records)).unwrap();
    document["log"]["entries"].as_array().unwrap().clone()
}

#[test]
fn an_empty_document_is_whole() {
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        document(&[]),
        format!(
            "{{\"log\":{{\"version\":\"1.2\",\"creator\":{{\"name\":\"copilot-recorder\",\"version\":\"{version}\"}},\
             \"entries\":[\n]}}}}\n"
        )
    );
}

#[test]
fn an_entry_is_exact() {
    let expected = json!({
        "startedDateTime": "2024-12-08T13:05:57.639Z",
        "time": 419.4,
        "request": {
            "method": "POST",
            "url": "https://proxy.example.com/v1/engines/gpt-41-copilot/completions?a=1&b",
            "httpVersion": "HTTP/2",
            "cookies": [],
            "headers": [
                { "name": "Content-Type", "value": "application/json" },
                { "name": "Editor-Version", "value": "vscode/1.95.3" },
            ],
            "queryString": [{ "name": "a", "value": "1" }, { "name": "b", "value": "" }],
            "postData": { "mimeType": "application/json", "text": testing::PROMPT },
            "headersSize": -1,
            "bodySize": testing::PROMPT.len(),
        },
        "response": {
            "status": 200,
            "statusText": "OK",
            "httpVersion": "HTTP/2",
            "cookies": [],
            "headers": [{ "name": "content-type", "value": "text/event-stream" }],
            "content": { "size": testing::EVENTS.len(), "mimeType": "text/event-stream", "text": testing::EVENTS },
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": testing::EVENTS.len(),
        },
        "cache": {},
        "timings": {
            "blocked": -1.0, "dns": -1.0, "connect": 37.0, "ssl": 24.9, "send": 1.3, "wait": 209.0, "receive": 172.1,
        },
        "connection": "01890000-0000-7000-8000-0000000000c1",
        "_id": "01890000-0000-7000-8000-000000000001",
        "_kind": "completions",
        "_user": "alice",
        "_complete": true,
    });
    assert_eq!(entries(&[testing::record()])[0], expected);
    let text = document(&[testing::record(), testing::record()]);
    assert_eq!(text.lines().count(), 4, "an entry a line");
    assert_eq!(text.lines().nth(1).unwrap(), expected.to_string() + ",");
}

#[test]
fn a_tunnel_is_opened_once() {
    let other = Record { connection: Some("01890000-0000-7000-8000-0000000000c2".into()), ..testing::record() };
    let none = Record { connection: None, ..testing::record() };
    let connects: Vec<f64> = entries(&[testing::record(), other.clone(), testing::record(), other, none])
        .iter()
        .map(|entry| entry["timings"]["connect"].as_f64().unwrap())
        .collect();
    assert_eq!(connects, [37.0, 37.0, -1.0, -1.0, -1.0]);
}

#[test]
fn without_a_response() {
    let record = Record {
        status: None,
        response_headers: Vec::new(),
        response_body: Body::default(),
        complete: Some(false),
        aborted_by: Some(crate::archive::AbortedBy::Client),
        problem: Some("why".into()),
        ..testing::record()
    };
    let entry = &entries(&[record])[0];
    assert_eq!(
        entry["response"],
        json!({
            "status": 0, "statusText": "", "httpVersion": "unknown", "cookies": [], "headers": [],
            "content": { "size": 0, "mimeType": "x-unknown" }, "redirectURL": "", "headersSize": -1, "bodySize": -1,
        })
    );
    assert_eq!((&entry["_complete"], &entry["_abortedBy"]), (&json!(false), &json!("client")));
    assert_eq!(entry["_problem"], "why");
    assert_eq!(entry["request"]["bodySize"], -1, "nobody saw its end");
}

#[test]
fn bytes_are_base64_and_their_size_is_the_bodys() {
    let bytes = Body { text: "\u{fffd}".into(), bytes: Some(vec![0xff, 0, 1]), size: 3, ..Body::default() };
    let coded = Body { coded: true, ..bytes.clone() };
    let record = Record { request_body: bytes, response_body: coded, ..testing::record() };
    let entry = &entries(&[record])[0];
    assert_eq!(
        entry["request"]["postData"],
        json!({ "mimeType": "application/json", "text": "/wAB", "_encoding": "base64" })
    );
    assert_eq!(entry["request"]["bodySize"], 3);
    assert_eq!(
        entry["response"]["content"],
        json!({ "size": 3, "mimeType": "text/event-stream", "text": "/wAB", "encoding": "base64" })
    );
    assert_eq!(entry["response"]["bodySize"], -1, "its size on the wire was another");
}

#[test]
fn the_size_on_the_wire_is_told_where_it_is_known() {
    let sizes = |record: Record| {
        let entry = entries(&[record]).remove(0);
        [entry["request"]["bodySize"].as_i64().unwrap(), entry["response"]["bodySize"].as_i64().unwrap()]
    };
    let whole = testing::record();
    let [request, response] = sizes(whole.clone());
    assert!(request > 0 && response > 0);
    let cut = Body { truncated: true, ..whole.request_body.clone() };
    assert_eq!(sizes(Record { request_body: cut, ..whole.clone() }), [-1, response]);
    assert_eq!(
        sizes(Record { messages: Some(Vec::new()), ..whole.clone() }),
        [-1, -1],
        "bodies of messages are joined"
    );
    assert_eq!(sizes(Record { complete: None, ..whole }), [-1, -1]);
}

#[test]
fn hostile_messages_of_a_websocket() {
    let message = |at, bytes, kind: &str| SocketMessage { from_client: true, at, bytes, kind: kind.into() };
    let record = Record {
        request_body: testing::body("ab\ncd"),
        messages: Some(vec![message(-1e300, 2, "text"), message(1.0, 2, "pong"), message(1e300, 2, "text")]),
        ..testing::record()
    };
    let entry = &entries(std::slice::from_ref(&record))[0];
    let got: Vec<_> = entry["_webSocketMessages"].as_array().unwrap().iter().collect();
    let data: Vec<_> = got.iter().map(|message| message["data"].as_str().unwrap()).collect();
    assert_eq!(data, ["ab", "", "cd"], "what a pong says that it carries is in no body");
    let began = record.began as f64 / 1e6;
    let times: Vec<_> = got.iter().map(|message| message["time"].as_f64().unwrap() - began).collect();
    assert!(times[0].abs() < 0.01 && (times[2] - 1e9).abs() < 0.01, "{times:?}");
}

#[test]
fn messages_of_a_websocket() {
    let message = |from_client, at, bytes, kind: &str| SocketMessage { from_client, at, bytes, kind: kind.into() };
    let record = Record {
        status: Some(101),
        request_body: testing::body("{\"a\":1}\n{\"b\":\n2}"),
        response_body: Body { bytes: Some(b"r\xc3\xa9\n\xff\x00\n\n\n\nlast".to_vec()), size: 14, ..Body::default() },
        messages: Some(vec![
            message(true, 1.5, 7, "text"),
            message(false, 2.0, 3, "text"),
            message(true, 3.0, 8, "text"),
            message(false, 4.0, 2, "binary"),
            message(false, 4.5, 0, "text"),
            message(false, 5.0, 0, "ping"),
            message(false, 5.5, 1, "text"),
            message(false, 6.0, 99, "text"),
            message(false, 6.5, 1, "text"),
            message(true, 7.0, u64::MAX, "close"),
        ]),
        ..testing::record()
    };
    let entry = &entries(&[record])[0];
    assert_eq!(entry["_resourceType"], "websocket");
    let got: Vec<_> = entry["_webSocketMessages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| (m["type"].as_str().unwrap(), m["opcode"].as_u64().unwrap(), m["data"].as_str().unwrap()))
        .collect();
    let expected = [
        ("send", 1, "{\"a\":1}"),
        ("receive", 1, "r\u{e9}"),
        ("send", 1, "{\"b\":\n2}"),
        ("receive", 2, "/wA="),
        ("receive", 1, ""),
        ("receive", 9, ""),
        ("receive", 1, "\n"),
        ("receive", 1, "last"),
        ("receive", 1, ""),
        ("send", 8, ""),
    ];
    assert_eq!(got, expected);
    assert_eq!(entry["_webSocketMessages"][0]["time"], 1_733_663_157.641_393);
}

#[test]
fn older_records_and_odd_statuses() {
    let record = Record {
        form: crate::archive::Form::Older,
        url: "<bad url>".into(),
        status: Some(999),
        response_headers: vec![("LOCATION".into(), "https://b.example/".into())],
        complete: None,
        connection: None,
        http_version: None,
        user: None,
        timings: crate::archive::Timings { last_byte: Some(188.35), ..Default::default() },
        ..testing::record()
    };
    let entry = &entries(&[record])[0];
    assert_eq!(entry["time"], 188.35);
    assert_eq!(entry["request"]["url"], "unknown:%3Cbad%20url%3E");
    assert_eq!(entry["request"]["httpVersion"], "unknown");
    assert_eq!((&entry["response"]["status"], &entry["response"]["statusText"]), (&json!(999), &json!("")));
    assert_eq!(entry["response"]["redirectURL"], "https://b.example/");
    assert_eq!(entry["response"]["content"]["mimeType"], "x-unknown");
    for absent in ["connection", "_user", "_complete", "_abortedBy", "_problem", "_webSocketMessages"] {
        assert!(entry.get(absent).is_none(), "{absent}");
    }
}

fn any_body() -> impl Strategy<Value = Body> {
    prop_oneof![
        any::<String>().prop_map(|text| testing::body(&text)),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| Body {
            text: String::from_utf8_lossy(&bytes).into_owned(),
            size: bytes.len() as u64,
            bytes: Some(bytes),
            ..Body::default()
        }),
    ]
}

proptest! {
    /// Whatever a client or a server sent: one valid document, the same texts, and messages that end where bodies do.
    #[test]
    fn whatever_is_recorded_reads_back(
        texts in prop::collection::vec(any::<String>(), 5),
        bodies in (any_body(), any_body()),
        lengths in prop::collection::vec((any::<bool>(), 0..30_u64), 0..6),
        times in prop::collection::vec(prop::option::of(any::<f64>()), 5),
        began in any::<i64>(),
    ) {
        let messages = lengths.iter().map(|(from_client, bytes)| SocketMessage {
            from_client: *from_client, at: times[0].unwrap_or(0.0), bytes: *bytes, kind: "text".into(),
        });
        let record = Record {
            url: texts[0].clone(),
            method: texts[1].clone(),
            request_headers: vec![(texts[2].clone(), texts[3].clone())],
            user: Some(texts[4].clone()),
            request_body: bodies.0.clone(),
            response_body: bodies.1.clone(),
            messages: Some(messages.collect()),
            timings: crate::archive::Timings {
                connect: times[0], tls: times[1], request_end: times[2], first_byte: times[3], last_byte: times[4],
            },
            began,
            ..testing::record()
        };
        let entry = &entries(&[record])[0];
        prop_assert_eq!(&entry["request"]["method"], &texts[1]);
        prop_assert_eq!(&entry["request"]["headers"][0], &json!({ "name": texts[2], "value": texts[3] }));
        prop_assert_eq!(&entry["_user"], &texts[4]);
        for (body, text) in
            [(&bodies.0, &entry["request"]["postData"]["text"]), (&bodies.1, &entry["response"]["content"]["text"])]
        {
            let expected = body.bytes.as_ref().map_or_else(|| body.text.clone(), |bytes| STANDARD.encode(bytes));
            prop_assert_eq!(text.as_str().unwrap_or_default(), expected);
        }
        for name in ["send", "wait", "receive"] {
            let ms = entry["timings"][name].as_f64();
            prop_assert!(ms.is_some_and(|ms| ms >= 0.0), "{} is {:?}", name, ms);
        }
        prop_assert!(entry["time"].is_number());
        let messages = entry["_webSocketMessages"].as_array().unwrap();
        prop_assert_eq!(messages.len(), lengths.len());
        prop_assert!(messages.iter().all(|message| message["time"].is_number()));
    }
}
