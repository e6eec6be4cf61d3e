//! What a page may hold of contents.

use crate::web::render::code;
use crate::web::render::text::{self, Cut};

/// Letters of a page: some ten thousand lines. What is more is behind the links to the bodies.
const LETTERS: usize = 600_000;

/// What is left of that.
pub(super) struct Room {
    letters: usize,
    /// The work of highlighting.
    pub(super) code: code::Budget,
}

impl Room {
    pub(super) fn new() -> Self {
        Self { letters: LETTERS, code: code::Budget::new() }
    }

    /// The beginning of a text, of at most so many letters, as long as there is room.
    pub(super) fn cut<'a>(&mut self, text: &'a str, most: usize) -> Cut<'a> {
        let cut = text::cut(text, most.min(self.letters));
        self.took(cut.shown);
        cut
    }

    /// The end of a text, and how many letters are before it.
    pub(super) fn end<'a>(&mut self, text: &'a str, most: usize) -> (usize, &'a str) {
        let (before, end) = text::end(text, most.min(self.letters));
        self.took(end);
        (before, end)
    }

    fn took(&mut self, text: &str) {
        self.letters = self.letters.saturating_sub(text.chars().count());
    }
}
