//! `verify`: every file against its digests, and the index against the files.

mod checked;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use self::checked::{Checked, Looked, checked};
use super::CliError;
use super::logs::{Bar, LogsArgs};
use super::output::{Look, json_line, printable};
use super::rows::number;
use crate::archive::verify::{Finding, Ids};
use crate::archive::{self, Found};
use crate::index::{Filter, Index, IndexError, Located, Progress, Row};

/// Check every record file against its digests and the index, and say what is wrong.
///
/// Finds files that cannot be read, are cut off, changed, foreign, of a later version, in the folder of another kind or
/// there twice; and records that the index misses, has wrong, or has though their file is gone. Changes nothing: what is
/// wrong with the index alone, `copilot-recorder reindex` mends. Exit code 1 if anything was found.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  copilot-recorder verify
  copilot-recorder verify --logs /mnt/copy --json | jq -r 'select(.file).file'")]
pub struct VerifyArgs {
    #[command(flatten)]
    logs: LogsArgs,
    /// One JSON object for each finding (file, class, what), and one with the counts at the end
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// When the logs or the index cannot be read, or the output fails.
pub fn run(args: &VerifyArgs, out: &mut dyn Write) -> Result<u8, CliError> {
    // What cannot be read is found again below, and said there.
    let opened = args.logs.open()?;
    let mut report = Report { out, look: Look::of_stdout(), json: args.json, files: 0, counts: BTreeMap::new() };
    files(&opened.index, &mut report)?;
    gone(&opened.index, &mut report)?;
    report.end()
}

/// Findings as they are made.
struct Report<'a> {
    out: &'a mut dyn Write,
    look: Look,
    json: bool,
    files: u64,
    counts: BTreeMap<&'static str, u64>,
}

#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    class: &'static str,
    what: &'a str,
}

#[derive(Serialize)]
struct Counts<'a> {
    files: u64,
    findings: &'a BTreeMap<&'static str, u64>,
}

impl Report<'_> {
    fn found(&mut self, file: &Path, class: &'static str, what: &str) -> Result<(), CliError> {
        *self.counts.entry(class).or_default() += 1;
        let file = file.to_string_lossy();
        if self.json {
            let line = Line { file: &file, class, what };
            writeln!(self.out, "{}", json_line(&line).map_err(std::io::Error::from)?)?;
        } else {
            writeln!(self.out, "{}: {}", printable(&file), self.look.tinted("31", &printable(what)))?;
        }
        Ok(())
    }

    fn end(self) -> Result<u8, CliError> {
        if self.json {
            let counts = Counts { files: self.files, findings: &self.counts };
            writeln!(self.out, "{}", json_line(&counts).map_err(std::io::Error::from)?)?;
        } else {
            writeln!(self.out, "{}", summary(self.files, &self.counts))?;
        }
        self.out.flush()?;
        Ok(u8::from(!self.counts.is_empty()))
    }
}

fn summary(files: u64, counts: &BTreeMap<&'static str, u64>) -> String {
    let plural = if files == 1 { "" } else { "s" };
    let found: Vec<_> = counts.iter().map(|(class, count)| format!("{} {class}", number(*count))).collect();
    let found = if found.is_empty() { "all in order".to_owned() } else { found.join(", ") };
    format!("{} file{plural} checked: {found}", number(files))
}

/// Files that are checked between two signs of progress.
const AT_A_TIME: u64 = 64;

fn files(index: &Index, report: &mut Report<'_>) -> Result<(), CliError> {
    let logs = index.logs();
    // Once to know how many there are: their names are not kept.
    let mut total = 0;
    walk(logs, &mut |found| {
        total += u64::from(matches!(found, Found::File(_)));
        Ok(())
    })?;
    let bar = Bar::new("checking");
    let mut ids = Ids::default();
    let ended = checked(logs, &mut |looked| match looked {
        Looked::Closed(folder, why) => report.found(&folder, "unreadable", &format!("cannot be listed: {why}")),
        Looked::File(file) => {
            report.files += 1;
            if report.files.is_multiple_of(AT_A_TIME) {
                bar.at(Progress { done: report.files, total: total.max(report.files) });
            }
            compare(index, &mut ids, file, report)
        }
    });
    bar.finish();
    ended
}

/// Walks until the first error.
fn walk(logs: &Path, each: &mut dyn FnMut(Found) -> Result<(), CliError>) -> Result<(), CliError> {
    let mut ended = Ok(());
    let walked = archive::walk(logs, &mut |found| {
        if ended.is_ok() {
            ended = each(found);
        }
    });
    walked.map_err(|source| IndexError::Logs { path: logs.to_owned(), source })?;
    ended
}

