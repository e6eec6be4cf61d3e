use chrono::FixedOffset;
use proptest::prelude::*;

use super::super::testing::row;
use super::*;
use crate::archive::{Form, Record, SocketMessage, Timings};
use crate::copilot::answer::{Answer, Choice, Ending, Failure, Faults, Format, ToolCall, Usage};
use crate::copilot::prompt::{Part, Prompt, Turn};
use crate::copilot::telemetry;
use crate::exchange::AbortedBy;
use crate::index::EventRow;
use crate::rules::Kind;

fn body(text: &str) -> Body {
    Body { text: text.into(), size: text.len() as u64, ..Body::default() }
}

fn record() -> Record {
    Record {
        form: Form::Recorder,
        id: uuid::Uuid::nil(),
        kind: Kind::Completions,
        rule: "completions".into(),
        user: Some("alice".into()),
        began: 1_795_165_205_250_000,
        url: "https://proxy.example.com/v1/engines/x/completions".into(),
        method: "POST".into(),
        request_headers: vec![("Editor-Version".into(), "vscode/1.95.3".into())],
        request_body: body("{}"),
        status: Some(200),
        response_headers: vec![("Content-Type".into(), "text/event-stream".into()), ("X".into(), "y".into())],
        response_body: body("data: {}"),
        complete: Some(true),
        aborted_by: None,
        problem: None,
        client: Some("127.0.0.1:5".into()),
        connection: None,
        http_version: Some("HTTP/2".into()),
        timings: Timings {
            connect: Some(40.0),
            tls: Some(60.0),
            request_end: Some(10.0),
            first_byte: Some(200.0),
            last_byte: Some(300.0),
        },
        chunks: Vec::new(),
        messages: None,
    }
}

fn ghost() -> Prompt {
    Prompt {
        format: Some(Format::Completions),
        repository: Some("octo/demo".into()),
        prefix: Some("// Path: src/add.py\ndef add(a, b):\n    return ".into()),
        suffix: Some("\n\nadd(1, 2)\n".into()),
        ..Prompt::default()
    }
}

fn answered(text: &str) -> Answer {
    Answer {
        format: Format::Completions,
        streamed: true,
        id: Some("cmpl-1".into()),
        model: Some("m-1".into()),
        choices: vec![Choice { text: text.into(), finish_reason: Some("stop".into()), ..Choice::default() }],
        usage: Some(Usage::default()),
        ending: Ending::Complete,
        error: None,
        faults: Faults::default(),
        first_token_end: None,
    }
}

fn event(name: &str, after: i64) -> EventRow {
    EventRow {
        record: "r".into(),
        ordinal: 0,
        unique_id: None,
        time: 1_795_165_205_250_000 + after,
        name: name.into(),
        enhanced: false,
        user: None,
        tid: None,
        request_id: Some("req-1".into()),
        choice: Some(0),
        completion: None,
        opportunity: None,
        language: None,
        editor: None,
        model: None,
        reason: None,
        chars: None,
        lines: None,
        timeout: None,
        still: None,
        produce_ms: None,
        total_ms: None,
        shown: None,
        acceptance: None,
    }
}

fn subject() -> Subject {
    Subject {
        row: Row { first_token_ms: Some(250.0), ..row("019e5a10") },
        record: record(),
        prompt: Some(ghost()),
        answer: Some(answered("a + b")),
        events: vec![
            EventRow { chars: Some(5), lines: Some(1), ..event("ghostText.shown", 400_000) },
            EventRow { timeout: Some(300), still: Some(false), ..event("ghostText.stillInCode", 301_000_000) },
        ],
        batch: None,
        previous: None,
        next: Vec::new(),
    }
}

