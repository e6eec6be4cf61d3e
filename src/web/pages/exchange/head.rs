//! The heading of the page, and the facts of an exchange.

use maud::{Markup, html};

use super::view::View;
use crate::archive::{AbortedBy, Body, Form};
use crate::copilot::answer::{Usage, UsageSource};
use crate::index::{Initiator, Row};
use crate::review::amounts::{millis, number, size};
use crate::review::query::encoded;
use crate::review::row::{Outcome, flags, outcome};
use crate::review::subject::Subject;
use crate::review::text::printable;
use crate::rules::Kind;
use crate::web::render::text;

/// A kind as people call it.
pub(super) const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Completions => "Ghost text",
        Kind::Nes => "Next edit",
        Kind::Chat => "Chat",
        Kind::Telemetry => "Telemetry",
        Kind::Models => "Models",
        Kind::Embeddings => "Embeddings",
        other => other.as_str(),
    }
}

pub(super) fn head(view: &View) -> Markup {
    let Subject { row, .. } = &view.subject;
    let tag = match outcome(row) {
        Outcome::Fine => "tag good",
        Outcome::Cancelled => "tag warn",
        Outcome::Failed => "tag bad",
    };
    let status = row.status.map_or_else(|| "no response".to_owned(), |status| status.to_string());
    html! {
        h1 {
            (kind(row.kind)) " " span class=(tag) { (status) }
            @if let Some(model) = model(row) { " " span.model { (printable(&model)) } }
        }
        p.bar {
            @for flag in flags(row) { span.tag.warn { (flag) } }
            @if let Some(millis) = row.total_ms { span.tag { (self::millis(millis)) } }
            @if view.subject.prompt.as_ref().is_some_and(|prompt| !prompt.turns.is_empty()) {
                a href={ "/conversations/" (encoded(&row.id)) } { "The whole conversation" }
            }
        }
        (facts(view))
        (notes(&view.subject))
    }
}

fn facts(view: &View) -> Markup {
    let Subject { row, record, .. } = &view.subject;
    let client = [&row.editor_version, &row.plugin, &row.client].map(|value| value.as_deref().unwrap_or(""));
    let client = client.into_iter().filter(|value| !value.is_empty()).collect::<Vec<_>>().join(", ");
    html! {
        dl.facts {
            dt { "Time" } dd { (view.time(row.began)) " " (view.zone_name()) }
            dt { "User" } dd { (printable(row.user.as_deref().unwrap_or("-"))) }
            (fact("Client", Some(&client)))
            (fact("Model", model_told(row).as_deref()))
            (fact("Language", row.language.as_deref()))
            (fact("Purpose", purpose(&view.subject).as_deref()))
            (fact("Tokens", tokens(&view.subject).as_deref()))
            (goes_on(view))
        }
        details {
            summary { "More about it" }
            dl.facts {
                (fact("Request", Some(&format!("{} {}", record.method, record.url))))
                (fact("Protocol", record.http_version.as_deref()))
                dt { "Sizes" } dd { "request " (body_size(&record.request_body)) ", response " (body_size(&record.response_body)) }
                (fact("Machine", row.machine.as_deref()))
                (fact("Session", row.session.as_deref()))
                (fact("Turn", row.interaction.as_deref()))
                (fact("Token's user", row.tid.as_deref()))
                (fact("Request id", row.request_id.as_deref()))
                (fact("Connection", record.connection.as_deref()))
                (fact("Noise", row.noise.map(|noise| noise.as_str())))
                (fact("Rule", Some(&row.rule)))
                (fact("Id", Some(&row.id)))
                (fact("File", Some(&row.file)))
                @if row.form == Form::Older { (fact("Form", Some("of the older tool"))) }
            }
        }
    }
}

fn fact(name: &str, value: Option<&str>) -> Markup {
    html! {
        @if let Some(value) = value.filter(|value| !value.is_empty()) { dt { (name) } dd { (text::text(value)) } }
    }
}

