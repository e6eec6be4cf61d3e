//! The older tool's noise rules, as tags: it dropped these records, we count them.

use super::answer::Answer;
use super::prompt::Prompt;
use crate::rules::Kind;

/// Why the older tool (1.3 and later) would not have counted an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Noise {
    /// Ghost text of VS Code or JetBrains whose answer has no text.
    NoText,
    /// A chat of VS Code with `stop` in the body.
    Stop,
    /// A chat of JetBrains whose last message is not the user's.
    NotUser,
    /// A chat of JetBrains that offers tools.
    Tools,
}

/// The first rule that holds. `editor`: the value of `Editor-Version`.
#[must_use]
pub fn noise(_kind: Kind, _editor: Option<&str>, _prompt: Option<&Prompt>, _answer: Option<&Answer>) -> Option<Noise> {
    None
}
