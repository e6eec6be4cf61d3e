//! Where a suggestion's person, language, editor and model come from: events first, then the exchange.

use std::cmp::Ordering;

use super::names::{Id, Name, Names};
use super::persons::Identity;

/// What one event says, its texts as numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said {
    pub(super) time: i64,
    pub(super) identity: Identity,
    pub(super) language: Option<Name>,
    pub(super) editor: Option<Name>,
    pub(super) model: Option<Name>,
    pub(super) request: Option<Id>,
}

/// What the earliest events say that say it at all: each of the five on its own.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sources {
    identity: Earliest<Identity>,
    language: Earliest<Name>,
    editor: Earliest<Name>,
    model: Earliest<Name>,
    request: Earliest<Id>,
}

/// What is known of a suggestion in the end, or of an exchange.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facts {
    pub(super) identity: Option<Identity>,
    pub(super) language: Option<Name>,
    pub(super) editor: Option<Name>,
    pub(super) model: Option<Name>,
}

/// A value and its time.
type Earliest<T> = Option<(i64, T)>;

impl Sources {
    pub(super) fn see(&mut self, said: &Said, names: &Names) {
        let by_text = |a: &Name, b: &Name| names.text(*a).cmp(names.text(*b));
        let time = said.time;
        earlier(&mut self.language, time, said.language, by_text);
        earlier(&mut self.editor, time, said.editor, by_text);
        earlier(&mut self.model, time, said.model, by_text);
        earlier(&mut self.request, time, said.request, Id::cmp);
        earlier(&mut self.identity, time, said.identity.said(), |a, b| a.texts(names).cmp(&b.texts(names)));
    }

    pub(super) fn facts(&self) -> Facts {
        Facts {
            identity: self.identity.map(|(_, value)| value),
            language: self.language.map(|(_, value)| value),
            editor: self.editor.map(|(_, value)| value),
            model: self.model.map(|(_, value)| value),
        }
    }

    /// The exchange that the answer came from.
    pub(super) fn request(&self) -> Option<Id> {
        self.request.map(|(_, value)| value)
    }
}

impl Facts {
    /// What is missing here comes from there.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            identity: self.identity.or(other.identity),
            language: self.language.or(other.language),
            editor: self.editor.or(other.editor),
            model: self.model.or(other.model),
        }
    }

    /// In which order exchanges of one id and one time are preferred: any, as long as it is not that of their coming.
    pub(super) fn texts(self, names: &Names) -> impl Ord + '_ {
        let text = |name: Option<Name>| name.map(|name| names.text(name));
        (self.identity.map(|identity| identity.texts(names)), text(self.language), text(self.editor), text(self.model))
    }
}

/// Keeps the earlier of two values; of two at one time the smaller, so that the order of coming is all the same.
fn earlier<T>(held: &mut Earliest<T>, time: i64, value: Option<T>, order: impl Fn(&T, &T) -> Ordering) {
    let Some(value) = value else { return };
    let keep = held.as_ref().is_some_and(|(at, old)| at.cmp(&time).then_with(|| order(old, &value)).is_le());
    if !keep {
        *held = Some((time, value));
    }
}
