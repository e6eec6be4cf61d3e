//! A record, to what the index holds of it. Depends on the record alone: not on the order of arrival, nor on other
//! records.

use std::net::{IpAddr, SocketAddr};

use super::{EventRow, Initiator, Row};
use crate::archive::{AbortedBy, Record, SocketMessage};
use crate::copilot::answer::{self, Answer, Ending};
use crate::copilot::noise::noise;
use crate::copilot::prompt::{self, Prompt};
use crate::copilot::telemetry::{self, Event, Key};
use crate::copilot::token::tracking_id;
use crate::rules::{Kind, model_in_path};

/// What the index holds of one record.
pub(super) struct Digest {
    pub(super) row: Row,
    pub(super) events: Vec<EventRow>,
    /// Texts to search in.
    pub(super) prompt: String,
    pub(super) answer: String,
}

/// Names are names: whoever sends a novel must not fill the index.
const NAME_MAX: usize = 100;
/// Ids of answers carry sealed state in some formats; cut alike, a reference and its target still meet.
pub(super) const ID_MAX: usize = 512;
/// A path of a URL, a sentence on what went wrong: one screen of it tells.
const TEXT_MAX: usize = 1_000;
/// Of prompt and answer together. A person's question and an answer have a few KiB; what is larger is files that the
/// client attached, and a million records of such would make the index as large as the logs.
const SEARCHED_MAX: usize = 1 << 20;

/// `file`: as the index calls it.
pub(super) fn digest(record: &Record, file: String) -> Digest {
    let mut row = plain(record, file);
    let mut digest = match record.kind {
        Kind::Telemetry => {
            let events = events(record, &row);
            row.tid = events.iter().find_map(|event| event.tid.clone());
            row.editor = row.editor.take().or_else(|| events.iter().find_map(|event| event.editor.clone()));
            return Digest { row, events, prompt: String::new(), answer: String::new() };
        }
        _ => Digest { row, events: Vec::new(), prompt: String::new(), answer: String::new() },
    };
    if has_meaning(record.kind) {
        let prompt = prompt::read(&record.request_body.text);
        let answer = answer::read(&record.response_body.text);
        asked(&mut digest.row, record, prompt.as_ref());
        answered(&mut digest.row, record, answer.as_ref());
        ended(&mut digest.row, answer.as_ref());
        tokens(&mut digest.row, record.kind, prompt.as_ref(), answer.as_ref());
        let editor = digest.row.editor_version.as_deref();
        digest.row.noise = noise(record.kind, editor, prompt.as_ref(), answer.as_ref());
        let mut room = SEARCHED_MAX;
        digest.answer = answer.as_ref().map(|answer| answer_text(answer, &mut room)).unwrap_or_default();
        digest.prompt = prompt.as_ref().map(|prompt| prompt_text(prompt, &mut room)).unwrap_or_default();
    }
    digest
}

/// Whether bodies of this kind may be a prompt and an answer. Others, some of them large, are not read.
fn has_meaning(kind: Kind) -> bool {
    matches!(kind, Kind::Completions | Kind::Chat | Kind::Nes | Kind::Extension | Kind::Other)
}

