//! Messages: blocks by index, between `message_start` and `message_stop`.

use std::collections::BTreeMap;

use super::Choice;
use super::blocks::{Blocks, Sort};
use super::common::Common;
use super::wire::{BlockNode, Event, MessageNode};
use crate::copilot::json::{List, Raw};

/// A message so far.
#[derive(Debug, Default)]
pub(super) struct Messages {
    blocks: Blocks,
    /// Inputs that a call's first event has: of a call without pieces, the arguments.
    inputs: BTreeMap<u64, String>,
    stop_reason: Option<String>,
    started: bool,
    pub(super) ended: bool,
    /// It came as an object, not as events.
    pub(super) whole: bool,
}

impl Messages {
    /// Takes an event in; false when it is none of this format.
    pub(super) fn apply(&mut self, kind: &str, event: &Event<'_>, common: &mut Common) -> bool {
        if self.ended && kind != "ping" {
            common.faults.repeated += 1;
            return true;
        }
        let index = event.index.0.unwrap_or(0);
        match kind {
            "message_start" => self.start(event, common),
            "content_block_start" => self.begin(index, event.content_block, common),
            "content_block_delta" => self.delta(index, event, common),
            "content_block_stop" => self.stop(index, common),
            "message_delta" => {
                self.stop_reason = event.delta.stop_reason.to_owned().or_else(|| self.stop_reason.take());
                common.tokens.add(event.usage);
            }
            "message_stop" => self.ended = true,
            "message" => self.message(event, common),
            // Newer than this reader.
            "" => return false,
            _ => {}
        }
        true
    }

    fn start(&mut self, event: &Event<'_>, common: &mut Common) {
        if self.started {
            common.faults.repeated += 1;
            return;
        }
        self.started = true;
        let message: MessageNode<'_> = event.message.read();
        common.named(message.id.filled(), message.model.filled());
        common.tokens.add(message.usage);
        common.tokens.forget_output();
    }

    fn begin(&mut self, index: u64, block: Raw<'_>, common: &mut Common) {
        if self.blocks.open(index, common) {
            self.open(index, &block.read(), common);
        }
    }

    fn open(&mut self, index: u64, block: &BlockNode<'_>, common: &mut Common) {
        match block.kind.or_empty() {
            "tool_use" | "server_tool_use" | "mcp_tool_use" => {
                self.blocks.name(index, block.id.filled(), block.name.filled(), common);
                if block.input.is_object() {
                    let input = common.as_sent(block.input.get().unwrap_or_default());
                    self.inputs.insert(index, input.to_owned());
                }
            }
            "text" => self.blocks.append((index, Sort::Text, 0), block.text.or_empty(), common),
            "thinking" => self.blocks.append((index, Sort::Reasoning, 0), block.thinking.or_empty(), common),
            _ => {}
        }
    }

    fn delta(&mut self, index: u64, event: &Event<'_>, common: &mut Common) {
        let delta = &event.delta;
        if let Some(text) = delta.text.get() {
            self.blocks.append((index, Sort::Text, 0), text, common);
        } else if let Some(text) = delta.thinking.get() {
            self.blocks.append((index, Sort::Reasoning, 0), text, common);
        } else if let Some(json) = delta.partial_json.get() {
            self.blocks.argue(index, json, common);
        }
    }

    fn stop(&mut self, index: u64, common: &mut Common) {
        if let Some(input) = self.inputs.remove(&index) {
            self.blocks.argue_if_silent(index, &input, common);
        }
        self.blocks.close(index, common);
    }

    /// An answer that is no stream, or the start of one.
    fn message(&mut self, event: &Event<'_>, common: &mut Common) {
        self.whole = true;
        self.ended = common.mended.is_none();
        common.named(event.id.filled(), event.model.filled());
        common.tokens.add(event.usage);
        self.stop_reason = event.stop_reason.to_owned();
        let content: List<Raw<'_>> = event.content.read();
        common.faults.overflowed |= content.overflowed;
        for (index, block) in (0..).zip(content.items) {
            if self.blocks.open(index, common) {
                self.open(index, &block.read(), common);
                self.stop(index, common);
            }
        }
    }

    /// The choice, if anything of a message came.
    pub(super) fn finish(self) -> Option<Choice> {
        let said = self.started || self.whole || self.ended || self.stop_reason.is_some() || !self.blocks.is_empty();
        said.then(|| self.blocks.finish(self.stop_reason))
    }
}
