//! An answer's body: events of a stream, each with what it gives, cut into the pieces in which it arrives.

use serde_json::Value;

use super::super::rng::Rng;

/// One event of a stream.
#[derive(Clone, Debug, Default)]
struct Event {
    text: String,
    /// Text for that choice.
    gives: Option<(usize, String)>,
    /// It brings text, reasoning or a tool call.
    token: bool,
    tokens: [Option<u64>; 3],
    error: bool,
    /// Arrives together with the next one, because which of the two is the first token is a matter of taste.
    glued: bool,
}

/// A stream in the making.
#[derive(Clone, Debug, Default)]
pub(super) struct Stream {
    events: Vec<Event>,
    model: Option<String>,
    choices: usize,
    /// Lines end with CR LF.
    crlf: bool,
    /// Messages of a WebSocket: bare JSON, a line feed between them.
    bare: bool,
}

/// A body, and what it means as far as it goes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cut {
    pub(super) text: String,
    /// Bytes of each arrival.
    pub(super) pieces: Vec<usize>,
    /// The arrival that completes the first token's event.
    pub(super) first_token: Option<usize>,
    pub(super) texts: Vec<String>,
    /// In, of those cached, out.
    pub(super) tokens: [Option<u64>; 3],
    pub(super) model: Option<String>,
    pub(super) error: bool,
    /// It goes to the format's own end, or to the finish reason of each choice.
    pub(super) whole: bool,
}

impl Stream {
    pub(super) fn new(model: &str, choices: usize) -> Self {
        Self { model: Some(model.to_owned()), choices, ..Self::default() }
    }

    pub(super) fn crlf(mut self) -> Self {
        self.crlf = true;
        self
    }

    pub(super) fn bare(mut self) -> Self {
        self.bare = true;
        self
    }

    /// An event of `data` alone.
    pub(super) fn data(&mut self, value: &Value) -> &mut Self {
        self.event(None, &value.to_string())
    }

    /// An event with its type as name.
    pub(super) fn named(&mut self, value: &Value) -> &mut Self {
        let name = value["type"].as_str().expect("named events have a type").to_owned();
        self.event(Some(&name), &value.to_string())
    }

    /// An event of that data, whatever it is.
    pub(super) fn event(&mut self, name: Option<&str>, data: &str) -> &mut Self {
        let end = if self.crlf { "\r\n" } else { "\n" };
        let text = match name {
            _ if self.bare => data.to_owned(),
            Some(name) => format!("event: {name}{end}data: {data}{end}{end}"),
            None => format!("data: {data}{end}{end}"),
        };
        self.events.push(Event { text, ..Event::default() });
        self
    }

    /// The last event brings that text; an empty one is no token.
    pub(super) fn gives(&mut self, choice: usize, text: &str) -> &mut Self {
        let last = self.last();
        last.gives = Some((choice, text.to_owned()));
        last.token = !text.is_empty();
        self
    }

    /// The last event brings reasoning or a tool call.
    pub(super) fn token(&mut self) -> &mut Self {
        self.last().token = true;
        self
    }

    pub(super) fn glued(&mut self) -> &mut Self {
        self.last().glued = true;
        self
    }

    /// The last event tells tokens: in, of those cached, out.
    pub(super) fn tells(&mut self, tokens: [Option<u64>; 3]) -> &mut Self {
        self.last().tokens = tokens;
        self
    }

    pub(super) fn fails(&mut self) -> &mut Self {
        self.last().error = true;
        self
    }

    fn last(&mut self) -> &mut Event {
        self.events.last_mut().expect("an event was pushed before")
    }

    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// The whole stream.
    pub(super) fn whole(self, rng: &mut Rng) -> Cut {
        self.cut(rng, usize::MAX)
    }

    /// The first `keep` events, and half of the next one if there is one.
    pub(super) fn cut(self, rng: &mut Rng, keep: usize) -> Cut {
        let mut cut = Cut { texts: vec![String::new(); self.choices], ..Cut::default() };
        let (mut piece, mut first) = (0, None);
        for (at, event) in self.events.iter().enumerate().take(keep) {
            // A boundary within an event, and perhaps within a character, never within what ends the event.
            if !self.bare && !event.glued && event.text.len() > 40 && rng.one_in(8) {
                let half = event.text.len() / 2;
                cut.pieces.push(piece + half);
                piece = event.text.len() - half;
            } else {
                piece += event.text.len();
            }
            cut.text.push_str(&event.text);
            if event.token && first.is_none() {
                first = Some(cut.pieces.len());
            }
            if let Some((choice, text)) = &event.gives {
                cut.texts[*choice].push_str(text);
            }
            for (known, told) in cut.tokens.iter_mut().zip(event.tokens) {
                *known = told.or(*known);
            }
            cut.error |= event.error;
            let names = |model: &&String| event.text.contains(&format!("\"{model}\""));
            cut.model = cut.model.or_else(|| self.model.as_ref().filter(names).cloned());
            let last = at + 1 == self.events.len();
            if self.bare || last || (!event.glued && !rng.one_in(3)) {
                cut.pieces.push(std::mem::take(&mut piece));
                cut.text.push_str(if self.bare && !last && at + 1 < keep { "\n" } else { "" });
            }
        }
        if let Some(next) = self.events.get(keep).filter(|_| !self.bare) {
            let half = (next.text.len() / 2..).find(|&at| next.text.is_char_boundary(at)).expect("the end is one");
            cut.text.push_str(&next.text[..half]);
            piece += half;
        }
        if piece > 0 {
            cut.pieces.push(piece);
        }
        cut.first_token = first;
        let kept = || self.events.iter().take(keep).map(|event| &event.text);
        let closing = ["[DONE]", "\"type\":\"response.completed\"", "\"type\":\"message_stop\""];
        let closed = kept().any(|text| closing.iter().any(|closing| text.contains(closing)));
        let finished = kept().filter(|text| text.contains("\"finish_reason\":\"")).count();
        cut.whole = !cut.error && (closed || finished >= self.choices);
        cut
    }
}

impl Cut {
    /// A body that is no stream.
    pub(super) fn document(text: String) -> Self {
        let pieces = if text.is_empty() { Vec::new() } else { vec![text.len()] };
        Self { pieces, text, whole: true, ..Self::default() }
    }
}