/// What the heads and the recorder tell.
fn plain(record: &Record, file: String) -> Row {
    let header = |name: &str| field(&record.request_headers, name);
    let name = |name: &str| header(name).and_then(name_of);
    let (host, path) = host_and_path(&record.url);
    let editor_version = name("editor-version");
    let server = field(&record.response_headers, "openai-processing-ms").and_then(|text| text.trim().parse().ok());
    Row {
        id: record.id.to_string(),
        file,
        form: record.form,
        began: record.began,
        kind: record.kind,
        rule: shortened(&record.rule, NAME_MAX),
        user: record.user.as_deref().and_then(name_of),
        tid: header("authorization").and_then(tracking_id).and_then(name_of),
        client: record.client.as_deref().map(address),
        machine: name("vscode-machineid"),
        session: name("vscode-sessionid"),
        editor: editor_version.as_deref().and_then(|editor| name_of(editor.split('/').next()?)),
        editor_version,
        plugin: name("editor-plugin-version"),
        model: model_in_path(&path).and_then(name_of),
        host,
        path,
        method: shortened(&record.method, NAME_MAX),
        status: record.status,
        complete: record.complete,
        aborted_by: record.aborted_by,
        problem: record.problem.as_deref().map(|text| shortened(text, TEXT_MAX)),
        error: None,
        initiator: header("x-initiator").and_then(initiator),
        intent: name("openai-intent").or_else(|| name("x-interaction-type")),
        interaction: name("x-interaction-id"),
        request_id: name("x-request-id"),
        response_id: None,
        previous_response_id: None,
        speculative: header("x-copilot-speculative").is_some_and(|value| value.trim().eq_ignore_ascii_case("true")),
        model_answered: None,
        language: None,
        request_size: record.request_body.size,
        response_size: record.response_body.size,
        connect_ms: record.timings.connect,
        tls_ms: record.timings.tls,
        first_byte_ms: record.timings.first_byte,
        first_token_ms: None,
        total_ms: record.timings.last_byte,
        server_ms: server.filter(|millis: &f64| millis.is_finite() && *millis >= 0.0),
        tokens_in: None,
        tokens_cached: None,
        tokens_out: None,
        tokens_reasoning: None,
        finish_reason: None,
        choices: None,
        tool_calls: None,
        answer_chars: None,
        noise: None,
    }
}

fn asked(row: &mut Row, record: &Record, prompt: Option<&Prompt>) {
    let Some(prompt) = prompt else { return };
    // A socket's head is that of its first request: who asked for a later one, only its own message says.
    if record.messages.is_some() {
        row.initiator = prompt.initiator.as_deref().and_then(initiator).or(row.initiator);
    }
    row.model = prompt.model.as_deref().and_then(name_of).or_else(|| row.model.take());
    row.language = prompt.language.as_deref().and_then(name_of);
    row.previous_response_id = prompt.previous_response_id.as_deref().map(|id| shortened(id, ID_MAX));
}

/// A client that has the last event of its answer needs no more of the stream and may end it before the server does:
/// which of the two comes first is chance, and nothing was cancelled.
fn ended(row: &mut Row, answer: Option<&Answer>) {
    let is_whole = answer.is_some_and(|answer| answer.ending == Ending::Complete);
    if row.aborted_by == Some(AbortedBy::Client) && is_whole {
        row.aborted_by = None;
        row.complete = Some(true);
    }
}

fn answered(row: &mut Row, record: &Record, answer: Option<&Answer>) {
    let Some(answer) = answer else { return };
    row.model_answered = answer.model.as_deref().and_then(name_of);
    row.response_id = answer.id.as_deref().map(|id| shortened(id, ID_MAX));
    row.error = answer.error.as_ref().map(|error| {
        shortened(error.code.as_deref().filter(|code| !code.is_empty()).unwrap_or(&error.message), NAME_MAX)
    });
    row.finish_reason = answer.choices.first().and_then(|choice| name_of(choice.finish_reason.as_deref()?));
    row.choices = Some(answer.choices.len() as u64);
    row.tool_calls = Some(answer.choices.iter().map(|choice| choice.tool_calls.len() as u64).sum());
    row.answer_chars = Some(answer.choices.iter().map(|choice| choice.text.chars().count() as u64).sum());
    row.first_token_ms = answer.first_token_end.and_then(|end| arrival(record, end as u64));
}

/// When the first `end` bytes of the response's text had come.
fn arrival(record: &Record, end: u64) -> Option<f64> {
    // Where a coding was removed, an offset in the text says nothing of the wire.
    if record.response_body.coded || record.response_body.bytes.is_some() {
        return None;
    }
    let mut seen = 0_u64;
    match &record.messages {
        Some(messages) => messages.iter().filter(|message| is_answer(message)).find_map(|message| {
            seen = seen.saturating_add(message.bytes).saturating_add(1);
            (seen >= end).then_some(message.at)
        }),
        None => record.chunks.iter().find_map(|&(at, bytes)| {
            seen = seen.saturating_add(bytes);
            (seen >= end).then_some(at)
        }),
    }
}

/// Whether the message stands in the response's `content`: pings have no place there.
fn is_answer(message: &SocketMessage) -> bool {
    !message.from_client && matches!(message.kind.as_str(), "text" | "binary")
}

