//! Who is who: proxy users, and the `tid` of their tokens.

use foldhash::HashMap;

use super::names::{Name, Names};

/// How much of a `tid` tells a person without a user.
const TID_SHOWN: usize = 8;

/// What an exchange or an event says of its person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Identity {
    /// The proxy's user.
    pub(super) user: Option<Name>,
    /// The tracking id.
    pub(super) tid: Option<Name>,
}

/// Whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Person {
    Nobody,
    User(Name),
    /// A `tid` that belongs to no user.
    Tid(Name),
}

/// Which `tid` belongs to which users, in the alphabet's order: several share one account.
#[derive(Debug, Default)]
pub(super) struct Persons(HashMap<Name, Vec<Name>>);

impl Persons {
    /// The `tid` belongs to the user, perhaps among others.
    pub(super) fn learn(&mut self, tid: Name, user: Name, names: &Names) {
        let owners = self.0.entry(tid).or_default();
        if let Err(place) = owners.binary_search_by(|owner| names.text(*owner).cmp(names.text(user))) {
            owners.insert(place, user);
        }
    }

    /// Of an exchange the proxy's user comes first: he was asked.
    pub(super) fn of_exchange(&self, identity: Identity) -> Person {
        Person::of(identity.user.or_else(|| self.owner(identity)), identity.tid)
    }

    /// Of an event its own `tid` comes first: a batch may come through the tunnel of another.
    pub(super) fn of_event(&self, identity: Identity) -> Person {
        Person::of(self.owner(identity).or(identity.user), identity.tid)
    }

    /// Of several whose the `tid` is, the one who brought it; else the first in the alphabet.
    fn owner(&self, Identity { user, tid }: Identity) -> Option<Name> {
        let owners = self.0.get(&tid?)?;
        user.filter(|user| owners.contains(user)).or_else(|| owners.first().copied())
    }
}

impl Identity {
    /// The identity, if it is anybody's.
    pub(super) fn said(self) -> Option<Self> {
        (self != Self::default()).then_some(self)
    }

    pub(super) fn texts(self, names: &Names) -> [Option<&str>; 2] {
        [self.user, self.tid].map(|name| Some(names.text(name?)))
    }
}

impl Person {
    fn of(user: Option<Name>, tid: Option<Name>) -> Self {
        match (user, tid) {
            (Some(user), _) => Self::User(user),
            (None, Some(tid)) => Self::Tid(tid),
            (None, None) => Self::Nobody,
        }
    }

    /// As tables show it.
    pub(super) fn label(self, names: &Names) -> String {
        match self {
            Self::Nobody => "-".to_owned(),
            Self::User(name) => names.text(name).to_owned(),
            Self::Tid(name) => format!("tid:{}", names.text(name).chars().take(TID_SHOWN).collect::<String>()),
        }
    }
}
