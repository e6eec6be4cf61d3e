//! `export`: records in the forms of other tools.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::{Args, ValueEnum};

use super::CliError;
use super::destination::{self, Destination};
use super::filter::FilterArgs;
use super::logs::{Bar, LogsArgs, Opened};
use super::output::printable;
use super::terminal::Harmless;
use crate::archive::{self, Unreadable};
use crate::export::seed_metrics::{SeedMetrics, SeedMetricsError};
use crate::export::{csv, har, jsonl};
use crate::index::{Filter, Progress, Row};

/// Write exchanges for other tools, the oldest first.
///
/// What is redacted in the records stays so. Exports hold source code, prompts and answers: they are as confidential as
/// the records. Every field: docs/exports.md.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  copilot-recorder export --format har --since 1h --out last-hour.har
  copilot-recorder export --format jsonl --kind chat | jq '.answer.choices[0].text'
  copilot-recorder export --format csv --user ann --out ann.csv
  copilot-recorder export --format seed-metrics --force

Exit codes: 0 done; 1 there was nothing to export, or not everything could be read; 2 wrong usage, or \
the file is there already; 3 the records cannot be read, or the export cannot be written.")]
pub struct ExportArgs {
    #[command(flatten)]
    logs: LogsArgs,
    /// In which form
    #[arg(long, value_enum)]
    format: Format,
    /// Where to: a file, or - for standard output [default: -]; of seed-metrics a folder [default: metrics in the
    /// folder of the records]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace what is there already
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    filter: FilterArgs,
}

/// The forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One JSON object a line: what the index knows, the prompt, and the rebuilt answer
    Jsonl,
    /// For spreadsheets: what the index knows, without prompts and answers
    Csv,
    /// HTTP Archive 1.2: whole requests and responses
    Har,
    /// Daily counts in the schema of the tool that this one replaces, one file a day
    SeedMetrics,
}

/// Runs the command; without `--out` the export goes to `out`.
///
/// # Errors
/// When there is nothing to export, the logs cannot be read, or the export cannot be written.
pub fn run(args: &ExportArgs, out: &mut dyn Write) -> Result<u8, CliError> {
    let standard = Path::new("-");
    if args.format == Format::SeedMetrics && args.out.as_deref() == Some(standard) {
        return Err(CliError::Usage(anyhow!("seed-metrics are several files: name a folder with --out")));
    }
    match (args.format, args.out.as_deref().filter(|file| *file != standard)) {
        (Format::SeedMetrics, folder) => seed_metrics(args, folder),
        (_, Some(file)) => to_file(args, file),
        (_, None) if io::stdout().is_terminal() => {
            let opened = args.logs.open()?;
            // A bar would be drawn into it.
            records(args, &opened, None, &mut Harmless::new(out))?.ended(args, &opened)
        }
        (_, None) => {
            let opened = args.logs.open()?;
            records(args, &opened, Some(&Bar::new("exporting")), out)?.ended(args, &opened)
        }
    }
}

fn to_file(args: &ExportArgs, file: &Path) -> Result<u8, CliError> {
    // Before the work, which may be long.
    let mut destination = Destination::open(file, args.force)?;
    let opened = args.logs.open()?;
    let written = records(args, &opened, Some(&Bar::new("exporting")), &mut destination);
    let cannot_write = |error| CliError::Start(destination::cannot_write(file, error));
    let read = written.map_err(|error| match error {
        CliError::Stream(error) => cannot_write(error),
        other => other,
    })?;
    destination.finish().map_err(cannot_write)?;
    read.ended(args, &opened)
}

fn seed_metrics(args: &ExportArgs, folder: Option<&Path>) -> Result<u8, CliError> {
    let opened = args.logs.open()?;
    let mut read = Read::default();
    let mut metrics = SeedMetrics::default();
    opened.index.each_row(&args.filter.filter(), &mut |row| {
        metrics.add(&row);
        read.written += u64::from(SeedMetrics::counts(&row));
    })?;
    // The older tool's own place, which no reader of records looks into.
    let folder = folder.map_or_else(|| opened.index.logs().join("metrics"), Path::to_owned);
    let files = metrics.write(&folder, args.force).map_err(|error| match error {
        SeedMetricsError::Exists(_) => CliError::Usage(anyhow!("{error}; --force replaces it")),
        SeedMetricsError::Io { .. } => CliError::Start(error.into()),
    })?;
    if let [first, .., last] = &*files {
        eprintln!("{} files from {} to {}", files.len(), first.display(), last.display());
    } else if let [only] = &*files {
        eprintln!("{}", only.display());
    }
    read.ended(args, &opened)
}

