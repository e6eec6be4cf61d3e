//! The figures of a folder: the index, added up.

use serde::Serialize;

use crate::figures::{By, Figures, Query, Tally};
use crate::index::{Filter, Index, IndexError};

/// Adds up all that the index has.
///
/// Gives the groups in the order of their names, and the total. What each figure means stands in `docs/figures.md`.
///
/// # Errors
/// When SQLite fails.
pub fn figures(index: &Index, query: Query) -> Result<(Vec<Figures>, Figures), IndexError> {
    let mut tally = Tally::new(query);
    add_up(index, &mut tally)?;
    Ok(tally.finish())
}

/// Shows it all that the index has, whatever the span: an event may speak of an earlier request or be told late, and the
/// tally cuts by the suggestion's own time.
pub(super) fn add_up(index: &Index, tally: &mut Tally) -> Result<(), IndexError> {
    index.each_person(&mut |tid, user| tally.person(tid, user))?;
    index.each_request(&Filter::default(), &mut |request| tally.request(request))?;
    index.each_event(None, None, &mut |event| tally.event(event))
}

/// Whether nothing at all was counted.
#[must_use]
pub fn is_empty(groups: &[Figures], total: &Figures) -> bool {
    total.requests == 0 && total.suggestion_users == 0 && groups.is_empty()
}

/// A row of figures as JSON has it.
#[derive(Debug, Serialize)]
pub struct Line<'a> {
    /// What the groups are; none of the total alone.
    pub by: Option<By>,
    /// A group may have the name `total` as well.
    pub is_total: bool,
    /// The figures.
    #[serde(flatten)]
    pub figures: &'a Figures,
}
