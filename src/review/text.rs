//! Texts of others, as they may be shown: nothing in them moves a cursor, hides or turns round what stands beside it.

use std::borrow::Cow;
use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

/// Columns that a text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// The beginning of a text that takes at most so many columns, with `…` where something is left out.
#[must_use]
pub fn shortened(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let mut end = 0;
    // A thousand letters without width on each other are no word of any language.
    for (at, letter) in text.char_indices().take(1_000) {
        let next = at + letter.len_utf8();
        if width(&text[..next]) >= columns {
            break;
        }
        end = next;
    }
    Cow::Owned(format!("{}…", &text[..end]))
}

/// The text on one line, with everything escaped that would move the cursor, change colours, or reverse or hide what
/// stands beside it.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, misleads, |clean, letter| write!(clean, "{}", letter.escape_unicode()))
}

/// As [`printable`], of a body: its line feeds and tabs stay, and a carriage return before a line feed goes.
#[must_use]
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    let misleads = |letter| letter != '\n' && letter != '\t' && misleads(letter);
    let escape = |clean: &mut String, letter: char| write!(clean, "{}", letter.escape_unicode());
    if text.contains("\r\n") {
        return Cow::Owned(escaped(&text.replace("\r\n", "\n"), misleads, escape).into_owned());
    }
    escaped(text, misleads, escape)
}

/// A value on one line of JSON that means the same and moves no cursor: what misleads stands in strings alone, and there
/// it is escaped.
///
/// # Errors
/// When the value cannot be written as JSON.
pub fn json_line(value: &impl serde::Serialize) -> Result<String, serde_json::Error> {
    let text = serde_json::to_string(value)?;
    let escape = |clean: &mut String, letter: char| {
        let mut units = [0; 2];
        letter.encode_utf16(&mut units).iter().try_for_each(|unit| write!(clean, "\\u{unit:04x}"))
    };
    Ok(match escaped(&text, misleads, escape) {
        Cow::Borrowed(_) => text,
        Cow::Owned(clean) => clean,
    })
}

fn escaped(
    text: &str,
    which: impl Fn(char) -> bool,
    mut escape: impl FnMut(&mut String, char) -> std::fmt::Result,
) -> Cow<'_, str> {
    if !text.chars().any(&which) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        if which(letter) {
            escape(&mut clean, letter).expect("writing to a String does not fail");
        } else {
            clean.push(letter);
        }
    }
    Cow::Owned(clean)
}

/// Controls (C0, DEL, C1), line separators, and the invisible characters that reorder or join text (Unicode TR 36).
#[must_use]
pub fn misleads(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_text_of_any_language_stays() {
        for text in ["", "alice", "josé müller", "山田 太郎", "שלום", "a\\b \"c\"", "👍"] {
            assert!(matches!(printable(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn what_misleads_is_escaped() {
        assert_eq!(printable("\x1b[31mred\x07"), "\\u{1b}[31mred\\u{7}");
        assert_eq!(printable("a\r\nb\tc"), "a\\u{d}\\u{a}b\\u{9}c");
        assert_eq!(printable("\u{9b}2J"), "\\u{9b}2J");
        assert_eq!(printable("abc\u{202e}fdp.exe"), "abc\\u{202e}fdp.exe");
    }

    #[test]
    fn a_body_keeps_its_lines_and_tabs() {
        assert_eq!(
            printable_lines("a\r\n\tb\n\rc\x1b[2J\u{9b}m\u{202e}"),
            "a\n\tb\n\\u{d}c\\u{1b}[2J\\u{9b}m\\u{202e}"
        );
        assert!(matches!(printable_lines("a\n\tb"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_means_the_same_and_is_harmless() {
        let value = serde_json::json!({"a\u{9b}": "\x1b[2J \u{202e} \u{e0001} é\n"});
        let line = json_line(&value).unwrap();
        assert!(!line.chars().any(misleads), "{line:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), value);
    }

    #[test]
    fn texts_are_shortened_to_columns() {
        assert_eq!(shortened("abcdef", 6), "abcdef");
        assert_eq!(shortened("abcdef", 5), "abcd…");
        assert_eq!(shortened("山田太郎", 5), "山田…");
        assert_eq!(shortened("abc", 1), "…");
    }

    proptest! {
        #[test]
        fn what_is_shortened_fits(text in any::<String>(), columns in 1..20_usize) {
            let text = printable(&text);
            prop_assert!(width(&shortened(&text, columns)) <= columns);
        }

        #[test]
        fn no_control_character_gets_through(text in any::<String>()) {
            prop_assert!(!printable(&text).chars().any(misleads));
        }
    }
}
