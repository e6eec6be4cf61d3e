//! The turns of one chat or agent run, put together over many requests.
//!
//! Three things tie requests together: the interaction id (one turn of a person, with the client's own follow-ups), the
//! answer that a request says it goes on from (`previous_response_id`), and, where clients send the whole history each
//! time, a history that begins with what an earlier request of the same session said. `thread` ties, `contents` tells of
//! each request only what is new in it; here the index is asked for what may belong together.

mod contents;
pub mod fuzz;
mod gather;
mod thread;

#[cfg(test)]
mod tests;

use std::ops::Range;

pub use contents::Contents;
pub use gather::{Candidates, EXCHANGES_MAX};

use crate::index::Row;
use crate::review::subject::SubjectError;

/// A conversation, in order of time.
#[derive(Clone, Debug, Default)]
pub struct Conversation {
    /// Its requests.
    pub turns: Vec<Turn>,
    /// Which of them the question was about.
    pub asked: usize,
    /// There is more, or may be: a ceiling was reached.
    pub capped: bool,
}

/// One request of a conversation, and its answer.
#[derive(Clone, Debug)]
pub struct Turn {
    /// The exchange.
    pub row: Row,
    /// Who began it.
    pub begun: Begun,
    /// What it goes on from.
    pub link: Link,
    /// The earlier request, by its place in [`Conversation::turns`], that said the very same: it was tried again.
    pub again: Option<usize>,
    /// An earlier request went on from the same place with other words: somebody turned back.
    pub turned_back: bool,
    /// The beginning of what the person said, on one printable line; empty for the client's own requests.
    pub title: String,
    /// Why its texts cannot be had.
    pub unread: Option<Unread>,
    /// So many pieces of its prompt were said before.
    seen: usize,
    /// Its system's text was not told before.
    new_system: bool,
}

/// Why a record was not read.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Unread {
    /// Its file is not there any more.
    pub gone: bool,
    /// Said of the file: `is not JSON`.
    pub why: String,
}

impl From<&SubjectError> for Unread {
    fn from(error: &SubjectError) -> Self {
        match error {
            SubjectError::Gone { .. } => Self { gone: true, why: "was deleted or moved".to_owned() },
            SubjectError::Unreadable { why, .. } => Self { gone: false, why: why.to_string() },
            SubjectError::Index(error) => Self { gone: false, why: error.to_string() },
        }
    }
}

/// Who began a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Begun {
    /// A person said something.
    Person,
    /// The client followed up by itself, with the results of tools for example.
    Client,
}

/// What a request goes on from.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// Nothing: something begins.
    Begins,
    /// The request at this place in [`Conversation::turns`].
    From(usize),
    /// The answer with this id, which is not among the records.
    Lost(String),
    /// Its history has answers to requests that are not among the records.
    Untold,
}

/// What requests took together. Numbers that no record tells are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Totals {
    /// Begun by a person.
    pub by_person: u64,
    /// Begun by the client.
    pub by_client: u64,
    /// Tokens of the prompts, cached ones included: what was sent again counts again.
    pub tokens_in: Option<u64>,
    /// Tokens of the answers.
    pub tokens_out: Option<u64>,
    /// Requests whose tokens are known.
    pub tokens_known: u64,
    /// Milliseconds of all requests, added up, as far as they are known.
    pub busy_ms: Option<f64>,
    /// Milliseconds from the beginning of the first to the end of the last.
    pub span_ms: f64,
}

impl Conversation {
    /// The places of each turn of a person with the client's follow-ups to it.
    #[must_use]
    pub fn groups(&self) -> Vec<Range<usize>> {
        let mut groups: Vec<Range<usize>> = Vec::new();
        for (at, turn) in self.turns.iter().enumerate() {
            match groups.last_mut() {
                Some(last) if turn.begun == Begun::Client => last.end = at + 1,
                _ => groups.push(at..at + 1),
            }
        }
        groups
    }

    /// What all of it took.
    #[must_use]
    pub fn totals(&self) -> Totals {
        totals(&self.turns)
    }
}

/// What these requests took.
#[must_use]
pub fn totals(turns: &[Turn]) -> Totals {
    let mut totals = Totals::default();
    let mut end: Option<f64> = None;
    for Turn { row, begun, .. } in turns {
        match begun {
            Begun::Person => totals.by_person += 1,
            Begun::Client => totals.by_client += 1,
        }
        let add = |sum: &mut Option<u64>, value: Option<u64>| {
            *sum = value.map(|value| sum.unwrap_or(0).saturating_add(value)).or(*sum);
        };
        add(&mut totals.tokens_in, row.tokens_in);
        add(&mut totals.tokens_out, row.tokens_out);
        totals.tokens_known += u64::from(row.tokens_in.is_some() || row.tokens_out.is_some());
        let took = row.total_ms.filter(|took| took.is_finite() && *took >= 0.0);
        totals.busy_ms = took.map(|took| totals.busy_ms.unwrap_or(0.0) + took).or(totals.busy_ms);
        let ended = row.began as f64 / 1e3 + took.unwrap_or(0.0);
        end = Some(end.map_or(ended, |end| end.max(ended)));
    }
    if let (Some(end), Some(first)) = (end, turns.iter().map(|turn| turn.row.began).min()) {
        totals.span_ms = (end - first as f64 / 1e3).max(0.0);
    }
    totals
}
