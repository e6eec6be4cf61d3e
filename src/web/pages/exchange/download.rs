//! The bodies and the record of an exchange as files.

use axum::Extension;
use axum::body::Body as Answer;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};

use super::find::one;
use crate::archive::Body;
use crate::export::har;
use crate::index::Row;
use crate::review::subject::{RecordFile, file_json};
use crate::web::access::Viewer;
use crate::web::pages::one::{read, stopped, turn};
use crate::web::{Problem, Site};

/// What a file is asked from.
type From = (State<Site>, Extension<Viewer>, Path<String>);

/// Whatever a browser takes it for, nothing in it runs.
const SANDBOX: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";

pub(super) async fn request_body((State(site), Extension(viewer), Path(id)): From) -> Result<Response, Problem> {
    let row = one(&site, &viewer, &id).await?;
    site.look(&viewer, "body", std::slice::from_ref(&row), None).await?;
    let name = format!("{}-request", name(&row));
    made(&site, &row, move |file| Ok(body(file.record.request_body, &name))).await
}

pub(super) async fn response_body((State(site), Extension(viewer), Path(id)): From) -> Result<Response, Problem> {
    let row = one(&site, &viewer, &id).await?;
    site.look(&viewer, "body", std::slice::from_ref(&row), None).await?;
    let name = format!("{}-response", name(&row));
    made(&site, &row, move |file| Ok(body(file.record.response_body, &name))).await
}

pub(super) async fn record((State(site), Extension(viewer), Path(id)): From) -> Result<Response, Problem> {
    let row = one(&site, &viewer, &id).await?;
    site.look(&viewer, "record", std::slice::from_ref(&row), None).await?;
    let name = format!("{}.json", name(&row));
    made(&site, &row, move |file| {
        let json = serde_json::to_vec_pretty(&file_json(&file.record, &file.text)).map_err(failed)?;
        Ok(sent("application/json", &attached(&name), json.into()))
    })
    .await
}

pub(super) async fn har((State(site), Extension(viewer), Path(id)): From) -> Result<Response, Problem> {
    let row = one(&site, &viewer, &id).await?;
    site.look(&viewer, "har", std::slice::from_ref(&row), None).await?;
    let name = format!("{}.har", name(&row));
    made(&site, &row, move |file| {
        let mut writer = har::Writer::new(Vec::new()).map_err(failed)?;
        writer.add(&file.record).map_err(failed)?;
        let whole = writer.finish().map_err(failed)?;
        Ok(sent("application/json", &attached(&name), whole.into()))
    })
    .await
}

/// Makes an answer of a record, where it holds nobody up that a body is large.
async fn made(
    site: &Site,
    row: &Row,
    make: impl FnOnce(RecordFile) -> Result<Response, Problem> + Send + 'static,
) -> Result<Response, Problem> {
    let _turn = turn().await?;
    let file = read(site, row).await?;
    tokio::task::spawn_blocking(move || make(file)).await.map_err(|_| stopped())?
}

fn failed(error: impl std::fmt::Display) -> Problem {
    Problem::Failed(format!("The file cannot be made: {error}."))
}

/// Text is shown as text; bytes are a file to save.
fn body(body: Body, name: &str) -> Response {
    match body.bytes {
        Some(bytes) => sent("application/octet-stream", &attached(name), bytes.into()),
        None => sent("text/plain; charset=utf-8", "inline", body.text.into()),
    }
}

fn attached(name: &str) -> String {
    format!("attachment; filename=\"{name}\"")
}

/// Ids are letters, digits and `-`; nothing else is to stand in a header.
fn name(row: &Row) -> String {
    let id: String = row.id.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect();
    format!("{}-{id}", row.kind)
}

fn sent(kind: &'static str, disposition: &str, body: Answer) -> Response {
    let headers = [
        (CONTENT_TYPE, kind),
        (CONTENT_DISPOSITION, disposition),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_SECURITY_POLICY, SANDBOX),
    ];
    (headers, body).into_response()
}
