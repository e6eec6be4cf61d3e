use super::*;
use crate::archive::{Form, Timings};
use crate::index::testing::row;
use crate::rules::Kind;

fn record(asked: &str, answered: &str, headers: &[(&str, &str)]) -> Record {
    let body = |text: &str| Body { text: text.into(), size: text.len() as u64, ..Body::default() };
    let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Record {
        form: Form::Recorder,
        id: uuid::Uuid::nil(),
        kind: Kind::Chat,
        rule: "chat".into(),
        user: None,
        began: 0,
        url: "https://a.example/chat/completions".into(),
        method: "POST".into(),
        request_headers: headers.clone(),
        request_body: body(asked),
        status: Some(200),
        response_headers: headers,
        response_body: body(answered),
        complete: None,
        aborted_by: None,
        problem: None,
        client: None,
        connection: None,
        http_version: None,
        timings: Timings::default(),
        chunks: Vec::new(),
        messages: None,
    }
}

fn change(name: &str, old: Option<&str>, new: Option<&str>) -> Change {
    Change { name: name.into(), old: old.map(str::to_owned), new: new.map(str::to_owned) }
}

#[test]
fn fields_that_differ_are_named_and_others_are_not() {
    let old = row();
    let new = Row {
        id: "other".into(),
        began: old.began + 1_000_000,
        status: None,
        model: Some("m-2".into()),
        tokens_out: Some(5),
        speculative: true,
        ..row()
    };
    let record = record("{}", "", &[]);
    let found = Difference::of((&old, &record), (&new, &record)).fields;
    assert_eq!(
        found,
        [
            change("began", Some("2024-12-08T13:05:57.639Z"), Some("2024-12-08T13:05:58.639Z")),
            change("status", Some("200"), None),
            change("speculative", Some("false"), Some("true")),
            change("model", Some("gpt-41-copilot"), Some("m-2")),
            change("tokens_out", None, Some("5")),
        ]
    );
}

#[test]
fn headers_are_compared_by_name_without_regard_to_case() {
    let old = record("{}", "", &[("A", "1"), ("b", "1"), ("B", "2"), ("Same", "x")]);
    let new = record("{}", "", &[("a", "2"), ("same", "x"), ("B", "1"), ("c", "")]);
    let found = Difference::of((&row(), &old), (&row(), &new));
    let wanted = [change("a", Some("1"), Some("2")), change("b", Some("1, 2"), Some("1")), change("c", None, Some(""))];
    assert_eq!(found.request_headers, wanted);
    assert_eq!(found.response_headers, wanted);
}

#[test]
fn parts_stand_on_lines_that_say_what_they_are() {
    let asked = r#"{"messages":[{"role":"system","content":"Be kind."},{"role":"user","content":"Hi\n"},
        {"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"read","arguments":"{\"a\":1}"}}]},
        {"role":"tool","tool_call_id":"c","content":"x"}],"tools":[{"type":"function","function":{"name":"read"}}]}"#;
    let answered = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hello\"}}]}\n\ndata: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let record = record(asked, answered, &[]);
    let found = Difference::of((&row(), &record), (&row(), &record));
    assert_eq!(
        found.prompts[0],
        "── system\nBe kind.\n── user\nHi\n── call of read\n{\n  \"a\": 1\n}\n── result of a tool\nx\n── tools offered\nread\n"
    );
    assert_eq!(found.answers[1], "── answer\nHello\n── answer: ended\nstop\n");
    assert_eq!(found.fields, []);
}

#[test]
fn bodies_that_are_no_prompt_are_compared_as_they_are() {
    let mut old = record("plain", "", &[]);
    old.response_body.bytes = Some(vec![0xff; 3]);
    let new = record("", "x", &[]);
    let found = Difference::of((&row(), &old), (&row(), &new));
    assert_eq!(found.prompts, ["plain".to_owned(), String::new()]);
    assert_eq!(found.answers[0], "(3 bytes that are no text)\n");
}
