//! What was answered.

use maud::{Markup, html};

use super::prompt::{call, format_name, named, prompt, prose, reasoning};
use super::room::Room;
use super::view::View;
use super::{code, ghost, raw};
use crate::copilot::answer::{Answer, Choice, Ending, Faults, Format};
use crate::index::Row;
use crate::review::amounts::number;
use crate::review::subject::Subject;
use crate::rules::Kind;
use crate::web::render::text;

/// Prompt and answer side by side.
pub(super) fn with_prompt(view: &View, room: &mut Room) -> Markup {
    let answer = answer(&view.subject, room);
    let prompt = prompt(view, room);
    html! {
        section.prompt #prompt aria-label="Prompt" { (prompt) }
        section.answer #answer aria-label="Answer" { (answer) }
    }
}

fn answer(subject: &Subject, room: &mut Room) -> Markup {
    let Some(answer) = &subject.answer else {
        return html! {
            @if subject.row.status.is_none() {
                h2 { "Answer" }
                p.note.bad { "No response came." }
            } @else {
                h2 { "Response" }
                (raw::body(&subject.record.response_body, "Response body", room))
            }
        };
    };
    let several = answer.choices.len() > 1;
    html! {
        h2 { "Answer" }
        p.muted { (about(answer)) }
        @if let Some(sentence) = ending(answer, &subject.row) { p.note.warn { (sentence) } }
        @if let Some(error) = &answer.error {
            p.note.bad role="note" {
                strong { "Error" }
                @if let Some(code) = &error.code { " " code { (text::visible(code)) } }
                ": " (text::text(&error.message))
            }
        }
        @for choice in &answer.choices {
            @if several { h3 { "Choice " (choice.index) } }
            (self::choice(subject, answer, choice, room))
        }
        @if answer.choices.is_empty() && answer.error.is_none() { p.muted { "Nothing came but the frame of an answer." } }
        (faults(&answer.faults))
    }
}

fn about(answer: &Answer) -> String {
    let streamed = if answer.streamed { "streamed" } else { "in one piece" };
    let ending = match answer.ending {
        Ending::Complete => "complete",
        Ending::Cut => "cut before its end",
        Ending::Failed => "ended by an error",
    };
    format!("{}, {streamed}, {ending}", format_name(answer.format))
}

/// What the reader should know of an end that is not whole.
fn ending(answer: &Answer, row: &Row) -> Option<&'static str> {
    match (answer.ending, answer.format) {
        (Ending::Cut, Format::Completions) if row.aborted_by == Some(crate::archive::AbortedBy::Client) => Some(
            "The client hung up before the end, as clients do as soon as they have the lines they want or the person types on.",
        ),
        (Ending::Cut, _) => Some("The end of the answer is not here: what follows is its beginning."),
        _ => None,
    }
}

fn choice(subject: &Subject, answer: &Answer, choice: &Choice, room: &mut Room) -> Markup {
    let empty = choice.text.is_empty() && choice.tool_calls.is_empty();
    html! {
        @if !choice.reasoning.is_empty() { (reasoning(room, &choice.reasoning)) }
        @if answer.format == Format::Completions { (ghost::suggestion(subject, choice, room)) }
        @else if empty { p.muted { "No text." } }
        @else if subject.row.kind == Kind::Nes { (code::plain(room, "Answer", &choice.text)) }
        @else if !choice.text.is_empty() { (prose(room, &choice.text)) }
        @for tool in &choice.tool_calls { (call(room, &tool.id, &tool.name, &tool.arguments)) }
        (finish(choice.finish_reason.as_deref()))
    }
}

/// Why it ended, in words where a person should know.
fn finish(reason: Option<&str>) -> Markup {
    let said = match reason {
        Some("content_filter") => Some("The content filter ended the answer here."),
        Some("length" | "max_tokens" | "max_output_tokens" | "model_context_window_exceeded") => {
            Some("The answer reached its limit of tokens and ends here.")
        }
        Some("refusal") => Some("The model refused."),
        _ => None,
    };
    html! {
        @if let Some(said) = said { p.note.warn { (said) } }
        p.muted.small {
            @match reason {
                Some(reason) => { "Ended: " code { (text::visible(named(reason))) } },
                None => "No end was seen.",
            }
        }
    }
}

fn faults(faults: &Faults) -> Markup {
    let counted =
        [(faults.unreadable, "not readable"), (faults.repeated, "sent twice"), (faults.misplaced, "out of place")];
    let mut words: Vec<_> = counted
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{} {what}", number(count)))
        .collect();
    if faults.overflowed {
        words.push("more than are kept".to_owned());
    }
    html! { @if !words.is_empty() { p.note.warn { "The stream of the answer had odd events: " (words.join(", ")) "." } } }
}
