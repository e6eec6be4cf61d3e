//! The book in memory: a bounded table of pairs, each a bounded list of entries.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

use super::{Contents, Entry, Event, Pair, UpstreamError, What};

/// A user, if known, at an address.
type Key = (Option<Box<str>>, IpAddr);

/// As [`Contents`], to be looked up and changed.
#[derive(Debug)]
pub(super) struct Ledger {
    begun: i64,
    as_of: i64,
    /// A pair is copied before it changes while somebody reads it.
    pairs: HashMap<Key, Arc<Pair>>,
    /// Entries of all pairs.
    entries: usize,
    dropped: u64,
    errors: VecDeque<UpstreamError>,
    changed: bool,
}

/// More people than any company has behind one proxy.
pub(super) const PAIRS_MAX: usize = 10_000;
/// Of one pair and one [`What`]. An editor asks for some twenty hosts.
pub(super) const HOSTS_MAX: usize = 64;
/// Of all pairs: some 30 MB here and in the file, which strangers could fill.
pub(super) const ENTRIES_MAX: usize = 100_000;
/// What a page shows.
pub(super) const ERRORS_MAX: usize = 200;
/// A host name has 253 bytes.
pub(super) const HOST_MAX: usize = 256;
/// Our sentences are shorter, but names of hosts stand in them.
pub(super) const DETAIL_MAX: usize = 400;

impl Ledger {
    pub(super) fn new(now: i64) -> Self {
        Self {
            begun: now,
            as_of: now,
            pairs: HashMap::new(),
            entries: 0,
            dropped: 0,
            errors: VecDeque::new(),
            // Also that nothing has happened is worth knowing.
            changed: true,
        }
    }

    /// From a file: neither its bounds nor its texts are relied on.
    pub(super) fn of(contents: Contents) -> Self {
        let Contents { begun, as_of, pairs, dropped, errors } = contents;
        let excess = errors.len().saturating_sub(ERRORS_MAX);
        let errors = errors.into_iter().skip(excess).map(|UpstreamError { at, host, why }| UpstreamError {
            at,
            host: clean(&host, HOST_MAX).into(),
            why: clean(&why, DETAIL_MAX).into(),
        });
        let mut ledger = Self { errors: errors.collect(), dropped, as_of, changed: false, ..Self::new(begun) };
        for pair in pairs {
            let user = pair.user.as_deref().map(|user| clean(user, HOST_MAX));
            for entry in &pair.entries {
                let (host, detail) = (clean(&entry.host, HOST_MAX), clean(&entry.detail, DETAIL_MAX));
                ledger.add(user.as_deref(), pair.client, entry.what, &host, &detail, entry);
            }
            let key = (user.map(Into::into), pair.client);
            if let Some(kept) = ledger.pairs.get_mut(&key) {
                Arc::make_mut(kept).dropped = kept.dropped.saturating_add(pair.dropped);
            }
        }
        ledger
    }

    pub(super) fn note(&mut self, user: Option<&str>, client: IpAddr, event: &Event<'_>, now: i64) {
        let (what, host, detail) = event.parts();
        let (host, detail) = (clean(host, HOST_MAX), clean(detail, DETAIL_MAX));
        if what == What::Unreachable {
            if self.errors.len() >= ERRORS_MAX {
                self.errors.pop_front();
            }
            self.errors.push_back(UpstreamError { at: now, host: (&*host).into(), why: (&*detail).into() });
        }
        let once = Entry { what, host: "".into(), detail: "".into(), count: 1, first: now, last: now };
        self.add(user, client, what, &host, &detail, &once);
        self.as_of = now;
        self.changed = true;
    }

    /// Adds what `times` says to the entry of that kind, host and detail.
    fn add(&mut self, user: Option<&str>, client: IpAddr, what: What, host: &str, detail: &str, times: &Entry) {
        let key = (user.map(Into::into), client);
        if !self.pairs.contains_key(&key) && self.pairs.len() >= PAIRS_MAX || self.entries >= ENTRIES_MAX {
            self.make_room();
        }
        let pair = self.pairs.entry(key).or_insert_with_key(|(user, client)| {
            Arc::new(Pair { user: user.clone(), client: *client, entries: Vec::new(), dropped: 0 })
        });
        let pair = Arc::make_mut(pair);
        let known = |entry: &&mut Entry| entry.what == what && *entry.host == *host && *entry.detail == *detail;
        if let Some(entry) = pair.entries.iter_mut().find(known) {
            entry.count = entry.count.saturating_add(times.count);
            entry.first = entry.first.min(times.first);
            entry.last = entry.last.max(times.last);
            return;
        }
        if pair.of(what).count() >= HOSTS_MAX {
            let places = pair.entries.iter().enumerate().filter(|(_, entry)| entry.what == what);
            if let Some((oldest, _)) = places.min_by_key(|(_, entry)| entry.last) {
                pair.entries.swap_remove(oldest);
                pair.dropped = pair.dropped.saturating_add(1);
                self.entries -= 1;
            }
        }
        pair.entries.push(Entry { what, host: host.into(), detail: detail.into(), ..times.clone() });
        self.entries += 1;
    }

    /// Drops a sixteenth of the pairs: first those who never got in, whom anybody can make up, then the oldest.
    fn make_room(&mut self) {
        let is_stranger = |pair: &Pair| pair.entries.iter().all(|e| matches!(e.what, What::Asked | What::LoginFailed));
        let mut order: Vec<_> =
            self.pairs.iter().map(|(key, pair)| ((!is_stranger(pair), pair.last()), key.clone())).collect();
        order.sort_unstable_by_key(|(rank, _)| *rank);
        let out = (order.len() / 16).max(1);
        for (_, key) in order.into_iter().take(out) {
            if let Some(pair) = self.pairs.remove(&key) {
                self.entries -= pair.entries.len();
                self.dropped = self.dropped.saturating_add(1);
            }
        }
    }

    pub(super) fn contents(&self) -> Contents {
        Contents {
            begun: self.begun,
            as_of: self.as_of,
            pairs: self.pairs.values().cloned().collect(),
            dropped: self.dropped,
            errors: self.errors.clone(),
        }
    }

    /// What is to be written; none where it was written already.
    pub(super) fn take_changes(&mut self) -> Option<Contents> {
        std::mem::take(&mut self.changed).then(|| self.contents())
    }

    pub(super) fn not_saved(&mut self) {
        self.changed = true;
    }
}

/// Cut, and without what a terminal or a page could take for a command: hosts come from clients.
fn clean(text: &str, most: usize) -> String {
    let plain = |letter: char| if letter.is_control() { '\u{fffd}' } else { letter };
    let mut clean = String::new();
    for letter in text.chars().map(plain) {
        if clean.len() + letter.len_utf8() > most {
            break;
        }
        clean.push(letter);
    }
    clean
}
