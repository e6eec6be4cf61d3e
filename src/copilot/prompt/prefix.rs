//! The parts of a ghost-text prompt: what its client put before the code, and the code.
//!
//! Clients write into comments of the file's language which file it is (`// Path: src/a.ts`) and pieces of neighbours
//! (`// Compare this snippet from src/b.ts:`, each line of it commented out), and the text before the cursor last. Nothing
//! but these words tells them from comments of the file: a comment that the code begins with counts to the neighbour
//! before it.

/// What a part of a prefix is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PrefixKind {
    /// Says which language the file is in.
    Language,
    /// Says which file it is.
    Path,
    /// A piece of another file, or what else the client put there for comparison.
    Neighbour,
    /// The text before the cursor.
    Code,
}

/// A part of a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct PrefixPart<'a> {
    /// What it is.
    pub kind: PrefixKind,
    /// The text, with its line ends.
    pub text: &'a str,
    /// The path or the language that it names; of a neighbour the path that it is from.
    pub names: Option<&'a str>,
}

/// Told apart, a prefix's parts in their order. Their texts joined are the prefix. `language` is the client's
/// (`extra.language`); where it is not known, the common forms of comments are tried.
#[must_use]
pub fn parts<'a>(prefix: &'a str, language: Option<&str>) -> Vec<PrefixPart<'a>> {
    let forms = Form::of(language);
    let mut parts: Vec<PrefixPart<'a>> = Vec::new();
    let mut rest = prefix;
    while let Some((part, behind)) = next(rest, &forms) {
        parts.push(part);
        rest = behind;
    }
    if !rest.is_empty() {
        parts.push(PrefixPart { kind: PrefixKind::Code, text: rest, names: None });
    }
    parts
}

/// The part that a text begins with, if it is one of the client's, and what is behind it.
fn next<'a>(text: &'a str, forms: &[Form]) -> Option<(PrefixPart<'a>, &'a str)> {
    let line = first_line(text);
    let behind = &text[line.len()..];
    // Files whose language shows in their first line have that line before the marker.
    if (line.starts_with("#!") || line.starts_with("<!DOCTYPE")) && Said::find(first_line(behind), forms).is_some() {
        return Some((PrefixPart { kind: PrefixKind::Language, text: line, names: None }, behind));
    }
    let (said, form) = Said::find(line, forms)?;
    let (kind, names) = match said {
        Said::Language(name) => (PrefixKind::Language, Some(name)),
        Said::Path(path) => (PrefixKind::Path, Some(path)),
        Said::Compare(path) => (PrefixKind::Neighbour, path),
    };
    let mut end = line.len();
    if kind == PrefixKind::Neighbour {
        for line in behind.split_inclusive('\n') {
            if form.inner(line).is_none_or(|inner| Said::of(inner).is_some()) {
                break;
            }
            end += line.len();
        }
    }
    let (text, behind) = text.split_at(end);
    Some((PrefixPart { kind, text, names }, behind))
}

fn first_line(text: &str) -> &str {
    text.split_inclusive('\n').next().unwrap_or("")
}

/// What a client offers for comparison; several of them have an `s` or `es` more.
const COMPARED: [&str; 11] =
    ["snippet", "function", "method", "class", "interface", "variable", "parameter", "module", "alias", "enum", "type"];

