//! Coverage: who was seen with what, and what was not seen.
//!
//! Joins what the index has ([`crate::index::Sightings`]) with the door book, by user, `tid` and address, and makes
//! findings of the gaps: a sentence of what each means, and one of what to do. What cannot be known is no finding.

mod cache;
mod findings;
pub mod fuzz;
mod join;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::Path;

use serde::Serialize;

pub use self::cache::{Cache, Seen, Turn};
pub use self::join::coverage;
use crate::door::{Book, Contents, Entry, What};
use crate::rules::Kind;

/// What was seen, and what was not.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Coverage {
    /// Not before, microseconds since 1970; none: ever.
    pub since: Option<i64>,
    /// When the newest record began, microseconds since 1970; none where there is none.
    pub newest: Option<i64>,
    /// Since when the door book tells, microseconds since 1970; none: there is none, and what never became a record
    /// is not known.
    pub door_since: Option<i64>,
    /// What is wrong with the door book, if something is.
    pub door_problem: Option<String>,
    /// Users, accounts and addresses: those with the gravest findings first.
    pub subjects: Vec<Subject>,
    /// Exchanges and pairs of the door book that are in none of them, because there are too many.
    pub left_out: u64,
}

/// Whom it is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// A user of the proxy.
    User(String),
    /// A Copilot account that no user is known of, by its `tid`.
    Tid(String),
    /// An address of which no more is known.
    Address(String),
    /// Not even that.
    Nobody,
}

impl Who {
    /// As tables show it, and as filters of exchanges have it where it is a user.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::User(name) => name.clone(),
            // As figures name them.
            Self::Tid(tid) => format!("tid:{}", tid.chars().take(8).collect::<String>()),
            Self::Address(address) => address.clone(),
            Self::Nobody => "-".to_owned(),
        }
    }
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Subject {
    /// Whom it is about.
    pub who: Who,
    /// The clients seen, latest first.
    pub clients: Vec<Client>,
    /// Addresses that its exchanges came from.
    pub addresses: BTreeSet<IpAddr>,
    /// Telemetry events, and the last one's time, by the client's clock.
    pub events: Option<(u64, i64)>,
    /// What the door book has of it; counts are those since the book was begun.
    pub door: Vec<Entry>,
    /// What is missing, gravest first.
    pub findings: Vec<Finding>,
}

impl Subject {
    /// The last thing seen of it, microseconds since 1970.
    #[must_use]
    pub fn last(&self) -> Option<i64> {
        let clients = self.clients.iter().map(|client| client.last);
        clients.chain(self.door.iter().map(|entry| entry.last)).max()
    }

    /// How many exchanges of a kind were seen.
    #[must_use]
    pub fn count(&self, kind: Kind) -> u64 {
        let seen = self.clients.iter().flat_map(|client| &client.kinds).filter(|seen| seen.kind == kind);
        sum(seen.map(|seen| seen.count))
    }

    /// How often something happened at the door.
    #[must_use]
    pub fn door_count(&self, what: What) -> u64 {
        sum(self.door.iter().filter(|entry| entry.what == what).map(|entry| entry.count))
    }
}

/// Of counts of a file that somebody may have written: nobody counts so far.
fn sum(counts: impl Iterator<Item = u64>) -> u64 {
    counts.fold(0, u64::saturating_add)
}

/// An editor with its plugin, or what is known in its place.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Client {
    /// Name and version: `vscode/1.95.3`; the name alone where the version is not known.
    pub editor: Option<String>,
    /// The plugin's.
    pub plugin: Option<String>,
    /// The kinds of its exchanges.
    pub kinds: Vec<KindSeen>,
    /// The first, microseconds since 1970.
    pub first: i64,
    /// The last, microseconds since 1970.
    pub last: i64,
    /// What is known of how such a client goes through a proxy.
    pub hint: Option<&'static str>,
}

/// Exchanges of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KindSeen {
    /// The kind.
    pub kind: Kind,
    /// How many.
    pub count: u64,
    /// The last, microseconds since 1970.
    pub last: i64,
}

/// Something that was not seen, or should not have been.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Which.
    pub gap: Gap,
    /// How grave.
    pub weight: Weight,
    /// In three words.
    pub title: &'static str,
    /// What it means.
    pub means: String,
    /// What to do.
    pub todo: &'static str,
    /// Hosts, endpoints, reasons: the most frequent first.
    pub details: Vec<Detail>,
    /// How many more of those there are.
    pub more: usize,
}

