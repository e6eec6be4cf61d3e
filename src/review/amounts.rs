//! Amounts as people read them: the same on the command line and on the pages.

use std::time::Duration;

/// A time span: `382 ms`, from ten seconds on `12.3 s`.
#[must_use]
pub fn duration(time: Duration) -> String {
    match time.as_millis() {
        millis @ ..10_000 => format!("{millis} ms"),
        millis => format!("{:.1} s", millis as f64 / 1000.0),
    }
}

/// Bytes, in thousands: `548 B`, `2.1 kB`, `3.4 MB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    match bytes {
        ..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

/// Milliseconds as [`duration`] has them; `-` where they are no span of time.
#[must_use]
pub fn millis(value: f64) -> String {
    let time = Duration::try_from_secs_f64((value / 1e3).max(0.0));
    time.map_or_else(|_| "-".to_owned(), duration)
}

/// A number with its thousands apart: `1,234`.
#[must_use]
pub fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + 4);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0.4, 382.4, 12_345.0, -3.0].map(millis), ["0 ms", "382 ms", "12.3 s", "0 ms"]);
        assert_eq!(millis(f64::NAN), "0 ms");
        assert_eq!(millis(1e300), "-");
        assert_eq!([999, 2_100, 3_400_000].map(size), ["999 B", "2.1 kB", "3.4 MB"]);
    }
}
