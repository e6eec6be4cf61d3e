//! Which rows a watcher asked for.

use chrono::Utc;

use crate::index::Filter;
use crate::review::params::{FieldError, FilterParams};
use crate::rules::Kind;

/// The filters in the page's address: `kind` and `user`, as the list of exchanges has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Empty is all.
    pub(super) kinds: Vec<Kind>,
    /// Empty is all; `-` is nobody.
    pub(super) users: Vec<String>,
}

/// What a watcher can be filtered by, and where the browser's script goes on from.
const NAMES: [&str; 2] = ["kind", "user"];
pub(super) const MARK: &str = "mark";

impl Wanted {
    /// Reads the query of an address.
    ///
    /// # Errors
    /// A sentence about a value or a parameter that makes no sense.
    pub(super) fn read(query: &str) -> Result<Self, String> {
        let params = FilterParams::of_query(query, &[MARK]);
        let only = params.strange.is_empty() && params.pairs().iter().all(|(name, _)| NAMES.contains(name));
        if !only {
            return Err("The live page is filtered by kind and user alone.".to_owned());
        }
        let said = |wrong: Vec<FieldError>| {
            wrong.iter().map(|error| format!("{}: {}.", error.field, error.sentence)).collect::<Vec<_>>().join(" ")
        };
        let Filter { kinds, users, .. } = params.filter(&Utc::now()).map_err(said)?;
        Ok(Self { kinds, users })
    }

    pub(super) fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// The same for the index.
    pub(super) fn filter(&self) -> Filter {
        Filter { kinds: self.kinds.clone(), users: self.users.clone(), ..Filter::default() }
    }

    /// Whether what is of this kind and user is among them.
    pub(super) fn has(&self, kind: Kind, user: Option<&str>) -> bool {
        let user = user.unwrap_or("-");
        (self.kinds.is_empty() || self.kinds.contains(&kind))
            && (self.users.is_empty() || self.users.iter().any(|wanted| wanted == user))
    }
}

/// A part of the body of the fuzz target `address`: the list of exchanges asks for the same rows.
pub(in crate::web) fn fuzz_address(text: &str) {
    match Wanted::read(text) {
        Ok(wanted) => {
            let listed = FilterParams::of_query(text, &[MARK]).filter(&Utc::now());
            assert!(listed.is_ok_and(|listed| listed == wanted.filter()), "{wanted:?}");
            let (kind, user) = (wanted.kinds.first(), wanted.users.first());
            assert!(wanted.has(*kind.unwrap_or(&Kind::Chat), user.map(String::as_str)));
        }
        Err(sentence) => assert!(sentence.ends_with('.'), "{sentence:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_users_are_read_from_the_address() {
        let wanted = Wanted::read("kind=chat,+nes&user=ann&user=-&kind=&mark=7").unwrap();
        assert_eq!(wanted.kinds, [Kind::Chat, Kind::Nes]);
        assert_eq!(wanted.users, ["ann", "-"]);
        assert!(!wanted.is_all() && Wanted::read("user=+,+").unwrap().is_all());
        assert_eq!(Wanted::read("user=ann,ann&user=ann").unwrap().users, ["ann"], "each once, as in the list");
        let error = Wanted::read("kind=chatter").unwrap_err();
        assert!(error.starts_with("kind: there are completions") && error.ends_with('.'), "{error}");
        for other in ["sort=up", "since=7d", "text=x"] {
            assert!(Wanted::read(other).unwrap_err().contains("kind and user alone"), "{other}");
        }
        let many: Vec<_> = (0..101).map(|at| at.to_string()).collect();
        assert!(Wanted::read(&format!("user={}", many.join(","))).is_err());
    }
}
