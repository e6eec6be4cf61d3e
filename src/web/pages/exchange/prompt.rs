//! What was asked: the turns of a conversation, or the parts of ghost text, or the body.

use std::collections::HashMap;

use maud::{Markup, html};

use super::code::plain;
use super::room::Room;
use super::view::View;
use super::{ghost, raw};
use crate::copilot::answer::Format;
use crate::copilot::prompt::{Part, Prompt, Turn};
use crate::review::amounts::number;
use crate::review::subject::Subject;
use crate::rules::Kind;
use crate::web::render::json;
use crate::web::render::markdown::markdown_within;
use crate::web::render::text;

/// Turns that are shown: the newest. A run of an agent has some hundred.
const TURNS: usize = 400;
/// Turns before what was asked now that are in sight; those before them are folded together.
const BEFORE: usize = 4;
/// Letters of a call's arguments that are seen while it is folded.
const BEGINNING: usize = 70;
/// Parts of a turn that are shown.
const PARTS: usize = 400;
/// Names of tools that are shown before they are folded.
const TOOLS: usize = 8;

pub(super) fn prompt(view: &View, room: &mut Room) -> Markup {
    let subject = &view.subject;
    let Some(prompt) = &subject.prompt else {
        let body = raw::body(&subject.record.request_body, "Request body", room);
        return html! { h2 { "Request" } (body) };
    };
    let is_ghost = prompt.prefix.is_some() || prompt.suffix.is_some();
    html! {
        h2 { "Prompt" }
        p.muted { (about(prompt).join(", ")) }
        @if prompt.cut { p.note.warn { "The request's body was cut, or is broken from some place on: this is what came before." } }
        @if is_ghost { (ghost::prompt(subject, prompt, room)) }
        (goes_on(view, prompt))
        (turns(subject, &prompt.turns, room))
        (tools(&prompt.tools))
    }
}

fn about(prompt: &Prompt) -> Vec<String> {
    let mut words = vec![prompt.format.map_or("form unknown", format_name).to_owned()];
    words.extend(prompt.repository.as_ref().map(|name| format!("repository {}", crate::review::text::printable(name))));
    words.extend(prompt.choices.filter(|choices| *choices > 1).map(|choices| format!("{choices} choices asked for")));
    words
}

pub(super) const fn format_name(format: Format) -> &'static str {
    match format {
        Format::Completions => "ghost text",
        Format::Chat => "chat completions",
        Format::Responses => "Responses",
        Format::Messages => "Messages",
    }
}

fn goes_on(view: &View, prompt: &Prompt) -> Markup {
    html! {
        @if prompt.previous_response_id.is_some() {
            p.note {
                "The conversation goes on from an earlier answer, which is not sent again: "
                @match &view.subject.previous {
                    Some(row) => a href=(view.address(row)) { "the exchange before this" },
                    None => "the exchange with it is not among the records",
                }
                "."
            }
        }
    }
}

/// The newest turns have the first of what a page may hold; they are shown in their order.
fn turns(subject: &Subject, turns: &[Turn], room: &mut Room) -> Markup {
    let from = turns.len().saturating_sub(TURNS);
    // What was asked now: the last turn of a person, and what is behind it.
    let asked = turns.iter().rposition(|turn| turn.role == "user" || turn.role == "developer");
    let asked = asked.unwrap_or_else(|| turns.len().saturating_sub(1));
    let names = names(turns);
    let mut shown: Vec<_> = turns
        .iter()
        .enumerate()
        .skip(from)
        .rev()
        .map(|(at, turn)| {
            let parts = parts(subject, turn, &names, room);
            html! {
                details.turn open[at >= asked] {
                    summary {
                        span.muted { (at + 1) } " " span.tag.role { (text::visible(named(&turn.role))) } " "
                        span.muted { (sizes(turn)) }
                    }
                    (parts)
                }
            }
        })
        .collect();
    shown.reverse();
    // Else what was asked now is some screens below folded lines.
    let before = asked.saturating_sub(from);
    let folded = if before > BEFORE + 1 { before - BEFORE } else { 0 };
    let (earlier, rest) = shown.split_at(folded.min(shown.len()));
    html! {
        @if from > 0 { p.left-out { (number(from as u64)) " earlier turns are not shown." } }
        @if !earlier.is_empty() {
            details.earlier {
                summary { (number(earlier.len() as u64)) " earlier turns" }
                @for turn in earlier { (turn) }
            }
        }
        @for turn in rest { (turn) }
    }
}

/// The tools by the ids of their calls: results tell ids alone.
fn names(turns: &[Turn]) -> HashMap<&str, &str> {
    let parts = turns.iter().flat_map(|turn| &turn.parts);
    let calls = parts.filter_map(|part| match part {
        Part::ToolCall { id, name, .. } if !id.is_empty() => Some((id.as_str(), name.as_str())),
        _ => None,
    });
    calls.collect()
}

