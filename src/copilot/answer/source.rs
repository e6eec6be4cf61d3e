//! The text of a body, to events.

use super::Answer;
use super::assembly::{Assembly, Source};
use super::common::Ceilings;
use super::sse::Events;
use super::wire::Event;
use crate::copilot::json::mend::{End, Scan, pair_surrogates};
use crate::copilot::json::{Text, elements};

/// The last event of completions and chats.
const DONE: &str = "[DONE]";

/// Reads the text of a body, in whichever form it is.
pub(super) fn read(text: &str, ceilings: Ceilings) -> Option<Answer> {
    let text = &*pair_surrogates(text);
    // What stands before the first character is no content: a byte order mark, spaces, empty lines.
    let body = text.trim_start_matches('\u{feff}').trim_start();
    let before = text.len() - body.len();
    let source = match body.as_bytes().first()? {
        b'{' => Source::Values,
        b'[' => Source::List,
        _ => Source::Sse,
    };
    let mut reader = Reader { assembly: Assembly::new(source, ceilings) };
    match source {
        Source::Values => reader.values(body, &Part { name: None, cut: true, ends: Ends::From(before), mends: true }),
        Source::List => reader.list(body, before),
        Source::Sse => {
            for event in Events::of(body) {
                let ends = Ends::At(before + event.end);
                reader.values(&event.data, &Part { name: event.name, cut: event.cut, ends, mends: false });
            }
        }
    }
    reader.assembly.finish()
}

struct Reader {
    assembly: Assembly,
}

/// A stretch of text that holds JSON values.
struct Part<'n> {
    /// What the stream calls the event.
    name: Option<&'n str>,
    /// What is missing at its end is behind the cut, and no fault.
    cut: bool,
    ends: Ends,
    /// The first value, if it was cut, is worth mending: it may be the whole answer.
    mends: bool,
}

/// Where an event ends in the text.
#[derive(Clone, Copy)]
enum Ends {
    /// Here, whatever it holds.
    At(usize),
    /// Where its value ends, counted from here.
    From(usize),
}

impl Reader {
    /// Values one after the other, with spaces between them or none. An event of a stream holds one; servers that forget
    /// the empty line put several in one.
    fn values(&mut self, text: &str, part: &Part<'_>) {
        let text = text.trim_end();
        let mut at = 0;
        while let Some(rest) = text.get(at..) {
            let rest = rest.trim_start();
            at = text.len() - rest.len();
            if rest.is_empty() {
                return;
            }
            if rest == DONE {
                self.assembly.done();
                return;
            }
            if part.cut && DONE.starts_with(rest) {
                return;
            }
            let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Event<'_>>();
            match stream.next() {
                Some(Ok(event)) => {
                    at += stream.byte_offset();
                    self.assembly.apply(&event, part.name, part.end(at));
                }
                _ => match self.odd(rest, part, at) {
                    Some(length) => at += length,
                    None => return,
                },
            }
        }
    }

    /// Text that is no value at once. Gives how much of it is done with; none when all is.
    fn odd(&mut self, text: &str, part: &Part<'_>, at: usize) -> Option<usize> {
        let scan = Scan::of(text);
        let alone = part.mends && self.assembly.is_empty();
        if alone && scan.end != End::Whole {
            let mended = scan.mend();
            if let Ok(event) = serde_json::from_str::<Event<'_>>(&mended.text) {
                self.assembly.common.mended = Some(mended.origin());
                self.assembly.apply(&event, part.name, part.end(at + scan.stopped));
            }
        }
        match scan.end {
            // JSON, but with a number that is none.
            End::Whole => {
                self.assembly.unreadable();
                Some(scan.stopped)
            }
            End::Cut => {
                if !part.cut {
                    self.assembly.unreadable();
                }
                None
            }
            End::Broken => {
                self.assembly.unreadable();
                // Go on at the next line that begins like an event. Not before the place where reading stopped: a
                // text must not be read again and again.
                let from = scan.stopped.saturating_sub(1);
                let next = memchr::memmem::find(text.as_bytes().get(from..)?, b"\n{")?;
                Some(from + next + 1)
            }
        }
    }

    /// A list of events, as the older tool wrote streams: objects, and as strings what it could not read.
    fn list(&mut self, text: &str, before: usize) {
        let base = text.as_ptr().addr();
        let read = elements(text, &mut |element| {
            let end = before + (element.as_ptr().addr() - base) + element.len();
            let part = Part { name: None, cut: false, ends: Ends::At(end), mends: false };
            if !element.starts_with('"') {
                self.values(element, &part);
                return;
            }
            let string: Text<'_> = serde_json::from_str(element).unwrap_or_default();
            let string = string.or_empty().trim();
            self.values(string.strip_prefix("data:").unwrap_or(string), &part);
        });
        if read.is_err_and(|error| !error.is_eof()) {
            self.assembly.unreadable();
        }
    }
}

impl Part<'_> {
    fn end(&self, at: usize) -> usize {
        match self.ends {
            Ends::At(end) => end,
            Ends::From(before) => before + at,
        }
    }
}
