//! What was said and answered, as markup.

use std::collections::HashMap;

use maud::{Markup, html};

use crate::copilot::answer::{Answer, Choice, Ending};
use crate::copilot::prompt::{Part, Turn};
use crate::review::amounts::number;
use crate::review::text::printable;
use crate::web::render::code::Budget;
use crate::web::render::{json, markdown, text};

/// What is known while the parts of a page are drawn.
pub(super) struct Parts {
    budget: Budget,
    /// Tools by the ids of their calls.
    names: HashMap<String, String>,
}

impl Parts {
    pub(super) fn new(budget: Budget, names: HashMap<String, String>) -> Self {
        Self { budget, names }
    }

    /// What is new in a request.
    pub(super) fn said(&mut self, turns: &[Turn]) -> Markup {
        let mut drawn = Vec::new();
        for turn in turns {
            for part in &turn.parts {
                drawn.push(self.part(&turn.role, part));
            }
        }
        html! { @for part in &drawn { (part) } }
    }

    fn part(&mut self, role: &str, part: &Part) -> Markup {
        match part {
            Part::Text { text } if matches!(role, "system" | "developer") => html! {
                details.system {
                    summary { "system text, " (letters(text)) }
                    pre.text tabindex="0" { (text::text(text)) }
                }
            },
            Part::Text { text } => html! {
                div class=(if role == "user" { "words person" } else { "words" }) {
                    @if role != "user" { p.muted.small { (named(role)) } }
                    (markdown::markdown_within(&mut self.budget, text))
                }
            },
            Part::Reasoning { text } => reasoning(text),
            Part::ToolCall { id, name, arguments } => self.call(id, name, arguments),
            Part::ToolResult { id, text } => self.result(id, text),
            Part::Other { kind } => html! { p.muted { "(" (named(kind)) ")" } },
        }
    }

    fn call(&self, id: &str, name: &str, arguments: &str) -> Markup {
        html! {
            details.tool {
                summary { "call of " strong { (named(name)) } @if !id.is_empty() { " " span.muted.small { (printable(id)) } } }
                @if arguments.is_empty() { p.muted { "without arguments" } } @else { (json::arguments(arguments)) }
            }
        }
    }

    fn result(&self, id: &str, said: &str) -> Markup {
        html! {
            details.tool {
                summary {
                    "result of "
                    @match self.names.get(id) { Some(name) => strong { (named(name)) }, None => (named(id)) }
                    ", " (letters(said))
                }
                pre.text tabindex="0" { (text::text(said)) }
            }
        }
    }

    fn choice(&mut self, choice: &Choice, several: bool) -> Markup {
        html! {
            @if several { p.muted.small { "choice " (choice.index) } }
            @if !choice.reasoning.is_empty() { (reasoning(&choice.reasoning)) }
            @if !choice.text.is_empty() { (markdown::markdown_within(&mut self.budget, &choice.text)) }
            @for tool in &choice.tool_calls { (self.call(&tool.id, &tool.name, &tool.arguments)) }
            @if choice.text.is_empty() && choice.tool_calls.is_empty() { p.muted { "no text" } }
        }
    }
}

/// An answer.
pub(super) fn answer(parts: &mut Parts, answer: &Answer) -> Markup {
    let several = answer.choices.len() > 1;
    let choices: Vec<_> = answer.choices.iter().map(|choice| parts.choice(choice, several)).collect();
    html! {
        div.answer {
            @for choice in &choices { (choice) }
            @if let Some(error) = &answer.error {
                p.note.bad {
                    "error: "
                    @if let Some(code) = &error.code { (printable(code)) ": " }
                    (text::visible(&error.message))
                }
            }
            @if answer.ending == Ending::Cut { p.muted.small { "The answer was cut before its end." } }
        }
    }
}

fn reasoning(said: &str) -> Markup {
    html! {
        details.reasoning {
            summary { "reasoning, " (letters(said)) }
            pre.text tabindex="0" { (text::text(said)) }
        }
    }
}

fn letters(text: &str) -> String {
    let count = text.chars().count() as u64;
    format!("{} letter{}", number(count), if count == 1 { "" } else { "s" })
}

fn named(name: &str) -> String {
    if name.is_empty() { "-".to_owned() } else { printable(name).into_owned() }
}
