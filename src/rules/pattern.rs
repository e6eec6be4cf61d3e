//! Patterns of host names.

use std::fmt;
use std::str::FromStr;

/// Longest host name in text form (RFC 1035 section 2.3.4 less the length bytes).
const NAME_MAX: usize = 253;
/// Longest label of a host name (RFC 1035 section 2.3.4).
const LABEL_MAX: usize = 63;

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
    /// What was given, shortened.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl HostPattern {
    /// Reads `name` or `*.name`; upper case is lowered and a final dot dropped.
    ///
    /// A name outside ASCII is expected in its `xn--` form, as it stands in a TLS server name. Addresses are refused:
    /// a certificate authority constrained to DNS names cannot vouch for one.
    ///
    /// # Errors
    /// When the text is no host name, an IP address, or a wildcard over a whole top-level domain.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let (below, name) = match text.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, text),
        };
        let name = name.strip_suffix('.').unwrap_or(name);
        check_name(name, below)
            .map_err(|reason| PatternError { text: text.chars().take(NAME_MAX).collect(), reason })?;
        let name = name.to_ascii_lowercase();
        Ok(if below { Self::Below(name) } else { Self::Exact(name) })
    }

    /// Whether `host` (any case, a final dot allowed) is meant.
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host).as_bytes();
        match self {
            Self::Exact(name) => host.eq_ignore_ascii_case(name.as_bytes()),
            Self::Below(name) => {
                // At least one byte of a label stands before the dot.
                host.len().checked_sub(name.len() + 1).is_some_and(|dot| {
                    dot > 0 && host[dot] == b'.' && host[dot + 1..].eq_ignore_ascii_case(name.as_bytes())
                })
            }
        }
    }

    /// The dNSName of the permitted subtree (RFC 5280 section 4.2.1.10) that covers it.
    #[must_use]
    pub fn subtree(&self) -> &str {
        match self {
            Self::Exact(name) | Self::Below(name) => name,
        }
    }
}

/// The text that [`HostPattern::parse`] reads back.
impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Below(name) => write!(f, "*.{name}"),
        }
    }
}

impl FromStr for HostPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        Self::parse(text)
    }
}

impl<'de> serde::Deserialize<'de> for HostPattern {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl serde::Serialize for HostPattern {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn check_name(name: &str, below: bool) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("no name in it");
    }
    if name.len() > NAME_MAX {
        return Err("longer than 253 characters");
    }
    if name.starts_with('[') || name.parse::<std::net::IpAddr>().is_ok() {
        return Err("an IP address, only names can be opened");
    }
    if name.contains(['/', ':']) {
        return Err("a URL or a port in it, only the name is wanted");
    }
    if name.contains('*') {
        return Err("a star stands only in front, followed by a dot");
    }
    if !name.is_ascii() {
        return Err("letters outside ASCII, write the xn-- form");
    }
    let mut labels = 0;
    let mut last = "";
    for label in name.split('.') {
        check_label(label)?;
        labels += 1;
        last = label;
    }
    // The old forms of IPv4 addresses (`127.1`, `0x7f000001`) end so, host names do not (RFC 3696 section 2).
    if last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x") {
        return Err("an IP address, only names can be opened");
    }
    if below && labels < 2 {
        return Err("a whole top-level domain");
    }
    Ok(())
}

