//! One row of figures, and the rates made of it.

use super::{Percentiles, Spread};

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

impl Persistence {
    /// Those still there, of those known; 0 to 1.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        ratio(self.still, Some(self.known))
    }
}

/// Whether the cells that only telemetry can tell are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telemetry {
    /// No ghost text and no next edits: the cells do not apply (`-`).
    NothingToKnow,
    /// There were some, and no telemetry of any of their persons (`?`).
    Unknown,
    /// The cells are numbers, of the persons whose telemetry is known.
    Known,
}

/// One row of figures. None is unknown, and never zero. Definitions: `docs/figures.md`.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Figures {
    /// What the row stands for; `-` where the exchange does not say; the total has `total`.
    pub group: String,
    /// Exchanges (telemetry only where kinds are asked for, and in its own row by kind).
    pub requests: u64,
    /// Of those, sent ahead of need.
    pub speculative: u64,
    /// Of those, ended by the client. None when there are requests and none says who ended it.
    pub cancelled: Option<u64>,
    /// Of those, failed.
    pub errors: u64,
    /// Of those, what the older tool would not have counted.
    pub noise: u64,
    /// Persons with a request. None when there are requests and none is a person's.
    pub active_users: Option<u64>,
    /// Persons with ghost text, next edits or suggestions; those of nobody count as one person's.
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
    /// How many of the times lie between fixed bounds.
    pub spread: Spread,
    /// Tokens of prompts, cached ones included.
    pub tokens_in: Option<u64>,
    /// Of those, cached.
    pub tokens_cached: Option<u64>,
    /// Tokens of answers.
    pub tokens_out: Option<u64>,
    /// Exchanges that tell their tokens.
    pub tokens_known: u64,
    /// Chat turns of a person. None when there are chat requests and none says whose it is.
    pub turns: Option<u64>,
    /// Chat requests of the client's own. None likewise.
    pub follow_ups: Option<u64>,
    /// Chat requests that do not say whose they are.
    pub turns_unknown: u64,
}

impl Figures {
    /// What the cells from telemetry are: shown, accepted, lines, characters, persistence, next edits.
    #[must_use]
    pub fn telemetry(&self) -> Telemetry {
        match (self.suggestion_users, self.telemetry_users) {
            (0, _) => Telemetry::NothingToKnow,
            (_, 0) => Telemetry::Unknown,
            _ => Telemetry::Known,
        }
    }

    /// Suggestions accepted, of those shown. None when it is unknown or nothing was shown.
    #[must_use]
    pub fn acceptance(&self) -> Option<f64> {
        ratio(self.accepted, self.shown)
    }

    /// Lines accepted, of those shown. None when it is unknown or no line was shown.
    #[must_use]
    pub fn acceptance_by_lines(&self) -> Option<f64> {
        ratio(self.lines_accepted, self.lines_shown)
    }

    /// Characters accepted, of those shown. None when it is unknown or no character was shown.
    #[must_use]
    pub fn acceptance_by_chars(&self) -> Option<f64> {
        ratio(self.chars_accepted, self.chars_shown)
    }

    /// Next edits accepted, of those shown. None when it is unknown or none was shown.
    #[must_use]
    pub fn nes_acceptance(&self) -> Option<f64> {
        ratio(self.nes_accepted, self.nes_shown)
    }
}

fn ratio(part: Option<u64>, whole: Option<u64>) -> Option<f64> {
    let whole = whole.filter(|whole| *whole > 0)?;
    Some(part? as f64 / whole as f64)
}
