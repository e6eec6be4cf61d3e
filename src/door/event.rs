//! What the listener and the tunnels tell the book.

use super::What;

/// Something that happened at the door.
#[derive(Clone, Copy, Debug)]
pub enum Event<'e> {
    /// Both handshakes are done.
    Opened {
        /// The server name that the client asked for.
        host: &'e str,
    },
    /// An opened tunnel ended without a byte of the client's.
    Unused {
        /// The same.
        host: &'e str,
    },
    /// A tunnel is relayed unopened.
    Opaque {
        /// The host of the CONNECT.
        host: &'e str,
    },
    /// The policy says no.
    Refused {
        /// The host of the CONNECT.
        host: &'e str,
        /// The sentence that the client got.
        why: &'e str,
    },
    /// The upstream cannot be used.
    Unreachable {
        /// The host of the CONNECT.
        host: &'e str,
        /// The sentence for the operator.
        why: &'e str,
    },
    /// No credentials came.
    Asked,
    /// Wrong credentials came.
    LoginFailed {
        /// The name in them, only where the users file has it: another may be a password in the wrong field.
        user: Option<&'e str>,
    },
    /// Our certificate was refused.
    Untrusted {
        /// The server name that the client asked for.
        host: &'e str,
        /// The alert's name.
        alert: &'e str,
    },
    /// The handshake with the client broke off.
    BrokenOff {
        /// The server name that the client asked for.
        host: &'e str,
        /// The alert's name, or empty where the client just left.
        why: &'e str,
    },
}

impl<'e> Event<'e> {
    /// Kind, host and detail.
    pub(super) fn parts(&self) -> (What, &'e str, &'e str) {
        match *self {
            Self::Opened { host } => (What::Opened, host, ""),
            Self::Unused { host } => (What::Unused, host, ""),
            Self::Opaque { host } => (What::Opaque, host, ""),
            Self::Refused { host, why } => (What::Refused, host, why),
            Self::Unreachable { host, why } => (What::Unreachable, host, why),
            Self::Asked => (What::Asked, "", ""),
            Self::LoginFailed { user } => (What::LoginFailed, "", user.unwrap_or_default()),
            Self::Untrusted { host, alert } => (What::Untrusted, host, alert),
            Self::BrokenOff { host, why } => (What::BrokenOff, host, why),
        }
    }
}
