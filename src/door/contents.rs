//! What a door book holds.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::file::{self, BookError};

/// What happened, as a kind of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A tunnel was opened: what goes through it is recorded.
    Opened,
    /// Such a tunnel ended before the client sent anything in it. Some clients look at the certificate only then, and
    /// leave when they do not trust it; others open tunnels ahead of need and drop them.
    Unused,
    /// A tunnel was relayed without being opened.
    Opaque,
    /// The policy refused the CONNECT; the detail is the reason.
    Refused,
    /// The upstream could not be reached, or its TLS handshake failed; the detail says why.
    Unreachable,
    /// A CONNECT came without credentials and was asked for them. Usual for clients that wait to be asked.
    Asked,
    /// Credentials were wrong; the detail is the name, where the users file has it.
    LoginFailed,
    /// The client refused our certificate by a TLS alert, which is the detail.
    Untrusted,
    /// The client left in the middle of the handshake, without a word or with another alert.
    BrokenOff,
}

/// One thing that happened, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What.
    pub what: What,
    /// The host that was asked for; empty where none belongs to it.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub host: Box<str>,
    /// See [`What`]; empty where there is nothing to say.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub detail: Box<str>,
    /// How often.
    pub count: u64,
    /// The first time, in microseconds since 1970.
    pub first: i64,
    /// The last time, in microseconds since 1970.
    pub last: i64,
}

/// What happened to one user at one address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// The name that was verified; none where nobody was asked, or the login failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Box<str>>,
    /// The client's address.
    pub client: IpAddr,
    /// What happened, in no order.
    pub entries: Vec<Entry>,
    /// Entries that were dropped because there were too many.
    #[serde(default)]
    pub dropped: u64,
}

impl Pair {
    /// The last time that anything happened; 0 where nothing did.
    #[must_use]
    pub fn last(&self) -> i64 {
        self.entries.iter().map(|entry| entry.last).max().unwrap_or_default()
    }

    /// The entries of one kind.
    pub fn of(&self, what: What) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.what == what)
    }
}

/// An upstream that could not be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamError {
    /// When, in microseconds since 1970.
    pub at: i64,
    /// The host.
    pub host: Box<str>,
    /// Why, in a sentence.
    pub why: Box<str>,
}

/// A book as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Contents {
    /// When the book was begun, in microseconds since 1970: nothing is known of what was before.
    pub begun: i64,
    /// When the last thing was written down, in microseconds since 1970.
    pub as_of: i64,
    /// Users and addresses, in no order.
    pub pairs: Vec<Arc<Pair>>,
    /// Pairs that were dropped because there were too many.
    pub dropped: u64,
    /// The last upstream errors, oldest first.
    pub errors: VecDeque<UpstreamError>,
}

impl Contents {
    /// Reads the book beside the logs; none where there is none.
    ///
    /// # Errors
    /// When it cannot be read, or is not a door book.
    pub fn load(logs: &Path) -> Result<Option<Self>, BookError> {
        file::read(logs)
    }
}
