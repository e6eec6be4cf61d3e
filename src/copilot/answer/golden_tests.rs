//! Conversations of each format, and by hand what they are.

use super::*;

/// A body and what is to be made of it.
pub(super) struct Golden {
    pub(super) name: &'static str,
    pub(super) text: String,
    pub(super) answer: Answer,
    /// The piece of the text whose end is that of the event that brought the first token.
    first: Option<&'static str>,
}

impl Golden {
    fn new(name: &'static str, text: impl Into<String>, first: Option<&'static str>, answer: Answer) -> Self {
        let text = text.into();
        let first_token_end = first.map(|first| text.find(first).expect("part of the text") + first.len());
        Self { name, text, answer: Answer { first_token_end, ..answer }, first }
    }

    /// The same stream with other line ends.
    pub(super) fn with_lines(&self, end: &str) -> Self {
        let text = self.text.replace('\n', end);
        let first = self.first.map(|first| first.replace('\n', end));
        let first_token_end = first.map(|first| text.find(&first).expect("part of the text") + first.len());
        let answer = Answer { first_token_end, ..self.answer.clone() };
        Self { name: self.name, text, answer, first: self.first }
    }

    pub(super) fn is_sse(&self) -> bool {
        !self.text.starts_with(['{', '['])
    }
}

fn answer(format: Format, id: &str, model: &str, choices: Vec<Choice>) -> Answer {
    Answer {
        format,
        streamed: true,
        id: Some(id.into()),
        model: Some(model.into()),
        choices,
        usage: None,
        ending: Ending::Complete,
        error: None,
        faults: Faults::default(),
        first_token_end: None,
    }
}

fn choice(index: u64, text: &str, finish_reason: &str) -> Choice {
    Choice { index, text: text.into(), finish_reason: Some(finish_reason.into()), ..Choice::default() }
}

fn call(id: &str, name: &str, arguments: &str) -> ToolCall {
    ToolCall { id: id.into(), name: name.into(), arguments: arguments.into() }
}

fn usage(input: u64, cached: u64, output: u64, reasoning: Option<u64>, total: u64) -> Option<Usage> {
    Some(Usage {
        input: Some(input),
        cached_input: Some(cached),
        output: Some(output),
        reasoning,
        total: Some(total),
        source: UsageSource::Answer,
    })
}

fn failure(code: &str, message: &str) -> Option<Failure> {
    Some(Failure { code: Some(code.into()), message: message.into() })
}

pub(super) fn all() -> Vec<Golden> {
    [completions(), chats(), chats_with_calls(), responses(), responses_in_one(), messages(), failures()]
        .into_iter()
        .flatten()
        .collect()
}

