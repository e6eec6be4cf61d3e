//! Texts of others, with everything visible that a screen would obey instead of showing it.

use std::fmt::Write;

use maud::{Escaper, Markup, PreEscaped, html};

use crate::review::amounts::number;

/// Most letters of one text on a page (200,000): some 4,000 lines of code, which nobody reads in a browser.
pub const MOST: usize = 200_000;
/// Letters that a mark counts as, for it takes so much of the page.
const MARK: usize = 40;

/// The beginning of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut<'a> {
    /// What is shown.
    pub shown: &'a str,
    /// Letters (Unicode scalar values) that are left out behind it.
    pub left_out: usize,
}

/// The beginning of a text, of at most so many letters; a mark counts as 40.
#[must_use]
pub fn cut(text: &str, most: usize) -> Cut<'_> {
    // Even if each byte were a mark.
    if text.len() <= most / MARK {
        return Cut { shown: text, left_out: 0 };
    }
    let (mut weight, mut before) = (0, None);
    for (at, letter) in text.char_indices() {
        weight += if mark(before, letter).is_some() { MARK } else { 1 };
        if weight > most {
            return Cut { shown: &text[..at], left_out: text[at..].chars().count() };
        }
        before = Some(letter);
    }
    Cut { shown: text, left_out: 0 }
}

/// The end of a text, of at most so many letters, on whole lines if it has any; and how many letters are before it.
#[must_use]
pub fn end(text: &str, most: usize) -> (usize, &str) {
    let Some((at, _)) = text.char_indices().rev().nth(most) else { return (0, text) };
    // The letter there is the first that is too much.
    let behind = text.get(at..).and_then(|rest| Some(at + rest.chars().next()?.len_utf8())).unwrap_or(text.len());
    let from = text.get(behind..).and_then(|rest| rest.find('\n')).map_or(behind, |line| behind + line + 1);
    (text[..from].chars().count(), &text[from..])
}

/// A text as it is, in letters that are shown: see [`visible`]. Cut at [`MOST`], which is said behind it.
#[must_use]
pub fn text(text: &str) -> Markup {
    let cut = cut(text, MOST);
    html! { (visible(cut.shown)) (left_out(cut.left_out)) }
}

/// `… 1,234 more characters are not shown`, if there are.
#[must_use]
pub fn left_out(letters: usize) -> Markup {
    html! {
        @if letters > 0 {
            span.left-out { "… " (number(letters as u64)) " more character" @if letters > 1 { "s" } " not shown" }
        }
    }
}

/// A text of which each letter that moves the cursor, reorders or hides what stands beside it, or has no width, is a mark
/// (`<span class="ctl" title="U+202E">U+202E</span>`). Line feeds and tabs stay, and a carriage return before a line feed.
#[must_use]
pub fn visible(text: &str) -> Markup {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    write_visible(&mut out, text);
    PreEscaped(out)
}

/// Bytes as [`visible`] text; those that are no UTF-8 are marks (`<span class="ctl" title="byte 0xFF">\xFF</span>`).
#[must_use]
pub fn visible_bytes(bytes: &[u8]) -> Markup {
    let mut out = String::with_capacity(bytes.len() + bytes.len() / 16);
    for chunk in bytes.utf8_chunks() {
        write_visible(&mut out, chunk.valid());
        for byte in chunk.invalid() {
            // A String takes all that is written.
            let _ = write!(out, r#"<span class="ctl" title="byte 0x{byte:02X}">\x{byte:02X}</span>"#);
        }
    }
    PreEscaped(out)
}

/// Whether a text has a letter of which [`visible`] makes a mark.
pub(super) fn misleads(text: &str) -> bool {
    text.chars().any(|letter| letter == '\r' || mark(Some('a'), letter).is_some())
}

/// Adds [`visible`] text.
pub(super) fn write_visible(out: &mut String, text: &str) {
    write_behind(out, None, text);
}

/// As [`write_visible`], behind a letter: what a text looks like does not depend on how it is cut into pieces.
pub(super) fn write_behind(out: &mut String, mut before: Option<char>, text: &str) {
    let mut plain = 0;
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let line_end = letter == '\r' && letters.peek().is_some_and(|(_, next)| *next == '\n');
        if let Some(mark) = mark(before, letter).filter(|_| !line_end) {
            escape(out, &text[plain..at]);
            write_mark(out, letter, mark);
            plain = at + letter.len_utf8();
        }
        before = Some(letter);
    }
    escape(out, &text[plain..]);
}

fn escape(out: &mut String, text: &str) {
    let _ = Escaper::new(out).write_str(text);
}

