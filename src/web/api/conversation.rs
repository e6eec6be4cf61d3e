//! The turns of one chat or agent run.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::answer::{Refusal, json_text, line};
use super::exchange::found;
use super::parameters::Id;
use crate::copilot::answer::Answer;
use crate::copilot::prompt;
use crate::index::Row;
use crate::review::conversation::{Begun, Candidates, Contents, Link, Totals, Turn, Unread};
use crate::web::access::Viewer;
use crate::web::pages::one::turn;
use crate::web::{Problem, Site};

#[derive(Serialize)]
struct Told<'a> {
    /// In order of time.
    turns: Vec<ToldTurn<'a>>,
    /// The place of the exchange that was asked about.
    asked: usize,
    /// There is more, or may be.
    capped: bool,
    totals: Totals,
}

#[derive(Serialize)]
struct ToldTurn<'a> {
    row: &'a Row,
    begun: Begun,
    link: &'a Link,
    again: Option<usize>,
    turned_back: bool,
    title: &'a str,
    /// Why the texts cannot be had.
    unread: Option<Unread>,
    said: Option<Vec<prompt::Turn>>,
    retold: bool,
    answer: Option<Answer>,
    cut: bool,
}

/// `GET /conversations/{id}`: that of the exchange with this id.
pub(super) async fn conversation(
    State(site): State<Site>,
    Extension(viewer): Extension<Viewer>,
    Id(id): Id,
) -> Result<Response, Refusal> {
    let row = found(&site, &viewer, &id).await?;
    let _turn = turn().await?;
    let candidates = site.ask(move |index| Candidates::ask(index, &row)).await?;
    let logs = site.logs().to_owned();
    let write = move || {
        let conversation = candidates.read(&logs);
        let turns = conversation.turns.iter().map(|turn| match turn.contents(&logs) {
            Ok(contents) => told(turn, contents, turn.unread.clone()),
            Err(unread) => told(turn, Contents::default(), Some(unread)),
        });
        let (turns, totals) = (turns.collect(), conversation.totals());
        let line = line(&Told { turns, asked: conversation.asked, capped: conversation.capped, totals });
        (line, conversation.turns.into_iter().map(|turn| turn.row).collect::<Vec<_>>())
    };
    let failed = |error| Problem::Failed(format!("The conversation could not be read: {error}."));
    let (line, rows) = tokio::task::spawn_blocking(write).await.map_err(failed)?;
    // Ids are what clients say: nobody gets to see others' records by them.
    if !rows.iter().all(|row| viewer.may_see(row)) {
        return Err(Problem::Forbidden("This conversation has records of others.".to_owned()).into());
    }
    site.look(&viewer, "conversation", &rows, None).await?;
    Ok(json_text(line?))
}

fn told<'a>(turn: &'a Turn, contents: Contents, unread: Option<Unread>) -> ToldTurn<'a> {
    let Contents { said, retold, answer, cut } = contents;
    let Turn { row, begun, link, again, turned_back, title, .. } = turn;
    ToldTurn {
        row,
        begun: *begun,
        link,
        again: *again,
        turned_back: *turned_back,
        title,
        unread,
        said,
        retold,
        answer,
        cut,
    }
}
