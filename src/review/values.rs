//! Values that people write in filters: on the command line, in a URL, in a form. What is wrong with one is said with
//! what is allowed.

use chrono::{DateTime, Days, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};

use crate::figures::By;
use crate::rules::Kind;

/// A kind of exchange by its name.
///
/// # Errors
/// When there is no such kind: the sentence names those there are.
pub fn kind(text: &str) -> Result<Kind, String> {
    text.parse().map_err(|_| {
        let all: Vec<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        format!("there are {}", all.join(", "))
    })
}

/// A user, model, language or editor; `-` is nobody or nothing.
///
/// # Errors
/// When it is empty.
pub fn word(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() { Err("it is empty; write - for nobody or nothing".to_owned()) } else { Ok(text.to_owned()) }
}

/// A host, or `*.example.com` for every name below it.
///
/// # Errors
/// When it is no such pattern.
pub fn host(text: &str) -> Result<String, String> {
    let name = text.trim().to_ascii_lowercase();
    let letters = name.strip_prefix("*.").unwrap_or(&name);
    if letters.is_empty() || letters.contains(['*', '/', ' ']) {
        return Err("write a name such as api.example.com, or *.example.com".to_owned());
    }
    Ok(name)
}

/// The form of [`Filter::statuses`](crate::index::Filter::statuses): a code, 2 for 2xx, 0 for no response.
///
/// # Errors
/// When it is no status.
pub fn status(text: &str) -> Result<u16, String> {
    let lower = text.trim().to_ascii_lowercase();
    let number = match lower.strip_suffix("xx") {
        _ if lower == "none" => Some(0),
        Some(class) => class.parse().ok().filter(|class| (1..=9).contains(class)),
        None => lower.parse().ok().filter(|code| (100..=999).contains(code)),
    };
    number.ok_or_else(|| "write a code such as 200, a class such as 4xx, or none".to_owned())
}

/// A span of time in milliseconds.
///
/// # Errors
/// When it is no span of time.
pub fn millis(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic() || letter == ' ');
    let unit = match text[digits.len()..].trim() {
        "" | "ms" => Some(1.0),
        "s" => Some(1e3),
        "m" | "min" => Some(6e4),
        _ => None,
    };
    let number = digits.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
    match (number, unit) {
        (Some(number), Some(unit)) => Ok(number * unit),
        _ => Err("write 300 or 300ms, 2s, 1.5s or 1m".to_owned()),
    }
}

/// A point in time, in microseconds since 1970. Without a zone it is one of `now`'s.
///
/// # Errors
/// When it is no time.
pub fn when<Z: TimeZone>(text: &str, now: &DateTime<Z>) -> Result<i64, String> {
    let text = text.trim();
    let signed = text.starts_with(['+', '-']);
    let time = match text {
        "now" => Some(now.timestamp_micros()),
        "today" => start_of(now.date_naive(), now),
        "yesterday" => now.date_naive().checked_sub_days(Days::new(1)).and_then(|day| start_of(day, now)),
        // Neither a span to come nor a year of more than four digits.
        _ if signed => None,
        _ => ago(text, now).or_else(|| date_or_time(text, now)),
    };
    time.ok_or_else(|| {
        "write a date (2026-11-20), a time (2026-11-20T10:00, with Z or +01:00 where it is not local), \
         90m, 12h or 7d for so long ago, today, yesterday or now"
            .to_owned()
    })
}

fn ago<Z: TimeZone>(text: &str, now: &DateTime<Z>) -> Option<i64> {
    let unit = text.chars().last()?;
    let number: i64 = text.strip_suffix(unit)?.parse().ok().filter(|number| *number >= 0)?;
    let span = match unit {
        's' => TimeDelta::try_seconds(number),
        'm' => TimeDelta::try_minutes(number),
        'h' => TimeDelta::try_hours(number),
        'd' => TimeDelta::try_days(number),
        'w' => TimeDelta::try_weeks(number),
        _ => None,
    }?;
    Some(now.clone().checked_sub_signed(span)?.timestamp_micros())
}

fn date_or_time<Z: TimeZone>(text: &str, now: &DateTime<Z>) -> Option<i64> {
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return start_of(day, now);
    }
    let text = text.replacen([' ', 't'], "T", 1);
    // The offset is the last thing in the text; without it, the time is one of here.
    let zoned = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z"];
    let utc = text.replace(['Z', 'z'], "+00:00");
    if let Some(time) = zoned.iter().find_map(|form| DateTime::parse_from_str(&utc, form).ok()) {
        return Some(time.timestamp_micros());
    }
    let plain = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    let time = plain.iter().find_map(|form| NaiveDateTime::parse_from_str(&text, form).ok())?;
    here(time, now)
}

fn start_of<Z: TimeZone>(day: NaiveDate, now: &DateTime<Z>) -> Option<i64> {
    here(day.and_time(NaiveTime::MIN), now)
}

/// Where clocks are put forward the time may not exist: then it is the first that does, an hour later.
fn here<Z: TimeZone>(time: NaiveDateTime, now: &DateTime<Z>) -> Option<i64> {
    let zone = now.timezone();
    let found = zone.from_local_datetime(&time).earliest();
    let found = found.or_else(|| zone.from_local_datetime(&(time + TimeDelta::hours(1))).earliest());
    Some(found?.timestamp_micros())
}

/// What figures can be split by, by the names that people write.
pub const BY: [(&str, By); 7] = [
    ("user", By::User),
    ("language", By::Language),
    ("editor", By::Editor),
    ("model", By::Model),
    ("kind", By::Kind),
    ("day", By::Day),
    ("hour", By::Hour),
];

/// The name that people write for it.
#[must_use]
pub fn by_name(wanted: By) -> &'static str {
    BY.into_iter().find(|(_, by)| *by == wanted).map_or("", |(name, _)| name)
}

/// What figures are to be split by.
///
/// # Errors
/// When they cannot be split by that.
pub fn by(text: &str) -> Result<By, String> {
    let found = BY.iter().find(|(name, _)| *name == text.trim()).map(|(_, by)| *by);
    found.ok_or_else(|| format!("there are {}", BY.map(|(name, _)| name).join(", ")))
}

/// An editor for figures, which take all its versions together.
///
/// # Errors
/// When it is empty or has a version.
pub fn editor(text: &str) -> Result<String, String> {
    let name = word(text)?;
    if name.contains('/') {
        return Err("figures take the versions of an editor together; write its name, such as vscode".to_owned());
    }
    Ok(name)
}

/// The clock by which days and hours are told.
///
/// # Errors
/// When it is no offset from UTC.
pub fn utc_offset(text: &str) -> Result<FixedOffset, String> {
    if matches!(text, "Z" | "z" | "UTC" | "utc") {
        return FixedOffset::east_opt(0).ok_or_else(String::new);
    }
    // Hours and minutes, both with two digits: `+1` may mean either.
    let well_formed = matches!(text.as_bytes(), [b'+' | b'-', _, _, b':', _, _]);
    let offset = text.parse::<FixedOffset>().ok().filter(|_| well_formed);
    offset.ok_or_else(|| "write +01:00, -05:30 or Z".to_owned())
}

#[cfg(test)]
#[path = "values_tests.rs"]
mod tests;
