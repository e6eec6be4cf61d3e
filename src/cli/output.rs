//! What reaches a terminal: colours only where they are wanted, and never a control sequence of somebody else's.

use std::borrow::Cow;
use std::fmt::Write;
use std::io::IsTerminal;

/// Whether to colour what is written there: a terminal that can, and nobody said `NO_COLOR` (<https://no-color.org>).
#[must_use]
pub fn colour(stream: &impl IsTerminal) -> bool {
    let set = |name| std::env::var_os(name).filter(|text| !text.is_empty());
    stream.is_terminal() && set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb")
}

/// The text on one line, with everything escaped that would move the cursor, change colours, or reverse or hide what
/// stands beside it.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(misleads) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        if misleads(letter) {
            write!(clean, "{}", letter.escape_unicode()).expect("writing to a String does not fail");
        } else {
            clean.push(letter);
        }
    }
    Cow::Owned(clean)
}

/// Controls (C0, DEL, C1), line separators, and the invisible characters that reorder or join text (Unicode TR 36).
fn misleads(letter: char) -> bool {
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

    proptest! {
        #[test]
        fn no_control_character_gets_through(text in any::<String>()) {
            prop_assert!(!printable(&text).chars().any(misleads));
        }
    }
}