/// What a comment of the client's says.
#[derive(Clone, Copy)]
enum Said<'a> {
    Language(&'a str),
    Path(&'a str),
    Compare(Option<&'a str>),
}

impl<'a> Said<'a> {
    fn find(line: &'a str, forms: &[Form]) -> Option<(Self, Form)> {
        forms.iter().find_map(|form| Some((Self::of(form.inner(line)?)?, *form)))
    }

    fn of(comment: &'a str) -> Option<Self> {
        let comment = comment.trim();
        let named = |begin: &str| comment.strip_prefix(begin).map(str::trim).filter(|name| !name.is_empty());
        if let Some(path) = named("Path:") {
            return Some(Self::Path(path));
        }
        if let Some(language) = named("Language:") {
            return Some(Self::Language(language));
        }
        let what = comment.strip_suffix(':')?;
        if what == "Consider this related information" {
            return Some(Self::Compare(None));
        }
        let what = what.strip_prefix("Compare this ").or_else(|| what.strip_prefix("Compare these "))?;
        let (what, path) = what.split_once(" from ").map_or((what, None), |(what, path)| (what, Some(path.trim())));
        COMPARED.iter().any(|known| what.starts_with(known)).then_some(Self::Compare(path))
    }
}

/// How a line is commented out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Form {
    begin: &'static str,
    end: &'static str,
}

impl Form {
    const fn new(begin: &'static str, end: &'static str) -> Self {
        Self { begin, end }
    }

    /// What stands in the comment that a line is.
    fn inner(self, line: &str) -> Option<&str> {
        line.trim_end().strip_prefix(self.begin)?.strip_suffix(self.end)
    }

    fn of(language: Option<&str>) -> Vec<Self> {
        let special = language.and_then(|language| {
            let mut rows =
                SPECIAL.iter().filter(|(names, _)| names.split(' ').any(|name| name.eq_ignore_ascii_case(language)));
            rows.next().map(|(_, form)| *form)
        });
        special.into_iter().chain(COMMON).collect()
    }
}

/// Tried for all languages. The longer one of two that begin alike is first.
const COMMON: [Form; 9] = [
    Form::new("//", ""),
    Form::new("#", ""),
    Form::new("<!--", "-->"),
    Form::new("<%--", "--%>"),
    Form::new("--", ""),
    Form::new("/*", "*/"),
    Form::new("{#", "#}"),
    Form::new("(*", "*)"),
    Form::new(";", ""),
];

/// Forms that could be code in other languages, with the ids of those that have them.
const SPECIAL: [(&str, Form); 7] = [
    ("abap vim viml", Form::new("\"", "")),
    ("bat", Form::new("REM", "")),
    ("vb vba vbnet", Form::new("'", "")),
    ("latex tex bibtex erlang matlab prolog", Form::new("%", "")),
    ("fortran fortran-modern fortranfreeform", Form::new("!", "")),
    ("cobol", Form::new("*", "")),
    ("haml", Form::new("-#", "")),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(prefix: &str, language: Option<&str>) -> Vec<(PrefixKind, String, Option<String>)> {
        let parts = parts(prefix, language).into_iter();
        parts.map(|part| (part.kind, part.text.to_owned(), part.names.map(str::to_owned))).collect()
    }

    fn part(kind: PrefixKind, text: &str, names: Option<&str>) -> (PrefixKind, String, Option<String>) {
        (kind, text.to_owned(), names.map(str::to_owned))
    }

    #[test]
    fn the_path_the_neighbours_and_the_code_are_told_apart() {
        use PrefixKind::{Code, Neighbour, Path};
        let prefix = "\
// Path: src\\app.ts
// Compare this snippet from src/b.ts:
// import x from \"x\";
//
// // Path of it
// Compare these snippets from src/c.ts:
// y
import z";
        assert_eq!(
            told(prefix, Some("typescript")),
            [
                part(Path, "// Path: src\\app.ts\n", Some("src\\app.ts")),
                part(
                    Neighbour,
                    "// Compare this snippet from src/b.ts:\n// import x from \"x\";\n//\n// // Path of it\n",
                    Some("src/b.ts")
                ),
                part(Neighbour, "// Compare these snippets from src/c.ts:\n// y\n", Some("src/c.ts")),
                part(Code, "import z", None),
            ]
        );
    }

    #[test]
    fn each_language_has_its_comments() {
        for (line, language) in [
            ("# Path: a", Some("python")),
            ("<!-- Path: a -->", Some("html")),
            ("<!--Path: a-->\r", Some("vue")),
            ("-- Path: a", Some("sql")),
            ("/* Path: a */", Some("css")),
            ("; Path: a", Some("clojure")),
            ("% Path: a", Some("latex")),
            ("\" Path: a", Some("vim")),
            ("' Path: a", Some("VB")),
            ("REM Path: a", Some("bat")),
            ("! Path: a", Some("fortran")),
            ("{# Path: a #}", None),
            ("(* Path: a *)", Some("ocaml")),
            ("// Path: a", None),
            ("// Path: a", Some("latex")),
        ] {
            let line = format!("{line}\n");
            assert_eq!(
                told(&format!("{line}x"), language),
                [part(PrefixKind::Path, &line, Some("a")), part(PrefixKind::Code, "x", None)],
                "{language:?}"
            );
        }
    }

    #[test]
    fn other_texts_are_code() {
        for (prefix, language) in [
            ("let a = 1;\n// Path: a\n", Some("rust")),
            ("// Path:\nx", None),
            ("// The path: a\nx", None),
            ("\" Path: a\n", Some("rust")),
            ("<!-- Path: a\n", Some("html")),
            ("// Compare this with that from here, would you:\n", None),
            ("// Compare this snippet from a\n", None),
            ("#!/bin/sh\necho", Some("shellscript")),
            ("\n// Path: a", None),
        ] {
            assert_eq!(told(prefix, language), [part(PrefixKind::Code, prefix, None)], "{prefix:?}");
        }
        assert_eq!(told("", None), []);
    }

    #[test]
    fn what_names_the_language_is_told() {
        use PrefixKind::{Code, Language, Path};
        assert_eq!(
            told("// Language: go\n// Path: a.go\n", None),
            [part(Language, "// Language: go\n", Some("go")), part(Path, "// Path: a.go\n", Some("a.go"))]
        );
        assert_eq!(
            told("#!/usr/bin/env python3\n# Path: a\nx", Some("python")),
            [
                part(Language, "#!/usr/bin/env python3\n", None),
                part(Path, "# Path: a\n", Some("a")),
                part(Code, "x", None)
            ]
        );
    }

    proptest! {
        #[test]
        fn the_parts_joined_are_the_prefix(
            lines in prop::collection::vec(
                "(// |# |<!-- |-- |\" |)(Path: a|Language: b|Compare this snippet from c:|Compare these snippets:|x|é|)( -->)?(\r)?",
                0..12
            ),
            end in any::<bool>(),
            language in prop::option::of("(python|vim|html|é)"),
        ) {
            let mut prefix = lines.join("\n");
            if end {
                prefix.push('\n');
            }
            let parts = parts(&prefix, language.as_deref());
            prop_assert_eq!(&parts.iter().map(|part| part.text).collect::<String>(), &prefix);
            prop_assert!(parts.iter().all(|part| !part.text.is_empty()));
            prop_assert!(parts.iter().rev().skip(1).all(|part| part.kind != PrefixKind::Code));
        }

        #[test]
        fn any_text_has_parts(prefix in any::<String>()) {
            prop_assert_eq!(parts(&prefix, None).iter().map(|part| part.text).collect::<String>(), prefix);
        }
    }
}
