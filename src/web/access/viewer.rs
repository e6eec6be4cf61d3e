//! Who asks.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use super::{Pseudonyms, Rights};
use crate::auth::Account;
use crate::index::{Filter, Row};

/// A user that no record has: a name holds no control characters.
const NOBODY: &str = "\0";

/// Whoever makes a request, and what that one may see. Each handler finds it among the request's extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The name in the users file; `None` where no login is asked.
    pub name: Option<Arc<str>>,
    /// What may be seen.
    pub rights: Rights,
    /// The peer's address. Behind another proxy that is the proxy's: nobody else can be believed.
    pub from: IpAddr,
    /// What forms of this session hold, see [`super::csrf`]; `None` without a session.
    pub token: Option<Arc<str>>,
}

impl Viewer {
    /// Nobody in particular, with all rights: somebody on this machine, where no login is asked.
    #[must_use]
    pub fn anybody(from: IpAddr) -> Self {
        Self { name: None, rights: Rights::everything(), from: from.to_canonical(), token: None }
    }

    /// Somebody who has logged in.
    #[must_use]
    pub fn of(account: &Account, from: IpAddr) -> Self {
        let name = Some(Arc::clone(&account.name));
        Self { name, rights: Rights::of(account), from: from.to_canonical(), token: None }
    }

    /// A filter that finds only records that may be seen.
    #[must_use]
    pub fn restrict(&self, filter: Filter) -> Filter {
        only(self.rights.own_only(), filter)
    }

    /// A filter that finds only records whose figures may be seen. What is asked for in `users` must have gone through
    /// [`Self::users_meant`] before.
    ///
    /// Who may not see the contents of all cannot count them by their words either: such a filter finds nothing, or what
    /// is the viewer's own.
    #[must_use]
    pub fn restrict_figures(&self, filter: Filter) -> Filter {
        match self.rights.own_only() {
            Some(_) if filter.text.is_some() => self.restrict(filter),
            _ => only(self.rights.figures_only_of(), filter),
        }
    }

    /// Whether they may see what is in this record.
    #[must_use]
    pub fn may_see(&self, row: &Row) -> bool {
        self.rights.contents_of(row.user.as_deref())
    }

    /// The users that are meant where these were asked for. Who sees names asks by name. Who sees pseudonyms asks by
    /// pseudonym, or by the own name; `known` gives the users that there are. What is neither means nobody.
    pub fn users_meant<'a>(
        &self,
        asked: Vec<String>,
        pseudonyms: &Pseudonyms,
        known: impl Fn() -> Vec<Cow<'a, str>>,
    ) -> Vec<String> {
        if self.rights.sees_all_contents() || asked.is_empty() {
            return asked;
        }
        let known = known();
        let meant = |text: String| {
            let user = pseudonyms.user_of(&text, known.iter().map(AsRef::as_ref)).map(str::to_owned);
            let as_shown = self.rights.shown_name(&text, pseudonyms) == text;
            user.unwrap_or_else(|| if as_shown { text } else { NOBODY.to_owned() })
        };
        asked.into_iter().map(meant).collect()
    }
}

/// The filter for one user's records. Who asks for those of others finds nothing.
fn only(user: Option<&str>, filter: Filter) -> Filter {
    let Some(user) = user else { return filter };
    // In a filter, `-` is all traffic without login, whatever the users file has.
    let asks = user != "-" && (filter.users.is_empty() || filter.users.iter().any(|asked| asked == user));
    Filter { users: vec![if asks { user.to_owned() } else { NOBODY.to_owned() }], ..filter }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Role, Roles};

    fn viewer(roles: &[Role]) -> Viewer {
        let account = Account { name: "ann".into(), roles: roles.iter().copied().collect(), tie: [0; 32] };
        Viewer::of(&account, [127, 0, 0, 1].into())
    }

    fn users(names: &[&str]) -> Filter {
        Filter { users: names.iter().map(|&name| name.to_owned()).collect(), ..Filter::default() }
    }

    #[test]
    fn a_filter_is_narrowed_and_never_widened() {
        let own = |asked: &[&str]| viewer(&[Role::Own]).restrict(users(asked)).users;
        assert_eq!(own(&[]), ["ann"]);
        assert_eq!(own(&["bob", "ann"]), ["ann"]);
        assert_eq!(own(&["bob"]), [NOBODY]);
        assert_eq!(own(&["-"]), [NOBODY]);
        let all = viewer(&[Role::Reviewer]);
        assert_eq!(all.restrict(users(&["bob"])), users(&["bob"]));
        assert_eq!(Viewer::anybody([127, 0, 0, 1].into()).restrict(users(&[])), users(&[]));
        let statistics = viewer(&[Role::Statistics]);
        assert_eq!(statistics.restrict(users(&["bob"])).users, [NOBODY]);
        assert_eq!(statistics.restrict_figures(users(&["bob"])), users(&["bob"]));
        assert_eq!(viewer(&[Role::Own]).restrict_figures(users(&[])), users(&["ann"]));
        let words = Filter { text: Some("secret".into()), ..users(&["bob"]) };
        assert_eq!(statistics.restrict_figures(words.clone()).users, [NOBODY]);
        assert_eq!(all.restrict_figures(words.clone()), words);

        let account = Account { name: "-".into(), roles: Roles::OWN, tie: [0; 32] };
        let dash = Viewer::of(&account, [127, 0, 0, 1].into());
        assert_eq!(dash.restrict(users(&[])).users, [NOBODY]);
    }

    #[test]
    fn who_sees_pseudonyms_asks_by_pseudonym() {
        let logs = tempfile::tempdir().unwrap();
        let pseudonyms = Pseudonyms::kept_in(logs.path());
        let known = || ["ann", "bob"].map(Cow::Borrowed).to_vec();
        let meant = |roles: &[Role], asked: &str| viewer(roles).users_meant(vec![asked.to_owned()], &pseudonyms, known);
        let bob = pseudonyms.of("bob");
        assert_eq!(meant(&[Role::Statistics], &bob), ["bob"]);
        for asked in ["bob", "ann", "person-yyyyyyyyyy"] {
            assert_eq!(meant(&[Role::Statistics], asked), [NOBODY], "{asked}");
        }
        assert_eq!(meant(&[Role::Statistics], "-"), ["-"]);
        assert_eq!(meant(&[Role::Statistics, Role::Own], "ann"), ["ann"]);
        assert_eq!(meant(&[Role::Own], "bob"), [NOBODY]);
        assert_eq!(meant(&[Role::Reviewer], "bob"), ["bob"]);
        assert_eq!(meant(&[Role::Reviewer], &bob), [bob]);
    }
}
