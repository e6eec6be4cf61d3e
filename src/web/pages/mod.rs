//! The pages.

mod conversation;
mod diff;
mod exchanges;
mod figures;
pub(super) mod frame;
pub(super) mod one;
mod stub;

use axum::Router;
use axum::routing::get;

use super::{Site, access};

/// All pages. One line for each.
pub(super) fn router() -> Router<Site> {
    Router::new()
        .route("/", get(access::home))
        .route("/exchanges", get(exchanges::exchanges))
        .route("/exchanges/{id}/diff", get(diff::choose))
        .route("/exchanges/{id}/diff/{other}", get(diff::diff))
        .route("/conversations/{id}", get(conversation::conversation))
        .route("/figures", get(figures::figures))
        .route("/figures.csv", get(figures::table))
        .route("/coverage", get(stub::coverage))
        .route("/setup", get(stub::setup))
        .route("/health", get(stub::health))
}
