//! How a command fails, and the one place where that becomes an exit code (design 5).

use std::io;

use crate::auth::UsersError;
use crate::config::ConfigError;

use super::run::StartError;

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub enum CliError {
    /// What was looked for is not there, or a check failed. Exit code 1.
    Negative(String),
    /// Wrong usage or configuration. Exit code 2.
    Usage(anyhow::Error),
    /// The machine does not let us: port taken, file not readable or writable. Exit code 3.
    Start(anyhow::Error),
    /// Standard output or input failed; a closed pipe is a clean end.
    Stream(io::Error),
}

impl CliError {
    /// A failure to start.
    pub(super) fn start(error: anyhow::Error) -> Self {
        match error.downcast::<io::Error>() {
            Ok(error) => error.into(),
            Err(error) => Self::Start(error),
        }
    }

    /// What the shell is told.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Stream(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Self::Negative(_) => 1,
            Self::Usage(_) => 2,
            Self::Start(_) | Self::Stream(_) => 3,
        }
    }

    /// What people are told: the chain of causes in one sentence. `None` where nobody listens any more.
    #[must_use]
    pub fn message(&self) -> Option<String> {
        match self {
            Self::Stream(error) if error.kind() == io::ErrorKind::BrokenPipe => None,
            Self::Negative(text) => Some(text.clone()),
            Self::Usage(error) | Self::Start(error) => Some(format!("{error:#}")),
            Self::Stream(error) => Some(format!("reading or writing failed: {error}")),
        }
    }
}

impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        Self::Stream(error)
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.into())
    }
}

impl From<UsersError> for CliError {
    fn from(error: UsersError) -> Self {
        match error {
            UsersError::Unknown { .. } => Self::Negative(error.to_string()),
            UsersError::Read { .. } | UsersError::Write { .. } => Self::Start(error.into()),
            _ => Self::Usage(error.into()),
        }
    }
}

impl From<StartError> for CliError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Users(error) => error.into(),
            error => Self::Start(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_sentences() {
        let closed = CliError::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((closed.exit_code(), closed.message()), (0, None));
        let unknown = CliError::from(UsersError::Unknown { name: "ann".into() });
        assert_eq!((unknown.exit_code(), unknown.message().unwrap().as_str()), (1, "there is no user \"ann\""));
        let missing = CliError::from(StartError::Users(UsersError::Missing { path: "u.toml".into() }));
        assert_eq!(missing.exit_code(), 2);
        let source = io::Error::from(io::ErrorKind::PermissionDenied);
        let write = CliError::from(UsersError::Write { path: "u.toml".into(), source });
        assert_eq!(write.exit_code(), 3);
        assert_eq!(write.message().unwrap(), "users file u.toml: cannot be written: permission denied");
    }
}
