//! Cookies, read and set.

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

/// Values of one name that are looked at: who serves another port of this machine can set more of the same name.
const MOST: usize = 8;

/// Our cookies: their names, and how they are set.
#[derive(Clone, Debug)]
pub(super) struct Cookies {
    pub(super) session: String,
    pub(super) form: String,
    /// What ends each: with TLS of our own, a browser sends them over TLS alone.
    end: &'static str,
}

impl Cookies {
    /// Browsers send the cookies of one host to all of its ports: two recorders on one machine must not take each
    /// other's away.
    pub(super) fn of_port(port: u16, tls: bool) -> Self {
        // The prefixes (RFC 6265bis section 4.1.3) keep others from setting cookies of these names: pages without TLS,
        // and with `__Host-`, which wants the path `/`, sites under the same domain. Who adds TLS before a page that
        // speaks HTTP adds `Secure` too.
        let (host, secure, end) = if tls { ("__Host-", "__Secure-", "; Secure") } else { ("", "", "") };
        Self {
            session: format!("{host}copilot_recorder_{port}"),
            form: format!("{secure}copilot_recorder_form_{port}"),
            end,
        }
    }

    /// `Set-Cookie` for a session: until the browser is closed.
    ///
    /// `Lax`, since a link in a message must lead to its page and not to the login, and since what changes anything
    /// asks for more than a cookie.
    pub(super) fn begin(&self, value: &str) -> Option<HeaderValue> {
        self.set(format!("{}={value}; Path=/; HttpOnly; SameSite=Lax", self.session))
    }

    /// `Set-Cookie` that takes a session away.
    pub(super) fn end(&self) -> Option<HeaderValue> {
        self.set(format!("{}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax", self.session))
    }

    /// `Set-Cookie` for the cookie that goes with the login form.
    pub(super) fn with_form(&self, value: &str) -> Option<HeaderValue> {
        self.set(format!("{}={value}; Path=/login; HttpOnly; SameSite=Strict", self.form))
    }

    fn set(&self, text: String) -> Option<HeaderValue> {
        HeaderValue::try_from(text + self.end).ok()
    }
}

/// The values that a request has for a cookie.
pub(super) fn values<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let fields = headers.get_all(COOKIE).iter().filter_map(|field| field.to_str().ok());
    let pairs = fields.flat_map(|field| field.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(known, _)| *known == name).map(|(_, value)| value).take(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_tls_of_our_own_a_cookie_is_for_tls_alone() {
        let set = |tls| {
            let cookies = Cookies::of_port(8081, tls);
            let set = [cookies.begin("v"), cookies.end(), cookies.with_form("v")].map(Option::unwrap);
            set.map(|value| value.to_str().unwrap().to_owned())
        };
        let plain = [
            "copilot_recorder_8081=v; Path=/; HttpOnly; SameSite=Lax",
            "copilot_recorder_8081=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
            "copilot_recorder_form_8081=v; Path=/login; HttpOnly; SameSite=Strict",
        ];
        assert_eq!(set(false), plain);
        let prefixes = ["__Host-", "__Host-", "__Secure-"];
        assert_eq!(set(true), [0, 1, 2].map(|n| format!("{}{}; Secure", prefixes[n], plain[n])));
    }

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
