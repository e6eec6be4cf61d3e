//! The week's clock: microseconds since 1970, Monday 2 March to Sunday 8 March 2026, with a daily rhythm.

use super::super::rng::Rng;

/// The week's first moment, 2026-03-02T00:00:00Z.
pub(crate) const MONDAY: i64 = 1_772_409_600_000_000;

/// Microseconds of a day.
pub(crate) const DAY: i64 = 86_400_000_000;

/// How many sessions on that day.
pub(super) fn sessions(rng: &mut Rng, day: usize, percent: usize) -> usize {
    let hundredths = if day < 5 { 180 } else { 45 } * percent / 100;
    // The rest of a whole session happens with its probability, so that small weeks are small.
    hundredths / 100 + usize::from(rng.range(0, 99) < hundredths % 100)
}

/// When a session begins: mostly at work, sometimes around midnight, so that what belongs together spans two days.
pub(super) fn moment(rng: &mut Rng, day: usize) -> i64 {
    let (from, to) = match rng.range(0, 19) {
        0 => (23 * 3600 + 50 * 60, 24 * 3600 - 1),
        1 => (0, 3600),
        2..=3 => (19 * 3600, 23 * 3600),
        4..=11 => (8 * 3600, 12 * 3600),
        _ => (13 * 3600, 18 * 3600),
    };
    MONDAY + day as i64 * DAY + rng.range(from, to) as i64 * 1_000_000 + rng.range(0, 999_999) as i64
}

/// `2026-03-02`, at `at` plus so many minutes.
pub(super) fn date(at: i64, offset_minutes: i64) -> String {
    let (year, month, day) = civil((at + offset_minutes * 60_000_000).div_euclid(DAY));
    format!("{year:04}-{month:02}-{day:02}")
}

/// `2026-03-02T09:00:00.123456`.
pub(super) fn timestamp(at: i64) -> String {
    let within = at.rem_euclid(DAY);
    let (seconds, micros) = (within / 1_000_000, within % 1_000_000);
    format!("{}T{:02}:{:02}:{:02}.{micros:06}", date(at, 0), seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// The hour of the day, at `at` plus so many minutes: `09`.
pub(super) fn hour(at: i64, offset_minutes: i64) -> String {
    format!("{:02}", (at + offset_minutes * 60_000_000).rem_euclid(DAY) / 3_600_000_000)
}

/// `2026-03-02T09:00:00.123Z`, as clients write it.
pub(super) fn zulu(at: i64) -> String {
    let text = timestamp(at);
    format!("{}Z", &text[..text.len() - 3])
}

/// Year, month and day of a day since 1970 (H. Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}