fn conversation() -> Subject {
    let turn = |role: &str, parts| Turn { role: role.into(), parts };
    let text = |text: &str| Part::Text { text: text.into() };
    let prompt = Prompt {
        format: Some(Format::Chat),
        turns: vec![
            turn("system", vec![text(&"rule\n".repeat(20))]),
            turn("user", vec![text("Fix it."), Part::Other { kind: "image_url".into() }]),
            turn(
                "assistant",
                vec![Part::ToolCall { id: "call_1".into(), name: "read".into(), arguments: "{}".into() }],
            ),
            turn("tool", vec![Part::ToolResult { id: "call_1".into(), text: "line 1\nline 2".into() }]),
        ],
        tools: vec!["read".into(), "write".into()],
        ..Prompt::default()
    };
    let answer = Answer {
        format: Format::Chat,
        choices: vec![
            Choice {
                reasoning: "Hm.".into(),
                text: "Done.".into(),
                tool_calls: vec![ToolCall { id: "call_2".into(), name: "write".into(), arguments: "{\"a\":1".into() }],
                ..Choice::default()
            },
            Choice { index: 1, finish_reason: Some("length".into()), ..Choice::default() },
        ],
        ending: Ending::Failed,
        error: Some(Failure { code: Some("rate_limited".into()), message: "Slow down.".into() }),
        faults: Faults { unreadable: 2, repeated: 1, ..Faults::default() },
        ..answered("")
    };
    let row = Row { kind: Kind::Chat, aborted_by: Some(AbortedBy::Client), ..row("019e5a10") };
    Subject { row, prompt: Some(prompt), answer: Some(answer), events: Vec::new(), ..subject() }
}

fn drawn(subject: &Subject, detail: Detail) -> String {
    let look = Look { zone: FixedOffset::east_opt(3600), ..Look::default() };
    page::page(subject, "logs/completions/019e5a10.json", detail, &look)
}

#[test]
fn a_completion_for_a_person() {
    assert_eq!(
        drawn(&subject(), Detail::default()),
        "\
completions  200
id         019e5a10
file       logs/completions/019e5a10.json
time       2026-11-20 10:00:05.250 +01:00
user       alice
client     127.0.0.1, vscode/1.95.3, copilot/1.2
request    POST https://proxy.example.com/v1/engines/x/completions
protocol   HTTP/2
model      m-1
language   python
sizes      request 2 B, response 8 B
tokens     in 1,200 (cached 1,000), out 20

Timing
  tunnel: connect   ████                                      40 ms
  tunnel: TLS           ██████                                60 ms
  request                     █                               10 ms
  first byte                   ███████████████████            200 ms
  first token                                     █████       250 ms
  last byte                                            █████  300 ms
  server                                                      150 ms, by its own clock

Prompt (ghost text, repository octo/demo)
  │ // Path: src/add.py
  │ def add(a, b):
  │     return ▮
  │
  │ add(1, 2)
  (▮ is the cursor)

Answer (ghost text, streamed, complete)
ended: stop
  │ a + b

What became of it
     +0.4 s  ghostText.shown               choice 0, 5 characters, 1 lines
     +5 min  ghostText.stillInCode         choice 0, after 300 s, no longer in the code

Headers: 1 of the request, 2 of the response; --headers shows them.
"
    );
}

