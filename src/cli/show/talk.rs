//! What was asked and what was answered.

use super::super::line;
use super::super::output::printable;
use super::super::rows::{millis, number};
use super::Subject;
use super::page::{Keep, Page};
use crate::archive::{Body, SocketMessage};
use crate::copilot::answer::{Answer, Choice, Ending, Format};
use crate::copilot::prompt::{Part, Prompt, Turn};

/// Marks a line of somebody else's text.
const MARGIN: &str = "  │ ";
/// Marks a line of reasoning.
const REASONING: &str = "  ┊ ";
/// Stands where the cursor stood.
const CURSOR: &str = "▮";

const WHOLE: Keep = Keep { first: 30, last: 30 };
/// Of a turn other than the last: what it was about.
const TURN: Keep = Keep { first: 8, last: 4 };
const TOOL: Keep = Keep { first: 6, last: 2 };
/// Tools, and messages, that are named.
const NAMED: usize = 20;

fn format_name(format: Format) -> &'static str {
    match format {
        Format::Completions => "ghost text",
        Format::Chat => "chat completions",
        Format::Responses => "responses",
        Format::Messages => "messages",
    }
}

pub(super) fn prompt(page: &mut Page<'_>, subject: &Subject) {
    let Some(prompt) = &subject.prompt else {
        return body(page, "Request body", &subject.record.request_body);
    };
    let mut about = vec![prompt.format.map_or("of unknown form", format_name).to_owned()];
    about.extend(prompt.repository.as_ref().map(|name| format!("repository {name}")));
    about.extend(prompt.choices.filter(|wanted| *wanted != 1).map(|wanted| format!("{wanted} choices wanted")));
    if prompt.cut {
        about.push("cut: what came before is here".to_owned());
    }
    page.heading(&format!("Prompt ({})", about.join(", ")));
    if prompt.prefix.is_some() || prompt.suffix.is_some() {
        ghost(page, prompt);
    }
    for (at, turn) in prompt.turns.iter().enumerate() {
        let keep = if at + 1 == prompt.turns.len() { WHOLE } else { TURN };
        self::turn(page, at + 1, turn, keep);
    }
    tools(page, &prompt.tools);
}

/// What stands at the cursor matters most; the path marker is the first line.
fn ghost(page: &mut Page<'_>, prompt: &Prompt) {
    let (prefix, suffix) = (prompt.prefix.as_deref().unwrap_or(""), prompt.suffix.as_deref().unwrap_or(""));
    // With its line feed: without it, an empty line at the end would be taken for the end of the last one.
    let (above, left) = prefix.split_at(prefix.rfind('\n').map_or(0, |at| at + 1));
    let (right, below) = suffix.split_once('\n').map_or((suffix, None), |(right, below)| (right, Some(below)));
    if !above.is_empty() {
        page.block(MARGIN, above, Keep { first: 2, last: 40 });
    }
    // A text of others may hold the mark too: only in colour is ours told from theirs.
    let cursor = page.look.tinted("1;32", CURSOR);
    let at_cursor = format!("{MARGIN}{}{cursor}{}", shown(page, left), shown(page, right));
    page.line(&at_cursor);
    if let Some(below) = below {
        page.block(MARGIN, below, Keep { first: 15, last: 1 });
    }
    page.line(&format!("  ({CURSOR} is the cursor)"));
}

fn shown(page: &mut Page<'_>, text: &str) -> String {
    let text = text.strip_suffix('\r').unwrap_or(text);
    let most = if page.full { usize::MAX } else { 400 };
    let text = match text.char_indices().nth(most) {
        Some((at, _)) => {
            page.fold();
            format!("{}…", &text[..at])
        }
        None => text.to_owned(),
    };
    super::super::output::printable_lines(&text).into_owned()
}

fn turn(page: &mut Page<'_>, number: usize, turn: &Turn, keep: Keep) {
    let title = page.look.tinted("36", &format!("[{number}] {}", printable(&turn.role)));
    page.line(&title);
    for part in &turn.parts {
        match part {
            Part::Text { text } => page.block(MARGIN, text, keep),
            Part::Reasoning { text } => page.block(REASONING, text, TOOL),
            Part::ToolCall { id, name, arguments } => call(page, id, name, arguments),
            Part::ToolResult { id, text } => {
                page.line(&format!("  ◂ result of {}", named(id)));
                page.block(MARGIN, text, TOOL);
            }
            Part::Other { kind } => page.line(&format!("  ({})", named(kind))),
        }
    }
}

