//! Identities of exchanges and connections.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use uuid::{Builder, Uuid};

/// Names one exchange for ever: a UUID version 7 (RFC 9562 section 5.7), so that ids sort by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct ExchangeId(pub Uuid);

impl ExchangeId {
    /// A new id for an exchange that began at `time`.
    #[must_use]
    pub fn at(time: SystemTime) -> Self {
        Self(version7(time))
    }
}

impl fmt::Display for ExchangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Names one tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct ConnectionId(pub Uuid);

impl ConnectionId {
    /// A new id for a tunnel that was accepted at `time`.
    #[must_use]
    pub fn at(time: SystemTime) -> Self {
        Self(version7(time))
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Milliseconds, then the fraction of the millisecond in the twelve bits of `rand_a` (RFC 9562 section 6.2,
/// method 3), because several exchanges begin in one millisecond; then the low half of a fresh UUID.
fn version7(time: SystemTime) -> Uuid {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    let fraction = (since.subsec_nanos() % 1_000_000) * 4096 / 1_000_000;
    let mut rest = [0; 10];
    rest[..2].copy_from_slice(&(fraction as u16).to_be_bytes());
    rest[2..].copy_from_slice(&Uuid::now_v7().as_bytes()[8..]);
    Builder::from_unix_timestamp_millis(millis, &rest).into_uuid()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn ids_sort_by_the_time_given() {
        let begin = UNIX_EPOCH + Duration::from_secs(1_733_663_157);
        let mut last = ExchangeId::at(begin);
        for step in 1..5_000 {
            // Half a microsecond is coarser than the 244 ns that the fraction resolves.
            let next = ExchangeId::at(begin + Duration::from_nanos(500 * step));
            assert!(last < next, "{last} {next}");
            last = next;
        }
    }

    #[test]
    fn is_a_version_7_uuid_of_that_millisecond() {
        let id = ConnectionId::at(UNIX_EPOCH + Duration::from_millis(0x0123_4567_89ab)).0;
        assert_eq!((id.get_version_num(), id.get_variant()), (7, uuid::Variant::RFC4122));
        assert!(id.to_string().starts_with("01234567-89ab-7"), "{id}");
    }

    #[test]
    fn two_of_one_instant_differ() {
        let time = SystemTime::now();
        let ids: std::collections::HashSet<_> = (0..10_000).map(|_| ExchangeId::at(time)).collect();
        assert_eq!(ids.len(), 10_000);
    }
}
