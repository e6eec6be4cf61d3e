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

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Timelike as _, Utc};
use maud::{Markup, html};
use tokio_stream::StreamExt;

use self::view::View;
use super::frame::{Frame, after, before, page};
use crate::figures::{By, Query};
use crate::index::Filter;
use crate::review::params::FiguresParams;
use crate::review::tally::Overview;
use crate::review::values::BY;
use crate::web::access::{Area, Viewer};
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
    let mark = site.figures().mark().await?;
    let head = html! {
        (before(&site, Some(&viewer), &frame))
        (heading())
        (form::form(&asked.params, &[], is_own))
        nav.bar.small aria-label="Sections" {
            @for (id, name) in sections::SECTIONS { a href=(format!("#{id}")) { (name) } }
        }
        // What follows in the same place hides it: see charts.css.
        (maud::PreEscaped("<div class=\"counted\">"))
        p.counting role="status" { "Adding up …" }
    };
    let rest = async move {
        let body = asked.shown(&site, query, mark).await;
        html! { (body) (maud::PreEscaped("</div>")) (after()) }.into_string()
    };
    let head = head.into_string();
    let pieces = tokio_stream::iter([None, Some(rest)]).then(move |piece| {
        let head = head.clone();
        async move {
            Ok::<_, Infallible>(match piece {
                None => head,
                Some(rest) => rest.await,
            })
        }
    });
    Ok(([(CONTENT_TYPE, "text/html; charset=utf-8")], Body::from_stream(pieces)).into_response())
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
    let overview = asked.overview(&site, query, mark).await?;
    let text = blocking(move || csv::of_split(&overview, by)).await?;
    let text = text.map_err(|error| Problem::Failed(format!("The table cannot be written: {error}.")))?;
    let name = BY.into_iter().find(|(_, known)| Some(*known) == by).map_or("total", |(name, _)| name);
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

    /// Whether users are shown under pseudonyms.
    fn is_pseudonymous(&self) -> bool {
        !self.viewer.rights.sees_all_contents() && !self.is_own()
    }

    /// The figures that the viewer may see, users as the viewer may see them.
    async fn overview(&self, site: &Site, query: Query, mark: i64) -> Result<Arc<Overview>, Problem> {
        let users = self.users(site, query.users.clone(), mark).await?;
        let overview = kept(site, Query { users, ..query }, mark).await?;
        if !self.is_pseudonymous() {
            return Ok(overview);
        }
        let (asked, site) = (self.clone(), site.clone());
        blocking(move || {
            let mut overview = (*overview).clone();
            let pseudonyms = site.access().pseudonyms();
            overview.rename_persons(|user| asked.viewer.rights.shown_name(user, pseudonyms).into_owned());
            Arc::new(overview)
        })
        .await
    }

    /// The users that are asked for, within what the viewer may see. Pseudonyms are those of all users that there are.
    async fn users(&self, site: &Site, users: Vec<String>, mark: i64) -> Result<Vec<String>, Problem> {
        let users = if users.is_empty() || !self.is_pseudonymous() {
            users
        } else {
            let all = kept(site, Query::default(), mark).await?;
            let (asked, site) = (self.clone(), site.clone());
            blocking(move || {
                let known = || all.by(By::User).iter().map(|row| Cow::Borrowed(row.group.as_str())).collect();
                asked.viewer.users_meant(users, site.access().pseudonyms(), known)
            })
            .await?
        };
        Ok(self.viewer.restrict_figures(Filter { users, ..Filter::default() }).users)
    }

    /// All that is behind the filters. By now the page has begun: what fails is said in it.
    async fn shown(self, site: &Site, query: Query, mark: i64) -> Markup {
        let drawn = async {
            let overview = self.overview(site, query, mark).await?;
            // Many rows take a moment too.
            let is_own = self.is_own();
            let params = self.params;
            blocking(move || all(&View { params: &params, overview: &overview, is_own })).await
        };
        let drawn: Result<Markup, Problem> = drawn.await;
        drawn.unwrap_or_else(|problem| html! { p.problem role="alert" { (problem.sentence()) } })
    }
}

async fn kept(site: &Site, query: Query, mark: i64) -> Result<Arc<Overview>, Problem> {
    site.figures().overview(query, mark).await.map_err(|error| Problem::from(&*error))
}

/// Off the threads that serve others.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    let stopped = |_| Problem::Unavailable("The program is being stopped.".to_owned());
    tokio::task::spawn_blocking(work).await.map_err(stopped)
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
