//! Who may see what: sessions, roles, and the log of who looked.
//!
//! Given a request, hands on a [`Viewer`] with [`Rights`], or an answer that sends it away. Knows the users file through
//! `auth` and nothing of records; what a page shows of whom is asked of the rights by that page.

pub mod audit;
pub mod csrf;
pub mod host;
pub mod pseudonym;
pub mod rights;
pub mod session;

mod viewer;

use aws_lc_rs::hmac;

pub use audit::{Audit, NotWritten, Seen, What};
pub use pseudonym::Pseudonyms;
pub use rights::{Area, Rights};
pub use viewer::Viewer;

/// The operating system gave no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gives no random bytes")]
pub struct NoRandom;

impl From<NoRandom> for std::io::Error {
    fn from(error: NoRandom) -> Self {
        Self::other(error)
    }
}

fn random<const N: usize>() -> Result<[u8; N], NoRandom> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| NoRandom)?;
    Ok(bytes)
}

fn random_key() -> Result<hmac::Key, NoRandom> {
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &random::<32>()?))
}
