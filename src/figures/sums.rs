//! What is added up for one row.

use foldhash::HashSet;

use super::edit::Edit;
use super::persons::Person;
use super::row::{Figures, Persistence};
use super::suggestion::{AFTER, Outcome};
use crate::archive::AbortedBy;
use crate::index::{Initiator, RequestFact};
use crate::rules::Kind;

/// A person's day: for each it is asked whether telemetry came.
pub(super) type PersonDay = (Person, i64);

/// The sums of one row. Each exchange, suggestion and next edit is in one row, and the total is the sum of them.
#[derive(Debug, Default)]
pub(super) struct Sums {
    requests: u64,
    speculative: u64,
    cancelled: u64,
    /// Requests that say whether somebody ended them.
    ends_known: u64,
    errors: u64,
    noise: u64,
    turns: u64,
    follow_ups: u64,
    turns_unknown: u64,
    tokens_in: Option<u64>,
    tokens_cached: Option<u64>,
    tokens_out: Option<u64>,
    tokens_known: u64,
    /// Persons with a request.
    active: HashSet<Person>,
    /// Persons' days of which telemetry could tell.
    pairs: HashSet<PersonDay>,
    shown: Tally,
    accepted: Tally,
    /// Known, and still there, for each of [`AFTER`].
    persistence: [[u64; 2]; AFTER.len()],
    nes_shown: u64,
    nes_accepted: u64,
}

/// Suggestions, and what they were.
#[derive(Debug, Default)]
struct Tally {
    count: u64,
    lines: u64,
    chars: u64,
}

impl Sums {
    pub(super) fn request(&mut self, request: &RequestFact<'_>, (person, day): PersonDay) {
        let cancelled = request.aborted_by == Some(AbortedBy::Client);
        self.requests += 1;
        self.speculative += u64::from(request.speculative);
        self.cancelled += u64::from(cancelled);
        self.ends_known += u64::from(request.aborted_by.is_some() || request.complete.is_some());
        self.errors += u64::from(failed(request));
        self.noise += u64::from(request.noise.is_some());
        if person != Person::Nobody {
            self.active.insert(person);
        }
        match request.kind {
            Kind::Completions | Kind::Nes => _ = self.pairs.insert((person, day)),
            Kind::Chat => match request.initiator {
                Some(Initiator::User) => self.turns += 1,
                Some(Initiator::Agent) => self.follow_ups += 1,
                None => self.turns_unknown += 1,
            },
            _ => {}
        }
        let tokens = [request.tokens_in, request.tokens_cached, request.tokens_out];
        self.tokens_known += u64::from(tokens.iter().any(Option::is_some));
        self.add_tokens(tokens);
    }

    pub(super) fn suggestion(&mut self, outcome: &Outcome, pair: PersonDay) {
        self.pairs.insert(pair);
        self.shown.add(1, outcome.lines, outcome.chars);
        let Some(accepted) = &outcome.accepted else { return };
        self.accepted.add(1, accepted.lines, accepted.chars);
        for ([known, there], still) in self.persistence.iter_mut().zip(accepted.still) {
            *known += u64::from(still.is_some());
            *there += u64::from(still == Some(true));
        }
    }

    pub(super) fn edit(&mut self, edit: &Edit, pair: PersonDay) {
        self.pairs.insert(pair);
        self.nes_shown += u64::from(edit.shown());
        self.nes_accepted += u64::from(edit.accepted());
    }

    /// Adds another row's.
    pub(super) fn absorb(&mut self, other: Self) {
        self.requests += other.requests;
        self.speculative += other.speculative;
        self.cancelled += other.cancelled;
        self.ends_known += other.ends_known;
        self.errors += other.errors;
        self.noise += other.noise;
        self.turns += other.turns;
        self.follow_ups += other.follow_ups;
        self.turns_unknown += other.turns_unknown;
        self.add_tokens([other.tokens_in, other.tokens_cached, other.tokens_out]);
        self.tokens_known += other.tokens_known;
        self.active.extend(other.active);
        self.pairs.extend(other.pairs);
        self.shown.add(other.shown.count, other.shown.lines, other.shown.chars);
        self.accepted.add(other.accepted.count, other.accepted.lines, other.accepted.chars);
        for (mine, more) in self.persistence.iter_mut().flatten().zip(other.persistence.into_iter().flatten()) {
            *mine += more;
        }
        self.nes_shown += other.nes_shown;
        self.nes_accepted += other.nes_accepted;
    }

    /// The row, its times apart. `known`: the persons' days of which telemetry came.
    pub(super) fn figures(&self, group: String, known: &HashSet<PersonDay>) -> Figures {
        let persons = |pairs: &mut dyn Iterator<Item = &PersonDay>| {
            pairs.map(|(person, _)| person).collect::<HashSet<_>>().len() as u64
        };
        let suggestion_users = persons(&mut self.pairs.iter());
        let telemetry_users = persons(&mut self.pairs.intersection(known));
        let told = |value: u64| (telemetry_users > 0).then_some(value);
        let said = self.turns + self.follow_ups > 0 || self.turns_unknown == 0;
        Figures {
            group,
            requests: self.requests,
            speculative: self.speculative,
            cancelled: (self.requests == 0 || self.ends_known > 0).then_some(self.cancelled),
            errors: self.errors,
            noise: self.noise,
            active_users: (self.requests == 0 || !self.active.is_empty()).then_some(self.active.len() as u64),
            suggestion_users,
            telemetry_users,
            shown: told(self.shown.count),
            accepted: told(self.accepted.count),
            lines_shown: told(self.shown.lines),
            lines_accepted: told(self.accepted.lines),
            chars_shown: told(self.shown.chars),
            chars_accepted: told(self.accepted.chars),
            persistence: AFTER.iter().zip(self.persistence).map(persistence).collect(),
            nes_shown: told(self.nes_shown),
            nes_accepted: told(self.nes_accepted),
            tokens_in: self.tokens_in,
            tokens_cached: self.tokens_cached,
            tokens_out: self.tokens_out,
            tokens_known: self.tokens_known,
            turns: said.then_some(self.turns),
            follow_ups: said.then_some(self.follow_ups),
            turns_unknown: self.turns_unknown,
            ..Figures::default()
        }
    }

    /// What nobody tells stays unknown. The sums of hostile numbers end at the largest.
    fn add_tokens(&mut self, more: [Option<u64>; 3]) {
        for (sum, more) in [&mut self.tokens_in, &mut self.tokens_cached, &mut self.tokens_out].into_iter().zip(more) {
            *sum = sum.map_or(more, |sum| Some(sum.saturating_add(more.unwrap_or(0))));
        }
    }
}

impl Tally {
    fn add(&mut self, count: u64, lines: u64, chars: u64) {
        self.count += count;
        self.lines = self.lines.saturating_add(lines);
        self.chars = self.chars.saturating_add(chars);
    }
}

/// Whether it counts as an error. A cancelled request without response is none: that is how clients cancel.
fn failed(request: &RequestFact<'_>) -> bool {
    request.error
        || request.status.is_some_and(|status| status >= 400)
        || request.aborted_by == Some(AbortedBy::Upstream)
        || (request.status.is_none() && request.aborted_by != Some(AbortedBy::Client))
}

fn persistence((&after, [known, still]): (&u64, [u64; 2])) -> Persistence {
    Persistence { after, known, still: (known > 0).then_some(still) }
}
