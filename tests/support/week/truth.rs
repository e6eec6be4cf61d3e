//! What is true of the week: what was decided, as far as it reached the logs.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::event::{Event, Tells};
use super::exchange::Fact;

/// Everything that figures are made of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Truth {
    /// All exchanges, in the order of their making.
    pub(crate) exchanges: Vec<Fact>,
    pub(super) suggestions: Vec<Suggestion>,
    pub(super) edits: Vec<Edit>,
    /// Persons and the quarters of an hour (since 1970) in which something of their telemetry is from. Nobody is not
    /// among them: of whom such an event is cannot be said.
    pub(super) heard: BTreeSet<(String, i64)>,
    /// What clients waited, by the request's id.
    pub(super) waits: HashMap<String, f64>,
    /// How often each special case was made.
    pub(crate) cases: BTreeMap<&'static str, u64>,
}

/// A quarter of an hour in microseconds: no clock's offset is finer.
pub(super) const QUARTER: i64 = 900_000_000;

/// Who asked, with what: what an event leaves out is taken from here.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub(super) person: Option<String>,
    pub(super) language: Option<String>,
    pub(super) editor: Option<String>,
    pub(super) model: Option<String>,
}

/// One suggestion, as far as events about it arrived.
#[derive(Clone, Debug, Default)]
pub(super) struct Suggestion {
    pub(super) asked: Asked,
    pub(super) shows: Vec<Seen>,
    pub(super) accepts: Vec<Seen>,
    /// When the client looked, how long after the acceptance, whether it was still there.
    pub(super) looks: Vec<(i64, u64, bool)>,
}

/// What a show or an acceptance says; what it leaves out is none.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) time: i64,
    pub(super) lines: u64,
    pub(super) chars: u64,
    pub(super) person: Option<String>,
    pub(super) language: Option<String>,
    pub(super) editor: Option<String>,
    pub(super) model: Option<String>,
}

/// One next edit suggestion.
#[derive(Clone, Debug, Default)]
pub(super) struct Edit {
    pub(super) asked: Asked,
    pub(super) looks: Vec<Look>,
}

/// What an event says of a next edit.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub(super) time: i64,
    pub(super) shown: bool,
    pub(super) accepted: bool,
    pub(super) person: Option<String>,
    pub(super) language: Option<String>,
    pub(super) model: Option<String>,
}

impl Truth {
    /// An event arrived, of that person.
    pub(super) fn hear(&mut self, person: Option<&str>, event: &Event) {
        let person = person.filter(|_| !event.anonymous).map(str::to_owned);
        if let Some(name) = person.clone() {
            self.heard.insert((name, event.time.div_euclid(QUARTER)));
        }
        match event.tells.clone() {
            Tells::Nothing => {}
            Tells::Waited(request, waited) => {
                self.waits.insert(request, waited);
            }
            Tells::Shown(place, seen) => self.suggestions[place].shows.push(Seen { person, ..seen }),
            Tells::Accepted(place, seen) => self.suggestions[place].accepts.push(Seen { person, ..seen }),
            Tells::Still(place, after, still) => self.suggestions[place].looks.push((event.time, after, still)),
            Tells::Edit(place, look) => self.edits[place].looks.push(Look { person, ..look }),
        }
    }
}
