//! Completions and chat completions: both are `choices`, by index.

use super::common::{Common, name_call};
use super::wire::{CallNode, ChoiceNode, Event, FunctionNode, PieceNode, SayingNode};
use super::{Choice, Failure, Format, ToolCall};
use crate::copilot::json::Content;

/// The choices so far.
#[derive(Debug, Default)]
pub(super) struct Choices {
    open: Vec<Open>,
    /// What the first choice that tells has: `text`, or `delta` and `message`.
    format: Option<Format>,
    /// What the envelope lets guess.
    guess: Option<Format>,
    /// A choice with neither came.
    bare: bool,
    /// An answer that is no stream came to its end.
    whole: bool,
    /// A piece of a stream came.
    pub(super) pieces: bool,
    /// `[DONE]` came.
    pub(super) done: bool,
}

/// One choice.
#[derive(Debug, Default)]
struct Open {
    choice: Choice,
    /// Which of the choice's calls pieces belong to.
    slots: Vec<Slot>,
}

/// How later pieces of a call name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    Index(u64),
    /// `function_call`, of which there is one.
    Function,
    Unnamed,
}

/// A call, or a piece of one.
struct Piece<'e, 'a> {
    slot: Slot,
    id: Option<&'e str>,
    function: &'e FunctionNode<'a>,
}

impl Choices {
    /// Takes an event in; false when there is nothing in it that an event of these formats has.
    pub(super) fn apply(&mut self, event: &Event<'_>, common: &mut Common) -> bool {
        self.guess = self.guess.or_else(|| guess(event));
        common.named(event.id.filled(), event.model.filled());
        common.tokens.add(event.usage);
        common.faults.overflowed |= event.choices.overflowed;
        for (place, node) in event.choices.items.iter().enumerate() {
            // Servers that send one choice leave the index out, and some that send a list of whole ones too.
            let index = node.index.0.unwrap_or(place as u64);
            match self.at(index, common) {
                Some(at) => self.say(at, node, common),
                None => common.faults.overflowed = true,
            }
        }
        event.is_object
    }

    fn at(&mut self, index: u64, common: &Common) -> Option<usize> {
        let found = self.open.iter().position(|open| open.choice.index == index);
        if found.is_some() || self.open.len() >= common.ceilings.choices {
            return found;
        }
        self.open.push(Open { choice: Choice { index, ..Choice::default() }, slots: Vec::new() });
        Some(self.open.len() - 1)
    }

    fn say(&mut self, at: usize, node: &ChoiceNode<'_>, common: &mut Common) {
        let Some(open) = self.open.get_mut(at) else { return };
        let chat = node.delta.is_object || node.message.is_object;
        if chat {
            self.format.get_or_insert(Format::Chat);
        } else if node.text.get().is_some() {
            self.format.get_or_insert(Format::Completions);
        }
        self.bare |= !chat;
        self.pieces |= node.delta.is_object;
        self.whole |= node.message.is_object && common.mended.is_none();
        let before = open.size();
        common.append(&mut open.choice.text, node.text.or_empty());
        open.hear(&node.delta, false, common);
        open.hear(&node.message, true, common);
        if open.choice.finish_reason.is_some() && open.size() > before {
            common.faults.misplaced += 1;
        }
        if let Some(reason) = node.finish_reason.to_owned() {
            open.choice.finish_reason = Some(reason);
        }
    }

    /// Which of the two it is: as the choices say, else as the envelope lets guess.
    pub(super) fn format(&self) -> Format {
        let bare = if self.bare { Format::Completions } else { Format::Chat };
        self.format.or(self.guess).unwrap_or(bare)
    }

    /// `single`: all that came is one object, and it is whole. Of a completion that is an answer without stream.
    pub(super) fn ended(&self, single: bool) -> bool {
        let finished = |open: &Open| open.choice.finish_reason.is_some();
        let all = !self.open.is_empty() && self.open.iter().all(finished);
        self.done || self.whole || all || (single && !self.pieces)
    }

    /// It came as an object, not as events.
    pub(super) fn whole(&self) -> bool {
        self.whole
    }