fn goes_on(view: &View) -> Markup {
    let Subject { row, previous, next, .. } = &view.subject;
    let link = |row: &Row| html! { a href=(view.address(row)) { (view.time(row.began)) } };
    html! {
        @match (previous, &row.previous_response_id) {
            (Some(previous), _) => { dt { "Goes on" } dd { "from the exchange of " (link(previous)) } }
            (None, Some(id)) => { dt { "Goes on" } dd { "from answer " code { (text::text(id)) } ", which is not among the records" } }
            (None, None) => {}
        }
        @if !next.is_empty() {
            dt { "Goes on" }
            dd { "in the exchange" @if next.len() > 1 { "s" } " of " @for (at, row) in next.iter().take(10).enumerate() { @if at > 0 { ", " } (link(row)) } }
        }
    }
}

fn model(row: &Row) -> Option<String> {
    row.model_answered.clone().or_else(|| row.model.clone())
}

fn model_told(row: &Row) -> Option<String> {
    match (&row.model, &row.model_answered) {
        (Some(asked), Some(answered)) if asked != answered => Some(format!("{asked}, answered by {answered}")),
        (Some(model), _) | (None, Some(model)) => Some(model.clone()),
        (None, None) => None,
    }
}

fn purpose(subject: &Subject) -> Option<String> {
    let row = &subject.row;
    let who = row.initiator.map(|initiator| match initiator {
        Initiator::User => "asked by a person",
        Initiator::Agent => "asked by the client itself",
    });
    // Where both headers are there the type says more: a subagent, work in the background, a commit message.
    let mut fields = subject.record.request_headers.iter();
    let kind = fields.find(|(name, _)| name.eq_ignore_ascii_case("x-interaction-type")).map(|(_, kind)| kind.trim());
    let kind = kind.filter(|kind| !kind.is_empty() && row.intent.as_deref() != Some(kind));
    let words = [who, row.intent.as_deref(), kind, row.speculative.then_some("ahead of need")];
    let words: Vec<_> = words.into_iter().flatten().collect();
    (!words.is_empty()).then(|| words.join(", "))
}

fn body_size(body: &Body) -> String {
    let cut = if body.truncated { " (cut by a ceiling)" } else { "" };
    format!("{}{cut}", size(body.size))
}

fn tokens(subject: &Subject) -> Option<String> {
    let row = &subject.row;
    if row.tokens_in.is_none() && row.tokens_out.is_none() {
        return None;
    }
    let known = |value: Option<u64>| value.map_or_else(|| "?".to_owned(), number);
    let of = |what: &str, value: Option<u64>| value.map_or_else(String::new, |n| format!(" ({what} {})", number(n)));
    let usage = subject.answer.as_ref().and_then(|answer| answer.usage.as_ref());
    // Without usage in the answer, the index took the request's estimate.
    let told = usage.is_some_and(|Usage { source, .. }| *source == UsageSource::Answer);
    Some(format!(
        "in {}{}, out {}{}{}",
        known(row.tokens_in),
        of("cached", row.tokens_cached),
        known(row.tokens_out),
        of("reasoning", row.tokens_reasoning),
        if told { "" } else { ", as the request estimates" }
    ))
}

/// What a reader must know before reading on.
fn notes(subject: &Subject) -> Markup {
    let Subject { row, record, .. } = subject;
    let cut = [("request", &record.request_body), ("response", &record.response_body)];
    html! {
        @if let Some(sentence) = row.status.and_then(status_means) { p.note.warn { (sentence) } }
        @match row.aborted_by {
            Some(AbortedBy::Upstream) => p.note.warn { "The server ended it before its end." },
            Some(AbortedBy::Shutdown) => p.note.warn { "The recorder was stopped before its end." },
            // Where there is an answer, it says so beside it.
            Some(AbortedBy::Client) if subject.answer.is_none() => p.note.warn { "The client cancelled it." },
            _ => {}
        }
        @if let Some(problem) = &row.problem { p.note.warn { "It was observed in part: " (text::text(problem)) "." } }
        @for (which, body) in cut {
            @if body.truncated { p.note.warn { "The body of the " (which) " was larger than what is kept of one: its end is missing." } }
        }
    }
}

/// What clients make of a status, where that says more than its number.
const fn status_means(status: u16) -> Option<&'static str> {
    Some(match status {
        401 | 403 => "The token was refused; the client fetches a new one.",
        402 => "The quota is used up.",
        408 | 504 => "The server took too long.",
        422 => "The content filter refused the request.",
        429 => "Too many requests: the server asks to wait.",
        466 => "The client is too old for this server.",
        499 => "The server says that the client cancelled it.",
        500..=599 => "The server failed.",
        _ => return None,
    })
}
