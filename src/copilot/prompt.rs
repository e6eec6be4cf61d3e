//! What was asked: one form for the requests of all formats.

use super::answer::Format;

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
    /// The body has `stop`.
    pub has_stop: bool,
    /// `extra.prompt_tokens`.
    pub prompt_tokens: Option<u64>,
    /// `extra.suffix_tokens`.
    pub suffix_tokens: Option<u64>,
    /// The body was cut, or is no JSON from some place on: what came before is here.
    pub cut: bool,
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

/// Reads a request's body. None when it is no prompt of the four formats.
///
/// Also understands a WebSocket's `response.create` (the first JSON value of the text counts).
#[must_use]
pub fn read(_text: &str) -> Option<Prompt> {
    None
}
