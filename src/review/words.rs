//! The words of a search, and where they stand in a text.
//!
//! Words are what the index takes for words: runs of letters, digits and `_`, without regard to case.

use std::ops::Range;

use serde::Serialize;

use super::text::{printable, shortened, width};

/// Where a text that was looked for stands: what comes before it, itself, and what comes after it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Context {
    /// The end of what comes before.
    pub before: String,
    /// What was found.
    pub hit: String,
    /// The beginning of what comes after.
    pub after: String,
}

/// A piece of a text around what was looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Snippet {
    /// The piece, on one printable line; `…` stands where something is left out.
    pub text: String,
    /// Where in `text` hits stand, in bytes, in their order and apart from each other.
    pub hits: Vec<Range<usize>>,
}

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
        terms.truncate(TERMS_MAX);
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

    /// The first place of any term, with what stands around it on one printable line of so many columns (at least
    /// three).
    #[must_use]
    pub fn place(&self, text: &str, columns: usize) -> Option<Context> {
        let found = self.0.iter().find_map(|term| term.find(text))?;
        let hit = one_line(&text[found.0..found.1]);
        // A column on each side says that something is left out there.
        let hit = shortened(&hit, columns.saturating_sub(2).max(1)).into_owned();
        let free = columns.saturating_sub(width(&hit));
        let before = last_columns(&text[..found.0], (free / 3).max(1));
        let after = shortened_line(&text[found.1..], free.saturating_sub(width(&before)).max(1));
        Some(Context { before, hit, after })
    }

    /// Where any of the terms stands, in bytes: at most so many places, in their order and apart from each other.
    #[must_use]
    pub fn hits(&self, text: &str, most: usize) -> Vec<Range<usize>> {
        let mut all: Vec<_> = self.0.iter().flat_map(|term| term.all(text, most)).collect();
        all.sort_by_key(|hit| (hit.start, hit.end));
        let mut apart: Vec<Range<usize>> = Vec::new();
        for hit in all {
            match apart.last_mut() {
                Some(last) if hit.start < last.end => last.end = last.end.max(hit.end),
                _ => apart.push(hit),
            }
        }
        apart.truncate(most);
        apart
    }

    /// About so many letters around the first place of any term, with all hits among them.
    #[must_use]
    pub fn snippet(&self, text: &str, letters: usize) -> Option<Snippet> {
        let (start, end) = self.0.iter().find_map(|term| term.find(text))?;
        let before = text[..start].char_indices().rev().take(letters / 3).last().map_or(start, |(at, _)| at);
        let after = text[end..].char_indices().nth(letters - letters / 3).map_or(text.len(), |(at, _)| end + at);
        // No half words at the edges: they would be taken for words.
        let from = if text[..before].ends_with(is_word) { whole_from(text, before, start) } else { before };
        let to = if text[after..].starts_with(is_word) { whole_to(text, end, after) } else { after };
        let mut snippet = Snippet::default();
        if from > 0 {
            snippet.text.push('…');
        }
        let mut at = from;
        for hit in self.hits(&text[from..to], HITS_MAX) {
            let (first, last) = (from + hit.start, from + hit.end);
            snippet.text.push_str(&one_line(&text[at..first]));
            let begin = snippet.text.len();
            snippet.text.push_str(&one_line(&text[first..last]));
            snippet.hits.push(begin..snippet.text.len());
            at = last;
        }
        snippet.text.push_str(&one_line(&text[at..to]));
        if to < text.len() {
            snippet.text.push('…');
        }
        Some(snippet)
    }
}

/// As many as the index looks for.
const TERMS_MAX: usize = 64;

/// Marks in one snippet: more would be all of it.
const HITS_MAX: usize = 100;

/// The first place from `at` on that is not in the middle of a word; `latest` is known not to be.
fn whole_from(text: &str, at: usize, latest: usize) -> usize {
    text[at..latest].find(|letter| !is_word(letter)).map_or(latest, |found| at + found)
}

