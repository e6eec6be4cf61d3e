//! `users`: say who may use the proxy.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::{Args, Subcommand};

use super::output::printable;
use super::{CliError, ConfigArg};
use crate::auth::users::{self, Users};
use crate::auth::{Role, Roles, UnknownRole, generate_password};
use crate::config::Flags;

/// More than any password, so that a wrong file on stdin is told from one.
const MAX_STDIN: u64 = 64 << 10;

/// Add, remove, list or check the users that the proxy asks for, and say what they may see.
///
/// A running proxy notices changes at once.
#[derive(Args, Debug)]
pub struct UsersArgs {
    /// The users file [default: users.toml] [env: COPILOT_RECORDER_USERS]
    // Its own id: the parser hands global flags up, where `run` has one of this name.
    #[arg(id = "users_file", long = "users", value_name = "FILE", global = true)]
    users: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArg,
    #[command(subcommand)]
    command: UsersCommand,
}

#[derive(Debug, Subcommand)]
enum UsersCommand {
    /// Add a user; a strong password is made and shown once, unless one comes on stdin.
    Add {
        /// The user's name: no colon, no control characters, at most 128 characters.
        name: String,
        /// Take the password from the first line of stdin.
        #[arg(long)]
        password_stdin: bool,
        /// Give a new password to a user that exists.
        #[arg(long)]
        replace: bool,
        /// What the user may see of the records, with commas between: admin, reviewer, statistics, self; or none
        /// [default: self; with --replace, the roles of before]
        #[arg(long = "role", value_name = "ROLE", value_delimiter = ',')]
        roles: Vec<RoleArg>,
    },
    /// Give a user other roles: what may be seen of the records in the browser.
    Role {
        /// The user's name.
        name: String,
        /// `admin` (everything), `reviewer` (everybody's records), `statistics` (figures, users under pseudonyms), `self`
        /// (the own records), or `none` (nothing; the proxy may be used).
        #[arg(required = true, value_name = "ROLE", value_delimiter = ',')]
        roles: Vec<RoleArg>,
    },
    /// Remove a user; tunnels that are open stay open.
    Remove {
        /// The user's name.
        name: String,
    },
    /// List the users' names, one a line.
    List {
        /// Give each user's roles too, behind a tab, with commas between.
        #[arg(long)]
        roles: bool,
    },
    /// Say by exit code whether there is such a user: 0 yes, 1 no.
    Check {
        /// The user's name.
        name: String,
        /// Check the password too, the first line of stdin.
        #[arg(long)]
        password_stdin: bool,
    },
}

/// A role as typed; `None` is the word `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RoleArg(Option<Role>);

impl std::str::FromStr for RoleArg {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        if text == "none" { Ok(Self(None)) } else { text.parse().map(|role| Self(Some(role))) }
    }
}

impl UsersArgs {
    pub(super) fn config(&self) -> Option<&Path> {
        self.config.path()
    }

    pub(super) fn flags(&self) -> Flags {
        // A path that is not UTF-8 is taken from the arguments by `run`, and named here only to be the highest layer.
        self.users.iter().map(|path| ("users", vec![path.to_string_lossy().into_owned()])).collect()
    }
}

/// Runs the command on the users file; results go to `out`, what people should know to stderr.
///
/// # Errors
/// Where the file cannot be used, the user is not there or there already, or the password is wrong.
pub fn run(args: &UsersArgs, file: &Path, stdin: &mut dyn Read, out: &mut dyn Write) -> Result<u8, CliError> {
    let file = args.users.as_deref().unwrap_or(file);
    match &args.command {
        UsersCommand::Add { name, password_stdin, replace, roles } => {
            let roles = if roles.is_empty() { None } else { Some(roles_of(roles)?) };
            let given = if *password_stdin { Some(password_from(stdin)?) } else { None };
            add(file, name, given, roles, *replace, out)?;
        }
        UsersCommand::Role { name, roles } => {
            let roles = roles_of(roles)?;
            users::set_roles(file, name, roles)?;
            eprintln!("user {} has the role {roles} in {}", printable(name), file.display());
        }
        UsersCommand::Remove { name } => {
            users::remove(file, name)?;
            eprintln!("user {} removed from {}", printable(name), file.display());
        }
        UsersCommand::List { roles } => {
            let users = Users::load(file)?;
            if users.is_empty() {
                return Err(CliError::Negative(format!("nobody is in {}", file.display())));
            }
            for user in users.sorted() {
                let shown = if *roles { format!("\t{}", user.roles) } else { String::new() };
                writeln!(out, "{}{shown}", printable(&user.name))?;
            }
        }
        UsersCommand::Check { name, password_stdin } => {
            let users = Users::load(file)?;
            if users.find(name).is_none() {
                return Err(CliError::Negative(format!("there is no user {name:?} in {}", file.display())));
            }
            if *password_stdin && !users.verify(name, &password_from(stdin)?) {
                return Err(CliError::Negative(format!("the password is not {name:?}'s")));
            }
            eprintln!(
                "user {} is in {}{}",
                printable(name),
                file.display(),
                if *password_stdin { ", with this password" } else { "" }
            );
        }
    }
    out.flush()?;
    Ok(0)
}

fn add(
    file: &Path,
    name: &str,
    given: Option<String>,
    roles: Option<Roles>,
    replace: bool,
    out: &mut dyn Write,
) -> Result<(), CliError> {
    match given {
        Some(password) => {
            users::add(file, name, &password, roles, replace)?;
            eprintln!("user {} is in {}", printable(name), file.display());
        }
        None => {
            let password = generate_password().map_err(users::UsersError::from)?;
            users::add(file, name, &password, roles, replace)?;
            eprintln!("user {} is in {}; the password, shown this once:", printable(name), file.display());
            // Alone on stdout, so that it can be piped to where it is needed.
            writeln!(out, "{password}")?;
        }
    }
    Ok(())
}

/// The roles that were typed; `none` stands alone.
fn roles_of(typed: &[RoleArg]) -> Result<Roles, CliError> {
    if typed.len() > 1 && typed.contains(&RoleArg(None)) {
        return Err(CliError::Usage(anyhow!("`none` cannot stand beside other roles")));
    }
    Ok(typed.iter().filter_map(|role| role.0).collect())
}

fn password_from(stdin: &mut dyn Read) -> Result<String, CliError> {
    let mut bytes = Vec::new();
    stdin.take(MAX_STDIN).read_to_end(&mut bytes)?;
    let line = bytes.split_inclusive(|&byte| byte == b'\n').next().unwrap_or_default();
    if line.len() < bytes.len() {
        return Err(CliError::Usage(anyhow!("stdin holds more than one line; a password is one line")));
    }
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match std::str::from_utf8(line) {
        Ok(password) => Ok(password.to_owned()),
        Err(_) => Err(CliError::Usage(anyhow!("the password on stdin is not UTF-8"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<String, String> {
        password_from(&mut &bytes[..]).map_err(|error| error.message().unwrap())
    }

    #[test]
    fn the_password_is_the_one_line_of_stdin() {
        for bytes in ["p@ss wörd".as_bytes(), "p@ss wörd\n".as_bytes(), "p@ss wörd\r\n".as_bytes()] {
            assert_eq!(read(bytes).as_deref(), Ok("p@ss wörd"));
        }
        assert_eq!(read(b" x ").as_deref(), Ok(" x "), "spaces belong to it");
        assert!(read(b"a\nb\n").unwrap_err().contains("more than one line"));
        assert!(read(b"\xff\n").unwrap_err().contains("UTF-8"));
    }
}
