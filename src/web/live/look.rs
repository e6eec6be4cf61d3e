//! What the hub sees when it looks.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use crate::archive::Form;
use crate::exchange::ExchangeId;
use crate::index::{ANEW_MAX, Row};
use crate::live::{Growing, InFlight, Streams, Text};
use crate::metrics::Metrics;

/// Rows that came between two marks of the index.
#[derive(Debug)]
pub(super) struct Look {
    /// The mark before them.
    pub(super) from: i64,
    /// The mark with them.
    pub(super) to: i64,
    /// In the order in which they came.
    pub(super) rows: Vec<Row>,
    /// Rows that came before these and are not here.
    pub(super) left_out: u64,
}

/// How it is now; each look makes the one before worthless.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Now {
    /// None where no proxy runs in this program.
    pub(super) counters: Option<Counters>,
    /// What is in flight and recorded, in the order in which it began.
    pub(super) flying: Vec<Flying>,
    /// Why no records can be told just now.
    pub(super) problem: Option<String>,
}

/// What the proxy counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counters {
    /// Tunnels open now.
    pub(super) tunnels: i64,
    /// Exchanges in flight now, those that are not recorded too.
    pub(super) exchanges: i64,
}

impl Counters {
    pub(super) fn of(metrics: &Metrics) -> Self {
        Self { tunnels: metrics.tunnels_open.get(), exchanges: metrics.exchanges_in_flight.get() }
    }
}

/// One exchange in flight.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Flying {
    pub(super) flight: InFlight,
    /// What is known so far of the row that it will have: for filters, rights and the audit.
    pub(super) row: Arc<Row>,
    /// What its answer says so far.
    pub(super) text: Option<Arc<Text>>,
}

impl Flying {
    /// Without its text.
    pub(super) fn of(flight: InFlight) -> Self {
        Self { row: Arc::new(row(&flight)), flight, text: None }
    }
}

/// Answers in flight that are read; of more, those that began last.
const READ_MAX: usize = 256;

/// What is in flight, read again only where more has come.
#[derive(Debug, Default)]
pub(super) struct Reader {
    known: HashMap<ExchangeId, (u64, Flying)>,
}

impl Reader {
    /// Reads what is in flight now. Takes milliseconds for each answer that grew: not for where others wait.
    pub(super) fn read(&mut self, streams: &Streams) -> Vec<Flying> {
        let all = streams.snapshot();
        let unread = all.len().saturating_sub(READ_MAX);
        let flying = all.into_iter().enumerate().map(|(at, flight)| match self.known.remove(&flight.id) {
            Some((received, flying)) if received == flight.received => Flying { flight, ..flying },
            before => {
                let body = (at >= unread).then(|| streams.body(flight.id)).flatten();
                let read = body.and_then(Growing::read).map(Arc::new);
                // One that ended meanwhile keeps what it said until it is gone from here.
                let text = read.or_else(|| before.and_then(|(_, flying)| flying.text));
                Flying { text, ..Flying::of(flight) }
            }
        });
        let flying: Vec<_> = flying.collect();
        self.known = flying.iter().map(|it| (it.flight.id, (it.flight.received, it.clone()))).collect();
        flying
    }
}

/// The row that an exchange in flight would have if it ended now and nobody looked into it.
fn row(flight: &InFlight) -> Row {
    let micros = flight.began.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    Row {
        id: flight.id.to_string(),
        file: String::new(),
        form: Form::Recorder,
        began: i64::try_from(micros).unwrap_or(i64::MAX),
        kind: flight.kind,
        rule: String::new(),
        user: flight.user.as_deref().map(str::to_owned),
        tid: None,
        client: Some(flight.client.ip().to_string()),
        machine: None,
        session: None,
        editor: None,
        editor_version: None,
        plugin: None,
        host: flight.host.clone(),
        path: flight.path.clone(),
        method: flight.method.clone(),
        status: flight.status,
        complete: Some(false),
        aborted_by: None,
        problem: None,
        error: None,
        initiator: None,
        intent: None,
        interaction: None,
        request_id: None,
        response_id: None,
        previous_response_id: None,
        speculative: false,
        model: flight.model.clone(),
        model_answered: None,
        language: None,
        request_size: flight.sent,
        response_size: flight.received,
        connect_ms: None,
        tls_ms: None,
        first_byte_ms: None,
        first_token_ms: None,
        total_ms: None,
        server_ms: None,
        tokens_in: None,
        tokens_cached: None,
        tokens_out: None,
        tokens_reasoning: None,
        finish_reason: None,
        choices: None,
        tool_calls: None,
        answer_chars: None,
        noise: None,
    }
}

/// The records that were met last: an index that is made anew names them again.
#[derive(Debug, Default)]
pub(super) struct Known {
    ids: HashSet<String>,
    order: VecDeque<String>,
}

impl Known {
    /// Whether it is met for the first time.
    pub(super) fn is_new(&mut self, id: &str) -> bool {
        if !self.ids.insert(id.to_owned()) {
            return false;
        }
        self.order.push_back(id.to_owned());
        // Twice what an index made anew names: as many may have arrived just before.
        if self.order.len() as u64 > 2 * ANEW_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}
