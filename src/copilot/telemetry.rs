//! Telemetry: all wire forms, to events.

use std::collections::BTreeMap;

/// Which of the two streams an event belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Key {
    /// The standard instrumentation key.
    Standard,
    /// The enhanced ("restricted") key: may contain code.
    Enhanced,
    /// Another key.
    Other,
}

/// One event, its split properties joined.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Microseconds since 1970, by the client's clock; none when it is missing or no time.
    pub time: Option<i64>,
    /// The stream.
    pub key: Key,
    /// The name as sent: `copilot/ghostText.shown`.
    pub full_name: String,
    /// The name behind the last `/`: `ghostText.shown`.
    pub name: String,
    /// `ai.user.id`, else `copilot_trackingId`: the `tid` of the person's token.
    pub tid: Option<String>,
    /// All properties, `key`, `key_02`, … joined to `key`.
    pub properties: BTreeMap<String, String>,
    /// All measurements that are numbers.
    pub measurements: BTreeMap<String, f64>,
    /// It is an exception (`ExceptionData`).
    pub exception: bool,
}

/// What a body held.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// The events in their order.
    pub events: Vec<Event>,
    /// Envelopes, or lines, that could not be read.
    pub unreadable: u64,
}

/// Reads a body of telemetry: a JSON array, one object, or objects a line; gzip where the first bytes say so. A cut
/// body gives the events before the cut.
#[must_use]
pub fn read(_body: &[u8]) -> Batch {
    Batch::default()
}