    /// The choices by their index. A finish reason `error` is an error even if nothing else tells of one.
    pub(super) fn finish(self, common: &mut Common) -> Vec<Choice> {
        let mut choices: Vec<_> = self.open.into_iter().map(|open| open.choice).collect();
        choices.sort_by_key(|choice| choice.index);
        let failed = |choice: &Choice| choice.finish_reason.as_deref() == Some("error");
        if !choices.is_empty() && choices.iter().all(failed) {
            common.failed(Failure { code: Some("error".into()), message: String::new() }, true);
        }
        choices
    }
}

impl Open {
    /// Grows with everything that is appended or opened.
    fn size(&self) -> usize {
        let calls: usize = self.choice.tool_calls.last().map_or(0, |call| call.arguments.len());
        self.choice.text.len() + self.choice.reasoning.len() + self.choice.tool_calls.len() + calls
    }

    /// A `delta`, or a `message` (`whole`).
    fn hear(&mut self, node: &SayingNode<'_>, whole: bool, common: &mut Common) {
        for reasoning in [&node.reasoning_text, &node.reasoning_content, &node.cot_summary] {
            if let Some(text) = reasoning.filled() {
                common.append(&mut self.choice.reasoning, text);
                // The same under several names.
                break;
            }
        }
        match &node.content {
            Content::None => {}
            Content::Text(text) => common.append(&mut self.choice.text, text.or_empty()),
            Content::Parts(parts) => {
                for part in &parts.items {
                    common.append(&mut self.choice.text, spoken(part));
                }
            }
        }
        common.append(&mut self.choice.text, node.refusal.or_empty());
        for call in &node.tool_calls.items {
            self.call(&Piece::of(call), whole, common);
        }
        common.faults.overflowed |= node.tool_calls.overflowed;
        if node.function_call.is_object {
            let piece = Piece { slot: Slot::Function, id: None, function: &node.function_call };
            self.call(&piece, whole, common);
        }
    }

    fn call(&mut self, piece: &Piece<'_, '_>, whole: bool, common: &mut Common) {
        let name = piece.function.name.filled();
        let found = if whole { None } else { self.find(piece) };
        let at = match found {
            Some(at) => at,
            None if common.may_call() => {
                // A piece of a call whose beginning was lost.
                if !whole && piece.id.is_none() && name.is_none() {
                    common.faults.misplaced += 1;
                }
                self.choice.tool_calls.push(ToolCall::default());
                self.slots.push(piece.slot);
                self.slots.len() - 1
            }
            None => return,
        };
        let Some(call) = self.choice.tool_calls.get_mut(at) else { return };
        name_call(call, piece.id, name);
        let arguments = common.arguments(piece.function.arguments);
        common.append(&mut call.arguments, &arguments);
    }

    /// The call that a piece goes on with: the one of its id; without id that of its index; without either the last.
    /// A new id begins a new call, also where its index was another's.
    fn find(&self, piece: &Piece<'_, '_>) -> Option<usize> {
        let by_slot = || self.slots.iter().rposition(|slot| *slot == piece.slot);
        let Some(id) = piece.id else {
            return match piece.slot {
                Slot::Unnamed if piece.function.name.filled().is_some() => None,
                Slot::Unnamed => self.slots.len().checked_sub(1),
                Slot::Index(_) | Slot::Function => by_slot(),
            };
        };
        let by_id = self.choice.tool_calls.iter().rposition(|call| call.id == id);
        // The id may come later than the call's first piece.
        let nameless = |&at: &usize| self.choice.tool_calls.get(at).is_some_and(|call| call.id.is_empty());
        by_id.or_else(|| by_slot().filter(nameless))
    }
}

impl<'e, 'a> Piece<'e, 'a> {
    fn of(node: &'e CallNode<'a>) -> Self {
        let slot = node.index.0.map_or(Slot::Unnamed, Slot::Index);
        Self { slot, id: node.id.filled(), function: &node.function }
    }
}

/// What a part of a content says to people.
pub(super) fn spoken<'e>(part: &'e PieceNode<'_>) -> &'e str {
    part.text.get().or_else(|| part.refusal.get()).unwrap_or_else(|| part.plain.or_empty())
}

fn guess(event: &Event<'_>) -> Option<Format> {
    let (object, id) = (event.object.or_empty(), event.id.or_empty());
    if object == "text_completion" || id.starts_with("cmpl-") {
        return Some(Format::Completions);
    }
    let chat = object.starts_with("chat.completion") || id.starts_with("chatcmpl-");
    (chat || event.prompt_filter_results.is_some()).then_some(Format::Chat)
}
