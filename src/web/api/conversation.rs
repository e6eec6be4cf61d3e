//! The turns of one chat or agent run.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::answer::{Refusal, json_text, line};
use super::exchange::{found, turn};
use super::parameters::Id;
use crate::copilot::answer::Answer;
use crate::copilot::prompt;
use crate::index::Row;
use crate::review::conversation::{Begun, Contents, Conversation, Link, Totals, Turn};
use crate::web::access::Viewer;
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
    problem: Option<&'a str>,
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
    let conversation = site.ask(move |index| Conversation::gather(index, &row)).await?;
    // Ids are what clients say: nobody gets to see others' records by them.
    if !conversation.turns.iter().all(|turn| viewer.may_see(&turn.row)) {
        return Err(Problem::Forbidden("This conversation has records of others.".to_owned()).into());
    }
    let rows: Vec<_> = conversation.turns.iter().map(|turn| turn.row.clone()).collect();
    let logs = site.logs().to_owned();
    let write = move || {
        let turns = conversation.turns.iter().map(|turn| match Conversation::contents(&logs, turn) {
            Ok(contents) => told(turn, contents, turn.problem.as_deref()),
            Err(_) => told(turn, Contents::default(), Some("its file cannot be read any more")),
        });
        let (turns, totals) = (turns.collect(), conversation.totals());
        line(&Told { turns, asked: conversation.asked, capped: conversation.capped, totals })
    };
    let failed = |error| Problem::Failed(format!("The conversation could not be read: {error}."));
    let line = tokio::task::spawn_blocking(write).await.map_err(failed)??;
    site.look(&viewer, "conversation", &rows, None).await?;
    Ok(json_text(line))
}

fn told<'a>(turn: &'a Turn, contents: Contents, problem: Option<&'a str>) -> ToldTurn<'a> {
    let Contents { said, retold, answer, cut } = contents;
    let Turn { row, begun, link, again, turned_back, title, .. } = turn;
    ToldTurn {
        row,
        begun: *begun,
        link,
        again: *again,
        turned_back: *turned_back,
        title,
        problem,
        said,
        retold,
        answer,
        cut,
    }
}
