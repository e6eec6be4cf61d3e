//! Roles: what somebody in the users file may see of the records.

/// What a user may see. Who has more than one may see what any of them lets see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything, the state of the machine included.
    Admin,
    /// The records of everybody, contents included.
    Reviewer,
    /// Figures of everybody, users under pseudonyms; no records.
    Statistics,
    /// The own records and figures, written `self`.
    Own,
}

impl Role {
    /// All of them, the one with most rights first.
    pub const ALL: [Self; 4] = [Self::Admin, Self::Reviewer, Self::Statistics, Self::Own];

    /// The role's name in the users file and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Reviewer => "reviewer",
            Self::Statistics => "statistics",
            Self::Own => "self",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A text that is no role's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no role {0:?}; the roles are admin, reviewer, statistics and self")]
pub struct UnknownRole(pub String);

impl std::str::FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// The roles that somebody has: any number of them, also none.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Roles(u8);

impl Roles {
    /// May use the proxy and see nothing of what it records.
    pub const NONE: Self = Self(0);

    /// What a user has of whom the file says nothing.
    pub const OWN: Self = Self(Role::Own.bit());

    /// Whether this role is among them.
    #[must_use]
    pub const fn has(self, role: Role) -> bool {
        self.0 & role.bit() != 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them, the one with most rights first.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.has(*role))
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Self(roles.into_iter().fold(0, |bits, role| bits | role.bit()))
    }
}

impl std::fmt::Debug for Roles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// Their names with commas between, `none` where there is none.
impl std::fmt::Display for Roles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.iter().map(Role::name).collect();
        f.write_str(if names.is_empty() { "none" } else { "" })?;
        f.write_str(&names.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_is_read_by_its_name_and_nothing_else_is() {
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
        }
        for text in ["", "Admin", "own", "self ", "none", "root"] {
            assert_eq!(text.parse::<Role>(), Err(UnknownRole(text.to_owned())));
        }
    }

    #[test]
    fn a_set_holds_what_was_put_into_it() {
        let both: Roles = [Role::Own, Role::Statistics, Role::Own].into_iter().collect();
        assert_eq!(both.to_string(), "statistics,self");
        assert!(
            both.has(Role::Own) && both.has(Role::Statistics) && !both.has(Role::Admin) && !both.has(Role::Reviewer)
        );
        assert_eq!(Roles::NONE.to_string(), "none");
        assert!(Roles::NONE.is_empty() && !Roles::OWN.is_empty());
        assert_eq!(Roles::from_iter([Role::Own]), Roles::OWN);
    }
}
