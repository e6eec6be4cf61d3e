//! Streams as nobody should send them.

use proptest::prelude::*;
use proptest::sample::Index;

use super::common::Ceilings;
use super::fuzz::{begins, fuzz_answer};
use super::golden_tests::all;
use super::*;

fn sse(events: &[&str]) -> String {
    events.iter().map(|event| format!("data: {event}\n\n")).collect()
}

fn read_sse(events: &[&str]) -> Answer {
    read(&sse(events)).expect("an answer")
}

fn texts(answer: &Answer) -> Vec<&str> {
    answer.choices.iter().map(|choice| choice.text.as_str()).collect()
}

fn arguments(answer: &Answer) -> Vec<&str> {
    answer.choices.iter().flat_map(|choice| &choice.tool_calls).map(|call| call.arguments.as_str()).collect()
}

const OPEN: &str =
    r#"{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"type":"message"}}"#;
const A: &str = r#"{"type":"response.output_text.delta","sequence_number":2,"output_index":0,"delta":"a"}"#;
const B: &str = r#"{"type":"response.output_text.delta","sequence_number":3,"output_index":0,"delta":"b"}"#;
const AB: &str = r#"{"type":"response.output_item.done","sequence_number":4,"output_index":0,"item":{"type":"message","content":[{"text":"ab"}]}}"#;
const END: &str = r#"{"type":"response.completed","sequence_number":5,"response":{"output":[{"type":"message","content":[{"text":"ab"}]}]}}"#;

