//! Fields kept under a ceiling.

use super::event::Fields;

/// Takes fields as they are parsed and keeps those that fit, whole.
#[derive(Debug)]
pub(super) struct Keeper {
    /// What was kept.
    pub(super) fields: Fields,
    /// Something was left out.
    pub(super) truncated: bool,
    room: usize,
    /// Whether the field that a continuation line belongs to was kept.
    last_kept: bool,
}

impl Keeper {
    /// One that keeps up to `room` bytes, the bookkeeping of [`Fields`] included: 10 MB of empty fields are not free.
    pub(super) fn new(room: usize) -> Self {
        Self { fields: Fields::default(), truncated: false, room, last_kept: false }
    }

    /// Offers a field; `false`: there was no room.
    pub(super) fn push(&mut self, name: &[u8], value: &[u8]) -> bool {
        self.last_kept = self.take(name.len() + value.len() + Fields::OVERHEAD);
        if self.last_kept {
            self.fields.push(name, value);
        }
        self.last_kept
    }

    /// Offers a continuation of the last field's value; without room for it the whole field goes.
    pub(super) fn fold(&mut self, more: &[u8]) {
        if !self.last_kept {
            return;
        }
        self.last_kept = self.take(1 + more.len());
        if self.last_kept {
            self.fields.fold(more);
        } else {
            self.fields.pop();
        }
    }

    /// Notes a field that was too large to be offered.
    pub(super) fn skip(&mut self) {
        self.truncated = true;
        self.last_kept = false;
    }

    /// Sets room aside for something that is kept elsewhere; `false`: there is none.
    pub(super) fn take(&mut self, size: usize) -> bool {
        let left = self.room.checked_sub(size);
        self.truncated |= left.is_none();
        self.room = left.unwrap_or(self.room);
        left.is_some()
    }
}
