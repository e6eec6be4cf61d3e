//! The pages.

mod exchanges;
pub(super) mod frame;
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
        .route("/coverage", get(stub::coverage))
        .route("/setup", get(stub::setup))
        .route("/health", get(stub::health))
}
