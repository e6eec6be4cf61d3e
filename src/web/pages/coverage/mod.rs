//! Coverage: of whom what was seen, and what was not.

mod gaps;
mod table;
#[cfg(test)]
mod tests;

pub(super) use self::gaps::gap;

use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::frame::{Frame, in_pieces};
use super::parts::moment;
use crate::review::amounts::number;
use crate::review::coverage::{Coverage, Span, Weight};
use crate::web::access::{Area, Viewer};
use crate::web::{Problem, Site, coverage as shown};

/// What the address asks for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    span: Option<String>,
    from: Option<usize>,
}

/// Subjects on one page: more would be a page that nobody reads.
const SHOWN: usize = 100;

/// The page.
pub(super) async fn coverage(
    State(site): State<Site>,
    Extension(viewer): Extension<Viewer>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(asked) = asked.map_err(|error| Problem::Bad(format!("{}.", error.body_text())))?;
    let span = match asked.span.as_deref() {
        None | Some("") => Span::default(),
        Some(name) => {
            Span::named(name).ok_or_else(|| Problem::Bad("span is one of 1d, 7d, 30d and all.".to_owned()))?
        }
    };
    // While the index is being built this says so, with the right status.
    site.ready().await?;
    let head = html! {
        h1 { "Coverage" }
        p.muted {
            "What was seen of each user and client, and what was not: gaps, what they mean, and what to do. Times are UTC."
        }
        (spans(span))
    };
    let frame = Frame { area: Some(Area::Coverage), ..Frame::new("Coverage") };
    let (counting, of) = (site.clone(), viewer.clone());
    let rest = async move {
        let all = shown::waited_for(&counting, &of, span).await?;
        Ok(body(&all, span, asked.from.unwrap_or_default(), &of, &counting))
    };
    Ok(in_pieces((&site, &viewer, &frame), &head, "Counting …", rest))
}

/// All that is made of the sums.
fn body(all: &Coverage, span: Span, from: usize, viewer: &Viewer, site: &Site) -> Markup {
    let from = from.min(all.subjects.len());
    let until = from.saturating_add(SHOWN).min(all.subjects.len());
    let subjects = all.subjects.get(from..until).unwrap_or_default();
    let links_to_exchanges = viewer.rights.may(Area::Exchanges) && !viewer.rights.has_pseudonyms();
    html! {
        (known(all, site.recording().is_some()))
        @if all.subjects.is_empty() {
            div.empty { p { "Nobody was seen in this time. " a href="/setup" { "Set-up" } " says how editors are led here." } }
        } @else {
            (summary(all))
            (table::table(subjects, &all.kinds(), links_to_exchanges))
            (pages(span, from, until, all.subjects.len()))
            @for (at, subject) in subjects.iter().enumerate().filter(|(_, subject)| !subject.findings.is_empty()) {
                (gaps::section(at, subject, links_to_exchanges))
            }
        }
    }
}

fn spans(chosen: Span) -> Markup {
    html! {
        nav.bar aria-label="Span of time" {
            span.muted { "Until the newest record:" }
            @for (span, name, words) in Span::ALL {
                a.button href=(format!("/coverage?span={name}")) aria-current=[(span == chosen).then_some("true")] { (words) }
            }
        }
    }
}

/// What the page rests on, and what it cannot know.
fn known(all: &Coverage, is_recording: bool) -> Markup {
    html! {
        dl.facts {
            dt { "Records" }
            dd {
                @match (all.since, all.newest) {
                    (Some(since), Some(newest)) => { (moment(since)) " to " (moment(newest)) }
                    (None, Some(newest)) => { "all, until " (moment(newest)) }
                    (_, None) => { "none" }
                }
            }
            dt { "At the door" }
            dd {
                @match all.door_since {
                    Some(begun) => { "known since " (moment(begun)) }
                    None => { "?" }
                }
            }
        }
        @if let Some(problem) = &all.door_problem {
            p.note.warn { (problem) ": refused tunnels, failed logins and clients that do not trust the CA are not known." }
        } @else if all.door_since.is_none() {
            p.note {
                "This folder has no door book (" code { ".door.json" } "): refused tunnels, failed logins, hosts that were not "
                "opened and clients that do not trust the CA are not known. What is shown comes from the records alone."
                @if !is_recording { " A recorder of this version writes one beside its records." }
            }
        }
        @if all.left_out > 0 {
            p.note.warn { (number(all.left_out)) " exchanges or clients are in no row, because there are too many different ones." }
        }
    }
}

fn summary(all: &Coverage) -> Markup {
    let clients: usize = all.subjects.iter().map(|subject| subject.clients.len()).sum();
    let card = |value: usize, label: &str| {
        html! { div.card { p.value { (number(value as u64)) } p.label { (label) } } }
    };
    html! {
        div.cards {
            (card(all.subjects.len(), "users, accounts and addresses"))
            (card(clients, "clients"))
            (card(all.gravest(Weight::Bad), "with something that does not work"))
            (card(all.gravest(Weight::Warn), "with a gap in what is known"))
        }
    }
}

fn pages(span: Span, from: usize, until: usize, all: usize) -> Markup {
    let name = Span::ALL.iter().find(|(known, ..)| *known == span).map_or("7d", |(_, name, _)| *name);
    let address = |from: usize| format!("/coverage?span={name}&from={from}");
    html! {
        @if from > 0 || until < all {
            nav.bar aria-label="More of them" {
                @if from > 0 { a.button rel="prev" href=(address(from.saturating_sub(SHOWN))) { "Previous" } }
                span.muted { (from + 1) " to " (until) " of " (all) }
                @if until < all { a.button rel="next" href=(address(until)) { "Next" } }
            }
        }
    }
}