fn check_label(label: &str) -> Result<(), &'static str> {
    if label.is_empty() {
        return Err("an empty label: two dots in a row, or one in front");
    }
    if label.len() > LABEL_MAX {
        return Err("a label longer than 63 characters");
    }
    if label.starts_with('-') || label.ends_with('-') {
        return Err("a label with a hyphen at its edge");
    }
    // Underscores are no host names' characters, but occur in names that resolve.
    if !label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
        return Err("a character that no host name has");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pattern(text: &str) -> HostPattern {
        HostPattern::parse(text).unwrap()
    }

    #[test]
    fn reads_names_and_wildcards() {
        assert_eq!(pattern("API.Example.com."), HostPattern::Exact("api.example.com".into()));
        assert_eq!(pattern("*.Example.com"), HostPattern::Below("example.com".into()));
        assert_eq!(pattern("localhost"), HostPattern::Exact("localhost".into()));
        assert_eq!(pattern("xn--bcher-kva.example").to_string(), "xn--bcher-kva.example");
        assert_eq!(pattern("3com.com").subtree(), "3com.com");
        assert_eq!(pattern("*.acme.ghe.com").subtree(), "acme.ghe.com");
    }

    #[test]
    fn refuses_what_is_no_name_and_says_why() {
        for (text, reason) in [
            ("", "no name"),
            ("*.", "no name"),
            ("*", "star"),
            ("a.*.com", "star"),
            ("*example.com", "star"),
            ("*.com", "top-level"),
            ("192.0.2.1", "IP address"),
            ("*.192.0.2.1", "IP address"),
            ("127.1", "IP address"),
            ("0x7f000001", "IP address"),
            ("::1", "IP address"),
            ("[::1]", "IP address"),
            ("a..b", "empty label"),
            (".a.b", "empty label"),
            ("-a.b", "hyphen"),
            ("a.b:443", "port"),
            ("https://a.b/", "URL"),
            ("a b.c", "character"),
            ("bücher.example", "xn--"),
            (&"a".repeat(64), "63"),
            (&"a.".repeat(200), "253"),
        ] {
            let error = HostPattern::parse(text).unwrap_err();
            assert!(error.reason.contains(reason), "{text:?}: {error}");
        }
    }

    #[test]
    fn exact_matches_itself_alone() {
        let pattern = pattern("copilot-proxy.githubusercontent.com");
        assert!(pattern.matches("Copilot-Proxy.GitHubUserContent.com"));
        assert!(pattern.matches("copilot-proxy.githubusercontent.com."));
        assert!(!pattern.matches("a.copilot-proxy.githubusercontent.com"));
        assert!(!pattern.matches("xcopilot-proxy.githubusercontent.com"));
        assert!(!pattern.matches(""));
    }

    #[test]
    fn below_matches_every_depth_but_not_the_name() {
        let pattern = pattern("*.githubcopilot.com");
        assert!(pattern.matches("api.githubcopilot.com"));
        assert!(pattern.matches("proxy.INDIVIDUAL.githubcopilot.com."));
        assert!(!pattern.matches("githubcopilot.com"));
        assert!(!pattern.matches(".githubcopilot.com"));
        assert!(!pattern.matches("evilgithubcopilot.com"));
        assert!(!pattern.matches("api.githubcopilot.com.evil.example"));
    }

    proptest! {
        #[test]
        fn never_panics_and_reads_back_what_it_writes(text in "\\PC{0,80}", host in "\\PC{0,80}") {
            if let Ok(pattern) = HostPattern::parse(&text) {
                prop_assert_eq!(HostPattern::parse(&pattern.to_string()), Ok(pattern.clone()));
                let dotted = format!("{host}.{}", pattern.subtree());
                prop_assert_eq!(pattern.matches(&dotted), matches!(pattern, HostPattern::Below(_)) && !host.is_empty() || dotted == pattern.subtree());
            }
            prop_assert!(!HostPattern::Below("é.example".into()).matches(&host));
        }

        #[test]
        fn below_means_a_label_and_a_dot_in_front(name in "[a-z]{1,8}\\.[a-z]{2,3}", label in "[a-z0-9]{1,8}") {
            let below = HostPattern::Below(name.clone());
            let joined = format!("{label}{name}");
            let dotted = format!("{label}.{name}");
            prop_assert!(below.matches(&dotted));
            prop_assert!(!below.matches(&joined));
            prop_assert!(!below.matches(&name));
        }
    }
}
