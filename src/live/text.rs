//! What a growing body says so far.

use super::Growing;
use crate::copilot::answer::{self, Answer};
use crate::exchange::{DecodeLimits, decode};

/// Bytes that a growing body may decode to. Event streams compress to a tenth; beyond it the text stops growing.
const DECODED_MAX: usize = 4 << 20;

/// An answer as far as it came, for a person to read along.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// The model that answers, once it says so.
    pub model: Option<String>,
    /// Reasoning that can be read.
    pub reasoning: String,
    /// The text of the first choice.
    pub text: String,
    /// Names of the tools that it calls, in order.
    pub tools: Vec<String>,
    /// How many more choices there are.
    pub others: usize,
    /// More came than is kept: the text stands still.
    pub cut: bool,
}

impl Growing {
    /// Decodes and reads it from its beginning. None while there is nothing that can be understood. Costs time with
    /// its size (some milliseconds for the largest), so whoever follows one should not ask more than some times a
    /// second, and not where others wait.
    #[must_use]
    pub fn read(self) -> Option<Text> {
        let decoded = decode(&self.coding, self.bytes, DecodeLimits { output: DECODED_MAX });
        let answer = answer::read(&String::from_utf8_lossy(&decoded.bytes))?;
        Some(Text { cut: self.cut || decoded.truncated, ..Text::of(answer) })
    }
}

impl Text {
    fn of(answer: Answer) -> Self {
        let others = answer.choices.len().saturating_sub(1);
        let first = answer.choices.into_iter().next().unwrap_or_default();
        Self {
            model: answer.model,
            reasoning: first.reasoning,
            text: first.text,
            tools: first.tool_calls.into_iter().map(|call| call.name).collect(),
            others,
            cut: false,
        }
    }
}
