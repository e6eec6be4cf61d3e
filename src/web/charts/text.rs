//! Numbers and names as charts write them.

use crate::review::text::{printable, shortened};

/// What the numbers of a chart are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// How many there are.
    Count,
    /// A part of a whole, 0 to 1: written in percent.
    Share,
    /// Milliseconds.
    Millis,
}

impl Unit {
    /// A value, as exact as it is worth reading.
    #[must_use]
    pub fn value(self, number: f64) -> String {
        match self {
            Self::Count if number.abs() < 1e7 => grouped(number),
            Self::Count => compact(number),
            Self::Share => format!("{:.1} %", number * 100.0),
            Self::Millis => millis(number),
        }
    }

    /// A round number at an axis.
    pub(super) fn tick(self, number: f64) -> String {
        match self {
            Self::Count => compact(number),
            Self::Share => format!("{} %", decimals(number * 100.0, 1)),
            Self::Millis => millis(number),
        }
    }

    /// Whether there is something between two neighbouring whole numbers.
    pub(super) fn is_whole(self) -> bool {
        self == Self::Count
    }
}

/// `1,234`.
fn grouped(number: f64) -> String {
    // Adding zero takes the sign from what was rounded to zero.
    let digits = format!("{}", number.round() + 0.0);
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |digits| ("-", digits));
    let mut text = sign.to_owned();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1,500`, `20 k`, `1.5 M`.
fn compact(number: f64) -> String {
    let size = number.abs();
    let (divisor, unit) = match size {
        _ if size < 1e4 => return grouped(number),
        _ if size < 1e6 => (1e3, " k"),
        _ if size < 1e9 => (1e6, " M"),
        _ if size < 1e12 => (1e9, " G"),
        _ if size < 1e15 => (1e12, " T"),
        _ => return format!("{number:.1e}"),
    };
    decimals(number / divisor, 1) + unit
}

/// `380 ms`, `1.5 s`, `2 min`, `3 h`.
fn millis(number: f64) -> String {
    let size = number.abs();
    match size {
        _ if size < 10.0 => decimals(number, 1) + " ms",
        // As the tables: not to the even one of two that are as near.
        _ if size < 999.5 => decimals(number.round(), 0) + " ms",
        _ if size < 59_950.0 => decimals(number / 1e3, if size < 9_950.0 { 2 } else { 1 }) + " s",
        _ if size < 3_597_000.0 => decimals(number / 6e4, 1) + " min",
        _ => compact(number / 3.6e6) + " h",
    }
}

/// With at most so many decimals, without zeros at the end.
pub(super) fn decimals(number: f64, most: usize) -> String {
    let text = format!("{number:.most$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    (if text == "-0" { "0" } else { text }).to_owned()
}

/// A coordinate: a tenth of a unit is less than anybody sees.
pub(super) fn at(coordinate: f64) -> String {
    decimals(if coordinate.is_finite() { coordinate } else { 0.0 }, 1)
}

/// A name on one line that takes at most so many columns of text, with `…` where something is left out. What would move,
/// reverse or hide what stands beside it is made visible.
pub(super) fn cut(name: &str, columns: usize) -> String {
    // Of a name of megabytes only what may be shown is looked at; a letter is one column or two, rarely none.
    let beginning: String = name.chars().take(columns * 4 + 1).collect();
    let text = printable(&beginning);
    let shown = shortened(&text, columns);
    if beginning.len() < name.len() && !shown.ends_with('…') { format!("{shown}…") } else { shown.into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_ticks_are_short() {
        assert_eq!(
            [0.0, 999.0, 1_234.4, 1_234_567.0].map(|n| Unit::Count.value(n)),
            ["0", "999", "1,234", "1,234,567"]
        );
        assert_eq!([-0.2, -1_234.0, 2.5e7].map(|n| Unit::Count.value(n)), ["0", "-1,234", "25 M"]);
        assert_eq!([0.0, 0.312_3, 1.0].map(|n| Unit::Share.value(n)), ["0.0 %", "31.2 %", "100.0 %"]);
        assert_eq!([0.0, 0.2, 0.025].map(|n| Unit::Share.tick(n)), ["0 %", "20 %", "2.5 %"]);
        assert_eq!(
            [0.4, 382.5, 999.6, 1_500.0, 12_340.0, 60_000.0, 5.4e6].map(|n| Unit::Millis.value(n)),
            ["0.4 ms", "383 ms", "1 s", "1.5 s", "12.3 s", "1 min", "2 h"]
        );
        assert_eq!([0.0, 500.0, 20_000.0, 1.5e6].map(|n| Unit::Count.tick(n)), ["0", "500", "20 k", "1.5 M"]);
    }

    #[test]
    fn names_are_cut_and_what_misleads_is_shown() {
        assert_eq!(cut("rust", 4), "rust");
        assert_eq!(cut("python", 4), "pyt…");
        assert_eq!(cut("山田太郎", 5), "山田…");
        assert_eq!(cut("a\u{202e}b", 20), "a\\u{202e}b");
        assert_eq!(cut(&"\u{301}".repeat(1_000), 3).chars().count(), 14, "letters without width end too");
    }

    #[test]
    fn coordinates_are_numbers() {
        assert_eq!([1.0, 1.25, -0.01, f64::NAN, f64::INFINITY].map(at), ["1", "1.2", "0", "0", "0"]);
    }
}
