//! Code with its parts told apart by class.
//!
//! The grammars are those of syntect with two-face's. They are regular expressions with backtracking, which hostile text
//! can make slow: long lines and long texts are shown without them, and a text gets so much time.

mod class;
mod language;

use std::time::{Duration, Instant};

use maud::{Markup, PreEscaped};
use syntect::parsing::{ParseState, ScopeStack, ScopeStackOp};

use self::class::{Class, Classes};
pub use self::language::Language;
use super::text;

/// Most bytes of a page that are highlighted (100 kB). What is more is shown as it is.
pub const MOST: usize = 100_000;
/// Most bytes of a line that is highlighted (1 kB): no person writes longer ones, and the work grows with their square: a
/// line of spaces twice as long takes half a second.
const LINE: usize = 1_000;
/// Highlighting of a page ends after so long; what is left is shown without. 100 kB of honest code take it as well.
const TIME: Duration = Duration::from_millis(400);

/// What is left of the work that one page may cost.
#[derive(Clone, Debug)]
pub struct Budget {
    bytes: usize,
    time: Duration,
}

impl Budget {
    /// That of a page of which nothing is highlighted yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: MOST, time: TIME }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new()
    }
}

/// The text with classes `hl-k` (keyword), `hl-s` (string), `hl-c` (comment), `hl-n` (number), `hl-f` (function), `hl-t`
/// (type), `hl-l` (constant), `hl-o` (operator), `hl-p` (punctuation), `hl-g` (tag), `hl-a` (attribute, key) and `hl-v`
/// (variable), for within `<pre><code>`. What would mislead is marked as in [`text::visible`]. The caller has cut it.
#[must_use]
pub fn highlight(text: &str, language: Option<Language>) -> Markup {
    highlight_within(&mut Budget::new(), "", text, language)
}

/// As [`highlight`], of a page's budget, and of a text that goes on from another one, which is not shown: a suggestion
/// behind its prefix.
pub fn highlight_within(budget: &mut Budget, before: &str, text: &str, language: Option<Language>) -> Markup {
    let Some(language) = language.filter(|_| text.len() <= budget.bytes && !budget.time.is_zero()) else {
        return text::visible(text);
    };
    // Without what is before, a text may look wrong; that is better than plain.
    let before = if before.len() + text.len() <= budget.bytes { before } else { "" };
    let begun = Instant::now();
    let mut painter = Painter::new(language, begun + budget.time);
    // The last line of what is before goes on in the first one of the text: both are one line for a grammar.
    let (above, left) = before.split_at(before.rfind('\n').map_or(0, |at| at + 1));
    for line in above.split_inclusive('\n') {
        painter.line(line, line.len());
    }
    let (first, rest) = text.split_at(text.find('\n').map_or(text.len(), |at| at + 1));
    painter.line(&format!("{left}{first}"), left.len());
    for line in rest.split_inclusive('\n') {
        painter.line(line, 0);
    }
    budget.bytes -= before.len() + text.len();
    budget.time = budget.time.saturating_sub(begun.elapsed());
    PreEscaped(painter.finish())
}

/// Writes lines one after another.
struct Painter {
    out: String,
    /// None once the grammar failed, or its time is up.
    state: Option<ParseState>,
    stack: ScopeStack,
    classes: Classes,
    language: Language,
    until: Instant,
    /// The class of the span that is open.
    open: Option<Class>,
    /// The last letter written.
    last: Option<char>,
}

impl Painter {
    fn new(language: Language, until: Instant) -> Self {
        Self {
            out: String::new(),
            state: Some(language.begin()),
            stack: ScopeStack::new(),
            classes: Classes::default(),
            language,
            until,
            open: None,
            last: None,
        }
    }

    /// One line with its end, of which the first bytes are not shown.
    fn line(&mut self, line: &str, hidden: usize) {
        let changes = self.changes(line);
        let mut from = hidden;
        for (at, change) in changes {
            // Changes are in order; one that is not, or within a letter, changes what is behind it.
            if at > from && line.is_char_boundary(at) && at <= line.len() {
                self.write(&line[from..at]);
                from = at;
            }
            if self.stack.apply(&change).is_err() {
                self.state = None;
                self.stack = ScopeStack::new();
                break;
            }
        }
        self.write(&line[from..]);
    }

    fn changes(&mut self, line: &str) -> Vec<(usize, ScopeStackOp)> {
        if line.len() > LINE {
            return Vec::new();
        }
        if Instant::now() > self.until {
            self.state = None;
            self.stack = ScopeStack::new();
        }
        let Some(state) = &mut self.state else { return Vec::new() };
        let changes = self.language.parse(state, line);
        if changes.is_none() {
            self.state = None;
            self.stack = ScopeStack::new();
        }
        changes.unwrap_or_default()
    }

    fn write(&mut self, piece: &str) {
        let Some(last) = piece.chars().next_back() else { return };
        // White space needs no class, and keeps that of what is before it.
        let class = if piece.trim().is_empty() { self.open } else { self.classes.of(self.stack.as_slice()) };
        if class != self.open {
            self.close();
            if let Some(class) = class {
                self.out.push_str(class.opening());
                self.open = Some(class);
            }
        }
        text::write_behind(&mut self.out, self.last, piece);
        self.last = Some(last);
    }

    fn close(&mut self) {
        if self.open.take().is_some() {
            self.out.push_str("</span>");
        }
    }

    fn finish(mut self) -> String {
        self.close();
        self.out
    }
}

#[cfg(test)]
mod tests;
