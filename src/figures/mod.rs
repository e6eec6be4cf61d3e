//! The figures: acceptance, persistence, latency, tokens, turns. Each is defined in `docs/figures.md`.
//!
//! A pure computation over the index's rows. Unknown is not zero: what telemetry alone can tell is none where there is
//! no telemetry.

use crate::index::{EventFact, RequestFact};
use crate::rules::Kind;

/// What the rows of a table stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// A person, see `docs/figures.md`, "Persons".
    User,
    /// Programming language.
    Language,
    /// Editor, without its version.
    Editor,
    /// The model asked for.
    Model,
    /// Kind of exchange.
    Kind,
    /// Day.
    Day,
    /// Hour of the day, `00` to `23`.
    Hour,
}

/// What is counted and how it is split.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// None: the total alone.
    pub by: Option<By>,
    /// Kinds; empty is all but telemetry.
    pub kinds: Vec<Kind>,
    /// Persons; empty is all.
    pub users: Vec<String>,
    /// Languages; empty is all.
    pub languages: Vec<String>,
    /// Editors, without version; empty is all.
    pub editors: Vec<String>,
    /// Models; empty is all.
    pub models: Vec<String>,
    /// Not before, microseconds since 1970.
    pub since: Option<i64>,
    /// Before, microseconds since 1970.
    pub until: Option<i64>,
    /// Minutes east of UTC in which days and hours are told.
    pub offset_minutes: i32,
}

/// Three percentiles by nearest rank, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Percentiles {
    /// How many values.
    pub n: u64,
    /// None without values.
    pub p50: Option<f64>,
    /// None without values.
    pub p90: Option<f64>,
    /// None without values.
    pub p99: Option<f64>,
}

/// Of the suggestions accepted and looked at after so many seconds, those still in the code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Persistence {
    /// Seconds after the acceptance.
    pub after: u64,
    /// Suggestions with a `stillInCode` event of that time.
    pub known: u64,
    /// Those of them that are still there. None when none is known.
    pub still: Option<u64>,
}

/// One row of figures. None is unknown, and never zero. Definitions: `docs/figures.md`.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Figures {
    /// What the row stands for; `-` where the exchange does not say; the total has `total`.
    pub group: String,
    /// Exchanges (telemetry only where kinds are asked for).
    pub requests: u64,
    /// Of those, sent ahead of need.
    pub speculative: u64,
    /// Of those, ended by the client.
    pub cancelled: Option<u64>,
    /// Of those, failed.
    pub errors: u64,
    /// Of those, what the older tool would not have counted.
    pub noise: u64,
    /// Persons with a request or a suggestion. None when nobody is known by name or token.
    pub active_users: Option<u64>,
    /// Persons with ghost text, next edits or suggestions.
    pub suggestion_users: u64,
    /// Of those, persons whose telemetry is known.
    pub telemetry_users: u64,
    /// Suggestions of ghost text shown.
    pub shown: Option<u64>,
    /// Of those, accepted, in whole or in part.
    pub accepted: Option<u64>,
    /// Lines of the shown.
    pub lines_shown: Option<u64>,
    /// Lines of the accepted.
    pub lines_accepted: Option<u64>,
    /// Characters of the shown.
    pub chars_shown: Option<u64>,
    /// Characters of the accepted.
    pub chars_accepted: Option<u64>,
    /// At 15, 30, 120, 300 and 600 s.
    pub persistence: Vec<Persistence>,
    /// Next edits shown.
    pub nes_shown: Option<u64>,
    /// Next edits accepted.
    pub nes_accepted: Option<u64>,
    /// To the response's first byte.
    pub first_byte: Percentiles,
    /// To the first text, reasoning or tool call.
    pub first_token: Percentiles,
    /// To the last byte.
    pub total: Percentiles,
    /// The server's own (`openai-processing-ms`).
    pub server: Percentiles,
    /// First byte less the server's own: the way between proxy and server.
    pub network: Percentiles,
    /// What the client waited (`totalTimeMs`) less the first byte: the way between client and proxy, and the proxy.
    pub client_side: Percentiles,
    /// Tokens of prompts, cached ones included.
    pub tokens_in: Option<u64>,
    /// Of those, cached.
    pub tokens_cached: Option<u64>,
    /// Tokens of answers.
    pub tokens_out: Option<u64>,
    /// Exchanges that tell their tokens.
    pub tokens_known: u64,
    /// Chat turns of a person.
    pub turns: u64,
    /// Chat requests of the client's own.
    pub follow_ups: u64,
    /// Chat requests that do not say whose they are.
    pub turns_unknown: u64,
}

/// Adds up what the index hands out. First the persons, then requests and events in any order.
#[derive(Debug)]
pub struct Tally {}

impl Tally {
    /// An empty one.
    #[must_use]
    pub fn new(_query: Query) -> Self {
        Self {}
    }

    /// An exchange of that proxy user had a token with that `tid`.
    pub fn person(&mut self, _tid: &str, _user: &str) {}

    /// An exchange. Those that the query does not ask for are needed too, as far as telemetry may speak of them: hand
    /// over all.
    pub fn request(&mut self, _request: &RequestFact<'_>) {}

    /// An event; hand over all, each once.
    pub fn event(&mut self, _event: &EventFact<'_>) {}

    /// The rows in the order of their groups' names, and the total.
    #[must_use]
    pub fn finish(self) -> (Vec<Figures>, Figures) {
        (Vec::new(), Figures::default())
    }
}
