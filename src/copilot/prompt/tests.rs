use proptest::prelude::*;

use super::fuzz::{fuzz_prompt, texts};
use super::*;

const GHOST: &str = r##"{"prompt":"# Path: a.rs\nfn ma","suffix":"\n}","max_tokens":500,"n":3,"stop":["\n\n"],"stream":true,"nwo":"octo/repo","extra":{"language":"rust","next_indent":0,"prompt_tokens":67,"suffix_tokens":4},"model":"m-ghost"}"##;

const CHAT: &str = r#"{"messages":[
    {"role":"system","content":"Be short."},
    {"role":"user","content":[{"type":"text","text":"What is "},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}},{"type":"text","text":"this? 😀"}]},
    {"role":"assistant","content":null,"reasoning_text":"Look.","tool_calls":[{"id":"call_1","type":"function","function":{"name":"read","arguments":"{\"path\":\"a\"}"}}]},
    {"role":"tool","tool_call_id":"call_1","content":"nothing"},
    {"role":"assistant","content":"","function_call":{"name":"old","arguments":"{}"}},
    {"role":"function","name":"old","content":[{"type":"text","text":"an"},{"type":"text","text":"swer"}]}],
    "model":"m-chat","stream":true,"n":1,"tools":[{"type":"function","function":{"name":"read"}},{"type":"function","function":{"name":"list"}}],"tool_choice":"auto"}"#;

const RESPONSES: &str = r#"{"model":"m-resp","instructions":"Be kind.","input":[
    {"role":"user","content":[{"type":"input_text","text":"Read it."},{"type":"input_image","image_url":"data:x"}]},
    {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"Hm."}],"encrypted_content":"c2VhbGVk"},
    {"type":"reasoning","id":"rs_2","summary":[],"encrypted_content":"c2VhbGVk"},
    {"type":"message","role":"assistant","content":[{"type":"output_text","text":"I read."},{"type":"refusal","refusal":" No."}]},
    {"type":"function_call","id":"fc_1","call_id":"call_1","name":"read","arguments":"{\"path\":1}"},
    {"type":"function_call_output","call_id":"call_1","output":"content"},
    {"type":"custom_tool_call","call_id":"call_2","name":"patch","input":"*** Begin"},
    {"type":"custom_tool_call_output","call_id":"call_2","output":[{"type":"input_text","text":"do"},{"type":"input_text","text":"ne"}]},
    {"type":"item_reference","id":"msg_1"}],
    "previous_response_id":"resp_0","store":false,"tools":[{"type":"function","name":"read"},{"type":"web_search"}],"stream":true}"#;

const MESSAGES: &str = r#"{"model":"m-msg","system":[{"type":"text","text":"Be "},{"type":"text","text":"brief."}],"max_tokens":10,"messages":[
    {"role":"user","content":"Hello"},
    {"role":"assistant","content":[{"type":"thinking","thinking":"So.","signature":"c2ln"},{"type":"redacted_thinking","data":"AA"},{"type":"text","text":"I look."},{"type":"tool_use","id":"toolu_1","name":"read","input":{"path": "a [1]"}}]},
    {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":[{"type":"text","text":"in"},{"type":"text","text":"side"}]},{"type":"tool_result","tool_use_id":"toolu_2","content":"plain"},{"type":"image","source":{}},{"type":"text","text":"And?"}]}],
    "tools":[{"name":"read","input_schema":{}}],"stream":true}"#;

fn text(text: &str) -> Part {
    Part::Text { text: text.into() }
}

fn reasoning(text: &str) -> Part {
    Part::Reasoning { text: text.into() }
}

fn called(id: &str, name: &str, arguments: &str) -> Part {
    Part::ToolCall { id: id.into(), name: name.into(), arguments: arguments.into() }
}

fn result(id: &str, text: &str) -> Part {
    Part::ToolResult { id: id.into(), text: text.into() }
}

fn other(kind: &str) -> Part {
    Part::Other { kind: kind.into() }
}

fn turn(role: &str, parts: Vec<Part>) -> Turn {
    Turn { role: role.into(), parts }
}

