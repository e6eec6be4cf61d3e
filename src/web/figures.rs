//! Figures as a viewer may see them: for the page and the API alike.

use std::borrow::Cow;
use std::sync::Arc;

use super::access::Viewer;
use super::{Problem, Site};
use crate::figures::{By, Query};
use crate::index::Filter;
use crate::review::kept::Counted;

/// The figures that were asked for, of whom the viewer may see figures, under the names that the viewer may see.
/// `query.by` is not looked at; `mark` is that of [`Kept::mark`](crate::review::kept::Kept::mark).
///
/// # Errors
/// While the index is being built, and when it fails.
pub(in crate::web) async fn shown(site: &Site, viewer: &Viewer, query: Query, mark: i64) -> Result<Counted, Problem> {
    let users = users(site, viewer, &query, mark).await?;
    let counted = kept(site, Query { users, ..query }, mark).await?;
    if !viewer.rights.has_pseudonyms() {
        return Ok(counted);
    }
    let (viewer, site) = (viewer.clone(), site.clone());
    blocking(move || {
        let mut overview = (*counted.overview).clone();
        let pseudonyms = site.access().pseudonyms();
        overview.rename_persons(|user| viewer.rights.shown_name(user, pseudonyms).into_owned());
        Counted { overview: Arc::new(overview), ..counted }
    })
    .await
}

/// Whom the figures are to be of: those that were asked for by what the viewer knows of their names, within those that
/// the viewer may see.
async fn users(site: &Site, viewer: &Viewer, query: &Query, mark: i64) -> Result<Vec<String>, Problem> {
    let mut users = query.users.clone();
    if !users.is_empty() && viewer.rights.has_pseudonyms() {
        // Pseudonyms lead to nobody: each name there is must be tried.
        let all = kept(site, Query::default(), mark).await?.overview;
        let (viewer, site) = (viewer.clone(), site.clone());
        users = blocking(move || {
            let known = || all.by(By::User).iter().map(|row| Cow::Borrowed(row.group.as_str())).collect();
            viewer.users_meant(users, site.access().pseudonyms(), known)
        })
        .await?;
    }
    Ok(viewer.restrict_figures(Filter { users, ..Filter::default() }).users)
}

async fn kept(site: &Site, query: Query, mark: i64) -> Result<Counted, Problem> {
    site.figures().overview(query, mark).await.map_err(|error| Problem::from(&*error))
}

/// Off the threads that serve others.
pub(in crate::web) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let stopped = |_| Problem::Unavailable("The program is being stopped.".to_owned());
    tokio::task::spawn_blocking(work).await.map_err(stopped)
}
