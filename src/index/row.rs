//! What the index holds of each record, and of each telemetry event.

use crate::archive::{AbortedBy, Form};
use crate::copilot::noise::Noise;
use crate::rules::Kind;

/// Who caused a chat request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Initiator {
    /// A person's own request.
    User,
    /// A follow-up of the client's own, such as a tool round.
    Agent,
}

/// One exchange: what lists, filters and figures need of its record. Milliseconds and bytes.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Row {
    /// The record's id.
    pub id: String,
    /// The file, below the folder of the logs.
    pub file: String,
    /// The form of the file.
    pub form: Form,
    /// When the request began, in microseconds since 1970 (UTC).
    pub began: i64,
    /// What it is about.
    pub kind: Kind,
    /// The rule that said so.
    pub rule: String,
    /// The user of the proxy, if anybody was asked.
    pub user: Option<String>,
    /// `tid` of the bearer token; of telemetry, that of the first event that has one.
    pub tid: Option<String>,
    /// The client's address without port.
    pub client: Option<String>,
    /// `VScode-MachineId`.
    pub machine: Option<String>,
    /// `VScode-SessionId`.
    pub session: Option<String>,
    /// Name part of `Editor-Version`: `vscode`, `JetBrains-PC`; of telemetry, of the first event that has one.
    pub editor: Option<String>,
    /// `Editor-Version` whole: `vscode/1.95.3`.
    pub editor_version: Option<String>,
    /// `Editor-Plugin-Version`.
    pub plugin: Option<String>,
    /// Host of the URL, in lower case.
    pub host: String,
    /// Path of the URL, without its query.
    pub path: String,
    /// The method.
    pub method: String,
    /// None when no response came.
    pub status: Option<u16>,
    /// Both messages were seen to their end, or the answer's own end was and the client ended the stream itself; none
    /// where the form does not say.
    pub complete: Option<bool>,
    /// Who ended it early; none also where the client ended a stream of which it had the whole answer.
    pub aborted_by: Option<AbortedBy>,
    /// Why the record has less than it should.
    pub problem: Option<String>,
    /// The answer carries an error: its code, else its message (shortened).
    pub error: Option<String>,
    /// `X-Initiator`; over a WebSocket `initiator` of the message, whose socket's head is that of an earlier one.
    pub initiator: Option<Initiator>,
    /// `OpenAI-Intent`, else `X-Interaction-Type`.
    pub intent: Option<String>,
    /// `X-Interaction-Id`: one turn of a person; several requests share it.
    pub interaction: Option<String>,
    /// `X-Request-Id` of the request: `headerRequestId` in telemetry.
    pub request_id: Option<String>,
    /// The answer's own id.
    pub response_id: Option<String>,
    /// The answer that this request goes on from.
    pub previous_response_id: Option<String>,
    /// `X-Copilot-Speculative: true`: sent ahead of need.
    pub speculative: bool,
    /// The model asked for.
    pub model: Option<String>,
    /// The model that answered.
    pub model_answered: Option<String>,
    /// Programming language of ghost text.
    pub language: Option<String>,
    /// Decoded request body.
    pub request_size: u64,
    /// Decoded response body.
    pub response_size: u64,
    /// To resolve and connect.
    pub connect_ms: Option<f64>,
    /// Both TLS handshakes.
    pub tls_ms: Option<f64>,
    /// From the request's first byte to the response's first.
    pub first_byte_ms: Option<f64>,
    /// From the request's first byte to the arrival of the first text, reasoning or tool call of a stream.
    pub first_token_ms: Option<f64>,
    /// From the request's first byte to the last seen.
    pub total_ms: Option<f64>,
    /// `openai-processing-ms` of the response.
    pub server_ms: Option<f64>,
    /// Tokens of the prompt, cached ones included.
    pub tokens_in: Option<u64>,
    /// Of those, read from a cache.
    pub tokens_cached: Option<u64>,
    /// Tokens of the answer.
    pub tokens_out: Option<u64>,
    /// Of those, reasoning.
    pub tokens_reasoning: Option<u64>,
    /// Of the first choice.
    pub finish_reason: Option<String>,
    /// How many choices the answer has.
    pub choices: Option<u64>,
    /// How many tool calls the answer asks for.
    pub tool_calls: Option<u64>,
    /// Characters of text in the answer, of all choices.
    pub answer_chars: Option<u64>,
    /// Why the older tool would not have counted it.
    pub noise: Option<Noise>,
}

