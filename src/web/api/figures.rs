//! Figures.

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use chrono::{DateTime, DurationRound, FixedOffset, TimeDelta, Utc};
use serde::Serialize;

use super::answer::{Refusal, json, rfc3339};
use super::session::allowed;
use crate::figures::By;
use crate::review::figures::Line;
use crate::review::params::FiguresParams;
use crate::web::access::{Area, Viewer};
use crate::web::{Problem, Site, figures};

/// What `stats --json` writes, and of when.
#[derive(Serialize)]
struct Answer<'a> {
    by: Option<By>,
    /// RFC 3339.
    since: Option<String>,
    until: Option<String>,
    /// By which days and hours are told: `+01:00`.
    utc_offset: String,
    /// In the order of the groups' names.
    rows: Vec<Line<'a>>,
    total: Line<'a>,
}

/// `GET /figures`
pub(super) async fn figures(
    State(site): State<Site>,
    Extension(viewer): Extension<Viewer>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    allowed(&viewer, Area::Figures)?;
    let params = FiguresParams::of_query(query.as_deref().unwrap_or_default(), &[]);
    let query = params.query(&now()).map_err(Refusal::of_fields)?;
    let mark = site.figures().mark().await.map_err(Problem::from)?;
    let overview = figures::shown(&site, &viewer, query.clone(), mark).await?.overview;
    let line = |figures, is_total| Line { by: query.by, is_total, figures };
    let rows = query.by.map_or(&[][..], |by| overview.by(by));
    let offset = FixedOffset::east_opt(query.offset_minutes.saturating_mul(60));
    json(&Answer {
        by: query.by,
        since: query.since.and_then(rfc3339),
        until: query.until.and_then(rfc3339),
        utc_offset: offset.map_or_else(String::new, |offset| offset.to_string()),
        rows: rows.iter().map(|group| line(group, false)).collect(),
        total: line(overview.total(), true),
    })
}

/// The time of now to the minute: within it `7d` is the same question, whose answer is kept.
fn now() -> DateTime<Utc> {
    Utc::now().duration_trunc(TimeDelta::minutes(1)).unwrap_or_default()
}
