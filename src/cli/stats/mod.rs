//! `stats`: the figures.

mod tables;

use std::io::Write;

use anyhow::anyhow;
use chrono::{DateTime, FixedOffset, Utc};
use clap::{Args, ValueEnum};

use super::CliError;
use super::filter::WhatArgs;
use super::logs::LogsArgs;
use super::output::{Look, json_line};
use crate::figures::{By, Figures, Query};
use crate::review::figures::{self, Line};
use crate::review::values::{editor, utc_offset, when};

/// Show figures: requests, suggestions, persistence, latency, tokens and turns, per user, language, editor and so on.
///
/// What each figure means, and where it misleads, stands in docs/figures.md. Unknown is not zero: it is written ?, and -
/// where there is nothing to know. Where telemetry is off, nothing is known of suggestions: look at TELEMETRY first.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  copilot-recorder stats
  copilot-recorder stats --by user --since 2026-11-01 --until 2026-12-01
  copilot-recorder stats --by day --language rust --utc-offset +01:00
  copilot-recorder stats --by model --json | jq -r '[.group, .requests, .total.p50] | @tsv'")]
pub struct StatsArgs {
    /// One row for each; without it, the total alone
    #[arg(long, value_enum, value_name = "WHAT")]
    by: Option<Group>,
    #[command(flatten)]
    logs: LogsArgs,
    #[command(flatten)]
    what: WhatArgs,
    /// Not before: 2026-11-20, 2026-11-20T10:00, 2026-11-20T10:00:05+01:00, 90m, 12h or 7d ago, today, yesterday, now
    ///
    /// A time without zone is one of --utc-offset, a date is its beginning.
    #[arg(long, value_name = "WHEN", help_heading = "Filters")]
    since: Option<String>,
    /// Before: as --since
    #[arg(long, value_name = "WHEN", help_heading = "Filters")]
    until: Option<String>,
    /// The clock by which days and hours are told: +01:00, -05:30 or Z
    #[arg(long, value_name = "OFFSET", default_value = "Z", value_parser = utc_offset, allow_hyphen_values = true,
        help_heading = "Output")]
    utc_offset: FixedOffset,
    /// One JSON object for each row, the total last
    #[arg(long, help_heading = "Output")]
    json: bool,
}

/// What the rows stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Group {
    /// Persons, by the proxy's user or the token's id
    User,
    /// Programming languages of ghost text
    Language,
    /// Editors, without version
    Editor,
    /// Models asked for
    Model,
    /// Kinds of exchange
    Kind,
    /// Days
    Day,
    /// Hours of the day
    Hour,
}

impl From<Group> for By {
    fn from(group: Group) -> Self {
        match group {
            Group::User => Self::User,
            Group::Language => Self::Language,
            Group::Editor => Self::Editor,
            Group::Model => Self::Model,
            Group::Kind => Self::Kind,
            Group::Day => Self::Day,
            Group::Hour => Self::Hour,
        }
    }
}

/// Runs the command.
///
/// # Errors
/// When a value makes no sense, nothing is found, the logs cannot be read, or the output fails.
pub fn run(args: &StatsArgs, out: &mut dyn Write) -> Result<u8, CliError> {
    let query = args.query(&Utc::now())?;
    let opened = args.logs.open()?;
    let (groups, total) = figures::figures(&opened.index, query)?;
    if figures::is_empty(&groups, &total) {
        return Err(opened.nothing(&format!("there is nothing to count in {}", opened.index.logs().display())));
    }
    if args.json {
        for (figures, is_total) in rows(&groups, &total) {
            let line = Line { by: args.by.map(By::from), is_total, figures };
            writeln!(out, "{}", json_line(&line).map_err(std::io::Error::from)?)?;
        }
    } else {
        let rows: Vec<_> = rows(&groups, &total).collect();
        out.write_all(tables::tables(&rows, &Look::of_stdout()).as_bytes())?;
    }
    out.flush()?;
    Ok(opened.outcome())
}

fn rows<'a>(groups: &'a [Figures], total: &'a Figures) -> impl Iterator<Item = (&'a Figures, bool)> {
    groups.iter().map(|group| (group, false)).chain([(total, true)])
}

impl StatsArgs {
    fn query(&self, now: &DateTime<Utc>) -> Result<Query, CliError> {
        let now = now.with_timezone(&self.utc_offset);
        let time = |flag: &str, text: &Option<String>| {
            let text = text.as_deref();
            text.map(|text| when(text, &now).map_err(|why| CliError::Usage(anyhow!("{flag} {text:?}: {why}"))))
                .transpose()
        };
        let WhatArgs { kinds, users, models, languages, editors } = self.what.clone();
        for name in &editors {
            editor(name).map_err(|why| CliError::Usage(anyhow!("--editor {name:?}: {why}")))?;
        }
        Ok(Query {
            by: self.by.map(By::from),
            kinds,
            users,
            languages,
            editors,
            models,
            since: time("--since", &self.since)?,
            until: time("--until", &self.until)?,
            offset_minutes: self.utc_offset.local_minus_utc() / 60,
        })
    }
}

#[cfg(test)]
mod tests;
