//! Charts: SVG made on the server, from plain numbers.
//!
//! Each chart is 360 units wide, a narrow phone's width: pages put them side by side, so that their text is as large as
//! the page's and none needs a second drawing for small screens. They are read without colour: names and values stand
//! beside what they belong to, and what colour tells apart, dashes, markers or patterns tell apart too. There is no
//! style in them: classes and presentation attributes, with the colours in `assets/charts.css`.
//!
//! Unknown is never zero: it is a hatched band with `?`, or a gap in a line; where there is nothing to know stands `-`.
//! Whatever the numbers are, no coordinate is other than a finite number.

mod bars;
mod columns;
mod frame;
mod histogram;
mod lines;
mod ranges;
mod scale;
mod shares;
#[cfg(test)]
mod tests;
mod text;

pub use bars::{Bar, Bars};
pub use columns::{Column, Columns};
pub use histogram::{Histogram, between};
pub use lines::{Line, Lines, Point};
pub use ranges::{Range, Ranges};
pub use shares::{Share, Shares};
pub use text::Unit;

/// What a chart is called. It is the accessible name and description of the picture.
#[derive(Clone, Debug)]
pub struct Title {
    /// Tells the chart's elements from those of the page's other charts: letters, digits and hyphens.
    pub id: &'static str,
    /// What is drawn: `Acceptance by day`.
    pub title: String,
    /// What there is to see, in a sentence or two, for who does not see it.
    pub desc: String,
}

/// One number, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A number. One that is not finite is drawn as unknown.
    Known(f64),
    /// There is something to know and nobody says it: `?`.
    Unknown,
    /// There is nothing to know: `-`.
    Nothing,
}

/// Larger numbers are drawn as this: all counts are smaller, and sums of it are still finite.
const LARGEST: f64 = 1e21;

impl Value {
    /// The number, if it is one that can be drawn.
    fn number(self) -> Option<f64> {
        match self {
            Self::Known(number) if number.is_finite() => Some(number.clamp(-LARGEST, LARGEST)),
            _ => None,
        }
    }

    fn is_unknown(self) -> bool {
        self != Self::Nothing && self.number().is_none()
    }

    /// As text: the number with its unit, `?` or `-`.
    fn label(self, unit: Unit) -> String {
        match self.number() {
            Some(number) => unit.value(number),
            None if self.is_unknown() => "?".to_owned(),
            None => "-".to_owned(),
        }
    }
}
