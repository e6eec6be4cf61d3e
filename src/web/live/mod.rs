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
pub(super) use wanted::fuzz_address;

use super::Site;
use super::access::Viewer;
use crate::rules::Kind;
use wanted::Wanted;

/// Its pages.
pub(super) fn router() -> Router<Site> {
    Router::new().route("/live", get(page::page)).route("/live/events", get(events::events))
}

/// Whether this is for a viewer who asked for it.
fn sees(viewer: &Viewer, wanted: &Wanted, kind: Kind, user: Option<&str>) -> bool {
    viewer.rights.contents_of(user) && wanted.has(kind, user)
}
