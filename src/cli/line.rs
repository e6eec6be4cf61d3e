//! The line that a person watches: one per record.

use std::cell::Cell;
use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use chrono::{DateTime, Local};

use super::output::printable;
use crate::classifier::Summary;
use crate::exchange::AbortedBy;
pub(super) use crate::review::amounts::{duration, size};
use crate::store::OnRecord;

/// `13:05:57  completions  200  alice  vscode/1.95.3  python  382 ms  ↑ 2.1 kB  ↓ 367 B`, without the line's end.
#[must_use]
pub fn line(summary: &Summary, colour: bool) -> String {
    let time = DateTime::<Local>::from(summary.began).format("%H:%M:%S");
    let status = summary.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
    let user = printable(summary.user.as_deref().unwrap_or("-"));
    let editor = printable(summary.editor.as_deref().unwrap_or("-"));
    let about = printable(summary.language.as_deref().or(summary.model.as_deref()).unwrap_or("-"));
    let duration = summary.duration.map_or_else(|| "-".to_owned(), duration);
    let sizes = format!("↑ {:>8}  ↓ {:>8}", size(summary.request_size), size(summary.response_size));
    let (on, off) = match (colour, tint(summary)) {
        (true, Some(tint)) => (tint, "\x1b[0m"),
        _ => ("", ""),
    };
    let ending = match (summary.complete, summary.aborted_by) {
        (true, _) => String::new(),
        (false, Some(AbortedBy::Client)) => "  cancelled".to_owned(),
        (false, Some(AbortedBy::Upstream)) => "  cut by upstream".to_owned(),
        (false, Some(AbortedBy::Shutdown)) => "  cut by shutdown".to_owned(),
        (false, None) => "  incomplete".to_owned(),
    };
    format!(
        "{time}  {on}{:<11}  {status:>3}{off}  {user:<12}  {editor:<16}  {about:<14}  {duration:>8}  {sizes}{ending}",
        summary.kind.as_str()
    )
}

/// Red where something failed, grey where the client changed its mind, plain otherwise.
fn tint(summary: &Summary) -> Option<&'static str> {
    match (summary.status, summary.aborted_by) {
        (_, Some(AbortedBy::Client)) => Some("\x1b[90m"),
        (_, Some(_)) | (None, _) => Some("\x1b[31m"),
        (Some(status), None) if status >= 400 => Some("\x1b[31m"),
        _ => None,
    }
}

/// Prints lines on stderr without ever holding the writer up: a terminal that is paused must not stop the recording.
pub struct Printer {
    /// `None` is the end: the writer's handle may outlive the program's last step, where the disk is stuck.
    lines: Option<SyncSender<Option<String>>>,
    thread: Option<JoinHandle<()>>,
    colour: bool,
}

/// What a person takes for at once.
const AT_ONCE: Duration = Duration::from_millis(30);

/// Lines that may wait for a slow terminal; further ones are left out and counted.
const WAITING: usize = 4_096;

impl Printer {
    /// `quiet`: print nothing.
    pub fn start(quiet: bool) -> io::Result<Self> {
        let colour = super::output::colour(&io::stderr());
        if quiet {
            return Ok(Self { lines: None, thread: None, colour });
        }
        let (lines, waiting) = sync_channel::<Option<String>>(WAITING);
        let thread = std::thread::Builder::new().name("printer".into()).spawn(move || print(&waiting))?;
        Ok(Self { lines: Some(lines), thread: Some(thread), colour })
    }

    /// What the store calls after each record.
    #[must_use]
    pub fn on_record(&self) -> OnRecord {
        let (lines, colour) = (self.lines.clone(), self.colour);
        let omitted = Cell::new(0_u64);
        Box::new(move |summary: &Summary, _: &Path| {
            let Some(lines) = &lines else { return };
            let mut text = line(summary, colour);
            if omitted.get() > 0 {
                text.push_str(&format!("  ({} lines not shown)", omitted.get()));
            }
            text.push('\n');
            match lines.try_send(Some(text)) {
                Ok(()) => omitted.set(0),
                Err(_) => omitted.set(omitted.get() + 1),
            }
        })
    }

