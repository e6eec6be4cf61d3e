//! What is a secret in a request or a response, and what stays of it (design D9).
//!
//! The rules alone, on names and values: the store applies them to exchanges before anything is written, the archive to
//! files that were written without them. Redacting a head that is redacted already changes nothing.

mod subprotocol;

use std::borrow::Cow;

/// What stands in the place of a secret.
pub(crate) const MARK: &str = "<redacted>";

/// Whether bodies of this request carry credentials: signing in, and the exchange of one token for another.
pub(crate) fn body_is_secret(target: &[u8]) -> bool {
    let path = target.split(|&b| b == b'?').next().unwrap_or_default();
    let path = String::from_utf8_lossy(path).to_ascii_lowercase();
    let mut segments = path.split('/').rev();
    segments.next().is_some_and(|last| last.contains("token"))
        || path.contains("/copilot_internal/")
        || path.split('/').any(|segment| matches!(segment, "login" | "oauth" | "oauth2" | "device"))
}

/// Takes the secrets out of such a body and returns where they were: JSON pointers (RFC 6901) into it, or an empty
/// text where the whole body went because it is neither JSON nor a form.
pub(crate) fn body(bytes: &mut Vec<u8>) -> Vec<String> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Vec::new();
    }
    let mut found = Vec::new();
    if let Ok(mut value) = serde_json::from_slice::<serde_json::Value>(bytes) {
        if !value.is_object() && !value.is_array() {
            *bytes = MARK.into();
            return vec![String::new()];
        }
        json_values(&mut value, &mut String::new(), &mut found);
        if !found.is_empty() {
            *bytes = value.to_string().into_bytes();
        }
        return found;
    }
    if is_form(bytes) {
        if let Cow::Owned(redacted) = pairs(bytes, 0) {
            *bytes = redacted;
            found.push(String::new());
        }
        return found;
    }
    *bytes = MARK.into();
    vec![String::new()]
}

/// One field's value without its secret.
pub(crate) fn field<'a>(name: &[u8], value: &'a [u8]) -> Cow<'a, [u8]> {
    if value.is_empty() {
        return Cow::Borrowed(value);
    }
    if is_secret_field(name) {
        if name.eq_ignore_ascii_case(b"authorization") || name.eq_ignore_ascii_case(b"proxy-authorization") {
            return authorization(value);
        }
        return mark();
    }
    if is_one_of(name, &["host", ":authority"]) {
        return user_info(value);
    }
    if same(name, b"sec-websocket-protocol") {
        return subprotocol::redacted(value);
    }
    if name == b":path" || memchr::memmem::find(value, b"://").is_some() || is_one_of(name, URL_FIELDS) {
        return url(value);
    }
    Cow::Borrowed(value)
}

/// `Bearer tid=…;exp=…:signature` keeps all but the signature, which alone makes it a credential; any other keeps its
/// scheme.
fn authorization(value: &[u8]) -> Cow<'_, [u8]> {
    let Some(space) = value.iter().position(|&b| b == b' ') else { return mark() };
    let (scheme, credentials) = (&value[..space], value[space + 1..].trim_ascii());
    if !scheme.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-') || scheme.len() > 24 {
        return mark();
    }
    let kept = match signature(credentials) {
        Some(at) if scheme.eq_ignore_ascii_case(b"bearer") => &credentials[..=at],
        _ => &[],
    };
    Cow::Owned([scheme, b" ", kept, MARK.as_bytes()].concat())
}

/// Where the colon before the signature of a Copilot token stands. The fields are `name=value`, separated by `;`;
/// of the known ones only `ip` may have colons of its own.
fn signature(token: &[u8]) -> Option<usize> {
    if !token.starts_with(b"tid=") {
        return None;
    }
    let mut start = 0;
    for part in token.split(|&b| b == b';') {
        let equals = part.iter().position(|&b| b == b'=')?;
        let is_last = start + part.len() == token.len();
        let colon = match &part[..equals] {
            b"ip" if !is_last => None,
            b"ip" => part.iter().rposition(|&b| b == b':'),
            _ => part.iter().position(|&b| b == b':'),
        };
        if let Some(colon) = colon {
            return Some(start + colon);
        }
        start += part.len() + 1;
    }
    None
}

/// An authority (RFC 3986 section 3.2) without user info, which no honest client sends.
pub(crate) fn user_info(authority: &[u8]) -> Cow<'_, [u8]> {
    match authority.iter().rposition(|&b| b == b'@') {
        Some(at) => Cow::Owned([MARK.as_bytes(), &authority[at..]].concat()),
        None => Cow::Borrowed(authority),
    }
}

/// A URL or request target without user info and without the values of secret parameters.
pub(crate) fn url(url: &[u8]) -> Cow<'_, [u8]> {
    let mut out = Cow::Borrowed(url);
    if let Some(scheme) = url.windows(3).position(|w| w == b"://") {
        let authority = scheme + 3;
        let end = url[authority..].iter().position(|b| b"/?#".contains(b)).map_or(url.len(), |n| authority + n);
        if let Cow::Owned(redacted) = user_info(&url[authority..end]) {
            out = Cow::Owned([&url[..authority], &redacted, &url[end..]].concat());
        }
    }
    let Some(parameters) = out.iter().position(|b| b"?;#".contains(b)) else { return out };
    if let Cow::Owned(redacted) = pairs(&out, parameters + 1) {
        return Cow::Owned(redacted);
    }
    out
}