#[test]
fn a_conversation_for_a_person() {
    let page = drawn(&conversation(), Detail::default());
    let from = page.find("Prompt").unwrap();
    assert!(page.starts_with("chat  200  cancelled\n"), "{page}");
    assert_eq!(
        page[from..],
        *"\
Prompt (chat completions)
[1] system
  │ rule
  │ rule
  │ rule
  │ rule
  │ rule
  │ rule
  │ rule
  │ rule
  │ … 8 lines …
  │ rule
  │ rule
  │ rule
  │ rule
[2] user
  │ Fix it.
  (image_url)
[3] assistant
  ▸ call of read (call_1)
  │ {}
[4] tool
  ◂ result of call_1
  │ line 1
  │ line 2
2 tools offered: read, write

Answer (chat completions, streamed, ended by an error)
choice 0, no end was seen
  reasoning
  ┊ Hm.
  │ Done.
  ▸ call of write (call_2)
  │ {\"a\":1
choice 1, ended: length
  no text
  error: rate_limited: Slow down.
  odd: of the events 2 could not be read, 1 came again

What became of it
  unknown: no telemetry speaks of it

Headers: 1 of the request, 2 of the response; --headers shows them.

Shortened; --full shows all.
"
    );
    let full = drawn(&conversation(), Detail { full: true, headers: true });
    assert_eq!(full.matches("  │ rule\n").count(), 20);
    assert!(full.contains("Response headers\n  Content-Type: text/event-stream\n  X: y\n"), "{full}");
    assert!(!full.contains("Shortened"), "{full}");
}

#[test]
fn what_it_goes_on_from() {
    let known = Subject { previous: Some(row("019e5a09")), ..subject() };
    assert!(drawn(&known, Detail::default()).contains("\ngoes on    from 019e5a09\n"));
    let gone = Subject { row: Row { previous_response_id: Some("resp_1".into()), ..row("x") }, ..subject() };
    assert!(drawn(&gone, Detail::default()).contains("\ngoes on    from answer resp_1, which is not among"));
    let both = Subject { next: vec![row("019e5a11"), row("019e5a12")], ..known };
    let chain = "\ngoes on    from 019e5a09\ngoes on    in 019e5a11\ngoes on    in 019e5a12\n";
    assert!(drawn(&both, Detail::default()).contains(chain));
}

#[test]
fn the_interaction_type_is_shown_where_it_says_more_than_the_intent() {
    let with = |intent: &str, kind: &str| {
        let mut subject = subject();
        subject.row.intent = Some(intent.into());
        subject.record.request_headers.push(("X-Interaction-Type".into(), kind.into()));
        drawn(&subject, Detail::default())
    };
    let page = with("conversation-agent", "conversation-subagent");
    assert!(page.contains("conversation-agent, conversation-subagent"), "{page}");
    let page = with("conversation-panel", "conversation-panel");
    assert_eq!(page.matches("conversation-panel").count(), 1, "{page}");
}

#[test]
fn bodies_that_are_no_prompt_and_no_answer() {
    let mut subject = Subject { prompt: None, answer: None, events: Vec::new(), ..subject() };
    subject.record.request_body = body("");
    subject.record.response_body = Body { bytes: Some(vec![0xff]), size: 1, ..body("\u{fffd}") };
    let page = drawn(&subject, Detail::default());
    assert!(page.contains("\nRequest body (0 B)\n  empty\n"), "{page}");
    assert!(page.contains("\nResponse body (1 B)\n  not text; --raw writes its bytes\n"), "{page}");
    subject.row.status = None;
    assert!(drawn(&subject, Detail::default()).contains("\nAnswer\n  no response came\n"));
}

#[test]
fn a_telemetry_record_lists_its_events() {
    let event = telemetry::Event {
        time: Some(1_795_165_206_000_000),
        key: telemetry::Key::Enhanced,
        full_name: "copilot/ghostText.shown".into(),
        name: "ghostText.shown".into(),
        tid: None,
        properties: [("headerRequestId".into(), "req-1".into()), ("x\x1b".into(), "\u{9b}y".into())].into(),
        measurements: [("compCharLen".into(), 5.0)].into(),
        exception: false,
    };
    let batch = telemetry::Batch { events: vec![event], unreadable: 1 };
    let subject = Subject { row: Row { kind: Kind::Telemetry, ..row("x") }, batch: Some(batch), ..subject() };
    let page = drawn(&subject, Detail::default());
    assert!(
        page.contains(
            "\nEvents (1)\n  10:00:06.000  copilot/ghostText.shown  enhanced\n      headerRequestId=req-1\n  1 more could \
             not be read\n"
        ),
        "{page}"
    );
    let full = drawn(&subject, Detail { full: true, headers: false });
    assert!(full.contains("      x\\u{1b} = \\u{9b}y\n      compCharLen = 5\n"), "{full}");
}

#[test]
fn web_socket_messages_are_counted_and_shortened() {
    let message = SocketMessage { from_client: true, at: 12.0, bytes: 5, kind: "text".into() };
    let mut subject = subject();
    subject.record.messages = Some(vec![message; 25]);
    let page = drawn(&subject, Detail::default());
    assert!(page.contains("\nWebSocket messages (25)\n  ↑     12 ms  text    5 B\n"), "{page}");
    assert!(page.contains("  … 5 messages …\n"), "{page}");
}

/// Everything of others in it is this text.
fn hostile(text: &str) -> Subject {
    let some = || Some(text.to_owned());
    let mut subject = conversation();
    subject.row = Row {
        id: text.into(),
        user: some(),
        tid: some(),
        client: some(),
        machine: some(),
        session: some(),
        editor_version: some(),
        plugin: some(),
        error: some(),
        problem: some(),
        intent: some(),
        interaction: some(),
        previous_response_id: some(),
        model: some(),
        model_answered: Some("x".into()),
        language: some(),
        ..subject.row
    };
    subject.record.url = text.into();
    subject.record.method = text.into();
    subject.record.http_version = some();
    subject.record.request_headers = vec![(text.into(), text.into())];
    let mut prompt = ghost();
    prompt.repository = some();
    prompt.prefix = some();
    prompt.suffix = some();
    prompt.tools = vec![text.into()];
    let parts = vec![
        Part::Text { text: text.into() },
        Part::Reasoning { text: text.into() },
        Part::ToolCall { id: text.into(), name: text.into(), arguments: text.into() },
        Part::ToolResult { id: text.into(), text: text.into() },
        Part::Other { kind: text.into() },
    ];
    prompt.turns = vec![Turn { role: text.into(), parts }];
    subject.prompt = Some(prompt);
    if let Some(answer) = &mut subject.answer {
        answer.error = Some(Failure { code: some(), message: text.into() });
        for choice in &mut answer.choices {
            choice.text = text.into();
            choice.reasoning = text.into();
            choice.finish_reason = some();
        }
    }
    subject.events = vec![EventRow { acceptance: some(), reason: some(), ..event(text, 0) }];
    subject.record.messages = Some(vec![SocketMessage { from_client: false, at: 1.0, bytes: 1, kind: text.into() }]);
    subject
}

#[test]
fn nothing_of_others_moves_the_cursor_or_begins_a_line() {
    let page = drawn(&hostile("\x1b[2J\u{9b}31m\u{202e}\rx\nAnswer (forged)"), Detail { headers: true, full: true });
    let clean: String = page.chars().filter(|letter| !"\n\t".contains(*letter)).collect();
    assert_eq!(printable(&clean), clean);
    assert!(page.lines().all(|line| !line.starts_with("Answer (forged")), "{page}");
}

proptest! {
    #[test]
    fn whatever_a_record_says_the_page_is_printable(text in any::<String>(), full in any::<bool>()) {
        let page = drawn(&hostile(&text), Detail { headers: true, full });
        let clean: String = page.chars().filter(|letter| !"\n\t".contains(*letter)).collect();
        prop_assert_eq!(printable(&clean).into_owned(), clean);
    }

    #[test]
    fn whatever_the_times_the_bars_fit(times in proptest::array::uniform5(proptest::option::of(any::<f64>()))) {
        let mut subject = subject();
        let [connect, tls, request_end, first_byte, last_byte] = times;
        subject.record.timings = Timings { connect, tls, request_end, first_byte, last_byte };
        let page = drawn(&subject, Detail::default());
        prop_assert!(page.lines().all(|line| output::width(line) < 120), "{}", page);
    }
}

#[test]
fn json_has_all_of_it_on_one_line() {
    let line = subject().json(b"{\n  \"request\": {\"url\": \"x\"}\n}").unwrap();
    let value: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert!(!line.contains('\n'));
    assert_eq!(value["row"]["id"], "019e5a10");
    assert_eq!(value["prompt"]["repository"], "octo/demo");
    assert_eq!(value["answer"]["choices"][0]["text"], "a + b");
    assert_eq!(value["events"][0]["name"], "ghostText.shown");
    assert_eq!(value["record"]["request"]["url"], "x");
    assert_eq!(value.get("telemetry"), None);
}

#[test]
fn json_of_an_older_file_has_no_credentials() {
    let mut subject = subject();
    subject.record.form = Form::Older;
    subject.record.request_body = body(r#"{"a":1}"#);
    let file = br#"{"proxy-authorization": "alice:hunter2", "request": {"url": "https://a:hunter2@x", "method": "POST",
        "headers": {"Authorization": "hunter2"}, "content": {"a": 1}}, "response": {"headers": {"Set-Cookie": "hunter2"}}}"#;
    let line = subject.json(file).unwrap();
    assert!(!line.contains("hunter2"), "{line}");
    let value: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(value["record"]["proxy-authorization"], "alice");
    assert_eq!(value["record"]["request"]["content"]["a"], 1);
    assert_eq!(value["record"]["request"]["headers"]["Editor-Version"], "vscode/1.95.3");
}

