//! Exchanges in flight, for whoever wants to look at them now.
//!
//! Given what the taps see, hands on what is under way, with the text of answers as it grows. Knows nothing of pages.
//! Kept in memory alone, and only while the exchange lasts: what is over is in its record.
//!
//! A relay must not feel that somebody looks. It adds to counters, and copies the bytes of an answer behind a lock that
//! readers hold only as long as it takes to swap two pointers. Where nobody can look ([`Streams::off`]), it does nothing.

mod entry;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::exchange::{Exchange, ExchangeId, Onlooker, Sight};
use crate::observer::Fields;
use crate::rules::{Kind, KindTable};
use entry::{Entry, Watched};
pub use text::Text;

/// Bytes of one answer that are copied, as on the wire. A long chat answer has 50 KiB; who wants more reads the record.
pub const BODY_MAX: usize = 256 << 10;

/// Bytes copied of all answers together: 128 of the longest, or some thousand usual ones. Beyond it newer answers show
/// their sizes only. Buffers that grow may take twice as much memory.
pub const BODIES_MAX: usize = 32 << 20;

/// What is in flight; cheap to clone. Taps write to it through [`Streams::onlooker`].
#[derive(Clone)]
pub struct Streams(Option<Arc<Shared>>);

impl Streams {
    /// Keeps what is in flight. The text is copied of answers whose kind has text for people, is in `record`, and is
    /// certain from the head of the request.
    #[must_use]
    pub fn new(table: KindTable, record: Vec<Kind>) -> Self {
        Self::with_ceilings(table, record, Ceilings { body: BODY_MAX, bodies: BODIES_MAX })
    }

    fn with_ceilings(table: KindTable, record: Vec<Kind>, ceilings: Ceilings) -> Self {
        let (entries, held, version) = (Mutex::default(), AtomicUsize::new(0), AtomicU64::new(0));
        Self(Some(Arc::new(Shared { table, record, ceilings, entries, held, version })))
    }

    /// Keeps nothing, because nobody can look.
    #[must_use]
    pub fn off() -> Self {
        Self(None)
    }

    /// Whether anything is kept: if not, an empty [`Streams::snapshot`] says nothing.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// What tells it of exchanges; none where it is off.
    #[must_use]
    pub fn onlooker(&self) -> Option<Arc<dyn Onlooker>> {
        let shared = Arc::clone(self.0.as_ref()?);
        Some(Arc::new(Keeper(shared)))
    }

    /// A number that changes whenever anything here does. Readers look at it from time to time, so that a relay has
    /// nobody to wake.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.0.as_ref().map_or(0, |shared| shared.version.load(Ordering::Relaxed))
    }

    /// What is in flight now, in the order in which it began.
    #[must_use]
    pub fn snapshot(&self) -> Vec<InFlight> {
        let Some(shared) = &self.0 else { return Vec::new() };
        let entries: Vec<_> = lock(&shared.entries).values().cloned().collect();
        entries.iter().map(|entry| entry.tell()).collect()
    }

    /// The answer's body so far, of one that is still in flight and whose text is copied.
    #[must_use]
    pub fn body(&self, id: ExchangeId) -> Option<Growing> {
        let entry = lock(&self.0.as_ref()?.entries).get(&id).cloned()?;
        entry.grown()
    }
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Streams").field(&self.0.as_ref().map(|shared| lock(&shared.entries).len())).finish()
    }
}

/// One exchange in flight.
#[derive(Clone, Debug, PartialEq)]
pub struct InFlight {
    /// The id that its record will have.
    pub id: ExchangeId,
    /// The user of the tunnel, if anybody was asked.
    pub user: Option<Arc<str>>,
    /// The client's address.
    pub client: SocketAddr,
    /// The host that the request is for, in lower case.
    pub host: String,
    /// The method.
    pub method: String,
    /// The path without its query, which may hold keys.
    pub path: String,
    /// What it is about, as far as the request's head says.
    pub kind: Kind,
    /// The model, where the path names it.
    pub model: Option<String>,
    /// When the request began.
    pub began: SystemTime,
    /// Status of the response; none before it came.
    pub status: Option<u16>,
    /// Bytes of the request's body so far, as on the wire.
    pub sent: u64,
    /// Bytes of the response's body so far, as on the wire.
    pub received: u64,
    /// Whether [`Streams::body`] has its text.
    pub has_text: bool,
}

/// The body of an answer that is still coming.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Growing {
    /// What came so far, as on the wire.
    pub bytes: Vec<u8>,
    /// The response's `Content-Encoding` fields.
    pub coding: Fields,
    /// More came than is kept here.
    pub cut: bool,
}

#[derive(Clone, Copy)]
struct Ceilings {
    body: usize,
    bodies: usize,
}

struct Shared {
    table: KindTable,
    record: Vec<Kind>,
    ceilings: Ceilings,
    /// As many as the assemblers have in flight, and smaller than those.
    entries: Mutex<BTreeMap<ExchangeId, Arc<Entry>>>,
    /// Bytes copied of all answers in flight.
    held: AtomicUsize,
    version: AtomicU64,
}

impl Shared {
    fn changed(&self) {
        self.version.fetch_add(1, Ordering::Relaxed);
    }

    /// Sets room aside for so many bytes; `false`: there is none.
    fn hold(&self, bytes: usize) -> bool {
        let fits = self.held.fetch_add(bytes, Ordering::Relaxed) + bytes <= self.ceilings.bodies;
        if !fits {
            self.release(bytes);
        }
        fits
    }

    fn release(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Makes an entry of each exchange that begins.
struct Keeper(Arc<Shared>);

impl Onlooker for Keeper {
    fn began(&self, exchange: &Exchange) -> Box<dyn Sight> {
        let entry = Arc::new(Entry::of(exchange, &self.0.table, &self.0.record));
        lock(&self.0.entries).insert(exchange.id, Arc::clone(&entry));
        self.0.changed();
        Box::new(Watched::new(exchange.id, Arc::clone(&self.0), entry))
    }
}

/// What is behind the locks here is right after each step: somebody's panic makes nothing of it wrong.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
