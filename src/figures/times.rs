//! The spans of exchanges, in milliseconds.

use super::Percentiles;
use super::row::Figures;
use super::spread::{Places, Spread, place};
use crate::archive::AbortedBy;
use crate::index::RequestFact;
use crate::rules::Kind;

/// The spans of one exchange. What is not known is no number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spans {
    first_byte: f64,
    first_token: f64,
    total: f64,
    server: f64,
    client_side: f64,
    /// Where the first three are counted: looked up once, though each exchange is in a row of each split.
    places: Places,
}

/// Whether its times count: an answer that was waited for.
pub(super) fn counts(request: &RequestFact<'_>) -> bool {
    matches!(request.kind, Kind::Completions | Kind::Nes | Kind::Chat)
        && request.aborted_by != Some(AbortedBy::Client)
        && matches!(request.status, Some(101 | 200..=299))
}

impl Spans {
    pub(super) fn of(request: &RequestFact<'_>) -> Self {
        let known = |value: Option<f64>| value.unwrap_or(f64::NAN);
        let spans = [request.first_byte_ms, request.first_token_ms, request.total_ms].map(known);
        let [first_byte, first_token, total] = spans;
        Self {
            first_byte,
            first_token,
            total,
            server: known(request.server_ms),
            client_side: f64::NAN,
            places: spans.map(place),
        }
    }

    /// `waited`: what the client says that it waited for the answer's head.
    pub(super) fn wait(&mut self, waited: f64) {
        self.client_side = waited - self.first_byte;
    }
}

/// Puts the percentiles and the spread of these into the row. `spans` gives them anew each time.
pub(super) fn write<'s, S: Iterator<Item = &'s Spans>>(figures: &mut Figures, spans: impl Fn() -> S) {
    let mut values = Vec::new();
    let mut spread = Spread::default();
    // Counted on the way: to go through a million once more takes longer than to count them.
    let counted = spans().inspect(|spans| spread.add(spans.places));
    figures.first_byte = percentiles(&mut values, counted.map(|spans| spans.first_byte));
    figures.spread = spread;
    figures.first_token = percentiles(&mut values, spans().map(|spans| spans.first_token));
    figures.total = percentiles(&mut values, spans().map(|spans| spans.total));
    figures.server = percentiles(&mut values, spans().map(|spans| spans.server));
    figures.network = percentiles(&mut values, spans().map(|spans| spans.first_byte - spans.server));
    figures.client_side = percentiles(&mut values, spans().map(|spans| spans.client_side));
}

/// Of the known ones among these. `values` is room for them.
fn percentiles(values: &mut Vec<f64>, spans: impl Iterator<Item = f64>) -> Percentiles {
    values.clear();
    values.extend(spans.filter(|value| value.is_finite()));
    Percentiles::of(values)
}