/// The `name=value` pairs from `start` on without the values of those with secret names.
fn pairs(text: &[u8], start: usize) -> Cow<'_, [u8]> {
    let mut out: Option<Vec<u8>> = None;
    let mut position = start;
    for pair in text[start..].split(|b| b"&;#?".contains(b)) {
        let end = position + pair.len();
        let equals = pair.iter().position(|&b| b == b'=');
        let secret = equals.filter(|&at| at + 1 < pair.len() && is_secret_parameter(&pair[..at]));
        if let Some(at) = secret {
            let out = out.get_or_insert_with(|| text[..position].to_vec());
            out.extend_from_slice(&pair[..=at]);
            out.extend_from_slice(MARK.as_bytes());
        } else if let Some(out) = &mut out {
            out.extend_from_slice(pair);
        }
        if let (Some(out), Some(separator)) = (&mut out, text.get(end)) {
            out.push(*separator);
        }
        position = end + 1;
    }
    out.map_or(Cow::Borrowed(text), Cow::Owned)
}

fn json_values(value: &mut serde_json::Value, pointer: &mut String, found: &mut Vec<String>) {
    let length = pointer.len();
    match value {
        serde_json::Value::Object(members) => {
            for (name, member) in members {
                push_token(pointer, name);
                let is_leaf = member.is_string() || member.is_number();
                if is_leaf && is_secret_parameter(name.as_bytes()) && member.as_str() != Some("") {
                    *member = MARK.into();
                    found.push(pointer.clone());
                } else {
                    json_values(member, pointer, found);
                }
                pointer.truncate(length);
            }
        }
        serde_json::Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                push_token(pointer, &index.to_string());
                json_values(item, pointer, found);
                pointer.truncate(length);
            }
        }
        _ => {}
    }
}

/// Adds a reference token to a JSON pointer (RFC 6901 section 3).
pub(crate) fn push_token(pointer: &mut String, token: &str) {
    pointer.push('/');
    for c in token.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c => pointer.push(c),
        }
    }
}

fn is_form(bytes: &[u8]) -> bool {
    bytes.contains(&b'=')
        && bytes.trim_ascii_end().iter().all(|b| b.is_ascii_alphanumeric() || b"&=%+-._~*:/,".contains(b))
}

fn is_secret_field(name: &[u8]) -> bool {
    contains(name, b"authorization")
        || contains(name, b"cookie")
        || contains(name, b"credential")
        || SECRET_ENDINGS.iter().any(|ending| ends_with(name, ending))
}

fn is_secret_parameter(name: &[u8]) -> bool {
    let name = percent_decoded(name);
    is_one_of(&name, SECRET_PARAMETERS)
        || contains(&name, b"credential")
        || SECRET_ENDINGS.iter().any(|ending| ends_with(&name, ending))
}

fn percent_decoded(name: &[u8]) -> Cow<'_, [u8]> {
    if !name.contains(&b'%') {
        return Cow::Borrowed(name);
    }
    let digit = |at: usize| name.get(at).and_then(|&b| char::from(b).to_digit(16));
    let (mut out, mut at) = (Vec::new(), 0);
    while at < name.len() {
        match (name[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    Cow::Owned(out)
}

fn mark<'a>() -> Cow<'a, [u8]> {
    Cow::Owned(MARK.into())
}

fn is_one_of(name: &[u8], list: &[&str]) -> bool {
    list.iter().any(|entry| same(name, entry.as_bytes()))
}

fn ends_with(name: &[u8], ending: &[u8]) -> bool {
    name.len() >= ending.len() && same(&name[name.len() - ending.len()..], ending)
}

/// Without regard to case. The first letter decides nearly always, and every field of every message is asked about.
fn same(one: &[u8], other: &[u8]) -> bool {
    let first = |text: &[u8]| text.first().map(u8::to_ascii_lowercase);
    one.len() == other.len() && first(one) == first(other) && one.eq_ignore_ascii_case(other)
}

fn contains(name: &[u8], part: &[u8]) -> bool {
    name.windows(part.len()).any(|window| same(window, part))
}

/// How names of header fields and parameters end that hold a credential: `X-API-Key`, `X-GitHub-Token`, `access_token`.
const SECRET_ENDINGS: &[&[u8]] = &[
    b"token",
    b"secret",
    b"password",
    b"passwd",
    b"apikey",
    b"api-key",
    b"api_key",
    b"access-key",
    b"subscription-key",
    b"functions-key",
    b"signature",
];

/// Parameters that are secret under a short name.
const SECRET_PARAMETERS: &[&str] = &[
    "key",
    "code",
    "sig",
    "auth",
    "authorization",
    "pwd",
    "jwt",
    "sas",
    "assertion",
    "client_assertion",
    "device_code",
    "code_verifier",
    "session",
    "sessionid",
    "session_id",
];

/// Fields whose value may be a URL without a scheme.
const URL_FIELDS: &[&str] = &["location", "content-location", "referer", "refresh", "link"];
