//! Identities of exchanges and connections.

use uuid::Uuid;

/// Names one exchange for ever: a UUID version 7 (RFC 9562 section 5.7), so that ids sort by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct ExchangeId(pub Uuid);

/// Names one tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct ConnectionId(pub Uuid);
