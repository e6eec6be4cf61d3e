//! What is said of one exchange in a list.

use super::amounts::{number, size};
use super::text::printable;
use crate::archive::AbortedBy;
use crate::index::Row;

/// How an exchange went, for its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing failed, as far as is known.
    Fine,
    /// The client changed its mind.
    Cancelled,
    /// Something failed.
    Failed,
}

/// How an exchange went.
#[must_use]
pub fn outcome(row: &Row) -> Outcome {
    match (row.status, row.aborted_by) {
        (_, Some(AbortedBy::Client)) => Outcome::Cancelled,
        (_, Some(_)) | (None, _) => Outcome::Failed,
        (Some(status), None) if status >= 400 => Outcome::Failed,
        _ if row.error.is_some() => Outcome::Failed,
        _ => Outcome::Fine,
    }
}

/// What is odd about an exchange, in words that are safe to show.
#[must_use]
pub fn flags(row: &Row) -> Vec<String> {
    let mut flags = Vec::new();
    match row.aborted_by {
        Some(AbortedBy::Client) => flags.push("cancelled".to_owned()),
        Some(AbortedBy::Upstream) => flags.push("cut by upstream".to_owned()),
        Some(AbortedBy::Shutdown) => flags.push("cut by shutdown".to_owned()),
        None if row.complete == Some(false) => flags.push("incomplete".to_owned()),
        None => {}
    }
    if let Some(error) = &row.error {
        // Messages of servers can be long; the file has all of it.
        let error: String = error.chars().take(60).collect();
        flags.push(format!("error: {}", printable(&error)));
    }
    if row.problem.is_some() {
        flags.push("observed in part".to_owned());
    }
    if row.speculative {
        flags.push("speculative".to_owned());
    }
    flags
}

/// What it was about, in one word: the language of ghost text, else the model.
#[must_use]
pub fn about(row: &Row) -> Option<&str> {
    row.language.as_deref().or(row.model.as_deref()).or(row.model_answered.as_deref())
}

/// Tokens, or where no answer told them, sizes.
#[must_use]
pub fn amounts(row: &Row) -> String {
    let known = |value: Option<u64>| value.map_or_else(|| "?".to_owned(), number);
    match (row.tokens_in, row.tokens_out) {
        (None, None) => format!("{} ↑ {} ↓", size(row.request_size), size(row.response_size)),
        (sent, got) => format!("{} in {} out", known(sent), known(got)),
    }
}
