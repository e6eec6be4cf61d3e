//! What one request of a conversation says that was not said before it, and what it was answered.

use std::path::Path;

use super::thread::{hash_part, is_answer, is_system};
use super::{Turn, Unread};
use crate::copilot::answer::Answer;
use crate::copilot::prompt::{self, Part, Prompt};
use crate::review::subject::{RecordFile, understood};

/// What is new in one request, and its answer. Long texts are cut: the exchange has all of them.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// What the request says that was not said before; none where its body is no prompt.
    pub said: Option<Vec<prompt::Turn>>,
    /// The history tells the answer before otherwise than it was recorded: `said` begins with that.
    pub retold: bool,
    /// The answer, if there is one.
    pub answer: Option<Answer>,
    /// Something was cut here.
    pub cut: bool,
}

/// Bytes of one text: as much as anybody reads in a list.
const TEXT_MAX: usize = 32 << 10;
/// Bytes of all texts of one exchange, so that a page of forty stays below some 5 MB.
const ALL_MAX: usize = 128 << 10;
/// Parts of one exchange that are shown: a history that was never recorded may have thousands.
const PARTS_MAX: usize = 500;

impl Turn {
    /// Reads what is new in it.
    ///
    /// # Errors
    /// When its file is gone or cannot be read.
    pub fn contents(&self, logs: &Path) -> Result<Contents, Unread> {
        let file = RecordFile::read(logs, &self.row).map_err(|error| Unread::from(&error))?;
        let (prompt, answer) = understood(&file.record);
        Ok(contents(self, prompt, answer))
    }
}

pub(super) fn contents(turn: &Turn, prompt: Option<Prompt>, answer: Option<Answer>) -> Contents {
    let mut left = Left { bytes: ALL_MAX, parts: PARTS_MAX, cut: false };
    // The answer first: it is what is looked for.
    let answer = answer.map(|mut answer| {
        for choice in &mut answer.choices {
            left.clip(&mut choice.text);
            left.clip(&mut choice.reasoning);
            for call in &mut choice.tool_calls {
                left.clip(&mut call.arguments);
            }
        }
        answer
    });
    let is_prompt = prompt.is_some();
    left.cut |= prompt.as_ref().is_some_and(|prompt| prompt.cut);
    let said = said(turn, prompt, &mut left);
    let first = said.iter().find(|turn| !is_system(&turn.role));
    let retold =
        turn.seen > 0 && first.is_some_and(|turn| turn.parts.first().is_some_and(|part| is_answer(&turn.role, part)));
    Contents { said: is_prompt.then_some(said), retold, answer, cut: left.cut }
}

fn said(turn: &Turn, prompt: Option<Prompt>, left: &mut Left) -> Vec<prompt::Turn> {
    let mut at = 0;
    let mut said = Vec::new();
    for prompt::Turn { role, parts } in prompt.into_iter().flat_map(|prompt| prompt.turns) {
        let system = is_system(&role);
        let mut new = Vec::new();
        for mut part in parts {
            let is_new = if system { turn.new_system } else { at >= turn.seen };
            if !system && hash_part(&role, &part).is_some() {
                at += 1;
            }
            if is_new && left.part() {
                left.clip_part(&mut part);
                new.push(part);
            }
        }
        if !new.is_empty() {
            said.push(prompt::Turn { role, parts: new });
        }
    }
    said
}

/// What may still be kept.
struct Left {
    bytes: usize,
    parts: usize,
    cut: bool,
}

impl Left {
    fn part(&mut self) -> bool {
        let some = self.parts > 0;
        self.parts = self.parts.saturating_sub(1);
        self.cut |= !some;
        some
    }

    fn clip_part(&mut self, part: &mut Part) {
        match part {
            Part::Text { text } | Part::Reasoning { text } | Part::ToolResult { text, .. } => self.clip(text),
            Part::ToolCall { arguments, .. } => self.clip(arguments),
            Part::Other { .. } => {}
        }
    }

    fn clip(&mut self, text: &mut String) {
        let most = TEXT_MAX.min(self.bytes);
        if text.len() > most {
            let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            text.truncate(end);
            text.shrink_to_fit();
            self.cut = true;
        }
        self.bytes = self.bytes.saturating_sub(text.len());
    }
}