/// Writes the exchanges asked for, each read and gone before the next.
fn records(args: &ExportArgs, opened: &Opened, bar: Option<&Bar>, out: &mut dyn Write) -> Result<Read, CliError> {
    let filter = args.filter.filter();
    let total = if bar.is_some() { opened.index.count(&filter)? } else { 0 };
    let mut exporter = Exporter::new(args.format, BufWriter::new(out))?;
    let mut read = Read::default();
    let mut failed = None;
    opened.index.each_row(&filter, &mut |row| {
        // There is no way to stop the walk; what is left of it is quick.
        if failed.is_none() {
            failed = exporter.add(opened.index.logs(), &row, &mut read).err();
        }
        if let Some(bar) = bar {
            bar.at(Progress { done: read.written + read.unreadable, total });
        }
    })?;
    if let Some(bar) = bar {
        bar.finish();
    }
    if let Some(error) = failed {
        return Err(error.into());
    }
    exporter.finish()?;
    Ok(read)
}

/// What became of the exchanges that the index has.
#[derive(Default)]
struct Read {
    written: u64,
    unreadable: u64,
}

/// Files that are named; the others are counted.
const NAMED: u64 = 20;

impl Read {
    /// The file vanished or was damaged since the index read it.
    fn left_out(&mut self, row: &Row, why: &Unreadable) {
        self.unreadable += 1;
        if self.unreadable <= NAMED {
            eprintln!("copilot-recorder: {} {} and is left out", printable(&row.file), printable(&why.to_string()));
        }
    }

    /// The exit code.
    fn ended(&self, args: &ExportArgs, opened: &Opened) -> Result<u8, CliError> {
        if self.written == 0 && self.unreadable == 0 {
            let any = args.filter.filter() == Filter::default();
            let what = if any { "there are no records" } else { "no record fits the filters" };
            return Err(opened.nothing(&format!("{what} in {}", opened.index.logs().display())));
        }
        let code = opened.outcome();
        if self.unreadable == 0 {
            return Ok(code);
        }
        eprintln!("copilot-recorder: {} exported; {} could not be read any more", self.written, self.unreadable);
        Ok(1)
    }
}

/// Any of the writers of one document.
enum Exporter<W: Write> {
    Jsonl(jsonl::Writer<W>),
    /// Boxed: it has a buffer of its own.
    Csv(Box<csv::Writer<W>>),
    Har(har::Writer<W>),
}

impl<W: Write> Exporter<W> {
    fn new(format: Format, out: W) -> io::Result<Self> {
        Ok(match format {
            Format::Csv => Self::Csv(Box::new(csv::Writer::new(out)?)),
            Format::Har => Self::Har(har::Writer::new(out)?),
            // Daily counts are no document and are written elsewhere.
            Format::Jsonl | Format::SeedMetrics => Self::Jsonl(jsonl::Writer::new(out)),
        })
    }

    fn add(&mut self, logs: &Path, row: &Row, read: &mut Read) -> io::Result<()> {
        let record = || archive::read_below(logs, Path::new(&row.file));
        let written = match self {
            // A table holds nothing that the index does not have.
            Self::Csv(writer) => Ok(writer.add(row)),
            Self::Jsonl(writer) => record().map(|record| writer.add(row, &record)),
            Self::Har(writer) => record().map(|record| writer.add(&record)),
        };
        match written {
            Ok(written) => {
                written?;
                read.written += 1;
            }
            Err(why) => read.left_out(row, &why),
        }
        Ok(())
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Jsonl(writer) => writer.finish()?,
            Self::Csv(writer) => writer.finish()?,
            Self::Har(writer) => writer.finish()?,
        }
        .flush()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::testing::row;
    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        export: ExportArgs,
    }

    fn parse(words: &[&str]) -> Result<ExportArgs, clap::Error> {
        Cli::try_parse_from(["export"].iter().chain(words)).map(|cli| cli.export)
    }

    #[test]
    fn a_format_must_be_named() {
        for (word, format) in [
            ("jsonl", Format::Jsonl),
            ("csv", Format::Csv),
            ("har", Format::Har),
            ("seed-metrics", Format::SeedMetrics),
        ] {
            assert_eq!(parse(&["--format", word]).unwrap().format, format);
        }
        assert_eq!(parse(&[]).err().unwrap().exit_code(), 2);
        assert_eq!(parse(&["--format", "xml"]).err().unwrap().exit_code(), 2);
    }

    #[test]
    fn a_file_that_vanished_is_counted_and_the_rest_is_written() {
        let logs = tempfile::tempdir().unwrap();
        for (format, written, unreadable) in [(Format::Csv, 2, 0), (Format::Jsonl, 0, 2), (Format::Har, 0, 2)] {
            let mut out = Vec::new();
            let mut read = Read::default();
            let mut exporter = Exporter::new(format, &mut out).unwrap();
            for id in ["a", "b"] {
                exporter.add(logs.path(), &row(id), &mut read).unwrap();
            }
            exporter.finish().unwrap();
            assert_eq!((read.written, read.unreadable), (written, unreadable), "{format:?}");
            if format == Format::Har {
                let document: serde_json::Value = serde_json::from_slice(&out).unwrap();
                assert_eq!(document["log"]["entries"], serde_json::json!([]));
            }
        }
    }

    #[test]
    fn an_output_that_fails_ends_it() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let error = Exporter::new(Format::Har, Full).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