fn compare(index: &Index, ids: &mut Ids, file: Checked, report: &mut Report<'_>) -> Result<(), CliError> {
    let Checked { key, row, mut findings } = file;
    let known = match &row {
        Some(row) => {
            findings.extend(row.id.parse().ok().and_then(|id| ids.see(id)));
            index.find(&row.id)?
        }
        None => Located::None,
    };
    for finding in &findings {
        report.found(&key, finding.class(), &said(finding, &key, &known))?;
    }
    let Some(row) = row else { return Ok(()) };
    if let Some((class, what)) = against(&row, known, |file| is_there(&index.logs().join(file))) {
        report.found(&key, class, &what)?;
    }
    Ok(())
}

/// A finding, with the other file's name where the index knows it.
fn said(finding: &Finding, key: &Path, known: &Located) -> String {
    match (finding, known) {
        (Finding::Duplicate { id }, Located::One(row)) if Path::new(&row.file) != key => {
            format!("has the id {id} of {}", row.file)
        }
        _ => finding.to_string(),
    }
}

/// What a record gives against what the index has of it.
fn against(fresh: &Row, known: Located, is_there: impl Fn(&str) -> bool) -> Option<(&'static str, String)> {
    let Located::One(row) = known else { return Some(("not-indexed", "is not in the index".to_owned())) };
    if row.file != fresh.file {
        // The index has one of two files with the same id: one of them is told as a duplicate.
        let gone = !is_there(&row.file);
        return gone.then(|| ("index-differs", format!("is in the index as {}, which is gone", row.file)));
    }
    differences(fresh, &row).map(|fields| ("index-differs", format!("the index has other values of {fields}")))
}

/// In a folder that may not be looked into it may be; that the folder is closed is said by itself.
fn is_there(path: &Path) -> bool {
    match path.try_exists() {
        Ok(true) | Err(_) => true,
        // The index knows a file with a password in its name by another name.
        Ok(false) => archive::load(path).is_ok(),
    }
}

/// The names of the fields that differ.
fn differences(fresh: &Row, known: &Row) -> Option<String> {
    if fresh == known {
        return None;
    }
    let (fresh, known) = (serde_json::to_value(fresh).ok()?, serde_json::to_value(known).ok()?);
    let fields = fresh.as_object()?.iter().filter(|(name, value)| known.get(name.as_str()) != Some(value));
    let fields: Vec<_> = fields.map(|(name, _)| name.as_str()).collect();
    Some(fields.join(", "))
}

/// Rows whose file is gone.
fn gone(index: &Index, report: &mut Report<'_>) -> Result<(), CliError> {
    let mut ended = Ok(());
    index.each_row(&Filter::default(), &mut |row| {
        let path = PathBuf::from(&row.file);
        if ended.is_ok() && !is_there(&index.logs().join(&path)) {
            ended = report.found(&path, "index-without-file", "is in the index, and the file is gone");
        }
    })?;
    ended
}

#[cfg(test)]
mod tests {
    use super::super::testing::row;
    use super::*;

    #[test]
    fn the_summary_counts_by_class() {
        assert_eq!(summary(1, &BTreeMap::new()), "1 file checked: all in order");
        let counts = [("truncated", 2), ("duplicate", 1_200)].into();
        assert_eq!(summary(100_000, &counts), "100,000 files checked: 1,200 duplicate, 2 truncated");
    }

    #[test]
    fn findings_are_lines_that_move_no_cursor() {
        let mut out = Vec::new();
        let mut report =
            Report { out: &mut out, look: Look::default(), json: false, files: 1, counts: BTreeMap::new() };
        report.found(Path::new("chat/\x1b[2J.json"), "foreign", "is JSON\n").unwrap();
        assert_eq!(report.end().unwrap(), 1);
        let said = String::from_utf8(out).unwrap();
        assert_eq!(said, "chat/\\u{1b}[2J.json: is JSON\\u{a}\n1 file checked: 1 foreign\n");

        let mut out = Vec::new();
        let mut report = Report { out: &mut out, look: Look::default(), json: true, files: 1, counts: BTreeMap::new() };
        report.found(Path::new("a\u{9b}"), "foreign", "x").unwrap();
        report.end().unwrap();
        let said = String::from_utf8(out).unwrap();
        assert_eq!(
            said,
            "{\"file\":\"a\\u009b\",\"class\":\"foreign\",\"what\":\"x\"}\n{\"files\":1,\"findings\":{\"foreign\":1}}\n"
        );
    }

    #[test]
    fn what_the_index_has_otherwise_is_named() {
        let other = Row { user: Some("bob".into()), status: None, ..row("1") };
        assert_eq!(differences(&row("1"), &row("1")), None);
        assert_eq!(differences(&row("1"), &other).unwrap(), "user, status");
    }

    #[test]
    fn a_duplicate_names_the_other_file() {
        let id = uuid::Uuid::nil();
        let known = Located::One(Box::new(row("1")));
        let duplicate = Finding::Duplicate { id };
        assert_eq!(said(&duplicate, Path::new("b.json"), &known), format!("has the id {id} of completions/1.json"));
        let same = said(&duplicate, Path::new("completions/1.json"), &known);
        assert_eq!(same, format!("has the id {id} of another file"));
    }
}
