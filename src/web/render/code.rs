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
/// Highlighting of a page ends after so long; what is left is shown without. 100 kB of honest code take half of it, and
/// the first text of a language likewise: its expressions are made then.
const TIME: Duration = Duration::from_millis(800);

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
    highlight_within(&mut Budget::new(), text, language)
}

/// As [`highlight`], of a page's budget.
pub fn highlight_within(budget: &mut Budget, text: &str, language: Option<Language>) -> Markup {
    pieces(budget, &[text], language).pop().unwrap_or_default()
}

/// As [`highlight_within`], of a text in pieces that are shown apart from each other: the text before the cursor, the
/// suggestion, the text behind it. Each is read as what goes on from those before it.
pub fn pieces(budget: &mut Budget, texts: &[&str], language: Option<Language>) -> Vec<Markup> {
    let bytes: usize = texts.iter().map(|text| text.len()).sum();
    let Some(language) = language.filter(|_| bytes <= budget.bytes && !budget.time.is_zero()) else {
        return texts.iter().map(|text| text::visible(text)).collect();
    };
    let begun = Instant::now();
    let mut painter = Painter::new(language, begun + budget.time, texts);
    for line in texts.concat().split_inclusive('\n') {
        painter.line(line);
    }
    budget.bytes -= bytes;
    budget.time = budget.time.saturating_sub(begun.elapsed());
    painter.finish()
}

/// Writes lines one after another.
struct Painter {
    /// What is written of the piece that is being written.
    out: String,
    /// The pieces before it.
    done: Vec<Markup>,
    /// Bytes that are left of it, and of those behind it, the last one first.
    left: Vec<usize>,
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
    fn new(language: Language, until: Instant, texts: &[&str]) -> Self {
        Self {
            out: String::new(),
            done: Vec::with_capacity(texts.len()),
            left: texts.iter().rev().map(|text| text.len()).collect(),
            state: Some(language.begin()),
            stack: ScopeStack::new(),
            classes: Classes::default(),
            language,
            until,
            open: None,
            last: None,
        }
    }

    /// One line with its end.
    fn line(&mut self, line: &str) {
        let changes = self.changes(line);
        let mut from = 0;
        for (at, change) in changes {
            // Changes are in order; one that is not, or within a letter, changes what is behind it.
            if at > from && line.is_char_boundary(at) {
                self.write(&line[from..at]);
                from = at;
            }
            if self.stack.apply(&change).is_err() {
                self.give_up();
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
            self.give_up();
        }
        let Some(state) = &mut self.state else { return Vec::new() };
        let changes = self.language.parse(state, line);
        if changes.is_none() {
            self.give_up();
        }
        changes.unwrap_or_default()
    }

    /// What is left is shown without classes.
    fn give_up(&mut self) {
        self.state = None;
        self.stack = ScopeStack::new();
    }

    /// A part of a line, which may be of several pieces.
    fn write(&mut self, mut part: &str) {
        // White space needs no class, and keeps that of what is before it.
        let class = if part.trim().is_empty() { self.open } else { self.classes.of(self.stack.as_slice()) };
        while !part.is_empty() {
            while self.left.last() == Some(&0) {
                self.end_piece();
            }
            let room = self.left.last().map_or(part.len(), |left| part.len().min(*left));
            // Pieces are texts: none ends within a letter.
            let (now, rest) = part.split_at(room);
            self.turn_to(class);
            text::write_behind(&mut self.out, self.last, now);
            self.last = now.chars().next_back();
            if let Some(left) = self.left.last_mut() {
                *left -= room;
            }
            part = rest;
        }
    }

    fn turn_to(&mut self, class: Option<Class>) {
        if class != self.open {
            if self.open.is_some() {
                self.out.push_str("</span>");
            }
            self.out.push_str(class.map_or("", Class::opening));
            self.open = class;
        }
    }

    fn end_piece(&mut self) {
        self.turn_to(None);
        self.left.pop();
        self.done.push(PreEscaped(std::mem::take(&mut self.out)));
    }

    fn finish(mut self) -> Vec<Markup> {
        while !self.left.is_empty() {
            self.end_piece();
        }
        self.done
    }
}

#[cfg(test)]
mod tests;