/// The last place up to `at` that is not in the middle of a word; `earliest` is known not to be.
fn whole_to(text: &str, earliest: usize, at: usize) -> usize {
    text[earliest..at]
        .char_indices()
        .rev()
        .find(|(_, letter)| !is_word(*letter))
        .map_or(earliest, |(found, letter)| earliest + found + letter.len_utf8())
}

impl Term {
    /// The bytes of the first place.
    fn find(&self, text: &str) -> Option<(usize, usize)> {
        self.next(&mut tokens(text))
    }

    /// The bytes of the first places.
    fn all(&self, text: &str, most: usize) -> Vec<Range<usize>> {
        let mut from = tokens(text);
        std::iter::from_fn(|| self.next(&mut from)).map(|(start, end)| start..end).take(most).collect()
    }

    /// The next place.
    fn next(&self, from: &mut Tokens<'_>) -> Option<(usize, usize)> {
        let (first, rest) = self.words.split_first()?;
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

    fn marked(words: &str, text: &str, letters: usize) -> Option<String> {
        let found = Words::of(words).snippet(text, letters)?;
        let mut line = String::new();
        let mut at = 0;
        for hit in found.hits {
            line.push_str(&format!("{}[{}]", &found.text[at..hit.start], &found.text[hit.clone()]));
            at = hit.end;
        }
        Some(line + &found.text[at..])
    }

    #[test]
    fn a_hit_leaves_room_to_say_that_more_is_there() {
        let place = |columns| {
            let Context { before, hit, after } = Words::of("middle ").place("first middle last", columns).unwrap();
            format!("{before}{hit}{after}")
        };
        assert_eq!([place(3), place(6), place(8), place(9)], ["………", "…mid……", "…middle…", "…middle …"]);
    }

    #[test]
    fn all_hits_of_a_snippet_are_marked() {
        assert_eq!(
            marked("name va", "let Name = value; // the\n name of values", 90).unwrap(),
            "let [Name] = [value]; // the [name] of [values]"
        );
        assert_eq!(marked("\"let name\" name ", "let\tname name", 90).unwrap(), "[let name] [name]");
        assert_eq!(marked("absent", "let name", 90), None);
        assert_eq!(marked("é", "\x1b[2J é", 90).unwrap(), "\\u{1b}[2J [é]");
        assert_eq!(marked("u", "\x1b u", 90).unwrap(), "\\u{1b} [u]", "what we write for a control is no hit");
    }

    #[test]
    fn a_snippet_has_no_half_words_at_its_edges() {
        let text = "surname first name middle name_of last rename";
        assert_eq!(marked("middle name ", text, 12).unwrap(), "… [middle] name_of…");
        assert_eq!(marked("middle ", &format!("{}middle{}", "x".repeat(500), "y".repeat(500)), 30), None);
        assert_eq!(
            marked("middle ", &format!("{} middle {}", "x".repeat(500), "y".repeat(500)), 30).unwrap(),
            "… [middle] …"
        );
    }

    #[test]
    fn hits_are_capped() {
        assert_eq!(Words::of("a ").hits(&"a ".repeat(1000), 7).len(), 7);
        assert_eq!(Words::of(&"a ".repeat(1000)).0.len(), TERMS_MAX);
    }

    proptest! {
        #[test]
        fn whatever_the_text_its_hits_are_places_in_it(words in any::<String>(), text in any::<String>(), letters in 0..50_usize) {
            let words = Words::of(&words);
            let mut last = 0;
            for hit in words.hits(&text, 50) {
                prop_assert!(hit.start >= last && hit.end > hit.start && text.get(hit.clone()).is_some());
                last = hit.end;
            }
            if let Some(found) = words.snippet(&text, letters) {
                prop_assert!(!found.hits.is_empty());
                prop_assert!(found.hits.iter().all(|hit| found.text.get(hit.clone()).is_some()));
                prop_assert_eq!(printable(&found.text).into_owned(), found.text);
            }
        }

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
