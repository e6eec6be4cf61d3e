//! The query of a URL, to names and values and back (the form that HTML forms send: WHATWG URL, section 5).

use std::borrow::Cow;
use std::fmt::Write;

/// Pairs that are read: more than all parameters together can have, and nobody writes so many by hand.
const PAIRS_MAX: usize = 1_000;

/// Names and values, decoded: `+` is a space, bytes that are no UTF-8 become U+FFFD, a `%` that encodes nothing stays.
/// Those behind the thousandth are left out.
#[must_use]
pub fn pairs(query: &str) -> Vec<(String, String)> {
    let query = query.strip_prefix('?').unwrap_or(query);
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).take(PAIRS_MAX);
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

/// The query of these pairs, without `?`.
pub fn query<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut query = String::new();
    for (name, value) in pairs {
        if !query.is_empty() {
            query.push('&');
        }
        encode(&mut query, name);
        query.push('=');
        encode(&mut query, value);
    }
    query
}

/// Percent-encoded for one name or value of a query, or one segment of a path.
#[must_use]
pub fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    encode(&mut encoded, text);
    encoded
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match (byte, bytes.get(at..at + 2)) {
            (b'+', _) => decoded.push(b' '),
            (b'%', Some(&[high, low])) => match (hex(high), hex(low)) {
                (Some(high), Some(low)) => {
                    decoded.push(high << 4 | low);
                    at += 2;
                }
                _ => decoded.push(byte),
            },
            _ => decoded.push(byte),
        }
    }
    match String::from_utf8_lossy(&decoded) {
        Cow::Borrowed(text) => text.to_owned(),
        Cow::Owned(text) => text,
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Commas and colons may stand in a query (RFC 3986 section 3.4), and lists and times are easier to read with them.
fn encode(to: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~,:*".contains(&byte) {
            to.push(char::from(byte));
        } else {
            write!(to, "%{byte:02X}").expect("writing to a String does not fail");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<(String, String)> {
        pairs(text)
    }

    #[test]
    fn names_and_values_are_decoded() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            read("?kind=chat,nes&user=J%C3%B6rg+M&&x&=y&a=b=c&p=100%&q=%zz%4"),
            [
                pair("kind", "chat,nes"),
                pair("user", "Jörg M"),
                pair("x", ""),
                pair("", "y"),
                pair("a", "b=c"),
                pair("p", "100%"),
                pair("q", "%zz%4"),
            ]
        );
        assert_eq!(read("a=%FF%fe")[0].1, "\u{fffd}\u{fffd}");
        assert_eq!(read(""), []);
        assert_eq!(read(&"a=1&".repeat(5_000)).len(), PAIRS_MAX);
    }

    #[test]
    fn what_is_easy_to_read_stays_and_the_rest_is_encoded() {
        assert_eq!(
            query([("since", "2026-11-20T10:00:05+01:00"), ("host", "*.a.example")]),
            "since=2026-11-20T10:00:05%2B01:00&host=*.a.example"
        );
        assert_eq!(encoded("a/b?c#d&e=f \"<é"), "a%2Fb%3Fc%23d%26e%3Df%20%22%3C%C3%A9");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(all in proptest::collection::vec((any::<String>(), any::<String>()), 0..8)) {
            let text = query(all.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            prop_assert_eq!(pairs(&text), all);
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"'`\\".contains(&byte)));
        }

        #[test]
        fn whatever_comes_is_read(text in any::<String>()) {
            let _ = pairs(&text);
        }
    }
}
