//! The exchanges beside this one: in the list that the reader comes from, and in the same session.

use maud::{Markup, html};

use super::head;
use super::view::View;
use crate::index::Row;
use crate::review::amounts::millis;
use crate::review::query::encoded;
use crate::review::row::{about, flags};
use crate::review::text::printable;

/// The way back to the list, and to the next ones of it. The list has the newest first, so the next one is older.
pub(super) fn steps(view: &View) -> Markup {
    let list = if view.list.is_empty() { "/exchanges".to_owned() } else { format!("/exchanges?{}", view.list) };
    html! {
        nav.bar.steps aria-label="Exchanges beside this one" {
            a href=(list) { "Exchanges" }
            span.end {
                @match &view.newer {
                    Some(row) => a.button rel="prev" href=(view.address(row)) accesskey="k" { "← Newer" },
                    None => span.muted { "the newest" },
                }
                " "
                @match &view.older {
                    Some(row) => a.button rel="next" href=(view.address(row)) accesskey="j" { "Older →" },
                    None => span.muted { "the oldest" },
                }
            }
        }
    }
}

/// The exchanges of the same session.
pub(super) fn session(view: &View) -> Markup {
    let mine = &view.subject.row;
    if view.session.len() < 2 {
        return html! {};
    }
    html! {
        section {
            h2 #session { "The same session" }
            p.muted {
                @if mine.session.is_some() { "What this editor session sent before and after." }
                @else { "The client names no session: what the same user, client and editor sent within an hour." }
            }
            div.scroll tabindex="0" role="region" aria-labelledby="session" {
                table {
                    thead { tr {
                        th scope="col" { "Time (" (view.zone_name()) ")" }
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
                @if this { (view.time(row.began)) " (this one)" }
                @else { a href=(view.address(row)) { (view.time(row.began)) } }
            }
            td { (head::kind(row.kind)) }
            td.num { (row.status.map_or_else(|| "-".to_owned(), |status| status.to_string())) }
            td { (text(about(row))) }
            td.num { (row.total_ms.map_or_else(|| "-".to_owned(), millis)) }
            td { (flags(row).join(", ")) }
            td {
                @if !this {
                    a href={ "/exchanges/" (encoded(&mine.id)) "/diff/" (encoded(&row.id)) } {
                        "compare" span.visually-hidden { " with " (printable(&row.id)) }
                    }
                }
            }
        }
    }
}