fn write_mark(out: &mut String, letter: char, mark: Mark) {
    let number = u32::from(letter);
    let _ = match mark {
        Mark::Picture(picture) => write!(out, r#"<span class="ctl" title="U+{number:04X}">{picture}</span>"#),
        Mark::Number => write!(out, r#"<span class="ctl" title="U+{number:04X}">U+{number:04X}</span>"#),
    };
}

#[derive(Clone, Copy)]
enum Mark {
    /// A letter that shows it, of the block Control Pictures.
    Picture(char),
    Number,
}

/// How a letter is shown that must not be obeyed (Unicode TR 36): controls, line separators, and the invisible ones that
/// reorder, join or hide text.
fn mark(before: Option<char>, letter: char) -> Option<Mark> {
    match letter {
        '\n' | '\t' => None,
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(letter)).map(Mark::Picture),
        '\u{7f}' => Some(Mark::Picture('␡')),
        // Emoji of several people are joined by it.
        '\u{200d}' if before.is_some_and(is_picture) => None,
        // One after a letter chooses how the letter looks; rows of them carry hidden text.
        '\u{fe00}'..='\u{fe0f}' => {
            before.is_none_or(|before| is_selector(before) || before.is_whitespace()).then_some(Mark::Number)
        }
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}' => Some(Mark::Number),
        _ => None,
    }
}

fn is_selector(letter: char) -> bool {
    matches!(letter, '\u{fe00}'..='\u{fe0f}')
}

fn is_picture(letter: char) -> bool {
    matches!(letter, '\u{2190}'..='\u{2bff}' | '\u{fe0f}' | '\u{1f000}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::harmless::{assert_harmless, shown_text};
    use super::*;

    #[test]
    fn ordinary_text_of_any_language_stays() {
        for text in
            ["", "a\n\tb\r\nc", "josé", "山田 太郎", "שלום", "👍", "👩\u{200d}💻 ❤\u{fe0f}", "1\u{fe0f}\u{20e3}"]
        {
            assert_eq!(visible(text).into_string(), text);
        }
    }

    #[test]
    fn what_misleads_is_a_mark() {
        let ctl = |name: &str, text: &str| format!(r#"<span class="ctl" title="{name}">{text}</span>"#);
        for (text, expected) in [
            ("\x1b[31m", format!("{}[31m", ctl("U+001B", "␛"))),
            ("a\rb", format!("a{}b", ctl("U+000D", "␍"))),
            ("\u{202e}x", format!("{}x", ctl("U+202E", "U+202E"))),
            ("\u{2066}\u{200b}", format!("{}{}", ctl("U+2066", "U+2066"), ctl("U+200B", "U+200B"))),
            ("\u{9b}2J", format!("{}2J", ctl("U+009B", "U+009B"))),
            ("a\u{200d}b", format!("a{}b", ctl("U+200D", "U+200D"))),
            ("a\u{fe01}\u{fe02}", format!("a\u{fe01}{}", ctl("U+FE02", "U+FE02"))),
            ("\u{e0041}", ctl("U+E0041", "U+E0041")),
            ("<b>&\"", "&lt;b&gt;&amp;&quot;".to_owned()),
        ] {
            assert_eq!(visible(text).into_string(), expected, "{text:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_marks() {
        let shown = visible_bytes(b"a\xff\xc3(\x00").into_string();
        let byte = |byte: &str| format!(r#"<span class="ctl" title="byte 0x{byte}">\x{byte}</span>"#);
        assert_eq!(shown, format!(r#"a{}{}(<span class="ctl" title="U+0000">␀</span>"#, byte("FF"), byte("C3")));
    }

    #[test]
    fn the_end_of_a_text_is_of_whole_lines() {
        assert_eq!(end("ab\ncd\nef", 5), (6, "ef"));
        assert_eq!(end("äb", 1), (1, "b"));
        assert_eq!(end("ab", 2), (0, "ab"));
        assert_eq!(end("ab\n", 0), (3, ""));
    }

    #[test]
    fn a_cut_counts_what_is_left_out() {
        assert_eq!(cut("äöü", 2), Cut { shown: "äö", left_out: 1 });
        assert_eq!(cut("äöü", 3), Cut { shown: "äöü", left_out: 0 });
        assert_eq!(cut("", 0), Cut { shown: "", left_out: 0 });
        assert_eq!(cut("\0\0\0", 80), Cut { shown: "\0\0", left_out: 1 });
        let long = "x".repeat(MOST + 1_234);
        let shown = text(&long).into_string();
        assert!(shown.ends_with(r#"<span class="left-out">… 1,234 more characters not shown</span>"#), "{shown}");
        assert!(shown.len() < MOST + 200);
        assert!(!text("x").into_string().contains("left-out"));
    }

    proptest! {
        #[test]
        fn the_text_is_the_one_that_was_given(text in any::<String>(), most in 0_usize..200) {
            let markup = visible(&text).into_string();
            assert_harmless(&markup);
            prop_assert_eq!(shown_text(&markup), text.as_str());
            let cut = cut(&text, most);
            prop_assert!(text.starts_with(cut.shown));
            prop_assert_eq!(cut.shown.chars().count() + cut.left_out, text.chars().count());
        }

        #[test]
        fn pieces_look_as_the_whole(text in "[a\u{200d}👩\u{fe0f}\r\n\0]{0,8}", at in 0_usize..40) {
            let at = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            // A line end is not cut: code is written line by line.
            prop_assume!(!text[..at].ends_with('\r'));
            let mut out = String::new();
            write_behind(&mut out, None, &text[..at]);
            write_behind(&mut out, text[..at].chars().next_back(), &text[at..]);
            prop_assert_eq!(out, visible(&text).into_string());
        }

        #[test]
        fn bytes_never_harm(bytes in any::<Vec<u8>>()) {
            assert_harmless(&visible_bytes(&bytes).into_string());
        }
    }
}
