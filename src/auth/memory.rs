//! Credentials that were checked lately, remembered as keyed hashes.
//!
//! The key is random and lives as long as the process, so what is kept says nothing about any password.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aws_lc_rs::hmac;
use tokio::time::Instant;

use super::basic::Credentials;
use super::users::{User, Users};

/// A remembered login is good for so long after it was used last. A week, so that a team behind one address comes back
/// on Monday without a hash for everybody: those who mistype there slow all whose login is not remembered. What must end
/// it at once does: each use looks whether the user is still there with the same hash.
const GOOD_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A wrong login is remembered for so long after it was tried last.
const BAD_LIFE: Duration = Duration::from_secs(15 * 60);

/// Logins kept. A user may have more than one encoding of the same password; some 150 bytes each.
const MAX_GOOD: usize = 20_000;

/// Wrong credentials kept, so that an editor that repeats a stale password costs no hash each time.
const MAX_BAD: usize = 10_000;

/// The keyed hash of a user name and a password.
pub(super) type Tag = [u8; 32];

/// Both kinds of outcome, good and bad.
pub(super) struct Memory {
    key: hmac::Key,
    /// For ties. Not the key of tags: what is sent as a password must not be able to ask for one.
    ties: hmac::Key,
    start: Instant,
    good: RwLock<HashMap<Tag, Good>>,
    bad: RwLock<HashMap<Tag, Bad>>,
}

struct Good {
    user: Arc<str>,
    /// The hash in the users file that the password was checked against.
    hash: Arc<str>,
    /// Seconds since `start`; written under the read lock, so that a hit never waits for another.
    used: AtomicU64,
}

struct Bad {
    /// The hash it was checked against; `None` where there was no such user.
    hash: Option<Arc<str>>,
    repeats: u32,
    used: u64,
}

impl Memory {
    pub(super) fn new() -> Option<Self> {
        Some(Self {
            key: random_key()?,
            ties: random_key()?,
            start: Instant::now(),
            good: RwLock::default(),
            bad: RwLock::default(),
        })
    }

    pub(super) fn tag(&self, credentials: &Credentials) -> Tag {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(credentials.user.as_bytes());
        // A name holds no colon, so the two parts cannot be cut in another place.
        context.update(b":");
        context.update(credentials.password.as_bytes());
        let mut tag = Tag::default();
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }

    /// The keyed hash of a user's name and password hash.
    pub(super) fn tie(&self, user: &User) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.ties);
        context.update(user.name.as_bytes());
        context.update(b":");
        context.update(user.hash.as_bytes());
        let mut tie = [0; 32];
        tie.copy_from_slice(context.sign().as_ref());
        tie
    }

    /// The user whose credentials these are, where they were verified lately against the hash that still counts.
    pub(super) fn good(&self, tag: &Tag, users: &Users) -> Option<Arc<str>> {
        let now = self.seconds();
        let good = self.good.read().unwrap_or_else(PoisonError::into_inner);
        let entry = good.get(tag)?;
        let used = entry.used.load(Ordering::Relaxed);
        let current = users.find(&entry.user).is_some_and(|user| user.hash == entry.hash);
        if !current || now.saturating_sub(used) > GOOD_LIFE.as_secs() {
            return None;
        }
        if used < now {
            entry.used.store(now, Ordering::Relaxed);
        }
        Some(Arc::clone(&entry.user))
    }

    pub(super) fn remember_good(&self, tag: Tag, user: Arc<str>, hash: Arc<str>) {
        let now = self.seconds();
        let mut good = self.good.write().unwrap_or_else(PoisonError::into_inner);
        if good.len() >= MAX_GOOD {
            make_room(&mut good, GOOD_LIFE, now, |entry| entry.used.load(Ordering::Relaxed));
        }
        good.insert(tag, Good { user, hash, used: AtomicU64::new(now) });
    }

    /// How often these credentials were wrong before, this time included; `None` where they were not seen lately or
    /// the user's hash has changed.
    pub(super) fn bad_again(&self, tag: &Tag, hash: Option<&Arc<str>>) -> Option<u32> {
        let now = self.seconds();
        let mut bad = self.bad.write().unwrap_or_else(PoisonError::into_inner);
        let entry = bad.get_mut(tag)?;
        if entry.hash.as_ref() != hash || now.saturating_sub(entry.used) > BAD_LIFE.as_secs() {
            bad.remove(tag);
            return None;
        }
        entry.used = now;
        entry.repeats = entry.repeats.saturating_add(1);
        Some(entry.repeats)
    }

    pub(super) fn remember_bad(&self, tag: Tag, hash: Option<Arc<str>>) {
        let now = self.seconds();
        let mut bad = self.bad.write().unwrap_or_else(PoisonError::into_inner);
        if bad.len() >= MAX_BAD {
            make_room(&mut bad, BAD_LIFE, now, |entry| entry.used);
        }
        bad.insert(tag, Bad { hash, repeats: 1, used: now });
    }

    #[cfg(test)]
    pub(super) fn bad_count(&self) -> usize {
        self.bad.read().unwrap().len()
    }

    fn seconds(&self) -> u64 {
        self.start.elapsed().as_secs()
    }
}

fn random_key() -> Option<hmac::Key> {
    let mut key = [0_u8; 32];
    aws_lc_rs::rand::fill(&mut key).ok()?;
    Some(hmac::Key::new(hmac::HMAC_SHA256, &key))
}

/// Drops what has expired, else the half that was used longest ago (all, where all are as old).
fn make_room<T>(entries: &mut HashMap<Tag, T>, life: Duration, now: u64, used: impl Fn(&T) -> u64) {
    let before = entries.len();
    entries.retain(|_, entry| now.saturating_sub(used(entry)) <= life.as_secs());
    if entries.len() == before {
        let mut times: Vec<_> = entries.values().map(&used).collect();
        let (_, middle, _) = times.select_nth_unstable(before / 2);
        let middle = *middle;
        entries.retain(|_, entry| used(entry) > middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(user: &str, password: &str) -> Credentials {
        Credentials { user: user.into(), password: password.into() }
    }

    #[test]
    fn tags_differ_by_name_password_and_process() {
        let memory = Memory::new().unwrap();
        let tag = memory.tag(&credentials("ann", "x"));
        assert_eq!(tag, memory.tag(&credentials("ann", "x")));
        assert_ne!(tag, memory.tag(&credentials("ann", "y")));
        assert_ne!(tag, memory.tag(&credentials("bob", "x")));
        assert_ne!(memory.tag(&credentials("a", "b:c")), memory.tag(&credentials("a", "bc")));
        assert_ne!(tag, Memory::new().unwrap().tag(&credentials("ann", "x")));
    }

    #[test]
    fn both_tables_are_bounded() {
        let memory = Memory::new().unwrap();
        let tag = |n: usize| {
            let mut tag = Tag::default();
            tag[..8].copy_from_slice(&n.to_be_bytes());
            tag
        };
        for n in 0..MAX_GOOD * 2 {
            memory.remember_bad(tag(n), None);
            memory.remember_good(tag(n), "ann".into(), "hash".into());
        }
        assert!(memory.good.read().unwrap().len() <= MAX_GOOD);
        assert!(memory.bad.read().unwrap().len() <= MAX_BAD);
        assert_eq!(memory.bad_again(&tag(MAX_GOOD * 2 - 1), None), Some(2));
    }
}
