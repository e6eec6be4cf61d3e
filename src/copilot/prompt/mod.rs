//! What was asked: one form for the requests of all formats.

pub mod fuzz;
mod prefix;
mod turns;
mod wire;

#[cfg(test)]
mod tests;

use super::answer::{Format, Usage, UsageSource};
use super::json::mend::{End, Origin, Scan, pair_surrogates};
use super::json::{Content, List, Raw, Text};
pub use prefix::{PrefixKind, PrefixPart, parts};
use turns::Turns;
use wire::{RequestNode, ToolNode};

/// A request's body, understood.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Prompt {
    /// The format it is written in.
    pub format: Option<Format>,
    /// `model`.
    pub model: Option<String>,
    /// `extra.language` of ghost text.
    pub language: Option<String>,
    /// `nwo`: the repository's owner and name.
    pub repository: Option<String>,
    /// Ghost text: what stands before the cursor, with its path marker and neighbours.
    pub prefix: Option<String>,
    /// Ghost text: what stands behind the cursor.
    pub suffix: Option<String>,
    /// A conversation, oldest first; the system's text and the instructions are turns of the role `system`.
    pub turns: Vec<Turn>,
    /// Names of the tools offered.
    pub tools: Vec<String>,
    /// `previous_response_id`: the conversation before this is in that exchange, not here.
    pub previous_response_id: Option<String>,
    /// `initiator` of a WebSocket's `response.create` (`user` or `agent`).
    pub initiator: Option<String>,
    /// `stream`, if it is said.
    pub stream: Option<bool>,
    /// How many choices were asked for (`n`).
    pub choices: Option<u64>,
    /// The body has `stop`, and it is not null.
    pub has_stop: bool,
    /// `extra.prompt_tokens`.
    pub prompt_tokens: Option<u64>,
    /// `extra.suffix_tokens`.
    pub suffix_tokens: Option<u64>,
    /// The body was cut, or is no JSON from some place on: what came before is here.
    pub cut: bool,
}

impl Prompt {
    /// The tokens of a ghost-text request as its client counted them, if it did: for an answer that does not tell.
    #[must_use]
    pub fn estimate(&self) -> Option<Usage> {
        let told = [self.prompt_tokens, self.suffix_tokens];
        let input = told.into_iter().flatten().reduce(u64::saturating_add)?;
        (self.format == Some(Format::Completions)).then(|| Usage {
            input: Some(input),
            source: UsageSource::Request,
            ..Usage::default()
        })
    }
}

/// One turn of a conversation.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Turn {
    /// `system`, `user`, `assistant`, `tool`, …
    pub role: String,
    /// Its parts in order.
    pub parts: Vec<Part>,
}

/// A part of a turn.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Part {
    /// Text.
    Text {
        /// The text.
        text: String,
    },
    /// Reasoning that can be read.
    Reasoning {
        /// The text.
        text: String,
    },
    /// A tool was called.
    ToolCall {
        /// The call's id.
        id: String,
        /// The tool.
        name: String,
        /// As text, usually JSON.
        arguments: String,
    },
    /// What a tool answered.
    ToolResult {
        /// The call's id.
        id: String,
        /// What it said.
        text: String,
    },
    /// Anything else (an image, a file), by the type that it has there.
    Other {
        /// The type's name.
        kind: String,
    },
}

/// Most names of tools kept.
const TOOLS: usize = 4096;

/// Reads a request's body. None when it is no prompt of the four formats.
///
/// Also understands a WebSocket's `response.create` (the first JSON value of the text counts). Which format it is, its
/// keys tell: `prompt` is ghost text; `messages` is chat, or Messages where `system`, `thinking` or a block of that
/// format is there; `input` is Responses where it is a list of objects, or where a key is there that embeddings do not
/// have. A cut body whose format cannot be told gives what it says beside that.
#[must_use]
pub fn read(text: &str) -> Option<Prompt> {
    let text = &*pair_surrogates(text);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if !text.starts_with('{') {
        return None;
    }
    let first = serde_json::Deserializer::from_str(text).into_iter().next();
    if let Some(Ok(node)) = first {
        return understand(&node, None).filter(|prompt| prompt.format.is_some());
    }
    let scan = Scan::of(text);
    // A value that is whole and was not read has a number that is none; then its parts cannot be told apart.
    if scan.end == End::Whole {
        return None;
    }
    let mended = scan.mend();
    let node = serde_json::from_str(&mended.text).ok()?;
    understand(&node, Some(mended.origin())).filter(|prompt| *prompt != Prompt { cut: true, ..Prompt::default() })
}

