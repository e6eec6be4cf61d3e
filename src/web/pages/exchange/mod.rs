//! One exchange: what was asked and answered as a person reads it, when, and what became of it.
//!
//! Given an id, hands on a page, or the bodies and records of it as files. All texts of the record go through
//! [`render`](crate::web::render), within what a page may hold.

mod answer;
mod around;
mod batch;
mod became;
mod code;
mod contents;
mod curl;
mod download;
pub(super) mod find;
mod ghost;
mod head;
mod prompt;
mod raw;
mod room;
mod timing;
mod view;

#[cfg(test)]
mod tests;

use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use maud::{Markup, html};

use self::find::Found;
use self::room::Room;
use self::view::View;
use crate::web::access::{Area, Viewer};
use crate::web::pages::exchanges::Wanted;
use crate::web::pages::frame::{Frame, page};
use crate::web::pages::one::{stopped, turn};
use crate::web::{Problem, Site};

/// The pages and files of an exchange.
pub(super) fn router() -> Router<Site> {
    Router::new()
        .route("/exchanges/{id}", get(show))
        .route("/exchanges/{id}/request-body", get(download::request_body))
        .route("/exchanges/{id}/response-body", get(download::response_body))
        .route("/exchanges/{id}/record.json", get(download::record))
        .route("/exchanges/{id}/exchange.har", get(download::har))
}

async fn show(
    State(site): State<Site>,
    Extension(viewer): Extension<Viewer>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let row = match find::find(&site, &viewer, &id).await? {
        Found::One(row) => *row,
        Found::Several(rows) => {
            let frame = Frame { area: Some(Area::Exchanges), ..Frame::new("Several exchanges") };
            return Ok(page(
                &site,
                Some(&viewer),
                &frame,
                &find::choice(&id, &rows, &Wanted::of_query(&query.unwrap_or_default())),
            ));
        }
    };
    // Bodies of 16 MB take some ten times as much memory until the page is made.
    let _turn = turn().await?;
    let view = View::gather(&site, &viewer, row, &query.unwrap_or_default()).await?;
    site.look(&viewer, "exchange", std::slice::from_ref(&view.subject.row), None).await?;
    if let Some(words) = &view.list.params.text {
        // That the words are in those beside it says something of what is in them.
        let beside: Vec<_> = [&view.newer, &view.older].into_iter().flatten().cloned().collect();
        site.look(&viewer, "search", &beside, Some(words)).await?;
    }
    let title = format!("{} {}", head::kind(view.subject.row.kind), view.subject.row.id);
    // Grammars and large bodies take their time.
    let body = tokio::task::spawn_blocking(move || body(&view)).await;
    let body = body.map_err(|_| stopped())?;
    let frame = Frame { area: Some(Area::Exchanges), ..Frame::new(&title) };
    Ok(page(&site, Some(&viewer), &frame, &body))
}

fn body(view: &View) -> Markup {
    let subject = &view.subject;
    let room = &mut Room::new();
    html! {
        article.exchange {
            (around::steps(view))
            (head::head(view))
            (contents::contents(view))
            @match &subject.batch {
                Some(batch) => (batch::batch(view, batch, room)),
                None => {
                    div.columns.talk {
                        // The answer is what a person looks at first: it has the first of what a page may hold.
                        (answer::with_prompt(view, room))
                    }
                    (became::became(subject))
                }
            }
            (timing::timing(subject))
            (around::session(view))
            (raw::raw(subject, room))
        }
    }
}
