//! What changes something must come from our own pages: a token that only they know, and an origin that is ours.
//!
//! Either would do in browsers of today. The token also holds where a browser or something between sends no origin, the
//! origin where somebody who serves another port of this machine sets cookies for it.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::{HOST, ORIGIN};

use super::NoRandom;

/// Makes and checks tokens. One for the process.
pub struct Tokens {
    key: hmac::Key,
}

/// What a token belongs to; a token of one kind is none of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tied<'a> {
    /// The nonce of a session.
    Session(&'a [u8; 16]),
    /// The value of the cookie that a browser gets with the login form.
    Form(&'a str),
}

impl Tokens {
    /// With a new key.
    ///
    /// # Errors
    /// Where the operating system gives no random bytes.
    pub fn new() -> Result<Self, NoRandom> {
        Ok(Self { key: super::random_key()? })
    }

    /// A value for the cookie that goes with the login form: random, and nothing more.
    ///
    /// # Errors
    /// Where the operating system gives no random bytes.
    pub fn form_cookie() -> Result<String, NoRandom> {
        Ok(URL_SAFE_NO_PAD.encode(super::random::<16>()?))
    }

    /// The token that a form holds.
    #[must_use]
    pub fn of(&self, tied: Tied<'_>) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, &message(tied)))
    }

    /// Whether the token is the one that the form held. Compared in constant time.
    #[must_use]
    pub fn check(&self, tied: Tied<'_>, token: &str) -> bool {
        let Ok(mac) = URL_SAFE_NO_PAD.decode(token) else { return false };
        hmac::verify(&self.key, &message(tied), &mac).is_ok()
    }
}

fn message(tied: Tied<'_>) -> Vec<u8> {
    match tied {
        Tied::Session(nonce) => [b"session:".as_slice(), nonce].concat(),
        Tied::Form(cookie) => [b"form:", cookie.as_bytes()].concat(),
    }
}

/// Whether the browser says that the request comes from a page of ours. `Host` has been checked before.
///
/// Every browser of today sends `Origin` with a POST, and `Sec-Fetch-Site` where it trusts the connection; what sends
/// neither is no browser and has no business with forms. A page of ours that is reached through somebody who adds TLS
/// has the origin `https://HOST`. Where the page speaks TLS itself (`tls`), it has no other: `http://HOST` is a page
/// that somebody on the way made up.
#[must_use]
pub fn is_same_origin(headers: &HeaderMap, tls: bool) -> bool {
    let mut said = false;
    for site in headers.get_all("sec-fetch-site") {
        if site.as_bytes() != b"same-origin" {
            return false;
        }
        said = true;
    }
    for origin in headers.get_all(ORIGIN) {
        let (Ok(origin), Some(Ok(host))) = (origin.to_str(), headers.get(HOST).map(|host| host.to_str())) else {
            return false;
        };
        let in_clear = || if tls { None } else { origin.strip_prefix("http://") };
        let of = origin.strip_prefix("https://").or_else(in_clear);
        if !of.is_some_and(|of| of.eq_ignore_ascii_case(host)) {
            return false;
        }
        said = true;
    }
    said
}

/// Whether a page of somebody else's fetches this behind the reader's back: as a picture, a script, a frame. A link that
/// somebody follows is not meant, and a browser that says nothing is believed: it is `Cross-Origin-Resource-Policy`
/// that keeps the answer from the page then. Here it is kept from being asked for, and from the audit log.
#[must_use]
pub fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let is = |name: &str, value: &str| headers.get(name).is_some_and(|said| said.as_bytes() == value.as_bytes());
    let elsewhere = is("sec-fetch-site", "cross-site") || is("sec-fetch-site", "same-site");
    elsewhere && !(is("sec-fetch-mode", "navigate") && is("sec-fetch-dest", "document"))
}

