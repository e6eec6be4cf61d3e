//! What somebody may see: roles and a name made into answers to the questions that pages ask.

use std::borrow::Cow;
use std::sync::Arc;

use super::Pseudonyms;
use crate::auth::{Account, Role, Roles};

/// A part of the page. Which requests belong to which is said in one place, `area.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Area {
    /// What anybody may fetch: the login, style sheet and script. Nothing of the records is in it.
    Open,
    /// Logging out, and the way to the first page that the viewer may see.
    Account,
    /// Records as they come.
    Live,
    /// Lists of records, without contents.
    Exchanges,
    /// Bodies, headers and texts of records.
    Contents,
    /// Sums over records.
    Figures,
    /// What was seen of each user and client, and what was not.
    Coverage,
    /// How clients are set up; the CA.
    Setup,
    /// The state of the program and the machine.
    Health,
    /// The description of the API, without records.
    Api,
}

/// What a viewer may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    roles: Roles,
    /// The viewer's name in the users file.
    name: Option<Arc<str>>,
}

impl Rights {
    /// Those of nobody in particular where no login is asked: everything.
    #[must_use]
    pub fn everything() -> Self {
        Self { roles: Roles::from_iter([Role::Admin]), name: None }
    }

    /// Those of somebody in the users file.
    #[must_use]
    pub fn of(account: &Account) -> Self {
        Self { roles: account.roles, name: Some(Arc::clone(&account.name)) }
    }

    /// Whether this part may be seen. Within it, [`Self::own_only`], [`Self::figures_only_of`] and
    /// [`Self::contents_of`] say of whom, and [`Self::shown_name`] by which name.
    #[must_use]
    pub fn may(&self, area: Area) -> bool {
        match area {
            Area::Open | Area::Account => true,
            Area::Live | Area::Exchanges | Area::Contents => self.sees_all_contents() || self.roles.has(Role::Own),
            Area::Figures => self.figures(),
            Area::Coverage | Area::Setup | Area::Api => !self.roles.is_empty(),
            Area::Health => self.health(),
        }
    }

    /// Whether contents of records of this user may be seen; `None` is traffic without login, which is nobody's own.
    #[must_use]
    pub fn contents_of(&self, user: Option<&str>) -> bool {
        self.sees_all_contents() || self.roles.has(Role::Own) && user.is_some() && user == self.name.as_deref()
    }

    /// Whether contents of everybody's records may be seen.
    #[must_use]
    pub fn sees_all_contents(&self) -> bool {
        self.roles.has(Role::Admin) || self.roles.has(Role::Reviewer)
    }

    /// Whether figures may be seen, be it only one's own.
    #[must_use]
    pub fn figures(&self) -> bool {
        !self.roles.is_empty()
    }

    /// Whether records may be seen at all, which have their users by their names. Of figures and coverage, ask
    /// [`Self::has_pseudonyms`].
    #[must_use]
    pub fn names_people(&self) -> bool {
        self.sees_all_contents() || self.roles.has(Role::Own)
    }

    /// The one user beyond whose records nothing may be seen, where there is such a limit: put this into every question
    /// for records. Figures may reach further, see [`Self::figures_only_of`].
    #[must_use]
    pub fn own_only(&self) -> Option<&str> {
        match &self.name {
            Some(name) if !self.sees_all_contents() => Some(name),
            _ => None,
        }
    }

    /// The viewer's name, where what is of that user is the viewer's own to see.
    #[must_use]
    pub fn own_name(&self) -> Option<&str> {
        self.name.as_deref().filter(|_| self.roles.has(Role::Own))
    }

    /// The one user whose figures may be seen, where it is not everybody's.
    #[must_use]
    pub fn figures_only_of(&self) -> Option<&str> {
        if self.roles.has(Role::Statistics) { None } else { self.own_only() }
    }

    /// Whether figures and coverage are of others whose names may not be seen: each of them is to be shown as
    /// [`Self::shown_name`] says, and in an order that does not tell who is who.
    #[must_use]
    pub fn has_pseudonyms(&self) -> bool {
        !self.sees_all_contents() && self.figures_only_of().is_none()
    }

    /// Whether the state of the program and the machine may be seen.
    #[must_use]
    pub fn health(&self) -> bool {
        self.roles.has(Role::Admin)
    }

