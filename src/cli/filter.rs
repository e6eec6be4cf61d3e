//! Which exchanges a command is about: the filters that `list`, `search`, `tail`, `stats` and `export` share.
//!
//! Values are read here, when the command line is, so that a wrong one is an error of usage that says what is allowed.

use chrono::{DateTime, Days, Local, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};
use clap::Args;

use crate::index::Filter;
use crate::rules::Kind;

/// All filters.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Filters")]
pub struct FilterArgs {
    #[command(flatten)]
    which: WhichArgs,
    /// Words that must all stand in the prompt or the answer; the last may go on. In double quotes: a phrase
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
}

/// All filters but the text: for `search`, which has its text as an argument.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Filters")]
pub struct WhichArgs {
    #[command(flatten)]
    what: WhatArgs,
    /// Host: a name, or *.example.com for every name below it
    #[arg(long = "host", value_name = "HOST", value_delimiter = ',', value_parser = host)]
    hosts: Vec<String>,
    /// Status: a code, a class such as 4xx, or none for exchanges without response
    #[arg(long = "status", value_name = "STATUS", value_delimiter = ',', value_parser = status)]
    statuses: Vec<u16>,
    /// Took longer in all: 300 or 300ms, 2s, 1.5s, 1m
    #[arg(long, value_name = "TIME", value_parser = millis)]
    slower_than: Option<f64>,
    /// The client ended it early
    #[arg(long)]
    cancelled: bool,
    /// Status 400 and above, an error in the answer, ended by the upstream, or no response
    #[arg(long)]
    failed: bool,
    #[command(flatten)]
    span: SpanArgs,
}

/// What an exchange is about and whose it is: the filters that figures can be asked for too.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Filters")]
pub struct WhatArgs {
    /// Kind of exchange: completions, chat, nes, telemetry, …
    #[arg(long = "kind", value_name = "KIND", value_delimiter = ',', value_parser = kind)]
    pub kinds: Vec<Kind>,
    /// User of the proxy; - is nobody. This and the others of these filters: repeat, or separate by commas, for more
    #[arg(long = "user", value_name = "USER", value_delimiter = ',', value_parser = word)]
    pub users: Vec<String>,
    /// Model that was asked for or that answered
    #[arg(long = "model", value_name = "MODEL", value_delimiter = ',', value_parser = word)]
    pub models: Vec<String>,
    /// Programming language of ghost text
    #[arg(long = "language", value_name = "LANGUAGE", value_delimiter = ',', value_parser = word)]
    pub languages: Vec<String>,
    /// Editor: vscode, or with its version vscode/1.95.3
    #[arg(long = "editor", value_name = "EDITOR", value_delimiter = ',', value_parser = word)]
    pub editors: Vec<String>,
}

/// From when to when.
#[derive(Args, Clone, Copy, Debug, Default)]
#[command(next_help_heading = "Filters")]
pub struct SpanArgs {
    /// Not before: 2026-11-20, 2026-11-20T10:00, 2026-11-20T10:00:05+01:00, 90m, 12h or 7d ago, today, yesterday, now
    ///
    /// A time without zone is local time, a date is its beginning.
    #[arg(long, value_name = "WHEN", value_parser = instant)]
    pub since: Option<i64>,
    /// Before: as --since
    #[arg(long, value_name = "WHEN", value_parser = instant)]
    pub until: Option<i64>,
}

impl FilterArgs {
    /// What to ask the index for.
    #[must_use]
    pub fn filter(&self) -> Filter {
        let text = self.text.clone().filter(|text| !text.trim().is_empty());
        Filter { text, ..self.which.filter() }
    }
}

impl WhichArgs {
    /// What to ask the index for.
    #[must_use]
    pub fn filter(&self) -> Filter {
        let WhatArgs { kinds, users, models, languages, editors } = self.what.clone();
        Filter {
            kinds,
            users,
            hosts: self.hosts.clone(),
            statuses: self.statuses.clone(),
            models,
            languages,
            editors,
            since: self.span.since,
            until: self.span.until,
            slower_than: self.slower_than,
            cancelled: self.cancelled,
            failed: self.failed,
            text: None,
        }
    }
}

fn kind(text: &str) -> Result<Kind, String> {
    text.parse().map_err(|_| {
        let all: Vec<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        format!("there are {}", all.join(", "))
    })
}

fn word(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() { Err("it is empty; write - for nobody or nothing".to_owned()) } else { Ok(text.to_owned()) }
}

fn host(text: &str) -> Result<String, String> {
    let name = text.trim().to_ascii_lowercase();
    let letters = name.strip_prefix("*.").unwrap_or(&name);
    if letters.is_empty() || letters.contains(['*', '/', ' ']) {
        return Err("write a name such as api.example.com, or *.example.com".to_owned());
    }
    Ok(name)
}

/// The form of [`Filter::statuses`]: a code, 2 for 2xx, 0 for no response.
fn status(text: &str) -> Result<u16, String> {
    let lower = text.trim().to_ascii_lowercase();
    let number = match lower.strip_suffix("xx") {
        _ if lower == "none" => Some(0),
        Some(class) => class.parse().ok().filter(|class| (1..=9).contains(class)),
        None => lower.parse().ok().filter(|code| (100..=999).contains(code)),
    };
    number.ok_or_else(|| "write a code such as 200, a class such as 4xx, or none".to_owned())
}

/// A span of time in milliseconds.
fn millis(text: &str) -> Result<f64, String> {
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

fn instant(text: &str) -> Result<i64, String> {
    when(text, &Local::now())
}

/// A point in time, in microseconds since 1970. Without a zone it is one of `now`'s.
pub(super) fn when<Z: TimeZone>(text: &str, now: &DateTime<Z>) -> Result<i64, String> {
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

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
