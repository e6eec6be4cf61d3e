//! Patterns of host names.

/// A host name, or every name below one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// `copilot-proxy.githubusercontent.com`: this name alone. Lower case, no final dot.
    Exact(String),
    /// `*.githubcopilot.com`: every name below, at any depth, not the name itself. Holds `githubcopilot.com`.
    Below(String),
}

/// A text that is not a host pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a host pattern: {text:?} ({reason}); write a name such as api.example.com, or *.example.com for every name below"
)]
pub struct PatternError {
    pub text: String,
    pub reason: &'static str,
}

impl HostPattern {
    /// Reads `name` or `*.name`.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let _ = text;
        unimplemented!()
    }

    /// Whether `host` (any case, a final dot allowed) is meant.
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        let _ = host;
        unimplemented!()
    }

    /// The dNSName of the permitted subtree (RFC 5280 section 4.2.1.10) that covers it.
    #[must_use]
    pub fn subtree(&self) -> &str {
        match self {
            Self::Exact(name) | Self::Below(name) => name,
        }
    }
}
