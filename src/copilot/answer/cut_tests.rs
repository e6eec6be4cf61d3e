//! Every conversation cut at every byte.

use super::fuzz::begins;
use super::golden_tests::{Golden, all};
use super::*;

/// The text of the first bytes; a character that the cut goes through is left out, as in a record.
fn head(text: &str, bytes: usize) -> &str {
    (0..=bytes).rev().find_map(|end| text.get(..end)).unwrap()
}

/// What is said in each of the cuts.
fn cuts(golden: &Golden) -> Vec<Option<Answer>> {
    (0..=golden.text.len()).map(|end| read(head(&golden.text, end))).collect()
}

fn said(answer: &Answer) -> usize {
    let calls = |choice: &Choice| choice.tool_calls.iter().map(|call| call.arguments.len()).sum::<usize>();
    answer.choices.iter().map(|choice| choice.text.len() + choice.reasoning.len() + calls(choice)).sum()
}

#[test]
fn what_is_rebuilt_of_a_cut_conversation_is_the_beginning_of_the_whole() {
    for golden in all() {
        let mut before = 0;
        for (end, part) in cuts(&golden).into_iter().enumerate() {
            let Some(part) = part else {
                assert_eq!(before, 0, "{}: what came is lost at {end}", golden.name);
                continue;
            };
            begins(&part, &golden.answer);
            assert!(said(&part) >= before, "{}: what came is lost at {end}", golden.name);
            before = said(&part);
            assert_eq!(part.faults, Faults::default(), "{} at {end}", golden.name);
            for (told, whole) in [(&part.id, &golden.answer.id), (&part.model, &golden.answer.model)] {
                assert!(told.is_none() || told == whole, "{} at {end}: {told:?}", golden.name);
            }
            for choice in &part.choices {
                let whole = golden.answer.choices.iter().find(|whole| whole.index == choice.index).unwrap();
                let reason = &choice.finish_reason;
                assert!(reason.is_none() || *reason == whole.finish_reason, "{} at {end}: {reason:?}", golden.name);
                for (call, whole) in choice.tool_calls.iter().zip(&whole.tool_calls) {
                    assert!(call.id.is_empty() || call.id == whole.id, "{} at {end}", golden.name);
                    assert!(call.name.is_empty() || call.name == whole.name, "{} at {end}", golden.name);
                }
            }
        }
        assert_eq!(before, said(&golden.answer), "{}", golden.name);
    }
}

#[test]
fn a_stream_says_what_has_come_at_the_end_of_each_event() {
    // Nothing is kept back until later events: after an event of text the text is there.
    for golden in all().iter().filter(|golden| golden.answer.first_token_end.is_some()) {
        let end = golden.answer.first_token_end.unwrap();
        let part = read(&golden.text[..end]).unwrap();
        assert_eq!(part.first_token_end, Some(end), "{}", golden.name);
        let opened = part.choices.iter().any(|choice| !choice.tool_calls.is_empty());
        assert!(said(&part) > 0 || opened, "{}", golden.name);
    }
}

#[test]
fn only_a_whole_conversation_is_complete() {
    for golden in all().iter().filter(|golden| golden.answer.ending == Ending::Complete) {
        let text = golden.text.trim_end();
        // What marks the end: chat and completions have two marks, of which the first is enough.
        let marks = ["finish_reason\":\"stop\"", "finish_reason\":\"", "response.", "message_stop"];
        let mark = marks.iter().filter_map(|mark| text.rfind(mark)).max().unwrap_or(0);
        let end = if golden.answer.streamed { mark } else { text.len() - 1 };
        for end in 0..=end {
            let part = read(head(text, end));
            assert!(part.is_none_or(|part| part.ending != Ending::Complete), "{} at {end}", golden.name);
        }
        assert_eq!(read(text).unwrap().ending, Ending::Complete, "{}", golden.name);
    }
}

#[test]
fn half_an_answer_that_is_no_stream_is_not_lost() {
    let whole = r#"{"choices":[{"index":0,"finish_reason":"stop","message":{"content":"one two"#;
    let part = read(whole).unwrap();
    assert_eq!(part.choices[0].text, "one two");
    assert_eq!((part.ending, part.streamed), (Ending::Cut, false));

    let call = r#"{"type":"message","content":[{"type":"tool_use","id":"t","name":"f","input":{"a": [1, {"b": "c"#;
    let part = read(call).unwrap();
    assert_eq!(part.choices[0].tool_calls[0].arguments, r#"{"a": [1, {"#);
    assert_eq!(part.ending, Ending::Cut);

    // Half an emoji, and half an escape.
    for (end, text) in [(r"\ud83d", ""), (r"\ud83d\ude", ""), (r"\ud83d\ude00", "😀"), (r"\u00f", ""), ("\\", "")] {
        let part = read(&format!(r#"{{"choices":[{{"message":{{"content":"a{end}"#)).unwrap();
        assert_eq!(part.choices[0].text, format!("a{text}"), "{end}");
    }
}

#[test]
fn tokens_that_are_not_the_answers_are_not_told_of_a_cut_message() {
    let golden = all().into_iter().find(|golden| golden.name == "a message").unwrap();
    let end = golden.text.find("event: message_delta").unwrap();
    let usage = read(&golden.text[..end]).unwrap().usage.unwrap();
    assert_eq!((usage.input, usage.output, usage.total), (Some(100), None, None));
}
