//! The live page: records as they arrive, and what is in flight.
//!
//! ```text
//! index ───▶ hub (one poller while anybody watches) ──▶ watcher ──▶ browser
//! streams ──┘                                      └──▶ watcher ──▶ browser
//! ```
//!
//! The hub looks four times a second at most. A watcher that reads slowly misses looks, and then asks the index itself
//! for what came since its mark; nobody waits for it, and nothing is kept for it.

mod events;
mod hub;
mod look;
mod markup;
mod page;
mod wanted;

use axum::Router;
use axum::routing::get;

pub(super) use hub::Hub;

use super::access::{Area, Viewer};
use super::{Problem, Site};

/// Its pages.
pub(super) fn router() -> Router<Site> {
    Router::new().route("/live", get(page::page)).route("/live/events", get(events::events))
}

/// Whoever gets figures alone has nothing to watch: rows name people.
fn admit(viewer: &Viewer) -> Result<(), Problem> {
    if viewer.rights.may(Area::Live) && viewer.rights.names_people() {
        Ok(())
    } else {
        Err(Problem::Forbidden("Your account may see figures, not single records.".to_owned()))
    }
}
