//! The figures: acceptance, persistence, latency, tokens, turns. Each is defined in `docs/figures.md`.
//!
//! A pure computation over the index's rows. Unknown is not zero: what telemetry alone can tell is none where there is
//! no telemetry. [`Tally`] is given who is who, all requests and all events, in any order, and hands on rows of
//! [`Figures`].

mod edit;
mod group;
mod names;
mod percentiles;
mod persons;
mod query;
mod row;
mod source;
mod spread;
mod suggestion;
mod sums;
mod tally;
#[cfg(test)]
mod tests;
mod times;

pub use percentiles::Percentiles;
pub use query::{By, Query};
pub use row::{Figures, Persistence, Telemetry};
pub use spread::{BOUNDS, Counts, Spread};
pub use tally::Tally;
