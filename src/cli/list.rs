//! `list`: which exchanges there are.

use std::io::Write;

use clap::Args;

use super::CliError;
use super::filter::FilterArgs;
use super::logs::{LogsArgs, Opened};
use super::output::Look;
use super::print::{Form, Printer};
use super::tail;
use crate::index::{Filter, Index, Page, Row};

/// List exchanges, the newest first.
///
/// On a terminal a table, in which an id is as long as it must be to name its exchange, and times are local. Where the
/// output is piped, one line for each exchange with values separated by tabs, missing ones as -: time (UTC), id, kind,
/// status, user, editor, language, model, milliseconds in all, tokens in, tokens out, bytes of the request, bytes of the
/// response, what is odd about it, file.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  copilot-recorder list --kind chat --user ann --since today
  copilot-recorder list --failed --since 7d --all
  copilot-recorder list --slower-than 2s --status 2xx --json | jq .id
  copilot-recorder list --text 'parse \"null pointer\"'")]
pub struct ListArgs {
    #[command(flatten)]
    logs: LogsArgs,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    amount: AmountArgs,
    /// Show records as they arrive, as `tail` does
    #[arg(long, short, conflicts_with_all = ["all", "reverse"], help_heading = "Output")]
    follow: bool,
}

/// How many are shown, and how.
#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Output")]
pub struct AmountArgs {
    /// Show so many, the newest [default: 50]
    #[arg(long, short = 'n', value_name = "N", conflicts_with = "all")]
    pub limit: Option<u64>,
    /// Show all
    #[arg(long)]
    pub all: bool,
    /// Show the newest last
    #[arg(long)]
    pub reverse: bool,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

impl AmountArgs {
    /// None is all.
    #[must_use]
    pub fn most(&self) -> Option<u64> {
        if self.all { None } else { Some(self.limit.unwrap_or(50)) }
    }
}

/// Runs the command.
///
/// # Errors
/// When nothing is found, the logs cannot be read, or the output fails.
pub fn run(args: &ListArgs, out: &mut dyn Write) -> Result<u8, CliError> {
    if args.follow {
        return tail::follow(&args.logs, &args.filter.filter(), args.amount.limit, args.amount.json, out);
    }
    let opened = args.logs.open()?;
    let filter = args.filter.filter();
    let look = Look::of_stdout();
    let mut printer = Printer::new(out, Form::of(args.amount.json, &look), look);
    each(&opened.index, &filter, args.amount, &mut |rows| printer.rows(&opened, rows))?;
    let written = printer.written;
    ended(&opened, &filter, args.amount, written)
}

/// What is said at the end, and the exit code.
pub(super) fn ended(opened: &Opened, filter: &Filter, amount: AmountArgs, written: u64) -> Result<u8, CliError> {
    if written == 0 && amount.most() != Some(0) {
        let what =
            if *filter == Filter::default() { "there are no records in" } else { "no record fits the filters in" };
        return Err(opened.nothing(&format!("{what} {}", opened.index.logs().display())));
    }
    if amount.most() == Some(written) {
        let total = opened.index.count(filter)?;
        if total > written {
            eprintln!("{written} of {total}, the newest; --all shows all, --limit N more");
        }
    }
    Ok(opened.outcome())
}

/// Rows that are held at once.
const PAGE: u64 = 1_000;

/// Calls `each` for pages of the exchanges asked for, in the order asked for.
pub(super) fn each(
    index: &Index,
    filter: &Filter,
    amount: AmountArgs,
    each: &mut dyn FnMut(&[Row]) -> Result<(), CliError>,
) -> Result<(), CliError> {
    match (amount.most(), amount.reverse) {
        (Some(limit), reverse) => {
            let mut rows = index.list(filter, &Page { limit: Some(limit), ..Page::default() })?;
            if reverse {
                rows.reverse();
            }
            if rows.is_empty() { Ok(()) } else { each(&rows) }
        }
        (None, reverse) => pages(
            reverse,
            |until, limit| {
                let page = Page { limit: Some(limit), oldest_first: reverse, ..Page::default() };
                let mut filter = filter.clone();
                if let Some(edge) = until {
                    if reverse { filter.since = Some(edge) } else { filter.until = Some(edge.saturating_add(1)) }
                }
                Ok(index.list(&filter, &page)?)
            },
            each,
        ),
    }
}

/// Goes on from the time of the last row, because records that arrive meanwhile would shift places counted from one end.
fn pages(
    oldest_first: bool,
    mut list: impl FnMut(Option<i64>, u64) -> Result<Vec<Row>, CliError>,
    each: &mut dyn FnMut(&[Row]) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let mut edge = None;
    // The ids of that very time, which the next page has again.
    let mut seen: Vec<String> = Vec::new();
    loop {
        let limit = PAGE + seen.len() as u64;
        let rows = list(edge, limit)?;
        let full = rows.len() as u64 >= limit;
        let rows: Vec<_> = rows.into_iter().filter(|row| !seen.contains(&row.id)).collect();
        let Some(last) = rows.last().map(|row| row.began) else { return Ok(()) };
        debug_assert!(edge.is_none_or(|edge| if oldest_first { last >= edge } else { last <= edge }));
        if edge != Some(last) {
            seen.clear();
        }
        seen.extend(rows.iter().filter(|row| row.began == last).map(|row| row.id.clone()));
        edge = Some(last);
        each(&rows)?;
        if !full {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::row;
    use super::*;

    /// What an index would say that has these, where `since` or `until` has the edge in it.
    fn listed(all: &[Row], oldest_first: bool, edge: Option<i64>, limit: u64) -> Vec<Row> {
        let inside =
            |row: &&Row| edge.is_none_or(|edge| if oldest_first { row.began >= edge } else { row.began <= edge });
        all.iter().filter(inside).take(usize::try_from(limit).unwrap()).cloned().collect()
    }

    #[test]
    fn pages_have_each_row_once_also_where_many_share_a_time() {
        for oldest_first in [false, true] {
            let at = |number: u64| if oldest_first { number / 1_500 } else { 100 - number / 1_500 };
            let all: Vec<_> = (0..4_200_u64)
                .map(|number| Row { began: i64::try_from(at(number)).unwrap(), ..row(&format!("{number:05}")) })
                .collect();
            let mut ids = Vec::new();
            let list = |edge, limit| Ok(listed(&all, oldest_first, edge, limit));
            pages(oldest_first, list, &mut |rows| {
                ids.extend(rows.iter().map(|row| row.id.clone()));
                Ok(())
            })
            .unwrap();
            assert!(ids == all.iter().map(|row| row.id.clone()).collect::<Vec<_>>(), "{} of 4200", ids.len());
        }
    }
}
