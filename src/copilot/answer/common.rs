//! What the formats have in common while an answer is put together.

use std::borrow::Cow;

use super::usage::Tokens;
use super::{Failure, Faults, ToolCall};
use crate::copilot::json::Raw;
use crate::copilot::json::mend::Origin;

/// The most that is kept of one answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ceilings {
    /// Bytes of text, reasoning and arguments together: the ceiling of a decoded body, of which they are a part.
    pub(super) text: usize,
    /// Choices: clients ask for ten at most.
    pub(super) choices: usize,
    /// Tool calls of all choices: models call a few dozen at once.
    pub(super) calls: usize,
    /// Items, blocks, and parts of them.
    pub(super) parts: usize,
}

impl Default for Ceilings {
    fn default() -> Self {
        Self { text: 64 << 20, choices: 128, calls: 1024, parts: 4096 }
    }
}

/// What does not belong to one choice, and the budget.
#[derive(Debug, Default)]
pub(super) struct Common {
    pub(super) id: Option<String>,
    pub(super) model: Option<String>,
    pub(super) tokens: Tokens,
    pub(super) error: Option<Failure>,
    /// The error ended the answer.
    pub(super) fatal: bool,
    pub(super) faults: Faults,
    pub(super) ceilings: Ceilings,
    /// Text, reasoning or a tool call came.
    pub(super) heard: bool,
    /// The event at hand is the start of a value that was cut: its end was not seen.
    pub(super) mended: Option<Origin>,
    /// Bytes of text kept.
    text: usize,
    calls: usize,
}

impl Common {
    pub(super) fn new(ceilings: Ceilings) -> Self {
        Self { ceilings, ..Self::default() }
    }

    /// The first id and model that are told stand; the first events of a chat may have empty ones.
    pub(super) fn named(&mut self, id: Option<&str>, model: Option<&str>) {
        let set = |to: &mut Option<String>, text: Option<&str>| {
            if to.is_none() {
                *to = text.map(str::to_owned);
            }
        };
        set(&mut self.id, id);
        set(&mut self.model, model);
    }

    /// The first error that has something to say stands.
    pub(super) fn failed(&mut self, failure: Failure, fatal: bool) {
        self.fatal |= fatal;
        if self.error.as_ref().is_none_or(|error| error.message.is_empty()) {
            self.error = Some(failure);
        }
    }

    /// Appends as much as fits.
    pub(super) fn append(&mut self, to: &mut String, piece: &str) {
        if piece.is_empty() {
            return;
        }
        self.heard = true;
        let room = self.ceilings.text.saturating_sub(self.text);
        if piece.len() <= room {
            to.push_str(piece);
            self.text += piece.len();
            return;
        }
        let fits = (0..=room).rev().find_map(|end| piece.get(..end)).unwrap_or_default();
        to.push_str(fits);
        self.faults.overflowed = true;
        // What came behind the missing piece would not belong there.
        self.text = self.ceilings.text;
    }

    /// Makes a text what its final form says. Pieces that it goes on from are kept; others are replaced.
    pub(super) fn finalise(&mut self, text: &mut String, last: &str) {
        if let Some(rest) = last.strip_prefix(text.as_str()) {
            self.append(text, rest);
        } else if !last.is_empty() && !self.faults.overflowed {
            self.faults.misplaced += 1;
            self.release(text.len(), 0);
            text.clear();
            self.append(text, last);
        }
    }

    /// A value of the event at hand as it was sent, without the brackets that mending added.
    pub(super) fn as_sent<'r>(&self, raw: &'r str) -> &'r str {
        self.mended.map_or(raw, |origin| origin.as_sent(raw))
    }

    /// Arguments: a string's text, or an object as it was sent.
    pub(super) fn arguments<'r>(&self, raw: Raw<'r>) -> Cow<'r, str> {
        if raw.is_object() || raw.is_list() {
            return Cow::Borrowed(self.as_sent(raw.get().unwrap_or_default()));
        }
        raw.scalar().unwrap_or_default()
    }

    /// Gives back room for bytes and calls that are about to be replaced.
    pub(super) fn release(&mut self, bytes: usize, calls: usize) {
        self.text = self.text.saturating_sub(bytes);
        self.calls = self.calls.saturating_sub(calls);
    }

    /// Whether there is room for another tool call.
    pub(super) fn may_call(&mut self) -> bool {
        let room = self.calls < self.ceilings.calls;
        if room {
            self.calls += 1;
            self.heard = true;
        } else {
            self.faults.overflowed = true;
        }
        room
    }
}

/// Sets what is told of a call; an id or a name that was told stays until another comes.
pub(super) fn name_call(call: &mut ToolCall, id: Option<&str>, name: Option<&str>) {
    if let Some(id) = id {
        id.clone_into(&mut call.id);
    }
    if let Some(name) = name {
        name.clone_into(&mut call.name);
    }
}
