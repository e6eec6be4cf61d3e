//! What is saved rather than read: bodies as they were recorded, and HAR files.

use std::slice;

use axum::Extension;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::answer::Refusal;
use super::exchange::{found, of_file};
use super::parameters::Id;
use crate::archive::Body;
use crate::export::har;
use crate::review::subject::RecordFile;
use crate::web::access::Viewer;
use crate::web::pages::one::turn;
use crate::web::{Problem, Site};

/// `GET /exchanges/{id}/request-body`
pub(super) async fn request_body(
    State(site): State<Site>,
    Extension(viewer): Extension<Viewer>,
    Id(id): Id,
) -> Result<Response, Refusal> {
    let asked = Asked { what: "body", name: "request.txt", kind: BYTES };
    asked.download(&site, &viewer, &id, |file| Ok(bytes(file.record.request_body))).await
}

/// `GET /exchanges/{id}/response-body`
pub(super) async fn response_body(
    State(site): State<Site>,
    Extension(viewer): Extension<Viewer>,
    Id(id): Id,
) -> Result<Response, Refusal> {
    let asked = Asked { what: "body", name: "response.txt", kind: BYTES };
    asked.download(&site, &viewer, &id, |file| Ok(bytes(file.record.response_body))).await
}

/// `GET /exchanges/{id}/har`: as `export --format har` writes it.
pub(super) async fn har(
    State(site): State<Site>,
    Extension(viewer): Extension<Viewer>,
    Id(id): Id,
) -> Result<Response, Refusal> {
    let asked = Asked { what: "har", name: "exchange.har", kind: "application/json" };
    let write = |file: RecordFile| {
        let mut writer = har::Writer::new(Vec::new())?;
        writer.add(&file.record)?;
        writer.finish()
    };
    asked.download(&site, &viewer, &id, write).await
}

/// Whatever was recorded is not ours to name a type for: a browser is to save it and look no further.
const BYTES: &str = "application/octet-stream";

struct Asked {
    /// For the audit log.
    what: &'static str,
    /// Of the file, behind the id.
    name: &'static str,
    /// Media type.
    kind: &'static str,
}

impl Asked {
    async fn download(
        self,
        site: &Site,
        viewer: &Viewer,
        id: &str,
        make: impl FnOnce(RecordFile) -> std::io::Result<Vec<u8>> + Send + 'static,
    ) -> Result<Response, Refusal> {
        let row = found(site, viewer, id).await?;
        let _turn = turn().await?;
        let made = of_file(site, row.clone(), make).await?;
        let bytes = made.map_err(|error| Problem::Failed(format!("The record cannot be written: {error}.")))?;
        site.look(viewer, self.what, slice::from_ref(&row), None).await?;
        let disposition = format!("attachment; filename=\"{}-{}\"", row.id, self.name);
        Ok(([(CONTENT_TYPE, self.kind), (CONTENT_DISPOSITION, &*disposition)], bytes).into_response())
    }
}

/// The body as it was recorded, without its content coding.
fn bytes(body: Body) -> Vec<u8> {
    body.bytes.unwrap_or_else(|| body.text.into_bytes())
}
