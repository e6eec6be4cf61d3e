//! Which class a part of code has: twelve that a person tells apart, of the thousands of scopes that grammars name.

use std::sync::OnceLock;

use syntect::parsing::Scope;

/// A class of the style sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Keyword,
    String,
    Comment,
    Number,
    Function,
    Type,
    Constant,
    Operator,
    Punctuation,
    Tag,
    Attribute,
    Variable,
    /// Nothing of its own, whatever lies around it.
    Plain,
}

impl Class {
    /// The tag that opens it.
    pub(super) const fn opening(self) -> &'static str {
        match self {
            Self::Keyword => r#"<span class="hl-k">"#,
            Self::String => r#"<span class="hl-s">"#,
            Self::Comment => r#"<span class="hl-c">"#,
            Self::Number => r#"<span class="hl-n">"#,
            Self::Function => r#"<span class="hl-f">"#,
            Self::Type => r#"<span class="hl-t">"#,
            Self::Constant => r#"<span class="hl-l">"#,
            Self::Operator => r#"<span class="hl-o">"#,
            Self::Punctuation => r#"<span class="hl-p">"#,
            Self::Tag => r#"<span class="hl-g">"#,
            Self::Attribute => r#"<span class="hl-a">"#,
            Self::Variable => r#"<span class="hl-v">"#,
            Self::Plain => "<span>",
        }
    }
}

/// Beginnings of scopes, as <https://www.sublimetext.com/docs/scope_naming.html> names them; the first that fits counts.
const SCOPES: [(&str, Class); 41] = [
    ("comment", Class::Comment),
    ("punctuation.definition.comment", Class::Comment),
    ("punctuation.definition.string", Class::String),
    ("punctuation.definition.tag", Class::Punctuation),
    ("punctuation.section.interpolation", Class::Operator),
    ("meta.interpolation", Class::Plain),
    ("meta.template.expression", Class::Plain),
    ("constant.numeric", Class::Number),
    ("constant.character.escape", Class::Constant),
    ("constant.other.placeholder", Class::Constant),
    ("constant", Class::Constant),
    ("support.constant", Class::Constant),
    ("string", Class::String),
    ("keyword.operator.word", Class::Keyword),
    ("keyword.operator.logical.python", Class::Keyword),
    ("keyword.operator", Class::Operator),
    ("keyword", Class::Keyword),
    ("storage.type.function.arrow", Class::Operator),
    ("storage", Class::Keyword),
    ("variable.language", Class::Keyword),
    ("variable.function", Class::Function),
    ("variable.annotation", Class::Attribute),
    ("variable", Class::Variable),
    ("entity.name.function", Class::Function),
    ("support.function", Class::Function),
    ("entity.name.tag", Class::Tag),
    ("entity.other.attribute-name", Class::Attribute),
    ("support.type.property-name", Class::Attribute),
    ("meta.mapping.key", Class::Attribute),
    ("meta.object-literal.key", Class::Attribute),
    ("entity.other.inherited-class", Class::Type),
    ("entity.name.section", Class::Function),
    ("entity.name.label", Class::Attribute),
    ("entity.name", Class::Type),
    ("support.type", Class::Type),
    ("support.class", Class::Type),
    ("markup.heading", Class::Function),
    ("markup.inserted", Class::String),
    ("markup.deleted", Class::Keyword),
    ("markup.raw", Class::String),
    ("punctuation", Class::Punctuation),
];

fn scopes() -> &'static [(Scope, Class)] {
    static PARSED: OnceLock<Vec<(Scope, Class)>> = OnceLock::new();
    PARSED.get_or_init(|| {
        let parsed = SCOPES.iter().filter_map(|(name, class)| Some((Scope::new(name).ok()?, *class)));
        parsed.collect()
    })
}

/// The classes of scopes that were asked for.
#[derive(Default)]
pub(super) struct Classes {
    /// A text has a few dozen scopes: to look through them is faster than to match the beginnings again.
    known: Vec<(Scope, Option<Class>)>,
}

impl Classes {
    /// The class of the innermost scope that has one.
    pub(super) fn of(&mut self, stack: &[Scope]) -> Option<Class> {
        stack.iter().rev().find_map(|scope| self.scope(*scope)).filter(|class| *class != Class::Plain)
    }

    fn scope(&mut self, scope: Scope) -> Option<Class> {
        if let Some((_, class)) = self.known.iter().find(|(known, _)| *known == scope) {
            return *class;
        }
        let class = scopes().iter().find(|(beginning, _)| beginning.is_prefix_of(scope)).map(|(_, class)| *class);
        self.known.push((scope, class));
        class
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_beginnings_are_scopes() {
        assert_eq!(scopes().len(), SCOPES.len());
    }

    #[test]
    fn the_innermost_scope_counts() {
        let stack = |names: &[&str]| -> Vec<Scope> { names.iter().map(|name| Scope::new(name).unwrap()).collect() };
        for (names, expected) in [
            (&["source.rust", "meta.function.rust"][..], None),
            (&["source.rust", "string.quoted.double.rust"], Some(Class::String)),
            (&["source.js", "string.quoted.js", "constant.character.escape.js"], Some(Class::Constant)),
            (&["source.js", "string.quoted.js", "punctuation.definition.string.begin.js"], Some(Class::String)),
            (&["source.js", "string.template.js", "meta.template.expression.js"], None),
            (&["source.py", "keyword.operator.arithmetic.python"], Some(Class::Operator)),
            (&["source.py", "comment.line.py", "punctuation.definition.comment.py"], Some(Class::Comment)),
            (&[], None),
        ] {
            assert_eq!(Classes::default().of(&stack(names)), expected, "{names:?}");
        }
    }
}
