//! The ordered table that gives an exchange its kind.

use crate::observer::Fields;

/// What an exchange is about; also the name of its folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Completions,
    Telemetry,
    Chat,
    Nes,
    Models,
    Embeddings,
    Index,
    Mcp,
    Extension,
    Snippy,
    Auth,
    Experiment,
    Other,
}

/// A row that matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    pub kind: Kind,
    /// The row's name, written into the record.
    pub rule: std::sync::Arc<str>,
}

/// The ordered rows; the first match wins, the last row is `other`.
#[derive(Clone, Debug)]
pub struct KindTable {
    _rows: Vec<()>,
}

impl KindTable {
    /// The table compiled in (`kinds.toml`).
    #[must_use]
    pub fn builtin() -> Self {
        unimplemented!()
    }

    /// The kinds that this request could still turn out to be: more than one where a row tests the body.
    /// `path` is the request target; a query is ignored.
    #[must_use]
    pub fn possible(&self, host: &str, method: &str, path: &str, fields: &Fields) -> Vec<Kind> {
        let _ = (host, method, path, fields);
        unimplemented!()
    }

    /// The first row that matches; `body` is the decoded request body as far as it is known.
    #[must_use]
    pub fn classify(&self, host: &str, method: &str, path: &str, fields: &Fields, body: &[u8]) -> Match {
        let _ = (host, method, path, fields, body);
        unimplemented!()
    }
}
