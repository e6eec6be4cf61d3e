use super::*;
use crate::archive::{Body, Form, Timings};

const PROMPT: &str =
    r#"{"prompt":"fn alpha","suffix":"omega","extra":{"language":"rust","prompt_tokens":7,"suffix_tokens":2}}"#;
const ANSWER: &str = "data: {\"id\":\"cmpl-1\",\"model\":\"m-1\",\"choices\":[{\"index\":0,\"text\":\"\"}]}\n\ndata: \
    {\"id\":\"cmpl-1\",\"model\":\"m-1\",\"choices\":[{\"index\":0,\"text\":\"beta\",\"finish_reason\":\"stop\"}]}\n\n\
    data: [DONE]\n\n";

fn body(text: &str) -> Body {
    Body { text: text.into(), size: text.len() as u64, ..Body::default() }
}

fn record() -> Record {
    let pairs = |pairs: &[(&str, &str)]| pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Record {
        form: Form::Recorder,
        id: uuid::Uuid::from_u128(7),
        kind: Kind::Completions,
        rule: "completions".into(),
        user: Some("ann".into()),
        began: 1_733_663_903_331_449,
        url: "https://[2001:DB8::1]:8443/v1/engines/copilot-x/completions?a=/b".into(),
        method: "POST".into(),
        request_headers: pairs(&[
            ("Authorization", "Bearer tid=5e1e;exp=1:<redacted>"),
            ("X-Request-Id", " r-1 "),
            ("editor-version", "vscode/1.95.3"),
            ("X-Copilot-Speculative", "True"),
            ("OpenAI-Intent", "copilot-ghost"),
            ("VScode-MachineId", ""),
        ]),
        request_body: body(PROMPT),
        status: Some(200),
        response_headers: pairs(&[("openai-processing-ms", "41.1556")]),
        response_body: body(ANSWER),
        complete: Some(true),
        aborted_by: None,
        problem: None,
        client: Some("[::ffff:192.0.2.7]:50000".into()),
        connection: None,
        http_version: None,
        timings: Timings { first_byte: Some(40.0), ..Timings::default() },
        chunks: vec![(41.0, 10), (45.0, ANSWER.len() as u64 - 24), (50.0, 14)],
        messages: None,
    }
}

fn row(record: &Record) -> Row {
    digest(record, "completions/x.json".into()).row
}

#[test]
fn heads_and_bodies_become_columns() {
    let digest = digest(&record(), "completions/x.json".into());
    let row = &digest.row;
    assert_eq!((row.host.as_str(), row.path.as_str()), ("2001:db8::1", "/v1/engines/copilot-x/completions"));
    assert_eq!((row.tid.as_deref(), row.request_id.as_deref()), (Some("5e1e"), Some("r-1")));
    assert_eq!((row.editor.as_deref(), row.editor_version.as_deref()), (Some("vscode"), Some("vscode/1.95.3")));
    assert_eq!((row.client.as_deref(), row.machine.as_deref()), (Some("192.0.2.7"), None));
    assert_eq!((row.speculative, row.intent.as_deref()), (true, Some("copilot-ghost")));
    assert_eq!((row.model.as_deref(), row.model_answered.as_deref()), (Some("copilot-x"), Some("m-1")));
    assert_eq!((row.language.as_deref(), row.response_id.as_deref()), (Some("rust"), Some("cmpl-1")));
    assert_eq!((row.server_ms, row.first_byte_ms), (Some(41.1556), Some(40.0)));
    assert_eq!((row.tokens_in, row.tokens_out), (Some(9), None), "the client's estimate");
    assert_eq!((row.choices, row.answer_chars, row.finish_reason.as_deref()), (Some(1), Some(4), Some("stop")));
    assert!(digest.prompt.contains("alpha") && digest.prompt.contains("omega") && digest.answer.contains("beta"));
    assert!(digest.events.is_empty());
}

#[test]
fn a_client_that_ends_a_stream_whose_answer_it_has_cancels_nothing() {
    let ended = |text: &str| {
        let (complete, aborted_by) = (Some(false), Some(AbortedBy::Client));
        let row = row(&Record { complete, aborted_by, response_body: body(text), ..record() });
        (row.complete, row.aborted_by)
    };
    let cancelled = (Some(false), Some(AbortedBy::Client));
    assert_eq!(ended(ANSWER), (Some(true), None));
    let middle = ANSWER.find("\"finish_reason").unwrap();
    assert_eq!(ended(&ANSWER[..middle]), cancelled);
    assert_eq!(ended(""), cancelled);
    assert_eq!(ended("data: {\"error\":{\"message\":\"no\"}}\n\n"), cancelled, "nothing was answered");
    let cut = Record { complete: Some(false), aborted_by: Some(AbortedBy::Upstream), ..record() };
    assert_eq!(row(&cut).aborted_by, Some(AbortedBy::Upstream), "what others end is told as it was");
}

