//! The `Host` of a request must be a name of ours: the defence against DNS rebinding.
//!
//! A page of somebody else's can have its own name resolved to our address, loopback too, and is then of the same origin
//! as we are for the browser. It cannot change the name that the browser sends. An address cannot be rebound, so
//! every address is as good as any; the port is not looked at, since `ssh -L` changes it.

use std::net::{IpAddr, Ipv6Addr};

use http::header::HOST;
use http::{HeaderMap, Uri};

/// The names by which the page may be asked for.
#[derive(Clone, Debug, Default)]
pub struct HostNames(Vec<String>);

/// Why a request is not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// RFC 9112 section 3.2 asks for 400.
    #[error("the request has no `Host`, more than one, or one that is no name")]
    Bad,
    /// Somebody else's name leads to us. RFC 9110 section 15.5.20 asks for 421.
    #[error("this is not {0:?}")]
    Foreign(String),
}

impl HostNames {
    /// Beside addresses and `localhost`, these names; a port behind one is not looked at, nor is a text that is none.
    #[must_use]
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self(names.into_iter().filter_map(|name| Some(named(name)?.to_ascii_lowercase())).collect())
    }

    /// Whether the request is for us.
    ///
    /// # Errors
    /// What is wrong with its `Host`, or with the authority of a target in absolute form.
    pub fn check(&self, headers: &HeaderMap, target: &Uri) -> Result<(), HostError> {
        let mut hosts = headers.get_all(HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else { return Err(HostError::Bad) };
        self.is_ours(host.to_str().map_err(|_| HostError::Bad)?)?;
        match target.authority() {
            // RFC 9112 section 3.2.2: it counts instead of `Host`; here both must be ours.
            Some(authority) => self.is_ours(authority.as_str()),
            None => Ok(()),
        }
    }

    fn is_ours(&self, host: &str) -> Result<(), HostError> {
        let name = named(host).ok_or(HostError::Bad)?;
        let ours = is_address(name) || name.eq_ignore_ascii_case("localhost");
        if ours || self.0.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return Ok(());
        }
        Err(HostError::Foreign(name.to_owned()))
    }
}

/// The host of `host` or `host:port`, without the dot that may end a name; `None` where it is neither.
fn named(host: &str) -> Option<&str> {
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.find(']')) {
        Some(end) => host.split_at(end + 2),
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    match port.strip_prefix(':') {
        Some(port) => port.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?,
        None if port.is_empty() => {}
        None => return None,
    }
    if is_address(name) {
        return Some(name);
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    // A name has at most 253 characters (RFC 1035 section 2.3.4). The underline is in no host's name and in many.
    let good = (1..=253).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
        && name.split('.').all(|label| !label.is_empty());
    good.then_some(name)
}

fn is_address(name: &str) -> bool {
    match name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => inner.parse::<Ipv6Addr>().is_ok(),
        None => name.parse::<IpAddr>().is_ok_and(|address| address.is_ipv4()),
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use proptest::prelude::*;

    use super::*;

    fn ours(target: &str, hosts: &[&[u8]]) -> Result<(), HostError> {
        let mut request = Request::builder().uri(target);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        let names = HostNames::new(["Recorder.example:8080", "copilot.corp.", "bad name"]);
        let request = request.body(()).unwrap();
        names.check(request.headers(), request.uri())
    }

    fn host(host: &str) -> Result<(), HostError> {
        ours("/", &[host.as_bytes()])
    }

    #[test]
    fn addresses_localhost_and_configured_names_are_ours_with_any_port() {
        for good in [
            "127.0.0.1",
            "127.0.0.1:8081",
            "127.0.0.1.:8081",
            "192.0.2.9:1",
            "[::1]:8081",
            "[2001:db8::1]",
            "localhost",
            "LOCALHOST:9999",
            "localhost.:80",
            "localhost:",
            "recorder.example",
            "RECORDER.EXAMPLE:1234",
            "recorder.example.",
            "copilot.corp:8081",
        ] {
            assert_eq!(host(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn names_of_others_are_foreign() {
        for foreign in
            ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "2130706433", "0x7f.1", "127.1"]
        {
            assert_eq!(host(&format!("{foreign}:8081")), Err(HostError::Foreign(foreign.to_owned())));
        }
    }

    #[test]
    fn what_is_no_host_is_bad() {
        for bad in [
            "",
            ":",
            ":80",
            ".",
            "..",
            "a..b",
            "a b",
            "a/b",
            "user@localhost",
            "localhost:x",
            "localhost:80:80",
            "[::1",
            "[::1]x",
            "[::1]:x",
            "[localhost]",
            "[127.0.0.1]",
            "::1",
            "a,b",
            "é.example",
            "<script>",
            "bad name",
            &"a".repeat(254),
        ] {
            assert_eq!(host(bad), Err(HostError::Bad), "{bad}");
        }
        assert_eq!(ours("/", &[]), Err(HostError::Bad));
        assert_eq!(ours("/", &[b"localhost", b"localhost"]), Err(HostError::Bad));
        assert_eq!(ours("/", &[b"\xff"]), Err(HostError::Bad));
    }

    #[test]
    fn a_target_in_absolute_form_must_be_ours_too() {
        assert_eq!(ours("http://localhost:1/", &[b"localhost"]), Ok(()));
        assert_eq!(ours("http://evil.example/", &[b"localhost"]), Err(HostError::Foreign("evil.example".into())));
        assert_eq!(ours("http://localhost/", &[b"evil.example"]), Err(HostError::Foreign("evil.example".into())));
    }

    proptest! {
        #[test]
        fn only_names_of_ours_pass(text in "[a-z0-9.:\\[\\]@_-]{0,40}") {
            let passed = host(&text).is_ok();
            let name = text.rsplit_once(':').map_or(text.as_str(), |(name, _)| name);
            let known = ["localhost", "recorder.example", "copilot.corp"];
            let ours = |name: &str| known.contains(&name.trim_end_matches('.')) || is_address(name);
            prop_assert!(!passed || ours(name) || ours(&text), "{}", text);
        }
    }
}
