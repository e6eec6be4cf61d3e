//! Body of the fuzz target, callable from a plain test.

use maud::PreEscaped;

use super::code::{self, Language};
use super::harmless::{assert_harmless, shown_text};
use super::{diff, json, markdown, text};

/// Languages whose grammars have each other's in them, and some with strings and comments of their own kind.
const LANGUAGES: [&str; 8] = ["rust", "html", "python", "php", "shellscript", "typescriptreact", "markdown", "yaml"];

/// Shows a text in every way that there is. The first byte chooses a language, the second a place where it is cut.
///
/// # Panics
/// When markup has an element, an attribute or an address that contents never have, is not balanced, or does not show
/// the text that was given.
pub fn fuzz_render(data: &[u8]) {
    let Some(([language, at], bytes)) = data.split_first_chunk::<2>() else { return };
    let given = String::from_utf8_lossy(bytes);
    let at = usize::from(*at) % (given.len() + 1);
    let (before, behind) = (0..=at).rev().find_map(|at| given.split_at_checked(at)).unwrap_or_default();

    assert_harmless(&text::visible_bytes(bytes).into_string());
    assert_harmless(&markdown::markdown(&given).into_string());
    assert_harmless(&json::arguments(&given).into_string());
    assert_harmless(&diff::diff(before, behind).into_string());
    shows(&text::visible(&given).into_string(), &given);
    // White space between tokens is laid out anew.
    let laid_out = json::json(&given).into_string();
    assert_harmless(&laid_out);
    assert_eq!(packed(&shown_text(&laid_out)), packed(&given));

    let language = LANGUAGES.get(usize::from(*language)).and_then(|id| Language::of_id(id));
    // A line end is not cut: code is written line by line.
    let pieces = if before.ends_with('\r') { [&*given, ""] } else { [before, behind] };
    let shown = code::pieces(&mut code::Budget::new(), &pieces, language);
    assert_eq!(shown.len(), pieces.len());
    for (PreEscaped(shown), given) in shown.iter().zip(pieces) {
        shows(shown, given);
    }

    let cut = text::cut(&given, at);
    assert!(given.starts_with(cut.shown) && cut.shown.chars().count() + cut.left_out == given.chars().count());
    let (left_out, end) = text::end(&given, at);
    assert!(
        given.ends_with(end) && end.chars().count() + left_out == given.chars().count() && end.chars().count() <= at
    );
}

fn shows(markup: &str, given: &str) {
    assert_harmless(markup);
    assert_eq!(shown_text(markup), given);
}

fn packed(text: &str) -> String {
    text.replace([' ', '\t', '\r', '\n'], "")
}