#[test]
fn candidates_are_named() {
    let look = Look { zone: FixedOffset::east_opt(0), ..Look::default() };
    assert_eq!(
        several("019", &[row("0191"), Row { user: None, ..row("0192") }], &look),
        "\"019\" is the beginning of more than one id: 0191 (2026-11-20 09:00:05 completions, alice); 0192 (2026-11-20 \
         09:00:05 completions, -)"
    );
}

#[test]
fn times_after_an_exchange_have_their_unit() {
    let at = |seconds: i64| {
        let events = vec![event("e", seconds * 1_000_000)];
        let text = drawn(&Subject { events, ..subject() }, Detail::default());
        let line = text.lines().find(|line| line.contains("  e  ")).unwrap_or_default().to_owned();
        line.split("  e  ").next().unwrap_or_default().trim().to_owned()
    };
    for (seconds, shown) in [
        (-1, "-1.0 s"),
        (59, "+59.0 s"),
        (60, "+1 min"),
        (7_199, "+119 min"),
        (7_200, "+2 h"),
        (172_799, "+47 h"),
        (172_800, "+2 days"),
    ] {
        assert_eq!(at(seconds), shown);
    }
}

#[test]
fn what_is_odd_or_estimated_is_said_and_what_is_plain_is_not() {
    let mut subject = subject();
    let plain = drawn(&subject, Detail::default());
    assert!(!plain.contains("answered by") && !plain.contains("estimates") && !plain.contains("odd"), "{plain}");
    subject.row.model_answered = subject.row.model.clone();
    assert!(!drawn(&subject, Detail::default()).contains("answered by"));
    subject.row.model_answered = Some("m-2".into());
    let answer = Answer { usage: None, faults: Faults { overflowed: true, ..Faults::default() }, ..answered("a") };
    subject.answer = Some(answer);
    let text = drawn(&subject, Detail::default());
    for said in ["m-1, answered by m-2", "out 20, as the request estimates", "odd: of the events more than is kept"] {
        assert!(text.contains(said), "{said} in {text}");
    }
}

#[test]
fn one_line_is_not_left_out_for_a_line_that_says_so() {
    let lines = |count: usize| {
        let mut conversation = conversation();
        let text = "rule\n".repeat(count);
        let turns = vec![Turn { role: "system".into(), parts: vec![Part::Text { text }] }, Turn::default()];
        conversation.prompt = Some(Prompt { turns, ..Prompt::default() });
        let text = drawn(&conversation, Detail::default());
        (text.matches("│ rule").count(), text.contains("… 2 lines …"))
    };
    assert_eq!((lines(13), lines(14)), ((13, false), (12, true)));
}
