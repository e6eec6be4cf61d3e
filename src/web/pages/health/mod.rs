//! Health: whether records are kept whole, and what stands in the way of it.

mod machine;
mod parts;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use maud::html;

use self::machine::Machine;
use super::frame::{Frame, page};
use crate::index::{Filter, Page, Row};
use crate::review::coverage::Door;
use crate::web::access::{Area, Viewer};
use crate::web::{Problem, Site};

/// The page.
pub(super) async fn health(
    State(site): State<Site>,
    Extension(viewer): Extension<Viewer>,
) -> Result<Response, Problem> {
    let index = index(&site).await;
    let looking = site.clone();
    let look = move || {
        let door = Door::of(looking.recording().map(|recording| &recording.door), looking.logs());
        (Machine::look(looking.logs()), door)
    };
    let (machine, door) = tokio::task::spawn_blocking(look)
        .await
        .map_err(|_| Problem::Failed("The state of the machine could not be read.".to_owned()))?;
    let now = now();
    let body = html! {
        h1 { "Health" }
        (parts::verdict(&parts::troubles(&site, &machine, &index, now)))
        (parts::recording(&site))
        (parts::disk(&site, &machine))
        (parts::index(&index))
        (parts::upstreams(&door))
        (parts::certificates(site.recording().map(|recording| &*recording.authority), now))
        (parts::versions(&site))
    };
    let frame = Frame { area: Some(Area::Health), ..Frame::new("Health") };
    Ok(page(&site, Some(&viewer), &frame, &body))
}

/// What the index says of itself; where it says nothing, why.
type IndexState = Result<IndexFacts, Problem>;

struct IndexFacts {
    rows: u64,
    newest: Option<Row>,
    /// Files that could not be read, and why: the first.
    skipped: Vec<(PathBuf, String)>,
    skipped_total: usize,
}

/// Files told of; the rest is counted.
const SKIPPED: usize = 50;

async fn index(site: &Site) -> IndexState {
    site.ask(|index| {
        let newest = Page { limit: Some(1), offset: 0, oldest_first: false, after: None };
        let mut skipped = index.skipped()?;
        let skipped_total = skipped.len();
        skipped.truncate(SKIPPED);
        let newest = index.list(&Filter::default(), &newest)?.pop();
        Ok(IndexFacts { rows: index.count(&Filter::default())?, newest, skipped, skipped_total })
    })
    .await
}

/// Seconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