fn parts(subject: &Subject, turn: &Turn, names: &HashMap<&str, &str>, room: &mut Room) -> Markup {
    let next_edit = subject.row.kind == Kind::Nes;
    html! {
        @for part in turn.parts.iter().take(PARTS) {
            @match part {
                Part::Text { text } if next_edit => (plain(room, "Text", text)),
                Part::Text { text } => (prose(room, text)),
                Part::Reasoning { text } => (reasoning(room, text)),
                Part::ToolCall { id, name, arguments } => (call(room, id, name, arguments)),
                Part::ToolResult { id, text } => details.tool {
                    summary {
                        span.label { "Result" } " of "
                        @if let Some(name) = names.get(id.as_str()) { code { (text::visible(named(name))) } " " span.muted { (text::visible(id)) } }
                        @else { code { (text::visible(named(id))) } }
                        " " span.muted { (letters(text)) }
                    }
                    (result(room, text))
                },
                Part::Other { kind } => p.muted { "(" (text::visible(named(kind))) ": not shown here, the body has it)" },
            }
        }
        @if turn.parts.len() > PARTS { p.left-out { (number((turn.parts.len() - PARTS) as u64)) " more parts are not shown." } }
        @if turn.parts.is_empty() { p.muted { "Empty." } }
    }
}

/// A text for people, in Markdown.
pub(super) fn prose(room: &mut Room, source: &str) -> Markup {
    let cut = room.cut(source, text::MOST);
    let shown = markdown_within(&mut room.code, cut.shown);
    html! { (shown) (text::left_out(cut.left_out)) }
}

/// Reasoning, folded and told from what is said.
pub(super) fn reasoning(room: &mut Room, source: &str) -> Markup {
    let shown = prose(room, source);
    html! {
        details.reasoning {
            summary { span.label { "Reasoning" } " " span.muted { (letters(source)) } }
            (shown)
        }
    }
}

/// A call of a tool, folded.
pub(super) fn call(room: &mut Room, id: &str, name: &str, arguments: &str) -> Markup {
    let cut = room.cut(arguments, text::MOST);
    let beginning = room.cut(arguments.trim_start(), BEGINNING);
    html! {
        details.tool {
            summary {
                span.label { "Call" } " of " code { (text::visible(named(name))) }
                @if !id.is_empty() { " " span.muted { (text::visible(id)) } }
                // Of forty calls of the same tool a reader looks for one.
                @if !beginning.shown.is_empty() {
                    " " span.muted.beginning { (text::visible(beginning.shown)) @if beginning.left_out > 0 { "…" } }
                }
            }
            @if arguments.is_empty() { p.muted { "Without arguments." } }
            @else { (json::arguments(cut.shown)) (text::left_out(cut.left_out)) }
        }
    }
}

fn result(room: &mut Room, source: &str) -> Markup {
    if source.trim_start().starts_with(['{', '[']) {
        let cut = room.cut(source, text::MOST);
        let shown = html! { code { (json::json(cut.shown)) } (text::left_out(cut.left_out)) };
        return super::code::boxed("Result", "code", &shown);
    }
    plain(room, "Result", source)
}

fn tools(tools: &[String]) -> Markup {
    let names = |tools: &[String]| -> Markup {
        html! { @for (at, name) in tools.iter().enumerate() { @if at > 0 { ", " } code { (text::visible(named(name))) } } }
    };
    let said = format!("{} tool{} offered", number(tools.len() as u64), if tools.len() == 1 { "" } else { "s" });
    html! {
        @match tools.len() {
            0 => {}
            1..=TOOLS => p { (said) ": " (names(tools)) "." },
            _ => details { summary { (said) } p { (names(tools)) } },
        }
    }
}

pub(super) fn named(name: &str) -> &str {
    if name.is_empty() { "-" } else { name }
}

fn letters(text: &str) -> String {
    let count = text.chars().count();
    format!("{} character{}", number(count as u64), if count == 1 { "" } else { "s" })
}

fn sizes(turn: &Turn) -> String {
    let texts = turn.parts.iter().map(|part| match part {
        Part::Text { text } | Part::Reasoning { text } | Part::ToolResult { text, .. } => text.chars().count(),
        Part::ToolCall { arguments, .. } => arguments.chars().count(),
        Part::Other { .. } => 0,
    });
    let (calls, results) = turn.parts.iter().fold((0, 0), |(calls, results), part| match part {
        Part::ToolCall { .. } => (calls + 1, results),
        Part::ToolResult { .. } => (calls, results + 1),
        _ => (calls, results),
    });
    let mut words = vec![format!("{} characters", number(texts.sum::<usize>() as u64))];
    let counted = |count: u64, what: &str| format!("{} {what}{}", number(count), if count == 1 { "" } else { "s" });
    words.extend((calls > 0).then(|| counted(calls, "call")));
    words.extend((results > 0).then(|| counted(results, "result")));
    words.join(", ")
}
