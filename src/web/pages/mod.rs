//! The pages.

mod coverage;
mod exchanges;
pub(super) mod frame;
mod health;
mod parts;
mod setup;
mod stub;

use axum::Router;
use axum::routing::get;

use super::{Site, access};

/// All pages. One line for each.
pub(super) fn router() -> Router<Site> {
    Router::new()
        .route("/exchanges", get(exchanges::exchanges))
        .route("/", get(access::home))
        .route("/figures", get(stub::figures))
        .route("/coverage", get(coverage::coverage))
        .merge(setup::router())
        .route("/health", get(health::health))
}
