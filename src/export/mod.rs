//! Records in the forms of other tools: JSON lines, CSV, HAR, and the older tool's daily counts.
//!
//! Given rows of the index and records read back, writes to whatever takes bytes, one exchange after the other. Knows no
//! terminals and chooses no records. `docs/exports.md` says what stands where.

pub mod csv;
pub mod har;
pub mod jsonl;
pub mod seed_metrics;

#[cfg(test)]
pub(crate) mod testing;

use chrono::{DateTime, Utc};

/// A time in microseconds since 1970. Years beyond four digits, which only a damaged file has, become the nearest that
/// ISO 8601 can write.
fn time(micros: i64) -> DateTime<Utc> {
    const YEAR_0: i64 = -62_167_219_200_000_000;
    const YEAR_9999: i64 = 253_402_300_799_999_999;
    DateTime::from_timestamp_micros(micros.clamp(YEAR_0, YEAR_9999)).unwrap_or(DateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_four_digits_for_the_year() {
        let text = |micros| time(micros).format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
        assert_eq!(text(1_733_663_157_639_893), "2024-12-08T13:05:57.639893Z");
        assert_eq!(text(-1), "1969-12-31T23:59:59.999999Z");
        assert_eq!(text(i64::MIN), "0000-01-01T00:00:00.000000Z");
        assert_eq!(text(i64::MAX), "9999-12-31T23:59:59.999999Z");
    }
}
