//! The Basic scheme (RFC 7617), read and challenged.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// The value of `Proxy-Authenticate` that goes with a 407.
pub const CHALLENGE: &str = "Basic realm=\"copilot-recorder\"";

/// Longest header value that is looked at. Names and passwords have lower limits than this when they are made, and
/// whoever sends more is not trying to log in.
const MAX_HEADER: usize = 8 << 10;

/// Clients differ in whether they pad.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A user name and a password as a client sent them. Neither is shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The text before the first colon.
    pub user: String,
    /// All that follows it, further colons included.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(..)")
    }
}

impl Credentials {
    /// Reads the value of `Proxy-Authorization` (RFC 7617 section 2).
    ///
    /// `None` where it is another scheme, not base64, has no colon, or is longer than anything we accept. Text that is
    /// not UTF-8 is read as ISO 8859-1, which some clients still send.
    #[must_use]
    pub fn parse(header: &[u8]) -> Option<Self> {
        if header.len() > MAX_HEADER {
            return None;
        }
        let header = header.trim_ascii();
        let (scheme, rest) = header.split_at(header.iter().position(u8::is_ascii_whitespace)?);
        if !scheme.eq_ignore_ascii_case(b"basic") {
            return None;
        }
        let pair = LENIENT.decode(rest.trim_ascii()).ok()?;
        let pair = String::from_utf8(pair)
            .unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect::<String>());
        let (user, password) = pair.split_once(':')?;
        Some(Self { user: user.to_owned(), password: password.to_owned() })
    }
}

/// Reads arbitrary bytes as credentials and checks what must hold for every input. The body of the fuzz target.
pub fn fuzz_basic(data: &[u8]) {
    let Some(credentials) = Credentials::parse(data) else { return };
    assert!(!credentials.user.contains(':'), "the first colon ends the name");
    let again = LENIENT.encode(format!("{}:{}", credentials.user, credentials.password));
    if again.len() + 6 <= MAX_HEADER {
        let header = format!("Basic {again}");
        assert_eq!(Credentials::parse(header.as_bytes()).as_ref(), Some(&credentials), "what was read is read again");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(header: &str) -> Option<(String, String)> {
        Credentials::parse(header.as_bytes()).map(|c| (c.user, c.password))
    }

    fn pair(user: &str, password: &str) -> Option<(String, String)> {
        Some((user.to_owned(), password.to_owned()))
    }

    #[test]
    fn the_examples_of_rfc_7617() {
        assert_eq!(parse("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), pair("Aladdin", "open sesame"));
        // Section 2.1: the user "test" with the password "123£" in UTF-8.
        assert_eq!(parse("Basic dGVzdDoxMjPCow=="), pair("test", "123£"));
    }

    #[test]
    fn scheme_case_spaces_and_padding_do_not_matter() {
        for header in [
            "basic YTpi",
            "BASIC   YTpi",
            "Basic YTpi ",
            " Basic\tYTpi",
            "Basic YTpiYg",
            "Basic YTpiYg=",
            "Basic YTpiYg==",
        ] {
            let got = parse(header);
            assert!(got == pair("a", "b") || got == pair("a", "bb"), "{header}: {got:?}");
        }
    }

    #[test]
    fn a_password_may_hold_colons_and_anything_else() {
        let password = "p@ss:w/rd%20é:";
        let header = format!("Basic {}", LENIENT.encode(format!("josé:{password}")));
        assert_eq!(parse(&header), pair("josé", password));
        assert_eq!(parse(&format!("Basic {}", LENIENT.encode(":x"))), pair("", "x"));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_read_as_latin_1() {
        let header = format!("Basic {}", LENIENT.encode(b"jos\xe9:p\xfc"));
        assert_eq!(parse(&header), pair("josé", "pü"));
    }

    #[test]
    fn what_is_not_basic_is_not_read() {
        for header in
            ["", "Basic", "Basic ", "Bearer YTpi", "BasicYTpi", "Basic !!!", "Basic YWI=", "Basic YT pi", "Digest x=y"]
        {
            assert_eq!(parse(header), None, "{header:?}");
        }
        let long = format!("Basic {}", LENIENT.encode(vec![b':'; MAX_HEADER]));
        assert_eq!(parse(&long), None);
    }

    #[test]
    fn debug_shows_nothing() {
        let credentials = Credentials::parse(b"Basic YTpi").unwrap();
        assert_eq!(format!("{credentials:?}"), "Credentials(..)");
    }

    proptest! {
        #[test]
        fn every_pair_comes_through(user in "[^:]{0,40}", password in ".{0,60}") {
            let header = format!("Basic {}", LENIENT.encode(format!("{user}:{password}")));
            prop_assert_eq!(parse(&header), pair(&user, &password));
        }

        #[test]
        fn arbitrary_bytes_are_survived(data in proptest::collection::vec(any::<u8>(), 0..200)) {
            fuzz_basic(&data);
        }

        #[test]
        fn arbitrary_base64_is_survived(data in proptest::collection::vec(any::<u8>(), 0..200)) {
            fuzz_basic(format!("Basic {}", LENIENT.encode(&data)).as_bytes());
        }
    }
}
