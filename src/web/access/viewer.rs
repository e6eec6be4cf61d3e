//! Who asks.

use std::net::IpAddr;
use std::sync::Arc;

use super::Rights;
use crate::auth::Account;

/// Whoever makes a request, and what that one may see. Each handler finds it among the request's extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The name in the users file; `None` where no login is asked.
    pub name: Option<Arc<str>>,
    /// What may be seen.
    pub rights: Rights,
    /// The peer's address. Behind another proxy that is the proxy's: nobody else can be believed.
    pub from: IpAddr,
}

impl Viewer {
    /// Nobody in particular, with all rights: somebody on this machine, where no login is asked.
    #[must_use]
    pub fn anybody(from: IpAddr) -> Self {
        Self { name: None, rights: Rights::everything(), from: from.to_canonical() }
    }

    /// Somebody who has logged in.
    #[must_use]
    pub fn of(account: &Account, from: IpAddr) -> Self {
        Self { name: Some(Arc::clone(&account.name)), rights: Rights::of(account), from: from.to_canonical() }
    }
}
