//! Who may see what.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::Site;
use crate::index::{Filter, Row};

/// Who looks.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// The user; none on loopback without login.
    pub name: Option<Arc<str>>,
    /// What they may see.
    pub rights: Rights,
    /// Where from.
    pub from: IpAddr,
}

/// A part of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// Records as they arrive.
    Live,
    /// The table of exchanges, one exchange, a conversation, a comparison.
    Exchanges,
    /// Figures.
    Figures,
    /// What was seen and what was not.
    Coverage,
    /// How editors are set up.
    Setup,
    /// How the recorder is.
    Health,
}

/// What somebody may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights;

impl Rights {
    /// Whether they may open pages of the area at all.
    #[must_use]
    pub fn may(&self, _area: Area) -> bool {
        true
    }

    /// People by their names; else by pseudonyms.
    #[must_use]
    pub fn names_people(&self) -> bool {
        true
    }

    /// The one user whose records they may see; none: no such limit.
    #[must_use]
    pub fn own_only(&self) -> Option<&str> {
        None
    }
}

impl Viewer {
    /// A filter that finds only what they may see.
    #[must_use]
    pub fn restrict(&self, filter: Filter) -> Filter {
        match self.rights.own_only() {
            Some(own) => Filter { users: vec![own.to_owned()], ..filter },
            None => filter,
        }
    }

    /// Whether they may see what is in this record.
    #[must_use]
    pub fn may_see(&self, row: &Row) -> bool {
        self.rights.own_only().is_none_or(|own| row.user.as_deref() == Some(own))
    }
}

/// Lets in who may come in, and says who it is: the [`Viewer`] is an extension of the request.
pub(super) async fn guard(State(_site): State<Site>, mut request: Request, next: Next) -> Response {
    let from = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
    let from = from.unwrap_or_else(|| [127, 0, 0, 1].into());
    request.extensions_mut().insert(Viewer { name: None, rights: Rights, from });
    next.run(request).await
}
