//! Strings as numbers, so that what is kept of a request or an event is small.

use std::hash::{DefaultHasher, Hasher as _};
use std::num::NonZeroU32;
use std::rc::Rc;

use foldhash::HashMap;

/// A text of [`Names`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name(NonZeroU32);

/// Texts that are few and wanted back: users, languages, editors, models.
#[derive(Debug)]
pub(super) struct Names {
    numbers: HashMap<Rc<str>, Name>,
    texts: Vec<Rc<str>>,
    /// What texts at some places in memory were lately: who hands them over has each of them in one place as a rule.
    lately: [Option<Name>; LATELY],
}

/// More than there are users and editors.
const LATELY: usize = 512;

impl Default for Names {
    fn default() -> Self {
        Self { numbers: HashMap::default(), texts: Vec::new(), lately: [None; LATELY] }
    }
}

impl Names {
    /// The number of a text that says something.
    pub(super) fn number(&mut self, text: Option<&str>) -> Option<Name> {
        let text = said(text)?;
        // Strings lie 16 bytes apart.
        let place = (text.as_ptr().addr() >> 4) % LATELY;
        if let Some(name) = self.lately[place]
            && self.text(name) == text
        {
            return Some(name);
        }
        let name = self.find(text)?;
        self.lately[place] = Some(name);
        Some(name)
    }

    fn find(&mut self, text: &str) -> Option<Name> {
        if let Some(&name) = self.numbers.get(text) {
            return Some(name);
        }
        // Four thousand million texts do not fit the memory; if they did, the last would say nothing.
        let name = Name(u32::try_from(self.texts.len() + 1).ok().and_then(NonZeroU32::new)?);
        let text: Rc<str> = text.into();
        self.texts.push(Rc::clone(&text));
        self.numbers.insert(text, name);
        Some(name)
    }

    pub(super) fn text(&self, name: Name) -> &str {
        &self.texts[name.0.get() as usize - 1]
    }
}

/// A text, unless it says nothing.
pub(super) fn said(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !matches!(*text, "" | "-"))
}

/// An id of a request, a suggestion or an opportunity. There are as many as requests and they are only compared, so
/// their text is not kept: a UUID is its number, another text stands for itself by 128 bits of hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Id([u64; 2]);

impl Id {
    pub(super) fn of(text: &str) -> Self {
        let (high, low) = match uuid::Uuid::try_parse(text) {
            // The one spelling of a UUID that clients send; others are texts of their own.
            Ok(uuid) if text.len() == 36 && !text.bytes().any(|byte| byte.is_ascii_uppercase()) => uuid.as_u64_pair(),
            _ => (hash(0, text), hash(1, text)),
        };
        Self([high, low])
    }
}

fn hash(half: u8, text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_u8(half);
    hasher.write(text.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_number() {
        let mut names = Names::default();
        let [a, b, again] = ["a", "b", "a"].map(|text| names.number(Some(text)).unwrap());
        assert_eq!((a == again, a == b), (true, false));
        assert_eq!((names.text(a), names.text(b)), ("a", "b"));
        assert_eq!([None, Some(""), Some("-")].map(|text| names.number(text)), [None; 3]);
    }

    #[test]
    fn ids_are_told_apart_to_the_letter() {
        let texts = [
            "25fa5824-5df2-4d24-80d5-9c3288365dd3",
            "25FA5824-5DF2-4D24-80D5-9C3288365DD3",
            "25fa58245df24d2480d59c3288365dd3",
            "{25fa5824-5df2-4d24-80d5-9c3288365dd3}",
            "25fa5824-5df2-4d24-80d5-9c3288365dd4",
            "",
            "r-1",
            "r-2",
        ];
        for (place, text) in texts.iter().enumerate() {
            assert_eq!(Id::of(text), Id::of(text));
            for other in &texts[..place] {
                assert_ne!(Id::of(text), Id::of(other), "{text} {other}");
            }
        }
    }
}
