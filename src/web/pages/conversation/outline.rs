//! The turns of persons, to jump to.

use maud::{Markup, html};

use super::{PAGE, View};
use crate::review::conversation::Begun;

pub(super) fn outline(view: &View) -> Markup {
    let groups = view.found.groups();
    html! {
        nav.outline aria-label="Turns" {
            details open {
                summary { "Turns" }
                ol {
                    @for group in &groups {
                        @if let Some(turn) = view.found.turns.get(group.start) {
                            li {
                                a href=(address(view, group.start)) {
                                    @match (turn.begun, turn.title.as_str()) {
                                        (Begun::Client, _) => "The client by itself",
                                        (Begun::Person, "") => "Without words",
                                        (Begun::Person, title) => (title),
                                    }
                                }
                                @if group.len() > 1 { " " span.muted.small { "+" (group.len() - 1) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Where a request stands: on this page, or on another.
pub(super) fn address(view: &View, at: usize) -> String {
    let place = format!("#request-{}", at + 1);
    if view.shown.contains(&at) { place } else { format!("{}{place}", view.address(at / PAGE + 1)) }
}
