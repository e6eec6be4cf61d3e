//! JSON laid out, with its parts told apart by class.
//!
//! Tool arguments are often cut or no JSON at all, so the text is laid out token by token: each one is shown as it is
//! there, numbers and escapes too, and nothing is lost or made up.

use maud::{Markup, PreEscaped, html};

use super::text;

/// Most bytes that are laid out (100 kB); a longer text is shown as it is.
pub const MOST: usize = 100_000;
/// Levels that are indented; deeper ones stand below each other.
const DEEPEST: usize = 16;
/// A list or an object that takes so many letters or fewer stays on its line.
const SHORT: usize = 60;

/// A JSON text laid out, with the classes `hl-a` (key), `hl-s`, `hl-n` and `hl-l` of [`super::code::highlight`], for within `<pre><code>`. What begins with neither
/// `{` nor `[` is shown as it is. The caller has cut it.
#[must_use]
pub fn json(text: &str) -> Markup {
    if text.len() > MOST || !text.trim_start().starts_with(['{', '[']) {
        return text::visible(text);
    }
    let tokens: Vec<_> = Tokens { rest: text }.collect();
    PreEscaped(Layout::default().write(&tokens))
}

/// A JSON value laid out, as [`json`].
#[must_use]
pub fn value(value: &serde_json::Value) -> Markup {
    json(&value.to_string())
}

/// The arguments of a tool: an object's texts of several lines each below its name, the rest as [`json`].
///
/// An edit's new text is a string with `\n` in it: as JSON nobody can read it.
#[must_use]
pub fn arguments(text: &str) -> Markup {
    let object = (text.len() <= MOST).then(|| serde_json::from_str::<serde_json::Value>(text).ok()).flatten();
    let lines = |value: &serde_json::Value| value.as_str().is_some_and(|text| text.contains('\n'));
    match object.as_ref().and_then(serde_json::Value::as_object) {
        Some(object) if object.values().any(lines) => html! {
            dl.arguments {
                @for (name, value) in object {
                    dt { (text::visible(name)) }
                    dd {
                        @match value.as_str().filter(|text| text.contains('\n')) {
                            Some(text) => pre.code tabindex="0" { code { (text::visible(text)) } },
                            None => pre.code tabindex="0" { code { (self::value(value)) } },
                        }
                    }
                }
            }
        },
        _ => html! { pre.code tabindex="0" { code { (json(text)) } } },
    }
}

/// A piece of JSON text; white space between them is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Open(&'a str),
    Close(&'a str),
    Comma,
    Colon,
    /// With its quotes; that at the end may be missing.
    String(&'a str),
    /// Numbers, words, and what is no JSON.
    Word(&'a str),
}

impl<'a> Token<'a> {
    const fn text(&self) -> &'a str {
        match self {
            Self::Open(text) | Self::Close(text) | Self::String(text) | Self::Word(text) => text,
            Self::Comma => ",",
            Self::Colon => ":",
        }
    }
}

struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let first = self.rest.chars().next()?;
        let length = match first {
            '{' | '}' | '[' | ']' | ',' | ':' => 1,
            '"' => string(self.rest),
            _ => self.rest.find([' ', '\t', '\r', '\n', '{', '}', '[', ']', ',', ':', '"']).unwrap_or(self.rest.len()),
        };
        let (token, rest) = self.rest.split_at(length);
        self.rest = rest;
        Some(match first {
            '{' | '[' => Token::Open(token),
            '}' | ']' => Token::Close(token),
            ',' => Token::Comma,
            ':' => Token::Colon,
            '"' => Token::String(token),
            _ => Token::Word(token),
        })
    }
}

/// Bytes of the string that a text begins with.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[derive(Default)]
struct Layout {
    out: String,
    /// For each level that is open, whether its parts stand on lines of their own.
    levels: Vec<bool>,
    /// How many of them do.
    depth: usize,
}

impl Layout {
    fn write(mut self, tokens: &[Token<'_>]) -> String {
        for (at, token) in tokens.iter().enumerate() {
            let next = tokens.get(at + 1);
            match token {
                Token::Open(text) => {
                    self.out.push_str(text);
                    let long = !matches!(next, None | Some(Token::Close(_))) && !is_short(&tokens[at..]);
                    self.levels.push(long);
                    if long {
                        self.depth += 1;
                        self.line();
                    }
                }
                Token::Close(text) => {
                    if self.levels.pop() == Some(true) {
                        self.depth -= 1;
                        self.line();
                    }
                    self.out.push_str(text);
                    if self.levels.is_empty() && next.is_some() {
                        self.line();
                    }
                }
                Token::Comma => {
                    self.out.push(',');
                    if self.levels.last() == Some(&false) {
                        self.out.push(' ');
                    } else {
                        self.line();
                    }
                }
                Token::Colon => {
                    self.out.push_str(": ");
                }
                Token::String(text) => {
                    self.part(if next == Some(&Token::Colon) { "hl-a" } else { "hl-s" }, text);
                }
                Token::Word(text) => {
                    let number = text.starts_with(|letter: char| letter.is_ascii_digit() || letter == '-');
                    self.part(if number { "hl-n" } else { "hl-l" }, text);
                    if matches!(next, Some(Token::Word(_) | Token::String(_))) {
                        self.out.push(' ');
                    }
                }
            }
        }
        self.out
    }

    fn part(&mut self, class: &str, text: &str) {
        self.out.push_str("<span class=\"");
        self.out.push_str(class);
        self.out.push_str("\">");
        text::write_visible(&mut self.out, text);
        self.out.push_str("</span>");
    }

    fn line(&mut self) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n("  ", self.depth.min(DEEPEST)));
    }
}

