//! What a curious colleague tries who may see some of it: ids of somebody else's, questions that count, the hosts at the
//! door. The pages are asked as they are served.

#![allow(clippy::unwrap_used)]

mod support;

use std::fs;

use serde_json::{Value, json};
use support::page::{Page, Visitor};
use support::program::Folder;

const PASSWORD: &str = "correct horse";
const PEOPLE: [(&str, &str); 5] =
    [("ann", "self"), ("eve", "self"), ("rita", "reviewer"), ("stan", "statistics"), ("carla", "statistics,self")];

fn id(number: usize) -> String {
    format!("0193a6d1-4f2b-7000-8000-{number:012}")
}

fn record(number: usize, user: &str, kind: &str, request: &Value, response: &Value) -> Value {
    json!({
        "proxy-authorization": user, "timestamp": format!("2024-12-08T13:05:{number:02}.331449"),
        "proxy-time-consumed": "382.4ms",
        "request": {"url": "https://api.githubcopilot.com/v1/x", "method": "POST", "content": request.to_string(),
            "headers": {"X-Request-Id": "shared-request", "VScode-SessionId": "shared-session",
                "X-Interaction-Id": "shared-interaction"}},
        "response": {"status_code": 200, "headers": {}, "content": response.to_string()},
        "recorder": {"schema": 1, "id": id(number), "kind": kind, "rule": kind, "complete": true, "aborted_by": null,
            "client": "192.0.2.7:5", "chunks": [], "timings": {"request_end": 1, "first_byte": 200, "last_byte": 382.4}},
    })
}

