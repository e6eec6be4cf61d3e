//! Figures.

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};
use serde::Serialize;

use super::answer::{Refusal, json};
use super::session::allowed;
use crate::figures::By;
use crate::review::figures::{self, Line};
use crate::review::params::FiguresParams;
use crate::web::Site;
use crate::web::access::{Area, Viewer};

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
    let mut query = params.query(&Utc::now()).map_err(Refusal::of_fields)?;
    if let Some(own) = viewer.rights.own_only() {
        query.users = vec![own.to_owned()];
    }
    let asked = query.clone();
    let (groups, total) = site.ask(move |index| figures::figures(index, asked)).await?;
    let line = |figures, is_total| Line { by: query.by, is_total, figures };
    json(&Answer {
        by: query.by,
        since: query.since.and_then(rfc3339),
        until: query.until.and_then(rfc3339),
        utc_offset: FixedOffset::east_opt(query.offset_minutes * 60)
            .map_or_else(String::new, |offset| offset.to_string()),
        rows: groups.iter().map(|group| line(group, false)).collect(),
        total: line(&total, true),
    })
}

/// A time in microseconds since 1970.
fn rfc3339(micros: i64) -> Option<String> {
    Some(DateTime::from_timestamp_micros(micros)?.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}
