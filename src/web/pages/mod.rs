//! The pages.

mod conversation;
mod coverage;
mod diff;
mod exchange;
pub(super) mod exchanges;
mod figures;
pub(super) mod frame;
pub(super) mod health;
pub(super) mod one;
mod parts;
mod setup;

use axum::Router;
use axum::routing::get;

use super::{Site, access};

/// All pages. One line for each.
pub(super) fn router() -> Router<Site> {
    Router::new()
        .route("/exchanges", get(exchanges::exchanges))
        .route("/", get(access::home))
        .route("/figures", get(figures::figures))
        .route("/figures.csv", get(figures::table))
        .route("/exchanges/{id}/diff", get(diff::choose))
        .route("/exchanges/{id}/diff/{other}", get(diff::diff))
        .route("/conversations/{id}", get(conversation::conversation))
        .merge(exchange::router())
        .route("/coverage", get(coverage::coverage))
        .merge(setup::router())
        .route("/health", get(health::health))
}
