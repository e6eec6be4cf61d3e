//! Server-sent events: the lines of a stream, to events.
//!
//! As the HTML standard reads them (section 9.2.6): lines end with LF, CRLF or CR; a line that begins with a colon is a
//! comment; several `data` lines are joined by line feeds; a field without colon has an empty value; an empty line ends
//! the event. Unlike there, an event that the text ends in is given as well, and says so.

use std::borrow::Cow;

/// One event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SseEvent<'a> {
    /// Its `data` lines.
    pub(super) data: Cow<'a, str>,
    /// The value of `event`.
    pub(super) name: Option<&'a str>,
    /// Offset in the text just behind the empty line that ends it.
    pub(super) end: usize,
    /// The text ends before the event does.
    pub(super) cut: bool,
}

/// The events of a text, those without data left out.
#[derive(Debug)]
pub(super) struct Events<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Events<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The next line without its end, and whether it has one.
    fn line(&mut self) -> Option<(&'a str, bool)> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let Some(end) = memchr::memchr2(b'\n', b'\r', rest.as_bytes()) else {
            self.at = self.text.len();
            return Some((rest, false));
        };
        let (line, ending) = rest.split_at(end);
        self.at += end + if ending.starts_with("\r\n") { 2 } else { 1 };
        Some((line, true))
    }
}

impl<'a> Iterator for Events<'a> {
    type Item = SseEvent<'a>;

    fn next(&mut self) -> Option<SseEvent<'a>> {
        let mut data: Option<Cow<'a, str>> = None;
        let mut name = None;
        let mut cut = true;
        while let Some((line, ended)) = self.line() {
            if line.is_empty() && ended {
                if data.is_some() {
                    cut = false;
                    break;
                }
                name = None;
                continue;
            }
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "data" => {
                    data = Some(match data {
                        None => Cow::Borrowed(value),
                        Some(before) => {
                            let mut joined = before.into_owned();
                            joined.push('\n');
                            joined.push_str(value);
                            Cow::Owned(joined)
                        }
                    });
                }
                "event" => name = Some(value),
                _ => {}
            }
        }
        Some(SseEvent { data: data?, name, end: self.at, cut })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, Option<&str>, usize, bool)> {
        Events::of(text).map(|event| (event.data.into_owned(), event.name, event.end, event.cut)).collect()
    }

    #[test]
    fn lines_end_in_three_ways() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["event: a", "data: 1", "", "", "data: 2", "data:3", "", ""].join(end);
            let first = "event: a".len() + "data: 1".len() + 3 * end.len();
            let expected = [("1".into(), Some("a"), first, false), ("2\n3".into(), None, text.len(), false)];
            assert_eq!(read(&text), expected, "{end:?}");
        }
    }

    #[test]
    fn comments_other_fields_and_events_without_data_say_nothing() {
        let text = ": keep-alive\n\nevent: lost\n\nid: 7\nretry: 1\ndata\n:data: no\ndata:  x\n\n";
        assert_eq!(read(text), [("\n x".to_owned(), None, text.len(), false)]);
        assert_eq!(read(""), []);
        assert_eq!(read("\n\r\r\n"), []);
        assert_eq!(read("no field at all"), []);
    }

    #[test]
    fn an_event_that_the_text_ends_in_says_so() {
        assert_eq!(read("data: 1\n"), [("1".to_owned(), None, 8, true)]);
        assert_eq!(read("data: 1"), [("1".to_owned(), None, 7, true)]);
        assert_eq!(read("data: 1\n\ndat"), [("1".to_owned(), None, 9, false)]);
        assert_eq!(read("data: 1\r\n\r"), [("1".to_owned(), None, 10, false)]);
    }
}
