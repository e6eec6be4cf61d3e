//! URLs as HAR wants them.

use std::borrow::Cow;
use std::fmt::Write;

/// The URL with what no URL may contain percent-encoded (a client can send it nevertheless, and `<redacted>` may stand
/// there); without a scheme it gets `unknown:`.
pub(super) fn valid(url: &str) -> Cow<'_, str> {
    if has_scheme(url) && url.bytes().all(may_stand) {
        return Cow::Borrowed(url);
    }
    let mut valid = String::with_capacity(url.len() + 16);
    if !has_scheme(url) {
        valid.push_str("unknown:");
    }
    for byte in url.bytes() {
        if may_stand(byte) {
            valid.push(char::from(byte));
        } else {
            write!(valid, "%{byte:02X}").expect("writing to a String does not fail");
        }
    }
    Cow::Owned(valid)
}

/// Names and values of the query, as they stand there: not decoded, as browsers' exports have them.
pub(super) fn query(url: &str) -> impl Iterator<Item = (&str, &str)> {
    let (before_fragment, _) = url.split_once('#').unwrap_or((url, ""));
    let (_, query) = before_fragment.split_once('?').unwrap_or((url, ""));
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// RFC 3986 section 3.1.
fn has_scheme(url: &str) -> bool {
    url.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
    })
}

/// RFC 3986 section 2: reserved and unreserved characters, and `%`.
fn may_stand(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_become_valid() {
        for (url, expected) in [
            ("https://a.example/b?c=d%20e#f", "https://a.example/b?c=d%20e#f"),
            ("https://a.example/b c\u{e9}\n\"", "https://a.example/b%20c%C3%A9%0A%22"),
            ("https://a.example/?token=<redacted>", "https://a.example/?token=%3Credacted%3E"),
            ("/only/a/path", "unknown:/only/a/path"),
            ("", "unknown:"),
            ("1a://b", "unknown:1a://b"),
            ("wss://[::1]:8443/x", "wss://[::1]:8443/x"),
        ] {
            assert_eq!(valid(url), expected);
        }
    }

    #[test]
    fn queries_are_split_and_not_decoded() {
        let pairs = |url| query(url).collect::<Vec<_>>();
        assert_eq!(pairs("https://a/?b=c%20d&e&&=f&g=h=i#?j=k"), [("b", "c%20d"), ("e", ""), ("", "f"), ("g", "h=i")]);
        assert_eq!(pairs("https://a/b"), []);
        assert_eq!(pairs("https://a/#b?c=d"), []);
        assert_eq!(pairs("https://a/?"), []);
    }
}
