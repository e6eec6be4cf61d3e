//! Two exchanges beside each other.

use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use maud::{Markup, html};

use super::exchange::find;
use super::exchanges::Wanted;
use super::frame::{Frame, page};
use super::one;
use crate::index::Row;
use crate::review::amounts::millis;
use crate::review::difference::{Change, Difference};
use crate::review::row::{about, amounts};
use crate::review::text::printable;
use crate::web::access::{Area, Viewer};
use crate::web::render::diff::diff as compared;
use crate::web::render::text::visible;
use crate::web::{Problem, Site};

/// Exchanges of the session that are offered: what surrounds the one that somebody looks at.
const OFFERED: u64 = 60;
/// Letters of one value that are shown: a header can have 16,384.
const VALUE: usize = 2_000;

/// The page on which the other one is chosen.
pub(super) async fn choose(
    State(site): State<Site>,
    Extension(viewer): Extension<Viewer>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let list = Wanted::of_query(query.as_deref().unwrap_or_default());
    list.clock().map_err(one::wrong)?;
    let row = find::one(&site, &viewer, &id).await?;
    let asked = row.clone();
    let rows = site.ask(move |index| index.session_of(&asked, OFFERED)).await?;
    let (alike, others): (Vec<_>, Vec<_>) = rows
        .into_iter()
        .filter(|other| other.id != row.id && viewer.may_see(other))
        .partition(|other| other.kind == row.kind);
    let clock = one::clock(list.zone());
    let body = html! {
        (one::way_back(&row, &list))
        h1 { "Compare an exchange with another" }
        p { "The exchange of " (one::link(&row, &list)) " " (clock) " (" (row.kind.as_str()) "). Others of its session:" }
        @if alike.is_empty() && others.is_empty() {
            div.empty { p { "There is no other exchange of this session." } }
        }
        @if !alike.is_empty() { (offered(&row, &alike, "Of the same kind", &list)) }
        @if !others.is_empty() { (offered(&row, &others, "Of other kinds", &list)) }
    };
    Ok(page(&site, Some(&viewer), &frame("Compare"), &body))
}

/// The nearest stand where the reader begins: in order of time, as the session's list has them.
fn offered(row: &Row, rows: &[Row], title: &str, list: &Wanted) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(title) {
            table {
                caption { (title) }
                thead { tr {
                    th scope="col" { "Time (" (one::clock(list.zone())) ")" } th scope="col" { "Kind" } th scope="col" { "About" }
                    th.num scope="col" { "Total" } th.num scope="col" { "Tokens or size" }
                } }
                tbody data-rows {
                    @for other in rows {
                        tr {
                            td.nowrap {
                                a href=(list.comparison(&row.id, Some(&other.id))) { (one::time(other.began, list.zone())) }
                                @if other.began < row.began { " " span.muted { "before" } } @else { " " span.muted { "after" } }
                            }
                            td { (other.kind.as_str()) }
                            td { (printable(about(other).unwrap_or("-"))) }
                            td.num { (other.total_ms.map_or_else(|| "-".to_owned(), millis)) }
                            td.num { (amounts(other)) }
                        }
                    }
                }
            }
        }
    }
}

/// The page of two exchanges.
pub(super) async fn diff(
    State(site): State<Site>,
    Extension(viewer): Extension<Viewer>,
    Path((id, other)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let list = Wanted::of_query(query.as_deref().unwrap_or_default());
    list.clock().map_err(one::wrong)?;
    let mut rows = [find::one(&site, &viewer, &id).await?, find::one(&site, &viewer, &other).await?];
    if rows[0].id == rows[1].id {
        return Err(Problem::Bad("An exchange cannot be compared with itself.".to_owned()));
    }
    let came_from = rows[0].id.clone();
    // What became of something is read forwards, whichever of the two the reader came from.
    rows.sort_by(|one, other| (one.began, &one.id).cmp(&(other.began, &other.id)));
    let [old, new] = &rows;
    let _turn = one::turn().await?;
    let files = (one::read(&site, old).await?, one::read(&site, new).await?);
    site.look(&viewer, "diff", &rows, None).await?;
    let asked = rows.clone();
    let drawn = tokio::task::spawn_blocking(move || {
        let [old, new] = &asked;
        let found = Difference::of((old, &files.0.record), (new, &files.1.record));
        let came_from = if old.id == came_from { old } else { new };
        html! { (one::way_back(came_from, &list)) (body(old, new, &found, &list)) }
    });
    let body = drawn.await.map_err(|_| one::stopped())?;
    Ok(page(&site, Some(&viewer), &frame("Comparison"), &body))
}

fn body(old: &Row, new: &Row, found: &Difference, list: &Wanted) -> Markup {
    let clock = one::clock(list.zone());
    let [old_prompt, new_prompt] = &found.prompts;
    let [old_answer, new_answer] = &found.answers;
    html! {
        h1 { "Two exchanges compared" }
        dl.facts {
            dt { "Old" } dd { (one::link(old, list)) " " (clock) " · " (old.kind.as_str()) " · " (printable(old.user.as_deref().unwrap_or("-"))) }
            dt { "New" } dd { (one::link(new, list)) " " (clock) " · " (new.kind.as_str()) " · " (printable(new.user.as_deref().unwrap_or("-"))) }
        }
        p { a href=(list.comparison(&new.id, None)) { "Compare with another" } }
        h2 { "What was asked" }
        (compared(old_prompt, new_prompt))
        h2 { "What was answered" }
        (compared(old_answer, new_answer))
        h2 { "What is known of them" }
        (changes(&found.fields, "Fields that differ", field))
        h2 { "Headers of the requests" }
        (changes(&found.request_headers, "Request headers that differ", str::to_owned))
        h2 { "Headers of the responses" }
        (changes(&found.response_headers, "Response headers that differ", str::to_owned))
    }
}

/// A field's name in words, with its unit.
fn field(name: &str) -> String {
    let named = match name.strip_suffix("_ms") {
        Some(time) => format!("{time} (ms)"),
        None if name.ends_with("_size") => format!("{name} (bytes)"),
        None => name.to_owned(),
    };
    named.replace('_', " ")
}

fn changes(changes: &[Change], title: &str, name: impl Fn(&str) -> String) -> Markup {
    if changes.is_empty() {
        return html! { p.muted { "No differences." } };
    }
    html! {
        div.scroll tabindex="0" role="region" aria-label=(title) {
            table.comparison {
                caption.visually-hidden { (title) }
                thead { tr { th scope="col" { "Name" } th scope="col" { "Old" } th scope="col" { "New" } } }
                tbody {
                    @for change in changes {
                        tr {
                            th scope="row" { (visible(&name(&change.name))) }
                            td { (value(change.old.as_deref())) }
                            td { (value(change.new.as_deref())) }
                        }
                    }
                }
            }
        }
    }
}

fn value(value: Option<&str>) -> Markup {
    let Some(value) = value else { return html! { span.muted { "-" } } };
    let shown: String = value.chars().take(VALUE).collect();
    let left_out = value.len() - shown.len();
    html! { (visible(&shown)) @if left_out > 0 { span.left-out { "… " (left_out) " more bytes" } } }
}

fn frame(title: &str) -> Frame<'_> {
    Frame { area: Some(Area::Exchanges), ..Frame::new(title) }
}

#[cfg(test)]
#[path = "diff_tests.rs"]
mod tests;
