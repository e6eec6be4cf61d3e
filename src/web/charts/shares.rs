//! What a whole is made of: for each group a bar of parts, as long as the picture is wide.

use maud::{Markup, html};

use super::frame::{COLUMNS, PATTERNS, WIDTH, empty, part_fill, part_patterns, picture, unknown_fill, unknown_pattern};
use super::text::{at, cut};
use super::{LARGEST, Title, Unit};

/// A chart of shares.
#[derive(Clone, Debug)]
pub struct Shares {
    /// What it is called.
    pub title: Title,
    /// The names of the parts: at most four, which is how many patterns there are.
    pub parts: Vec<&'static str>,
    /// The groups, from the top.
    pub shares: Vec<Share>,
}

/// One group.
#[derive(Clone, Debug)]
pub struct Share {
    /// Any text: it is cut, and what would mislead is shown.
    pub name: String,
    /// How large each part is, in the order of [`Shares::parts`]; none where nobody knows. What is no number or below
    /// zero counts as nothing.
    pub parts: Option<Vec<f64>>,
}

/// Units from one group to the next.
const PITCH: f64 = 32.0;
const THICK: f64 = 11.0;
/// One line of the legend.
const LINE: f64 = 17.0;

impl Shares {
    /// The picture.
    #[must_use]
    pub fn draw(&self) -> Markup {
        if self.shares.is_empty() {
            return empty(&self.title);
        }
        let head = LINE * self.parts.len().min(PATTERNS) as f64 + 2.0;
        let height = head + PITCH * self.shares.len() as f64;
        let content = html! {
            defs { (unknown_pattern(&self.title)) (part_patterns(&self.title)) }
            @for (n, part) in self.parts.iter().take(PATTERNS).enumerate() {
                rect.chart-part x="0.5" y=(at(LINE * n as f64 + 2.5)) width="16" height="10"
                    fill=(part_fill(&self.title, n)) {}
                text.chart-label x="22" y=(at(LINE * n as f64 + 12.0)) { (part) }
            }
            @for (n, share) in self.shares.iter().enumerate() { (self.share(share, head + PITCH * n as f64)) }
        };
        picture(&self.title, height, &content)
    }

    fn share(&self, share: &Share, top: f64) -> Markup {
        let sound = |number: &f64| if number.is_finite() { number.clamp(0.0, LARGEST) } else { 0.0 };
        let parts: Option<Vec<f64>> =
            share.parts.as_ref().map(|parts| parts.iter().take(PATTERNS).map(sound).collect());
        let whole = parts.iter().flatten().sum::<f64>();
        let value = match &parts {
            None => "?".to_owned(),
            Some(_) if whole <= 0.0 => "-".to_owned(),
            Some(parts) => parts.iter().map(|part| Unit::Share.value(part / whole)).collect::<Vec<_>>().join(" / "),
        };
        let room = COLUMNS.saturating_sub(value.chars().count() + 2);
        let y = at(top + 16.0);
        html! {
            text.chart-name x="0" y=(at(top + 12.0)) { (cut(&share.name, room)) }
            text.chart-value x=(at(WIDTH)) y=(at(top + 12.0)) text-anchor="end" { (value) }
            @match &parts {
                None => rect class="chart-unknown" x="0" y=(y) width=(at(WIDTH)) height=(at(THICK))
                    fill=(unknown_fill(&self.title)) {},
                Some(parts) if whole > 0.0 => @for (n, part) in parts.iter().enumerate() {
                    @let before = parts[..n].iter().sum::<f64>() / whole * WIDTH;
                    rect.chart-part x=(at(before)) y=(y) width=(at(part / whole * WIDTH)) height=(at(THICK))
                        fill=(part_fill(&self.title, n)) {}
                },
                Some(_) => {},
            }
        }
    }
}