/// Ann's answer, what goes on from it, and what her telemetry says of it; and Eve's, who names Ann's ids.
fn records() -> Vec<Value> {
    let asked = |previous: Option<&str>, text: &str| json!({"model": "m-1", "previous_response_id": previous, "input": [{"role": "user", "content": text}]});
    let answered = |id: &str| {
        json!({"id": id, "object": "response", "model": "m-1", "status": "completed",
        "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "said"}]}]})
    };
    let batch = json!([{"time": "2024-12-08T13:06:01.000Z", "iKey": "x", "data": {"baseType": "EventData",
        "baseData": {"name": "copilot/ghostText.accepted", "measurements": {},
            "properties": {"headerRequestId": "shared-request", "reason": "annsreason"}}}}]);
    vec![
        record(0, "ann", "chat", &asked(None, "needle of ann"), &answered("resp_1")),
        record(1, "ann", "chat", &asked(Some("resp_1"), "more of ann"), &answered("resp_2")),
        record(2, "ann", "telemetry", &batch, &json!({})),
        record(3, "eve", "chat", &asked(Some("resp_1"), "needle of eve"), &answered("resp_1")),
    ]
}

fn door_book() -> Value {
    let entry = |what: &str, host: &str| {
        json!({"what": what, "host": host, "detail": "reason.example", "count": 3,
            "first": 1_733_662_800_000_000_i64, "last": 1_733_662_900_000_000_i64})
    };
    let of = |user: &str| {
        let host = format!("{user}.clinic.example");
        let entries = ["opened", "opaque", "refused", "unreachable"].map(|what| entry(what, &host));
        json!({"user": user, "client": "192.0.2.7", "entries": entries})
    };
    json!({"form": 1, "begun": 1_733_662_800_000_000_i64, "as_of": 1_733_662_900_000_000_i64, "dropped": 0,
        "pairs": [of("ann"), of("eve"), of("carla")], "errors": []})
}

fn page() -> Page {
    let folder = Folder::new();
    fs::create_dir_all(folder.path("logs/chat")).unwrap();
    for (number, record) in records().iter().enumerate() {
        folder.write(&format!("logs/chat/{number}.json"), &record.to_string());
    }
    folder.write("logs/.door.json", &door_book().to_string());
    for (name, roles) in PEOPLE {
        folder.run_with(&["users", "add", name, "--role", roles, "--password-stdin"], PASSWORD).succeeds();
    }
    Page::start(folder, &["--web-login"])
}

/// An answer, also where something is still being counted.
fn get(visitor: &mut Visitor<'_>, address: &str) -> String {
    let answer = support::at_last(address, || Some(visitor.get(address)).filter(|answer| answer.status != 503));
    assert_eq!(answer.status, 200, "{address}: {}", answer.text());
    answer.text()
}

#[test]
fn ids_of_others_lead_to_nothing_of_theirs() {
    let page = page();
    let mut rita = page.logged_in("rita", PASSWORD);
    let whole = get(&mut rita, &format!("/api/v1/exchanges/{}", id(3)));
    assert!(whole.contains("annsreason") && whole.contains(&id(1)), "what there is to be found: {whole}");
    let mut eve = page.logged_in("eve", PASSWORD);
    for address in [
        format!("/exchanges/{}", id(3)),
        format!("/exchanges/{}?text=needle", id(3)),
        format!("/exchanges/{}/diff", id(3)),
        format!("/conversations/{}", id(3)),
        format!("/api/v1/exchanges/{}", id(3)),
        format!("/api/v1/exchanges/{}/events", id(3)),
        format!("/api/v1/conversations/{}", id(3)),
        "/exchanges".to_owned(),
        "/exchanges?text=needle".to_owned(),
        "/exchanges?text=more".to_owned(),
        "/api/v1/exchanges?count=1".to_owned(),
        "/live".to_owned(),
        "/figures".to_owned(),
        "/coverage?span=all".to_owned(),
        "/api/v1/coverage?span=all".to_owned(),
    ] {
        let text = get(&mut eve, &address);
        for of_ann in ["annsreason", "ann.clinic", "needle of ann", "more of ann", "&quot;ann&quot;", "\"ann\""] {
            assert!(!text.contains(of_ann), "{address} has {of_ann}: {text}");
        }
        for number in 0..3 {
            assert!(!text.contains(&id(number)), "{address} has the record {number}: {text}");
        }
    }
}

/// The lines of the audit log, as what is shown and ids.
fn looks(page: &Page) -> Vec<(String, Vec<String>)> {
    let Ok(files) = fs::read_dir(page.folder.path("logs/audit")) else { return Vec::new() };
    let texts = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect::<String>();
    let lines = texts.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .map(|line| (line["what"].as_str().unwrap().into(), serde_json::from_value(line["ids"].clone()).unwrap()))
        .collect()
}

#[test]
fn a_word_that_is_searched_for_is_a_look_whatever_is_shown_of_it() {
    let page = page();
    let mut rita = page.logged_in("rita", PASSWORD);
    get(&mut rita, "/exchanges");
    assert_eq!(looks(&page), []);
    let mut expected = Vec::new();
    let mut look = |address: &str, lines: &[(&str, &[usize])]| {
        get(&mut rita, address);
        let ids = |numbers: &[usize]| numbers.iter().map(|number| id(*number)).collect::<Vec<_>>();
        expected.extend(lines.iter().map(|(what, numbers)| ((*what).to_owned(), ids(numbers))));
        assert_eq!(looks(&page), expected, "{address}");
    };
    look("/api/v1/exchanges?text=needle&user=ann", &[("search", &[0])]);
    look("/api/v1/exchanges?text=needle&user=ann&context=1", &[("search", &[0])]);
    // Behind the last of them nothing is listed, and they are counted all the same.
    let behind = format!("1000000000000000-{}", id(0).replace('-', ""));
    look(&format!("/api/v1/exchanges?text=needle&user=ann&count=1&after={behind}"), &[("search", &[0])]);
    look("/exchanges?text=needle&user=ann", &[("search", &[0])]);
    // The steps to those beside it lead to records with the word.
    look(&format!("/exchanges/{}?text=needle", id(3)), &[("exchange", &[3]), ("search", &[0])]);
    // The file is gone, and the index has its words for a while: there is a row, and nothing to show around the word.
    fs::write(page.folder.path("logs/chat/0.json"), "{").unwrap();
    let found = rita.get("/exchanges?text=needle&user=ann").text();
    assert_eq!(looks(&page).len() > expected.len(), found.contains(&id(0)), "{found}");
}

#[test]
fn who_sees_pseudonyms_is_not_told_where_people_go() {
    let page = page();
    let hosts = |name: &str, address: &str| {
        let text = get(&mut page.logged_in(name, PASSWORD), address);
        let people = ["ann", "eve", "carla"].into_iter();
        people.filter(|who| text.contains(&format!("{who}.clinic.example"))).collect::<Vec<_>>()
    };
    for address in ["/coverage?span=all", "/api/v1/coverage?span=all"] {
        assert_eq!(hosts("rita", address), ["ann", "eve", "carla"], "{address}");
        assert_eq!(hosts("stan", address), Vec::<&str>::new(), "{address}");
        assert_eq!(hosts("carla", address), ["carla"], "{address}");
        assert_eq!(hosts("ann", address), ["ann"], "{address}");
        let text = get(&mut page.logged_in("stan", PASSWORD), address);
        assert!(!text.contains("192.0.2.7") && !text.contains("reason.example"), "{text}");
    }
}
