//! Who asks, and what they may see.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::answer::{Refusal, json};
use super::parameters::NoParams;
use crate::web::access::{Area, Viewer};
use crate::web::{Problem, Site};

/// Parts of what is served, by their names.
const AREAS: [(&str, Area); 6] = [
    ("live", Area::Live),
    ("exchanges", Area::Exchanges),
    ("figures", Area::Figures),
    ("coverage", Area::Coverage),
    ("setup", Area::Setup),
    ("health", Area::Health),
];

#[derive(Serialize)]
struct Session<'a> {
    /// The name in the users file; none where nobody is asked who they are.
    user: Option<&'a str>,
    /// What may be seen.
    may: Vec<&'static str>,
    /// The one user whose records may be seen; none: everybody's.
    only_of: Option<&'a str>,
    /// People have their names; else pseudonyms.
    names: bool,
    /// The proxy runs in the same program; else a folder is reviewed.
    recording: bool,
    /// Of this program.
    version: &'static str,
}

/// `GET /session`
pub(super) async fn session(
    State(site): State<Site>,
    Extension(viewer): Extension<Viewer>,
    _: NoParams,
) -> Result<Response, Refusal> {
    let may = AREAS.into_iter().filter(|(_, area)| viewer.rights.may(*area)).map(|(name, _)| name);
    json(&Session {
        user: viewer.name.as_deref(),
        may: may.collect(),
        only_of: viewer.rights.own_only(),
        names: viewer.rights.names_people(),
        recording: site.recording().is_some(),
        version: env!("CARGO_PKG_VERSION"),
    })
}

/// Whether this part may be seen at all.
pub(super) fn allowed(viewer: &Viewer, area: Area) -> Result<(), Refusal> {
    if viewer.rights.may(area) {
        return Ok(());
    }
    Err(Problem::Forbidden("Your roles do not let you see this.".to_owned()).into())
}
