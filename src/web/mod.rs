//! The web page: what was recorded, in a browser.
//!
//! ```text
//! request ─▶ access (Host, session, rights) ─▶ pages, live, api ─▶ review ─▶ index, archive, figures
//!                                                  │
//!                                                  └─ audit: every look at contents of others
//! ```
//!
//! Pages are made on the server and work without script. Nothing is fetched from elsewhere.

pub mod access;
mod api;
mod assets;
pub mod charts;
mod coverage;
mod figures;
pub mod fuzz;
mod live;
mod pages;
mod problem;
pub mod render;
mod server;
mod site;
#[cfg(test)]
mod testing;

use axum::Router;
use axum::routing::get;

pub use problem::Problem;
pub use server::{CONNECTIONS, serve};
pub use site::{Recording, Site};

/// All pages.
pub fn router(site: Site) -> Router {
    Router::new()
        .merge(pages::router())
        .merge(api::router())
        .merge(live::router())
        .merge(access::router())
        .route("/assets/{name}", get(assets::asset))
        .fallback(|| async { Problem::NotFound("There is no such page.".to_owned()) })
        .layer(axum::middleware::from_fn_with_state(site.clone(), problem::explain))
        .layer(axum::middleware::from_fn_with_state(site.clone(), access::guard))
        .layer(axum::middleware::from_fn(access::secure))
        .with_state(site)
}
