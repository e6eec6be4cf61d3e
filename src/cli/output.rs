//! What reaches a terminal: colours only where they are wanted, and never a control sequence of somebody else's.

use std::io::IsTerminal;

use chrono::{DateTime, FixedOffset, Local, TimeZone, Utc};

pub use crate::review::text::{json_line, printable, printable_lines, shortened, width};

/// How results are to look where they go.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// A person looks at a terminal: tables that fit it. Otherwise plain values, nothing shortened.
    pub width: Option<usize>,
    /// With colours.
    pub colour: bool,
    /// The zone of times for people; none is the machine's.
    pub zone: Option<FixedOffset>,
}

impl Look {
    /// As standard output is.
    #[must_use]
    pub fn of_stdout() -> Self {
        let stdout = std::io::stdout();
        // A terminal that does not tell its width is taken for one of the usual 80 columns.
        let width = || terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0));
        Self { width: stdout.is_terminal().then(width), colour: colour(&stdout), zone: None }
    }

    /// A time of a record as a clock on the wall shows it.
    #[must_use]
    pub fn time(&self, micros: i64) -> DateTime<FixedOffset> {
        let time = DateTime::<Utc>::from_timestamp_micros(micros).unwrap_or_default();
        match self.zone {
            Some(zone) => zone.from_utc_datetime(&time.naive_utc()),
            None => time.with_timezone(&Local).fixed_offset(),
        }
    }

    /// The text between a colour (`31`) and its end, if colours are wanted.
    #[must_use]
    pub fn tinted(&self, tint: &str, text: &str) -> String {
        if self.colour && !tint.is_empty() && !text.is_empty() {
            format!("\x1b[{tint}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Whether to colour what is written there: a terminal that can, and nobody said `NO_COLOR` (<https://no-color.org>).
#[must_use]
pub fn colour(stream: &impl IsTerminal) -> bool {
    let set = |name| std::env::var_os(name).filter(|text| !text.is_empty());
    stream.is_terminal() && set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb")
}
