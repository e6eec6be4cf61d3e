//! Sessions: who has logged in, carried by the browser in a signed cookie.
//!
//! ```text
//! cookie  = base64url( body ∥ HMAC-SHA256(key, body ∥ tie) )
//! body    = 1 ∥ issued (8) ∥ ends (8) ∥ nonce (16) ∥ name of the user
//! ```
//!
//! Times are milliseconds since 1970. The key is random and lives as long as the process: a restart ends all sessions.
//! The tie is the account's and never leaves us: it changes with the password, and is gone with the user. Knows nothing
//! of HTTP beyond the cookie's value; the time is a parameter.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::NoRandom;
use crate::auth::Account;

/// How long a login is good for: a working day, so that nobody logs in twice on one and no forgotten window is open on
/// the next. The browser forgets the cookie earlier when it is closed.
const LIFE: Duration = Duration::from_secs(12 * 60 * 60);

/// A clock that is set back a little does not end sessions; one that is set back by more than this does.
const CLOCK_STEP: Duration = Duration::from_secs(5 * 60);

/// The longest cookie that is looked at: a name has at most 128 characters of four bytes.
const MAX_COOKIE: usize = 1024;

/// Sessions of one user that are ended one by one; one more, and all that the user has are ended. Keeps the memory
/// that somebody can fill by logging in and out small, at the expense of nobody else.
const MAX_ENDED: usize = 64;

const VERSION: u8 = 1;
const HEAD: usize = 1 + 8 + 8 + 16;
const MAC: usize = 32;

/// Makes and checks sessions. One for the process.
pub struct Sessions {
    key: hmac::Key,
    ended: Mutex<HashMap<Arc<str>, Ended>>,
}

/// What has been ended of one user before its time.
#[derive(Default)]
struct Ended {
    /// Sessions issued up to this time.
    until: u64,
    /// Single ones, and when each would have ended by itself.
    nonces: Vec<([u8; 16], u64)>,
}

/// A session that was found to be good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The user as the users file has it now.
    pub account: Account,
    /// Random, and told to nobody but the browser.
    pub nonce: [u8; 16],
    issued: u64,
    ends: u64,
}

impl Sessions {
    /// With a new key.
    ///
    /// # Errors
    /// Where the operating system gives no random bytes.
    pub fn new() -> Result<Self, NoRandom> {
        Ok(Self { key: super::random_key()?, ended: Mutex::default() })
    }

