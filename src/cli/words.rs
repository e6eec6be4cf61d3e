//! The words of a search, and where they stand in a text.
//!
//! Words are what the index takes for words: runs of letters, digits and `_`, without regard to case.

use super::output::{printable, shortened, width};
use super::print::Context;

/// What is looked for: terms that must all be there, each a word or a phrase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words(Vec<Term>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    words: Vec<String>,
    /// The last word may go on.
    open: bool,
}

impl Words {
    /// Reads a text as `Index::list` does: words, phrases in double quotes, the last word may go on.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut terms = Vec::new();
        for (at, piece) in text.split('"').enumerate() {
            let words = tokens(piece).map(|(_, word)| lower(word));
            if at % 2 == 1 {
                terms.push(Term { words: words.collect(), open: false });
            } else {
                terms.extend(words.map(|word| Term { words: vec![word], open: false }));
            }
        }
        terms.retain(|term| !term.words.is_empty());
        if let Some(last) = terms.last_mut() {
            last.open = text.chars().next_back().is_some_and(is_word);
        }
        Self(terms)
    }

    /// There is nothing to look for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first place of any term, with what stands around it on one printable line of so many columns.
    #[must_use]
    pub fn place(&self, text: &str, columns: usize) -> Option<Context> {
        let found = self.0.iter().find_map(|term| term.find(text))?;
        let hit = one_line(&text[found.0..found.1]);
        let hit = shortened(&hit, columns).into_owned();
        let free = columns.saturating_sub(width(&hit));
        let before = last_columns(&text[..found.0], free / 3);
        let after = shortened_line(&text[found.1..], free.saturating_sub(width(&before)).max(1));
        Some(Context { before, hit, after })
    }
}

impl Term {
    /// The bytes of the first place.
    fn find(&self, text: &str) -> Option<(usize, usize)> {
        let (first, rest) = self.words.split_first()?;
        let mut from = tokens(text);
        while let Some((start, word)) = from.next() {
            let mut end = start + word.len();
            if !self.fits(first, word, rest.is_empty()) {
                continue;
            }
            let mut ahead = from.clone();
            let all = rest.iter().enumerate().all(|(at, wanted)| {
                ahead.next().is_some_and(|(start, word)| {
                    end = start + word.len();
                    self.fits(wanted, word, at + 1 == rest.len())
                })
            });
            if all {
                return Some((start, end));
            }
        }
        None
    }

    fn fits(&self, wanted: &str, word: &str, last: bool) -> bool {
        // Most words differ in their first letter: that costs no memory.
        let begins = |word: &str| word.chars().flat_map(char::to_lowercase).zip(wanted.chars()).all(|(a, b)| a == b);
        if !begins(word) {
            return false;
        }
        let lower = lower(word);
        if last && self.open { lower.starts_with(wanted) } else { lower == wanted }
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn lower(word: &str) -> String {
    word.chars().flat_map(char::to_lowercase).collect()
}

/// Words with the place where each begins.
#[derive(Clone)]
struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

fn tokens(text: &str) -> Tokens<'_> {
    Tokens { text, at: 0 }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.text.get(self.at..)?;
        let start = self.at + rest.find(is_word)?;
        let rest = self.text.get(start..)?;
        let length = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
        self.at = start + length;
        Some((start, &rest[..length]))
    }
}

/// White space of any kind is one space.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for letter in text.chars() {
        if !letter.is_whitespace() {
            line.push(letter);
        } else if !line.ends_with(' ') {
            line.push(' ');
        }
    }
    printable(&line).into_owned()
}

/// Letters that are looked at for a line of context: more than any terminal shows.
const LOOK_AT: usize = 400;

fn shortened_line(text: &str, columns: usize) -> String {
    let near: String = text.chars().take(LOOK_AT).collect();
    shortened(one_line(&near).trim_end(), columns).into_owned()
}

/// The end of a text.
fn last_columns(text: &str, columns: usize) -> String {
    let near: Vec<char> = text.chars().rev().take(LOOK_AT).collect();
    let line = one_line(&near.into_iter().rev().collect::<String>());
    let line = line.trim_start();
    if width(line) <= columns {
        return line.to_owned();
    }
    let mut kept = String::new();
    for (at, _) in line.char_indices().rev() {
        if width(&line[at..]) >= columns {
            break;
        }
        kept = line[at..].to_owned();
    }
    format!("…{kept}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place(words: &str, text: &str) -> Option<String> {
        let found = Words::of(words).place(text, 60)?;
        Some(format!("{}[{}]{}", found.before, found.hit, found.after))
    }

    #[test]
    fn words_are_found_where_they_stand() {
        assert_eq!(place("name", "let Name = 1;").unwrap(), "let [Name] = 1;");
        assert_eq!(place("nam", "let name = 1;").unwrap(), "let [name] = 1;");
        assert_eq!(place("nam x", "let name = x;").unwrap(), "let name = [x];", "the first must be whole");
        assert_eq!(place("\"nam\"", "let name"), None);
        assert_eq!(place("\"let name\"", "x let\n\t name = y").unwrap(), "x [let name] = y");
        assert_eq!(place("\"let name", "let names, let name").unwrap(), "[let names], let name");
        assert_eq!(place("read_con", "fn read_config()").unwrap(), "fn [read_config]()");
        assert_eq!(place("io::read", "use std::io").unwrap(), "use std::[io]", "punctuation separates");
        assert_eq!(place("nam ", "let name"), None, "a word that was ended does not go on");
        assert_eq!(place("ÉCOLE", "l'école").unwrap(), "l'[école]");
        assert_eq!(place("?", "?"), None);
    }

    #[test]
    fn long_lines_are_cut_on_both_sides_and_nothing_misleads() {
        let text = format!("{}needle{}", "before ".repeat(100), " after\x1b[2J".repeat(100));
        let found = Words::of("needle").place(&text, 40).unwrap();
        let line = format!("{}{}{}", found.before, found.hit, found.after);
        assert_eq!(found.hit, "needle");
        assert!(found.before.starts_with('…') && found.after.ends_with('…'), "{line}");
        assert!(width(&line) <= 41 && printable(&line) == line, "{line}");
    }

    proptest! {
        #[test]
        fn whatever_the_text_it_is_one_printable_line(words in any::<String>(), text in any::<String>()) {
            if let Some(found) = Words::of(&words).place(&text, 30) {
                let line = format!("{}{}{}", found.before, found.hit, found.after);
                prop_assert_eq!(printable(&line).into_owned(), line);
            }
        }

        #[test]
        fn a_word_of_the_text_is_found(text in "[a-z ,.é]{0,80}") {
            for (_, word) in tokens(&text) {
                prop_assert!(Words::of(word).place(&text, 30).is_some());
            }
        }
    }
}
