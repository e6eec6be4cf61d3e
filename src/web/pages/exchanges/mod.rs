//! The table of exchanges.

pub(in crate::web) mod columns;
mod form;
mod found;
mod fuzz;
mod table;
mod wanted;

pub(in crate::web) use self::fuzz::fuzz_address;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use chrono::Utc;
use maud::{Markup, html};

use self::found::{Choices, Found, snippets};
pub(in crate::web) use self::wanted::Wanted;
use self::wanted::is_of_form;
use super::frame::{Frame, in_pieces, page};
use super::one::turn;
use crate::index::Row;
use crate::review::params::FieldError;
use crate::review::text::printable;
use crate::review::words::{Snippet, Words};
use crate::web::access::{Area, Viewer};
use crate::web::{Problem, Site};

/// The page.
pub(super) async fn exchanges(
    State(site): State<Site>,
    Extension(viewer): Extension<Viewer>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    // Whoever gets figures alone does not get rows: they name people.
    if !viewer.rights.may(Area::Exchanges) || !viewer.rights.names_people() {
        return Err(Problem::Forbidden("Your account may see figures, not single records.".to_owned()));
    }
    let query = query.unwrap_or_default();
    let wanted = Wanted::of_query(&query);
    let question = match wanted.question(Utc::now()) {
        Ok(question) => question,
        Err(errors) => return Ok(wrong(&site, &viewer, &wanted, &errors)),
    };
    if is_of_form(&query) {
        return Ok(Redirect::to(&wanted.address()).into_response());
    }
    let filter = viewer.restrict(question.filter);
    let (place, oldest_first) = (wanted.place, wanted.oldest_first);
    // What others have is none of the business of who sees their own records only.
    let has_choices = viewer.rights.own_only().is_none();
    let choices = site.ask_at_once(move |index| if has_choices { Choices::ask(index) } else { Ok(Choices::default()) });
    let head = html! {
        h1 { "Exchanges" }
        (form::form(&wanted, &choices.await?, &[]))
    };
    let (asking, of) = (site.clone(), viewer.clone());
    let rest = async move {
        let found = asking.ask(move |index| Found::ask(index, &filter, place, oldest_first)).await?;
        let snippets = match question.words {
            Some(words) => Some(look_into(&asking, &of, &found.rows, words, wanted.params.text.as_deref()).await?),
            None => None,
        };
        Ok(table::table(&wanted, &found, snippets.as_deref()))
    };
    Ok(in_pieces((&site, &viewer, &frame()), &head, "Looking …", rest))
}

/// What the records say around the words that were searched for. These are contents: who looks is noted.
async fn look_into(
    site: &Site,
    viewer: &Viewer,
    rows: &[Row],
    words: Words,
    text: Option<&str>,
) -> Result<Vec<Option<Snippet>>, Problem> {
    // All of them, also where no words can be shown: that they are in a record says something of what is in it.
    site.look(viewer, "search", rows, text).await?;
    let _turn = turn().await?;
    let (logs, asked) = (site.logs().to_owned(), rows.to_vec());
    let found = tokio::task::spawn_blocking(move || snippets(&logs, &asked, &words)).await;
    found.map_err(|_| Problem::Failed("The records could not be searched.".to_owned()))
}

/// The form again, with what is wrong at its field, and no rows.
fn wrong(site: &Site, viewer: &Viewer, wanted: &Wanted, errors: &[FieldError]) -> Response {
    let body = html! {
        h1 { "Exchanges" }
        p.problem role="alert" { "These filters make no sense as they are; nothing was looked for." }
        (others(&form::elsewhere(errors)))
        (form::form(wanted, &Choices::default(), errors))
    };
    let mut response = page(site, Some(viewer), &frame(), &body);
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}

fn others(errors: &[&FieldError]) -> Markup {
    html! {
        @if !errors.is_empty() {
            ul.plain { @for error in errors {
                li { code { (printable(&error.field)) "=" (printable(&error.value)) } ": " (printable(&error.sentence)) "." }
            } }
        }
    }
}

fn frame() -> Frame<'static> {
    Frame { area: Some(Area::Exchanges), ..Frame::new("Exchanges") }
}

#[cfg(test)]
mod tests;
