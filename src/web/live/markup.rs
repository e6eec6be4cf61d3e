//! The parts of the live page that also come as events.

use chrono::{DateTime, Offset, Utc};
use maud::{Markup, html};

use super::look::{Counters, Flying};
use crate::index::Row;
use crate::live::Text;
use crate::review::amounts::{number, size};
use crate::review::text::{printable, printable_lines};
use crate::web::pages::exchanges::Wanted;
use crate::web::pages::exchanges::columns::Column;
use crate::web::pages::one::{link, time};

/// How it is now, as far as somebody may see it.
pub(super) struct State<'a> {
    /// None where there is nothing to count, or it is not for this viewer.
    pub(super) counters: Option<Counters>,
    /// Recorded exchanges in flight that the viewer may see and asked for; none where that is not known.
    pub(super) total: Option<usize>,
    /// Of those, how many are not shown.
    pub(super) more: usize,
    /// What is wrong.
    pub(super) problem: Option<&'a str>,
}

/// Streams shown at once.
const FLYING_MAX: usize = 40;

/// How many of these are not shown: those that began first.
pub(super) fn more(flying: &[&Flying]) -> usize {
    flying.len().saturating_sub(FLYING_MAX)
}

/// Cards, what is wrong, and what is in flight. The script puts each part where the part of that name is.
pub(super) fn state(state: &State<'_>, flying: &[&Flying], shows_text: impl Fn(&Flying) -> bool) -> Markup {
    html! {
        div.cards data-live="cards" {
            @if let Some(counters) = state.counters {
                (card("Open tunnels", counters.tunnels))
                (card("Exchanges in flight", counters.exchanges))
            } @else if let Some(total) = state.total {
                (card("Your exchanges in flight", i64::try_from(total).unwrap_or(i64::MAX)))
            }
        }
        div data-live="problem" {
            @if let Some(problem) = state.problem { p.note.warn { (problem) } }
        }
        div.streams data-live="streams" {
            @for it in flying { (stream(it, shows_text(it))) }
            p.muted.small data-key="end" {
                @if state.more > 0 { "and " (number(state.more as u64)) " more that began earlier" }
                @else if state.total.is_none() { "No proxy runs in this program, so what is in flight is unknown here. Records that another program writes into the folder appear below." }
                @else if flying.is_empty() { "Nothing is in flight that is recorded." }
            }
        }
    }
}

fn card(label: &str, value: i64) -> Markup {
    html! { div.card { p.value { (number(u64::try_from(value).unwrap_or_default())) } p.label { (label) } } }
}

fn stream(it: &Flying, shows_text: bool) -> Markup {
    let flight = &it.flight;
    let text = it.text.as_deref().filter(|_| shows_text);
    let model = text.and_then(|text| text.model.as_deref()).or(flight.model.as_deref());
    html! {
        article.card.stream data-key=(flight.id) {
            p.head {
                span.tag.accent { (flight.kind) } " "
                span.name { (printable(flight.user.as_deref().unwrap_or("-"))) } " "
                span.mono.small { (printable(&flight.host)) (printable(&flight.path)) } " "
                @if let Some(model) = model { span { (printable(model)) } " " }
                span.muted.small { "since " (time(DateTime::<Utc>::from(flight.began).timestamp_micros(), Utc.fix())) " UTC" " from " (flight.client.ip()) }
            }
            p.muted.small {
                @match flight.status {
                    Some(status) => { "status " (status) ", " }
                    None => "no answer yet, "
                }
                (size(flight.sent)) " ↑ " (size(flight.received)) " ↓"
                @if let Some(text) = text { (beside(text)) }
            }
            @if let Some(text) = text { (growing(text)) }
        }
    }
}

/// What is to be said of a text beside it.
fn beside(text: &Text) -> Markup {
    html! {
        @if !text.tools.is_empty() {
            @let names: Vec<_> = text.tools.iter().map(|name| printable(name)).collect();
            ", calls " (names.join(", "))
        }
        @if text.others > 0 { ", the first of " (number(text.others as u64 + 1)) " choices" }
        @if text.cut { ", longer than is shown here: its record will have all of it" }
    }
}

fn growing(text: &Text) -> Markup {
    let (reasoning, said) = (printable_lines(&text.reasoning), printable_lines(&text.text));
    html! {
        // Reasoning is of interest until there is an answer.
        @if said.is_empty() && !reasoning.is_empty() {
            pre.growing.reasoning tabindex="0" role="group" aria-label="Reasoning so far" { (reasoning) }
        } @else if !said.is_empty() {
            pre.growing tabindex="0" role="group" aria-label="Answer so far" { (said) }
        }
    }
}

/// The head of the table of records: the columns that the table of exchanges has as a rule.
pub(super) fn head() -> Markup {
    html! { tr {
        th scope="col" { "Time (UTC)" }
        @for column in Column::USUAL {
            th scope="col" class=[column.is_number().then_some("num")] { (column.heading()) }
        }
    } }
}

/// One record. The script knows it again by its id.
pub(super) fn row(row: &Row) -> Markup {
    html! {
        tr data-key=(row.id) {
            th.nowrap scope="row" { (link(row, &Wanted::default())) }
            @for column in Column::USUAL {
                td class=[column.is_number().then_some("num")] { (column.cell(row)) }
            }
        }
    }
}

/// Said where rows are missing; `exactly` so many.
pub(super) fn left_out(exactly: Option<u64>) -> String {
    match exactly {
        Some(1) => "1 record that arrived meanwhile is left out here.".to_owned(),
        Some(many) => format!("{} records that arrived meanwhile are left out here.", number(many)),
        None => "Records that arrived meanwhile may be left out here.".to_owned(),
    }
}
