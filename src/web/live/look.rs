//! What the hub sees when it looks.

use std::collections::HashMap;
use std::sync::Arc;

use crate::exchange::ExchangeId;
use crate::index::Row;
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
    /// What its answer says so far: the end of it, where it grows.
    pub(super) text: Option<Arc<Text>>,
}

impl Flying {
    /// Without its text.
    pub(super) fn of(flight: InFlight) -> Self {
        Self { flight, text: None }
    }
}

/// Characters kept of a text that grows: its end, some screens of it. The record will have all.
const TEXT_MAX: usize = 4_000;

/// Names of tools kept.
const TOOLS_MAX: usize = 20;

/// As much of a text as is shown.
fn shown(text: Text) -> Text {
    let mut tools = text.tools;
    if tools.len() > TOOLS_MAX {
        tools.truncate(TOOLS_MAX);
        tools.push("…".to_owned());
    }
    Text { reasoning: end(text.reasoning), text: end(text.text), tools, ..text }
}

/// The end of a text, on whole lines if they are short.
fn end(text: String) -> String {
    let Some((at, _)) = text.char_indices().rev().nth(TEXT_MAX) else { return text };
    let kept = text.get(at..).unwrap_or_default();
    let kept = kept.find('\n').filter(|&line| line < kept.len() / 4).map_or(kept, |line| &kept[line + 1..]);
    format!("…\n{kept}")
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
                let read = body.and_then(Growing::read).map(|text| Arc::new(shown(text)));
                // One that ended meanwhile keeps what it said until it is gone from here.
                let text = read.or_else(|| before.and_then(|(_, flying)| flying.text));
                Flying { flight, text }
            }
        });
        let flying: Vec<_> = flying.collect();
        self.known = flying.iter().map(|it| (it.flight.id, (it.flight.received, it.clone()))).collect();
        flying
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_text_the_end_is_shown() {
        let long = format!("{}last", "é\n".repeat(5_000));
        let text = Text { text: long, tools: vec!["t".to_owned(); 50], reasoning: "r".to_owned(), ..Text::default() };
        let shown = shown(text);
        assert!(shown.text.starts_with("…\né\n") && shown.text.ends_with("é\nlast"), "{}", shown.text);
        assert!(shown.text.chars().count() <= TEXT_MAX + 3);
        assert_eq!((shown.tools.len(), shown.tools.last().unwrap().as_str()), (TOOLS_MAX + 1, "…"));
        assert_eq!(shown.reasoning, "r");
        let line = super::shown(Text { text: "é".repeat(10_000), ..Text::default() }).text;
        assert_eq!(line.chars().count(), TEXT_MAX + 3);
    }
}
