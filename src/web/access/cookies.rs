//! Cookies, read and set.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

/// Values of one name that are looked at: who serves another port of this machine can set more of the same name.
const MOST: usize = 8;

/// Our cookies' names.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub(super) session: String,
    pub(super) form: String,
}

impl Names {
    /// Browsers send the cookies of one host to all of its ports: two recorders on one machine must not take each
    /// other's away.
    pub(super) fn of_port(port: u16) -> Self {
        Self { session: format!("copilot_recorder_{port}"), form: format!("copilot_recorder_form_{port}") }
    }
}

/// The values that a request has for a cookie.
pub(super) fn values<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let fields = headers.get_all(COOKIE).iter().filter_map(|field| field.to_str().ok());
    let pairs = fields.flat_map(|field| field.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(known, _)| *known == name).map(|(_, value)| value).take(MOST)
}

/// `Set-Cookie` for a session: until the browser is closed.
///
/// `Lax`, since a link in a message must lead to its page and not to the login, and since what changes anything asks
/// for more than a cookie. Not `Secure`: the page speaks HTTP, and who adds TLS before it adds that too.
pub(super) fn session(name: &str, value: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax")).ok()
}

/// `Set-Cookie` that takes a session away.
pub(super) fn gone(name: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax")).ok()
}

/// `Set-Cookie` for the cookie that goes with the login form.
pub(super) fn form(name: &str, value: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("{name}={value}; Path=/login; HttpOnly; SameSite=Strict")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; b = 2;copilot=x=y;copilot=; copilot2=no"));
        headers.append(COOKIE, HeaderValue::from_static("copilot=z"));
        headers.append(COOKIE, HeaderValue::from_bytes(b"copilot=\xff").unwrap());
        assert_eq!(values(&headers, "copilot").collect::<Vec<_>>(), ["x=y", "", "z"]);
        headers.append(COOKIE, HeaderValue::try_from("copilot=n;".repeat(20)).unwrap());
        assert_eq!(values(&headers, "copilot").count(), MOST);
    }
}
