//! Which grammar a text has.

use std::sync::OnceLock;

use syntect::parsing::{ParseState, ScopeStackOp, SyntaxReference, SyntaxSet};

/// A language whose grammar is known.
#[derive(Clone, Copy)]
pub struct Language(&'static SyntaxReference);

/// Read once, at the first use; the expressions of a grammar are made when a text first needs them.
fn grammars() -> &'static SyntaxSet {
    static GRAMMARS: OnceLock<SyntaxSet> = OnceLock::new();
    GRAMMARS.get_or_init(two_face::syntax::extra_newlines)
}

/// What editors call a language, and a file extension or name of a grammar, where they differ
/// (<https://code.visualstudio.com/docs/languages/identifiers>, and names used in Markdown fences).
const NAMES: [(&str, &str); 55] = [
    ("aspnetcorerazor", "html"),
    ("bat", "bat"),
    ("bibtex", "bib"),
    ("cmd", "bat"),
    ("code-text-binary", "txt"),
    ("console", "sh"),
    ("cpp", "cpp"),
    ("csharp", "cs"),
    ("cuda-cpp", "cpp"),
    ("cshtml", "html"),
    ("dockercompose", "yaml"),
    ("dockerfile", "Dockerfile"),
    ("django-html", "html"),
    ("elixir", "ex"),
    ("env", "sh"),
    ("dotenv", "sh"),
    ("fortran-modern", "f90"),
    // Files of F# are more than fragment shaders, whose grammar has this extension too.
    ("fs", "fsx"),
    ("fsharp", "fsx"),
    ("git-commit", "COMMIT_EDITMSG"),
    ("github-actions-workflow", "yaml"),
    ("golang", "go"),
    ("handlebars", "html"),
    ("html-eex", "html"),
    ("ignore", "gitignore"),
    ("javascript", "js"),
    ("javascriptreact", "tsx"),
    ("json5", "json"),
    ("jsonc", "json"),
    ("jsonl", "json"),
    ("jsonlines", "json"),
    ("jsx", "tsx"),
    ("jupyter", "json"),
    ("kotlin", "kt"),
    ("latex", "tex"),
    ("markdown", "md"),
    ("mdx", "md"),
    ("objective-c", "m"),
    ("objective-cpp", "mm"),
    ("ocaml", "ml"),
    ("patch", "diff"),
    ("perl", "pl"),
    ("plsql", "sql"),
    ("properties", "properties"),
    ("proto3", "proto"),
    ("python", "py"),
    ("razor", "html"),
    ("rust", "rs"),
    ("shell", "sh"),
    ("shellscript", "sh"),
    ("terraform", "tf"),
    ("typescript", "ts"),
    ("typescriptreact", "tsx"),
    ("vue-html", "html"),
    ("zsh", "sh"),
];

/// The longest name that is looked for.
const LONGEST: usize = 40;

impl Language {
    /// By an editor's language id (`typescriptreact`, `csharp`, `shellscript`), or any name or file extension.
    #[must_use]
    pub fn of_id(id: &str) -> Option<Self> {
        let id = id.trim();
        if id.is_empty() || id.len() > LONGEST {
            return None;
        }
        let lower = id.to_ascii_lowercase();
        let name = NAMES.iter().find(|(name, _)| *name == lower).map_or(&*lower, |(_, name)| name);
        grammars().find_syntax_by_token(name).map(Self).filter(|language| language.0.name != "Plain Text")
    }

    /// By the name of a file, or its extension (`src/App.tsx`, `Dockerfile`).
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path).trim();
        let by_extension = |name: &str| {
            let known = !name.is_empty() && name.len() <= LONGEST;
            known.then(|| grammars().find_syntax_by_extension(name)).flatten().map(Self)
        };
        let whole = by_extension(name).filter(|language| language.0.name != "Plain Text");
        whole.or_else(|| Self::of_id(name.rsplit_once('.')?.1))
    }

    /// By what stands behind the fence of a code block in Markdown (`ts`, `python title="x"`, `{.rust}`).
    #[must_use]
    pub fn of_fence(info: &str) -> Option<Self> {
        let info = info.trim_start_matches(['{', '.', ' ']);
        let word = info.split(|letter: char| letter.is_whitespace() || ",{}:;".contains(letter)).next()?;
        Self::of_id(word)
    }

    /// What the grammar calls itself.
    #[must_use]
    pub fn name(self) -> &'static str {
        &self.0.name
    }

    pub(super) fn begin(self) -> ParseState {
        ParseState::new(self.0)
    }

    /// What changes in a line; none when the grammar cannot read it.
    pub(super) fn parse(self, state: &mut ParseState, line: &str) -> Option<Vec<(usize, ScopeStackOp)>> {
        state.parse_line(line, grammars()).ok()
    }
}

impl std::fmt::Debug for Language {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("Language").field(&self.0.name).finish()
    }
}