/// Whether a script of a page asks, as far as the browser says: one that is told to ask for a password would put up a
/// window of its own.
#[must_use]
pub fn is_script(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-dest").is_some_and(|dest| dest.as_bytes() == b"empty")
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(fields: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap());
        }
        headers
    }

    fn same(fields: &[(&str, &str)]) -> bool {
        is_same_origin(&headers(fields), false)
    }

    #[test]
    fn with_tls_of_our_own_a_page_without_it_is_another() {
        let over_tls = |fields: &[(&str, &str)]| is_same_origin(&headers(fields), true);
        let host = ("host", "10.0.0.5:8081");
        assert!(over_tls(&[host, ("origin", "https://10.0.0.5:8081")]));
        assert!(over_tls(&[host, ("sec-fetch-site", "same-origin"), ("origin", "https://10.0.0.5:8081")]));
        assert!(!over_tls(&[host, ("origin", "http://10.0.0.5:8081")]));
        assert!(!over_tls(&[host, ("sec-fetch-site", "same-origin"), ("origin", "http://10.0.0.5:8081")]));
    }

    #[test]
    fn a_link_from_elsewhere_may_be_followed_and_nothing_else_fetched() {
        let fetched = |site, mode, dest| {
            let fields = [("sec-fetch-site", site), ("sec-fetch-mode", mode), ("sec-fetch-dest", dest)];
            is_from_elsewhere(&headers(&fields))
        };
        assert!(!fetched("cross-site", "navigate", "document"));
        assert!(fetched("cross-site", "no-cors", "image"));
        assert!(fetched("same-site", "cors", "empty"));
        assert!(fetched("cross-site", "navigate", "iframe"));
        assert!(!fetched("same-origin", "cors", "empty"));
        assert!(!fetched("none", "navigate", "document"));
        assert!(!is_from_elsewhere(&HeaderMap::new()));
        assert!(is_script(&headers(&[("sec-fetch-dest", "empty")])) && !is_script(&HeaderMap::new()));
    }

    #[test]
    fn a_token_is_good_for_what_it_was_made_for_and_nothing_else() {
        let tokens = Tokens::new().unwrap();
        let token = tokens.of(Tied::Session(b"0123456789abcdef"));
        assert!(tokens.check(Tied::Session(b"0123456789abcdef"), &token));
        assert!(!tokens.check(Tied::Session(b"0123456789abcdeF"), &token));
        assert!(!tokens.check(Tied::Form("0123456789abcdef"), &token));
        assert!(!Tokens::new().unwrap().check(Tied::Session(b"0123456789abcdef"), &token));
        let form = tokens.of(Tied::Form("x"));
        assert!(tokens.check(Tied::Form("x"), &form) && !tokens.check(Tied::Form("xy"), &form));
        for cut in 0..form.len() {
            assert!(!tokens.check(Tied::Form("x"), &form[..cut]));
        }
        assert_ne!(Tokens::form_cookie().unwrap(), Tokens::form_cookie().unwrap());
    }

    #[test]
    fn a_request_of_another_site_or_of_none_is_refused() {
        let host = ("host", "10.0.0.5:8081");
        assert!(same(&[host, ("origin", "http://10.0.0.5:8081")]));
        assert!(same(&[("host", "Recorder.example"), ("origin", "https://recorder.example")]));
        assert!(same(&[host, ("sec-fetch-site", "same-origin")]));
        assert!(same(&[host, ("sec-fetch-site", "same-origin"), ("origin", "http://10.0.0.5:8081")]));
        for fields in [
            &[][..],
            &[("origin", "http://10.0.0.5:8082")],
            &[("origin", "http://10.0.0.5")],
            &[("origin", "http://10.0.0.5:8081.evil.example")],
            &[("origin", "null")],
            &[("origin", "")],
            &[("origin", "ftp://10.0.0.5:8081")],
            &[("origin", "http://10.0.0.5:8081"), ("origin", "http://evil.example")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "cross-site"), ("origin", "http://10.0.0.5:8081")],
            &[("sec-fetch-site", "same-origin"), ("origin", "null")],
        ] {
            assert!(!same(&[&[host], fields].concat()), "{fields:?}");
        }
        assert!(!same(&[("origin", "http://10.0.0.5:8081")]), "no host to compare with");
    }
}
