//! The tap of one connection: observer to assembler to store.
//!
//! Joins the halves of the program: it is the one place that knows both what was relayed and what is kept.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use crate::config::{Config, Limits};
use crate::exchange::{Action, Assembler, Connection, Onlooker, Selector};
use crate::live::Streams;
use crate::metrics::Metrics;
use crate::observer::{Event, Limits as ObserverLimits, Observer, Protocol, RequestHead};
use crate::relay::Tap;
use crate::rules::{Kind, KindTable};
use crate::store::Store;
use crate::tunnel::Watcher;
use crate::wire::{Direction, Ending};

/// Kept of a WebSocket message even where less is kept of bodies: what it means for its turn is read from it.
const MESSAGE_MIN: usize = 64 << 10;

/// Makes the taps of opened tunnels.
pub struct Recorder {
    store: Store,
    metrics: Metrics,
    selector: Arc<dyn Selector>,
    onlooker: Option<Arc<dyn Onlooker>>,
    limits: Limits,
}

impl Recorder {
    /// Records into `store` what the configuration asks for, and keeps `streams` up to date.
    #[must_use]
    pub fn new(config: &Config, store: Store, metrics: Metrics, streams: &Streams) -> Self {
        let selector = Arc::new(ByKind { table: config.kinds.clone(), record: config.record.clone() });
        Self { store, metrics, selector, onlooker: streams.onlooker(), limits: config.limits.clone() }
    }
}

/// Wants the exchanges of the kinds that are recorded.
struct ByKind {
    table: KindTable,
    record: Vec<Kind>,
}

impl Selector for ByKind {
    fn wanted(&self, host: &str, head: &RequestHead) -> bool {
        self.table.wanted(host, head, &self.record)
    }
}

impl Watcher for Recorder {
    fn watch(&self, connection: Connection) -> Box<dyn Tap> {
        let protocol = match connection.alpn.as_deref() {
            Some("h2") => Protocol::Http2,
            Some(_) => Protocol::Http1,
            None => Protocol::Detect,
        };
        let message = self.limits.body.max(MESSAGE_MIN);
        let limits = ObserverLimits { head: self.limits.head, message, ..ObserverLimits::default() };
        let selector = Arc::clone(&self.selector);
        Box::new(RecorderTap {
            observer: Observer::new(protocol, limits),
            assembler: Assembler::new(Arc::new(connection), selector, self.limits.body).seen_by(self.onlooker.clone()),
            actions: Vec::new(),
            in_flight: 0,
            store: self.store.clone(),
            metrics: self.metrics.clone(),
        })
    }
}

struct RecorderTap {
    observer: Observer,
    assembler: Assembler,
    /// Filled and emptied within one call; kept for its capacity.
    actions: Vec<Action>,
    in_flight: usize,
    store: Store,
    metrics: Metrics,
}

impl RecorderTap {
    fn pass_on(&mut self) {
        for action in self.actions.drain(..) {
            if matches!(action, Action::Skip(_)) {
                self.metrics.exchanges_skipped.inc();
            } else {
                self.store.submit(action);
            }
        }
        let in_flight = self.assembler.in_flight();
        if in_flight != self.in_flight {
            self.metrics.exchanges_in_flight.inc_by(in_flight as i64 - self.in_flight as i64);
            self.in_flight = in_flight;
        }
    }
}

/// Counts what the assembler does not tell.
fn count(metrics: &Metrics, event: &Event<'_>) {
    match event {
        Event::Request { .. } => drop(metrics.exchanges_seen.inc()),
        Event::Malformed { .. } => drop(metrics.malformed.inc()),
        _ => {}
    }
}

impl Tap for RecorderTap {
    fn bytes(&mut self, direction: Direction, at: Instant, bytes: &[u8]) {
        let Self { observer, assembler, actions, metrics, .. } = self;
        observer.feed(direction, bytes, &mut |event| {
            count(metrics, &event);
            assembler.event(at, event, actions);
        });
        self.pass_on();
    }

    fn end(&mut self, direction: Direction, at: Instant, ending: Ending) {
        let Self { observer, assembler, actions, metrics, .. } = self;
        observer.end(direction, ending == Ending::Clean, &mut |event| {
            count(metrics, &event);
            assembler.event(at, event, actions);
        });
        assembler.end(direction, at, ending, actions);
        self.pass_on();
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.store.poll_ready(cx)
    }

    fn deadline(&self) -> Option<Instant> {
        self.assembler.deadline()
    }

    fn tick(&mut self, now: Instant) {
        self.assembler.tick(now, &mut self.actions);
        self.pass_on();
    }

    fn is_idle(&self) -> bool {
        self.assembler.is_idle()
    }
}
