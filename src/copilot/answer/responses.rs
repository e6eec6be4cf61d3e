//! Responses: items by `output_index`, and a last event that says all of it again.

use std::collections::BTreeSet;

use super::blocks::{Blocks, Sort, State, What};
use super::choices::spoken;
use super::common::Common;
use super::wire::{Event, ItemNode, PieceNode, ResponseNode};
use super::{Choice, Failure, failure};
use crate::copilot::json::{List, Raw};

/// Most sequence numbers remembered beyond a gap.
const SEQUENCE: usize = 65_536;

/// A response so far.
#[derive(Debug, Default)]
pub(super) struct Responses {
    blocks: Blocks,
    sequence: Sequence,
    finish_reason: Option<String>,
    begun: bool,
    pub(super) ended: bool,
    /// It came as an object, not as events.
    pub(super) whole: bool,
}

impl Responses {
    /// Takes an event in; false when it is none of this format.
    pub(super) fn apply(&mut self, kind: &str, event: &Event<'_>, common: &mut Common) -> bool {
        if event.sequence_number.0.is_some_and(|number| !self.sequence.is_new(number, common)) {
            common.faults.repeated += 1;
            return true;
        }
        if kind.is_empty() && event.output.is_list() {
            self.response(event, common);
            return true;
        }
        if self.ended {
            common.faults.repeated += 1;
            return true;
        }
        let Some(name) = kind.strip_prefix("response.") else {
            // A type of another name is newer than this reader.
            return !kind.is_empty();
        };
        self.begun = true;
        self.event(name, event, common);
        true
    }

    fn event(&mut self, name: &str, event: &Event<'_>, common: &mut Common) {
        let index = event.output_index.0.unwrap_or(0);
        let content = event.content_index.0.unwrap_or(0);
        let summary = event.summary_index.0.unwrap_or(0);
        let (text, delta) = (event.text.or_empty(), event.delta.plain.or_empty());
        let blocks = &mut self.blocks;
        match name {
            "created" | "in_progress" | "queued" => named(event.response, common),
            "output_item.added" => begin(blocks, index, event.item, common),
            "output_item.done" => {
                if blocks.state(index) == Some(State::Closed) {
                    common.faults.repeated += 1;
                } else {
                    item(blocks, index, &event.item.read(), common);
                    blocks.close(index, common);
                }
            }
            "output_text.delta" | "refusal.delta" => blocks.append((index, Sort::Text, content), delta, common),
            "reasoning_summary_text.delta" => blocks.append((index, Sort::Summary, summary), delta, common),
            "reasoning_text.delta" => blocks.append((index, Sort::Reasoning, content), delta, common),
            "function_call_arguments.delta" | "custom_tool_call_input.delta" | "mcp_call_arguments.delta" => {
                blocks.argue(index, delta, common);
            }
            "output_text.done" => blocks.finalise((index, Sort::Text, content), text, common),
            "refusal.done" => blocks.finalise((index, Sort::Text, content), event.refusal.or_empty(), common),
            "reasoning_summary_text.done" => blocks.finalise((index, Sort::Summary, summary), text, common),
            "reasoning_text.done" => blocks.finalise((index, Sort::Reasoning, content), text, common),
            "function_call_arguments.done" | "mcp_call_arguments.done" => {
                blocks.finalise_arguments(index, &common.arguments(event.arguments), common);
            }
            "custom_tool_call_input.done" => {
                blocks.finalise_arguments(index, &common.arguments(event.input), common);
            }
            "completed" | "incomplete" | "failed" | "cancelled" => {
                let response: ResponseNode<'_> = event.response.read();
                self.end(name, &response, common);
            }
            // Progress of tools on the server, annotations, and what is newer than this reader.
            _ => {}
        }
    }

    fn end(&mut self, status: &str, response: &ResponseNode<'_>, common: &mut Common) {
        common.named(response.id.filled(), response.model.filled());
        // The id that clients go on from is that of the last event, should earlier ones have had another.
        if let Some(id) = response.id.filled() {
            common.id = Some(id.to_owned());
        }
        common.tokens.add(response.usage);
        let output: List<Raw<'_>> = response.output.read();
        common.faults.overflowed |= output.overflowed;
        self.last(&output.items, common);
        let error = failure::of(response.error);
        if status == "failed" {
            let untold = || Failure { code: Some("failed".into()), message: String::new() };
            common.failed(error.unwrap_or_else(untold), true);
        } else if let Some(error) = error {
            common.failed(error, false);
        }
        // A value that was cut may say of itself that it is complete: what is here of it is not.
        self.ended = common.mended.is_none();
        let reason = response.incomplete_details.reason.to_owned().filter(|_| status == "incomplete");
        self.finish_reason = reason.or_else(|| Some(status.to_owned()));
    }

