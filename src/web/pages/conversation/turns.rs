//! The requests of a page: what a person said and what came of it, with the client's own follow-ups folded between.

use std::collections::HashMap;

use maud::{Markup, html};

use super::outline::address;
use super::parts::{Parts, answer};
use super::{View, busy, one};
use crate::review::amounts::{millis, number};
use crate::review::conversation::{Begun, Contents, Link, Turn, Unread, totals};
use crate::review::row::{Outcome, flags, outcome};
use crate::review::text::printable;
use crate::web::render::code::Budget;

pub(super) fn turns(view: &View) -> Markup {
    let mut drawing = Drawing { view, parts: Parts::new(Budget::new(), names(view)) };
    let groups: Vec<_> = view.found.groups().into_iter().enumerate().collect();
    let sections: Vec<_> = groups
        .into_iter()
        .filter(|(_, group)| group.start < view.shown.end && group.end > view.shown.start)
        .map(|(number, group)| drawing.group(number + 1, group))
        .collect();
    html! { @for section in &sections { (section) } }
}

/// The tools by the ids of their calls: results tell ids alone.
fn names(view: &View) -> HashMap<String, String> {
    let answers = view.contents.iter().flatten().filter_map(|contents| contents.answer.as_ref());
    let calls = answers.flat_map(|answer| &answer.choices).flat_map(|choice| &choice.tool_calls);
    calls.filter(|call| !call.id.is_empty()).map(|call| (call.id.clone(), call.name.clone())).collect()
}

struct Drawing<'v> {
    view: &'v View,
    parts: Parts,
}

impl<'v> Drawing<'v> {
    /// A turn of a person: what they said, the client's rounds folded, and what was answered in the end.
    fn group(&mut self, count: usize, group: std::ops::Range<usize>) -> Markup {
        let shown = group.start.max(self.view.shown.start)..group.end.min(self.view.shown.end);
        let goes_on = shown.start > group.start;
        let turns = &self.view.found.turns;
        let first = turns.get(group.start);
        let title = first.map_or("", |turn| turn.title.as_str());
        // All but the first, which begins the turn, and the last, whose answer ends it.
        let opening = (!goes_on).then_some(shown.start);
        let rounds = if goes_on { shown.clone() } else { shown.start + 1..shown.end };
        let ending = (group.end == shown.end && !rounds.is_empty()).then(|| shown.end - 1);
        let opening = opening.map(|at| self.request(at, true));
        let folded: Vec<_> = rounds.clone().map(|at| self.request(at, Some(at) != ending)).collect();
        let ending = ending.map(|at| self.ending(at));
        let sum = totals(turns.get(rounds.clone()).unwrap_or_default());
        let asked = rounds.contains(&self.view.found.asked);
        html! {
            section.exchange-group {
                h2 {
                    span.muted { (count) ". " }
                    @if first.is_some_and(|turn| turn.begun == Begun::Client) { "The client by itself" }
                    @else if title.is_empty() { "Without words" }
                    @else { (title) }
                    @if goes_on { " " span.muted { "(goes on)" } }
                }
                @if let Some(opening) = &opening { (opening) }
                @if !rounds.is_empty() {
                    details.rounds open[asked] {
                        summary {
                            "client: " (rounds.len()) @if rounds.len() == 1 { " follow-up" } @else { " follow-ups" }
                            ", " (busy(&sum)) ", " (tokens(sum.tokens_in, sum.tokens_out))
                        }
                        @for round in &folded { (round) }
                    }
                }
                @if let Some(ending) = &ending { (ending) }
            }
        }
    }

    fn turn(&self, at: usize) -> Option<(&'v Turn, &'v Result<Contents, Unread>)> {
        let view = self.view;
        Some((view.found.turns.get(at)?, view.contents.get(at.checked_sub(view.shown.start)?)?))
    }

