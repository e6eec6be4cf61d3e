//! Body of the fuzz target, callable from a plain test.

use super::{Part, Prompt, read};

/// Reads any bytes as a request's body: whole, and cut at a place that the first two bytes choose.
///
/// # Panics
/// When more comes out than went in, or when a text of the cut body is not the beginning of the whole one's.
#[doc(hidden)]
pub fn fuzz_prompt(data: &[u8]) {
    let Some((cut, body)) = data.split_at_checked(2) else { return };
    let text = String::from_utf8_lossy(body);
    let place = usize::from(cut[0]) << 8 | usize::from(cut[1]);
    let cut = (0..=place % (text.len() + 1)).rev().find_map(|end| text.get(..end)).unwrap_or_default();

    let (whole, part) = (read(&text), read(cut));
    for prompt in whole.iter().chain(&part) {
        let said: usize = texts(prompt).iter().map(|text| text.len()).sum();
        assert!(said <= text.len(), "{prompt:?}");
    }
    assert!(cut.len() == text.len() || part.is_none_or(|part| part.cut || whole.is_some()), "made of nothing");
}

/// All texts of a prompt in their order.
#[doc(hidden)]
#[must_use]
pub fn texts(prompt: &Prompt) -> Vec<&str> {
    let parts = prompt.turns.iter().flat_map(|turn| &turn.parts).map(|part| match part {
        Part::Text { text } | Part::Reasoning { text } | Part::ToolResult { text, .. } => text.as_str(),
        Part::ToolCall { arguments, .. } => arguments.as_str(),
        Part::Other { .. } => "",
    });
    prompt.prefix.as_deref().into_iter().chain(prompt.suffix.as_deref()).chain(parts).collect()
}
