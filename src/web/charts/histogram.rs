//! How many values lie between bounds, with the percentiles among them.

use maud::{Markup, html};

use super::frame::{Plot, WIDTH, empty, picture, unknown_fill, unknown_pattern};
use super::scale::Linear;
use super::text::{at, decimals};
use super::{Title, Unit, Value};

/// A chart of counts between bounds of milliseconds. The columns are equally wide, so that heights can be compared
/// where each bound is about as many times the last.
#[derive(Clone, Debug)]
pub struct Histogram<'a> {
    /// What it is called.
    pub title: Title,
    /// The bounds, ascending and above zero. Those at round decades are written.
    pub bounds: &'a [u32],
    /// How many lie below the first, from each to the next, and from the last on: one more than there are bounds.
    pub counts: &'a [u32],
    /// What is marked in it, ascending: `p50`.
    pub marks: Vec<(&'static str, Value)>,
}

const HEIGHT: f64 = 196.0;
/// Lines of text above the columns: as many marks as there may be.
const LABELS: usize = 3;
const LINE: f64 = 13.0;
const PLOT: Plot = Plot { left: 40.0, right: WIDTH, top: 6.0 + LINE * LABELS as f64, bottom: HEIGHT - 20.0 };
/// Where a label ends that would not fit on the right of its mark.
const ROOM: f64 = 80.0;
/// Each mark is dashed in its own way.
const DASHES: [&str; LABELS] = ["", "6 3", "2 3"];

impl Histogram<'_> {
    /// The picture.
    #[must_use]
    pub fn draw(&self) -> Markup {
        if self.counts.iter().all(|count| *count == 0) {
            return if self.marks.iter().any(|(_, value)| value.is_unknown()) {
                self.unknown()
            } else {
                empty(&self.title)
            };
        }
        let scale = Linear::around(self.counts.iter().map(|count| f64::from(*count)), Unit::Count, 4);
        let ticks = scale.ticks();
        let plot = PLOT.beside(&ticks, Unit::Count);
        let pitch = (plot.right - plot.left) / self.counts.len() as f64;
        let content = html! {
            (plot.left_axis(&ticks, Unit::Count, |tick| scale.place(tick)))
            @for (n, count) in self.counts.iter().enumerate() {
                @let top = plot.y(scale.place(f64::from(*count)));
                rect.chart-bar x=(at(plot.left + pitch * n as f64 + 1.0)) y=(at(top)) width=(at(pitch - 2.0))
                    height=(at(plot.bottom - top))
                {
                    title { (between(self.bounds, n)) ": " (Unit::Count.value(f64::from(*count))) }
                }
            }
            @let bounds = self.bounds.iter().enumerate().take(self.counts.len());
            @for (n, bound) in bounds.filter(|(_, bound)| is_decade(**bound)) {
                @let x = plot.left + pitch * (n + 1) as f64;
                line.chart-stroke x1=(at(x)) y1=(at(plot.bottom)) x2=(at(x)) y2=(at(plot.bottom + 4.0)) {}
                text.chart-tick x=(at(x)) y=(at(HEIGHT - 5.0)) text-anchor="middle" { (bound_name(*bound)) }
            }
            @let marks: Vec<_> = self.marks.iter().take(LABELS).enumerate()
                .filter_map(|(n, (name, value))| Some((n, name, value.number()?))).collect();
            // Labels stand on lines, not under them.
            @for (n, _, number) in &marks { (cut(*n, plot.left + pitch * self.place(*number), plot)) }
            @for (n, name, number) in &marks {
                (label(*n, &format!("{name} {}", Unit::Millis.value(*number)), plot.left + pitch * self.place(*number)))
            }
        };
        picture(&self.title, HEIGHT, &content)
    }

    /// There are values and nobody tells them.
    fn unknown(&self) -> Markup {
        let content = html! {
            defs { (unknown_pattern(&self.title)) }
            rect.chart-unknown x="0" y="0" width=(at(WIDTH)) height="44" fill=(unknown_fill(&self.title)) {}
            text.chart-value x=(at(WIDTH / 2.0)) y="28" text-anchor="middle" { "?" }
        };
        picture(&self.title, 44.0, &content)
    }

    /// In columns from the left: in the column in which it is counted, by its logarithm between that one's bounds.
    fn place(&self, number: f64) -> f64 {
        let column = self.bounds.partition_point(|bound| f64::from(*bound) <= number);
        let bound = |at: usize| self.bounds.get(at).map(|bound| f64::from(*bound));
        let within = match (column.checked_sub(1).and_then(bound), bound(column)) {
            (Some(low), Some(high)) if low > 0.0 && high > low => (number / low).ln() / (high / low).ln(),
            // The outermost columns have no end.
            _ => 0.5,
        };
        (column as f64 + within.clamp(0.0, 1.0)).min(self.counts.len() as f64)
    }
}

/// What a column stands for: `100 ms to 160 ms`.
#[must_use]
pub fn between(bounds: &[u32], n: usize) -> String {
    let bound = |at: usize| bounds.get(at).map(|bound| bound_name(*bound));
    match (n.checked_sub(1).and_then(bound), bound(n)) {
        (Some(low), Some(high)) => format!("{low} to {high}"),
        (None, Some(high)) => format!("below {high}"),
        (Some(low), None) => format!("{low} and more"),
        (None, None) => "all".to_owned(),
    }
}

/// `630 ms`, `1.6 s`, `100 s`: all of them in one of two units.
fn bound_name(bound: u32) -> String {
    if bound < 1_000 { format!("{bound} ms") } else { decimals(f64::from(bound) / 1e3, 1) + " s" }
}

/// A power of ten.
fn is_decade(bound: u32) -> bool {
    bound > 0 && 10_u32.pow(bound.ilog10()) == bound
}

/// Above which line of text a mark begins: each has one of its own, so that no label is on another.
fn head(n: usize) -> f64 {
    4.0 + LINE * n as f64
}

/// A line through the columns.
fn cut(n: usize, x: f64, plot: Plot) -> Markup {
    html! {
        line.chart-cut x1=(at(x)) y1=(at(head(n))) x2=(at(x)) y2=(at(plot.bottom))
            stroke-dasharray=[Some(DASHES[n]).filter(|dashes| !dashes.is_empty())] {}
    }
}

/// Beside its line, where there is room.
fn label(n: usize, label: &str, x: f64) -> Markup {
    let (anchor, aside) = if x + ROOM > WIDTH { ("end", -4.0) } else { ("start", 4.0) };
    html! {
        text.chart-value.chart-cut-name x=(at(x + aside)) y=(at(head(n) + 9.0)) text-anchor=(anchor) { (label) }
    }
}
