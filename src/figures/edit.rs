//! One next edit, as its events tell it.

use super::names::{Id, Names};
use super::source::{Facts, Said, Sources};
use crate::index::EventFact;

/// What tells one next edit from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum EditKey {
    /// `opportunityId`.
    Opportunity(Id),
    /// `headerRequestId`.
    Request(Id),
}

/// What its events said so far.
#[derive(Debug)]
pub(super) struct Edit {
    /// Time of the earliest.
    pub(super) time: i64,
    shown: bool,
    accepted: bool,
    sources: Sources,
}

impl EditKey {
    pub(super) fn of(event: &EventFact<'_>) -> Option<Self> {
        let id = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(Id::of);
        id(event.opportunity).map(Self::Opportunity).or_else(|| id(event.request_id).map(Self::Request))
    }
}

impl Edit {
    /// One that begins with an event of this time.
    pub(super) fn new(time: i64) -> Self {
        Self { time, shown: false, accepted: false, sources: Sources::default() }
    }

    pub(super) fn see(&mut self, event: &EventFact<'_>, said: &Said, names: &Names) {
        self.time = self.time.min(event.time);
        self.shown |= event.shown == Some(true);
        self.accepted |= event.acceptance == Some("accepted");
        self.sources.see(said, names);
    }

    pub(super) fn facts(&self) -> Facts {
        self.sources.facts()
    }

    /// The exchange that the answer came from.
    pub(super) fn request(&self) -> Option<Id> {
        self.sources.request()
    }

    /// What was accepted was shown.
    pub(super) fn shown(&self) -> bool {
        self.shown || self.accepted
    }

    pub(super) fn accepted(&self) -> bool {
        self.accepted
    }
}
