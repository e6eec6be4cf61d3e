//! The table of hosts that are opened.

use super::HostPattern;

/// Which hosts are opened; all others are tunnelled untouched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostTable {
    /// Patterns of hosts that are opened.
    pub open: Vec<HostPattern>,
}

impl HostTable {
    /// The table compiled in (`hosts.toml`).
    #[must_use]
    pub fn builtin() -> Self {
        unimplemented!()
    }

    /// Whether the host is opened.
    #[must_use]
    pub fn opens(&self, host: &str) -> bool {
        self.open.iter().any(|pattern| pattern.matches(host))
    }
}