fn tokens(row: &mut Row, kind: Kind, prompt: Option<&Prompt>, answer: Option<&Answer>) {
    if let Some(usage) = answer.and_then(|answer| answer.usage.as_ref()) {
        row.tokens_in = usage.input;
        row.tokens_cached = usage.cached_input;
        row.tokens_out = usage.output;
        row.tokens_reasoning = usage.reasoning;
    } else if kind == Kind::Completions {
        row.tokens_in = prompt.and_then(Prompt::estimate).and_then(|estimate| estimate.input);
    }
}

fn events(record: &Record, row: &Row) -> Vec<EventRow> {
    let body = record.request_body.bytes.as_deref().unwrap_or(record.request_body.text.as_bytes());
    let event = |(ordinal, event): (usize, Event)| EventRow {
        record: row.id.clone(),
        ordinal: ordinal as u64,
        unique_id: event.unique_id().and_then(name_of),
        time: event.time.unwrap_or(record.began),
        name: shortened(&event.name, NAME_MAX),
        enhanced: event.key == Key::Enhanced,
        user: row.user.clone(),
        tid: event.tid.as_deref().and_then(name_of),
        request_id: event.request_id().and_then(name_of),
        choice: event.choice(),
        completion: event.completion().and_then(name_of),
        opportunity: event.opportunity().and_then(name_of),
        language: event.language().and_then(name_of),
        editor: event.editor().and_then(name_of),
        model: event.model().and_then(name_of),
        reason: event.reason().and_then(name_of),
        chars: event.chars(),
        lines: event.lines(),
        timeout: event.timeout(),
        still: event.still(),
        produce_ms: event.produce_ms(),
        total_ms: event.total_ms(),
        shown: event.shown(),
        acceptance: event.acceptance().and_then(name_of),
    };
    telemetry::read(body).events.into_iter().enumerate().map(event).collect()
}

fn answer_text(answer: &Answer, room: &mut usize) -> String {
    let mut out = String::new();
    for choice in &answer.choices {
        push(&mut out, &choice.text, room);
        push(&mut out, &choice.reasoning, room);
        for call in &choice.tool_calls {
            push(&mut out, &call.name, room);
            push(&mut out, &call.arguments, room);
        }
    }
    out
}

/// The newest turn first: a conversation is sent whole with each request, and what is old in it is in the record of an
/// earlier one.
fn prompt_text(prompt: &Prompt, room: &mut usize) -> String {
    let mut out = String::new();
    for text in [&prompt.prefix, &prompt.suffix].into_iter().flatten() {
        push(&mut out, text, room);
    }
    for part in prompt.turns.iter().rev().flat_map(|turn| &turn.parts) {
        match part {
            prompt::Part::Text { text } | prompt::Part::Reasoning { text } | prompt::Part::ToolResult { text, .. } => {
                push(&mut out, text, room);
            }
            prompt::Part::ToolCall { name, arguments, .. } => {
                push(&mut out, name, room);
                push(&mut out, arguments, room);
            }
            prompt::Part::Other { .. } => {}
        }
    }
    out
}

fn push(out: &mut String, text: &str, room: &mut usize) {
    let mut end = text.len().min(*room);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = &text[..end];
    if !text.is_empty() {
        out.push_str(text);
        out.push('\n');
        *room = room.saturating_sub(text.len() + 1);
    }
}

fn field<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

fn name_of(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| shortened(text, NAME_MAX))
}

/// At most so many characters.
pub(super) fn shortened(text: &str, most: usize) -> String {
    text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end]).to_owned()
}

fn initiator(text: &str) -> Option<Initiator> {
    match text.trim() {
        text if text.eq_ignore_ascii_case("user") => Some(Initiator::User),
        text if text.eq_ignore_ascii_case("agent") => Some(Initiator::Agent),
        _ => None,
    }
}

/// Without the port.
fn address(client: &str) -> String {
    let ip = client.parse::<SocketAddr>().map(|client| client.ip()).or_else(|_| client.parse::<IpAddr>());
    ip.map_or_else(|_| shortened(client, NAME_MAX), |ip| ip.to_canonical().to_string())
}

fn host_and_path(url: &str) -> (String, String) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let path = target.split(['?', '#']).next().unwrap_or_default();
    (shortened(&host.to_ascii_lowercase(), NAME_MAX), shortened(path, TEXT_MAX))
}

#[cfg(test)]
#[path = "digest_tests.rs"]
mod tests;