    /// A request: what it says, and its answer unless that stands elsewhere.
    fn request(&mut self, at: usize, answers: bool) -> Markup {
        let Some((turn, contents)) = self.turn(at) else { return html! {} };
        let by = if turn.begun == Begun::Person { "person" } else { "client" };
        let body = match contents {
            Err(unread) => html! { p.note.warn { "Its file " (printable(&unread.why)) "." } },
            Ok(contents) => {
                let said = self.said(turn, contents);
                let answered = answers.then(|| self.answered(contents));
                html! {
                    (said)
                    @if let Some(answered) = &answered { (answered) }
                    @if contents.cut {
                        p.muted.small { "Long texts are cut here; the exchange has all of them." }
                    }
                }
            }
        };
        html! {
            article class={ "request " (by) } id={ "request-" (at + 1) } aria-current=[(at == self.view.found.asked).then_some("true")] {
                (self.head(at, turn))
                (body)
            }
        }
    }

    /// The answer that a turn ended with, whose request stands among the folded ones.
    fn ending(&mut self, at: usize) -> Markup {
        let Some((_, Ok(contents))) = self.turn(at) else { return html! {} };
        let answered = self.answered(contents);
        html! {
            div.ending {
                p.muted.small { "The answer to request " a href=(address(self.view, at)) { (at + 1) } }
                (answered)
            }
        }
    }

    fn said(&mut self, turn: &Turn, contents: &Contents) -> Markup {
        let Some(said) = &contents.said else {
            return html! { p.muted { "The request's body is no prompt." } };
        };
        let markup = self.parts.said(said);
        html! {
            div.said {
                @if contents.retold {
                    p.note { "The client tells the answer before this otherwise than it was recorded:" }
                }
                @if turn.link == Link::Untold {
                    p.note { "This begins with a history whose requests are not among the records:" }
                }
                (markup)
                @if said.is_empty() { p.muted { "Nothing that was not said before." } }
            }
        }
    }

    fn answered(&mut self, contents: &Contents) -> Markup {
        match &contents.answer {
            Some(found) => answer(&mut self.parts, found),
            None => html! { p.muted { "No answer that could be read." } },
        }
    }

    fn head(&self, at: usize, turn: &Turn) -> Markup {
        let row = &turn.row;
        let tint = match outcome(row) {
            Outcome::Fine => "tag",
            Outcome::Cancelled => "tag warn",
            Outcome::Failed => "tag bad",
        };
        let place = |other: usize| html! { a href=(address(self.view, other)) { "request " (other + 1) } };
        html! {
            header.meta {
                span.muted { (at + 1) } " "
                (one::link(row, &self.view.wanted.list)) " "
                span { @if turn.begun == Begun::Person { "a person" } @else { "the client" } } " "
                @if let Some(model) = row.model_answered.as_deref().or(row.model.as_deref()) { span.muted { (printable(model)) } " " }
                span.muted.nowrap { (row.total_ms.map_or_else(|| "-".to_owned(), millis)) } " "
                span.muted.nowrap { (tokens(row.tokens_in, row.tokens_out)) } " "
                @if outcome(row) != Outcome::Fine {
                    span class=(tint) { @match row.status { Some(status) => (status), None => "no response" } } " "
                }
                @for flag in flags(row) { span class=(tint) { (flag) } " " }
                @if at == self.view.found.asked { span.tag.accent #here { "you came from here" } " " }
                @if let Some(other) = turn.again { span.tag { "tried again, as " (place(other)) } " " }
                @if turn.turned_back { span.tag { "turned back" } " " }
                @match &turn.link {
                    Link::From(other) if other + 1 != at => span.muted.small { "goes on from " (place(*other)) },
                    Link::Lost(id) => span.tag.warn { "goes on from " (printable(id)) ", which is not among the records" },
                    Link::From(_) | Link::Begins | Link::Untold => "",
                }
            }
        }
    }
}

fn tokens(sent: Option<u64>, got: Option<u64>) -> String {
    let known = |value: Option<u64>| value.map_or_else(|| "?".to_owned(), number);
    format!("{} tokens in, {} out", known(sent), known(got))
}
