//! `show`: one exchange, whole.

mod events;
mod page;
mod talk;
mod timing;

use std::io::{IsTerminal, Write};
use std::path::Path;

use clap::Args;

use super::CliError;
use super::logs::{LogsArgs, Opened};
use super::output::{self, Look, printable};
use super::rows;
use crate::archive::{self, Body};
use crate::index::{Located, Row};
use crate::review::subject::{RecordFile, Subject, SubjectError};

/// Show one exchange: what was asked, what was answered, when, and what became of it.
///
/// The prompt and the answer are put together from the bodies as recorded; texts stand behind a margin, and nothing in
/// them moves the cursor. Long ones are shortened: --full shows all.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  copilot-recorder show 0193a6f3-1234
  copilot-recorder show logs/chat/2024-12-08T13-05-57.639893_-_127.0.0.1_ann_-.json --headers
  copilot-recorder show 0193a6f3-1234 --raw > answer.txt
  copilot-recorder show 0193a6f3-1234 --json | jq -r '.answer.choices[0].text'")]
pub struct ShowArgs {
    /// The id or its beginning, as `list` shows it, or the path of the file
    id: String,
    #[command(flatten)]
    logs: LogsArgs,
    /// Write the body exactly as it was recorded, without its content coding: the response's, or with --request the
    /// request's
    #[arg(long, conflicts_with = "json")]
    raw: bool,
    /// With --raw: the request's body
    #[arg(long, requires = "raw")]
    request: bool,
    /// One JSON object: row, prompt, answer, events, telemetry, record
    #[arg(long)]
    json: bool,
    /// Show the headers of both messages too
    #[arg(long)]
    headers: bool,
    /// Show long texts whole, and all properties of telemetry
    #[arg(long)]
    full: bool,
}

/// How much is shown.
#[derive(Clone, Copy, Debug, Default)]
struct Detail {
    headers: bool,
    full: bool,
}

/// Runs the command.
///
/// # Errors
/// When there is no such exchange, or several; when its file cannot be read; when the output fails.
pub fn run(args: &ShowArgs, out: &mut dyn Write) -> Result<u8, CliError> {
    let opened = args.logs.open()?;
    let row = find(&opened, &args.id)?;
    // The file once, so that all that is shown is of one moment.
    let RecordFile { path, text, record } = RecordFile::read(opened.index.logs(), &row)?;
    if args.raw {
        raw(if args.request { &record.request_body } else { &record.response_body }, out)?;
        return Ok(0);
    }
    let subject = Subject::of(&opened.index, row, record)?;
    if args.json {
        writeln!(out, "{}", subject.json(&text).map_err(std::io::Error::from)?)?;
    } else {
        let detail = Detail { headers: args.headers, full: args.full };
        let look = Look::of_stdout();
        out.write_all(page::page(&subject, &path.display().to_string(), detail, &look).as_bytes())?;
    }
    out.flush()?;
    Ok(0)
}

fn unreadable(path: &Path, why: &archive::Unreadable) -> CliError {
    CliError::Negative(format!("{} {why}", path.display()))
}

fn find(opened: &Opened, id: &str) -> Result<Row, CliError> {
    let file = Path::new(id);
    match opened.index.find(id)? {
        Located::One(row) => Ok(*row),
        Located::Several(rows) => Err(CliError::Negative(several(id, &rows, &Look::default()))),
        Located::None if file.is_file() => Err(match archive::read(file) {
            Err(why) => unreadable(file, &why),
            Ok(_) => CliError::Negative(format!(
                "{} is a record, but not one of the folder {}: name its folder with --logs",
                file.display(),
                opened.index.logs().display()
            )),
        }),
        Located::None => Err(opened.nothing(&format!("there is no record whose id begins with {id:?}"))),
    }
}

/// So many the index names at most.
const NAMED: usize = 10;

/// The candidates, one a line. Their fields are printable; the line feeds are escaped by whoever prints the sentence.
fn several(id: &str, rows: &[Row], look: &Look) -> String {
    let named = rows.iter().map(|row| {
        let user = row.user.as_deref().unwrap_or("-");
        format!("{} ({} {}, {user})", row.id, look.time(row.began).format("%Y-%m-%d %H:%M:%S"), row.kind)
    });
    let named: Vec<_> = named.collect();
    let more = if named.len() < NAMED { "" } else { "; …" };
    format!("{id:?} is the beginning of more than one id: {}{more}", named.join("; "))
}

/// The body's bytes; where they go to a terminal, what can be printed of them.
fn raw(body: &Body, out: &mut dyn Write) -> Result<(), CliError> {
    if std::io::stdout().is_terminal() {
        writeln!(out, "{}", output::printable_lines(&body.text))?;
    } else {
        out.write_all(body.bytes.as_deref().unwrap_or(body.text.as_bytes()))?;
    }
    out.flush()?;
    Ok(())
}

impl From<SubjectError> for CliError {
    fn from(error: SubjectError) -> Self {
        match error {
            SubjectError::Gone { .. } | SubjectError::Unreadable { .. } => Self::Negative(error.to_string()),
            SubjectError::Index(error) => error.into(),
        }
    }
}

/// A row in a few words: `chat  200  cancelled`.
fn headline(row: &Row) -> String {
    let status = row.status.map_or_else(|| "no response".to_owned(), |status| status.to_string());
    let mut words = vec![row.kind.as_str().to_owned(), status];
    words.extend(rows::flags(row));
    words.iter().map(|word| printable(word)).collect::<Vec<_>>().join("  ")
}

#[cfg(test)]
mod tests;
