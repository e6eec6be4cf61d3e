//! What Copilot's messages mean: prompts, answers and telemetry, from the text of one message's body.
//!
//! Derived on reading, never written into a record in place of what was received. Knows no files, sockets or clocks.
//! Whatever comes in, a form comes out that says what could be made of it. Facts: the formats that Copilot's clients
//! read, as `docs/figures.md` and `docs/conversations.md` describe them.

pub mod answer;
mod json;
pub mod noise;
pub mod prompt;
pub mod telemetry;
pub mod token;
