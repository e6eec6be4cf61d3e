//! `reindex`: the index anew, from the files alone.

use std::io::Write;
use std::time::Instant;

use anyhow::anyhow;
use clap::Args;

use super::CliError;
use super::logs::{Bar, LogsArgs, skipped};
use super::rows::number;
use crate::index::Index;

/// Make the index of the records anew, from their files alone.
///
/// Seldom needed: every command that reads brings the index up to date by itself, and makes a missing, old or damaged
/// one anew.
#[derive(Args, Debug)]
pub struct ReindexArgs {
    #[command(flatten)]
    logs: LogsArgs,
}

/// Runs the command.
///
/// # Errors
/// When the logs cannot be read, the index cannot be written, or the output fails.
pub fn run(args: &ReindexArgs, out: &mut dyn Write) -> Result<u8, CliError> {
    let folder = args.logs.folder()?;
    let began = Instant::now();
    let bar = Bar::new("indexing");
    let (_, report) = Index::rebuild(&folder, &mut |progress| bar.at(progress))?;
    bar.finish();
    // Set where the new index is not beside the logs: it ends with this command, and nothing was done.
    if let Some(why) = report.rebuilt {
        return Err(CliError::Start(anyhow!("the index was not replaced: {why}")));
    }
    writeln!(out, "{}", summary(report.records, report.skipped_total, began.elapsed().as_secs_f64()))?;
    out.flush()?;
    match skipped(&report) {
        Some(text) => Err(CliError::Negative(text)),
        None => Ok(0),
    }
}

fn summary(records: u64, skipped: u64, seconds: f64) -> String {
    let rate = (records as f64 / seconds.max(0.001)).round();
    let skipped = if skipped > 0 { format!(", {} left out", number(skipped)) } else { String::new() };
    let plural = if records == 1 { "" } else { "s" };
    format!("{} record{plural} in {seconds:.1} s ({} a second){skipped}", number(records), number(rate as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_was_done() {
        assert_eq!(summary(100_000, 0, 8.04), "100,000 records in 8.0 s (12,438 a second)");
        assert_eq!(summary(1, 1_234, 0.0), "1 record in 0.0 s (1,000 a second), 1,234 left out");
    }
}
