//! The messages as they were: headers, bodies, messages of a WebSocket, and what there is to copy and to take home.

use maud::{Markup, html};

use super::code::{boxed, plain};
use super::curl;
use super::room::Room;
use crate::archive::{Body, SocketMessage};
use crate::review::amounts::{millis, number, size};
use crate::review::query::encoded;
use crate::review::subject::Subject;
use crate::web::render::{json, text};

/// Letters of a raw body that are shown: who needs more takes all of it.
const SHOWN: usize = 20_000;
/// Letters of a header's value that are shown.
const VALUE: usize = 4_000;
/// Headers that are shown.
const HEADERS: usize = 300;
/// Messages of a WebSocket that are listed.
const MESSAGES: usize = 200;

pub(super) fn raw(subject: &Subject, room: &mut Room) -> Markup {
    let record = &subject.record;
    let here = format!("/exchanges/{}", encoded(&subject.row.id));
    html! {
        section {
            h2 #raw { "Headers and bodies" }
            p.bar {
                a.button download="" href={ (here) "/record.json" } { "Record (JSON)" }
                a.button download="" href={ (here) "/exchange.har" } { "HAR" }
                a.button href={ (here) "/request-body" } { "Request body, whole" }
                a.button href={ (here) "/response-body" } { "Response body, whole" }
            }
            (headers("Request headers", &record.request_headers, room))
            (headers("Response headers", &record.response_headers, room))
            details { summary { "Request body, raw (" (size(record.request_body.size)) ")" } (start(&record.request_body, "Request body, raw", room)) }
            details { summary { "Response body, raw (" (size(record.response_body.size)) ")" } (start(&record.response_body, "Response body, raw", room)) }
            @if let Some(messages) = &record.messages { (self::messages(messages)) }
            (curl::section(subject))
        }
    }
}

fn headers(title: &str, fields: &[(String, String)], room: &mut Room) -> Markup {
    html! {
        details {
            summary { (title) " (" (number(fields.len() as u64)) ")" }
            @if fields.is_empty() { p.muted { "None." } }
            @else {
                div.scroll tabindex="0" role="region" aria-label=(title) {
                    table.headers {
                        thead { tr { th scope="col" { "Name" } th scope="col" { "Value" } } }
                        tbody {
                            @for (name, value) in fields.iter().take(HEADERS) {
                                @let name = room.cut(name, VALUE);
                                @let value = room.cut(value, VALUE);
                                tr {
                                    th scope="row" { (text::visible(name.shown)) (text::left_out(name.left_out)) }
                                    td.mono { (text::visible(value.shown)) (text::left_out(value.left_out)) }
                                }
                            }
                        }
                    }
                }
            }
            @if fields.len() > HEADERS { p.left-out { (number((fields.len() - HEADERS) as u64)) " more are not shown; the record has them." } }
        }
    }
}

/// The beginning of a body, as it is.
fn start(body: &Body, label: &str, room: &mut Room) -> Markup {
    if let Some(bytes) = &body.bytes {
        let cut = bytes.get(..SHOWN / 4).unwrap_or(bytes);
        let left_out = bytes.len() - cut.len();
        // Marks take the room of some letters.
        let _ = room.cut(&body.text, SHOWN);
        return boxed(
            label,
            "text",
            &html! {
                (text::visible_bytes(cut))
                @if left_out > 0 { span.left-out { "… " (number(left_out as u64)) " more bytes not shown" } }
            },
        );
    }
    if body.text.is_empty() {
        return html! { p.muted { "Empty." } };
    }
    let cut = room.cut(&body.text, SHOWN);
    boxed(label, "text", &html! { (text::visible(cut.shown)) (text::left_out(cut.left_out)) })
}

/// A body that is neither a prompt nor an answer: JSON laid out, else as it is.
pub(super) fn body(body: &Body, label: &str, room: &mut Room) -> Markup {
    if body.bytes.is_some() {
        return html! { p.muted { "Not text (" (size(body.size)) "): see below." } };
    }
    if body.text.is_empty() {
        return html! { p.muted { "Empty." } };
    }
    if body.text.trim_start().starts_with(['{', '[']) {
        let cut = room.cut(&body.text, json::MOST);
        let shown = html! { code { (json::json(cut.shown)) } (text::left_out(cut.left_out)) };
        return boxed(label, "code", &shown);
    }
    plain(room, label, &body.text)
}

/// The messages of a WebSocket, without what they say: that is in the prompt and the answer, and in the bodies.
fn messages(messages: &[SocketMessage]) -> Markup {
    html! {
        details {
            summary { "WebSocket messages (" (number(messages.len() as u64)) ")" }
            div.scroll tabindex="0" role="region" aria-label="WebSocket messages" {
                table {
                    thead { tr { th.num scope="col" { "Time" } th scope="col" { "From" } th scope="col" { "Kind" } th.num scope="col" { "Size" } } }
                    tbody {
                        @for message in messages.iter().take(MESSAGES) {
                            tr {
                                td.num { (millis(message.at)) }
                                td { (if message.from_client { "client" } else { "server" }) }
                                td { (text::text(&message.kind)) }
                                td.num { (size(message.bytes)) }
                            }
                        }
                    }
                }
            }
            @if messages.len() > MESSAGES { p.left-out { (number((messages.len() - MESSAGES) as u64)) " more are not shown." } }
        }
    }
}
