//! Parts that are opened, go on, and are closed: items of Responses, blocks of Messages.

use std::collections::BTreeMap;

use super::common::{Common, name_call};
use super::{Choice, ToolCall};

/// What a part of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sort {
    /// Text for people.
    Text,
    /// Part of a summary of reasoning.
    Summary,
    /// Reasoning itself.
    Reasoning,
}

/// Place of a part of text: item or block, sort, place within it. They are joined in this order.
pub(super) type Place = (u64, Sort, u64);

/// What an item or block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Text,
    Reasoning,
    Call,
}

/// How far an item or block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Pieces came, its beginning did not.
    Implied,
    Opened,
    Closed,
}

/// All parts so far.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    states: BTreeMap<u64, State>,
    texts: BTreeMap<Place, String>,
    /// Each with its item or block, in the order in which they were opened.
    calls: Vec<(u64, ToolCall)>,
    /// The last place that text, and that reasoning was appended to.
    last: [Option<Place>; 2],
}

impl Blocks {
    pub(super) fn is_empty(&self) -> bool {
        self.states.is_empty() && self.texts.is_empty()
    }

    pub(super) fn state(&self, block: u64) -> Option<State> {
        self.states.get(&block).copied()
    }

    /// Opens a block; false if that was done before, or there is no room.
    pub(super) fn open(&mut self, block: u64, common: &mut Common) -> bool {
        if matches!(self.state(block), Some(State::Opened | State::Closed)) {
            common.faults.repeated += 1;
            return false;
        }
        self.set(block, State::Opened, common)
    }

    pub(super) fn close(&mut self, block: u64, common: &mut Common) {
        self.set(block, State::Closed, common);
    }

    fn set(&mut self, block: u64, state: State, common: &mut Common) -> bool {
        let room = self.states.len() < common.ceilings.parts || self.states.contains_key(&block);
        if room {
            self.states.insert(block, state);
        } else {
            common.faults.overflowed = true;
        }
        room
    }

    /// Whether a block takes pieces: not when it was closed. One that was never opened is implied.
    fn takes(&mut self, block: u64, common: &mut Common) -> bool {
        match self.state(block) {
            Some(State::Closed) => {
                common.faults.repeated += 1;
                false
            }
            Some(State::Opened | State::Implied) => true,
            None => {
                common.faults.misplaced += 1;
                self.set(block, State::Implied, common)
            }
        }
    }

    /// Appends a piece of text.
    pub(super) fn append(&mut self, place: Place, piece: &str, common: &mut Common) {
        if self.takes(place.0, common) {
            self.write(place, common, |text, common| common.append(text, piece));
        }
    }

    /// A part's text in its final form, which says again what its pieces said.
    pub(super) fn finalise(&mut self, place: Place, text: &str, common: &mut Common) {
        self.write(place, common, |part, common| common.finalise(part, text));
    }

    fn write(&mut self, place: Place, common: &mut Common, write: impl FnOnce(&mut String, &mut Common)) {
        if self.texts.len() >= common.ceilings.parts && !self.texts.contains_key(&place) {
            common.faults.overflowed = true;
            return;
        }
        let text = self.texts.entry(place).or_default();
        let before = text.len();
        write(text, common);
        let [spoken, thought] = &mut self.last;
        let last = if place.1 == Sort::Text { spoken } else { thought };
        if text.len() <= before || *last == Some(place) {
            return;
        }
        // It is joined in front of what came earlier.
        if last.is_some_and(|last| last > place) {
            common.faults.misplaced += 1;
        } else {
            *last = Some(place);
        }
    }

    /// The call of a block, which is opened if there is none.
    fn call(&mut self, block: u64, common: &mut Common) -> Option<&mut ToolCall> {
        let at = self.calls.iter().rposition(|(of, _)| *of == block);
        let at = match at {
            Some(at) => at,
            None if common.may_call() => {
                self.calls.push((block, ToolCall::default()));
                self.calls.len() - 1
            }
            None => return None,
        };
        self.calls.get_mut(at).map(|(_, call)| call)
    }

    /// Opens a block's call, or tells more of it.
    pub(super) fn name(&mut self, block: u64, id: Option<&str>, name: Option<&str>, common: &mut Common) {
        if let Some(call) = self.call(block, common) {
            name_call(call, id, name);
        }
    }

