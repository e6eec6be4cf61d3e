//! Which records may belong to a conversation.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::Path;

use super::thread::{Trace, put_together};
use super::{Conversation, Unread};
use crate::index::{Filter, Index, IndexError, Page, Row};
use crate::review::subject::{RecordFile, understood};
use crate::rules::Kind;

/// Requests of one conversation: the longest agent runs have about as many, and more are no page.
pub const EXCHANGES_MAX: usize = 200;

/// Other requests of the session that are looked at for a history in common, on each side in time.
const NEAR_MAX: usize = 60;
/// Rows of the user that are looked through for those.
const LOOK_AT: u64 = 500;
/// Twelve hours in microseconds: a chat that lies longer than a night is taken up as a new one.
const WINDOW: i64 = 12 * 3_600_000_000;
/// Bytes of bodies that are read for it: some tenths of a second.
const READ_MAX: u64 = 64 << 20;

/// Which records may belong to a conversation, before they are read: what the index says of it.
#[derive(Clone, Debug)]
pub struct Candidates {
    asked: String,
    /// Those that ids lead to, the one that was asked for first.
    linked: Vec<Row>,
    /// Others of the session, the nearest first.
    near: Vec<Row>,
    capped: bool,
}

impl Candidates {
    /// Of the conversation that an exchange belongs to; of one that is no chat, what ids lead to.
    ///
    /// Only records of the same user are taken in: ids are what clients say, and nobody gets into somebody else's
    /// conversation by naming one.
    ///
    /// # Errors
    /// When the index fails.
    pub fn ask(index: &Index, row: &Row) -> Result<Self, IndexError> {
        let (linked, capped) = linked(index, row)?;
        let mut near = if row.kind == Kind::Chat { near(index, row)? } else { Vec::new() };
        let known: HashSet<_> = linked.iter().map(|row| row.id.as_str()).collect();
        near.retain(|row| !known.contains(row.id.as_str()));
        Ok(Self { asked: row.id.clone(), linked, near, capped })
    }

    /// Reads them and puts together those that belong together. Files that cannot be read are told in their turns.
    #[must_use]
    pub fn read(self, logs: &Path) -> Conversation {
        let mut capped = self.capped;
        let mut left = READ_MAX;
        let mut traces = Vec::new();
        let all = self.linked.into_iter().map(|row| (row, true)).chain(self.near.into_iter().map(|row| (row, false)));
        for (row, is_linked) in all {
            let size = row.request_size.saturating_add(row.response_size);
            // The first is the one that was asked for.
            if size > left && !traces.is_empty() {
                capped = true;
                if is_linked {
                    traces.push(Trace::unread(
                        row,
                        Unread { gone: false, why: "was not read: the rest is too large".into() },
                    ));
                }
                continue;
            }
            left = left.saturating_sub(size);
            traces.push(trace(logs, row));
        }
        let found = put_together(traces, &self.asked, EXCHANGES_MAX);
        Conversation { capped: capped || found.capped, ..found }
    }
}

fn trace(logs: &Path, row: Row) -> Trace {
    match RecordFile::read(logs, &row) {
        Ok(file) => {
            let (prompt, answer) = understood(&file.record);
            Trace::of(row, prompt.as_ref(), answer.as_ref())
        }
        Err(why) => Trace::unread(row, Unread::from(&why)),
    }
}

/// Those that ids lead to, in both directions, the nearest first; and whether there are more.
fn linked(index: &Index, row: &Row) -> Result<(Vec<Row>, bool), IndexError> {
    let mut found = vec![row.clone()];
    let mut known: HashSet<String> = [row.id.clone()].into();
    let mut interactions: HashSet<String> = HashSet::new();
    let mut next: VecDeque<Row> = [row.clone()].into();
    while let Some(at) = next.pop_front() {
        let mut beside = Vec::new();
        if let Some(id) = &at.previous_response_id {
            beside.extend(index.answered(id)?);
        }
        if let Some(id) = &at.response_id {
            beside.extend(index.following(id)?);
        }
        if let Some(id) = at.interaction.filter(|id| interactions.insert(id.clone())) {
            beside.extend(index.of_interaction(&id)?);
        }
        for other in beside.into_iter().filter(|other| other.user == row.user && other.kind == row.kind) {
            if !known.insert(other.id.clone()) {
                continue;
            }
            if found.len() == EXCHANGES_MAX {
                return Ok((found, true));
            }
            found.push(other.clone());
            next.push_back(other);
        }
    }
    Ok((found, false))
}

/// The other chats of the session, the nearest first.
fn near(index: &Index, row: &Row) -> Result<Vec<Row>, IndexError> {
    let filter = Filter {
        kinds: vec![Kind::Chat],
        users: vec![row.user.clone().unwrap_or_else(|| "-".to_owned())],
        ..Filter::default()
    };
    let before = Filter { since: Some(row.began.saturating_sub(WINDOW)), until: Some(row.began), ..filter.clone() };
    let after = Filter { since: Some(row.began), until: Some(row.began.saturating_add(WINDOW)), ..filter };
    let mut found = HashMap::new();
    for (filter, oldest_first) in [(before, false), (after, true)] {
        let page = Page { limit: Some(LOOK_AT), offset: 0, oldest_first, after: None };
        let rows = index.list(&filter, &page)?.into_iter();
        let rows = rows.filter(|other| other.user == row.user && is_same_session(row, other)).take(NEAR_MAX);
        found.extend(rows.map(|row| (row.id.clone(), row)));
    }
    let mut found: Vec<_> = found.into_values().collect();
    found.sort_by_key(|other| (other.began.abs_diff(row.began), other.id.clone()));
    Ok(found)
}

/// Clients that name no session are told apart by their machine, editor and address.
fn is_same_session(one: &Row, other: &Row) -> bool {
    one.session == other.session
        && (one.session.is_some()
            || (&one.machine, &one.editor, &one.client) == (&other.machine, &other.editor, &other.client))
}
