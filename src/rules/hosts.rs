//! The table of hosts that are opened.

use std::sync::LazyLock;

use serde::Deserialize;

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
        Self { open: ROWS.iter().filter(|row| row.open).map(|row| row.pattern.clone()).collect() }
    }

    /// This table with more patterns; one that is there already is not added again.
    #[must_use]
    pub fn with(mut self, patterns: impl IntoIterator<Item = HostPattern>) -> Self {
        for pattern in patterns {
            if !self.open.contains(&pattern) {
                self.open.push(pattern);
            }
        }
        self
    }

    /// Whether the host is opened.
    #[must_use]
    pub fn opens(&self, host: &str) -> bool {
        self.open.iter().any(|pattern| pattern.matches(host))
    }

    /// Why a host that Copilot's clients use is not opened by default; none for a host that is, or that the table
    /// compiled in does not know.
    #[must_use]
    pub fn why_not_opened(host: &str) -> Option<&'static str> {
        let row = ROWS.iter().find(|row| row.pattern.matches(host))?;
        (!row.open).then_some(row.why.as_str())
    }
}

/// A row of `hosts.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    pattern: HostPattern,
    open: bool,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    host: Vec<Row>,
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let file: File = toml::from_str(include_str!("hosts.toml")).expect("the table compiled in is tested to be valid");
    file.host
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_copilots_hosts_by_default() {
        let table = HostTable::builtin();
        for host in [
            "api.githubcopilot.com",
            "proxy.individual.githubcopilot.com",
            "telemetry.business.githubcopilot.com",
            "API.Enterprise.GitHubCopilot.com.",
            "copilot-proxy.githubusercontent.com",
            "origin-tracker.githubusercontent.com",
            "copilot-telemetry.githubusercontent.com",
        ] {
            assert!(table.opens(host), "{host}");
            assert_eq!(HostTable::why_not_opened(host), None, "{host}");
        }
    }

    #[test]
    fn leaves_credentials_and_shared_hosts_alone_and_says_why() {
        let table = HostTable::builtin();
        for (host, why) in [
            ("github.com", "sign-in"),
            ("api.github.com", "tokens"),
            ("uploads.github.com", "files"),
            ("collector.github.com", "not Copilot"),
            ("default.exp-tas.com", "not Copilot"),
            ("mobile.events.data.microsoft.com", "not Copilot"),
            ("dc.services.visualstudio.com", "not Copilot"),
            ("copilot-api.acme.ghe.com", "tenant"),
        ] {
            assert!(!table.opens(host), "{host}");
            assert!(HostTable::why_not_opened(host).unwrap().contains(why), "{host}");
        }
        for host in ["githubcopilot.com", "raw.githubusercontent.com", "example.com"] {
            assert!(!table.opens(host), "{host}");
            assert_eq!(HostTable::why_not_opened(host), None, "{host}");
        }
    }

    #[test]
    fn more_patterns_open_more_hosts_once() {
        let tenant = HostPattern::parse("*.acme.ghe.com").unwrap();
        let before = HostTable::builtin().open.len();
        let table = HostTable::builtin().with([tenant.clone(), tenant, HostPattern::Below("githubcopilot.com".into())]);
        assert_eq!(table.open.len(), before + 1);
        assert!(table.opens("copilot-proxy.acme.ghe.com"));
        assert!(!table.opens("copilot-proxy.other.ghe.com"));
        assert!(table.opens("api.githubcopilot.com"));
    }
}
