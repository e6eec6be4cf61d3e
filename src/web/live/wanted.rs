//! Which rows a watcher asked for.

use std::str::FromStr;

use crate::index::Filter;
use crate::rules::Kind;

/// The filters in the page's address: `kind` and `user`, repeated or with commas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Empty is all.
    pub(super) kinds: Vec<Kind>,
    /// Empty is all; `-` is nobody.
    pub(super) users: Vec<String>,
}

/// Values of a list; more is no view that somebody made.
const VALUES_MAX: usize = 100;

impl Wanted {
    /// Reads the parameters of an address.
    ///
    /// # Errors
    /// A sentence about a value or a parameter that makes no sense.
    pub(super) fn read(pairs: &[(String, String)]) -> Result<Self, String> {
        let mut wanted = Self::default();
        for (name, value) in pairs {
            for value in value.split(',').map(str::trim).filter(|value| !value.is_empty()) {
                match name.as_str() {
                    "kind" => wanted.kinds.push(Kind::from_str(value).map_err(|error| format!("{error}."))?),
                    "user" => wanted.users.push(value.to_owned()),
                    // Where the browser's script goes on from.
                    "mark" => {}
                    _ => return Err("The live page is filtered by kind and user alone.".to_owned()),
                }
            }
        }
        if wanted.kinds.len().max(wanted.users.len()) > VALUES_MAX {
            return Err(format!("There are more than {VALUES_MAX} values."));
        }
        Ok(wanted)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Wanted, String> {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Wanted::read(&pairs)
    }

    #[test]
    fn kinds_and_users_are_read_from_the_address() {
        let wanted =
            read(&[("kind", "chat, nes"), ("user", "ann"), ("user", "-"), ("kind", ""), ("mark", "7")]).unwrap();
        assert_eq!(wanted.kinds, [Kind::Chat, Kind::Nes]);
        assert_eq!(wanted.users, ["ann", "-"]);
        assert!(!wanted.is_all() && read(&[("user", " , ")]).unwrap().is_all());
        assert!(read(&[("kind", "chatter")]).unwrap_err().contains("the kinds are completions"));
        assert!(read(&[("sort", "up")]).is_err());
        assert!(read(&[("user", &"x,".repeat(101))]).is_err());
    }
}
