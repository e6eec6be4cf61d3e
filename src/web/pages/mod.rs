//! The pages.

mod exchange;
pub(super) mod frame;
mod stub;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;

use super::Site;

/// All pages. One line for each.
pub(super) fn router() -> Router<Site> {
    Router::new()
        .route("/", get(|| async { Redirect::to("/live") }))
        .route("/live", get(stub::live))
        .route("/exchanges", get(stub::exchanges))
        .merge(exchange::router())
        .route("/figures", get(stub::figures))
        .route("/coverage", get(stub::coverage))
        .route("/setup", get(stub::setup))
        .route("/health", get(stub::health))
}
