//! Figures as a viewer may see them: for the page and the API alike.

use std::borrow::Cow;
use std::sync::Arc;

use super::access::Viewer;
use super::{Problem, Site};
use crate::figures::{By, Query};
use crate::index::Filter;
use crate::review::tally::Overview;

/// The figures that were asked for, of whom the viewer may see figures, under the names that the viewer may see.
/// `query.by` is not looked at.
///
/// # Errors
/// While the index is being built, and when it fails.
pub(in crate::web) async fn shown(site: &Site, viewer: &Viewer, query: Query) -> Result<Arc<Overview>, Problem> {
    let mark = site.figures().mark().await?;
    let users = users(site, viewer, &query, mark).await?;
    let overview = overview(site, Query { users, ..query }, mark).await?;
    if viewer.rights.names_people() {
        return Ok(overview);
    }
    let pseudonyms = site.access().pseudonyms();
    let mut renamed = (*overview).clone();
    renamed.rename_persons(|name| viewer.rights.shown_name(name, pseudonyms).into_owned());
    Ok(Arc::new(renamed))
}

/// Whom the figures are to be of: those that were asked for by what the viewer knows of their names, within those that
/// the viewer may see.
async fn users(site: &Site, viewer: &Viewer, query: &Query, mark: i64) -> Result<Vec<String>, Problem> {
    let mut users = query.users.clone();
    if !users.is_empty() && !viewer.rights.names_people() {
        // Pseudonyms lead to nobody: each name there is must be tried.
        let all = overview(site, Query { users: Vec::new(), ..query.clone() }, mark).await?;
        let known = || all.by(By::User).iter().map(|row| Cow::Borrowed(row.group.as_str())).collect();
        users = viewer.users_meant(users, site.access().pseudonyms(), known);
    }
    Ok(viewer.restrict_figures(Filter { users, ..Filter::default() }).users)
}

async fn overview(site: &Site, query: Query, mark: i64) -> Result<Arc<Overview>, Problem> {
    site.figures().overview(query, mark).await.map_err(|error| Problem::from(&*error))
}
