//! The older tool's noise rules, as tags: it dropped these records, we count them.

use super::answer::Answer;
use super::prompt::Prompt;
use crate::rules::Kind;

/// Why the older tool (1.3 and later) would not have counted an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Noise {
    /// Ghost text of VS Code or JetBrains whose answer has no text.
    NoText,
    /// A chat of VS Code with `stop` in the body.
    Stop,
    /// A chat of JetBrains whose last message is not the user's.
    NotUser,
    /// A chat of JetBrains that offers tools.
    Tools,
}

impl Noise {
    /// Its name, as in exports and in the index.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoText => "no-text",
            Self::Stop => "stop",
            Self::NotUser => "not-user",
            Self::Tools => "tools",
        }
    }
}

/// The first rule that holds. `editor`: the value of `Editor-Version`.
///
/// What cannot be known is no noise: a prompt that could not be read, or the last message of one that was cut.
#[must_use]
pub fn noise(kind: Kind, editor: Option<&str>, prompt: Option<&Prompt>, answer: Option<&Answer>) -> Option<Noise> {
    let family = Family::of(editor?)?;
    match (kind, family) {
        (Kind::Completions, _) => (!has_text(answer)).then_some(Noise::NoText),
        (Kind::Chat, Family::VsCode) => prompt?.has_stop.then_some(Noise::Stop),
        (Kind::Chat, Family::JetBrains) => {
            let prompt = prompt?;
            let last = prompt.turns.last().filter(|_| !prompt.cut);
            if last.is_some_and(|turn| turn.role != "user") {
                Some(Noise::NotUser)
            } else {
                (!prompt.tools.is_empty()).then_some(Noise::Tools)
            }
        }
        _ => None,
    }
}

/// The editors that the older tool has rules for.
enum Family {
    VsCode,
    JetBrains,
}

impl Family {
    fn of(editor: &str) -> Option<Self> {
        let begins =
            |name: &str| editor.get(..name.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(name));
        if begins("vscode") {
            Some(Self::VsCode)
        } else if begins("JetBrains") {
            Some(Self::JetBrains)
        } else {
            None
        }
    }
}

fn has_text(answer: Option<&Answer>) -> bool {
    answer.is_some_and(|answer| answer.choices.iter().any(|choice| !choice.text.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::super::answer::{Choice, Ending, Faults, Format};
    use super::super::prompt::Turn;
    use super::*;

    fn answer(texts: &[&str]) -> Answer {
        let choices = texts.iter().map(|text| Choice { text: (*text).to_owned(), ..Choice::default() }).collect();
        Answer {
            format: Format::Completions,
            streamed: true,
            id: None,
            model: None,
            choices,
            usage: None,
            ending: Ending::Complete,
            error: None,
            faults: Faults::default(),
            first_token_end: None,
        }
    }

    fn prompt(roles: &[&str]) -> Prompt {
        let turns = roles.iter().map(|role| Turn { role: (*role).to_owned(), parts: Vec::new() }).collect();
        Prompt { turns, ..Prompt::default() }
    }

    #[test]
    fn ghost_text_without_text() {
        for (editor, texts, expected) in [
            ("vscode/1.96.2", Some(&["a"][..]), None),
            ("vscode/1.96.2", Some(&["", "b"]), None),
            ("vscode/1.96.2", Some(&[" "]), None),
            ("vscode/1.96.2", Some(&["", ""]), Some(Noise::NoText)),
            ("vscode/1.96.2", Some(&[]), Some(Noise::NoText)),
            ("vscode/1.96.2", None, Some(Noise::NoText)),
            ("VSCode-insiders/1", None, Some(Noise::NoText)),
            ("JetBrains-PC/243.1", None, Some(Noise::NoText)),
            ("jetbrains-iu/243.1", None, Some(Noise::NoText)),
            ("JetBrains-PC/243.1", Some(&["a"]), None),
            ("Neovim/0.10", None, None),
            ("vs", None, None),
            ("vscod\u{e9}", None, None),
            ("a vscode", None, None),
            ("", None, None),
        ] {
            let answer = texts.map(answer);
            assert_eq!(noise(Kind::Completions, Some(editor), None, answer.as_ref()), expected, "{editor} {texts:?}");
        }
        assert_eq!(noise(Kind::Completions, None, None, None), None, "no editor, no rule");
    }

    #[test]
    fn chats() {
        let stop = |mut prompt: Prompt| {
            prompt.has_stop = true;
            prompt
        };
        let tools = |mut prompt: Prompt| {
            prompt.tools.push("read_file".into());
            prompt
        };
        let cut = |mut prompt: Prompt| {
            prompt.cut = true;
            prompt
        };
        let (code, brains) = ("vscode/1.96.2", "JetBrains-IU/243.1");
        for (editor, prompt, expected) in [
            (code, prompt(&["system", "user"]), None),
            (code, stop(prompt(&["user"])), Some(Noise::Stop)),
            (code, tools(prompt(&["user", "tool"])), None),
            (brains, prompt(&["system", "user"]), None),
            (brains, stop(prompt(&["user"])), None),
            (brains, prompt(&["user", "assistant"]), Some(Noise::NotUser)),
            (brains, tools(prompt(&["user", "tool"])), Some(Noise::NotUser)),
            (brains, tools(prompt(&["user"])), Some(Noise::Tools)),
            (brains, prompt(&[]), None),
            (brains, tools(prompt(&[])), Some(Noise::Tools)),
            (brains, cut(prompt(&["user", "assistant"])), None),
            ("Neovim/0.10", stop(tools(prompt(&["assistant"]))), None),
        ] {
            assert_eq!(noise(Kind::Chat, Some(editor), Some(&prompt), None), expected, "{editor} {prompt:?}");
        }
        assert_eq!(noise(Kind::Chat, Some(brains), None, None), None, "a body that could not be read");
    }

    #[test]
    fn other_kinds_have_no_rule() {
        let prompt = Prompt { has_stop: true, tools: vec!["t".into()], ..prompt(&["assistant"]) };
        for kind in Kind::ALL.into_iter().filter(|kind| !matches!(kind, Kind::Completions | Kind::Chat)) {
            for editor in ["vscode/1", "JetBrains-PC/1"] {
                assert_eq!(noise(kind, Some(editor), Some(&prompt), None), None, "{kind}");
            }
        }
    }

    #[test]
    fn names_are_those_of_the_serialised_form() {
        for noise in [Noise::NoText, Noise::Stop, Noise::NotUser, Noise::Tools] {
            assert_eq!(serde_json::to_value(noise).unwrap(), noise.as_str());
        }
    }
}