fn understand(node: &RequestNode<'_>, mended: Option<Origin>) -> Option<Prompt> {
    let mut prompt = Prompt {
        format: format(node),
        model: node.model.to_owned(),
        language: node.extra.language.to_owned(),
        repository: node.nwo.to_owned(),
        suffix: node.suffix.get().map(str::to_owned),
        tools: tools(node),
        previous_response_id: node.previous_response_id.to_owned(),
        initiator: node.initiator.to_owned(),
        stream: node.stream.0,
        choices: node.n.0,
        has_stop: node.stop.is_some(),
        prompt_tokens: node.extra.prompt_tokens.0,
        suffix_tokens: node.extra.suffix_tokens.0,
        cut: mended.is_some() || node.messages.overflowed,
        ..Prompt::default()
    };
    if prompt.format.is_none() && node.input.is_some() {
        // Embeddings, or nothing that can be told from them.
        return None;
    }
    if prompt.format == Some(Format::Completions) {
        prompt.prefix = Some(turns::text(&node.prompt));
        return Some(prompt);
    }
    let mut turns = Turns::of(&mut prompt, mended);
    turns.system(&node.system);
    turns.system(&node.instructions);
    node.messages.items.iter().for_each(|raw| turns.message(*raw));
    if node.input.is_list() {
        let items: List<Raw<'_>> = node.input.read();
        items.items.iter().for_each(|raw| turns.item(*raw));
    } else if node.input.is_some() {
        turns.user(&node.input.read());
    }
    let blocks = turns.blocks;
    if blocks && prompt.format == Some(Format::Chat) {
        prompt.format = Some(Format::Messages);
    }
    Some(prompt)
}

fn format(node: &RequestNode<'_>) -> Option<Format> {
    if node.messages.is_list {
        let messages = !matches!(node.system, Content::None)
            || node.thinking.is_object()
            || [node.stop_sequences, node.output_config, node.anthropic_version].iter().any(|key| key.0)
            || node.tools.items.iter().any(|tool| tool.input_schema.0);
        return Some(if messages { Format::Messages } else { Format::Chat });
    }
    // Keys that a request for embeddings does not have.
    let own =
        [node.include, node.store, node.reasoning, node.truncation, node.prompt_cache_key, node.max_output_tokens];
    let own = node.kind.get() == Some("response.create")
        || node.previous_response_id.filled().is_some()
        || !matches!(node.instructions, Content::None)
        || node.stream.0.is_some()
        || node.tools.is_list
        || own.iter().any(|key| key.0);
    let objects = || node.input.read::<List<Raw<'_>>>().items.first().is_some_and(|item| item.is_object());
    if node.kind.get() == Some("response.create")
        || (node.input.is_some() && own)
        || (node.input.is_list() && objects())
    {
        return Some(Format::Responses);
    }
    if !matches!(node.prompt, Content::None) {
        return Some(Format::Completions);
    }
    node.previous_response_id.filled().map(|_| Format::Responses)
}

/// Names of the tools offered; a tool of the vendor's own has only its type.
fn tools(node: &RequestNode<'_>) -> Vec<String> {
    let name = |tool: &ToolNode<'_>| {
        let names: [&Text<'_>; 3] = [&tool.function.name, &tool.name, &tool.kind];
        names.into_iter().find_map(Text::to_owned)
    };
    node.tools.items.iter().chain(&node.functions.items).filter_map(name).take(TOOLS).collect()
}
