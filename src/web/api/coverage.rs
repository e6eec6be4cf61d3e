//! Who was seen with what, and what was not seen.

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;

use super::answer::{Refusal, json};
use super::parameters::CoverageParams;
use super::session::allowed;
use crate::review::coverage::Subject;
use crate::web::access::{Area, Viewer};
use crate::web::{Site, coverage};

#[derive(Serialize)]
struct Answer<'a> {
    span: &'static str,
    since: Option<i64>,
    newest: Option<i64>,
    door_since: Option<i64>,
    door_problem: Option<&'a str>,
    /// The gravest findings first.
    subjects: &'a [Subject],
    count: usize,
    left_out: u64,
    next: Option<String>,
}

/// `GET /coverage`
pub(super) async fn coverage(
    State(site): State<Site>,
    Extension(viewer): Extension<Viewer>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    allowed(&viewer, Area::Coverage)?;
    let asked = CoverageParams::read(query.as_deref().unwrap_or_default())?;
    let all = coverage::shown(&site, &viewer, asked.span).await?;
    let count = all.subjects.len();
    let from = asked.from.min(count);
    let until = from.saturating_add(asked.limit).min(count);
    json(&Answer {
        span: asked.name(),
        since: all.since,
        newest: all.newest,
        door_since: all.door_since,
        door_problem: all.door_problem.as_deref(),
        subjects: all.subjects.get(from..until).unwrap_or_default(),
        count,
        left_out: all.left_out,
        next: (until < count).then(|| asked.link(until)),
    })
}
