//! The exchanges beside this one: in the list that the reader comes from, and in the same session.

use maud::{Markup, html};

use super::head;
use super::view::{SESSION, View};
use crate::index::Row;
use crate::review::amounts::millis;
use crate::review::row::{about, flags};
use crate::review::text::printable;
use crate::review::told::later;

/// The way back to the list, and to the next ones of it, in its order.
pub(super) fn steps(view: &View) -> Markup {
    let list = &view.list;
    let (newer, older) = ((view.newer.as_ref(), "Newer", "the newest"), (view.older.as_ref(), "Older", "the oldest"));
    let [before, after] = if list.oldest_first { [older, newer] } else { [newer, older] };
    let filters = list.params.pairs();
    html! {
        nav.bar.steps aria-label="Exchanges beside this one" {
            a rel="up" href=(list.address()) { "Exchanges" }
            // Else a reader wonders why one that was there a moment ago is not the next.
            @if !filters.is_empty() {
                span.muted.small.filtered {
                    "of " @for (at, (name, value)) in filters.iter().enumerate() {
                        @if at > 0 { ", " } (name) " " (printable(value))
                    }
                }
            }
            span.end {
                @match before {
                    (Some(row), name, _) => a.button rel="prev" href=(view.address(row)) accesskey="k" { "← " (name) },
                    (None, _, end) => span.muted { (end) },
                }
                " "
                @match after {
                    (Some(row), name, _) => a.button rel="next" href=(view.address(row)) accesskey="j" { (name) " →" },
                    (None, _, end) => span.muted { (end) },
                }
            }
        }
    }
}

/// Whether there are others of the same session.
pub(super) fn has_session(view: &View) -> bool {
    view.session.len() > 1
}

/// The exchanges of the same session.
pub(super) fn session(view: &View) -> Markup {
    let mine = &view.subject.row;
    if !has_session(view) {
        return html! {};
    }
    let many = view.session.len() - 1;
    html! {
        section {
            h2 #session { "The same session" }
            p.muted {
                @if mine.session.is_some() {
                    @if view.session.len() as u64 >= SESSION { "Of what this editor session sent, the " (many) " nearest in time." }
                    @else { "What this editor session sent before and after." }
                }
                @else { "The client names no session: what the same user, client and editor sent within an hour." }
                @if let Some(address) = view.list.hour_around(mine) {
                    " " a href=(address) {
                        @match mine.user.as_deref() {
                            Some(user) => { "All exchanges of " (printable(user)) " in the hour before and after" },
                            None => "All exchanges without a user in the hour before and after",
                        }
                    }
                }
            }
            div.scroll tabindex="0" role="region" aria-labelledby="session" {
                table.session.folds {
                    thead { tr {
                        th scope="col" { "Time (" (view.zone_name()) ")" }
                        th.num scope="col" { "From here" }
                        th scope="col" { "Kind" }
                        th.num scope="col" { "Status" }
                        th scope="col" { "About" }
                        th.num scope="col" { "Total" }
                        th scope="col" { "Remarks" }
                        th scope="col" { "Compare" }
                    } }
                    tbody { @for row in &view.session { (self::row(view, row)) } }
                }
            }
        }
    }
}

fn row(view: &View, row: &Row) -> Markup {
    let mine = &view.subject.row;
    let this = row.id == mine.id;
    let text = |text: Option<&str>| printable(text.unwrap_or("-")).into_owned();
    html! {
        tr aria-current=[this.then_some("true")] {
            th.nowrap scope="row" {
                @if this { (view.time(row.began)) }
                @else { a href=(view.address(row)) { (view.time(row.began)) } }
            }
            td.num { @if this { "this one" } @else { (later(row.began.saturating_sub(mine.began))) } }
            td { (head::kind(row.kind)) }
            td.num { (row.status.map_or_else(|| "-".to_owned(), |status| status.to_string())) }
            td { (text(about(row))) }
            td.num { (row.total_ms.map_or_else(|| "-".to_owned(), millis)) }
            td { (flags(row).join(", ")) }
            td {
                @if !this {
                    a href=(view.list.comparison(&mine.id, Some(&row.id))) {
                        "compare" span.visually-hidden { " with " (printable(&row.id)) }
                    }
                }
            }
        }
    }
}
