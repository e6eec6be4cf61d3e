//! One exchange.

use std::slice;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use uuid::Uuid;

use super::answer::{Refusal, json, json_text, line};
use super::parameters::Id;
use super::session::allowed;
use crate::index::{EventRow, Index, Located, Row};
use crate::review::subject::{RecordFile, Subject, SubjectError, file_json};
use crate::web::access::{Area, Viewer};
use crate::web::pages::one::turn;
use crate::web::{Problem, Site};

/// `GET /exchanges/{id}`: what `show --json` writes.
pub(super) async fn whole(
    State(site): State<Site>,
    Extension(viewer): Extension<Viewer>,
    Id(id): Id,
) -> Result<Response, Refusal> {
    let row = found(&site, &viewer, &id).await?;
    let _turn = turn().await?;
    let seen = row.clone();
    let rights = viewer.rights.clone();
    let read = move |index: &Index| {
        let file = match RecordFile::read(index.logs(), &row) {
            Ok(file) => file,
            Err(why) => return Ok(Err(unreadable(&row, why))),
        };
        match Subject::of(index, row, file.record) {
            Ok(mut subject) => {
                subject.restrict(|user| rights.contents_of(user));
                Ok(subject.json(&file.text).map_err(|error| unwritable(&error)))
            }
            Err(SubjectError::Index(error)) => Err(error),
            Err(why) => Ok(Err(Problem::Failed(format!("{why}.")))),
        }
    };
    let line = site.ask(read).await??;
    site.look(&viewer, "exchange", slice::from_ref(&seen), None).await?;
    Ok(json_text(line))
}

/// `GET /exchanges/{id}/record`: the file's own JSON, without what older ones have of credentials.
pub(super) async fn record(
    State(site): State<Site>,
    Extension(viewer): Extension<Viewer>,
    Id(id): Id,
) -> Result<Response, Refusal> {
    let row = found(&site, &viewer, &id).await?;
    let _turn = turn().await?;
    let write = |file: RecordFile| line(&file_json(&file.record, &file.text));
    let line = of_file(&site, row.clone(), write).await??;
    site.look(&viewer, "record", slice::from_ref(&row), None).await?;
    Ok(json_text(line))
}

#[derive(Serialize)]
struct Events {
    events: Vec<EventRow>,
}

/// `GET /exchanges/{id}/events`: what telemetry says of it. Nothing of what was asked or answered is in it.
pub(super) async fn events(
    State(site): State<Site>,
    Extension(viewer): Extension<Viewer>,
    Id(id): Id,
) -> Result<Response, Refusal> {
    let row = found(&site, &viewer, &id).await?;
    let mut events = match row.request_id {
        Some(id) => site.ask(move |index| index.events_of(&id)).await?,
        None => Vec::new(),
    };
    // Whoever sends somebody else's request id is not told what became of that one's request.
    events.retain(|event| viewer.rights.contents_of(event.user.as_deref()));
    json(&Events { events })
}

/// The exchange with this id, if the viewer may see it: who may not must not learn that it is there.
///
/// Whole ids alone: what begins so today may be the beginning of two tomorrow.
pub(super) async fn found(site: &Site, viewer: &Viewer, id: &str) -> Result<Row, Refusal> {
    allowed(viewer, Area::Exchanges)?;
    let Ok(wanted) = Uuid::try_parse(id) else { return Err(not_found(id)) };
    match site.ask(move |index| index.find(&wanted.to_string())).await? {
        Located::One(row) if viewer.may_see(&row) => Ok(*row),
        _ => Err(not_found(id)),
    }
}

fn not_found(id: &str) -> Refusal {
    // What was asked may be long.
    let id: String = id.chars().take(80).collect();
    Problem::NotFound(format!("There is no exchange with the id {id:?}.")).into()
}

/// Reads the file of a row and makes something of it, on a thread that may block.
pub(super) async fn of_file<T: Send + 'static>(
    site: &Site,
    row: Row,
    make: impl FnOnce(RecordFile) -> T + Send + 'static,
) -> Result<T, Problem> {
    let site = site.clone();
    let read = move || match RecordFile::read(site.logs(), &row) {
        Ok(file) => Ok(make(file)),
        Err(why) => Err(unreadable(&row, why)),
    };
    let failed = |error| Problem::Failed(format!("The record could not be read: {error}."));
    tokio::task::spawn_blocking(read).await.map_err(failed)?
}

/// The path is told from the folder of the records on: where that is, is nobody's business.
fn unreadable(row: &Row, why: SubjectError) -> Problem {
    match why {
        SubjectError::Gone { .. } => Problem::Gone(format!("The record {} is not there any more.", row.file)),
        SubjectError::Unreadable { why, .. } => Problem::Failed(format!("The record {} {why}.", row.file)),
        SubjectError::Index(error) => Problem::Failed(format!("The index does not answer: {error}.")),
    }
}

fn unwritable(error: &serde_json::Error) -> Problem {
    Problem::Failed(format!("The record cannot be written as JSON: {error}."))
}
