//! Body of the fuzz target, callable from a plain test.

use super::{Answer, Choice, read};

/// Reads any bytes as an answer: whole, and cut at a place that the first two bytes choose.
///
/// # Panics
/// When more comes out than went in, or when the answer to the cut text is not the beginning of the answer to the whole
/// one although the whole one is a stream without faults.
#[doc(hidden)]
pub fn fuzz_answer(data: &[u8]) {
    let Some((cut, body)) = data.split_at_checked(2) else { return };
    let text = String::from_utf8_lossy(body);
    let place = usize::from(cut[0]) << 8 | usize::from(cut[1]);
    let cut = (0..=place % (text.len() + 1)).rev().find_map(|end| text.get(..end)).unwrap_or_default();

    let whole = read(&text);
    let part = read(cut);
    for answer in whole.iter().chain(&part) {
        bounded(answer, text.len());
    }
    if let (Some(part), Some(whole)) = (&part, &whole)
        && whole.streamed
        && whole.format == part.format
        && whole.faults.misplaced == 0
    {
        begins(part, whole);
    }
}

/// What comes out is made of what went in, and of that only once.
fn bounded(answer: &Answer, input: usize) {
    // Parts of reasoning are set apart by two bytes each, and no part takes less than that in the text.
    let text: usize = answer.choices.iter().map(|choice| choice.text.len() + choice.reasoning.len()).sum();
    let arguments = answer.choices.iter().flat_map(|choice| &choice.tool_calls).map(|call| call.arguments.len());
    assert!(text + arguments.sum::<usize>() <= input, "{answer:?}");
    assert!(answer.choices.len() <= 128, "{} choices", answer.choices.len());
    assert!(answer.first_token_end.is_none_or(|end| end <= input), "{:?} of {input}", answer.first_token_end);
}

/// Whether an answer may become the other when more of its text comes.
///
/// # Panics
/// When it may not.
#[doc(hidden)]
pub fn begins(part: &Answer, whole: &Answer) {
    for choice in &part.choices {
        let Some(other) = whole.choices.iter().find(|other| other.index == choice.index) else {
            panic!("choice {} is gone", choice.index);
        };
        choice_begins(choice, other);
    }
}

fn choice_begins(part: &Choice, whole: &Choice) {
    assert!(whole.text.starts_with(&part.text), "{:?} is not the beginning of {:?}", part.text, whole.text);
    let (thought, all) = (&part.reasoning, &whole.reasoning);
    assert!(all.starts_with(thought), "{thought:?} is not the beginning of {all:?}");
    assert!(part.tool_calls.len() <= whole.tool_calls.len(), "a call is gone");
    for (call, other) in part.tool_calls.iter().zip(&whole.tool_calls) {
        assert!(other.arguments.starts_with(&call.arguments), "{call:?} is not the beginning of {other:?}");
    }
}
