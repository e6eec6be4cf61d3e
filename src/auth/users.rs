//! The users file: who there is, the hashes of their passwords, and the edits that the `users` commands make.
//!
//! ```toml
//! [[user]]
//! name = "ann"
//! hash = "$argon2id$v=19$m=19456,t=2,p=1$…"
//! roles = ["reviewer"]    # optional; without it, the role is `self`
//! ```
//!
//! Edits are made in the text, so that comments and the order of a file kept by hand survive them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use super::file;
use super::password::{self, PasswordError};
use super::roles::{Role, Roles};
use crate::stamp::Stamp;

/// Characters of a name; it becomes part of file names, which have some 255 bytes in all.
const MAX_NAME: usize = 128;

/// Somebody who may use the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// As the client sends it; letters of different case are different users.
    pub name: Arc<str>,
    /// The argon2id hash of the password as a PHC string.
    pub hash: Arc<str>,
    /// What the user may see of the records.
    pub roles: Roles,
}

/// What a users file holds. One that exists is valid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users {
    by_name: HashMap<Arc<str>, User>,
}

/// Why the users file could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    /// There is no such file.
    #[error("users file {}: there is none; `copilot-recorder users add NAME` makes it", path.display())]
    Missing {
        /// The file that was looked for.
        path: PathBuf,
    },
    /// The operating system does not let us read it.
    #[error("users file {}: cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The operating system does not let us write it.
    #[error("users file {}: cannot be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The text is not what a users file looks like.
    #[error("users file {}, line {line}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// The user is there already.
    #[error("user {name:?} exists already; `users add --replace` gives a new password")]
    Exists {
        /// The name.
        name: String,
    },
    /// There is no such user.
    #[error("there is no user {name:?}")]
    Unknown {
        /// The name.
        name: String,
    },
    /// The text cannot be a user name.
    #[error("not a user name: {reason}")]
    Name {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The text cannot be a password.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The file is valid TOML, in a form that is not edited in place.
    #[error("users file {}: not written as [[user]] tables; change it by hand", path.display())]
    Form {
        /// The file.
        path: PathBuf,
    },
}

/// What is wrong with a text that should be a users file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Malformed {
    line: usize,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileAsTyped {
    #[serde(default)]
    user: Vec<Spanned<Row>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: Spanned<String>,
    hash: Spanned<String>,
    roles: Option<Spanned<Vec<Spanned<String>>>>,
}

impl Row {
    /// Where the last of its values ends.
    fn end(&self) -> usize {
        let roles = self.roles.as_ref().map_or(0, |roles| roles.span().end);
        self.name.span().end.max(self.hash.span().end).max(roles)
    }
}

impl Users {
    /// Reads the users file.
    ///
    /// # Errors
    /// Where it is missing, unreadable or malformed; the last names the line.
    pub fn load(path: &Path) -> Result<Self, UsersError> {
        Self::load_stamped(path).map(|(users, _)| users)
    }

    /// Reads the users file, and what tells whether it has changed since.
    pub(super) fn load_stamped(path: &Path) -> Result<(Self, Stamp), UsersError> {
        let (text, stamp) = file::read(path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => UsersError::Missing { path: path.to_owned() },
            _ => UsersError::Read { path: path.to_owned(), source },
        })?;
        let users = Self::parse(&text).map_err(|error| error.of(path))?;
        Ok((users, stamp))
    }

    fn parse(text: &str) -> Result<Self, Malformed> {
        let mut by_name = HashMap::new();
        for row in rows(text)? {
            let row = row.into_inner();
            let at = |span: std::ops::Range<usize>, reason| Malformed { line: line_of(text, span.start), reason };
            check_name(row.name.get_ref())
                .map_err(|reason| at(row.name.span(), format!("not a user name: {reason}")))?;
            password::usable(row.hash.get_ref())
                .map_err(|reason| at(row.hash.span(), format!("not a password hash: {reason}")))?;
            let roles = match &row.roles {
                None => Roles::OWN,
                Some(roles) => roles
                    .get_ref()
                    .iter()
                    .map(|role| role.get_ref().parse::<Role>().map_err(|unknown| at(role.span(), unknown.to_string())))
                    .collect::<Result<_, _>>()?,
            };
            let span = row.name.span();
            let name: Arc<str> = row.name.into_inner().into();
            let user = User { name: Arc::clone(&name), hash: row.hash.into_inner().into(), roles };
            if by_name.insert(Arc::clone(&name), user).is_some() {
                return Err(at(span, format!("user {name:?} is there twice")));
            }
        }
        Ok(Self { by_name })
    }

    /// The user of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&User> {
        self.by_name.get(name)
    }

    /// Whether there is nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// All users, by name.
    #[must_use]
    pub fn sorted(&self) -> Vec<&User> {
        let mut users: Vec<_> = self.by_name.values().collect();
        users.sort_by(|a, b| a.name.cmp(&b.name));
        users
    }

    /// Whether this is the user's password. Takes some 25 ms of a core; `false` for a user that does not exist.
    #[must_use]
    pub fn verify(&self, name: &str, password: &str) -> bool {
        self.find(name).is_some_and(|user| password::verify(password, &user.hash))
    }
}