fn completions() -> Vec<Golden> {
    let two = concat!(
        "data: {\"id\":\"cmpl-2\",\"created\":1,\"model\":\"m-ghost\",\"choices\":[{\"text\":\"fn ma\",\"index\":0,\"finish_reason\":null}]}\n\n",
        ": keep-alive\n\n",
        "data: {\"id\":\"cmpl-2\",\"model\":\"m-ghost\",\"choices\":[{\"text\":\"let x\",\"index\":1,\"p\":\"aa\"},{\"text\":\"in() {\\n\",\"index\":0}]}\n\n",
        "data: {\"id\":\"cmpl-2\",\"model\":\"m-ghost\",\"choices\":[{\"index\":1,\"text\":\" = \\\"ü😀\\\";\",\"finish_reason\":\"stop\"}]}\n\n",
        "data: {\"id\":\"cmpl-2\",\"model\":\"m-ghost\",\"choices\":[{\"index\":0,\"text\":\"}\",\"finish_reason\":\"length\",\"copilot_annotations\":{\"ip_code_citations\":[]}}]}\n\n",
        "data: {\"id\":\"cmpl-2\",\"choices\":[],\"usage\":{\"prompt_tokens\":30,\"completion_tokens\":9,\"total_tokens\":39,\"prompt_tokens_details\":{\"cached_tokens\":10}}}\n\n",
        "data: [DONE]\n\n",
    );
    let two_choices = vec![choice(0, "fn main() {\n}", "length"), choice(1, "let x = \"ü😀\";", "stop")];
    let sample = concat!(
        "data: {\"id\":\"cmpl-1\",\"created\":1733663903,\"model\":\"m-old\",\"choices\":[{\"index\":0,\"finish_reason\":null,\"logprobs\":null,\"p\":\"aaaaaaa\"}]}\n\n",
        "data: {\"id\":\"cmpl-1\",\"created\":1733663903,\"model\":\"m-old\",\"choices\":[{\"text\":\"\\n\",\"index\":0,\"finish_reason\":\"stop\",\"logprobs\":null,\"p\":\"aaaaaa\"}]}\n\ndata: [DONE]\n\n",
    );
    let older = r#"[{"id":"cmpl-3","model":"m-old","choices":[{"index":0,"finish_reason":null}]},
        {"id":"cmpl-3","model":"m-old","choices":[{"text":"a","index":0}]}, "",
        "data: {\"choices\":[{\"text\":\"b\",\"index\":0}]}",
        {"id":"cmpl-3","model":"m-old","choices":[{"text":"c","index":0,"finish_reason":"stop"}]}, "[DONE]"]"#;
    let whole = r#"{"id":"cmpl-4","object":"text_completion","model":"m-ghost",
        "choices":[{"index":0,"text":"one\ntwo","finish_reason":"stop"},{"index":1,"text":"three","finish_reason":"content_filter"}],
        "usage":{"prompt_tokens":5,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":0}}}"#;
    let form = Format::Completions;
    vec![
        Golden::new(
            "two choices interleaved",
            two,
            Some("null}]}\n\n"),
            Answer { usage: usage(30, 10, 9, None, 39), ..answer(form, "cmpl-2", "m-ghost", two_choices) },
        ),
        Golden::new(
            "the form of the older tool's sample",
            sample,
            Some("\"aaaaaa\"}]}\n\n"),
            answer(form, "cmpl-1", "m-old", vec![choice(0, "\n", "stop")]),
        ),
        Golden::new(
            "a stream as the older tool wrote it",
            older,
            Some("\"a\",\"index\":0}]}"),
            answer(form, "cmpl-3", "m-old", vec![choice(0, "abc", "stop")]),
        ),
        Golden::new(
            "a completion that is no stream",
            whole,
            None,
            Answer {
                streamed: false,
                usage: usage(5, 0, 4, None, 9),
                ..answer(
                    form,
                    "cmpl-4",
                    "m-ghost",
                    vec![choice(0, "one\ntwo", "stop"), choice(1, "three", "content_filter")],
                )
            },
        ),
    ]
}

fn chats() -> Vec<Golden> {
    let text = concat!(
        "data: {\"choices\":[],\"created\":0,\"id\":\"\",\"model\":\"\",\"prompt_filter_results\":[{\"prompt_index\":0}]}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}],\"id\":\"chatcmpl-1\",\"model\":\"m-chat\"}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":null,\"reasoning_text\":\"Think\"}}],\"id\":\"chatcmpl-1\",\"model\":\"m-chat\"}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning_text\":\" twice.\",\"reasoning_opaque\":\"c2VhbGVk\"}}]}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Use `a`\"}}]}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" \\u00fc \\ud83d\\ude00.\",\"copilot_annotations\":{}}}]}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":20,\"total_tokens\":120,\"prompt_tokens_details\":{\"cached_tokens\":64},\"completion_tokens_details\":{\"reasoning_tokens\":7}}}\n\n",
        "data: [DONE]\n\n",
    );
    let several_lines = concat!(
        "\u{feff}event: message\ndata: {\"id\":\"chatcmpl-2\",\ndata: \"model\":\"m-chat\",\ndata:\"choices\":[{\"delta\":\ndata: {\"content\":\"lines\"}}]}\nid: 1\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"refusal\":\" no\"},\"finish_reason\":\"stop\"}]}\n\n",
    );
    let filtered = concat!(
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"I will \"}}],\"id\":\"chatcmpl-3\",\"model\":\"m-chat\"}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"content_filter\",\"content_filter_results\":{\"hate\":{\"filtered\":true}}}]}\n\n",
        "data: [DONE]\n\n",
    );
    let reasoned = Choice { reasoning: "Think twice.".into(), ..choice(0, "Use `a` ü 😀.", "stop") };
    vec![
        Golden::new(
            "a chat with reasoning",
            text,
            Some("\"Think\"}}],\"id\":\"chatcmpl-1\",\"model\":\"m-chat\"}\n\n"),
            Answer {
                usage: usage(100, 64, 20, Some(7), 120),
                ..answer(Format::Chat, "chatcmpl-1", "m-chat", vec![reasoned])
            },
        ),
        Golden::new(
            "several lines of data, and a refusal",
            several_lines,
            Some("id: 1\n\n"),
            answer(Format::Chat, "chatcmpl-2", "m-chat", vec![choice(0, "lines no", "stop")]),
        ),
        Golden::new(
            "a chat that a filter ended",
            filtered,
            Some("\"m-chat\"}\n\n"),
            answer(Format::Chat, "chatcmpl-3", "m-chat", vec![choice(0, "I will ", "content_filter")]),
        ),
    ]
}

