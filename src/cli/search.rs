//! `search`: which exchanges have these words in their prompt or answer, and where.

use std::io::Write;

use anyhow::anyhow;
use clap::Args;

use super::CliError;
use super::filter::WhichArgs;
use super::list::{self, AmountArgs};
use super::logs::LogsArgs;
use super::output::Look;
use super::print::{Form, Printer};
use crate::index::Filter;
use crate::review::search::place;
use crate::review::words::Words;

/// Search the prompts and answers for words.
///
/// All words must be there, in any order and case, and the last may go on; words in double quotes must stand together.
/// Punctuation separates words. Under each exchange stands the place where the first word was found.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  copilot-recorder search parse_config
  copilot-recorder search '\"null pointer\" java' --kind chat --since 7d
  copilot-recorder search TODO --language rust --all --json | jq '.context'")]
pub struct SearchArgs {
    /// What to look for
    #[arg(value_name = "TEXT", required = true)]
    text: Vec<String>,
    #[command(flatten)]
    logs: LogsArgs,
    #[command(flatten)]
    filter: WhichArgs,
    #[command(flatten)]
    amount: AmountArgs,
}

/// Runs the command.
///
/// # Errors
/// When nothing is found, the logs cannot be read, or the output fails.
pub fn run(args: &SearchArgs, out: &mut dyn Write) -> Result<u8, CliError> {
    let text = args.text.join(" ");
    let words = Words::of(&text);
    if words.is_empty() {
        return Err(CliError::Usage(anyhow!("{text:?} has no word to look for: letters or digits are needed")));
    }
    let opened = args.logs.open()?;
    let filter = Filter { text: Some(text), ..args.filter.filter() };
    let look = Look::of_stdout();
    let mut printer = Printer::new(out, Form::of(args.amount.json, &look), look);
    let columns = look.width.unwrap_or(100).saturating_sub(6).max(20);
    list::each(&opened.index, &filter, args.amount, &mut |rows| {
        // A few at a time, so that the first are seen while the files of the others are read.
        for rows in rows.chunks(50) {
            let found: Vec<_> = rows.iter().map(|row| place(opened.index.logs(), row, &words, columns)).collect();
            printer.rows_with(&opened, rows, &found)?;
        }
        Ok(())
    })?;
    let written = printer.written;
    list::ended(&opened, &filter, args.amount, written)
}
