//! Ghost text: the parts of its prompt, and each suggestion at the cursor.

use maud::{Markup, html};

use super::code::{boxed, code, plain};
use super::room::Room;
use crate::copilot::answer::Choice;
use crate::copilot::prompt::{PrefixKind, Prompt, parts};
use crate::review::amounts::number;
use crate::review::subject::Subject;
use crate::web::render::code::{Language, pieces};
use crate::web::render::text;

/// Letters of the text before the cursor that are shown: those nearest to it.
const BEFORE: usize = 100_000;
/// Lines that stand around a suggestion.
const AROUND: usize = 12;
/// Letters of them.
const NEAR: usize = 4_000;

/// The file's language: as the client says, else by the path that the prompt names.
pub(super) fn language(subject: &Subject) -> Option<Language> {
    let prompt = subject.prompt.as_ref()?;
    let told = prompt.language.as_deref().or(subject.row.language.as_deref());
    told.and_then(Language::of_id).or_else(|| {
        let named = parts(prompt.prefix.as_deref()?, prompt.language.as_deref());
        named.iter().find(|part| part.kind == PrefixKind::Path).and_then(|part| Language::of_path(part.names?))
    })
}

/// The parts of the prompt, told apart.
pub(super) fn prompt(subject: &Subject, prompt: &Prompt, room: &mut Room) -> Markup {
    let language = language(subject);
    let prefix = prompt.prefix.as_deref().unwrap_or("");
    html! {
        @for part in parts(prefix, prompt.language.as_deref()) {
            @match part.kind {
                PrefixKind::Language => (marked(room, "Language", part.text, language)),
                PrefixKind::Path => (marked(room, "File", part.text, language)),
                PrefixKind::Neighbour => details.part {
                    summary {
                        span.label { "Neighbour" } " "
                        @if let Some(path) = part.names { code { (text::visible(path)) } " " }
                        span.muted { (lines(part.text)) }
                    }
                    (code(room, "Neighbour", part.text, language))
                },
                PrefixKind::Code => (before(room, part.text, language)),
            }
        }
        @if prefix.is_empty() { p.muted { "Nothing stands before the cursor." } }
        @match prompt.suffix.as_deref().filter(|suffix| !suffix.is_empty()) {
            Some(suffix) => div.part {
                h3 { "Behind the cursor" }
                (code(room, "Behind the cursor", suffix, language))
            },
            None => p.muted { "Nothing stands behind the cursor." },
        }
    }
}

fn marked(room: &mut Room, label: &str, source: &str, language: Option<Language>) -> Markup {
    html! { div.part.marker { h3 { (label) } (code(room, label, source.trim_end_matches(['\r', '\n']), language)) } }
}

fn before(room: &mut Room, source: &str, language: Option<Language>) -> Markup {
    let (left_out, end) = room.end(source, BEFORE);
    html! {
        div.part {
            h3 { "Before the cursor" }
            @if left_out > 0 { p { (text::left_out(left_out)) " (before this)" } }
            (code(room, "Before the cursor", end, language))
        }
    }
}

/// A suggestion between what stands before and behind the cursor.
pub(super) fn suggestion(subject: &Subject, choice: &Choice, room: &mut Room) -> Markup {
    if choice.text.is_empty() {
        return html! { p.muted { "No text." } };
    }
    let (prefix, suffix) =
        subject.prompt.as_ref().map_or(("", ""), |prompt| (file_text(prompt), prompt.suffix.as_deref().unwrap_or("")));
    if prefix.is_empty() && suffix.is_empty() {
        return plain(room, "Suggestion", &choice.text);
    }
    let (above, near) = last_lines(prefix);
    let (_, above) = text::end(above, NEAR);
    let (_, near) = room.end(near, NEAR);
    let suggestion = room.cut(&choice.text, text::MOST);
    let behind = first_lines(suffix);
    let behind = room.cut(behind, NEAR).shown;
    let mut shown =
        pieces(&mut room.code, &[above, near, suggestion.shown, behind], language(subject)).into_iter().skip(1);
    let mut next = || shown.next().unwrap_or_default();
    boxed(
        "Suggestion at the cursor",
        "code at-cursor",
        &html! {
            code {
                span.around { (next()) }
                ins.suggestion { (next()) (text::left_out(suggestion.left_out)) }
                span.around { (next()) }
            }
        },
    )
}

/// The text before the cursor without what the client put before it.
fn file_text(prompt: &Prompt) -> &str {
    let parts = parts(prompt.prefix.as_deref().unwrap_or(""), prompt.language.as_deref());
    parts.last().filter(|part| part.kind == PrefixKind::Code).map_or("", |part| part.text)
}

/// What is before the last lines, and these.
fn last_lines(text: &str) -> (&str, &str) {
    // The last line has no end: the cursor stands in it.
    let at = text.rmatch_indices('\n').nth(AROUND - 1).map_or(0, |(at, _)| at + 1);
    text.split_at(at)
}

fn first_lines(text: &str) -> &str {
    let end = text.match_indices('\n').nth(AROUND - 1).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

fn lines(text: &str) -> String {
    let lines = text.lines().count();
    format!("{} line{}", number(lines as u64), if lines == 1 { "" } else { "s" })
}
