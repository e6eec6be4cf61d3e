//! Figures: what `stats` gives, drawn.
//!
//! The frame and the filters are sent at once, the charts when they are added up: a million records take a second or
//! two.

mod csv;
mod drawings;
mod form;
mod headline;
mod rank;
mod sections;
mod tables;
#[cfg(test)]
mod tests;
mod view;

use std::time::Duration;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Timelike as _, Utc};
use maud::{Markup, html};

use self::view::{Span, View};
use super::frame::{Frame, in_pieces, page};
use crate::figures::Query;
use crate::review::kept::Counted;
use crate::review::params::FiguresParams;
use crate::review::values::by_name;
use crate::web::access::{Area, Viewer};
use crate::web::figures::{self as shown, blocking};
use crate::web::{Problem, Site};

/// The page.
pub(super) async fn figures(
    State(site): State<Site>,
    Extension(viewer): Extension<Viewer>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let asked = Asked::of(&query.unwrap_or_default(), viewer.clone());
    let frame = Frame { area: Some(Area::Figures), ..Frame::new("Figures") };
    let is_own = asked.is_own();
    let query = match asked.params.query(&now()) {
        Ok(query) => query,
        Err(errors) => {
            let body = html! { (heading()) (form::form(&asked.params, &errors, is_own)) };
            let page = page(&site, Some(&viewer), &frame, &body);
            return Ok((StatusCode::BAD_REQUEST, page).into_response());
        }
    };
    // While the index is being built this says so, with the right status.
    site.ready().await?;
    let head = html! {
        (heading())
        (form::form(&asked.params, &[], is_own))
        nav.bar.small aria-label="Sections" {
            @for (id, name) in sections::SECTIONS { a href=(format!("#{id}")) { (name) } }
        }
    };
    let counting = site.clone();
    let rest = async move { asked.shown(&counting, query).await };
    Ok(in_pieces((&site, &viewer, &frame), &head, "Adding up …", rest))
}

/// The rows of one split, or the total, as CSV.
pub(super) async fn table(
    State(site): State<Site>,
    Extension(viewer): Extension<Viewer>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let asked = Asked::of(&query.unwrap_or_default(), viewer);
    let query = asked.params.query(&now()).map_err(|errors| {
        let wrong: Vec<_> = errors.iter().map(|error| format!("{}: {}", error.field, error.sentence)).collect();
        Problem::Bad(format!("The address says what cannot be: {}.", wrong.join("; ")))
    })?;
    let by = query.by;
    let mark = site.figures().mark().await?;
    let overview = asked.counted(&site, query, mark).await?.overview;
    let text = blocking(move || csv::of_split(&overview, by)).await?;
    let text = text.map_err(|error| Problem::Failed(format!("The table cannot be written: {error}.")))?;
    let name = by.map_or("total", by_name);
    let disposition = format!("attachment; filename=\"figures-by-{name}.csv\"");
    let headers = [(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, disposition)];
    Ok((headers, text).into_response())
}

/// The time of now to the minute: within it `7d` is the same question.
fn now() -> DateTime<Utc> {
    let now = Utc::now();
    now.with_second(0).and_then(|now| now.with_nanosecond(0)).unwrap_or(now)
}

fn heading() -> Markup {
    html! {
        h1 { "Figures" }
        p.muted {
            "What the records tell, added up. Shown and accepted come from the editors' telemetry alone. "
            "? is unknown, and never zero; - is where there is nothing to know."
        }
    }
}

/// What is asked for, and by whom.
#[derive(Clone)]
struct Asked {
    params: FiguresParams,
    viewer: Viewer,
}

impl Asked {
    fn of(query: &str, viewer: Viewer) -> Self {
        Self { params: FiguresParams::of_query(query, &[]), viewer }
    }

    /// Whether there is only one user to be seen.
    fn is_own(&self) -> bool {
        self.viewer.rights.figures_only_of().is_some()
    }

    /// The figures that the viewer may see, users as the viewer may see them.
    async fn counted(&self, site: &Site, query: Query, mark: i64) -> Result<Counted, Problem> {
        shown::shown(site, &self.viewer, query, mark).await
    }

    /// All that is behind the filters.
    async fn shown(self, site: &Site, query: Query) -> Result<Markup, Problem> {
        let mark = site.figures().mark().await?;
        let span = Span::of(&query, now());
        let Counted { overview, age } = self.counted(site, query, mark).await?;
        // Many rows take a moment too.
        let is_own = self.is_own();
        let params = self.params;
        let drawing = move || all(&View { params: &params, overview: &overview, is_own, span });
        Ok(html! { (as_of(age)) (blocking(drawing).await?) })
    }
}

/// Says of figures that records came since.
fn as_of(age: Option<Duration>) -> Markup {
    html! {
        @if let Some(age) = age {
            p.note role="status" {
                "Added up " (age.as_secs()) " s ago: records that came since are not in it. Load the page again in a while."
            }
        }
    }
}

fn all(view: &View<'_>) -> Markup {
    if view.overview.is_empty() {
        let no_filters = FiguresParams { by: None, ..view.params.clone() } == FiguresParams::default();
        return html! {
            div.empty { p {
                @if no_filters { "There is nothing to count yet: no request was recorded." }
                @else { "There is nothing to count with these filters. " a href="/figures" { "Without filters" } }
            } }
        };
    }
    html! {
        (headline::headline(view.overview.total()))
        (sections::sections(view))
    }
}