/// One place or reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Detail {
    /// Which.
    pub text: String,
    /// How often.
    pub count: u64,
    /// The last time, microseconds since 1970.
    pub last: i64,
}

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// Something does not work, or is not recorded.
    Bad,
    /// Figures have a gap.
    Warn,
    /// Worth knowing.
    Note,
}

/// What is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gap {
    /// The client refuses our certificate.
    Untrusted,
    /// The client leaves when it sees our certificate, or soon after.
    LeavesAtCertificate,
    /// Asked for credentials, it sends none.
    NoCredentials,
    /// Credentials were wrong.
    LoginFailed,
    /// The policy refused tunnels.
    Refused,
    /// Upstreams could not be reached.
    Unreachable,
    /// A host of Copilot's was not opened.
    OpaqueCopilot,
    /// Telemetry, and nothing that it could speak of.
    OnlyTelemetry,
    /// Telemetry speaks of requests that were not recorded.
    UnknownRequests,
    /// Suggestions, and no telemetry.
    NoTelemetry,
    /// No tunnel to the host of chat and models.
    NoApi,
    /// No tunnel to where one signs in.
    NoSignIn,
    /// Endpoints that the rules do not know.
    UnknownEndpoints,
}

/// What is known of the door.
#[derive(Clone, Debug)]
pub enum Door {
    /// The book.
    Known(Contents),
    /// There is none: records of an older version, or of another tool.
    Missing,
    /// It cannot be read; the sentence says why.
    Damaged(String),
}

impl Door {
    /// The book of a proxy that runs, else that beside the logs. Reads a file: not for threads that must not block.
    #[must_use]
    pub fn of(book: Option<&Book>, logs: &Path) -> Self {
        if let Some(book) = book {
            return Self::Known(book.contents());
        }
        match Contents::load(logs) {
            Ok(Some(contents)) => Self::Known(contents),
            Ok(None) => Self::Missing,
            Err(error) => Self::Damaged(error.to_string()),
        }
    }

    /// The book, if there is one.
    #[must_use]
    pub fn contents(&self) -> Option<&Contents> {
        match self {
            Self::Known(contents) => Some(contents),
            Self::Missing | Self::Damaged(_) => None,
        }
    }
}

/// How far back is looked, from the newest record: so that a folder from last year tells something too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Span {
    /// A day.
    Day,
    /// Seven days.
    #[default]
    Week,
    /// Thirty days.
    Month,
    /// Everything.
    All,
}

impl Span {
    /// All of them, with the name that addresses have and the one for people.
    pub const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Day, "1d", "1 day"),
        (Self::Week, "7d", "7 days"),
        (Self::Month, "30d", "30 days"),
        (Self::All, "all", "All"),
    ];

    /// By its name in an address.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == name).map(|(span, ..)| *span)
    }

    /// When it begins, if the newest record is of then; microseconds since 1970.
    #[must_use]
    pub fn begin(self, newest: i64) -> Option<i64> {
        const DAY: i64 = 86_400_000_000;
        let days = match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 30,
            Self::All => return None,
        };
        Some(newest.saturating_sub(days * DAY))
    }
}

impl Coverage {
    /// Only what is about this user.
    #[must_use]
    pub fn only(mut self, user: &str) -> Self {
        self.subjects.retain(|subject| matches!(&subject.who, Who::User(name) if name == user));
        self
    }

    /// The kinds that anybody was seen with, in their order.
    #[must_use]
    pub fn kinds(&self) -> Vec<Kind> {
        let seen = self.subjects.iter().flat_map(|subject| &subject.clients).flat_map(|client| &client.kinds);
        let seen: Vec<_> = seen.map(|seen| seen.kind).collect();
        Kind::ALL.into_iter().filter(|kind| seen.contains(kind)).collect()
    }

    /// How many subjects have a finding of this weight as their gravest.
    #[must_use]
    pub fn gravest(&self, weight: Weight) -> usize {
        self.subjects
            .iter()
            .filter(|subject| subject.findings.first().is_some_and(|found| found.weight == weight))
            .count()
    }
}
