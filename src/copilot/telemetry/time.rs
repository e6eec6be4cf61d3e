//! Times of envelopes.

use chrono::DateTime;

/// The first second of 2000 and of 2100: a client whose clock says otherwise has no clock, and its events must not
/// open days of their own in the figures.
const SPAN: std::ops::Range<i64> = 946_684_800..4_102_444_800;

/// Microseconds since 1970 of an ISO 8601 time with zone (`Z`, `+01:00`, `+0100`).
pub(super) fn micros(text: &str) -> Option<i64> {
    let text = text.trim();
    let time = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
        .ok()?;
    SPAN.contains(&time.timestamp()).then(|| time.timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_and_fractions_are_read() {
        let time = 1_733_664_487_023_000;
        assert_eq!(micros("2024-12-08T13:28:07.023Z"), Some(time));
        assert_eq!(micros(" 2024-12-08T14:28:07.0230000+01:00 "), Some(time));
        assert_eq!(micros("2024-12-08T08:28:07.023-0500"), Some(time));
        assert_eq!(micros("2024-12-08T13:28:07.0234567Z"), Some(time + 456));
        assert_eq!(micros("2024-12-08T13:28:07Z"), Some(time - 23_000));
        assert_eq!(micros("2000-01-01T00:00:00Z"), Some(946_684_800_000_000));
        assert_eq!(micros("2099-12-31T23:59:59.999999Z"), Some(4_102_444_799_999_999));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "now",
            "1733664487",
            "2024-12-08",
            "2024-12-08T13:28:07",
            "2024-13-08T13:28:07Z",
            "2024-12-08T25:28:07Z",
            "0001-01-01T00:00:00Z",
            "1999-12-31T23:59:59Z",
            "2100-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "+262142-12-31T23:59:59Z",
            "999999999999999999999-12-31T23:59:59Z",
            "2024-12-08T13:28:07+99:99",
            "2024-12-08T13:28:07Z\u{0}",
        ] {
            assert_eq!(micros(text), None, "{text:?}");
        }
    }
}
