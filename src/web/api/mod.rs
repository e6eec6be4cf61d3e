//! The JSON API: what the pages show, for programs.
//!
//! Reads parameters, asks `review` and the index what the pages ask them, and answers in the form that the command line
//! has with `--json`. `docs/api.md` tells how to use it, `openapi.json` describes every answer; tests hold both to what
//! is served. Nothing can be changed through it.

mod answer;
mod conversation;
mod coverage;
mod diff;
mod download;
mod exchange;
mod exchanges;
mod figures;
mod fuzz;
mod health;
mod parameters;
mod session;

#[cfg(test)]
mod tests;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get};

pub(super) use answer::refused;
pub(super) use fuzz::fuzz_address;

use super::Site;

/// What the addresses begin with. Within a version fields are added and never changed.
const PREFIX: &str = "/api/v1";

/// The description of the API: OpenAPI 3.1.
const OPENAPI: &str = include_str!("openapi.json");

/// All endpoints.
pub(super) fn router() -> Router<Site> {
    let mut router = Router::new();
    for (path, endpoint) in endpoints() {
        router = router.route(path, endpoint);
    }
    let router = router.method_not_allowed_fallback(answer::no_such_method).fallback(answer::no_such_endpoint);
    Router::new().nest(PREFIX, router)
}

/// Each endpoint's path below [`PREFIX`]. `HEAD` is answered as `GET` is, without the body.
fn endpoints() -> Vec<(&'static str, MethodRouter<Site>)> {
    vec![
        ("/session", get(session::session)),
        ("/exchanges", get(exchanges::list)),
        ("/exchanges/{id}", get(exchange::whole)),
        ("/exchanges/{id}/record", get(exchange::record)),
        ("/exchanges/{id}/events", get(exchange::events)),
        ("/exchanges/{id}/request-body", get(download::request_body)),
        ("/exchanges/{id}/response-body", get(download::response_body)),
        ("/exchanges/{id}/har", get(download::har)),
        ("/exchanges/{id}/diff/{other}", get(diff::diff)),
        ("/conversations/{id}", get(conversation::conversation)),
        ("/figures", get(figures::figures)),
        ("/coverage", get(coverage::coverage)),
        ("/health", get(health::health)),
        ("/openapi.json", get(openapi)),
    ]
}

async fn openapi(_: parameters::NoParams) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], OPENAPI)
}
