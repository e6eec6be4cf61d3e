//! What became of an answer, as telemetry tells it. What nobody tells is unknown, and not no.

use maud::{Markup, html};

use crate::index::EventRow;
use crate::review::amounts::number;
use crate::review::subject::Subject;
use crate::review::text::printable;
use crate::review::told::{later, said};
use crate::rules::Kind;

/// Seconds after which clients look whether an accepted suggestion is still there.
const LOOKS: [u64; 5] = [15, 30, 120, 300, 600];
/// Events that are listed; a chat of agents may have hundreds.
const LISTED: usize = 200;

/// Whether telemetry speaks of it, or may speak of its kind.
pub(super) fn has(subject: &Subject) -> bool {
    !subject.events.is_empty() || matches!(subject.row.kind, Kind::Completions | Kind::Nes | Kind::Chat)
}

pub(super) fn became(subject: &Subject) -> Markup {
    if !has(subject) {
        return html! {};
    }
    html! {
        section {
            h2 #became { "What became of it" }
            @if subject.events.is_empty() {
                p.empty { "Unknown: no telemetry speaks of it. " span.muted { "Telemetry may come late, or be switched off in the editor." } }
            } @else {
                @match subject.row.kind {
                    Kind::Completions => (suggestions(subject)),
                    Kind::Nes => (next_edit(&subject.events)),
                    _ => {}
                }
                (listed(subject))
            }
        }
    }
}

/// One row for each choice that events speak of.
fn suggestions(subject: &Subject) -> Markup {
    let events: Vec<_> = subject.events.iter().filter(|event| is_of_choice(event)).collect();
    let mut choices: Vec<_> = events.iter().map(|event| choice(subject, event)).collect();
    choices.sort_unstable();
    choices.dedup();
    // Where none speaks of a choice, the row says that all is unknown.
    if choices.is_empty() {
        choices.push(None);
    }
    html! {
        div.scroll tabindex="0" role="region" aria-labelledby="became" {
            table.became.folds {
                thead { tr {
                    th scope="col" { "Choice" }
                    th scope="col" { "Shown" }
                    th scope="col" { "Taken" }
                    @for after in LOOKS { th scope="col" { "After " (after) " s" } }
                } }
                tbody {
                    @for of in choices.into_iter().take(LISTED) {
                        tr {
                            th scope="row" data-label="Choice" { (of.map_or_else(|| "?".to_owned(), |choice| choice.to_string())) }
                            @let events: Vec<_> = events.iter().copied().filter(|event| choice(subject, event) == of).collect();
                            td data-label="Shown" { (shown(&events, subject.row.began)) }
                            td data-label="Taken" { (taken(&events)) }
                            @for after in LOOKS { td data-label={ "After " (after) " s" } { (still(&events, after)) } }
                        }
                    }
                }
            }
        }
    }
}

/// The choice that an event speaks of. Some events name only the suggestion, whose choice others name; and where there
/// was one choice, it was that.
fn choice(subject: &Subject, event: &EventRow) -> Option<i64> {
    let same = |other: &&EventRow| other.completion.is_some() && other.completion == event.completion;
    let only = || (subject.row.choices == Some(1)).then_some(0);
    event.choice.or_else(|| subject.events.iter().filter(same).find_map(|other| other.choice)).or_else(only)
}

fn is_of_choice(event: &EventRow) -> bool {
    matches!(
        &*event.name,
        "ghostText.shown"
            | "ghostText.shownFromCache"
            | "ghostText.accepted"
            | "ghostText.rejected"
            | "ghostText.stillInCode"
    )
}

const UNKNOWN: &str = "unknown";

fn unknown() -> Markup {
    html! { span.muted { (UNKNOWN) } }
}

fn shown(events: &[&EventRow], began: i64) -> Markup {
    let times = events.iter().filter(|event| event.name.starts_with("ghostText.shown")).map(|event| event.time);
    let times: Vec<_> = times.collect();
    match times.iter().min() {
        Some(first) => html! {
            "shown " (later(first.saturating_sub(began)))
            @if times.len() > 1 { ", " (number(times.len() as u64)) " times" }
        },
        None => unknown(),
    }
}

fn taken(events: &[&EventRow]) -> Markup {
    let accepted = events.iter().filter(|event| event.name == "ghostText.accepted");
    // Of a suggestion taken in parts the last event says how much of it.
    let chars = accepted.clone().filter_map(|event| event.chars).max();
    if accepted.count() > 0 {
        return html! { strong { "accepted" } @if let Some(chars) = chars { ", " (number(chars)) " characters" } };
    }
    if events.iter().any(|event| event.name == "ghostText.rejected") {
        return html! { "rejected" };
    }
    unknown()
}

fn still(events: &[&EventRow], after: u64) -> Markup {
    let look = events.iter().find(|event| event.name == "ghostText.stillInCode" && event.timeout == Some(after));
    match look.and_then(|event| event.still) {
        Some(true) => html! { "still in the code" },
        Some(false) => html! { "no longer there" },
        None => unknown(),
    }
}

fn next_edit(events: &[EventRow]) -> Markup {
    let shown = events.iter().find_map(|event| event.shown);
    let acceptance = events.iter().find_map(|event| event.acceptance.as_deref());
    html! {
        dl.facts {
            dt { "Shown" } dd { (shown.map_or(UNKNOWN, |shown| if shown { "yes" } else { "no" })) }
            dt { "Taken" } dd { (printable(acceptance.unwrap_or(UNKNOWN))) }
        }
    }
}

fn listed(subject: &Subject) -> Markup {
    let events = &subject.events;
    html! {
        details open[events.len() <= 12 && subject.row.kind != Kind::Completions] {
            summary { (number(events.len() as u64)) " event" @if events.len() > 1 { "s" } " of telemetry" }
            div.scroll tabindex="0" role="region" aria-label="Events of telemetry" {
                table.told.folds {
                    thead { tr { th.num scope="col" { "After" } th scope="col" { "Event" } th scope="col" { "It says" } } }
                    tbody {
                        @for event in events.iter().take(LISTED) {
                            tr {
                                td.num { (later(event.time.saturating_sub(subject.row.began))) }
                                th scope="row" { (printable(&event.name)) }
                                td { (said(event)) }
                            }
                        }
                    }
                }
            }
            @if events.len() > LISTED { p.left-out { (number((events.len() - LISTED) as u64)) " more are not shown." } }
        }
    }
}