impl PartialEq for Language {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Language {}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(language: Option<Language>) -> Option<&'static str> {
        language.map(Language::name)
    }

    #[test]
    fn the_ids_of_editors_are_known() {
        for (id, expected) in [
            ("typescriptreact", "TypeScriptReact"),
            ("typescript", "TypeScript"),
            ("javascript", "JavaScript"),
            ("javascriptreact", "TypeScriptReact"),
            ("csharp", "C#"),
            ("shellscript", "Bourne Again Shell (bash)"),
            ("python", "Python"),
            ("Rust", "Rust"),
            ("go", "Go"),
            ("java", "Java"),
            ("kotlin", "Kotlin"),
            ("cpp", "C++"),
            ("c", "C"),
            ("php", "PHP"),
            ("ruby", "Ruby"),
            ("swift", "Swift"),
            ("sql", "SQL"),
            ("yaml", "YAML"),
            ("toml", "TOML"),
            ("dockerfile", "Dockerfile"),
            ("terraform", "Terraform"),
            ("jsonc", "JSON"),
            ("vue", "Vue Component"),
            ("makefile", "Makefile"),
            ("latex", "LaTeX"),
            ("objective-c", "Objective-C"),
            ("objective-cpp", "Objective-C++"),
            ("svelte", "Svelte"),
            ("dart", "Dart"),
            ("lua", "Lua"),
            ("razor", "HTML"),
            ("html", "HTML"),
            ("css", "CSS"),
            ("scss", "SCSS"),
            ("sass", "Sass"),
            ("less", "Less"),
            ("json", "JSON"),
            ("xml", "XML"),
            ("ini", "INI"),
            ("bat", "Batch File"),
            ("perl", "Perl"),
            ("r", "R"),
            ("julia", "Julia"),
            ("scala", "Scala"),
            ("groovy", "Groovy"),
            ("clojure", "Clojure"),
            ("haskell", "Haskell"),
            ("elixir", "Elixir"),
            ("erlang", "Erlang"),
            ("fsharp", "F#"),
            ("graphql", "GraphQL"),
            ("zig", "Zig"),
            ("nix", "Nix"),
            ("solidity", "Solidity"),
            ("viml", "VimL"),
            ("cmake", "CMake"),
            ("diff", "Diff"),
            ("tcl", "Tcl"),
            ("dockercompose", "YAML"),
            ("coffeescript", "CoffeeScript"),
            ("restructuredtext", "reStructuredText"),
            ("glsl", "GLSL"),
            ("wgsl", "WGSL"),
            ("verilog", "Verilog"),
            ("systemverilog", "SystemVerilog"),
            ("vhdl", "VHDL"),
            ("matlab", "MATLAB"),
            ("ada", "Ada"),
            ("pascal", "Pascal"),
            ("cuda-cpp", "C++"),
            ("lisp", "Lisp"),
            ("elm", "Elm"),
            ("crystal", "Crystal"),
            ("nim", "Nim"),
            ("d", "D"),
            ("aspnetcorerazor", "HTML"),
            ("proto3", "Protocol Buffer"),
            ("git-commit", "Git Commit"),
            ("github-actions-workflow", "YAML"),
            ("fortran-modern", "Fortran (Modern)"),
            ("hcl", "Terraform"),
            ("jinja", "Jinja2"),
            ("erb", "HTML (Rails)"),
        ] {
            assert_eq!(name(Language::of_id(id)), Some(expected), "{id}");
        }
        // Its grammar, which two-face has, needs Oniguruma, a library in C.
        assert_eq!(Language::of_id("powershell"), None);
        for id in ["", "plaintext", "no-such-language", "txt", &"x".repeat(1_000)] {
            assert_eq!(Language::of_id(id), None, "{id}");
        }
    }

    #[test]
    fn paths_and_fences_are_known() {
        for (path, expected) in [
            ("src/App.tsx", Some("TypeScriptReact")),
            ("a\\b\\Program.CS", Some("C#")),
            ("Dockerfile", Some("Dockerfile")),
            ("Parser.fs", Some("F#")),
            ("main.tf", Some("Terraform")),
            ("x/Makefile", Some("Makefile")),
            ("README", None),
            ("a.txt", None),
            ("a.jsx", Some("TypeScriptReact")),
            ("", None),
        ] {
            assert_eq!(name(Language::of_path(path)), expected, "{path}");
        }
        for (fence, expected) in [
            ("rust", Some("Rust")),
            ("rust,ignore", Some("Rust")),
            ("ts title=\"a\"", Some("TypeScript")),
            ("{.python}", Some("Python")),
            ("c++", Some("C++")),
            ("bash", Some("Bourne Again Shell (bash)")),
            ("html", Some("HTML")),
            ("text", None),
            ("", None),
        ] {
            assert_eq!(name(Language::of_fence(fence)), expected, "{fence}");
        }
    }
}
