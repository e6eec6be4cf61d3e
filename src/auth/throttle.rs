//! Failed logins slow their address down.
//!
//! Only attempts that cost a hash come here: whoever is remembered is never slowed by what others behind the same
//! address do. The time is a parameter.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use tokio::time::Instant;

/// Failures that cost nothing: people mistype.
const FREE: u32 = 3;

/// The first delay; each further failure doubles it.
const FIRST: Duration = Duration::from_millis(250);

/// The longest delay. Editors give up on a CONNECT after some 5 s; longer would gain nothing.
const LONGEST: Duration = Duration::from_secs(5);

/// A failure is forgotten when nothing followed for so long.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// The longest that an attempt queues behind others from its address. Beyond, it is refused unheard.
const PATIENCE: Duration = Duration::from_secs(15);

/// Addresses kept; some 100 bytes each.
const MAX_ADDRESSES: usize = 10_000;

/// What is known of the addresses that failed lately.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    addresses: HashMap<IpAddr, Record>,
}

#[derive(Debug)]
struct Record {
    failures: u32,
    last: Instant,
    /// When the next attempt may be made. Attempts queue: opening many connections does not make guessing faster.
    next: Instant,
}

/// How an attempt goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// At once, or after this time.
    Wait(Duration),
    /// Not at all: too many others wait.
    Refused,
}

impl Throttle {
    /// When an attempt from this address may be made. Takes the place in its queue.
    pub(super) fn turn(&mut self, address: IpAddr, now: Instant) -> Turn {
        let Some(record) = self.addresses.get_mut(&network(address)) else { return Turn::Wait(Duration::ZERO) };
        if now.duration_since(record.last) > FORGOTTEN {
            self.addresses.remove(&network(address));
            return Turn::Wait(Duration::ZERO);
        }
        let delay = delay(record.failures);
        if delay.is_zero() {
            return Turn::Wait(Duration::ZERO);
        }
        let at = record.next.max(now) + delay;
        if at > now + PATIENCE {
            return Turn::Refused;
        }
        record.next = at;
        Turn::Wait(at - now)
    }

    /// An attempt from this address failed.
    pub(super) fn failed(&mut self, address: IpAddr, now: Instant) {
        if self.addresses.len() >= MAX_ADDRESSES {
            self.make_room(now);
        }
        let record = self.addresses.entry(network(address)).or_insert(Record { failures: 0, last: now, next: now });
        if now.duration_since(record.last) > FORGOTTEN {
            record.failures = 0;
        }
        record.failures = record.failures.saturating_add(1);
        record.last = now;
    }

    /// Drops what would be forgotten anyway, else the older half, which is rare enough for a full pass to be cheap.
    fn make_room(&mut self, now: Instant) {
        self.addresses.retain(|_, record| now.duration_since(record.last) <= FORGOTTEN);
        if self.addresses.len() >= MAX_ADDRESSES {
            let mut times: Vec<_> = self.addresses.values().map(|record| record.last).collect();
            let (_, middle, _) = times.select_nth_unstable(MAX_ADDRESSES / 2);
            let middle = *middle;
            self.addresses.retain(|_, record| record.last > middle);
        }
    }
}

/// How long the answer to so many failures waits: 0 up to [`FREE`], then 0.25 s, 0.5 s, … 5 s.
pub(super) fn delay(failures: u32) -> Duration {
    match failures.checked_sub(FREE + 1) {
        None => Duration::ZERO,
        Some(further) => FIRST.saturating_mul(1 << further.min(10)).min(LONGEST),
    }
}

/// An IPv6 host has a whole /64 to call from.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn after_failures(count: u32, now: Instant) -> Throttle {
        let mut throttle = Throttle::default();
        (0..count).for_each(|_| throttle.failed(A, now));
        throttle
    }

    #[test]
    fn the_delay_grows_after_a_few_failures_and_stops_growing() {
        let millis: Vec<_> = (0..12).map(|n| delay(n).as_millis()).collect();
        assert_eq!(millis, [0, 0, 0, 0, 250, 500, 1000, 2000, 4000, 5000, 5000, 5000]);
        assert_eq!(delay(u32::MAX), LONGEST);
    }

    #[test]
    fn attempts_from_one_address_queue_and_then_are_refused() {
        let now = Instant::now();
        let mut throttle = after_failures(9, now);
        let turns: Vec<_> = (0..4).map(|_| throttle.turn(A, now)).collect();
        let wait = |secs| Turn::Wait(Duration::from_secs(secs));
        assert_eq!(turns, [wait(5), wait(10), wait(15), Turn::Refused]);
        assert_eq!(throttle.turn(A, now + Duration::from_secs(15)), wait(5), "the queue has gone by");
        assert_eq!(throttle.turn("192.0.2.2".parse().unwrap(), now), wait(0), "others are not concerned");
    }

    #[test]
    fn failures_are_forgotten() {
        let now = Instant::now();
        let mut throttle = after_failures(20, now);
        let later = now + FORGOTTEN + Duration::from_secs(1);
        assert_eq!(throttle.turn(A, later), Turn::Wait(Duration::ZERO));
        assert!(throttle.addresses.is_empty());
        let mut throttle = after_failures(20, now);
        throttle.failed(A, later);
        assert_eq!(throttle.addresses[&A].failures, 1);
    }

    #[test]
    fn an_ipv6_network_counts_as_one_and_mapped_ipv4_as_ipv4() {
        assert_eq!(network("2001:db8:1:2:3:4:5:6".parse().unwrap()), "2001:db8:1:2::".parse::<IpAddr>().unwrap());
        assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()), A);
    }

    #[test]
    fn the_table_is_bounded_and_keeps_the_recent() {
        let now = Instant::now();
        let mut throttle = Throttle::default();
        let address = |n: u32| IpAddr::from(n.to_be_bytes());
        let count = u32::try_from(MAX_ADDRESSES).unwrap() * 3;
        for n in 0..count {
            throttle.failed(address(n), now + Duration::from_millis(n.into()));
            assert!(throttle.addresses.len() <= MAX_ADDRESSES);
        }
        assert!(throttle.addresses.contains_key(&address(count - 1)));
    }
}
