//! The ordered table that gives an exchange its kind.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::row::{Asked, KindRow};
use crate::observer::{Fields, RequestHead};

/// What an exchange is about; also the name of its folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Ghost text: suggestions while typing.
    Completions,
    /// What clients report of their use.
    Telemetry,
    /// Chat, inline chat and agent mode.
    Chat,
    /// Next edit suggestions, and what else is asked of the suggestion host in chat form.
    Nes,
    /// Lists of models.
    Models,
    /// Embeddings.
    Embeddings,
    /// The workspace index: uploads of source code, and searches in it.
    Index,
    /// Model Context Protocol.
    Mcp,
    /// Copilot extensions ("agents").
    Extension,
    /// Matching against public code.
    Snippy,
    /// Sign-in and tokens.
    Auth,
    /// Flags of experiments.
    Experiment,
    /// Everything else that goes to a host that is opened.
    Other,
}

/// A text that names no kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a kind of exchange: {0:?}; the kinds are {kinds}", kinds = Kind::ALL.map(Kind::as_str).join(", "))]
pub struct KindError(String);

impl Kind {
    /// All kinds, in the order of their documentation.
    pub const ALL: [Self; 13] = [
        Self::Completions,
        Self::Telemetry,
        Self::Chat,
        Self::Nes,
        Self::Models,
        Self::Embeddings,
        Self::Index,
        Self::Mcp,
        Self::Extension,
        Self::Snippy,
        Self::Auth,
        Self::Experiment,
        Self::Other,
    ];

    /// The kinds that are recorded unless the user says otherwise.
    pub const DEFAULT: [Self; 5] = [Self::Completions, Self::Telemetry, Self::Chat, Self::Nes, Self::Other];

    /// Its name, as in the configuration, the record and the folder.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completions => "completions",
            Self::Telemetry => "telemetry",
            Self::Chat => "chat",
            Self::Nes => "nes",
            Self::Models => "models",
            Self::Embeddings => "embeddings",
            Self::Index => "index",
            Self::Mcp => "mcp",
            Self::Extension => "extension",
            Self::Snippy => "snippy",
            Self::Auth => "auth",
            Self::Experiment => "experiment",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = KindError;

    fn from_str(text: &str) -> Result<Self, KindError> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| KindError(text.chars().take(40).collect()))
    }
}

/// A row that matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// What the exchange is about.
    pub kind: Kind,
    /// The row's name, written into the record.
    pub rule: Arc<str>,
}

/// Why a text is not a table of kinds.
#[derive(Debug, thiserror::Error)]
pub enum KindTableError {
    /// It is no TOML, or a row has a key, a kind or a pattern that is not understood.
    #[error("not a table of kinds")]
    Toml(#[from] toml::de::Error),
    /// Some exchanges would have no kind.
    #[error("the table of kinds has no end: its last row needs a name and a kind and no test")]
    NoEnd,
}

/// The ordered rows; the first match wins, the last row is `other`.
#[derive(Clone, Debug)]
pub struct KindTable {
    rows: Vec<KindRow>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    kind: Vec<KindRow>,
}

impl KindTable {
    /// The table compiled in (`kinds.toml`).
    #[must_use]
    pub fn builtin() -> Self {
        Self::from_toml(include_str!("kinds.toml")).expect("the table compiled in is tested to be valid")
    }

    /// Reads a whole table: `[[kind]]` rows as in `kinds.toml`.
    ///
    /// # Errors
    /// When it is not understood, or its last row has a test.
    pub fn from_toml(text: &str) -> Result<Self, KindTableError> {
        Self::from_rows(toml::from_str::<File>(text)?.kind)
    }

    /// A table of these rows.
    ///
    /// # Errors
    /// When there is none, or the last one has a test.
    pub fn from_rows(rows: Vec<KindRow>) -> Result<Self, KindTableError> {
        match rows.last() {
            Some(last) if last.matches_all() => Ok(Self { rows }),
            _ => Err(KindTableError::NoEnd),
        }
    }

    /// This table with rows in front, which are tried first.
    #[must_use]
    pub fn prepend(mut self, rows: Vec<KindRow>) -> Self {
        self.rows.splice(0..0, rows);
        self
    }

    /// The kinds that this request could still turn out to be: more than one where a row tests the body.
    /// `path` is the request target; a query is ignored.
    #[must_use]
    pub fn possible(&self, host: &str, method: &str, path: &str, fields: &Fields) -> Vec<Kind> {
        let mut kinds = Vec::new();
        for row in self.candidates(Asked { host, method, path, fields }) {
            if !kinds.contains(&row.kind) {
                kinds.push(row.kind);
            }
        }
        kinds
    }

    /// The first row that matches; `body` is the decoded request body as far as it is known.
    #[must_use]
    pub fn classify(&self, host: &str, method: &str, path: &str, fields: &Fields, body: &[u8]) -> Match {
        // Read when the first row asks for it, which few do.
        let mut json = None;
        let row = self.candidates(Asked { host, method, path, fields }).find(|row| {
            row.body.as_ref().is_none_or(|test| {
                test.holds(json.get_or_insert_with(|| serde_json::from_slice(body).unwrap_or_default()))
            })
        });
        let row = row.expect("the last row has no test");
        Match { kind: row.kind, rule: Arc::clone(&row.name) }
    }

    /// Whether a request with this head may turn out to be of one of these kinds.
    #[must_use]
    pub fn wanted(&self, host: &str, head: &RequestHead, kinds: &[Kind]) -> bool {
        let method = String::from_utf8_lossy(&head.method);
        let path = String::from_utf8_lossy(&head.target);
        let asked = Asked { host, method: &method, path: &path, fields: &head.fields };
        self.candidates(asked).any(|row| kinds.contains(&row.kind))
    }

    /// Rows whose tests hold as far as they do not need the body, up to the first that does not test it.
    fn candidates<'a>(&'a self, asked: Asked<'a>) -> impl Iterator<Item = &'a KindRow> {
        let mut decided = false;
        self.rows.iter().filter(move |row| row.matches(&asked)).take_while(move |row| {
            let take = !decided;
            decided |= row.body.is_none();
            take
        })
    }
}

#[cfg(test)]
#[path = "kinds_tests.rs"]
mod tests;
