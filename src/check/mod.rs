//! The check of a client's machine: a shell script with the proxy's address filled in, which says what is missing.
//!
//! Served by the proxy itself (`/check.sh`), because the web page may be on loopback, where clients do not reach it, and
//! by the page Set-up. It holds the address and the CA's fingerprint, and no secret.

/// What is filled in.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'f> {
    /// `host:port` that clients reach the proxy by.
    pub address: &'f str,
    /// SHA-256 of the CA's certificate, `AB:CD:…`.
    pub fingerprint: &'f str,
    /// Whether the proxy asks for credentials.
    pub asks: bool,
}

/// The script, in POSIX shell.
#[must_use]
pub fn script(facts: &Facts<'_>) -> String {
    let asks = if facts.asks { "yes" } else { "no" };
    let filled = [("@ADDRESS@", facts.address), ("@FINGERPRINT@", facts.fingerprint), ("@ASKS@", asks)];
    let lines = SCRIPT.lines().map(|line| match filled.iter().find(|(mark, _)| line.ends_with(mark)) {
        Some((mark, value)) => format!("{}{}\n", line.trim_end_matches(mark), quoted(value)),
        None => format!("{line}\n"),
    });
    lines.collect()
}

/// Its media type.
pub const MEDIA_TYPE: &str = "text/x-shellscript; charset=utf-8";

const SCRIPT: &str = include_str!("check.sh");

/// One word for the shell, whatever is in it.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_is_one_word_each() {
        let facts = Facts { address: "proxy.example.com:8080", fingerprint: "AB:CD", asks: true };
        let text = script(&facts);
        for line in ["address='proxy.example.com:8080'", "fingerprint='AB:CD'", "asks='yes'"] {
            assert!(text.lines().any(|found| found == line), "{line}");
        }
        assert!(!text.contains('@') || !text.contains("@ADDRESS@") && !text.contains("@ASKS@"), "every mark is filled");
        let evil = script(&Facts { address: "a'; rm -rf x; '", ..facts });
        assert!(evil.contains(r"address='a'\''; rm -rf x; '\'''"), "{evil}");
    }

    #[test]
    fn the_script_runs_only_when_it_is_whole() {
        assert!(SCRIPT.trim_end().ends_with("\nmain \"$@\""));
        assert!(SCRIPT.contains("\nset -eu\n"));
    }
}
