//! Who may see what: sessions, roles, and the log of who looked.
//!
//! ```text
//! request ─▶ Host ─▶ same origin? ─▶ session or Basic ─▶ may this area be seen? ─▶ page, with a `Viewer`
//!             400     403             303 /login, 401     403
//!             421
//! ```
//!
//! Given a request, hands on a [`Viewer`] with [`Rights`], or an answer that sends it away. Knows the users file through
//! `auth`, and of records only whose they are; what a page shows of whom it asks the rights.

pub mod audit;
pub mod csrf;
pub mod fuzz;
pub mod host;
pub mod pseudonym;
pub mod rights;
pub mod session;

mod area;
mod cookies;
mod gate;
mod headers;
mod leash;
mod login;
mod viewer;

use aws_lc_rs::hmac;

pub use audit::{Audit, NotWritten, Seen};
pub use gate::Access;
pub use pseudonym::Pseudonyms;
pub use rights::{Area, Rights};
pub use viewer::Viewer;

pub(super) use gate::guard;
pub(super) use headers::secure;
pub(super) use login::{home, router};

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
