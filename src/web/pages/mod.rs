//! The pages.

mod exchanges;
mod figures;
pub(super) mod frame;
mod stub;

use axum::Router;
use axum::routing::get;

use super::{Site, access};

/// All pages. One line for each.
pub(super) fn router() -> Router<Site> {
    Router::new()
        .route("/", get(access::home))
        .route("/live", get(stub::live))
        .route("/exchanges", get(exchanges::exchanges))
        .route("/figures", get(figures::figures))
        .route("/figures.csv", get(figures::table))
        .route("/coverage", get(stub::coverage))
        .route("/setup", get(stub::setup))
        .route("/health", get(stub::health))
}
