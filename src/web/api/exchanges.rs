//! Lists of exchanges.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use chrono::Utc;
use serde::Serialize;

use super::answer::{Refusal, json};
use super::parameters::{ListParams, Side};
use super::session::allowed;
use crate::index::{Cursor, Filter, Index, IndexError, Page, Row};
use crate::review::search::place;
use crate::review::words::{Context, Words};
use crate::web::access::{Area, Viewer};
use crate::web::pages::one::turn;
use crate::web::{Problem, Site};

/// Counting ends here: it takes a tenth of a second, and who wants to know more asks for figures.
const COUNT_MAX: u64 = 100_000;

/// Columns of a context: as `search --json` has it.
const CONTEXT: usize = 94;

/// A part of a list.
#[derive(Serialize)]
struct List<'a> {
    /// The newest first.
    exchanges: Vec<Listed<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<Count>,
    /// Where the older ones are; none at the end of the list.
    next: Option<String>,
    /// Where the newer ones are, also those yet to come.
    previous: Option<String>,
}

/// A row as `list --json` has it, or `search --json` where contexts are asked for.
#[derive(Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    row: &'a Row,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Option<&'a Context>>,
}

#[derive(Serialize)]
struct Count {
    number: u64,
    /// Else there are at least so many.
    exact: bool,
}

struct Found {
    rows: Vec<Row>,
    /// There are others beyond them, on the side that was asked for.
    more: bool,
    count: Option<Count>,
    /// The newest that were counted, where there are none of them among the rows.
    counted: Vec<Row>,
}

/// `GET /exchanges`
pub(super) async fn list(
    State(site): State<Site>,
    Extension(viewer): Extension<Viewer>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    allowed(&viewer, Area::Exchanges)?;
    let asked = Arc::new(ListParams::read(query.as_deref().unwrap_or_default(), &Utc::now())?);
    let filter = viewer.restrict(asked.filter.clone());
    let params = Arc::clone(&asked);
    let Found { rows, more, count, counted } = site.ask(move |index| find(index, &params, &filter)).await?;
    let text = asked.filter.text.as_deref();
    if text.is_some() {
        // That a word is in a record says something of what is in it.
        site.look(&viewer, "search", if rows.is_empty() { &counted } else { &rows }, text).await?;
    }
    let (rows, contexts) = match text {
        Some(text) if asked.context => {
            let _turn = turn().await?;
            contexts(&site, rows, text.to_owned()).await?
        }
        _ => (rows, Vec::new()),
    };
    let context = |at: usize| asked.context.then(|| contexts.get(at).and_then(Option::as_ref));
    let exchanges = rows.iter().enumerate().map(|(at, row)| Listed { row, context: context(at) });
    let (next, previous) = links(&asked, &rows, more);
    json(&List { exchanges: exchanges.collect(), count, next, previous })
}

fn find(index: &Index, asked: &ListParams, filter: &Filter) -> Result<Found, IndexError> {
    let (after, oldest_first) = match asked.side {
        Side::Newest => (None, false),
        Side::After(place) => (Some(place), false),
        Side::Before(place) => (Some(place), true),
    };
    // One more than is shown tells whether there are more.
    let page = Page { limit: Some(asked.limit + 1), after, offset: 0, oldest_first };
    let mut rows = index.list(filter, &page)?;
    let limit = usize::try_from(asked.limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    if oldest_first {
        rows.reverse();
    }
    let counted = if asked.count && rows.is_empty() {
        index.list(filter, &Page { limit: Some(asked.limit), ..Page::default() })?
    } else {
        Vec::new()
    };
    let count = if asked.count {
        let number = index.count_up_to(filter, COUNT_MAX)?;
        Some(Count { number, exact: number < COUNT_MAX })
    } else {
        None
    };
    Ok(Found { rows, more, count, counted })
}

/// Where older and newer ones are.
fn links(asked: &ListParams, rows: &[Row], more: bool) -> (Option<String>, Option<String>) {
    let is_before = matches!(asked.side, Side::Before(_));
    let next = rows.last().filter(|_| more || is_before).map(|last| asked.link(Side::After(Cursor::of(last))));
    let previous = match (rows.first(), asked.side) {
        (Some(first), _) => Some(asked.link(Side::Before(Cursor::of(first)))),
        // Nothing newer yet: the same question again.
        (None, Side::Before(_)) => Some(asked.link(asked.side)),
        (None, _) => None,
    };
    (next, previous)
}

/// Where the words stand in each record, and the rows back.
async fn contexts(site: &Site, rows: Vec<Row>, text: String) -> Result<(Vec<Row>, Vec<Option<Context>>), Problem> {
    let site = site.clone();
    let read = move || {
        let words = Words::of(&text);
        let contexts = rows.iter().map(|row| place(site.logs(), row, &words, CONTEXT)).collect();
        (rows, contexts)
    };
    let failed = |error| Problem::Failed(format!("The records could not be read: {error}."));
    tokio::task::spawn_blocking(read).await.map_err(failed)
}