/// Adds a user to the file, which is made where it does not exist (mode 0600). With `replace`, a user that is there
/// gets the new password. Without `roles`, a new user has the role `self` and one that is there keeps its roles.
///
/// # Errors
/// Where the name or the password is not usable, the user exists (without `replace`), or the file cannot be read,
/// understood or written. The file is then as it was.
pub fn add(path: &Path, name: &str, password: &str, roles: Option<Roles>, replace: bool) -> Result<(), UsersError> {
    check_name(name).map_err(|reason| UsersError::Name { reason })?;
    let hash = password::hash_password(password)?;
    edit(path, true, |text, users| {
        if users.find(name).is_some() && !replace {
            return Err(UsersError::Exists { name: name.to_owned() });
        }
        let text = match row_of(text, name) {
            Some(row) => splice(text, row.hash.span(), &quoted(&hash)),
            None => {
                let gap = if text.is_empty() || text.ends_with("\n\n") { "" } else { "\n" };
                let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
                format!("{text}{end}{gap}[[user]]\nname = {}\nhash = {}\n", quoted(name), quoted(&hash))
            }
        };
        Ok(match (roles, row_of(&text, name)) {
            (Some(roles), Some(row)) => with_roles(&text, &row, roles),
            _ => text,
        })
    })
}

/// Gives a user these roles in place of those of before.
///
/// # Errors
/// Where there is no such user, or the file cannot be read, understood or written. The file is then as it was.
pub fn set_roles(path: &Path, name: &str, roles: Roles) -> Result<(), UsersError> {
    edit(path, false, |text, users| match (users.find(name), row_of(text, name)) {
        (Some(user), Some(_)) if user.roles == roles => Ok(text.to_owned()),
        (Some(_), Some(row)) => Ok(with_roles(text, &row, roles)),
        _ => Err(UsersError::Unknown { name: name.to_owned() }),
    })
}

/// Removes a user from the file.
///
/// # Errors
/// Where there is no such user, or the file cannot be read, understood or written. The file is then as it was.
pub fn remove(path: &Path, name: &str) -> Result<(), UsersError> {
    edit(path, false, |text, users| {
        let (Some(_), Some(row)) = (users.find(name), spanned_row_of(text, name)) else {
            return Err(UsersError::Unknown { name: name.to_owned() });
        };
        let start = text[..row.span().start].rfind('\n').map_or(0, |at| at + 1);
        let end = row.get_ref().end();
        let end = text[end..].find('\n').map_or(text.len(), |at| end + at + 1);
        // One of the two blank lines that would now meet.
        let end = if text[end..].starts_with('\n') { end + 1 } else { end };
        Ok(splice(text, start..end, ""))
    })
}

/// Reads, changes and writes the file while nobody else does, and makes sure that the change is one that was meant.
fn edit(
    path: &Path,
    create: bool,
    change: impl FnOnce(&str, &Users) -> Result<String, UsersError>,
) -> Result<(), UsersError> {
    let write = |source| UsersError::Write { path: path.to_owned(), source };
    let _lock = file::lock(path).map_err(write)?;
    let text = match file::read(path) {
        Ok((text, _)) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && create => String::new(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(UsersError::Missing { path: path.to_owned() });
        }
        Err(source) => return Err(UsersError::Read { path: path.to_owned(), source }),
    };
    let before = Users::parse(&text).map_err(|error| error.of(path))?;
    let old = text;
    let text = change(&old, &before)?;
    if text == old {
        return Ok(());
    }
    let Ok(after) = Users::parse(&text) else { return Err(UsersError::Form { path: path.to_owned() }) };
    let removed = before.by_name.keys().filter(|name| !after.by_name.contains_key(*name)).count();
    let changed = after.by_name.values().filter(|user| before.find(&user.name) != Some(user)).count();
    if removed + changed != 1 {
        return Err(UsersError::Form { path: path.to_owned() });
    }
    file::write(path, &text).map_err(write)
}

impl Malformed {
    fn of(self, path: &Path) -> UsersError {
        UsersError::Malformed { path: path.to_owned(), line: self.line, reason: self.reason }
    }
}

/// What a user name must not be: RFC 7617 section 2 forbids a colon and control characters.
fn check_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        Err("it is empty")
    } else if name.contains(':') {
        Err("it holds a colon, which the Basic scheme takes for the end of the name")
    } else if name.chars().any(char::is_control) {
        Err("it holds a control character")
    } else if name.chars().count() > MAX_NAME {
        Err("it is longer than 128 characters")
    } else {
        Ok(())
    }
}

fn rows(text: &str) -> Result<Vec<Spanned<Row>>, Malformed> {
    let file: FileAsTyped = toml::from_str(text).map_err(|error| Malformed {
        line: line_of(text, error.span().map_or(0, |span| span.start)),
        reason: error.message().replace('\n', "; "),
    })?;
    Ok(file.user)
}

fn spanned_row_of(text: &str, name: &str) -> Option<Spanned<Row>> {
    rows(text).ok()?.into_iter().find(|row| row.get_ref().name.get_ref() == name)
}

fn row_of(text: &str, name: &str) -> Option<Row> {
    spanned_row_of(text, name).map(Spanned::into_inner)
}

/// The text with these roles for the user of this row, in a line of their own where there was none.
fn with_roles(text: &str, row: &Row, roles: Roles) -> String {
    let names: Vec<_> = roles.iter().map(|role| quoted(role.name())).collect();
    let list = format!("[{}]", names.join(", "));
    if let Some(old) = &row.roles {
        return splice(text, old.span(), &list);
    }
    let end = row.end();
    match text[end..].find('\n').map(|at| end + at + 1) {
        Some(next) => splice(text, next..next, &format!("roles = {list}\n")),
        None => format!("{text}\nroles = {list}\n"),
    }
}

fn splice(text: &str, span: std::ops::Range<usize>, with: &str) -> String {
    format!("{}{with}{}", &text[..span.start], &text[span.end..])
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|&byte| byte == b'\n').count()
}

#[cfg(test)]
#[path = "users_tests.rs"]
mod tests;
