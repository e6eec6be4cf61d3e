//! The dynamic table (RFC 7541 sections 2.3.2 and 4).

use std::collections::VecDeque;

use super::decoder::Error;
use super::static_table::STATIC_TABLE;

/// The fields that were sent before and can be referred to, newest first.
#[derive(Debug)]
pub(super) struct Table {
    /// Name and value of each entry, oldest first; what lies before the oldest has been evicted.
    bytes: Vec<u8>,
    /// Newest last.
    entries: VecDeque<Entry>,
    /// As the RFC counts it, with 32 for each entry.
    size: usize,
    max: usize,
}

/// Where an entry's name begins in `bytes`, and both lengths.
#[derive(Clone, Copy, Debug)]
struct Entry {
    start: usize,
    name: usize,
    value: usize,
}

impl Entry {
    /// RFC 7541 section 4.1.
    const OVERHEAD: usize = 32;

    fn size(self) -> usize {
        self.name + self.value + Self::OVERHEAD
    }
}

impl Table {
    pub(super) fn new(max: usize) -> Self {
        Self { bytes: Vec::new(), entries: VecDeque::new(), size: 0, max }
    }

    /// Sets the size above which the oldest entries go.
    pub(super) fn resize(&mut self, max: usize) {
        self.max = max;
        self.evict(max);
    }

    /// Adds an entry; one that is larger than the table empties it (section 4.4).
    pub(super) fn insert(&mut self, name: &[u8], value: &[u8]) {
        let entry = Entry { start: 0, name: name.len(), value: value.len() };
        if self.make_room(entry) {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(name);
            self.push(Entry { start, ..entry }, value);
        }
    }

    /// Adds an entry that has its name from the one at `index` (1 is the first static one).
    pub(super) fn insert_named(&mut self, index: usize, value: &[u8]) -> Result<(), Error> {
        if let Some(&(name, _)) = index.checked_sub(1).and_then(|at| STATIC_TABLE.get(at)) {
            self.insert(name, value);
            return Ok(());
        }
        let named = *self.dynamic(index.checked_sub(STATIC_TABLE.len() + 1).ok_or(Error::Index)?)?;
        let entry = Entry { start: 0, name: named.name, value: value.len() };
        // The entry that gives the name may be evicted for the new one: its text stays until `compact`.
        if self.make_room(entry) {
            let start = self.bytes.len();
            self.bytes.extend_from_within(named.start..named.start + named.name);
            self.push(Entry { start, ..entry }, value);
        }
        Ok(())
    }

    /// Name and value of the entry at `index` (1 is the first static one).
    pub(super) fn get(&self, index: usize) -> Result<(&[u8], &[u8]), Error> {
        let index = index.checked_sub(1).ok_or(Error::Index)?;
        if let Some(&field) = STATIC_TABLE.get(index) {
            return Ok(field);
        }
        let &Entry { start, name, value } = self.dynamic(index - STATIC_TABLE.len())?;
        let (name, value) = self.bytes[start..start + name + value].split_at(name);
        Ok((name, value))
    }

    /// The size as the RFC counts it; never more than the maximum.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// The entry that `age` others came after.
    fn dynamic(&self, age: usize) -> Result<&Entry, Error> {
        self.entries.len().checked_sub(age + 1).and_then(|at| self.entries.get(at)).ok_or(Error::Index)
    }

    /// Evicts what stands in the way of `entry`; `false` when even an empty table has no room for it.
    fn make_room(&mut self, entry: Entry) -> bool {
        let left = self.max.checked_sub(entry.size());
        self.evict(left.unwrap_or(0));
        left.is_some()
    }

    fn push(&mut self, entry: Entry, value: &[u8]) {
        self.bytes.extend_from_slice(value);
        self.size += entry.size();
        self.entries.push_back(entry);
        self.compact();
    }

    fn evict(&mut self, max: usize) {
        while self.size > max
            && let Some(oldest) = self.entries.pop_front()
        {
            self.size -= oldest.size();
        }
    }

    /// Gives back the room of evicted entries once it is more than that of live ones, so that each byte moves at
    /// most once for each byte that came.
    fn compact(&mut self) {
        let dead = self.entries.front().map_or(self.bytes.len(), |oldest| oldest.start);
        if dead > self.bytes.len() / 2 {
            self.bytes.drain(..dead);
            for entry in &mut self.entries {
                entry.start -= dead;
            }
        }
    }
}
