//! Messages and items, to turns.

use super::wire::{MessageNode, PartNode};
use super::{Part, Prompt, Turn};
use crate::copilot::json::mend::Origin;
use crate::copilot::json::{Content, Raw, Text};

/// Most parts kept of one prompt: what is kept then stays small beside the body.
const PARTS: usize = 65_536;

/// Gathers the turns of a prompt.
pub(super) struct Turns<'p> {
    prompt: &'p mut Prompt,
    parts: usize,
    /// The body, if it was mended.
    mended: Option<Origin>,
    /// A part came that only Messages has.
    pub(super) blocks: bool,
}

impl<'p> Turns<'p> {
    pub(super) fn of(prompt: &'p mut Prompt, mended: Option<Origin>) -> Self {
        Self { prompt, parts: 0, mended, blocks: false }
    }

    /// The system's text, or the instructions.
    pub(super) fn system(&mut self, content: &Content<'_, PartNode<'_>>) {
        let mut parts = Vec::new();
        self.content(content, &mut parts);
        if !parts.is_empty() {
            self.push("system", parts);
        }
    }

    /// One of `messages`.
    pub(super) fn message(&mut self, raw: Raw<'_>) {
        let node: MessageNode<'_> = raw.read();
        if !node.is_object {
            return;
        }
        let role = node.role.or_empty();
        let mut parts = Vec::new();
        for reasoning in [&node.reasoning_text, &node.reasoning_content, &node.cot_summary] {
            if let Some(text) = reasoning.filled() {
                parts.push(Part::Reasoning { text: text.to_owned() });
                // The same under several names.
                break;
            }
        }
        if matches!(role, "tool" | "function") {
            let id = node.tool_call_id.filled().unwrap_or_else(|| node.name.or_empty()).to_owned();
            parts.push(Part::ToolResult { id, text: text(&node.content) });
        } else {
            self.content(&node.content, &mut parts);
        }
        for call in &node.tool_calls.items {
            let arguments = self.arguments(call.function.arguments);
            parts.push(called(&call.id, &call.function.name, arguments));
        }
        if node.function_call.is_object {
            let arguments = self.arguments(node.function_call.arguments);
            parts.push(called(&Text::default(), &node.function_call.name, arguments));
        }
        self.push(role, parts);
    }

    /// One of Responses' `input`.
    pub(super) fn item(&mut self, raw: Raw<'_>) {
        let node: MessageNode<'_> = raw.read();
        if !node.is_object {
            return;
        }
        let id = if node.call_id.filled().is_some() { &node.call_id } else { &node.id };
        match node.kind.or_empty() {
            "" | "message" => {
                let mut parts = Vec::new();
                self.content(&node.content, &mut parts);
                self.push(node.role.or_empty(), parts);
            }
            "function_call" | "custom_tool_call" | "mcp_call" => {
                let arguments = if node.input.is_some() { node.input } else { node.arguments };
                let call = called(id, &node.name, self.arguments(arguments));
                self.push("assistant", vec![call]);
            }
            "reasoning" => {
                let mut parts = Vec::new();
                let thoughts = match &node.content {
                    Content::Parts(list) => list.items.as_slice(),
                    Content::None | Content::Text(_) => &[],
                };
                for text in node.summary.items.iter().chain(thoughts).filter_map(said) {
                    parts.push(Part::Reasoning { text: text.to_owned() });
                }
                if parts.is_empty() {
                    parts.push(Part::Other { kind: "reasoning".into() });
                }
                self.push("assistant", parts);
            }
            kind if kind.ends_with("_output") => {
                let result = Part::ToolResult { id: id.or_empty().to_owned(), text: text(&node.output) };
                self.push("tool", vec![result]);
            }
            kind => self.push(node.role.or_empty(), vec![Part::Other { kind: kind.to_owned() }]),
        }
    }

    /// A turn of a person's text.
    pub(super) fn user(&mut self, text: &Text<'_>) {
        self.push("user", vec![Part::Text { text: text.or_empty().to_owned() }]);
    }

    fn push(&mut self, role: &str, parts: Vec<Part>) {
        self.parts += parts.len().max(1);
        if self.parts > PARTS {
            self.prompt.cut = true;
        } else {
            self.prompt.turns.push(Turn { role: role.to_owned(), parts });
        }
    }

    fn content(&mut self, content: &Content<'_, PartNode<'_>>, parts: &mut Vec<Part>) {
        match content {
            Content::None => {}
            Content::Text(text) => {
                if let Some(text) = text.filled() {
                    parts.push(Part::Text { text: text.to_owned() });
                }
            }
            Content::Parts(list) => {
                self.prompt.cut |= list.overflowed;
                parts.extend(list.items.iter().filter_map(|node| self.part(node)));
            }
        }
    }

    fn part(&mut self, node: &PartNode<'_>) -> Option<Part> {
        if let Some(text) = node.plain.get() {
            return Some(Part::Text { text: text.to_owned() });
        }
        match node.kind.or_empty() {
            "tool_use" | "server_tool_use" | "mcp_tool_use" => {
                self.blocks = true;
                return Some(called(&node.id, &node.name, self.arguments(node.input)));
            }
            "thinking" => {
                self.blocks = true;
                return Some(Part::Reasoning { text: node.thinking.or_empty().to_owned() });
            }
            kind if kind.ends_with("tool_result") => {
                self.blocks = true;
                let id = node.tool_use_id.or_empty().to_owned();
                return Some(Part::ToolResult { id, text: text(&node.content.read()) });
            }
            _ => {}
        }
        match said(node) {
            Some(text) => Some(Part::Text { text: text.to_owned() }),
            // An image, a file; sealed reasoning. A part without type has nothing to say.
            None => node.kind.to_owned().map(|kind| Part::Other { kind }),
        }
    }

    /// Arguments: a string's text, or an object as it was sent, without the brackets that mending added.
    fn arguments(&self, raw: Raw<'_>) -> String {
        let Some(sent) = raw.get().filter(|text| !text.starts_with('"')) else {
            return raw.scalar().unwrap_or_default().into_owned();
        };
        self.mended.map_or(sent, |origin| origin.as_sent(sent)).to_owned()
    }
}

fn called(id: &Text<'_>, name: &Text<'_>, arguments: String) -> Part {
    Part::ToolCall { id: id.or_empty().to_owned(), name: name.or_empty().to_owned(), arguments }
}

fn said<'n>(node: &'n PartNode<'_>) -> Option<&'n str> {
    node.text.get().or_else(|| node.refusal.get()).or_else(|| node.plain.get())
}

/// The text of a content, its parts joined.
pub(super) fn text(content: &Content<'_, PartNode<'_>>) -> String {
    match content {
        Content::None => String::new(),
        Content::Text(text) => text.or_empty().to_owned(),
        Content::Parts(list) => list.items.iter().filter_map(said).collect(),
    }
}
