//! One exchange in flight: what its relay writes and readers read.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use super::{Growing, InFlight, Shared, lock};
use crate::exchange::{Exchange, ExchangeId, Sight};
use crate::observer::{Fields, ResponseHead};
use crate::redaction::body_is_secret;
use crate::rules::{Kind, KindTable, model_in_path};
use crate::wire::Direction;

/// Kinds whose answers are text for people.
const WITH_TEXT: [Kind; 3] = [Kind::Completions, Kind::Chat, Kind::Nes];

/// Characters kept of a host, a method, a path and a model each: they are there to be read in a row.
const NAME_MAX: usize = 300;

pub(super) struct Entry {
    id: ExchangeId,
    user: Option<Arc<str>>,
    client: SocketAddr,
    host: String,
    method: String,
    path: String,
    kind: Kind,
    model: Option<String>,
    began: SystemTime,
    has_text: bool,
    /// 0 before the response.
    status: AtomicU16,
    /// Body bytes by direction.
    moved: [AtomicU64; 2],
    /// What no reader has fetched yet. The relay writes here, so it is locked for moments only.
    fresh: Mutex<Growing>,
    /// What readers have fetched. The relay never waits for this.
    fetched: Mutex<Growing>,
}

impl Entry {
    pub(super) fn of(exchange: &Exchange, table: &KindTable, record: &[Kind]) -> Self {
        let head = &exchange.request.head;
        let host = exchange.host().to_ascii_lowercase();
        let (method, target) = (String::from_utf8_lossy(&head.method), String::from_utf8_lossy(&head.target));
        let path = target.split('?').next().unwrap_or_default();
        let possible = table.possible(&host, &method, &target, &head.fields);
        let has_text = possible.iter().all(|kind| WITH_TEXT.contains(kind) && record.contains(kind));
        Self {
            id: exchange.id,
            user: exchange.connection.user.clone(),
            client: exchange.connection.client,
            kind: table.classify(&host, &method, &target, &head.fields, b"").kind,
            model: model_in_path(path).map(shortened),
            path: shortened(path),
            host: shortened(&host),
            method: shortened(&method),
            began: exchange.began,
            has_text: has_text && !body_is_secret(&head.target),
            status: AtomicU16::new(exchange.response.as_ref().map_or(0, |response| response.head.status)),
            moved: [const { AtomicU64::new(0) }; 2],
            fresh: Mutex::default(),
            fetched: Mutex::default(),
        }
    }

    pub(super) fn tell(&self) -> InFlight {
        let [sent, received] = [Direction::ClientToServer, Direction::ServerToClient]
            .map(|direction| self.moved[direction.index()].load(Ordering::Relaxed));
        InFlight {
            id: self.id,
            user: self.user.clone(),
            client: self.client,
            host: self.host.clone(),
            method: self.method.clone(),
            path: self.path.clone(),
            kind: self.kind,
            model: self.model.clone(),
            began: self.began,
            status: Some(self.status.load(Ordering::Relaxed)).filter(|&status| status != 0),
            sent,
            received,
            has_text: self.has_text,
        }
    }

    /// The body so far, if it is copied.
    pub(super) fn grown(&self) -> Option<Growing> {
        if !self.has_text {
            return None;
        }
        // Both in this order and together: else another reader's piece could come between.
        let mut fetched = lock(&self.fetched);
        let (bytes, coding, cut) = {
            let mut fresh = lock(&self.fresh);
            (std::mem::take(&mut fresh.bytes), std::mem::take(&mut fresh.coding), fresh.cut)
        };
        fetched.bytes.extend_from_slice(&bytes);
        if !coding.is_empty() {
            fetched.coding = coding;
        }
        fetched.cut = cut;
        Some(fetched.clone())
    }
}

fn shortened(name: &str) -> String {
    name.chars().take(NAME_MAX).collect()
}

/// The relay's end of an entry, which goes with it.
pub(super) struct Watched {
    id: ExchangeId,
    shared: Arc<Shared>,
    entry: Arc<Entry>,
    /// Bytes copied.
    copied: usize,
    /// Nothing more is copied.
    full: bool,
}

impl Watched {
    pub(super) fn new(id: ExchangeId, shared: Arc<Shared>, entry: Arc<Entry>) -> Self {
        Self { id, shared, entry, copied: 0, full: false }
    }

    fn copy(&mut self, bytes: &[u8]) {
        let taken = bytes.len().min(self.shared.ceilings.body - self.copied);
        let fits = self.shared.hold(taken);
        let mut fresh = lock(&self.entry.fresh);
        if fits {
            fresh.bytes.extend_from_slice(&bytes[..taken]);
            self.copied += taken;
        }
        self.full = !fits || taken < bytes.len();
        fresh.cut |= self.full;
    }
}

impl Sight for Watched {
    fn responded(&mut self, head: &ResponseHead) {
        self.entry.status.store(head.status, Ordering::Relaxed);
        let mut coding = Fields::default();
        for (name, value) in head.fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"content-encoding")) {
            coding.push(name, value);
        }
        if self.entry.has_text && !coding.is_empty() {
            lock(&self.entry.fresh).coding = coding;
        }
        self.shared.changed();
    }

    fn moved(&mut self, direction: Direction, bytes: &[u8]) {
        self.entry.moved[direction.index()].fetch_add(bytes.len() as u64, Ordering::Relaxed);
        if direction == Direction::ServerToClient && self.entry.has_text && !self.full {
            self.copy(bytes);
        }
        self.shared.changed();
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        lock(&self.shared.entries).remove(&self.id);
        self.shared.release(self.copied);
        self.shared.changed();
    }
}
