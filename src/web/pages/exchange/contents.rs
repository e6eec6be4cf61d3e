//! What the page has, to go to at once, and what of it there is to take away.

use maud::{Markup, html};

use super::view::View;
use super::{around, became, curl};
use crate::review::query::encoded;

/// Links to the sections that follow, in their order; the keys 1, 2, … lead there too.
pub(super) fn contents(view: &View) -> Markup {
    let subject = &view.subject;
    let here = format!("/exchanges/{}", encoded(&subject.row.id));
    html! {
        div.bar.contents {
            nav aria-label="Parts of this page" { ul {
                @for (at, (id, name)) in parts(view).into_iter().enumerate() {
                    li { a href={ "#" (id) } data-part=(at + 1) { (name) } }
                }
            } }
            span.end {
                a.button.small download="" href={ (here) "/record.json" } { "Record (JSON)" } " "
                a.button.small download="" href={ (here) "/exchange.har" } { "HAR" }
                // Without script it leads to the text.
                @if curl::can(subject) { " " a.button.small href="#curl" data-copy="#curl" { "Copy as curl" } }
            }
        }
    }
}

/// The sections that the page has, by their ids.
fn parts(view: &View) -> Vec<(&'static str, &'static str)> {
    let subject = &view.subject;
    let is_batch = subject.batch.is_some();
    let all = [
        (is_batch, "events", "Events"),
        (!is_batch, "prompt", if subject.prompt.is_some() { "Prompt" } else { "Request" }),
        (!is_batch, "answer", if subject.answer.is_some() { "Answer" } else { "Response" }),
        (!is_batch && became::has(subject), "became", "What became of it"),
        (true, "timing", "Timing"),
        (around::has_session(view), "session", "The same session"),
        (true, "raw", "Headers and bodies"),
    ];
    all.into_iter().filter(|(is_there, ..)| *is_there).map(|(_, id, name)| (id, name)).collect()
}
