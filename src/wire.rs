//! Words that the relay and the observer share: which way bytes go and how a direction ends.

use serde::{Deserialize, Serialize};

/// Which way bytes travel through a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the editor to Copilot.
    ClientToServer,
    /// From Copilot to the editor.
    ServerToClient,
}

impl Direction {
    /// Both directions, in the order in which a request/response pair uses them.
    pub const BOTH: [Self; 2] = [Self::ClientToServer, Self::ServerToClient];

    /// The other way.
    #[must_use]
    pub fn reverse(self) -> Self {
        match self {
            Self::ClientToServer => Self::ServerToClient,
            Self::ServerToClient => Self::ClientToServer,
        }
    }

    /// 0 for the client's direction, 1 for the server's: an index into a pair of states.
    #[must_use]
    pub fn index(self) -> usize {
        match self {
            Self::ClientToServer => 0,
            Self::ServerToClient => 1,
        }
    }
}

/// How one direction of a tunnel ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The sender said that it is done: TLS `close_notify` (RFC 8446 section 6.1).
    Clean,
    /// The TCP stream ended without `close_notify`: what came before may be cut short.
    Truncated,
    /// The connection was reset, failed, or the TLS stream was damaged.
    Aborted,
    /// We ended it: the program is shutting down, or a limit of ours was reached.
    Shutdown,
}
