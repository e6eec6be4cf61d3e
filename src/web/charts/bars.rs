//! Bars that lie below each other, each with its name and value above it.

use maud::{Markup, html};

use super::frame::{COLUMNS, WIDTH, bottom_axis, empty, picture, unknown_fill, unknown_pattern};
use super::scale::Linear;
use super::text::{at, cut};
use super::{Title, Unit, Value};

/// A chart of bars; the longest first, or in their own order, as they are given.
#[derive(Clone, Debug)]
pub struct Bars {
    /// What it is called.
    pub title: Title,
    /// What the values are.
    pub unit: Unit,
    /// The bars, from the top. Each takes its room: more than a dozen is no picture.
    pub bars: Vec<Bar>,
}

/// One bar.
#[derive(Clone, Debug)]
pub struct Bar {
    /// Any text: it is cut, and what would mislead is shown.
    pub name: String,
    /// How long it is.
    pub value: Value,
    /// Stands behind the value: `of 120`.
    pub note: String,
    /// Its value is written and no bar is drawn, nor is there room for one on the scale: what would dwarf the others.
    pub is_text: bool,
}

/// Units from one bar to the next.
const PITCH: f64 = 30.0;
const THICK: f64 = 9.0;

impl Bars {
    /// The picture.
    #[must_use]
    pub fn draw(&self) -> Markup {
        if self.bars.is_empty() {
            return empty(&self.title);
        }
        let numbers = self.bars.iter().filter(|bar| !bar.is_text).filter_map(|bar| bar.value.number());
        let scale = Linear::around(numbers, self.unit, 4);
        let height = PITCH * self.bars.len() as f64 + 20.0;
        let content = html! {
            defs { (unknown_pattern(&self.title)) }
            (bottom_axis(&scale.ticks(), self.unit, height, |tick| scale.place(tick)))
            @for (n, bar) in self.bars.iter().enumerate() { (self.bar(bar, PITCH * n as f64, &scale)) }
        };
        picture(&self.title, height, &content)
    }

    fn bar(&self, bar: &Bar, top: f64, scale: &Linear) -> Markup {
        let mut value = bar.value.label(self.unit);
        if !bar.note.is_empty() && bar.value.number().is_some() {
            value = format!("{value} {}", cut(&bar.note, COLUMNS / 2));
        }
        let room = COLUMNS.saturating_sub(value.chars().count() + 2);
        let y = at(top + 16.0);
        html! {
            text.chart-name x="0" y=(at(top + 12.0)) { (cut(&bar.name, room)) }
            text.chart-value x=(at(WIDTH)) y=(at(top + 12.0)) text-anchor="end" { (value) }
            @if let Some(number) = bar.value.number().filter(|_| !bar.is_text) {
                // From zero, also to the left.
                @let (from, to) = (scale.place(number.min(0.0)), scale.place(number.max(0.0)));
                rect.chart-bar x=(at(from * WIDTH)) y=(y) width=(at((to - from) * WIDTH)) height=(at(THICK)) {}
            } @else if bar.value.is_unknown() {
                rect.chart-unknown x="0" y=(y) width=(at(WIDTH)) height=(at(THICK)) fill=(unknown_fill(&self.title)) {}
            }
        }
    }
}