    /// Appends to the arguments of a block's call.
    pub(super) fn argue(&mut self, block: u64, piece: &str, common: &mut Common) {
        if self.takes(block, common) {
            let Some(call) = self.call(block, common) else { return };
            common.append(&mut call.arguments, piece);
        }
    }

    /// A call's arguments in their final form.
    pub(super) fn finalise_arguments(&mut self, block: u64, arguments: &str, common: &mut Common) {
        let Some(call) = self.call(block, common) else { return };
        common.finalise(&mut call.arguments, arguments);
    }

    /// The arguments of a block's call, if it has one and they are still empty, are these.
    pub(super) fn argue_if_silent(&mut self, block: u64, arguments: &str, common: &mut Common) {
        if let Some((_, call)) = self.calls.iter_mut().rfind(|(of, call)| *of == block && call.arguments.is_empty()) {
            common.append(&mut call.arguments, arguments);
        }
    }

    /// Whether the blocks that are known are exactly those of a list of these, as far as they tell what they are.
    pub(super) fn are(&self, list: &[Option<What>]) -> bool {
        let numbered = self.states.keys().copied().eq(0..list.len() as u64);
        numbered && (0..).zip(list).all(|(block, what)| self.what(block).is_none_or(|mine| Some(mine) == *what))
    }

    fn what(&self, block: u64) -> Option<What> {
        if self.calls.iter().any(|(of, _)| *of == block) {
            return Some(What::Call);
        }
        let texts = self.texts.range((block, Sort::Text, 0)..=(block, Sort::Reasoning, u64::MAX));
        let ((_, sort, _), _) = texts.into_iter().find(|(_, text)| !text.is_empty())?;
        Some(if *sort == Sort::Text { What::Text } else { What::Reasoning })
    }

    /// Gives back what the blocks take of the budget, before their replacement is read.
    pub(super) fn release(&self, common: &mut Common) {
        let texts: usize = self.texts.values().map(String::len).sum();
        let arguments: usize = self.calls.iter().map(|(_, call)| call.arguments.len()).sum();
        common.release(texts + arguments, self.calls.len());
    }

    /// Replaced by blocks that were numbered otherwise: text, reasoning and calls, each where there is any.
    pub(super) fn supersede(&mut self, last: Self, common: &mut Common) {
        for sorts in [&[Sort::Text][..], &[Sort::Summary, Sort::Reasoning]] {
            let (before, after) = (self.joined(sorts), last.joined(sorts));
            if !after.is_empty() {
                common.faults.misplaced += u64::from(!after.starts_with(&before));
                self.texts.retain(|place, _| !sorts.contains(&place.1));
                let texts = last.texts.iter().filter(|(place, _)| sorts.contains(&place.1));
                self.texts.extend(texts.map(|(place, text)| (*place, text.clone())));
            }
        }
        if !last.calls.is_empty() {
            let goes_on = |(at, (_, call)): (usize, &(u64, ToolCall))| {
                last.calls.get(at).is_some_and(|(_, other)| other.arguments.starts_with(&call.arguments))
            };
            common.faults.misplaced += u64::from(!self.calls.iter().enumerate().all(goes_on));
            self.calls = last.calls;
        }
    }

    /// Parts of these sorts: text as it is, as the vendors' own libraries join it; parts of reasoning are paragraphs of
    /// their own.
    fn joined(&self, sorts: &[Sort]) -> String {
        let mut joined = String::new();
        for ((_, sort, _), text) in self.texts.iter().filter(|(place, _)| sorts.contains(&place.1)) {
            if *sort != Sort::Text && !joined.is_empty() && !text.is_empty() {
                joined.push_str("\n\n");
            }
            joined.push_str(text);
        }
        joined
    }

    /// The one choice of these formats.
    pub(super) fn finish(self, finish_reason: Option<String>) -> Choice {
        Choice {
            index: 0,
            text: self.joined(&[Sort::Text]),
            reasoning: self.joined(&[Sort::Summary, Sort::Reasoning]),
            tool_calls: self.calls.into_iter().map(|(_, call)| call).collect(),
            finish_reason,
        }
    }
}
