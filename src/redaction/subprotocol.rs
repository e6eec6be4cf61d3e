//! `Sec-WebSocket-Protocol` without credentials.
//!
//! A browser cannot give a WebSocket other header fields, so tokens are sent among the names of protocols:
//! `chat, bearer.<token>`, or `bearer, <token>`. What looks like a name stays, the rest goes.

use std::borrow::Cow;

use super::MARK;

/// Words after which a credential follows, in the same item or the next.
const WORDS: &[&str] =
    &["bearer", "token", "auth", "authorization", "jwt", "secret", "password", "key", "apikey", "session"];
/// Names are words; registered ones have at most 30 characters.
const NAME_MAX: usize = 32;
/// The longest word in a registered name has 12; what is longer without a break is hardly one.
const WORD_MAX: usize = 16;

/// The value with every item that may be a credential cut off where that begins.
pub(super) fn redacted(value: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Vec::with_capacity(value.len());
    let (mut changed, mut follows) = (false, false);
    for (index, item) in value.split(|&byte| byte == b',').enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let text = item.trim_ascii();
        let kept = if follows { 0 } else { name_of(text) };
        follows = kept == text.len() && ends_with_word(text);
        let start = item.len() - item.trim_ascii_start().len();
        out.extend_from_slice(&item[..start + kept]);
        let rest = &text[kept..];
        if rest.is_empty() || rest == MARK.as_bytes() {
            out.extend_from_slice(&item[start + kept..]);
        } else {
            changed = true;
            out.extend_from_slice(MARK.as_bytes());
        }
    }
    if changed { Cow::Owned(out) } else { Cow::Borrowed(value) }
}

/// How much of an item is a name: all of it, the part to a word after which a credential follows, or nothing.
fn name_of(item: &[u8]) -> usize {
    let mut end = 0;
    for part in item.split_inclusive(|&byte| is_break(byte)) {
        end += part.len();
        if end < item.len() && is_word(part) {
            return end;
        }
    }
    let words = item.split(|&byte| is_break(byte));
    let plain = item.len() <= NAME_MAX
        && words.clone().all(|word| word.len() <= WORD_MAX)
        && words.filter(|word| looks_random(word)).count() == 0;
    if plain { item.len() } else { 0 }
}

fn ends_with_word(item: &[u8]) -> bool {
    item.split(|&byte| is_break(byte)).next_back().is_some_and(is_word)
}

fn is_word(part: &[u8]) -> bool {
    let word = match part {
        [word @ .., last] if is_break(*last) => word,
        word => word,
    };
    WORDS.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
}

fn is_break(byte: u8) -> bool {
    matches!(byte, b'.' | b'-' | b'_' | b':' | b'=' | b'/')
}

/// Letters and digits that change often, as in a hash: names have a number at their end.
fn looks_random(word: &[u8]) -> bool {
    word.len() >= 8 && word.windows(2).filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit()).count() >= 3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expected: &str) {
        let once = redacted(value.as_bytes());
        assert_eq!(String::from_utf8_lossy(&once), expected, "{value}");
        assert_eq!(redacted(&once), once, "redacting again changes {expected}");
    }

    #[test]
    fn names_stay() {
        for names in [
            "chat",
            "chat, superchat",
            "graphql-transport-ws",
            "v12.stomp,mqtt",
            "wamp.2.json",
            "ocpp2.0.1",
            "realtime, openai-beta.realtime-v1",
            "actioncable-v1-json",
            "base64.binary.k8s.io",
            "MBWS.huawei.com",
            "bearer",
            "",
            " , ",
        ] {
            check(names, names);
        }
    }

    #[test]
    fn credentials_go() {
        check("chat, bearer.abc", "chat, bearer.<redacted>");
        check("Bearer-abc ,chat", "Bearer-<redacted>,chat");
        check("bearer, abc, chat", "bearer, <redacted>, chat");
        check("access_token,abc", "access_token,<redacted>");
        check(
            "base64url.bearer.authorization.k8s.io.dG9rZW4, base64.binary.k8s.io",
            "base64url.bearer.<redacted>, base64.binary.k8s.io",
        );
        check("realtime, openai-insecure-api-key.sk-abc", "realtime, openai-insecure-api-key.<redacted>");
        check("ghp_0123456789abcdefghijABCDEFGHIJ012345", "<redacted>");
        check("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "<redacted>");
        check("tid=1;exp=2:0123456789abcdef0123456789abcdef", "<redacted>");
        check("550e8400-e29b-41d4-a716-446655440000", "<redacted>");
        check("a1b2c3d4e5", "<redacted>");
        check("chat\u{e9}, key.\u{ff}", "chat\u{e9}, key.<redacted>");
    }
}
