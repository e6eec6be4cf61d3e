//! One suggestion of ghost text, as its events tell it in whatever order they come, and however often.

use foldhash::HashMap;

use super::names::{Id, Names};
use super::source::{Facts, Said, Sources};
use crate::index::EventFact;

/// When clients look whether what was accepted is still there, in seconds.
pub(super) const AFTER: [u64; 5] = [15, 30, 120, 300, 600];

/// What tells one suggestion from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum SuggestionKey {
    /// `clientCompletionId`.
    Completion(Id),
    /// `headerRequestId` and `choiceIndex`.
    Choice(Id, i64),
}

/// All suggestions. A table has room to spare, and twice as much while it grows: it has the keys alone.
#[derive(Debug, Default)]
pub(super) struct Suggestions {
    places: HashMap<SuggestionKey, usize>,
    all: Vec<Suggestion>,
}

/// What its events said so far.
#[derive(Debug, Default)]
pub(super) struct Suggestion {
    show: Sight,
    /// Apart, because most are never accepted.
    acceptance: Option<Box<Acceptance>>,
}

/// All show events, or all acceptances.
#[derive(Debug, Default)]
struct Sight {
    /// The earliest.
    first: Option<i64>,
    /// The largest.
    lines: Option<u64>,
    /// The largest.
    chars: Option<u64>,
    sources: Sources,
}

#[derive(Debug, Default)]
struct Acceptance {
    sight: Sight,
    /// The last look at each of [`AFTER`]: its time, and whether it was gone.
    looks: [Option<(i64, bool)>; AFTER.len()],
}

/// What a suggestion comes to.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) time: i64,
    pub(super) facts: Facts,
    /// The exchange that the answer came from.
    pub(super) request: Option<Id>,
    pub(super) lines: u64,
    pub(super) chars: u64,
    pub(super) accepted: Option<Accepted>,
}

/// What an acceptance comes to.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) lines: u64,
    pub(super) chars: u64,
    /// Whether it was still there, for each of [`AFTER`].
    pub(super) still: [Option<bool>; AFTER.len()],
}

impl SuggestionKey {
    pub(super) fn of(event: &EventFact<'_>) -> Option<Self> {
        let completion = event.completion.filter(|id| !id.is_empty()).map(|id| Self::Completion(Id::of(id)));
        completion.or_else(|| {
            let request = event.request_id.filter(|id| !id.is_empty())?;
            Some(Self::Choice(Id::of(request), event.choice?))
        })
    }
}

impl Suggestions {
    /// The suggestion of this key, which is there from now on.
    pub(super) fn of(&mut self, key: SuggestionKey) -> &mut Suggestion {
        let place = *self.places.entry(key).or_insert(self.all.len());
        if place == self.all.len() {
            self.all.push(Suggestion::default());
        }
        &mut self.all[place]
    }

    /// What they come to, those that were shown.
    pub(super) fn outcomes(self) -> impl Iterator<Item = Outcome> {
        self.all.into_iter().filter_map(|one| one.outcome())
    }
}

impl Suggestion {
    pub(super) fn show(&mut self, event: &EventFact<'_>, said: &Said, names: &Names) {
        self.show.see(event, said, names);
    }

    pub(super) fn accept(&mut self, event: &EventFact<'_>, said: &Said, names: &Names) {
        self.acceptance.get_or_insert_default().sight.see(event, said, names);
    }

    pub(super) fn look(&mut self, event: &EventFact<'_>) {
        let place = AFTER.iter().position(|after| Some(*after) == event.timeout);
        let (Some(place), Some(still)) = (place, event.still) else { return };
        let look = &mut self.acceptance.get_or_insert_default().looks[place];
        // Of two at one time, the one that saw it gone.
        *look = (*look).max(Some((event.time, !still)));
    }

    /// None when it was never shown.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        let acceptance = self.acceptance.as_ref().filter(|acceptance| acceptance.sight.first.is_some());
        let sight = acceptance.map(|acceptance| &acceptance.sight);
        let facts = sight.map(|sight| sight.sources.facts()).unwrap_or_default();
        Some(Outcome {
            time: self.show.first.or_else(|| sight?.first)?,
            facts: self.show.sources.facts().or(facts),
            request: self.show.sources.request().or_else(|| sight?.sources.request()),
            lines: self.show.lines.or_else(|| sight?.lines).unwrap_or(0),
            chars: self.show.chars.or_else(|| sight?.chars).unwrap_or(0),
            accepted: acceptance.map(|acceptance| Accepted {
                lines: acceptance.sight.lines.unwrap_or(0),
                chars: acceptance.sight.chars.unwrap_or(0),
                still: acceptance.looks.map(|look| look.map(|(_, gone)| !gone)),
            }),
        })
    }
}

impl Sight {
    fn see(&mut self, event: &EventFact<'_>, said: &Said, names: &Names) {
        self.first = Some(self.first.map_or(event.time, |first| first.min(event.time)));
        self.lines = self.lines.max(event.lines);
        self.chars = self.chars.max(event.chars);
        self.sources.see(said, names);
    }
}
