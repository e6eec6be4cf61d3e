//! The page itself, whole without script.

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use maud::{Markup, html};

use super::look::Now;
use super::markup::{self, State as Shown};
use super::wanted::Wanted;
use crate::index::{Page, Row};
use crate::rules::Kind;
use crate::web::access::{Area, Viewer};
use crate::web::pages::frame::{Frame, page as framed};
use crate::web::{Problem, Site};

/// Rows to begin with.
const BEGIN_WITH: u64 = 50;

/// The newest records, what is in flight, and where the script goes on from.
pub(super) async fn page(
    State(site): State<Site>,
    Extension(viewer): Extension<Viewer>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let wanted = Wanted::read(&query.unwrap_or_default()).map_err(Problem::Bad)?;
    let filter = viewer.restrict(wanted.filter());
    let newest = Page { limit: Some(BEGIN_WITH), ..Page::default() };
    // The mark first: what arrives in between is told twice, and the script knows it by its id.
    let (mark, rows) = site
        .ask(move |index| {
            let (_, mark) = index.arrived(None)?;
            Ok((mark, index.list(&filter, &newest)?))
        })
        .await?;
    // Somebody may ask for rows of others, and gets none of them.
    let sees = |row: &Row| super::sees(&viewer, &wanted, row.kind, row.user.as_deref());
    let rows: Vec<_> = rows.into_iter().filter(sees).collect();
    let now = site.live().glance();
    let body = body(&viewer, &wanted, mark, &rows, &now);
    let frame = Frame { area: Some(Area::Live), scripts: &["live.js"], ..Frame::new("Live") };
    Ok(framed(&site, Some(&viewer), &frame, &body))
}

fn body(viewer: &Viewer, wanted: &Wanted, mark: i64, rows: &[Row], now: &Now) -> Markup {
    let flying: Vec<_> =
        now.flying.iter().filter(|it| super::sees(viewer, wanted, it.flight.kind, it.flight.user.as_deref())).collect();
    let shown = Shown {
        counters: now.counters.filter(|_| viewer.rights.own_only().is_none()),
        total: now.counters.map(|_| flying.len()),
        more: markup::more(&flying),
        problem: None,
    };
    html! {
        div.live data-mark=(mark) {
            h1 { "Live" }
            div.bar {
                p.status role="status" { "These are the newest records. " a href="" { "Load again" } " to see newer ones." }
                button.end type="button" data-pause aria-pressed="false" hidden { "Pause " kbd aria-hidden="true" { "Space" } }
            }
            (markup::state(&shown, &flying[shown.more..], |_| false))
            h2 #records { "Records" }
            (filters(viewer, wanted))
            p.note data-left hidden {}
            div.scroll tabindex="0" role="region" aria-labelledby="records" {
                table {
                    caption.visually-hidden { "Records, the newest first" }
                    thead { (markup::head()) }
                    tbody data-rows aria-live="off" { @for row in rows { (markup::row(row)) } }
                }
            }
            p.empty data-empty hidden[!rows.is_empty()] {
                @if wanted.is_all() {
                    "No records yet. They appear here as they arrive. " a href="/setup" { "Set an editor up" }
                    " to use the proxy, if none is."
                }
                @else { "No records of this filter yet. They appear here as they arrive." }
            }
        }
    }
}

fn filters(viewer: &Viewer, wanted: &Wanted) -> Markup {
    let kind = match wanted.kinds.as_slice() {
        [only] => Some(*only),
        _ => None,
    };
    html! {
        form.filters action="/live" method="get" {
            div.field {
                label for="kind" { "Kind" }
                select #kind name="kind" {
                    option value="" { "all" }
                    @if wanted.kinds.len() > 1 {
                        @let many = wanted.kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(",");
                        option value=(many) selected { (many) }
                    }
                    @for known in Kind::ALL { option value=(known) selected[kind == Some(known)] { (known) } }
                }
            }
            @if viewer.rights.own_only().is_none() {
                div.field {
                    label for="user" { "User" }
                    input #user name="user" value=(wanted.users.join(",")) autocomplete="off" spellcheck="false";
                }
            }
            div.field { button { "Filter" } }
            div.field.double data-typed hidden {
                label for="typed" { "Only rows with these words" }
                input #typed type="search" data-search autocomplete="off" spellcheck="false";
            }
        }
    }
}