fn chats_with_calls() -> Vec<Golden> {
    let calls = concat!(
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Look:\"}}],\"id\":\"chatcmpl-4\",\"model\":\"m-chat\"}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"call_a\",\"type\":\"function\",\"function\":{\"name\":\"read\",\"arguments\":\"\"}}]}}]}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\\\"path\\\":\"}}]}}]}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":1,\"id\":\"call_b\",\"function\":{\"name\":\"list\",\"arguments\":\"{\"}},{\"index\":0,\"function\":{\"arguments\":\"\\\"a\\\"\"}}]}}]}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"}\"}},{\"index\":1,\"function\":{\"arguments\":\"}\"}}]}}]}\n\n",
        // The same index with a new id is a new call; without index and id the last one goes on.
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":1,\"id\":\"call_c\",\"function\":{\"name\":\"stop\",\"arguments\":\"[\"}},{\"function\":{\"arguments\":\"]\"}}]},\"finish_reason\":\"tool_calls\"}]}\n\n",
        "data: [DONE]\n\n",
    );
    let function = concat!(
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"function_call\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\"\"}}}],\"id\":\"chatcmpl-5\",\"model\":\"m-chat\"}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"function_call\":{\"arguments\":\":1}\"}},\"finish_reason\":\"function_call\"}]}\n\n",
    );
    let whole = r#"{"id":"chatcmpl-6","object":"chat.completion","model":"m-chat","choices":[
        {"message":{"role":"assistant","content":"Both:","reasoning_text":"Why"},"finish_reason":"tool_calls"},
        {"finish_reason":"tool_calls","message":{"content":[{"type":"text","text":"or "},{"type":"text","text":"not"}],
            "tool_calls":[{"id":"call_a","function":{"name":"f","arguments":"{\"a\": [1]}"}},{"id":"call_b","function":{"name":"g","arguments":{"b": [2]}}}]}}],
        "usage":{"prompt_tokens":8,"completion_tokens":3,"total_tokens":11,"prompt_tokens_details":{"cached_tokens":0}}}"#;
    let called = Choice {
        tool_calls: vec![
            call("call_a", "read", r#"{"path":"a"}"#),
            call("call_b", "list", "{}"),
            call("call_c", "stop", "[]"),
        ],
        ..choice(0, "Look:", "tool_calls")
    };
    let both = vec![
        Choice { reasoning: "Why".into(), ..choice(0, "Both:", "tool_calls") },
        Choice {
            tool_calls: vec![call("call_a", "f", r#"{"a": [1]}"#), call("call_b", "g", r#"{"b": [2]}"#)],
            ..choice(1, "or not", "tool_calls")
        },
    ];
    let old = Choice { tool_calls: vec![call("", "f", r#"{"a":1}"#)], ..choice(0, "", "function_call") };
    vec![
        Golden::new(
            "calls of tools",
            calls,
            Some("\"m-chat\"}\n\n"),
            answer(Format::Chat, "chatcmpl-4", "m-chat", vec![called]),
        ),
        Golden::new(
            "the old form of a call",
            function,
            Some("\"m-chat\"}\n\n"),
            answer(Format::Chat, "chatcmpl-5", "m-chat", vec![old]),
        ),
        Golden::new(
            "a chat that is no stream, its choices without index",
            whole,
            None,
            Answer {
                streamed: false,
                usage: usage(8, 0, 3, None, 11),
                ..answer(Format::Chat, "chatcmpl-6", "m-chat", both)
            },
        ),
    ]
}

const RESPONSE_EVENTS: [&str; 19] = [
    r#"{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","model":"m-resp","status":"in_progress","output":[]}}"#,
    r#"{"type":"response.in_progress","sequence_number":1,"response":{"id":"resp_1","model":"m-resp"}}"#,
    r#"{"type":"response.output_item.added","sequence_number":2,"output_index":0,"item":{"type":"reasoning","summary":[]}}"#,
    r#"{"type":"response.reasoning_summary_part.added","sequence_number":3,"output_index":0,"summary_index":0,"part":{"type":"summary_text","text":""}}"#,
    r#"{"type":"response.reasoning_summary_text.delta","sequence_number":4,"output_index":0,"summary_index":0,"delta":"First."}"#,
    r#"{"type":"response.reasoning_summary_text.delta","sequence_number":5,"output_index":0,"summary_index":1,"delta":"Sec"}"#,
    r#"{"type":"response.reasoning_summary_text.delta","sequence_number":6,"output_index":0,"summary_index":1,"delta":"ond."}"#,
    r#"{"type":"response.output_item.done","sequence_number":7,"output_index":0,"item":{"type":"reasoning","encrypted_content":"c2VhbGVk","summary":[{"type":"summary_text","text":"First."},{"type":"summary_text","text":"Second."}]}}"#,
    r#"{"type":"response.output_item.added","sequence_number":8,"output_index":1,"item":{"type":"message","role":"assistant","content":[]}}"#,
    r#"{"type":"response.output_text.delta","sequence_number":9,"output_index":1,"content_index":0,"delta":"Hello "}"#,
    r#"{"type":"response.output_text.delta","sequence_number":10,"output_index":1,"content_index":0,"delta":"😀"}"#,
    r#"{"type":"response.output_text.done","sequence_number":11,"output_index":1,"content_index":0,"text":"Hello 😀"}"#,
    r#"{"type":"response.output_item.added","sequence_number":12,"output_index":2,"item":{"type":"function_call","id":"fc_1","call_id":"call_1","name":"read","arguments":""}}"#,
    r#"{"type":"response.function_call_arguments.delta","sequence_number":13,"output_index":2,"delta":"{\"path\""}"#,
    r#"{"type":"response.output_item.added","sequence_number":14,"output_index":3,"item":{"type":"custom_tool_call","call_id":"call_2","name":"patch","input":""}}"#,
    r#"{"type":"response.custom_tool_call_input.delta","sequence_number":15,"output_index":3,"delta":"*** Begin"}"#,
    r#"{"type":"response.function_call_arguments.delta","sequence_number":16,"output_index":2,"delta":":1}"}"#,
    r#"{"type":"response.output_item.done","sequence_number":17,"output_index":2,"item":{"type":"function_call","call_id":"call_1","name":"read","arguments":"{\"path\":1}"}}"#,
    r#"{"type":"response.completed","sequence_number":18,"response":{"id":"resp_1","model":"m-resp-2","status":"completed","output":[{"type":"reasoning","summary":[{"type":"summary_text","text":"First."},{"type":"summary_text","text":"Second."}]},{"type":"message","content":[{"type":"output_text","text":"Hello 😀"}]},{"type":"function_call","call_id":"call_1","name":"read","arguments":"{\"path\":1}"},{"type":"custom_tool_call","call_id":"call_2","name":"patch","input":"*** Begin all"}],"usage":{"input_tokens":50,"input_tokens_details":{"cached_tokens":20},"output_tokens":9,"output_tokens_details":{"reasoning_tokens":4},"total_tokens":59}}}"#,
];

fn response_stream(events: &[&str]) -> String {
    let name = |event: &str| event.split('"').nth(3).unwrap_or_default().to_owned();
    events.iter().map(|event| format!("event: {}\ndata: {event}\n\n", name(event))).collect()
}

fn response_answer() -> Answer {
    let all = Choice {
        reasoning: "First.\n\nSecond.".into(),
        tool_calls: vec![call("call_1", "read", r#"{"path":1}"#), call("call_2", "patch", "*** Begin all")],
        ..choice(0, "Hello 😀", "completed")
    };
    Answer { usage: usage(50, 20, 9, Some(4), 59), ..answer(Format::Responses, "resp_1", "m-resp", vec![all]) }
}

fn responses() -> Vec<Golden> {
    let pretty: Vec<String> = RESPONSE_EVENTS
        .iter()
        .map(|event| {
            let value: serde_json::Value = serde_json::from_str(event).expect("JSON");
            serde_json::to_string_pretty(&value).expect("JSON")
        })
        .collect();
    let incomplete = [
        r#"{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"Once"}"#,
        r#"{"type":"response.incomplete","response":{"id":"resp_2","model":"m-resp","status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[]}}"#,
    ];
    let opened = r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"message"}}"#;
    let cancelled = [
        opened,
        incomplete[0],
        r#"{"type":"response.cancelled","response":{"id":"resp_3","model":"m-resp","status":"cancelled"}}"#,
    ];
    let plain = |id, finish| answer(Format::Responses, id, "m-resp", vec![choice(0, "Once", finish)]);
    vec![
        Golden::new(
            "a response",
            response_stream(&RESPONSE_EVENTS),
            Some("\"delta\":\"First.\"}\n\n"),
            response_answer(),
        ),
        Golden::new(
            "a response on a WebSocket",
            RESPONSE_EVENTS.join("\n"),
            Some("\"delta\":\"First.\"}"),
            response_answer(),
        ),
        Golden::new(
            "a response on a WebSocket, in pretty messages",
            pretty.join("\n"),
            Some("\"delta\": \"First.\"\n}"),
            response_answer(),
        ),
        Golden::new(
            "a response that reached its limit",
            response_stream(&[&[opened], &incomplete[..]].concat()),
            Some("\"Once\"}\n\n"),
            plain("resp_2", "max_output_tokens"),
        ),
        Golden::new(
            "a response that was cancelled",
            response_stream(&cancelled),
            Some("\"Once\"}\n\n"),
            plain("resp_3", "cancelled"),
        ),
    ]
}

fn responses_in_one() -> Vec<Golden> {
    let whole = r#"{"id":"resp_4","object":"response","status":"completed","error":null,"model":"m-resp","output":[
        {"type":"reasoning","summary":[{"type":"summary_text","text":"Why"}],"content":[{"type":"reasoning_text","text":"Because"}]},
        {"type":"message","content":[{"type":"output_text","text":"One"},{"type":"refusal","refusal":" two"}]},
        {"type":"web_search_call","id":"ws_1","status":"completed"},
        {"type":"function_call","call_id":"call_1","name":"f","arguments":"{\"a\":1}"}],
        "usage":{"input_tokens":5,"output_tokens":4,"input_tokens_details":{"cached_tokens":0}}}"#;
    let said = Choice {
        reasoning: "Why\n\nBecause".into(),
        tool_calls: vec![call("call_1", "f", r#"{"a":1}"#)],
        ..choice(0, "One two", "completed")
    };
    vec![Golden::new(
        "a response that is no stream",
        whole,
        None,
        Answer {
            streamed: false,
            usage: usage(5, 0, 4, None, 9),
            ..answer(Format::Responses, "resp_4", "m-resp", vec![said])
        },
    )]
}

fn messages() -> Vec<Golden> {
    let events = [
        r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","content":[],"model":"m-msg","stop_reason":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":20,"cache_read_input_tokens":70,"output_tokens":1}}}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
        r#"{"type":"ping"}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Let me "}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"see"}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2lnbmVk"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"c2VhbGVk"}}"#,
        r#"{"type":"content_block_stop","index":1}"#,
        r#"{"type":"content_block_start","index":2,"content_block":{"type":"text","text":""}}"#,
        r#"{"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"I look"},"copilot_annotations":{}}"#,
        r#"{"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":" 😀"}}"#,
        r#"{"type":"content_block_stop","index":2}"#,
        r#"{"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"toolu_1","name":"read","input":{}}}"#,
        r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":""}}"#,
        r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{\"path\": "}}"#,
        r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"\"a\"}"}}"#,
        r#"{"type":"content_block_stop","index":3}"#,
        r#"{"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"toolu_2","name":"now","input":{}}}"#,
        r#"{"type":"content_block_stop","index":4}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":40},"context_management":{}}"#,
        r#"{"type":"message_stop"}"#,
    ];
    let refused = [
        r#"{"type":"message_start","message":{"id":"msg_2","model":"m-msg","content":[]}}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"refusal"},"usage":{"input_tokens":3,"cache_read_input_tokens":0,"output_tokens":2}}"#,
        r#"{"type":"message_stop"}"#,
    ];
    let whole = r#"{"id":"msg_3","type":"message","role":"assistant","model":"m-msg","content":[
        {"type":"thinking","thinking":"Why","signature":"c2lnbmVk"},{"type":"text","text":"Then "},{"type":"text","text":"this"},
        {"type":"server_tool_use","id":"srvtoolu_1","name":"search","input":{"q": "a [b]"}},
        {"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[]}],
        "stop_reason":"max_tokens","usage":{"input_tokens":1,"cache_read_input_tokens":2,"output_tokens":3}}"#;
    let used = Choice {
        reasoning: "Let me see".into(),
        tool_calls: vec![call("toolu_1", "read", r#"{"path": "a"}"#), call("toolu_2", "now", "{}")],
        ..choice(0, "I look 😀", "tool_use")
    };
    let searched = Choice {
        reasoning: "Why".into(),
        tool_calls: vec![call("srvtoolu_1", "search", r#"{"q": "a [b]"}"#)],
        ..choice(0, "Then this", "max_tokens")
    };
    let form = Format::Messages;
    vec![
        Golden::new(
            "a message",
            response_stream(&events),
            Some("\"Let me \"}}\n\n"),
            Answer { usage: usage(100, 70, 40, None, 140), ..answer(form, "msg_1", "m-msg", vec![used]) },
        ),
        Golden::new(
            "a message that was refused",
            response_stream(&refused),
            None,
            Answer { usage: usage(3, 0, 2, None, 5), ..answer(form, "msg_2", "m-msg", vec![choice(0, "", "refusal")]) },
        ),
        Golden::new(
            "a message that is no stream",
            whole,
            None,
            Answer {
                streamed: false,
                usage: usage(3, 2, 3, None, 6),
                ..answer(form, "msg_3", "m-msg", vec![searched])
            },
        ),
    ]
}

fn failures() -> Vec<Golden> {
    let nothing = |format| Answer {
        id: None,
        model: None,
        streamed: false,
        ending: Ending::Failed,
        ..answer(format, "", "", Vec::new())
    };
    let said = |format, text: &str| Choice { finish_reason: None, ..choice(0, text, "") }.of(format);
    let limited = r#"{"error":{"message":"Too many requests.","code":"rate_limited","type":"x"}}"#;
    let broken = concat!(
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Half\"}}]}\n\n",
        "data: {\"error\":{\"message\":\"The model broke.\",\"code\":500}}\n\n",
    );
    let agent = concat!(
        "data: {\"choices\":null,\"copilot_references\":[{}],\"id\":null}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Half\"}}]}\n\n",
        "data: {\"choices\":[],\"copilot_errors\":[{\"type\":\"agent\",\"code\":\"no_access\",\"message\":\"Not yours.\",\"identifier\":\"a\"}]}\n\n",
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
    );
    let flat = concat!(
        "{\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{\"type\":\"message\"}}\n",
        "{\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"Half\"}\n",
        "{\"type\":\"error\",\"code\":\"server_error\",\"message\":\"It broke.\",\"sequence_number\":7}",
    );
    let quota =
        r#"{"type":"error","error":{"code":"quota_exceeded","message":"No more."},"copilot_quota_snapshots":{}}"#;
    let failed = concat!(
        "data: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_9\",\"model\":\"m-resp\"}}\n\n",
        "data: {\"type\":\"response.failed\",\"response\":{\"id\":\"resp_9\",\"status\":\"failed\",\"error\":{\"code\":\"server_error\",\"message\":\"It broke.\"},\"output\":[]}}\n\n",
    );
    let overloaded = concat!(
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"Half\"}}\n\n",
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n",
    );
    let refused = r#"{"type":"error","error":{"type":"invalid_request_error","message":"No."},"request_id":"req_1"}"#;
    vec![
        Golden::new(
            "an error for an answer",
            limited,
            None,
            Answer { error: failure("rate_limited", "Too many requests."), ..nothing(Format::Chat) },
        ),
        Golden::new(
            "an error in a chat",
            broken,
            Some("\"Half\"}}]}\n\n"),
            Answer { error: failure("500", "The model broke."), ..said(Format::Chat, "Half") },
        ),
        Golden::new(
            "an error that a chat went on after",
            agent,
            Some("\"Half\"}}]}\n\n"),
            Answer {
                error: failure("no_access", "Not yours."),
                ending: Ending::Complete,
                choices: vec![choice(0, "Half", "stop")],
                ..said(Format::Chat, "")
            },
        ),
        Golden::new(
            "a flat error",
            flat,
            Some("\"Half\"}"),
            Answer { error: failure("server_error", "It broke."), ..said(Format::Responses, "Half") },
        ),
        Golden::new(
            "a nested error for an answer",
            quota,
            None,
            Answer { error: failure("quota_exceeded", "No more."), ..nothing(Format::Responses) },
        ),
        Golden::new(
            "a response that failed",
            failed,
            None,
            Answer {
                error: failure("server_error", "It broke."),
                ending: Ending::Failed,
                ..answer(Format::Responses, "resp_9", "m-resp", vec![choice(0, "", "failed")])
            },
        ),
        Golden::new(
            "an error in a message",
            overloaded,
            Some("\"Half\"}}\n\n"),
            Answer { error: failure("overloaded_error", "Overloaded"), ..said(Format::Messages, "Half") },
        ),
        Golden::new(
            "an error for a message",
            refused,
            None,
            Answer { error: failure("invalid_request_error", "No."), ..nothing(Format::Messages) },
        ),
    ]
}

impl Choice {
    /// The choice as all that came of a stream before an error.
    fn of(self, format: Format) -> Answer {
        Answer { id: None, model: None, ending: Ending::Failed, ..answer(format, "", "", vec![self]) }
    }
}

#[test]
fn each_conversation_is_what_it_says() {
    for golden in all() {
        assert_eq!(read(&golden.text).as_ref(), Some(&golden.answer), "{}", golden.name);
    }
}

#[test]
fn line_ends_make_no_difference() {
    for golden in all().iter().filter(|golden| golden.is_sse()) {
        for end in ["\r\n", "\r"] {
            let golden = golden.with_lines(end);
            assert_eq!(read(&golden.text).as_ref(), Some(&golden.answer), "{} with {end:?}", golden.name);
        }
    }
}

#[test]
fn the_form_is_told_in_json() {
    let text = "data: {\"id\":\"cmpl-1\",\"choices\":[{\"text\":\"a\",\"index\":0}]}\n\n";
    let told = serde_json::to_value(read(text)).unwrap();
    let expected = serde_json::json!({
        "format": "completions", "streamed": true, "id": "cmpl-1", "model": null,
        "choices": [{"index": 0, "text": "a", "reasoning": "", "tool_calls": [], "finish_reason": null}],
        "usage": null, "ending": "cut", "error": null,
        "faults": {"unreadable": 0, "repeated": 0, "misplaced": 0, "overflowed": false},
        "first_token_end": text.len(),
    });
    assert_eq!(told, expected);
}