/// Whether what is opened here ends within few letters, without another level.
fn is_short(tokens: &[Token<'_>]) -> bool {
    let mut letters = 0;
    for token in tokens.iter().skip(1) {
        match token {
            Token::Close(_) => return true,
            Token::Open(_) => return false,
            _ => letters += token.text().len() + 1,
        }
        if letters > SHORT {
            return false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::harmless::{assert_harmless, shown_text};
    use super::*;

    fn laid_out(text: &str) -> String {
        let markup = json(text).into_string();
        assert_harmless(&markup);
        shown_text(&markup)
    }

    #[test]
    fn objects_are_laid_out() {
        let long = "x".repeat(60);
        for (text, expected) in [
            (r#"{"a":1}"#, r#"{"a": 1}"#.to_owned()),
            ("{}", "{}".to_owned()),
            (r#"[ ]"#, "[]".to_owned()),
            (
                r#"{"a":{"b":[1,2.50e400]},"c":null}"#,
                "{\n  \"a\": {\n    \"b\": [1, 2.50e400]\n  },\n  \"c\": null\n}".to_owned(),
            ),
            (&format!(r#"["{long}","a"]"#), format!("[\n  \"{long}\",\n  \"a\"\n]")),
            (r#"{"a":"\u003c\"}","b":1}"#, r#"{"a": "\u003c\"}", "b": 1}"#.to_owned()),
            // Cut, or no JSON: what is there.
            (r#"{"a":[1,{"b":"c"#, "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"c".to_owned()),
            ("{\"a\":1}{\"b\":2}", "{\"a\": 1}\n{\"b\": 2}".to_owned()),
            ("*** Begin\n Patch", "*** Begin\n Patch".to_owned()),
            ("{]}", "{]\n}".to_owned()),
        ] {
            assert_eq!(laid_out(text), expected, "{text}");
        }
    }

    #[test]
    fn parts_have_classes() {
        assert_eq!(
            json(r#"{"a":["<b>",-1,true]}"#).into_string(),
            concat!(
                "{\n  <span class=\"hl-a\">&quot;a&quot;</span>: [<span class=\"hl-s\">&quot;&lt;b&gt;&quot;</span>, ",
                "<span class=\"hl-n\">-1</span>, <span class=\"hl-l\">true</span>]\n}"
            )
        );
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let deep = "[".repeat(50_000);
        assert!(laid_out(&deep).len() < 50_000 * 60);
        let long = format!("[{}]", "1,".repeat(MOST / 2));
        assert_eq!(json(&long).into_string(), long);
    }

    #[test]
    fn texts_of_several_lines_stand_below_their_names() {
        let markup = arguments(r#"{"path":"a.rs","new":"fn <a>\n}"}"#).into_string();
        assert_harmless(&markup);
        assert_eq!(
            markup,
            concat!(
                r#"<dl class="arguments"><dt>path</dt><dd><pre class="code" tabindex="0"><code>&quot;a.rs&quot;</code></pre></dd>"#,
                r#"<dt>new</dt><dd><pre class="code" tabindex="0"><code>fn &lt;a&gt;"#,
                "\n}</code></pre></dd></dl>"
            )
        );
        for text in [r#"{"a":"b"}"#, r#"{"a":"b\n"#, "", "a\nb", r#"["a\nb"]"#] {
            let markup = arguments(text).into_string();
            assert_harmless(&markup);
            assert!(markup.starts_with("<pre"), "{markup}");
        }
    }

    /// Without the white space between tokens.
    fn packed(text: &str) -> String {
        Tokens { rest: text }.map(|token| token.text().to_owned()).collect::<Vec<_>>().join("\u{1}")
    }

    proptest! {
        #[test]
        fn nothing_is_lost(text in "([\\[{][ -~\u{202e}é\n\t]{0,40}|[\\[\\]{}:,\"a1 \\\\\n]{0,40})") {
            let shown = laid_out(&text);
            prop_assert_eq!(packed(&shown), packed(&text));
            assert_harmless(&arguments(&text).into_string());
        }
    }
}
