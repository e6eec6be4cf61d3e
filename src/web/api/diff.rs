//! Two exchanges beside each other.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;

use super::answer::{Refusal, json_text, line};
use super::exchange::{found, of_file};
use super::parameters::Ids;
use crate::review::difference::Difference;
use crate::review::subject::RecordFile;
use crate::web::Site;
use crate::web::access::Viewer;
use crate::web::pages::one::turn;

/// `GET /exchanges/{id}/diff/{other}`: from the first to the other.
pub(super) async fn diff(
    State(site): State<Site>,
    Extension(viewer): Extension<Viewer>,
    Ids([id, other]): Ids,
) -> Result<Response, Refusal> {
    let old = found(&site, &viewer, &id).await?;
    let new = found(&site, &viewer, &other).await?;
    let _turn = turn().await?;
    let first = of_file(&site, old.clone(), |file| file.record).await?;
    let rows = [old.clone(), new.clone()];
    let compare = move |file: RecordFile| line(&Difference::of((&old, &first), (&new, &file.record)));
    let [_, row] = &rows;
    let line = of_file(&site, row.clone(), compare).await??;
    site.look(&viewer, "diff", &rows, None).await?;
    Ok(json_text(line))
}
