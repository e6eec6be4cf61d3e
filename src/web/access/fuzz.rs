//! Body of the fuzz target, callable from a plain test.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::{Duration, SystemTime};

use http::header::{COOKIE, HOST, ORIGIN};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::csrf::{Tied, Tokens, is_same_origin};
use super::host::{HostError, HostNames};
use super::login::{MAX_NEXT, escaped, local};
use super::session::Sessions;
use super::{NoRandom, cookies};
use crate::auth::{Account, Roles};
use crate::review::query::pairs;

/// The head of a request: on one line each `Host`, `Cookie`, `Origin`, the address that the login is to lead back to,
/// and a user's name.
///
/// # Panics
/// When the name of somebody else passes for ours, when a cookie or a token that we did not make is taken, or when the
/// login would lead elsewhere.
pub fn fuzz_access(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let [host, cookie, origin, next, name] = [(); 5].map(|()| lines.next().unwrap_or_default());
    let mut headers = HeaderMap::new();
    for (name, bytes) in [(HOST, host), (COOKIE, cookie), (ORIGIN, origin)] {
        insert(&mut headers, name, bytes);
    }
    asked_for(&headers);
    same_origin(&headers);
    led_back(&String::from_utf8_lossy(next));
    in_session(&headers, &String::from_utf8_lossy(name)).expect("the operating system gives random bytes");
}

fn insert(headers: &mut HeaderMap, name: HeaderName, bytes: &[u8]) {
    if let Ok(value) = HeaderValue::from_bytes(bytes) {
        headers.insert(name, value);
    }
}

fn asked_for(headers: &HeaderMap) {
    let names = HostNames::new(["recorder.example:8080"]);
    let text = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = match text.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => text,
    };
    match names.check(headers, &Uri::from_static("/")) {
        Ok(()) => {
            let known = ["localhost", "recorder.example"];
            let bare = name.strip_suffix('.').unwrap_or(name);
            let inner = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
            let ours = known.iter().any(|known| known.eq_ignore_ascii_case(bare))
                || bare.parse::<Ipv4Addr>().is_ok()
                || inner.is_some_and(|inner| inner.parse::<Ipv6Addr>().is_ok());
            assert!(ours, "{text:?} is not ours");
        }
        Err(HostError::Foreign(name)) => {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
            assert!(name.bytes().all(plain) && (1..=253).contains(&name.len()), "{name:?} stands in a sentence");
            assert_eq!(
                HostNames::new([&*name]).check(headers, &Uri::from_static("/")),
                Ok(()),
                "a name that was given"
            );
        }
        Err(HostError::Bad) => {}
    }
}

fn same_origin(headers: &HeaderMap) {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    for (tls, schemes) in [(false, &["http", "https"][..]), (true, &["https"])] {
        if is_same_origin(headers, tls) {
            let (Some(host), Some(origin)) = (text(HOST), text(ORIGIN)) else { panic!("{headers:?}") };
            let is = |scheme: &&str| format!("{scheme}://{host}").eq_ignore_ascii_case(origin);
            assert!(schemes.iter().any(is), "{origin:?}");
        }
    }
}

fn led_back(next: &str) {
    let target = local(next);
    assert!(target.starts_with('/') && target.len() <= MAX_NEXT, "{target:?}");
    // What browsers take for the name of another host.
    assert!(!matches!(target.as_bytes(), [b'/', b'/' | b'\\', ..]), "{target:?}");
    assert!(target.bytes().all(|byte| byte.is_ascii_graphic()), "{target:?}");
    assert!(target == next || target == "/");
    assert_eq!(pairs(&format!("next={}", escaped(next))), [("next".to_owned(), next.to_owned())]);
}

fn in_session(headers: &HeaderMap, name: &str) -> Result<(), NoRandom> {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let account = |name: &str| Some(Account { name: name.into(), roles: Roles::OWN, tie: [7; 32] });
    let (sessions, tokens) = (Sessions::new()?, Tokens::new()?);
    let mine = match account(name) {
        Some(account) if name.len() <= MAX_NAME => Some(sessions.issue(&account, now)?),
        _ => None,
    };
    for value in cookies::values(headers, "copilot") {
        assert!(!value.contains(';'), "{value:?}");
        assert_eq!(sessions.check(value, now, account), None, "nobody but us makes one");
        assert!(!tokens.check(Tied::Form(value), value));
    }
    let Some(mine) = mine else { return Ok(()) };
    let session = sessions.check(&mine, now, account);
    assert!(session.is_some_and(|session| &*session.account.name == name), "{name:?}");
    for at in 0..mine.len() {
        assert_eq!(sessions.check(&mine[..at], now, account), None, "cut at {at}");
    }
    // As a browser sends it, behind what somebody else has set.
    let theirs = headers.get(COOKIE).map(HeaderValue::as_bytes).unwrap_or_default();
    let mut both = HeaderMap::new();
    insert(&mut both, COOKIE, &[theirs, b";copilot=", mine.as_bytes()].concat());
    let found = cookies::values(&both, "copilot").count();
    assert!(found == 0 || theirs.is_ascii(), "{both:?}");
    Ok(())
}

/// Bytes of the longest name that a users file may have.
const MAX_NAME: usize = 128 * 4;
