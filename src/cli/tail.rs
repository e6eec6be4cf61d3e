//! `tail`: records as they arrive, written by another process.

use std::io::Write;
use std::time::Duration;

use clap::Args;
use tokio::time::sleep;

use super::CliError;
use super::filter::FilterArgs;
use super::logs::{LogsArgs, Opened, recorder_runs};
use super::output::Look;
use super::print::{Form, Printer};
use crate::index::{ANEW_MAX, Filter, Known, Page, Row};

/// Show records as they arrive, in another process than the one that records. Ctrl-C ends it.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  copilot-recorder tail
  copilot-recorder tail --kind chat --user ann
  copilot-recorder tail --failed --json -n 0")]
pub struct TailArgs {
    #[command(flatten)]
    logs: LogsArgs,
    #[command(flatten)]
    filter: FilterArgs,
    /// Begin with so many that are there already [default: 10]
    #[arg(long, short = 'n', value_name = "N", help_heading = "Output")]
    limit: Option<u64>,
    /// One JSON object a line
    #[arg(long, help_heading = "Output")]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// When the logs cannot be read or the output fails.
pub fn run(args: &TailArgs, out: &mut dyn Write) -> Result<u8, CliError> {
    follow(&args.logs, &args.filter.filter(), args.limit, args.json, out)
}

/// Shown before the first that arrives.
const BEGIN_WITH: u64 = 10;
/// Between two looks while records arrive.
const AT_ONCE: Duration = Duration::from_millis(200);
/// Between two looks while none do.
const AT_LEISURE: Duration = Duration::from_secs(1);
/// Between two looks at the folder, where no recorder tells the index.
const LOOK_AT_FOLDER: Duration = Duration::from_secs(2);

/// Shows the last ones, then all that arrive, until a signal or a closed pipe ends it.
pub(super) fn follow(
    logs: &LogsArgs,
    filter: &Filter,
    limit: Option<u64>,
    json: bool,
    out: &mut dyn Write,
) -> Result<u8, CliError> {
    // Before the signals are ours: reading a million files for the first time can be ended as usual.
    let opened = logs.open()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let work = async { Follower { filter, json }.follow(opened, limit.unwrap_or(BEGIN_WITH), out).await };
        tokio::select! {
            // The signals first: they are listened to before the first row is shown.
            biased;
            ended = signalled() => ended.map(|()| 0),
            done = work => done,
        }
    })
}

async fn signalled() -> Result<(), CliError> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

struct Follower<'a> {
    filter: &'a Filter,
    json: bool,
}

impl Follower<'_> {
    async fn follow(&self, opened: Opened, limit: u64, out: &mut dyn Write) -> Result<u8, CliError> {
        // Said at the beginning, and no outcome: the end is a person's Ctrl-C.
        let _ = opened.outcome();
        let look = Look::of_stdout();
        let form = Form::of(self.json, &look);
        let newest = |limit| Page { limit: Some(limit), ..Page::default() };
        // The old ones, then the mark, then the last ones: what arrives in between is shown once, being told by its id.
        let mut known = Known::default();
        let old = opened.index.list(&Filter::default(), &newest(ANEW_MAX))?;
        for row in old.iter().rev() {
            known.is_new(&row.id);
        }
        let (_, mut mark) = opened.index.arrived(None)?;
        let mut last = opened.index.list(self.filter, &newest(limit))?;
        last.reverse();
        for row in &last {
            known.is_new(&row.id);
        }
        let mut printer = Printer::new(out, form, look);
        printer.rows(&opened, &last)?;

        let mut pause = AT_ONCE;
        let mut said = false;
        loop {
            let alone = !recorder_runs(opened.index.logs());
            if alone && !said {
                eprintln!("no recorder is running on {}; its files are looked at", opened.index.logs().display());
                said = true;
            }
            // Without recorder the index looks at the folders itself each time it is asked.
            sleep(if alone { LOOK_AT_FOLDER } else { pause }).await;
            let (rows, next) = opened.index.arrived(Some(mark))?;
            mark = next;
            pause = if rows.is_empty() { (pause * 5 / 4).min(AT_LEISURE) } else { AT_ONCE };
            let rows = wanted(rows, |row| known.is_new(&row.id), |row| self.fits(&opened, row))?;
            printer.rows(&opened, &rows)?;
        }
    }

    /// Whether the filter lets it through: the index is asked, so that every filter means what it means in `list`.
    fn fits(&self, opened: &Opened, row: &Row) -> Result<bool, CliError> {
        if *self.filter == Filter::default() {
            return Ok(true);
        }
        let inside = self.filter.since.is_none_or(|since| row.began >= since)
            && self.filter.until.is_none_or(|until| row.began < until);
        if !inside {
            return Ok(false);
        }
        let filter = Filter { since: Some(row.began), until: Some(row.began.saturating_add(1)), ..self.filter.clone() };
        let same = opened.index.list(&filter, &Page::default())?;
        Ok(same.iter().any(|found| found.id == row.id))
    }
}

/// Those that are new and let through.
fn wanted(
    rows: Vec<Row>,
    mut is_new: impl FnMut(&Row) -> bool,
    fits: impl Fn(&Row) -> Result<bool, CliError>,
) -> Result<Vec<Row>, CliError> {
    let mut wanted = Vec::new();
    for row in rows {
        if is_new(&row) && fits(&row)? {
            wanted.push(row);
        }
    }
    Ok(wanted)
}