    /// The value of a cookie for somebody who has just logged in.
    ///
    /// # Errors
    /// Where the operating system gives no random bytes.
    pub fn issue(&self, account: &Account, now: SystemTime) -> Result<String, NoRandom> {
        let issued = millis(now);
        let mut bytes = vec![VERSION];
        bytes.extend(issued.to_be_bytes());
        bytes.extend(issued.saturating_add(span(LIFE)).to_be_bytes());
        bytes.extend(super::random::<16>()?);
        bytes.extend(account.name.as_bytes());
        let mac = hmac::sign(&self.key, &signed(&bytes, &account.tie));
        bytes.extend(mac.as_ref());
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The session that a cookie's value stands for. `account` gives what the users file says of a name now.
    ///
    /// `None` where we did not make it, it has ended, the user is gone or has another password.
    pub fn check(
        &self,
        cookie: &str,
        now: SystemTime,
        account: impl FnOnce(&str) -> Option<Account>,
    ) -> Option<Session> {
        if cookie.len() > MAX_COOKIE {
            return None;
        }
        // Strict: one text for each value, so that a changed letter is a changed value.
        let bytes = URL_SAFE_NO_PAD.decode(cookie).ok()?;
        let (body, mac) = bytes.split_at_checked(bytes.len().checked_sub(MAC)?)?;
        let (head, name) = body.split_at_checked(HEAD)?;
        let account = account(std::str::from_utf8(name).ok()?);
        // Computed also for nobody, so that the time does not tell who exists. Compared in constant time.
        let tie = account.as_ref().map_or([0; 32], |account| account.tie);
        hmac::verify(&self.key, &signed(body, &tie), mac).ok()?;
        let account = account?;

        let (&[version], rest) = head.split_first_chunk()?;
        let (issued, rest) = rest.split_first_chunk()?;
        let (ends, rest) = rest.split_first_chunk()?;
        let (issued, ends) = (u64::from_be_bytes(*issued), u64::from_be_bytes(*ends));
        let nonce: [u8; 16] = rest.try_into().ok()?;
        let now = millis(now);
        let lives = version == VERSION && now < ends && issued <= now.saturating_add(span(CLOCK_STEP));
        (lives && !self.has_ended(&account.name, issued, &nonce)).then_some(Session { account, nonce, issued, ends })
    }

    /// Whether a session that was good has not ended since. What the users file says of its user is asked by the caller.
    pub fn goes_on(&self, session: &Session, now: SystemTime) -> bool {
        millis(now) < session.ends && !self.has_ended(&session.account.name, session.issued, &session.nonce)
    }

    /// Ends a session before its time: somebody logs out.
    pub fn end(&self, session: &Session, now: SystemTime) {
        let now = millis(now);
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.retain(|_, of| {
            of.nonces.retain(|(_, ends)| *ends > now);
            !of.nonces.is_empty() || of.until.saturating_add(span(LIFE)) > now
        });
        let of = ended.entry(Arc::clone(&session.account.name)).or_default();
        of.nonces.push((session.nonce, session.ends));
        if of.nonces.len() > MAX_ENDED {
            *of = Ended { until: now, nonces: Vec::new() };
        }
    }

    fn has_ended(&self, name: &str, issued: u64, nonce: &[u8; 16]) -> bool {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.get(name).is_some_and(|of| issued <= of.until || of.nonces.iter().any(|(ended, _)| ended == nonce))
    }
}

fn signed(body: &[u8], tie: &[u8; 32]) -> Vec<u8> {
    // The tie has a fixed length, so the two parts cannot be cut in another place.
    [body, tie].concat()
}

fn millis(at: SystemTime) -> u64 {
    span(at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}

fn span(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::auth::Roles;

    const START: Duration = Duration::from_secs(1_800_000_000);

    fn at(after: Duration) -> SystemTime {
        SystemTime::UNIX_EPOCH + START + after
    }

    fn account(name: &str) -> Account {
        Account { name: name.into(), roles: Roles::OWN, tie: [7; 32] }
    }

    fn good(sessions: &Sessions, cookie: &str, after: Duration) -> bool {
        sessions.check(cookie, at(after), |name| Some(account(name))).is_some()
    }

    const NOW: Duration = Duration::ZERO;
    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn what_was_issued_is_good_until_it_ends() {
        let sessions = Sessions::new().unwrap();
        let cookie = sessions.issue(&account("josé"), at(NOW)).unwrap();
        let session = sessions.check(&cookie, at(MINUTE), |name| Some(account(name))).unwrap();
        assert_eq!(&*session.account.name, "josé");
        assert!(good(&sessions, &cookie, LIFE - MINUTE));
        assert!(!good(&sessions, &cookie, LIFE));
        let back = |time| sessions.check(&cookie, at(NOW) - time, |name| Some(account(name))).is_some();
        assert!(back(CLOCK_STEP) && !back(CLOCK_STEP + MINUTE), "the clock was set back");
        assert!(!good(&Sessions::new().unwrap(), &cookie, NOW), "another process");
        assert!(cookie.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{cookie}");
    }

    #[test]
    fn ends_with_the_user_and_with_the_password() {
        let sessions = Sessions::new().unwrap();
        let cookie = sessions.issue(&account("ann"), at(NOW)).unwrap();
        assert_eq!(sessions.check(&cookie, at(NOW), |_| None), None);
        assert_eq!(sessions.check(&cookie, at(NOW), |name| Some(Account { tie: [8; 32], ..account(name) })), None);
        let role = |name: &str| Some(Account { roles: Roles::NONE, ..account(name) });
        assert_eq!(sessions.check(&cookie, at(NOW), role).unwrap().account.roles, Roles::NONE, "another role goes on");
        // A tie of zeros is what nobody's is computed with.
        let none = sessions.issue(&Account { tie: [0; 32], ..account("eve") }, at(NOW)).unwrap();
        assert_eq!(sessions.check(&none, at(NOW), |_| None), None);
    }

    #[test]
    fn who_logs_out_ends_one_session_and_not_the_others() {
        let sessions = Sessions::new().unwrap();
        let issue = |name: &str| sessions.issue(&account(name), at(NOW)).unwrap();
        let (one, two, other) = (issue("ann"), issue("ann"), issue("bob"));
        let session = sessions.check(&one, at(NOW), |name| Some(account(name))).unwrap();
        assert!(sessions.goes_on(&session, at(MINUTE)) && !sessions.goes_on(&session, at(LIFE)));
        sessions.end(&session, at(NOW));
        assert!(!sessions.goes_on(&session, at(NOW)));
        assert!(!good(&sessions, &one, NOW) && good(&sessions, &two, NOW) && good(&sessions, &other, NOW));
    }

    #[test]
    fn what_was_ended_is_bounded_and_stays_ended() {
        let sessions = Sessions::new().unwrap();
        let other = sessions.issue(&account("bob"), at(NOW)).unwrap();
        let cookies: Vec<_> = (0..MAX_ENDED as u32 * 3)
            .map(|n| {
                let now = at(MINUTE * n);
                let cookie = sessions.issue(&account("ann"), now).unwrap();
                let session = sessions.check(&cookie, now, |name| Some(account(name))).unwrap();
                sessions.end(&session, now);
                cookie
            })
            .collect();
        let now = MINUTE * MAX_ENDED as u32 * 3;
        assert!(cookies.iter().all(|cookie| !good(&sessions, cookie, now)));
        assert!(good(&sessions, &other, now));
        assert!(sessions.ended.lock().unwrap().values().all(|of| of.nonces.len() <= MAX_ENDED));
        let fresh = sessions.issue(&account("ann"), at(now)).unwrap();
        assert!(good(&sessions, &fresh, now));
        // Long after, what is kept of it is gone with the next one that logs out.
        let late = at(now + LIFE * 2);
        let cookie = sessions.issue(&account("bob"), late).unwrap();
        sessions.end(&sessions.check(&cookie, late, |name| Some(account(name))).unwrap(), late);
        assert_eq!(sessions.ended.lock().unwrap().keys().map(|name| &**name).collect::<Vec<_>>(), ["bob"]);
    }

    #[test]
    fn texts_that_are_no_cookies_of_ours() {
        let sessions = Sessions::new().unwrap();
        let long = "A".repeat(MAX_COOKIE + 1);
        for text in ["", "A", "AAAA", "====", "é", "a b", &long[..MAX_COOKIE], &long] {
            assert!(!good(&sessions, text, NOW), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_changed_bit_is_refused(name in "[^:\\p{Cc}]{1,20}", bit in any::<prop::sample::Index>()) {
            let sessions = Sessions::new().unwrap();
            let cookie = sessions.issue(&account(&name), at(NOW)).unwrap();
            prop_assert!(good(&sessions, &cookie, NOW));
            let mut text = cookie.clone().into_bytes();
            let at = bit.index(text.len() * 8);
            text[at / 8] ^= 1 << (at % 8);
            prop_assert!(!good(&sessions, &String::from_utf8_lossy(&text), NOW), "in the text");
            let mut bytes = URL_SAFE_NO_PAD.decode(&cookie).unwrap();
            let at = bit.index(bytes.len() * 8);
            bytes[at / 8] ^= 1 << (at % 8);
            prop_assert!(!good(&sessions, &URL_SAFE_NO_PAD.encode(bytes), NOW), "in the bytes");
        }

        #[test]
        fn any_cut_is_refused(name in "[a-z]{1,20}", cut in any::<prop::sample::Index>()) {
            let sessions = Sessions::new().unwrap();
            let cookie = sessions.issue(&account(&name), at(NOW)).unwrap();
            let cut = cut.index(cookie.len());
            prop_assert!(!good(&sessions, &cookie[..cut], NOW));
            prop_assert!(!good(&sessions, &cookie[cut..][..cookie.len() - cut - usize::from(cut == 0)], NOW));
        }

        #[test]
        fn arbitrary_text_is_survived(text in ".{0,200}") {
            prop_assert!(!good(&Sessions::new().unwrap(), &text, NOW));
        }
    }
}
