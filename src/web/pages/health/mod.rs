//! Health: whether records are kept whole, and what stands in the way of it.

mod certificates;
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

use self::certificates::Certificate;
use self::machine::Machine;
pub(in crate::web) use self::machine::{Disk, Spool};
use super::frame::{Frame, in_pieces};
use crate::index::{Filter, Page, Row};
use crate::review::coverage::Door;
use crate::web::access::{Area, Viewer};
use crate::web::{Problem, Site};

/// The page.
pub(super) async fn health(
    State(site): State<Site>,
    Extension(viewer): Extension<Viewer>,
) -> Result<Response, Problem> {
    let frame = Frame { area: Some(Area::Health), ..Frame::new("Health") };
    let telling = site.clone();
    // To count a million exchanges takes a tenth of a second.
    let rest = async move {
        let facts = Facts::gather(&telling).await?;
        Ok(html! {
            (parts::verdict(&facts.troubles(&telling)))
            (parts::recording(&telling))
            (parts::disk(&telling, &facts.machine))
            (parts::index(&facts.index))
            (parts::upstreams(&facts.door))
            (certificates::section(&facts.certificates, telling.recording().is_some()))
            (parts::versions(&telling))
        })
    };
    Ok(in_pieces((&site, &viewer, &frame), &html! { h1 { "Health" } }, "Looking …", rest))
}

/// What the page tells, beside what the site itself knows: for the API too.
pub(in crate::web) struct Facts {
    pub(in crate::web) index: IndexState,
    pub(in crate::web) machine: Machine,
    pub(in crate::web) door: Door,
    pub(in crate::web) certificates: Vec<Certificate>,
    /// Why new files of the page's certificate are not taken up.
    not_taken_up: Option<String>,
}

impl Facts {
    /// Looks at all of it, now.
    ///
    /// # Errors
    /// When the machine cannot be looked at.
    pub(in crate::web) async fn gather(site: &Site) -> Result<Self, Problem> {
        let index = index(site).await;
        let looking = site.clone();
        let look = move || {
            let door = Door::of(looking.recording().map(|recording| &recording.door), looking.logs());
            (Machine::look(looking.logs()), door, certificates::all(&looking, now()))
        };
        let (machine, door, (certificates, not_taken_up)) = tokio::task::spawn_blocking(look)
            .await
            .map_err(|_| Problem::Failed("The state of the machine could not be read.".to_owned()))?;
        Ok(Self { index, machine, door, certificates, not_taken_up })
    }

    /// What somebody must do something about, in sentences.
    pub(in crate::web) fn troubles(&self, site: &Site) -> Vec<String> {
        parts::troubles(site, self)
    }
}

/// What the index says of itself; where it says nothing, why.
pub(in crate::web) type IndexState = Result<IndexFacts, Problem>;

pub(in crate::web) struct IndexFacts {
    pub(in crate::web) rows: u64,
    pub(in crate::web) newest: Option<Row>,
    /// Files that could not be read, and why: the first.
    skipped: Vec<(PathBuf, String)>,
    pub(in crate::web) skipped_total: usize,
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