/// As the older tool looked at it, whose noise rule this is for.
#[test]
fn a_stop_of_null_is_no_stop() {
    let has_stop = |stop: &str| read(&format!(r#"{{"messages":[]{stop}}}"#)).unwrap().has_stop;
    assert_eq!(["", r#","stop":null"#, r#","stop":[]"#, r#","stop":"x""#].map(has_stop), [false, false, true, true]);
}

#[test]
fn ghost_text_estimates_its_tokens() {
    let of = |body: &str| read(body).unwrap().estimate();
    let expected = Usage { input: Some(71), source: UsageSource::Request, ..Usage::default() };
    assert_eq!(of(GHOST), Some(expected));
    assert_eq!(of(r#"{"prompt":"a","extra":{"suffix_tokens":4}}"#).unwrap().input, Some(4));
    assert_eq!(of(r#"{"prompt":"a"}"#), None);
    assert_eq!(of(r#"{"messages":[],"extra":{"prompt_tokens":4}}"#), None);
}

#[test]
fn ghost_text_is_read() {
    let expected = Prompt {
        format: Some(Format::Completions),
        model: Some("m-ghost".into()),
        language: Some("rust".into()),
        repository: Some("octo/repo".into()),
        prefix: Some("# Path: a.rs\nfn ma".into()),
        suffix: Some("\n}".into()),
        stream: Some(true),
        choices: Some(3),
        has_stop: true,
        prompt_tokens: Some(67),
        suffix_tokens: Some(4),
        ..Prompt::default()
    };
    assert_eq!(read(GHOST), Some(expected));
}

#[test]
fn a_chat_is_read() {
    let expected = Prompt {
        format: Some(Format::Chat),
        model: Some("m-chat".into()),
        stream: Some(true),
        choices: Some(1),
        tools: vec!["read".into(), "list".into()],
        turns: vec![
            turn("system", vec![text("Be short.")]),
            turn("user", vec![text("What is "), other("image_url"), text("this? 😀")]),
            turn("assistant", vec![reasoning("Look."), called("call_1", "read", r#"{"path":"a"}"#)]),
            turn("tool", vec![result("call_1", "nothing")]),
            turn("assistant", vec![called("", "old", "{}")]),
            turn("function", vec![result("old", "answer")]),
        ],
        ..Prompt::default()
    };
    assert_eq!(read(CHAT), Some(expected));
}

#[test]
fn responses_are_read() {
    let expected = Prompt {
        format: Some(Format::Responses),
        model: Some("m-resp".into()),
        stream: Some(true),
        previous_response_id: Some("resp_0".into()),
        tools: vec!["read".into(), "web_search".into()],
        turns: vec![
            turn("system", vec![text("Be kind.")]),
            turn("user", vec![text("Read it."), other("input_image")]),
            turn("assistant", vec![reasoning("Hm.")]),
            turn("assistant", vec![other("reasoning")]),
            turn("assistant", vec![text("I read."), text(" No.")]),
            turn("assistant", vec![called("call_1", "read", r#"{"path":1}"#)]),
            turn("tool", vec![result("call_1", "content")]),
            turn("assistant", vec![called("call_2", "patch", "*** Begin")]),
            turn("tool", vec![result("call_2", "done")]),
            turn("", vec![other("item_reference")]),
        ],
        ..Prompt::default()
    };
    assert_eq!(read(RESPONSES), Some(expected));
}

#[test]
fn messages_are_read() {
    let expected = Prompt {
        format: Some(Format::Messages),
        model: Some("m-msg".into()),
        stream: Some(true),
        tools: vec!["read".into()],
        turns: vec![
            turn("system", vec![text("Be "), text("brief.")]),
            turn("user", vec![text("Hello")]),
            turn(
                "assistant",
                vec![
                    reasoning("So."),
                    other("redacted_thinking"),
                    text("I look."),
                    called("toolu_1", "read", r#"{"path": "a [1]"}"#),
                ],
            ),
            turn("user", vec![result("toolu_1", "inside"), result("toolu_2", "plain"), other("image"), text("And?")]),
        ],
        ..Prompt::default()
    };
    assert_eq!(read(MESSAGES), Some(expected));
}

#[test]
fn the_first_message_of_a_websocket_is_read() {
    let create =
        r#"{"type":"response.create","initiator":"agent","model":"m","previous_response_id":"resp_1","input":[]}"#;
    let prompt = read(&format!("{create}\n{{\"type\":\"other\"}}")).unwrap();
    let told = (prompt.format, prompt.initiator.as_deref(), prompt.previous_response_id.as_deref(), prompt.cut);
    assert_eq!(told, (Some(Format::Responses), Some("agent"), Some("resp_1"), false));
}

#[test]
fn the_format_is_told_by_the_keys() {
    let cases = [
        (r#"{"input":"a","model":"m"}"#, None),
        (r#"{"input":["a","b"],"model":"m","dimensions":3,"encoding_format":"float"}"#, None),
        (r#"{"input":[[1,2],[3]],"model":"m"}"#, None),
        (r#"{"input":[],"model":"m"}"#, None),
        (r#"{"input":"a","model":"m","stream":true}"#, Some(Format::Responses)),
        (r#"{"input":"a","model":"m","instructions":"i"}"#, Some(Format::Responses)),
        (r#"{"input":[{"role":"user","content":"a"}]}"#, Some(Format::Responses)),
        (r#"{"input":[],"previous_response_id":"resp_1"}"#, Some(Format::Responses)),
        (r#"{"messages":[]}"#, Some(Format::Chat)),
        (r#"{"messages":[],"system":"s"}"#, Some(Format::Messages)),
        (r#"{"messages":[],"thinking":{"type":"enabled"}}"#, Some(Format::Messages)),
        (r#"{"messages":[{"content":[{"type":"tool_result","tool_use_id":"t"}]}]}"#, Some(Format::Messages)),
        (r#"{"messages":[],"thinking_budget":9}"#, Some(Format::Chat)),
        (r#"{"prompt":""}"#, Some(Format::Completions)),
        (r#"{"model":"m"}"#, None),
        (r#"[{"prompt":"a"}]"#, None),
        ("data: {\"prompt\":\"a\"}", None),
        ("", None),
    ];
    for (body, format) in cases {
        assert_eq!(read(body).and_then(|prompt| prompt.format), format, "{body}");
        assert_eq!(read(body).is_some(), format.is_some(), "{body}");
    }
    let prompt = read(r#"{"input":"a","store":true}"#).unwrap();
    assert_eq!(prompt.turns, [turn("user", vec![text("a")])]);
}

#[test]
fn one_key_of_a_format_is_enough() {
    let format = |text: &str| read(text).and_then(|prompt| prompt.format);
    for key in ["stop_sequences", "output_config", "anthropic_version"] {
        let text = format!(r#"{{"messages":[{{"role":"user","content":"q"}}],"{key}":["x"]}}"#);
        assert_eq!(format(&text), Some(Format::Messages), "{key}");
    }
    assert_eq!(format(r#"{"previous_response_id":"resp_1"}"#), Some(Format::Responses));
}

#[test]
fn what_came_before_a_cut_counts() {
    for body in [GHOST, CHAT, RESPONSES, MESSAGES] {
        let whole = read(body).unwrap();
        let mut before = 0;
        for end in (0..body.len()).filter(|&end| body.is_char_boundary(end)) {
            let Some(part) = read(&body[..end]) else {
                assert_eq!(before, 0, "lost at {end} of {body}");
                continue;
            };
            assert!(part.cut, "{end} of {body}");
            for (cut, all) in [(&part.model, &whole.model), (&part.language, &whole.language)] {
                assert!(cut.is_none() || cut == all, "{end} of {body}: {cut:?}");
            }
            assert!(part.format.is_none() || part.format == whole.format || part.format == Some(Format::Chat));
            let (cut, all) = (texts(&part), texts(&whole));
            // The system's text comes later in the body than its turn in the prompt.
            if !body.contains("\"system\":") {
                assert!(cut.len() <= all.len(), "{end} of {body}");
            }
            for (cut, all) in cut.iter().zip(&all) {
                assert!(all.starts_with(cut), "{end} of {body}: {cut:?} of {all:?}");
            }
            let said = cut.iter().map(|text| text.len()).sum();
            assert!(said >= before, "lost at {end} of {body}");
            before = said;
        }
    }
}

#[test]
fn what_was_said_before_the_format_is_not_lost() {
    let part = read(r#"{"model":"m","stream":true,"mess"#).unwrap();
    assert_eq!(part, Prompt { model: Some("m".into()), stream: Some(true), cut: true, ..Prompt::default() });
    assert_eq!(read(r#"{"model":"half"#), None);
    assert_eq!(read(r#"{"model":"m","input":["a"#), None);
    // No JSON from some place on.
    let part = read(r#"{"prompt":"a","extra":{"language":"go"},nonsense "model":"m"}"#).unwrap();
    let told = (part.prefix.as_deref(), part.language.as_deref(), part.model, part.cut);
    assert_eq!(told, (Some("a"), Some("go"), None, true));
}

#[test]
fn wrong_types_do_not_hide_the_rest() {
    let body = r#"{"model":7,"stream":"yes","n":-1,"n":1e999,"stop":null,"nwo":[],"tools":[7,{"function":3,"name":"f"}],"prompt":{},
        "extra":[],"messages":[7,null,"x",{"role":[],"content":7},{"role":"user","content":["a",7,{"type":"text","text":1},{"text":"b"}]}]}"#;
    let expected = Prompt {
        format: Some(Format::Chat),
        tools: vec!["f".into()],
        turns: vec![turn("", Vec::new()), turn("user", vec![text("a"), other("text"), text("b")])],
        ..Prompt::default()
    };
    assert_eq!(read(body), Some(expected));
    let deep = format!(r#"{{"messages":[{{"role":"user","content":"a"}}],"x":{}"#, "[".repeat(1_000_000));
    assert_eq!(texts(&read(&deep).unwrap()), ["a"]);
    // Code that a client cut in the middle of a character.
    assert_eq!(texts(&read(r#"{"prompt":"a\ud83d","suffix":"\ude00b"}"#).unwrap()), ["a\u{fffd}", "\u{fffd}b"]);
}

#[test]
fn more_parts_than_are_kept_are_cut() {
    let body = format!(r#"{{"messages":[{}{{}}]}}"#, "{\"role\":\"user\",\"content\":\"a\"},".repeat(20_000));
    let prompt = read(&body).unwrap();
    assert_eq!((prompt.turns.len(), prompt.cut), (16_384, true));
    let many = format!(r#"{{"role":"user","content":[{}"a"]}},"#, "\"a\",".repeat(9_999));
    let prompt = read(&format!(r#"{{"messages":[{}{{}}]}}"#, many.repeat(10))).unwrap();
    assert_eq!((texts(&prompt).len(), prompt.cut), (60_000, true));
}

proptest! {
    #[test]
    fn no_text_breaks_it(text in "\\PC*", cut in any::<u16>()) {
        fuzz_prompt(&[&cut.to_be_bytes(), text.as_bytes()].concat());
    }
}
