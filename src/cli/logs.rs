//! The folder that the reading commands read, its index, and what is said of files that cannot be read.

use std::fs::File;
use std::io::{IsTerminal, stderr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rustix::fs::{FlockOperation, flock};

use super::output::printable;
use super::{CliError, ConfigArg};
use crate::config::{self, Flags};
use crate::index::{Index, IndexError, Located, Progress, Report, Row};

/// Where the records are.
#[derive(Args, Debug)]
pub struct LogsArgs {
    /// Folder of the records, also one copied from elsewhere [default: logs] [env: COPILOT_RECORDER_LOGS]
    #[arg(long, value_name = "DIR")]
    logs: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArg,
}

impl LogsArgs {
    /// The folder, which is there.
    ///
    /// # Errors
    /// When the configuration file cannot be read, or there is no such folder.
    pub fn folder(&self) -> Result<PathBuf, CliError> {
        let mut flags = Flags::new();
        if let Some(logs) = &self.logs {
            // As with --users: a path that is not UTF-8 is named here only to be the highest layer.
            flags.insert("logs", vec![logs.to_string_lossy().into_owned()]);
        }
        let named = super::with_inputs(&flags, self.config.path(), config::logs_folder)?;
        let folder = self.logs.clone().unwrap_or(named);
        readable(&folder)?;
        Ok(folder)
    }

    /// The index of the folder, up to date.
    ///
    /// # Errors
    /// As [`LogsArgs::folder`], and when the index fails.
    pub fn open(&self) -> Result<Opened, CliError> {
        let folder = self.folder()?;
        let bar = Bar::new("reading");
        let (index, report) = Index::open(&folder, &mut |progress| bar.at(progress))?;
        bar.finish();
        Ok(Opened { index, report })
    }
}

/// Says so where the folder is not there or cannot be listed.
pub(super) fn readable(folder: &Path) -> Result<(), CliError> {
    match std::fs::read_dir(folder) {
        Ok(_) => Ok(()),
        Err(error) => Err(CliError::Start(anyhow!(
            "cannot read the folder {} of the records: {error}; name another with --logs",
            folder.display()
        ))),
    }
}

/// An index, and what was found when it was brought up to date.
pub struct Opened {
    /// The index.
    pub index: Index,
    /// What could not be read.
    pub report: Report,
}

impl Opened {
    /// The exit code of a command that found something: says on stderr what could not be read, if there is such.
    #[must_use]
    pub fn outcome(&self) -> u8 {
        match skipped(&self.report) {
            Some(text) => {
                eprintln!("copilot-recorder: {text}");
                1
            }
            None => 0,
        }
    }

    /// The error of a command that found nothing.
    #[must_use]
    pub fn nothing(&self, what: &str) -> CliError {
        match skipped(&self.report) {
            Some(text) => CliError::Negative(format!("{what}; {text}")),
            None => CliError::Negative(what.to_owned()),
        }
    }

    /// The beginning of an id that names this exchange alone.
    ///
    /// # Errors
    /// When the index fails.
    pub fn short_id(&self, row: &Row) -> Result<String, CliError> {
        short_id(&row.id, |prefix| self.index.find(prefix)).map_err(CliError::from)
    }
}

/// An id's milliseconds, which are seldom shared: `0193a6f3-1234`.
const SHORT: usize = 13;

fn short_id<E>(id: &str, mut find: impl FnMut(&str) -> Result<Located, E>) -> Result<String, E> {
    let mut length = SHORT;
    while let Some(prefix) = id.get(..length) {
        match find(prefix)? {
            Located::Several(others) => {
                let common = others.iter().filter(|other| other.id != id).map(|other| in_common(id, &other.id)).max();
                // Where only ten of many were looked at, the next turn finds the rest.
                length = (length + 1).max(common.unwrap_or(0) + 1);
            }
            Located::One(_) | Located::None => return Ok(prefix.to_owned()),
        }
    }
    Ok(id.to_owned())
}

fn in_common(one: &str, other: &str) -> usize {
    one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count()
}

/// Files that are named in the one line; `verify` tells all.
const NAMED: usize = 3;

/// What could not be read, in one line.
#[must_use]
pub fn skipped(report: &Report) -> Option<String> {
    let total = report.skipped_total;
    if total == 0 {
        return None;
    }
    let named = report.skipped.iter().take(NAMED);
    let named: Vec<_> = named.map(|(path, why)| printable(&format!("{} {why}", path.display())).into_owned()).collect();
    let more = if total > named.len() as u64 { "; …" } else { "" };
    let (what, were) = if total == 1 { ("file or folder", "was") } else { ("files or folders", "were") };
    Some(format!(
        "{total} {what} could not be read and {were} left out: {}{more} (`copilot-recorder verify` tells all)",
        named.join("; ")
    ))
}

impl From<IndexError> for CliError {
    fn from(error: IndexError) -> Self {
        Self::Start(error.into())
    }
}

/// Progress on stderr, where it is a terminal; nothing for work that is done at once.
pub struct Bar {
    bar: ProgressBar,
}

/// Work that ends before this is not worth a bar.
const PATIENCE: Duration = Duration::from_millis(500);

impl Bar {
    /// `what` is being done.
    #[must_use]
    pub fn new(what: &'static str) -> Self {
        let target = if stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target).with_message(what);
        let template = "{msg} [{bar:30}] {human_pos} of {human_len} files, {per_sec:0}, {eta} left";
        // The template is ours and right; a wrong one would cost the bar its looks.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        Self { bar }
    }

    /// So far it has come.
    pub fn at(&self, progress: Progress) {
        if self.bar.elapsed() < PATIENCE {
            return;
        }
        self.bar.set_length(progress.total);
        self.bar.set_position(progress.done);
    }

    /// Takes it off the screen.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Whether a recorder writes to the folder: it holds the lock. Nobody else is kept from anything by the question.
#[must_use]
pub fn recorder_runs(logs: &Path) -> bool {
    let Ok(lock) = File::open(logs.join(".lock")) else { return false };
    matches!(flock(&lock, FlockOperation::NonBlockingLockShared), Err(rustix::io::Errno::WOULDBLOCK))
}

#[cfg(test)]
mod tests {
    use super::super::testing::row;
    use super::*;

    #[test]
    fn what_was_left_out_is_one_line() {
        assert_eq!(skipped(&Report::default()), None);
        let one = Report {
            skipped: vec![("chat/\x1b[2J.json".into(), "is not JSON".into())],
            skipped_total: 1,
            ..Report::default()
        };
        assert_eq!(
            skipped(&one).unwrap(),
            "1 file or folder could not be read and was left out: chat/\\u{1b}[2J.json is not JSON (`copilot-recorder \
             verify` tells all)"
        );
        let skipped_files = (0..5).map(|number| (format!("{number}").into(), "x".into())).collect();
        let many = Report { skipped: skipped_files, skipped_total: 1200, ..Report::default() };
        let said = skipped(&many).unwrap();
        assert!(said.starts_with("1200 files or folders") && said.contains("0 x; 1 x; 2 x; …"), "{said}");
    }

    #[test]
    fn an_id_is_as_long_as_it_must_be() {
        let all = ["aaaaaaaa-aaaa-7000", "aaaaaaaa-aaaa-7001", "aaaaaaaa-aaab-7000"];
        let find = |prefix: &str| -> Result<Located, ()> {
            let rows: Vec<_> = all.iter().filter(|id| id.starts_with(prefix)).map(|id| row(id)).collect();
            Ok(if rows.len() > 1 { Located::Several(rows) } else { Located::None })
        };
        assert_eq!(short_id(all[2], find).unwrap(), "aaaaaaaa-aaab");
        assert_eq!(short_id(all[0], find).unwrap(), "aaaaaaaa-aaaa-7000");
        assert_eq!(short_id("abc", find).unwrap(), "abc");
    }
}