#[test]
fn the_first_token_is_timed_by_the_chunk_that_ends_its_event() {
    assert_eq!(row(&record()).first_token_ms, Some(45.0));
    let coded = Record { response_body: Body { coded: true, ..body(ANSWER) }, ..record() };
    assert_eq!(row(&coded).first_token_ms, None, "offsets say nothing of a compressed stream");
    let omitted = Record { chunks: vec![(41.0, 10)], ..record() };
    assert_eq!(row(&omitted).first_token_ms, None, "the arrival was not kept");
}

#[test]
fn over_a_websocket_it_is_timed_by_its_message() {
    let messages = [
        r#"{"type":"response.created","response":{"id":"resp_1"}}"#,
        r#"{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"hi"}"#,
    ];
    let message = |from_client, at, bytes: usize, kind: &str| SocketMessage {
        from_client,
        at,
        bytes: bytes as u64,
        kind: kind.into(),
    };
    let record = Record {
        kind: Kind::Chat,
        request_body: body(
            r#"{"type":"response.create","model":"m","input":"q","initiator":"agent","previous_response_id":"resp_0"}"#,
        ),
        response_body: body(&messages.join("\n")),
        chunks: Vec::new(),
        messages: Some(vec![
            message(true, 1.0, 500, "text"),
            message(false, 2.0, messages[0].len(), "text"),
            // Whatever a ping carried is in no body.
            message(false, 2.5, 900, "ping"),
            message(false, 3.0, messages[1].len(), "text"),
        ]),
        ..record()
    };
    let row = row(&record);
    assert_eq!((row.first_token_ms, row.initiator), (Some(3.0), Some(Initiator::Agent)));
    assert_eq!(row.previous_response_id.as_deref(), Some("resp_0"));
}

/// The head of a WebSocket is that of the upgrade, for the person's request as for the tool rounds after it.
#[test]
fn over_a_websocket_the_message_says_who_asked() {
    let with = |body_of: &str, messages: Option<Vec<SocketMessage>>| {
        let mut record = Record { kind: Kind::Chat, request_body: body(body_of), messages, ..record() };
        record.request_headers.push(("X-Initiator".into(), "user".into()));
        row(&record).initiator
    };
    let round = r#"{"type":"response.create","model":"m","input":[],"initiator":"agent"}"#;
    assert_eq!(with(round, Some(Vec::new())), Some(Initiator::Agent));
    let silent = r#"{"type":"response.create","model":"m","input":[]}"#;
    assert_eq!(with(silent, Some(Vec::new())), Some(Initiator::User));
    assert_eq!(with(round, None), Some(Initiator::User), "without a WebSocket it is the head of this request");
}