/// One telemetry event, as it stands in one record; a batch that was sent again is there again.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct EventRow {
    /// The record's id.
    pub record: String,
    /// Its place in the record, from 0.
    pub ordinal: u64,
    /// `unique_id`: the same in each copy of the event.
    pub unique_id: Option<String>,
    /// Microseconds since 1970 by the client's clock, else when the record began.
    pub time: i64,
    /// Behind the last `/`: `ghostText.shown`.
    pub name: String,
    /// The enhanced key.
    pub enhanced: bool,
    /// The proxy's user of the record.
    pub user: Option<String>,
    /// The event's own.
    pub tid: Option<String>,
    /// `headerRequestId`.
    pub request_id: Option<String>,
    /// `choiceIndex`.
    pub choice: Option<i64>,
    /// `clientCompletionId`.
    pub completion: Option<String>,
    /// `opportunityId`.
    pub opportunity: Option<String>,
    /// `languageId`, else `activeDocumentLanguageId`.
    pub language: Option<String>,
    /// Name part of `editor_version`, else of `common_vscodeversion`.
    pub editor: Option<String>,
    /// `engineName`, else `modelName`, else `modelId`.
    pub model: Option<String>,
    /// `reason`.
    pub reason: Option<String>,
    /// `compCharLen`.
    pub chars: Option<u64>,
    /// `numLines`.
    pub lines: Option<u64>,
    /// `timeout` of `stillInCode`, in seconds: 15, 30, 120, 300, 600. Values of 1000 and more are taken for milliseconds.
    pub timeout: Option<u64>,
    /// `stillInCodeHeuristic` is 1.
    pub still: Option<bool>,
    /// `timeToProduceMs`.
    pub produce_ms: Option<f64>,
    /// `totalTimeMs`.
    pub total_ms: Option<f64>,
    /// `isShown` is 1 (next edits).
    pub shown: Option<bool>,
    /// `acceptance` (next edits).
    pub acceptance: Option<String>,
}

/// What figures need of an exchange: a part of [`Row`], borrowed, because there are many.
#[derive(Clone, Copy, Debug)]
pub struct RequestFact<'a> {
    /// As in [`Row`].
    pub began: i64,
    /// As in [`Row`].
    pub kind: Kind,
    /// As in [`Row`].
    pub user: Option<&'a str>,
    /// As in [`Row`].
    pub tid: Option<&'a str>,
    /// As in [`Row`].
    pub editor: Option<&'a str>,
    /// `model`, else `model_answered`.
    pub model: Option<&'a str>,
    /// As in [`Row`].
    pub language: Option<&'a str>,
    /// As in [`Row`].
    pub status: Option<u16>,
    /// As in [`Row`].
    pub complete: Option<bool>,
    /// As in [`Row`].
    pub aborted_by: Option<AbortedBy>,
    /// `error` of the row is there.
    pub error: bool,
    /// As in [`Row`].
    pub initiator: Option<Initiator>,
    /// As in [`Row`].
    pub speculative: bool,
    /// As in [`Row`].
    pub request_id: Option<&'a str>,
    /// As in [`Row`].
    pub first_byte_ms: Option<f64>,
    /// As in [`Row`].
    pub first_token_ms: Option<f64>,
    /// As in [`Row`].
    pub total_ms: Option<f64>,
    /// As in [`Row`].
    pub server_ms: Option<f64>,
    /// As in [`Row`].
    pub tokens_in: Option<u64>,
    /// As in [`Row`].
    pub tokens_cached: Option<u64>,
    /// As in [`Row`].
    pub tokens_out: Option<u64>,
    /// As in [`Row`].
    pub noise: Option<Noise>,
}

/// What figures need of an event: a part of [`EventRow`], borrowed.
#[derive(Clone, Copy, Debug)]
pub struct EventFact<'a> {
    /// As in [`EventRow`].
    pub time: i64,
    /// As in [`EventRow`].
    pub name: &'a str,
    /// As in [`EventRow`].
    pub user: Option<&'a str>,
    /// As in [`EventRow`].
    pub tid: Option<&'a str>,
    /// As in [`EventRow`].
    pub request_id: Option<&'a str>,
    /// As in [`EventRow`].
    pub choice: Option<i64>,
    /// As in [`EventRow`].
    pub completion: Option<&'a str>,
    /// As in [`EventRow`].
    pub opportunity: Option<&'a str>,
    /// As in [`EventRow`].
    pub language: Option<&'a str>,
    /// As in [`EventRow`].
    pub editor: Option<&'a str>,
    /// As in [`EventRow`].
    pub model: Option<&'a str>,
    /// As in [`EventRow`].
    pub chars: Option<u64>,
    /// As in [`EventRow`].
    pub lines: Option<u64>,
    /// As in [`EventRow`].
    pub timeout: Option<u64>,
    /// As in [`EventRow`].
    pub still: Option<bool>,
    /// As in [`EventRow`].
    pub total_ms: Option<f64>,
    /// As in [`EventRow`].
    pub shown: Option<bool>,
    /// As in [`EventRow`].
    pub acceptance: Option<&'a str>,
}