    /// A user as this viewer may see it: by name, or under a pseudonym. `-`, which is nobody, stays what it is.
    ///
    /// Anything else that tells who somebody is, such as an address or an account, is shown by the same rule.
    #[must_use]
    pub fn shown_name<'a>(&self, user: &'a str, pseudonyms: &Pseudonyms) -> Cow<'a, str> {
        let own = self.roles.has(Role::Own) && self.name.as_deref() == Some(user);
        let is_shown = self.sees_all_contents() || own || user == "-";
        if is_shown { Cow::Borrowed(user) } else { Cow::Owned(pseudonyms.of(user)) }
    }

    /// The first part that this viewer may see, in the order of the menu; `None` for somebody without a role.
    #[must_use]
    pub fn first_area(&self) -> Option<Area> {
        [Area::Live, Area::Figures].into_iter().find(|&area| self.may(area))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(roles: &[Role]) -> Rights {
        Rights::of(&Account { name: "ann".into(), roles: roles.iter().copied().collect(), tie: [0; 32] })
    }

    const AREAS: [Area; 10] = [
        Area::Open,
        Area::Account,
        Area::Live,
        Area::Exchanges,
        Area::Contents,
        Area::Figures,
        Area::Coverage,
        Area::Setup,
        Area::Health,
        Area::Api,
    ];

    /// One letter for each of `AREAS`: may be seen or not.
    fn map(rights: &Rights) -> String {
        AREAS.iter().map(|&area| if rights.may(area) { 'y' } else { '-' }).collect()
    }

    #[test]
    fn what_each_role_may() {
        assert_eq!(map(&Rights::everything()), "yyyyyyyyyy");
        assert_eq!(map(&rights(&[Role::Admin])), "yyyyyyyyyy");
        assert_eq!(map(&rights(&[Role::Reviewer])), "yyyyyyyy-y");
        assert_eq!(map(&rights(&[Role::Statistics])), "yy---yyy-y");
        assert_eq!(map(&rights(&[Role::Own])), "yyyyyyyy-y");
        assert_eq!(map(&rights(&[])), "yy--------");
        assert_eq!(map(&rights(&[Role::Statistics, Role::Own])), "yyyyyyyy-y");
    }

    #[test]
    fn of_whom_records_figures_and_names_may_be_seen() {
        let of = |rights: &Rights| {
            let contents = [Some("ann"), Some("bob"), None].map(|user| rights.contents_of(user));
            assert_eq!(rights.has_pseudonyms(), rights.roles.has(Role::Statistics) && !rights.sees_all_contents());
            (contents, rights.own_only().map(str::to_owned), rights.figures_only_of().is_some(), rights.names_people())
        };
        let ann = || Some("ann".to_owned());
        assert_eq!(of(&Rights::everything()), ([true; 3], None, false, true));
        assert_eq!(of(&rights(&[Role::Admin])), ([true; 3], None, false, true));
        assert_eq!(of(&rights(&[Role::Reviewer, Role::Statistics])), ([true; 3], None, false, true));
        assert_eq!(of(&rights(&[Role::Own])), ([true, false, false], ann(), true, true));
        // Who may see no records is held to the own ones, should a page ever forget to ask.
        assert_eq!(of(&rights(&[Role::Statistics])), ([false; 3], ann(), false, false));
        assert_eq!(of(&rights(&[])), ([false; 3], ann(), true, false));
        assert_eq!(of(&rights(&[Role::Statistics, Role::Own])), ([true, false, false], ann(), false, true));
    }

    #[test]
    fn statistics_show_pseudonyms_of_all_but_oneself() {
        let dir = tempfile::tempdir().unwrap();
        let pseudonyms = Pseudonyms::kept_in(dir.path());
        let shown = |roles: &[Role], user: &str| rights(roles).shown_name(user, &pseudonyms).into_owned();
        assert_eq!(shown(&[Role::Reviewer], "bob"), "bob");
        assert!(shown(&[Role::Statistics], "bob").starts_with("person-"));
        assert!(shown(&[Role::Statistics], "ann").starts_with("person-"));
        assert_eq!(shown(&[Role::Statistics, Role::Own], "ann"), "ann");
        assert!(shown(&[Role::Statistics, Role::Own], "bob").starts_with("person-"));
        assert!(shown(&[Role::Own], "bob").starts_with("person-"), "should a page ever forget to ask");
        assert_eq!(shown(&[Role::Statistics], "-"), "-");
    }
}
