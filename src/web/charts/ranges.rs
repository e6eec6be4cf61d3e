//! Where most of many values lie: the median, and how far the slow ones go.

use maud::{Markup, html};

use super::frame::{COLUMNS, WIDTH, empty, picture, unknown_fill, unknown_pattern};
use super::scale::{Decades, Linear};
use super::text::{at, cut};
use super::{Title, Unit, Value};

/// A chart of percentiles in milliseconds: for each group p50, p90 and p99 on one line.
///
/// The scale goes by decades where the highest is far from the lowest; it says so then.
#[derive(Clone, Debug)]
pub struct Ranges {
    /// What it is called.
    pub title: Title,
    /// The groups, from the top.
    pub ranges: Vec<Range>,
}

/// One group.
#[derive(Clone, Debug)]
pub struct Range {
    /// Any text: it is cut, and what would mislead is shown.
    pub name: String,
    /// p50, p90, p99; all are known or none is.
    pub values: [Value; 3],
}

/// Units from one group to the next.
const PITCH: f64 = 32.0;
/// Markers at the ends stay inside the picture.
const MARGIN: f64 = 6.0;
/// The legend.
const HEAD: f64 = 20.0;

enum Scale {
    Linear(Linear),
    Decades(Decades),
}

impl Scale {
    fn around(numbers: &[f64]) -> Self {
        match Decades::around(numbers.iter().copied()) {
            // What is below zero has no place among decades.
            Some(decades) if numbers.iter().all(|number| *number >= 0.0) => Self::Decades(decades),
            _ => Self::Linear(Linear::around(numbers.iter().copied(), Unit::Millis, 4)),
        }
    }

    fn x(&self, number: f64) -> f64 {
        let place = match self {
            Self::Linear(scale) => scale.place(number),
            Self::Decades(scale) => scale.place(number),
        };
        MARGIN + place * (WIDTH - 2.0 * MARGIN)
    }

    fn ticks(&self) -> Vec<f64> {
        match self {
            Self::Linear(scale) => scale.ticks(),
            Self::Decades(scale) => scale.ticks(),
        }
    }
}

impl Ranges {
    /// The picture.
    #[must_use]
    pub fn draw(&self) -> Markup {
        if self.ranges.is_empty() {
            return empty(&self.title);
        }
        let numbers: Vec<f64> = self.ranges.iter().flat_map(|range| range.values).filter_map(Value::number).collect();
        let scale = Scale::around(&numbers);
        let height = HEAD + PITCH * self.ranges.len() as f64 + 20.0;
        let content = html! {
            defs { (unknown_pattern(&self.title)) }
            (legend(&scale))
            (axis(&scale, height))
            @for (n, range) in self.ranges.iter().enumerate() {
                (self.range(range, HEAD + PITCH * n as f64, &scale))
            }
        };
        picture(&self.title, height, &content)
    }

    fn range(&self, range: &Range, top: f64, scale: &Scale) -> Markup {
        let known: Vec<f64> = range.values.iter().filter_map(|value| value.number()).collect();
        let value = match known.as_slice() {
            [p50, p90, p99] => [p50, p90, p99].map(|number| Unit::Millis.value(*number)).join(" / "),
            _ if range.values.iter().any(|value| value.is_unknown()) => "?".to_owned(),
            _ => "-".to_owned(),
        };
        let room = COLUMNS.saturating_sub(value.chars().count() + 2);
        let y = top + 22.0;
        html! {
            text.chart-name x="0" y=(at(top + 12.0)) { (cut(&range.name, room)) }
            text.chart-value x=(at(WIDTH)) y=(at(top + 12.0)) text-anchor="end" { (value) }
            @if let [p50, p90, p99] = known.as_slice() {
                line.chart-span x1=(at(scale.x(*p50))) y1=(at(y)) x2=(at(scale.x(*p99))) y2=(at(y)) {}
                @for (place, number) in [p50, p90, p99].into_iter().enumerate() { (marker(place, scale.x(*number), y)) }
            } @else if value == "?" {
                rect.chart-unknown x="0" y=(at(top + 17.0)) width=(at(WIDTH)) height="9"
                    fill=(unknown_fill(&self.title)) {}
            }
        }
    }
}

/// p50 a dot, p90 a diamond, p99 a stroke.
fn marker(place: usize, x: f64, y: f64) -> Markup {
    html! {
        @match place {
            0 => circle class="chart-p50" cx=(at(x)) cy=(at(y)) r="4.5" {},
            1 => path class="chart-p90" d=(format!("M{} {} l5 5 l-5 5 l-5 -5 Z", at(x), at(y - 5.0))) {},
            _ => rect class="chart-p99" x=(at(x - 1.5)) y=(at(y - 5.5)) width="3" height="11" {},
        }
    }
}

fn legend(scale: &Scale) -> Markup {
    html! {
        @for (place, name) in ["p50", "p90", "p99"].into_iter().enumerate() {
            @let x = MARGIN + 44.0 * place as f64;
            (marker(place, x, 8.0))
            text.chart-tick x=(at(x + 8.0)) y="12" { (name) }
        }
        @if matches!(scale, Scale::Decades(_)) {
            text.chart-tick x=(at(WIDTH)) y="12" text-anchor="end" { "each step is ten times the last" }
        }
    }
}

fn axis(scale: &Scale, height: f64) -> Markup {
    let ticks = scale.ticks();
    html! {
        @for (n, tick) in ticks.iter().enumerate() {
            @let x = scale.x(*tick);
            line.chart-grid x1=(at(x)) y1=(at(HEAD)) x2=(at(x)) y2=(at(height - 16.0)) {}
            @let (anchor, x) = match n {
                0 => ("start", 0.0),
                _ if n + 1 == ticks.len() => ("end", WIDTH),
                _ => ("middle", x),
            };
            text.chart-tick x=(at(x)) y=(at(height - 4.0)) text-anchor=(anchor) { (Unit::Millis.tick(*tick)) }
        }
    }
}
