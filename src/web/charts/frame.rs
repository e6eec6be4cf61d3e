//! What all charts share: the picture, its name, its patterns and its axis.

use maud::{Markup, html};

use super::text::at;
use super::{Title, Unit};
use crate::review::text::printable;

/// Units that each chart is wide.
pub(super) const WIDTH: f64 = 360.0;
/// How many letters of ordinary width stand beside each other in a chart.
pub(super) const COLUMNS: usize = 58;
/// Patterns that tell parts of a whole apart, beginning with the plain one.
pub(super) const PATTERNS: usize = 4;

/// The picture, so many units high.
pub(super) fn picture(title: &Title, height: f64, content: &Markup) -> Markup {
    let (name, describes) = (format!("{}-title", title.id), format!("{}-desc", title.id));
    html! {
        svg.chart xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {} {}", at(WIDTH), at(height)))
            width=(at(WIDTH)) height=(at(height)) font-size="11" role="img"
            aria-labelledby=(name) aria-describedby=(describes)
        {
            title id=(name) { (printable(&title.title)) }
            desc id=(describes) { (printable(&title.desc)) }
            (content)
        }
    }
}

/// The pattern of what is unknown, under [`unknown_fill`].
pub(super) fn unknown_pattern(title: &Title) -> Markup {
    html! {
        pattern id=(format!("{}-unknown", title.id)) width="6" height="6" patternUnits="userSpaceOnUse"
            patternTransform="rotate(45)"
        {
            rect.chart-unknown-ground width="6" height="6" {}
            line.chart-unknown-line x1="0" y1="0" x2="0" y2="6" stroke-width="3" {}
        }
    }
}

pub(super) fn unknown_fill(title: &Title) -> String {
    format!("url(#{}-unknown)", title.id)
}

/// The patterns of a whole's parts, under [`part_fill`].
pub(super) fn part_patterns(title: &Title) -> Markup {
    html! {
        @for part in 0..PATTERNS {
            pattern id=(format!("{}-part-{part}", title.id)) width="6" height="6" patternUnits="userSpaceOnUse" {
                rect class=(format!("chart-part-{part}-ground")) width="6" height="6" {}
                @match part {
                    1 => path class="chart-part-1-mark" d="M0 6 L6 0 M-1 1 L1 -1 M5 7 L7 5" stroke-width="2" {},
                    2 => circle class="chart-part-2-mark" cx="3" cy="3" r="1.5" {},
                    3 => path class="chart-part-3-mark" d="M0 3 H6 M3 0 V6" stroke-width="1" {},
                    _ => {},
                }
            }
        }
    }
}

pub(super) fn part_fill(title: &Title, part: usize) -> String {
    format!("url(#{}-part-{})", title.id, part % PATTERNS)
}

/// Round numbers along the bottom, each with its line upwards: of bars that lie. `place` is 0 at the left, 1 at the right.
pub(super) fn bottom_axis(ticks: &[f64], unit: Unit, height: f64, place: impl Fn(f64) -> f64) -> Markup {
    html! {
        @for (n, tick) in ticks.iter().enumerate() {
            @let x = at(place(*tick) * WIDTH);
            line.chart-grid x1=(x) y1="0" x2=(x) y2=(at(height - 16.0)) {}
            // Labels at the ends stay inside the picture.
            @let anchor = if n == 0 { "start" } else if n + 1 == ticks.len() { "end" } else { "middle" };
            text.chart-tick x=(x) y=(at(height - 4.0)) text-anchor=(anchor) { (unit.tick(*tick)) }
        }
    }
}

/// The room of a chart with an upright axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plot {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl Plot {
    /// With as much room at the left as these numbers need.
    pub(super) fn beside(self, ticks: &[f64], unit: Unit) -> Self {
        let letters = ticks.iter().map(|tick| unit.tick(*tick).chars().count()).max().unwrap_or(0);
        Self { left: self.left.max(8.0 + 6.2 * letters as f64), ..self }
    }

    /// `place` is 0 at the bottom, 1 at the top.
    pub(super) fn y(&self, place: f64) -> f64 {
        self.bottom - place * (self.bottom - self.top)
    }

    /// Round numbers at the left, each with its line across.
    pub(super) fn left_axis(&self, ticks: &[f64], unit: Unit, place: impl Fn(f64) -> f64) -> Markup {
        html! {
            @for tick in ticks {
                @let y = self.y(place(*tick));
                line.chart-grid x1=(at(self.left)) y1=(at(y)) x2=(at(self.right)) y2=(at(y)) {}
                text.chart-tick x=(at(self.left - 5.0)) y=(at(y + 4.0)) text-anchor="end" { (unit.tick(*tick)) }
            }
        }
    }
}

/// Where there is nothing at all to draw.
pub(super) fn empty(title: &Title) -> Markup {
    let says = html! { text.chart-label x=(at(WIDTH / 2.0)) y="28" text-anchor="middle" { "nothing to draw" } };
    picture(title, 44.0, &says)
}
