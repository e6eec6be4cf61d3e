//! An answer, put together from whichever of the four formats it came in, streamed or not.
//!
//! `source` cuts the text into events (SSE, a list, or JSON values one after the other) and gives them to `assembly`,
//! which tells the format and hands each event to `choices`, `responses` or `messages`. What they gather besides text is
//! in `common`. Described for users in `docs/conversations.md`.

mod assembly;
mod blocks;
mod choices;
mod common;
mod failure;
pub mod fuzz;
mod messages;
mod responses;
mod source;
mod sse;
mod usage;
mod wire;

#[cfg(test)]
mod cut_tests;
#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod hostile_tests;

use super::prompt::Prompt;

/// Which of the four formats an answer or a prompt has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Ghost text: `choices[].text`.
    Completions,
    /// Chat completions: `choices[].delta` or `choices[].message`.
    Chat,
    /// Responses: events `response.*`, or an object with `output[]`.
    Responses,
    /// Messages: events `message_*` and `content_block_*`, or an object with `content[]`.
    Messages,
}

/// How an answer ended, as its own content says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The format's own end was seen.
    Complete,
    /// It stops before its end.
    Cut,
    /// It ends with an error, see [`Answer::error`].
    Failed,
}

/// The one internal form of all answers.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Answer {
    /// The format it came in.
    pub format: Format,
    /// Whether it came as events.
    pub streamed: bool,
    /// The answer's own id (`cmpl-…`, `resp_…`, `msg_…`).
    pub id: Option<String>,
    /// The model that answered.
    pub model: Option<String>,
    /// The choices, by `index`. Responses and Messages have one.
    pub choices: Vec<Choice>,
    /// Tokens, if the answer tells.
    pub usage: Option<Usage>,
    /// How it ended.
    pub ending: Ending,
    /// The error that it ended with or carried.
    pub error: Option<Failure>,
    /// What was odd about it.
    pub faults: Faults,
    /// Offset, in bytes of the text that was read, just behind the event that brought the first text, reasoning or
    /// tool call. None when there is none, or the answer is no stream.
    pub first_token_end: Option<usize>,
}

impl Answer {
    /// The answer with its request's estimate of tokens, where it does not tell its own.
    #[must_use]
    pub fn or_estimate(mut self, prompt: Option<&Prompt>) -> Self {
        self.usage = self.usage.or_else(|| prompt?.estimate());
        self
    }
}

/// One of an answer's choices.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Choice {
    /// `choices[].index`.
    pub index: u64,
    /// The text for people.
    pub text: String,
    /// Reasoning that can be read (summaries included); sealed reasoning leaves no trace here.
    pub reasoning: String,
    /// Tool calls in the order in which they were opened.
    pub tool_calls: Vec<ToolCall>,
    /// As the format says it: `stop`, `length`, `content_filter`, `tool_calls`, `end_turn`, …
    pub finish_reason: Option<String>,
}

/// A call of a tool that the model asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct ToolCall {
    /// Its id (`call_…`, `toolu_…`), empty if none came.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// The arguments as text, usually JSON; cut where the answer was cut.
    pub arguments: String,
}

/// Tokens, normalised: `input` always includes the cached ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Usage {
    /// Tokens of the prompt, cached ones included. Messages: `input_tokens` + cache creation + cache read.
    pub input: Option<u64>,
    /// Those of `input` that were read from a cache.
    pub cached_input: Option<u64>,
    /// Tokens of the answer, reasoning included.
    pub output: Option<u64>,
    /// Those of `output` that are reasoning.
    pub reasoning: Option<u64>,
    /// As told, else `input` + `output`.
    pub total: Option<u64>,
    /// Where the numbers are from.
    pub source: UsageSource,
}

/// Where numbers of tokens are from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageSource {
    /// The answer's `usage`.
    #[default]
    Answer,
    /// The request's `extra.prompt_tokens` and `extra.suffix_tokens` (ghost text): an estimate of the client's.
    Request,
}

/// An error that the answer carries.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Failure {
    /// A short word, if there is one (`content_filter`, `rate_limited`, …).
    pub code: Option<String>,
    /// The sentence for people.
    pub message: String,
}

/// What was odd about an answer; all zero for an honest one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Faults {
    /// Events that are not JSON, or not of the format.
    pub unreadable: u64,
    /// Events that say again what an earlier one said (same sequence number, or an item that was closed already).
    pub repeated: u64,
    /// Pieces for a part that was never opened, or out of order.
    pub misplaced: u64,
    /// A ceiling was reached and the rest left out.
    pub overflowed: bool,
}

impl Faults {
    /// Whether there is any.
    #[must_use]
    pub fn any(&self) -> bool {
        *self != Self::default()
    }
}

/// Reads an answer from the text of a response's body, as far as it came. None when it is none of the four formats.
///
/// Decided by content: a JSON object, a JSON array of events (the older tool's logs), JSON values one after the other
/// (WebSocket messages joined by line feeds), anything else as SSE. A cut text gives what can be had of it. An error
/// object (`{"error": …}`) is an answer too, without choices; of the format [`Format::Chat`] where it does not tell.
#[must_use]
pub fn read(text: &str) -> Option<Answer> {
    source::read(text, common::Ceilings::default())
}