fn call(page: &mut Page<'_>, id: &str, name: &str, arguments: &str) {
    page.line(&format!("  ▸ call of {} ({})", named(name), named(id)));
    if !arguments.is_empty() {
        page.block(MARGIN, arguments, TOOL);
    }
}

fn named(name: &str) -> String {
    if name.is_empty() { "-".to_owned() } else { printable(name).into_owned() }
}

fn tools(page: &mut Page<'_>, tools: &[String]) {
    if tools.is_empty() {
        return;
    }
    let shown = if page.full { tools.len() } else { NAMED };
    let names: Vec<_> = tools.iter().take(shown).map(|name| named(name)).collect();
    let more = if tools.len() > shown {
        page.fold();
        ", …"
    } else {
        ""
    };
    let plural = if tools.len() == 1 { "" } else { "s" };
    page.line(&format!("{} tool{plural} offered: {}{more}", tools.len(), names.join(", ")));
}

pub(super) fn answer(page: &mut Page<'_>, subject: &Subject) {
    let Some(answer) = &subject.answer else {
        if subject.row.status.is_none() {
            page.heading("Answer");
            return page.line("  no response came");
        }
        return body(page, "Response body", &subject.record.response_body);
    };
    let ending = match answer.ending {
        Ending::Complete => "complete",
        Ending::Cut => "cut before its end",
        Ending::Failed => "ended by an error",
    };
    let streamed = if answer.streamed { "streamed" } else { "in one piece" };
    page.heading(&format!("Answer ({}, {streamed}, {ending})", format_name(answer.format)));
    let several = answer.choices.len() > 1;
    for choice in &answer.choices {
        self::choice(page, choice, several);
    }
    if let Some(error) = &answer.error {
        let code = error.code.as_ref().map_or_else(String::new, |code| format!("{}: ", printable(code)));
        page.line(&page.look.tinted("31", &format!("  error: {code}{}", printable(&error.message))));
    }
    faults(page, answer);
}

fn choice(page: &mut Page<'_>, choice: &Choice, several: bool) {
    let ended = choice
        .finish_reason
        .as_deref()
        .map_or_else(|| "no end was seen".to_owned(), |why| format!("ended: {}", printable(why)));
    let which = if several { format!("choice {}, ", choice.index) } else { String::new() };
    let title = page.look.tinted("36", &format!("{which}{ended}"));
    page.line(&title);
    if !choice.reasoning.is_empty() {
        page.line("  reasoning");
        page.block(REASONING, &choice.reasoning, TURN);
    }
    if choice.text.is_empty() {
        page.line("  no text");
    } else {
        page.block(MARGIN, &choice.text, WHOLE);
    }
    for tool in &choice.tool_calls {
        call(page, &tool.id, &tool.name, &tool.arguments);
    }
}

fn faults(page: &mut Page<'_>, answer: &Answer) {
    if !answer.faults.any() {
        return;
    }
    let faults = &answer.faults;
    let mut words: Vec<_> = [
        (faults.unreadable, "could not be read"),
        (faults.repeated, "came again"),
        (faults.misplaced, "belong to nothing"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{} {what}", number(count)))
    .collect();
    if faults.overflowed {
        words.push("more than is kept".to_owned());
    }
    page.line(&format!("  odd: of the events {}", words.join(", ")));
}

fn body(page: &mut Page<'_>, title: &str, body: &Body) {
    page.heading(&format!("{title} ({})", line::size(body.size)));
    match &body.bytes {
        Some(_) => page.line("  not text; --raw writes its bytes"),
        None if body.text.is_empty() => page.line("  empty"),
        None => page.block(MARGIN, &body.text, WHOLE),
    }
}

/// The messages of a WebSocket, without what they say: that is in the prompt and the answer, and in --raw.
pub(super) fn messages(page: &mut Page<'_>, messages: &[SocketMessage]) {
    page.heading(&format!("WebSocket messages ({})", number(messages.len() as u64)));
    let shown = if page.full { messages.len() } else { NAMED };
    for message in messages.iter().take(shown) {
        let way = if message.from_client { "↑" } else { "↓" };
        let kind = printable(&message.kind);
        page.line(&format!("  {way} {:>9}  {kind:<6}  {}", millis(message.at), line::size(message.bytes)));
    }
    if messages.len() > shown {
        page.fold();
        page.line(&format!("  … {} messages …", number((messages.len() - shown) as u64)));
    }
}