    /// The items in their final form. Where some were left out of the list, or their events were lost, their places in
    /// it are not their `output_index`: then the list stands for itself.
    fn last(&mut self, items: &[Raw<'_>], common: &mut Common) {
        let list: Vec<_> = items.iter().map(|node| what(&node.read())).collect();
        let same = self.blocks.is_empty() || self.blocks.are(&list);
        let mut fresh = Blocks::default();
        if !same {
            self.blocks.release(common);
        }
        let blocks = if same { &mut self.blocks } else { &mut fresh };
        for (index, node) in (0..).zip(items) {
            item(blocks, index, &node.read(), common);
        }
        if !same {
            self.blocks.supersede(fresh, common);
        }
    }

    /// An answer that is no stream, or the start of one.
    fn response(&mut self, event: &Event<'_>, common: &mut Common) {
        if self.ended || self.whole {
            common.faults.repeated += 1;
            return;
        }
        self.begun = true;
        self.whole = true;
        let response = ResponseNode {
            id: event.id.clone(),
            model: event.model.clone(),
            output: event.output,
            usage: event.usage,
            error: event.error,
            incomplete_details: event.incomplete_details.clone(),
            ..ResponseNode::default()
        };
        let status = event.status.filled().unwrap_or("completed");
        self.end(status, &response, common);
        if matches!(status, "in_progress" | "queued") {
            self.ended = false;
            self.finish_reason = None;
        }
    }

    /// The choice, if anything besides an error came.
    pub(super) fn finish(self) -> Option<Choice> {
        self.begun.then(|| self.blocks.finish(self.finish_reason))
    }
}

fn what(node: &ItemNode<'_>) -> Option<What> {
    match node.kind.or_empty() {
        "message" => Some(What::Text),
        "reasoning" => Some(What::Reasoning),
        "function_call" | "custom_tool_call" | "mcp_call" => Some(What::Call),
        // Searches, images and the like are the server's own.
        _ => None,
    }
}

/// The events before the answer carry the whole request again: read only for what is not known yet.
fn named(response: Raw<'_>, common: &mut Common) {
    if common.id.is_none() || common.model.is_none() {
        let response: ResponseNode<'_> = response.read();
        common.named(response.id.filled(), response.model.filled());
    }
}

fn begin(blocks: &mut Blocks, index: u64, node: Raw<'_>, common: &mut Common) {
    if blocks.open(index, common) {
        open(blocks, index, &node.read(), common);
    }
}

/// What an item says of itself when it begins. Its texts come in pieces.
fn open(blocks: &mut Blocks, index: u64, node: &ItemNode<'_>, common: &mut Common) {
    if what(node) == Some(What::Call) {
        let id = node.call_id.filled().or_else(|| node.id.filled());
        blocks.name(index, id, node.name.filled(), common);
    }
}

/// An item in its final form.
fn item(blocks: &mut Blocks, index: u64, node: &ItemNode<'_>, common: &mut Common) {
    open(blocks, index, node, common);
    match node.kind.or_empty() {
        "message" => parts(blocks, index, Sort::Text, &node.content, common),
        "reasoning" => {
            parts(blocks, index, Sort::Summary, &node.summary, common);
            parts(blocks, index, Sort::Reasoning, &node.content, common);
        }
        "function_call" | "mcp_call" => {
            blocks.finalise_arguments(index, &common.arguments(node.arguments), common);
        }
        "custom_tool_call" => blocks.finalise_arguments(index, &common.arguments(node.input), common),
        _ => {}
    }
}

fn parts(blocks: &mut Blocks, index: u64, sort: Sort, list: &List<PieceNode<'_>>, common: &mut Common) {
    common.faults.overflowed |= list.overflowed;
    for (place, part) in (0..).zip(&list.items) {
        blocks.finalise((index, sort, place), spoken(part), common);
    }
}

/// The sequence numbers seen: all from `first` to before `next`, and a few beyond.
#[derive(Debug, Default)]
struct Sequence {
    first: Option<u64>,
    next: u64,
    beyond: BTreeSet<u64>,
}

impl Sequence {
    fn is_new(&mut self, number: u64, common: &mut Common) -> bool {
        let first = *self.first.get_or_insert_with(|| {
            self.next = number;
            number
        });
        if (first..self.next).contains(&number) || self.beyond.contains(&number) {
            return false;
        }
        if number < self.next || self.beyond.last().is_some_and(|&last| number < last) {
            common.faults.misplaced += 1;
        }
        if number != self.next {
            if self.beyond.len() < SEQUENCE {
                self.beyond.insert(number);
            } else {
                common.faults.overflowed = true;
            }
            return true;
        }
        self.next += 1;
        while self.beyond.remove(&self.next) {
            self.next += 1;
        }
        true
    }
}
