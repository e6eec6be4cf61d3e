//! Style and script: part of the program.

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::Problem;
use crate::digest::{hex, sha256};

/// Name, type and contents.
const ASSETS: &[(&str, &str, &str)] = &[
    ("style.css", CSS, include_str!("assets/style.css")),
    ("contents.css", CSS, include_str!("assets/contents.css")),
    ("conversation.css", CSS, include_str!("assets/conversation.css")),
    ("charts.css", CSS, include_str!("assets/charts.css")),
    ("script.js", SCRIPT, include_str!("assets/script.js")),
    ("live.js", SCRIPT, include_str!("assets/live.js")),
    ("setup.js", SCRIPT, include_str!("assets/setup.js")),
    ("icon.svg", "image/svg+xml", include_str!("assets/icon.svg")),
];

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The address of an asset; it changes with the contents, so that browsers may keep what they have.
pub(super) fn address(name: &str) -> String {
    let text = ASSETS.iter().find(|(known, ..)| *known == name).map_or("", |(_, _, text)| text);
    let digest = hex(&sha256(text.as_bytes()));
    format!("/assets/{name}?v={}", digest.get(..12).unwrap_or_default())
}

pub(super) async fn asset(Path(name): Path<String>) -> Response {
    match ASSETS.iter().find(|(known, ..)| *known == name) {
        Some((_, kind, text)) => {
            let kept = "public, max-age=31536000, immutable";
            ([(CONTENT_TYPE, *kind), (CACHE_CONTROL, kept)], *text).into_response()
        }
        None => Problem::NotFound("There is no such file.".to_owned()).into_response(),
    }
}
