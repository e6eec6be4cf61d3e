//! Which exchanges a command is about: the filters that `list`, `search`, `tail`, `stats` and `export` share.
//!
//! Values are read here, when the command line is, so that a wrong one is an error of usage that says what is allowed.

use chrono::Local;
use clap::Args;

use crate::index::Filter;
use crate::review::values::{host, kind, millis, status, when, word};
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

fn instant(text: &str) -> Result<i64, String> {
    when(text, &Local::now())
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
