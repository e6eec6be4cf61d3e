//! `show`: one exchange, whole.

mod events;
mod page;
mod talk;
mod timing;

use std::io::{IsTerminal, Write};
use std::path::Path;

use clap::Args;
use serde::Serialize;

use super::CliError;
use super::logs::{LogsArgs, Opened};
use super::output::{self, Look, json_line, printable};
use super::rows;
use crate::archive::{self, Body, Form, Record};
use crate::copilot::answer::Answer;
use crate::copilot::prompt::Prompt;
use crate::copilot::{answer, prompt, telemetry};
use crate::index::{EventRow, Located, Row};
use crate::rules::Kind;

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

/// All that is known of an exchange.
#[derive(Debug)]
struct Subject {
    row: Row,
    record: Record,
    prompt: Option<Prompt>,
    answer: Option<Answer>,
    /// What telemetry says of it.
    events: Vec<EventRow>,
    /// If it is telemetry: what it says.
    batch: Option<telemetry::Batch>,
    /// The exchange that it goes on from.
    previous: Option<Row>,
    /// Those that go on from it, oldest first.
    next: Vec<Row>,
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
    let path = opened.index.logs().join(&row.file);
    // The file once, so that all that is shown is of one moment.
    let text = archive::load(&path).map_err(|why| unreadable(&path, &why))?;
    let record = archive::parse(Path::new(&row.file), &text).map_err(|why| unreadable(&path, &why))?;
    if args.raw {
        raw(if args.request { &record.request_body } else { &record.response_body }, out)?;
        return Ok(0);
    }
    let subject = Subject::gather(&opened, row, record)?;
    if args.json {
        writeln!(out, "{}", subject.json(&text)?)?;
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

/// What `--json` writes.
#[derive(Serialize)]
struct Whole<'a> {
    row: &'a Row,
    prompt: Option<&'a Prompt>,
    answer: Option<&'a Answer>,
    events: &'a [EventRow],
    #[serde(skip_serializing_if = "Option::is_none")]
    telemetry: Option<Vec<serde_json::Value>>,
    previous: Option<&'a str>,
    next: Vec<&'a str>,
    record: serde_json::Value,
}

impl Subject {
    fn gather(opened: &Opened, row: Row, record: Record) -> Result<Self, CliError> {
        let telemetry = row.kind == Kind::Telemetry;
        let events = match &row.request_id {
            Some(id) if !telemetry => opened.index.events_of(id)?,
            _ => Vec::new(),
        };
        let previous = match &row.previous_response_id {
            Some(id) => opened.index.answered(id)?,
            None => None,
        };
        let next = match &row.response_id {
            Some(id) => opened.index.following(id)?,
            None => Vec::new(),
        };
        let body = &record.request_body;
        let batch = telemetry.then(|| telemetry::read(body.bytes.as_deref().unwrap_or(body.text.as_bytes())));
        let prompt = if telemetry { None } else { prompt::read(&body.text) };
        let answer = if telemetry { None } else { answer::read(&record.response_body.text) };
        let answer = answer.map(|answer| answer.or_estimate(prompt.as_ref()));
        Ok(Self { row, record, prompt, answer, events, batch, previous, next })
    }

    fn json(&self, file: &[u8]) -> Result<String, CliError> {
        let whole = Whole {
            row: &self.row,
            prompt: self.prompt.as_ref(),
            answer: self.answer.as_ref(),
            events: &self.events,
            telemetry: self.batch.as_ref().map(|batch| batch.events.iter().map(events::json).collect()),
            previous: self.previous.as_ref().map(|row| row.id.as_str()),
            next: self.next.iter().map(|row| row.id.as_str()).collect(),
            record: self.file(file),
        };
        json_line(&whole).map_err(|error| CliError::Stream(error.into()))
    }
}

impl Subject {
    /// The file's own JSON. Files of the older tool hold credentials, which no command gives away.
    fn file(&self, text: &[u8]) -> serde_json::Value {
        // What was read as a record can be deeper than this reader goes, in what records do not have.
        let mut file: serde_json::Value = serde_json::from_slice(text).unwrap_or_default();
        let Some(top) = file.as_object_mut().filter(|_| self.row.form == Form::Older) else { return file };
        let record = &self.record;
        // Other keys are not of that tool: nobody knows what is in them.
        top.retain(|key, _| OLDER_KEYS.contains(&key.as_str()));
        top.insert("proxy-authorization".into(), record.user.as_deref().unwrap_or("-").into());
        for (message, fields, body) in [
            ("request", &record.request_headers, &record.request_body),
            ("response", &record.response_headers, &record.response_body),
        ] {
            let Some(message) = top.get_mut(message).and_then(serde_json::Value::as_object_mut) else { continue };
            message.retain(|key, _| OLDER_MESSAGE_KEYS.contains(&key.as_str()));
            if message.contains_key("url") {
                message.insert("url".into(), record.url.as_str().into());
            }
            let fields = fields.iter().map(|(name, value)| (name.clone(), value.as_str().into()));
            message.insert("headers".into(), serde_json::Value::Object(fields.collect()));
            if let Some(content) = message.get_mut("content").filter(|content| !content.is_null()) {
                *content = without_secrets(content, &body.text);
            }
        }
        file
    }
}

/// The keys of the older tool's records.
const OLDER_KEYS: [&str; 5] = ["proxy-authorization", "timestamp", "proxy-time-consumed", "request", "response"];
/// Those of its two messages.
const OLDER_MESSAGE_KEYS: [&str; 5] = ["url", "method", "headers", "content", "status_code"];

/// A body in the form that the file has it in, parsed or text. `text` is what was read of it, without credentials.
fn without_secrets(content: &serde_json::Value, text: &str) -> serde_json::Value {
    let parsed = if content.is_string() { None } else { serde_json::from_str(text).ok() };
    parsed.unwrap_or_else(|| text.into())
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
