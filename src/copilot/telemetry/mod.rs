//! Telemetry: all wire forms, to events.
//!
//! A body is an array of envelopes, one envelope, or envelopes a line or one behind the other, perhaps in gzip. Its
//! content tells which, the content type does not. Given a body's bytes, hands on [`Event`]s; what cannot be read is
//! counted and hides nothing else.

mod body;
mod envelope;
mod event;
#[doc(hidden)]
pub mod fuzz;
mod parts;
mod pieces;
#[cfg(test)]
mod tests;
mod time;

use std::collections::BTreeMap;

/// What a body may unfold to, in bytes: the ceiling that bodies have everywhere. The SDK sends some hundred kilobytes.
const OUTPUT_MAX: u64 = 64 << 20;
/// Events that are read of one body; what is beyond counts as unreadable. A client that comes back after days sends
/// some hundreds at once, and a body of honest events reaches the ceiling of its size first.
const EVENTS_MAX: usize = 100_000;
/// Properties and measurements that are read of one body, for the same reason: one of a few bytes takes a hundred in
/// memory, honest ones are longer than that.
const VALUES_MAX: usize = 2_000_000;

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
    /// Microseconds since 1970, by the client's clock; none when it is missing, has no zone or is no time of the years
    /// 2000 to 2099.
    pub time: Option<i64>,
    /// The stream.
    pub key: Key,
    /// The name as sent: `copilot/ghostText.shown`; of an exception or another envelope without a name its base type.
    pub full_name: String,
    /// The name behind the last `/`: `ghostText.shown`.
    pub name: String,
    /// `ai.user.id`, else `copilot_trackingId`: the `tid` of the person's token.
    pub tid: Option<String>,
    /// All properties, `key`, `key_02`, … joined to `key`; one that is not text as its JSON.
    pub properties: BTreeMap<String, String>,
    /// All measurements that are numbers, or text that is one.
    pub measurements: BTreeMap<String, f64>,
    /// It is an exception (`ExceptionData`).
    pub exception: bool,
}

/// What a body held.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// The events in their order.
    pub events: Vec<Event>,
    /// Envelopes, or lines, that could not be read: no JSON, cut off, no event, or beyond a ceiling.
    pub unreadable: u64,
}

/// Reads a body of telemetry: a JSON array, one object, objects a line or one behind the other; gzip where the first
/// bytes say so. A cut body gives the events before the cut.
#[must_use]
pub fn read(body: &[u8]) -> Batch {
    let body = body::plain(body, OUTPUT_MAX);
    let text = String::from_utf8_lossy(&body);
    let mut events = Vec::new();
    let mut values = 0;
    let unreadable = pieces::each(text.strip_prefix('\u{feff}').unwrap_or(&text), |piece| {
        if events.len() >= EVENTS_MAX || values >= VALUES_MAX {
            return Err(envelope::Wrong::NoEvent);
        }
        let event = envelope::read(piece)?;
        values += event.properties.len() + event.measurements.len();
        events.push(event);
        Ok(())
    });
    Batch { events, unreadable }
}
