//! The heading of the page, and the facts of an exchange.

use maud::{Markup, html};

use super::view::View;
use crate::archive::{AbortedBy, Form};
use crate::copilot::noise::Noise;
use crate::index::Row;
use crate::review::amounts::millis;
use crate::review::row::{Outcome, flags, outcome};
use crate::review::subject::Subject;
use crate::review::text::{printable, shortened};
use crate::review::told;
use crate::rules::Kind;
use crate::web::render::text;

/// Letters of a model's name in the heading; the facts have all of it.
const MODEL: usize = 60;

/// A kind as people call it.
pub(super) const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Completions => "Ghost text",
        Kind::Nes => "Next edit",
        Kind::Chat => "Chat",
        Kind::Telemetry => "Telemetry",
        Kind::Models => "Models",
        Kind::Embeddings => "Embeddings",
        Kind::Other => "Other",
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
            @if let Some(model) = model(row) { " " span.model { (shortened(&printable(&model), MODEL)) } }
        }
        p.bar {
            @for flag in flags(row) { span.tag.warn { (flag) } }
            @if let Some(millis) = row.total_ms { span.tag { (self::millis(millis)) } }
            @if view.subject.prompt.as_ref().is_some_and(|prompt| !prompt.turns.is_empty()) {
                a href=(view.list.conversation(&row.id)) { "The whole conversation" }
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
            (fact("Model", told::model(row).as_deref()))
            (fact("Language", row.language.as_deref()))
            (fact("Purpose", told::purpose(&view.subject).as_deref()))
            (fact("Tokens", told::tokens(&view.subject).as_deref()))
            (goes_on(view))
        }
        details.about {
            summary { "More about it" }
            dl.facts {
                (fact("Request", Some(&format!("{} {}", record.method, record.url))))
                (fact("Protocol", record.http_version.as_deref()))
                dt { "Sizes" } dd { "request " (told::body_size(&record.request_body)) ", response " (told::body_size(&record.response_body)) }
                (fact("Machine", row.machine.as_deref()))
                (fact("Session", row.session.as_deref()))
                (fact("Turn", row.interaction.as_deref()))
                (fact("Token's user", row.tid.as_deref()))
                (fact("Request id", row.request_id.as_deref()))
                (fact("Connection", record.connection.as_deref()))
                (fact("Noise", row.noise.map(Noise::as_str)))
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