#[test]
fn what_is_no_answer_is_none() {
    let others = [
        "",
        " \n",
        "null",
        "7",
        "\"text\"",
        "{}",
        "[]",
        "[[[",
        "{\"a\":",
        "<html>data</html>",
        ": only a comment\n\n",
        "data: \n\n",
        "data\n\n",
        r#"{"data":[{"id":"m-1","object":"model"}],"object":"list"}"#,
        r#"{"object":"list","data":[{"embedding":[0.1]}],"model":"m","usage":{"prompt_tokens":3}}"#,
        r#"{"message":"Bad credentials","documentation_url":"https://example.com"}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"x"}}"#,
        "event: message\ndata: {\"jsonrpc\":\"2.0\",\"result\":{}}\n\n",
        r#"{"itemsReceived":1,"itemsAccepted":1,"errors":[]}"#,
        r#"{"error":null}"#,
        r#"[{"time":"t","data":{"baseType":"EventData"}}]"#,
    ];
    for text in others {
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn events_said_twice_count_once_where_they_can_be_told() {
    let answer = read_sse(&[OPEN, A, A, OPEN, B, A, AB, AB, END, END]);
    assert_eq!(texts(&answer), ["ab"]);
    assert_eq!(answer.faults, Faults { repeated: 5, ..Faults::default() });

    // Without sequence numbers: what was closed stays closed.
    let plain = |event: &str| event.replace(r#""sequence_number":"#, r#""n":"#);
    let (open, a, done, end) = (plain(OPEN), plain(A), plain(AB), plain(END));
    let answer = read_sse(&[&open, &open, &a, &done, &done, &a, &end, &a, &end]);
    assert_eq!(texts(&answer), ["ab"]);
    assert_eq!(answer.faults, Faults { repeated: 5, ..Faults::default() });

    let start = r#"{"type":"message_start","message":{"id":"msg_1"}}"#;
    let block = r#"{"type":"content_block_start","index":0,"content_block":{"type":"text"}}"#;
    let delta = r#"{"type":"content_block_delta","index":0,"delta":{"text":"a"}}"#;
    let stop = r#"{"type":"content_block_stop","index":0}"#;
    let end = r#"{"type":"message_stop"}"#;
    let answer = read_sse(&[start, start, block, block, delta, stop, delta, end, end]);
    assert_eq!(texts(&answer), ["a"]);
    assert_eq!(answer.faults, Faults { repeated: 4, ..Faults::default() });
}

#[test]
fn what_was_never_opened_or_comes_late_is_kept_and_marked() {
    let answer = read_sse(&[A, B]);
    assert_eq!((texts(&answer), answer.ending), (vec!["ab"], Ending::Cut));
    assert_eq!(answer.faults, Faults { misplaced: 1, ..Faults::default() });

    // The last event is preferred to pieces out of order.
    let answer = read_sse(&[OPEN, B, A, END]);
    assert_eq!((texts(&answer), answer.ending), (vec!["ab"], Ending::Complete));
    assert_eq!(answer.faults, Faults { misplaced: 2, ..Faults::default() });

    let answer = read_sse(&[
        r#"{"type":"response.function_call_arguments.delta","output_index":7,"delta":"{}"}"#,
        r#"{"type":"response.output_item.added","output_index":7,"item":{"type":"function_call","call_id":"c","name":"f"}}"#,
    ]);
    assert_eq!(answer.choices[0].tool_calls, [ToolCall { id: "c".into(), name: "f".into(), arguments: "{}".into() }]);
    assert_eq!(answer.faults, Faults { misplaced: 1, ..Faults::default() });

    let answer = read_sse(&[
        r#"{"type":"content_block_delta","index":1,"delta":{"text":"b"}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"text":"a"}}"#,
        r#"{"type":"content_block_delta","index":2,"delta":{"partial_json":"{"}}"#,
    ]);
    assert_eq!((texts(&answer), arguments(&answer)), (vec!["ab"], vec!["{"]));
    assert_eq!(answer.faults, Faults { misplaced: 4, ..Faults::default() });

    let answer = read_sse(&[
        r#"{"choices":[{"delta":{"tool_calls":[{"index":3,"function":{"arguments":"{"}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":3,"id":"c","function":{"name":"f","arguments":"}"}}]},"finish_reason":"tool_calls"}]}"#,
        r#"{"choices":[{"delta":{"content":"late"}}]}"#,
    ]);
    assert_eq!(answer.choices[0].tool_calls, [ToolCall { id: "c".into(), name: "f".into(), arguments: "{}".into() }]);
    assert_eq!((texts(&answer), answer.faults.misplaced), (vec!["late"], 2));
}

#[test]
fn pieces_that_were_lost_come_with_the_final_form() {
    let answer = read_sse(&[OPEN, A, END]);
    assert_eq!(texts(&answer), ["ab"]);
    assert_eq!(answer.faults, Faults::default());
    // An empty final form does not take away what came.
    let empty = r#"{"type":"response.completed","response":{"output":[]}}"#;
    assert_eq!(texts(&read_sse(&[OPEN, A, B, empty])), ["ab"]);
}

#[test]
fn a_last_event_that_leaves_items_out_does_not_double_the_others() {
    let message = r#"{"type":"message","content":[{"text":"ab"}]}"#;
    let call = r#"{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}"#;
    let end =
        |items: &[&str]| format!(r#"{{"type":"response.completed","response":{{"output":[{}]}}}}"#, items.join(","));
    let thought = r#"{"type":"response.reasoning_summary_text.delta","output_index":0,"delta":"why"}"#;
    let opened = r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning"}}"#;
    let second = |event: &str| event.replace(r#""output_index":0"#, r#""output_index":1"#);
    let events = [opened, thought, &second(OPEN), &second(A), &second(B)];

    let answer = read_sse(&[&events[..], &[&end(&[message, call])]].concat());
    assert_eq!((texts(&answer), arguments(&answer)), (vec!["ab"], vec!["{}"]));
    let answer = read_sse(&[&events[..], &[&end(&[message])]].concat());
    assert_eq!((texts(&answer), answer.choices[0].reasoning.as_str()), (vec!["ab"], "why"));
    assert_eq!(answer.faults, Faults::default());
    let other = end(&[&message.replace("ab", "x"), call, call]);
    let answer = read_sse(&[&events[..], &[&other]].concat());
    assert_eq!((texts(&answer), answer.faults.misplaced), (vec!["x"], 1));
}

#[test]
fn errors_are_told_wherever_they_stand() {
    let error = |answer: &Answer| {
        let error = answer.error.as_ref().expect("an error");
        (error.code.clone().unwrap_or_default(), error.message.clone(), answer.ending, answer.format)
    };
    let of = |code: &str, message: &str, ending, format| (code.to_owned(), message.to_owned(), ending, format);
    let named = read("event: error\ndata: {\"code\":\"429\",\"message\":\"slow down\"}\n\n").expect("an answer");
    assert_eq!(error(&named), of("429", "slow down", Ending::Failed, Format::Responses));
    // What ends the stream does not say of which format it was.
    let messages = read_sse(&[r#"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#, "[DONE]"]);
    assert_eq!(error(&messages), of("overloaded_error", "m", Ending::Failed, Format::Messages));
    // An error beside a whole answer is no end of it; beside a cut one it is.
    let beside = r#"{"object":"response","id":"resp_1","error":{"code":"c","message":"m"},"output":[]}"#;
    assert_eq!(error(&read(beside).expect("an answer")), of("c", "m", Ending::Complete, Format::Responses));
    let piece = r#"{"copilot_errors":[{"code":"c","message":"m"}],"choices":[{"delta":{"content":"a"}}]}"#;
    assert_eq!(error(&read_sse(&[piece])), of("c", "m", Ending::Failed, Format::Chat));
    assert_eq!(error(&read_sse(&[piece, "[DONE]"])), of("c", "m", Ending::Complete, Format::Chat));
    // Of several, the first that says something.
    let answer = read_sse(&[piece, r#"{"error":{"code":"d","message":"n"}}"#]);
    assert_eq!(error(&answer), of("c", "m", Ending::Failed, Format::Chat));
    // A whole message ends a stream, though its pieces had no end.
    let whole = r#"{"choices":[{"message":{"content":"b"}}]}"#;
    assert_eq!(read_sse(&[r#"{"choices":[{"delta":{"content":"a"}}]}"#, whole]).ending, Ending::Complete);
    // All choices failed, or some.
    let choices = |ends: [&str; 2]| {
        let [a, b] = ends.map(|end| format!(r#""finish_reason":"{end}""#));
        read_sse(&[&format!(r#"{{"choices":[{{"index":0,"delta":{{}},{a}}},{{"index":1,"delta":{{}},{b}}}]}}"#)]).ending
    };
    assert_eq!(choices(["error", "error"]), Ending::Failed);
    assert_eq!(choices(["error", "stop"]), Ending::Complete);
}

#[test]
fn what_is_in_order_is_not_marked() {
    // Text and reasoning each have their own order.
    let start = |index, kind| {
        format!(r#"{{"type":"content_block_start","index":{index},"content_block":{{"type":"{kind}"}}}}"#)
    };
    let delta =
        |index, key, text| format!(r#"{{"type":"content_block_delta","index":{index},"delta":{{"{key}":"{text}"}}}}"#);
    let end = |reason| format!(r#"{{"type":"message_delta","delta":{{{reason}}}}}"#);
    let answer = read_sse(&[
        &start(1, "text"),
        &delta(1, "text", "said"),
        &start(0, "thinking"),
        &delta(0, "thinking", "thought"),
        &end(r#""stop_reason":"end_turn""#),
        &end(""),
        r#"{"type":"message_stop"}"#,
        r#"{"type":"ping"}"#,
    ]);
    assert_eq!((answer.choices[0].text.as_str(), answer.choices[0].reasoning.as_str()), ("said", "thought"));
    assert_eq!(answer.choices[0].finish_reason.as_deref(), Some("end_turn"), "a later event says nothing of it");
    assert_eq!((answer.faults, answer.ending), (Faults::default(), Ending::Complete));

    let stop = r#"{"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}"#;
    let more = |delta: &str| format!(r#"{{"choices":[{{"delta":{{{delta}}}}}]}}"#);
    assert_eq!(read_sse(&[stop, &more("")]).faults, Faults::default());
    let late = read_sse(&[stop, &more(r#""reasoning_text":"hm""#)]);
    assert_eq!(late.faults, Faults { misplaced: 1, ..Faults::default() }, "reasoning behind the end");

    // A number below the first one of a stream.
    let numbered = |number| format!(r#"{{"type":"response.in_progress","sequence_number":{number}}}"#);
    let answer = read_sse(&[&numbered(5), &numbered(6), &numbered(3)]);
    assert_eq!(answer.faults, Faults { misplaced: 1, ..Faults::default() });
}

#[test]
fn values_one_after_the_other_are_a_stream_until_their_end() {
    let answer = read("{\"choices\":[{\"text\":\"a\"}]}\n{\"choices\":[{\"text\":\"b\"}]}").expect("an answer");
    assert_eq!((texts(&answer), answer.ending, answer.streamed), (vec!["ab"], Ending::Cut, true));
    let text = "\u{feff}\n {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}";
    assert_eq!(read(text).expect("an answer").first_token_end, Some(text.len()), "as it lies in the body");
    let answer = read(&format!("{text}\n{{\"choices\":1e999}}\n{{\"choices\":[{{\"delta\":{{\"content\":\"b\"}}}}]}}"));
    let answer = answer.expect("an answer");
    assert_eq!((texts(&answer), answer.faults), (vec!["ab"], Faults { unreadable: 1, ..Faults::default() }));
    let response = r#"{"object":"response","status":"in_progress","output":[]}"#;
    let answer = read(&format!("{response}\n{response}")).expect("an answer");
    assert_eq!((answer.faults, answer.ending), (Faults { repeated: 1, ..Faults::default() }, Ending::Cut));
}

#[test]
fn calls_without_index_are_told_apart_by_their_names() {
    let call = |name: &str, arguments: &str| {
        let function = serde_json::json!({"name": name, "arguments": arguments});
        serde_json::json!({"choices": [{"delta": {"tool_calls": [{"function": function}]}}]}).to_string()
    };
    let answer = read_sse(&[&call("f", "1"), &call("", "2"), &call("f", "3")]);
    assert_eq!((arguments(&answer), answer.faults), (vec!["12", "3"], Faults::default()));
}

#[test]
fn the_last_word_replaces_what_it_denies() {
    let call =
        |arguments: &str| format!(r#"{{"type":"function_call","call_id":"c","name":"f","arguments":"{arguments}"}}"#);
    let added = format!(r#"{{"type":"response.output_item.added","output_index":0,"item":{}}}"#, call(""));
    let delta = r#"{"type":"response.function_call_arguments.delta","output_index":0,"delta":"x"}"#;
    let message = r#"{"type":"message","content":[{"text":"hi"}]}"#;
    let last = |reason: &str, calls: &str| {
        format!(r#"{{"type":"response.completed","response":{{"output":[{message},{calls}]{reason}}}}}"#)
    };
    let small = Ceilings { text: 4, calls: 1, ..Ceilings::default() };
    for (arguments_said, misplaced) in [("xy", 0), ("y", 1)] {
        let reason = r#","incomplete_details":{"reason":"max_output_tokens"}"#;
        let events = [added.as_str(), delta, &last(reason, &call(arguments_said))];
        let answer = source::read(&sse(&events), small).expect("an answer");
        assert_eq!((texts(&answer), arguments(&answer)), (vec!["hi"], vec![arguments_said]));
        assert_eq!(answer.faults, Faults { misplaced, ..Faults::default() }, "what is replaced frees its room");
        assert_eq!(
            answer.choices[0].finish_reason.as_deref(),
            Some("completed"),
            "a reason is one of being incomplete"
        );
    }
    let done = r#"{"type":"response.output_text.done","output_index":0,"text":"wxyz"}"#;
    let answer = source::read(&sse(&[OPEN, A, B, done]), small).expect("an answer");
    assert_eq!((texts(&answer), answer.faults), (vec!["wxyz"], Faults { misplaced: 1, ..Faults::default() }));
    // Where the ceiling cut, nothing is put behind the gap, whatever the last word is.
    let delta = A.replace(r#""delta":"a""#, r#""delta":"abcdef""#);
    let done = r#"{"type":"response.output_text.done","output_index":0,"text":"xy"}"#;
    let answer = source::read(&sse(&[OPEN, &delta, done, B]), small).expect("an answer");
    assert_eq!((texts(&answer), answer.faults), (vec!["abcd"], Faults { overflowed: true, ..Faults::default() }));
    let summary =
        r#"{"object":"response","output":[{"type":"reasoning","summary":[{"text":"a"},{"text":""},{"text":"b"}]}]}"#;
    assert_eq!(read(summary).expect("an answer").choices[0].reasoning, "a\n\nb", "an empty part parts nothing");
}

#[test]
fn an_event_that_cannot_be_read_costs_only_itself() {
    let (a, b) = (r#"{"choices":[{"text":"a"}]}"#, r#"{"choices":[{"text":"b","finish_reason":"stop"}]}"#);
    for odd in [
        "{",
        "{\"choices\":[{\"text\":\"x",
        "nonsense",
        "[DONE",
        "[1]",
        "7",
        "{\"a\":1e999}}",
        "{\"type\":\"message_stop\"}",
    ] {
        let answer = read_sse(&[a, odd, b]);
        assert_eq!((texts(&answer), answer.ending), (vec!["ab"], Ending::Complete), "{odd}");
        assert_eq!(answer.faults, Faults { unreadable: answer.faults.unreadable.max(1), ..Faults::default() }, "{odd}");
        let answer = read(&[a, odd, b].join("\n"));
        assert!(answer.is_some_and(|answer| answer.choices[0].text.starts_with('a')), "{odd}");
    }
    // Lines of a WebSocket's record.
    for odd in ["{\"a\":1", "nonsense", "{\"a\":[}"] {
        let text = [OPEN, A, odd, B, AB, END].join("\n");
        let answer = read(&text).unwrap();
        assert_eq!((texts(&answer), answer.faults.unreadable), (vec!["ab"], 1), "{odd}");
    }
    // Events without the empty line between them.
    let answer = read(&format!("data: {a}\ndata: {b}\ndata: [DONE]\n\n")).unwrap();
    assert_eq!((texts(&answer), answer.faults), (vec!["ab"], Faults::default()));
}

#[test]
fn wrong_types_do_not_hide_the_rest() {
    let answer = read_sse(&[
        r#"{"id":7,"model":["m"],"usage":[],"choices":[{"index":"x","text":{"a":1},"finish_reason":3,"delta":[]}]}"#,
        r#"{"id":"cmpl-1","model":"m","error":false,"choices":[{"index":0,"index":1e999,"text":"a"},7,null,"x",{"index":1.5,"text":"b","delta":{"tool_calls":{}}}]}"#,
        r#"{"choices":{"0":{"text":"no"}}}"#,
        r#"{"choices":[{"text":"c","text":"d","delta":"plain"}]}"#,
    ]);
    assert_eq!((answer.id.as_deref(), answer.model.as_deref()), (Some("cmpl-1"), Some("m")));
    assert_eq!(texts(&answer), ["ad", "", "", "", "b"]);
    assert_eq!(answer.faults, Faults::default());

    let whole = r#"{"type":"message","id":null,"content":[7,{"type":"text","text":null},{"type":"text","text":"a"},{"type":["x"]}],"usage":"none","stop_reason":{}}"#;
    assert_eq!(texts(&read(whole).unwrap()), ["a"]);
}

#[test]
fn halves_of_characters_are_replaced() {
    let answer = read_sse(&[
        r#"{"choices":[{"delta":{"content":"a\ud83d"}}]}"#,
        r#"{"choices":[{"delta":{"content":"\ude00b \\ud83d \ud83d\ude00"},"finish_reason":"stop"}]}"#,
    ]);
    assert_eq!(texts(&answer), ["a\u{fffd}\u{fffd}b \\ud83d 😀"]);
    assert_eq!(answer.faults, Faults::default());
    let bytes = [b"data: {\"choices\":[{\"text\":\"".as_slice(), b"\xff\xc3", b"\"}]}\n\n"].concat();
    assert_eq!(texts(&read(&String::from_utf8_lossy(&bytes)).unwrap()), ["\u{fffd}\u{fffd}"]);
}

#[test]
fn deep_nesting_and_huge_indices_are_survived() {
    let deep = format!(r#"{{"x":{}{},"choices":[{{"text":"a"}}]}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(texts(&read_sse(&[&deep])), ["a"]);
    let cut = format!(r#"{{"choices":[{{"text":"a"}}],"x":{}"#, "{\"a\":[".repeat(100_000));
    assert_eq!(texts(&read(&cut).unwrap()), ["a"]);
    // Each line could be the inside of the one before: reading must not begin anew at each.
    let lines = format!("{{\"choices\":[{{\"text\":\"a\"}}],\"x\":{}", "\n{\"a\":".repeat(100_000));
    assert_eq!(texts(&read(&lines).unwrap()), ["a"]);
    let line = format!("\n{{\"a\":[{}{},", "[".repeat(130), "]".repeat(130));
    let lines = format!("{{\"choices\":[{{\"text\":\"a\"}}],\"x\":[{}", line.repeat(5_000));
    assert_eq!(texts(&read(&lines).unwrap()), ["a"]);
    let spaces = format!("{}{}", "{\"choices\":[]}".repeat(20_000), " ".repeat(1 << 20));
    assert!(read(&spaces).is_some());

    let huge = r#"{"choices":[{"index":18446744073709551615,"text":"a"},{"index":9007199254740992,"text":"b"}]}"#;
    let answer = read_sse(&[huge]);
    let indices: Vec<_> = answer.choices.iter().map(|choice| choice.index).collect();
    assert_eq!(indices, [0, 1 << 53]);
    let huge =
        r#"{"type":"response.output_text.delta","output_index":9007199254740992,"content_index":-1,"delta":"a"}"#;
    assert_eq!(texts(&read_sse(&[huge])), ["a"]);
}

#[test]
fn ceilings_hold_and_say_so() {
    let small = Ceilings { text: 5, choices: 2, calls: 2, parts: 2 };
    let read = |events: &[&str]| source::read(&sse(events), small).expect("an answer");
    let overflowed = Faults { overflowed: true, ..Faults::default() };

    let answer =
        read(&[r#"{"choices":[{"text":"abü"}]}"#, r#"{"choices":[{"text":"üx"}]}"#, r#"{"choices":[{"text":"y"}]}"#]);
    assert_eq!((texts(&answer), answer.faults), (vec!["abü"], overflowed));
    let answer = read(&[r#"{"choices":[{"text":"abcde"}]}"#]);
    assert_eq!((texts(&answer), answer.faults), (vec!["abcde"], Faults::default()));

    let answer = read(&[r#"{"choices":[{"index":5,"text":"a"},{"index":4},{"index":3},{"index":5,"text":"b"}]}"#]);
    assert_eq!((texts(&answer), answer.faults), (vec!["", "ab"], overflowed));

    let calls = r#"{"choices":[{"delta":{"tool_calls":[{"id":"a","function":{"arguments":"1"}},{"id":"b"},{"id":"c"},{"id":"a","function":{"arguments":"2"}}]}}]}"#;
    let answer = read(&[calls]);
    assert_eq!((arguments(&answer), answer.faults), (vec!["12", ""], overflowed));

    let block = |index: u64| {
        format!(r#"{{"type":"content_block_start","index":{index},"content_block":{{"type":"text","text":"a"}}}}"#)
    };
    let answer = read(&[&block(0), &block(1), &block(2)]);
    assert_eq!((texts(&answer), answer.faults), (vec!["aa"], overflowed));

    let last =
        r#"{"type":"response.completed","response":{"output":[{"type":"message","content":[{"text":"abcdefgh"}]}]}}"#;
    let answer = read(&[OPEN, A, last]);
    assert_eq!((texts(&answer), answer.faults), (vec!["abcde"], overflowed));
}

#[test]
fn the_format_is_told_by_the_first_event_that_shows_it() {
    let cases = [
        ("data: [DONE]\n\n", Format::Chat, Ending::Complete),
        (r#"{"choices":[],"prompt_filter_results":[]}"#, Format::Chat, Ending::Complete),
        (r#"{"object":"text_completion","choices":[]}"#, Format::Completions, Ending::Complete),
        ("data: {\"id\":\"cmpl-1\",\"choices\":[{\"index\":0}]}\n\n", Format::Completions, Ending::Cut),
        ("data: {\"choices\":[{\"index\":0}]}\n\n", Format::Completions, Ending::Cut),
        ("event: response.created\ndata: {\"response\":{}}\n\n", Format::Responses, Ending::Cut),
        ("event: ping\ndata: {\"type\":\"ping\"}\n\nevent: message_start\ndata: {}\n\n", Format::Messages, Ending::Cut),
        (r#"{"error":"quota"}"#, Format::Chat, Ending::Failed),
        (
            "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"error\"}]}\n\n",
            Format::Chat,
            Ending::Failed,
        ),
        (r#"{"object":"response","status":"in_progress","output":[]}"#, Format::Responses, Ending::Cut),
        (r#"{"object":"response","status":"failed","output":[]}"#, Format::Responses, Ending::Failed),
    ];
    for (text, format, ending) in cases {
        let answer = read(text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!((answer.format, answer.ending), (format, ending), "{text}");
        assert_eq!(answer.faults, Faults::default(), "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_breaks_it(text in "\\PC*", cut in any::<u16>()) {
        fuzz_answer(&[&cut.to_be_bytes(), text.as_bytes()].concat());
    }

    #[test]
    fn lines_of_events_in_any_order_break_nothing(
        which in any::<Index>(),
        order in prop::collection::vec(any::<Index>(), 0..40),
        cut in any::<u16>(),
    ) {
        let goldens = all();
        let streams: Vec<_> = goldens.iter().filter(|golden| golden.is_sse()).collect();
        let golden = which.get(&streams);
        let lines: Vec<_> = golden.text.split_inclusive('\n').collect();
        let text: String = order.iter().map(|line| *line.get(&lines)).collect();
        fuzz_answer(&[&cut.to_be_bytes(), text.as_bytes()].concat());
    }

    #[test]
    fn shuffled_events_with_a_last_one_give_what_it_says(order in Just(vec![OPEN, A, B, AB]).prop_shuffle()) {
        let answer = read_sse(&[&order[..], &[END]].concat());
        prop_assert_eq!(texts(&answer), ["ab"]);
        prop_assert_eq!(answer.ending, Ending::Complete);
    }

    #[test]
    fn a_stream_of_any_texts_is_put_together(
        pieces in prop::collection::vec((0..4_u64, ".{0,8}"), 1..30),
        cut in any::<Index>(),
    ) {
        let mut expected = std::collections::BTreeMap::<u64, String>::new();
        let mut text = String::new();
        for (index, piece) in &pieces {
            expected.entry(*index).or_default().push_str(piece);
            let event = serde_json::json!({"choices": [{"index": index, "delta": {"content": piece}}]});
            text.push_str(&format!("data: {event}\r\n\r\n"));
        }
        let whole = read(&text).unwrap();
        prop_assert_eq!(texts(&whole), expected.values().map(String::as_str).collect::<Vec<_>>());
        prop_assert_eq!(whole.faults, Faults::default());
        let end = (0..=cut.index(text.len())).rev().find_map(|end| text.get(..end)).unwrap();
        if let Some(part) = read(end) {
            begins(&part, &whole);
        }
    }
}

#[test]
fn requests_go_on_from_the_id_of_the_last_event() {
    let created = r#"data: {"type":"response.created","response":{"id":"resp_a","model":"m"}}"#;
    let completed =
        |id: &str| format!("data: {{\"type\":\"response.completed\",\"response\":{{{id}\"output\":[]}}}}\n\n");
    let id = |last: &str| read(&format!("{created}\n\n{last}")).unwrap().id.unwrap();
    assert_eq!(id(&completed(r#""id":"resp_b","#)), "resp_b");
    assert_eq!(id(&completed("")), "resp_a");
    assert_eq!(id(""), "resp_a");
    assert_eq!(
        id(&(completed("") + completed(r#""id":"resp_c","#).as_str())),
        "resp_a",
        "behind the end nothing counts"
    );
}
