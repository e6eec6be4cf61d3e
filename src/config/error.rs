//! What can be wrong with a configuration, and where it was written.

use std::fmt;
use std::path::PathBuf;

/// Where a value was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// On the command line, by this flag (with its dashes).
    Flag(String),
    /// In the environment, by this variable.
    Variable(String),
    /// In a configuration file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The key, with its table.
        key: &'static str,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) => f.write_str(name),
            Self::File { path, line, key } => write!(f, "{}, line {line} ({key})", path.display()),
        }
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that was named, or that exists, cannot be read.
    #[error("{what} file {}: cannot be read", path.display())]
    Read {
        /// What the file is for.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The file is not TOML, has a key that does not exist, or a value of the wrong form.
    #[error("{}, line {line}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there and what is allowed.
        reason: String,
    },
    /// A value has the right form and makes no sense.
    #[error("{place}: {reason}")]
    Value {
        /// Where it was given.
        place: Place,
        /// What is wrong with it and what is allowed.
        reason: String,
    },
    /// Everybody on the network could use the proxy, and nobody said that they may (design D11).
    #[error(
        "listening on {listen} would let everybody on the network use the proxy: make a users file with \
         `copilot-recorder users add NAME`, or say --no-auth"
    )]
    Exposed {
        /// The address.
        listen: std::net::SocketAddr,
    },
    /// The web page would ask for a login that nobody has.
    #[error(
        "the web page on {listen} asks for a login, and there is no users file: make one with \
         `copilot-recorder users add NAME --role admin`"
    )]
    NobodyToLogIn {
        /// The page's address.
        listen: std::net::SocketAddr,
    },
    /// A certificate without a key, or a key without a certificate.
    #[error("{place}: {given} needs {missing} beside it: name both files for TLS on the web page, or neither")]
    HalfAPair {
        /// Where the one was given.
        place: Place,
        /// Its key.
        given: &'static str,
        /// The key of the other.
        missing: &'static str,
    },
    /// Nothing would ever be recorded.
    #[error("no host would be opened: name at least one with --intercept, or leave builtin_hosts on")]
    NothingOpened,
}