#[test]
fn telemetry_names_the_person_and_the_editor_by_its_events() {
    let event = |id: &str, properties: &str| {
        format!(
            r#"{{"time":"2024-12-08T13:00:00Z","iKey":"7d7048df-6dd0-4048-bb23-b716c1461f8f","tags":{{"ai.user.id":"7id"}},"data":{{"baseType":"EventData","baseData":{{"name":"copilot/ghostText.shown","properties":{{"unique_id":"{id}"{properties}}}}}}}}}"#
        )
    };
    let text = format!("[{},{}]", event("u-1", ""), event("u-2", r#","editor_version":"vscode/1.95.3""#));
    let record = Record { kind: Kind::Telemetry, request_headers: Vec::new(), request_body: body(&text), ..record() };
    let digest = digest(&record, "telemetry/x.json".into());
    assert_eq!((digest.row.tid.as_deref(), digest.row.editor.as_deref()), (Some("7id"), Some("vscode")));
    assert_eq!(digest.events.len(), 2);
    let first = &digest.events[0];
    assert_eq!((first.ordinal, first.name.as_str(), first.unique_id.as_deref()), (0, "ghostText.shown", Some("u-1")));
    assert_eq!((first.time, first.user.as_deref()), (1_733_662_800_000_000, Some("ann")));
    assert!(digest.prompt.is_empty() && digest.answer.is_empty(), "telemetry is not searched");
}

#[test]
fn nothing_grows_without_end() {
    let long = "é".repeat(5_000);
    let prompt = serde_json::json!({"model": long, "messages": [{"role": "user", "content": "x ".repeat(2 << 20)}, {"role": "user", "content": "newest"}]});
    let mut huge = Record { kind: Kind::Chat, request_body: body(&prompt.to_string()), ..record() };
    huge.user = Some(long.clone());
    huge.url = format!("https://{long}/{long}");
    huge.request_headers = vec![("X-Request-Id".into(), long.clone()), ("Editor-Version".into(), long)];
    let digest = digest(&huge, String::new());
    for text in [&digest.row.user, &digest.row.request_id, &digest.row.editor, &digest.row.model] {
        assert_eq!(text.as_ref().map(|text| text.chars().count()), Some(100));
    }
    assert_eq!((digest.row.host.chars().count(), digest.row.path.chars().count()), (100, 1_000));
    assert!(digest.prompt.starts_with("newest"), "what is new is searched first");
    assert!(digest.prompt.len() + digest.answer.len() <= (1 << 20) + 16);
}

fn with_headers(pairs: &[(&str, &str)]) -> Record {
    let request_headers = pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Record { request_headers, ..record() }
}

#[test]
fn each_column_has_its_own_header() {
    let told = row(&with_headers(&[
        ("VScode-MachineId", "machine-1"),
        ("VScode-SessionId", "session-1"),
        ("X-Interaction-Type", "conversation-agent"),
        ("X-Interaction-Id", "turn-1"),
        ("Editor-Plugin-Version", "copilot/1.2.3"),
        ("X-Initiator", "user"),
    ]));
    assert_eq!((told.machine.as_deref(), told.session.as_deref()), (Some("machine-1"), Some("session-1")));
    assert_eq!(told.intent.as_deref(), Some("conversation-agent"), "without openai-intent");
    assert_eq!((told.interaction.as_deref(), told.plugin.as_deref()), (Some("turn-1"), Some("copilot/1.2.3")));
    assert_eq!((told.initiator, told.request_id), (Some(Initiator::User), None));
    let agent = row(&with_headers(&[("X-Initiator", " Agent ")]));
    assert_eq!(agent.initiator, Some(Initiator::Agent));
    let before = Record { response_headers: vec![("OpenAI-Processing-Ms".into(), "-3".into())], ..record() };
    assert_eq!(row(&before).server_ms, None, "no time is negative");
}

#[test]
fn hosts_and_models_come_from_the_url() {
    for (url, host, model) in [
        ("https://ann:pw@Proxy.example:443/v1/engines/m-2/completions", "proxy.example", Some("m-2")),
        ("https://proxy.example/models/m-3/infer?x=1", "proxy.example", Some("m-3")),
        ("https://proxy.example/models/m-4", "proxy.example", None),
        ("https://proxy.example?to=/models/m-5/x", "proxy.example", None),
    ] {
        let found = row(&Record { url: url.into(), ..record() });
        assert_eq!((found.host.as_str(), found.model.as_deref()), (host, model), "{url}");
    }
}

#[test]
fn an_answer_says_what_it_says_and_no_more() {
    let chat = |request: &str, response: &str| Record {
        kind: Kind::Chat,
        url: "https://api.example/chat/completions".into(),
        request_body: body(request),
        response_body: body(response),
        ..with_headers(&[("X-Initiator", "user")])
    };
    let request = r#"{"messages":[{"role":"user","content":"q"}],"initiator":"agent","extra":{"prompt_tokens":7}}"#;
    let response = r#"{"id":"","choices":[{"index":0,"message":{"content":"a"},"finish_reason":"length"},{"index":1,"message":{"content":"b"},"finish_reason":"stop"}]}"#;
    let said = row(&chat(request, response));
    assert_eq!((said.initiator, said.response_id), (Some(Initiator::User), None), "the header is nearer to the client");
    assert_eq!((said.choices, said.finish_reason.as_deref()), (Some(2), Some("length")), "that of the first choice");
    assert_eq!((said.tokens_in, said.tokens_out), (None, None), "only ghost text has an estimate");
    let failed = row(&chat(request, r#"{"error":{"code":"","message":"too many"}}"#));
    assert_eq!(failed.error.as_deref(), Some("too many"));
    let failed = row(&chat(request, r#"{"type":"error","code":"","message":"too many"}"#));
    assert_eq!(failed.error.as_deref(), Some("too many"));
    let lossy = Record { response_body: Body { bytes: Some(ANSWER.into()), ..body(ANSWER) }, ..record() };
    assert_eq!(row(&lossy).first_token_ms, None, "the text is not as long as what was sent");
}

#[test]
fn what_an_event_lacks_is_that_of_its_record() {
    let event = r#"{"time":"soon","iKey":"another","data":{"baseType":"EventData","baseData":{"name":"e","properties":{"editor_version":"vim/9"}}}}"#;
    let headers = with_headers(&[("Editor-Version", "JetBrains-IU/243.1")]);
    let record = Record { kind: Kind::Telemetry, request_body: body(event), ..headers };
    let digest = digest(&record, String::new());
    assert_eq!(digest.row.editor.as_deref(), Some("JetBrains-IU"), "the header of the one who sent it");
    let [event] = &digest.events[..] else { panic!("{}", digest.events.len()) };
    assert_eq!((event.time, event.editor.as_deref(), event.enhanced), (record.began, Some("vim"), false));
}
