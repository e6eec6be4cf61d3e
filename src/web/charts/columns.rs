//! Columns that stand beside each other: hours of the day, days.

use maud::{Markup, html};

use super::frame::{Plot, WIDTH, empty, picture, unknown_fill, unknown_pattern};
use super::scale::{Linear, every};
use super::text::{at, cut};
use super::{Title, Unit, Value};

/// A chart of columns, from the left.
#[derive(Clone, Debug)]
pub struct Columns {
    /// What it is called.
    pub title: Title,
    /// What the values are.
    pub unit: Unit,
    /// The columns; at most a few hundred can be told apart.
    pub columns: Vec<Column>,
}

/// One column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name; not each is written.
    pub name: String,
    /// How high it is.
    pub value: Value,
}

const HEIGHT: f64 = 180.0;
const PLOT: Plot = Plot { left: 40.0, right: WIDTH, top: 10.0, bottom: HEIGHT - 20.0 };
/// So many names fit below the axis.
const NAMES: usize = 8;

impl Columns {
    /// The picture.
    #[must_use]
    pub fn draw(&self) -> Markup {
        if self.columns.is_empty() {
            return empty(&self.title);
        }
        let numbers = self.columns.iter().filter_map(|column| column.value.number());
        let scale = Linear::around(numbers, self.unit, 4);
        let ticks = scale.ticks();
        let plot = PLOT.beside(&ticks, self.unit);
        let content = html! {
            defs { (unknown_pattern(&self.title)) }
            (plot.left_axis(&ticks, self.unit, |tick| scale.place(tick)))
            @for (n, column) in self.columns.iter().enumerate() { (self.column(column, n, plot, &scale)) }
        };
        picture(&self.title, HEIGHT, &content)
    }

    fn column(&self, column: &Column, n: usize, plot: Plot, scale: &Linear) -> Markup {
        let many = self.columns.len();
        let pitch = (plot.right - plot.left) / many as f64;
        let left = plot.left + pitch * n as f64;
        // Columns that are many touch each other rather than vanish.
        let gap = if pitch > 4.0 { pitch * 0.2 } else { 0.0 };
        let (x, width) = (at(left + gap / 2.0), format!("{:.2}", pitch - gap));
        let told = format!("{}: {}", cut(&column.name, 40), column.value.label(self.unit));
        html! {
            @if let Some(number) = column.value.number() {
                @let (low, high) = (plot.y(scale.place(number.min(0.0))), plot.y(scale.place(number.max(0.0))));
                rect.chart-bar x=(x) y=(at(high)) width=(width) height=(at(low - high)) { title { (told) } }
            } @else if column.value.is_unknown() {
                rect.chart-unknown x=(x) y=(at(plot.top)) width=(width) height=(at(plot.bottom - plot.top))
                    fill=(unknown_fill(&self.title)) { title { (told) } }
            }
            @let centre = at(left + pitch / 2.0);
            @let label = column.value.label(self.unit);
            // Where columns are narrow the pattern alone says it.
            @if column.value.number().is_none() && pitch >= 8.0 {
                text.chart-value x=(centre) y=(at(plot.bottom - 3.0)) text-anchor="middle" { (label) }
            }
            @if n.is_multiple_of(every(many, NAMES)) {
                text.chart-tick x=(centre) y=(at(HEIGHT - 5.0)) text-anchor="middle" { (cut(&column.name, 8)) }
            }
        }
    }
}