    /// Waits until all lines are out that came before. The store must be closed before.
    pub fn finish(self) {
        if let Some(lines) = self.lines {
            // Fails when the printer is gone, and then there is nothing to end.
            let _ = lines.send(None);
        }
        if let Some(thread) = self.thread {
            // A panic of the printer has already been reported; it costs lines, not records.
            let _ = thread.join();
        }
    }
}

fn print(waiting: &Receiver<Option<String>>) {
    let mut ended = false;
    while !ended && let Ok(Some(mut text)) = waiting.recv() {
        // Under load one write then shows many lines, and the writer seldom has to wake this thread.
        std::thread::sleep(AT_ONCE);
        for line in waiting.try_iter() {
            match line {
                Some(line) => text.push_str(&line),
                None => ended = true,
            }
        }
        // Nobody reads stderr any more: the records matter, the lines do not.
        let _ = io::stderr().write_all(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::exchange::ExchangeId;
    use crate::rules::Kind;

    fn summary() -> Summary {
        let began = SystemTime::UNIX_EPOCH + Duration::from_secs(1_733_663_157);
        Summary {
            id: ExchangeId::at(began),
            kind: Kind::Completions,
            rule: "completions".into(),
            began,
            user: Some("alice".into()),
            host: "proxy.example.com".into(),
            path: "/v1/engines/x/completions".into(),
            method: "POST".into(),
            status: Some(200),
            editor: Some("vscode/1.95.3".into()),
            language: Some("python".into()),
            model: Some("x".into()),
            duration: Some(Duration::from_micros(382_400)),
            request_size: 548,
            response_size: 2_100,
            complete: true,
            aborted_by: None,
        }
    }

    /// Without the time, which depends on the machine's zone.
    fn rest(summary: &Summary, colour: bool) -> String {
        line(summary, colour)[8..].to_owned()
    }

    #[test]
    fn says_what_a_person_wants_to_know() {
        assert_eq!(
            rest(&summary(), false),
            "  completions  200  alice         vscode/1.95.3     python            382 ms  ↑    548 B  ↓   2.1 kB"
        );
    }

    #[test]
    fn what_is_missing_is_a_dash_and_a_cancelled_one_says_so() {
        let cancelled = Summary {
            status: None,
            user: None,
            editor: None,
            language: None,
            model: None,
            duration: None,
            complete: false,
            aborted_by: Some(AbortedBy::Client),
            ..summary()
        };
        assert_eq!(
            rest(&cancelled, false),
            "  completions    -  -             -                 -                      -  ↑    548 B  ↓   2.1 kB  cancelled"
        );
    }

    #[test]
    fn failures_are_red_where_colours_are_wanted() {
        let failed = Summary { status: Some(502), ..summary() };
        assert!(rest(&failed, true).contains("\x1b[31mcompletions  502\x1b[0m"));
        assert!(!rest(&failed, false).contains('\x1b'));
        assert!(!rest(&summary(), true).contains('\x1b'));
    }

    #[test]
    fn hostile_names_do_not_reach_the_terminal() {
        let hostile = Summary { user: Some("\x1b[2Jbob".into()), editor: Some("a\nb".into()), ..summary() };
        let text = line(&hostile, false);
        assert!(!text.contains('\x1b') && !text.contains('\n'), "{text:?}");
    }

    #[test]
    fn the_end_does_not_wait_for_a_writer_that_hangs_in_the_disk() {
        let printer = Printer::start(false).unwrap();
        let held_by_the_writer = printer.on_record();
        let (done, ended) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            printer.finish();
            done.send(())
        });
        assert!(ended.recv_timeout(Duration::from_secs(10)).is_ok(), "it waits for the writer to drop its handle");
        drop(held_by_the_writer);
    }
}
