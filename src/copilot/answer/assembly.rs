//! Tells the format by the first event that shows it, and puts the answer together.

use super::choices::Choices;
use super::common::{Ceilings, Common};
use super::messages::Messages;
use super::responses::Responses;
use super::wire::Event;
use super::{Answer, Ending, Format, failure};

/// How the events came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Server-sent events.
    Sse,
    /// A JSON list.
    List,
    /// JSON values one after the other; mostly one.
    Values,
}

/// An answer so far.
#[derive(Debug)]
pub(super) struct Assembly {
    source: Source,
    form: Form,
    /// The format of an error that came before anything else.
    guess: Option<Format>,
    pub(super) common: Common,
    /// Values that were read as events.
    events: u64,
    done: bool,
    first_token_end: Option<usize>,
}

#[derive(Debug)]
enum Form {
    Unknown,
    /// Completions or chat.
    Choices(Choices),
    Responses(Responses),
    Messages(Messages),
}

impl Form {
    /// The form that an event belongs to, if it shows it.
    fn of(kind: &str, event: &Event<'_>) -> Self {
        match kind {
            "message_start"
            | "message_delta"
            | "message_stop"
            | "content_block_start"
            | "content_block_delta"
            | "content_block_stop" => return Self::Messages(Messages::default()),
            "message" if event.content.is_list() => return Self::Messages(Messages::default()),
            _ if kind.starts_with("response.") => return Self::Responses(Responses::default()),
            _ => {}
        }
        let own = [event.copilot_errors, event.copilot_references, event.copilot_confirmation];
        if event.choices.is_list || event.prompt_filter_results.is_some() || own.iter().any(|field| field.is_some()) {
            return Self::Choices(Choices::default());
        }
        let (object, id) = (event.object.or_empty(), event.id.or_empty());
        if event.output.is_list() && (object == "response" || id.starts_with("resp_")) {
            return Self::Responses(Responses::default());
        }
        Self::Unknown
    }

    fn is(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl Assembly {
    pub(super) fn new(source: Source, ceilings: Ceilings) -> Self {
        Self {
            source,
            form: Form::Unknown,
            guess: None,
            common: Common::new(ceilings),
            events: 0,
            done: false,
            first_token_end: None,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// `[DONE]` came.
    pub(super) fn done(&mut self) {
        self.done = true;
    }

    /// Something came that is no event.
    pub(super) fn unreadable(&mut self) {
        self.common.faults.unreadable += 1;
    }

    /// Takes an event in. `name`: what the stream calls it, where it does not say itself. `end`: see
    /// [`Answer::first_token_end`].
    pub(super) fn apply(&mut self, event: &Event<'_>, name: Option<&str>, end: usize) {
        self.events += 1;
        let known = |name: &&str| {
            let starts = |prefix| name.starts_with(prefix);
            *name == "error" || starts("response.") || starts("message_") || starts("content_block_")
        };
        let kind = event.kind.filled().or_else(|| name.filter(known)).unwrap_or_default();
        if !event.is_object || event.jsonrpc.is_some() || !self.take(kind, event) {
            self.unreadable();
        }
        if self.common.heard && self.first_token_end.is_none() {
            self.first_token_end = Some(end);
        }
    }

    /// False when the event is none of this answer's format.
    fn take(&mut self, kind: &str, event: &Event<'_>) -> bool {
        if kind == "error" {
            let format = if failure::is_messages(event.error) { Format::Messages } else { Format::Responses };
            self.guess.get_or_insert(format);
            self.common.failed(failure::flat(event), true);
            return true;
        }
        let form = Form::of(kind, event);
        match (&self.form, &form) {
            (Form::Unknown, _) => self.form = form,
            (_, Form::Unknown) => {}
            (mine, theirs) if mine.is(theirs) => {}
            _ => return false,
        }
        if let Some(failure) = failure::first(event.copilot_errors) {
            self.common.failed(failure, false);
        }
        // An object of Responses has the error in its own place.
        let error = if event.output.is_list() { None } else { failure::of(event.error) };
        let failed = error.is_some();
        if let Some(failure) = error {
            self.common.failed(failure, true);
        }
        let common = &mut self.common;
        let taken = match &mut self.form {
            Form::Unknown => kind == "ping",
            Form::Choices(choices) => choices.apply(event, common),
            Form::Responses(responses) => responses.apply(kind, event, common),
            Form::Messages(messages) => messages.apply(kind, event, common),
        };
        if failed && matches!(self.form, Form::Unknown) {
            self.guess.get_or_insert(Format::Chat);
        }
        taken || failed
    }

    /// The answer, if it was one.
    pub(super) fn finish(mut self) -> Option<Answer> {
        let mut common = self.common;
        if self.done && matches!(self.form, Form::Unknown) && self.guess.is_none() {
            self.form = Form::Choices(Choices::default());
        }
        let alone = self.source == Source::Values && self.events <= 1;
        let (format, ended, whole, choices);
        match self.form {
            Form::Unknown => {
                (format, ended, whole) = (self.guess?, false, self.source != Source::Sse);
                choices = Vec::new();
            }
            Form::Choices(open) => {
                format = open.format();
                whole = open.whole() || (alone && !open.pieces);
                ended = self.done || open.ended(whole);
                choices = open.finish(&mut common);
            }
            Form::Responses(open) => {
                (format, ended, whole) = (Format::Responses, open.ended, open.whole);
                choices = open.finish().into_iter().collect();
            }
            Form::Messages(open) => {
                (format, ended, whole) = (Format::Messages, open.ended, open.whole);
                choices = open.finish().into_iter().collect();
            }
        }
        // What was mended is a cut value, whatever it says of itself.
        let ended = ended && common.mended.is_none();
        let ending = match common.error {
            Some(_) if common.fatal || !ended => Ending::Failed,
            _ if ended => Ending::Complete,
            _ => Ending::Cut,
        };
        let streamed = self.source == Source::Sse || !whole;
        Some(Answer {
            format,
            streamed,
            usage: common.tokens.normalised(format),
            id: common.id,
            model: common.model,
            choices,
            ending,
            error: common.error,
            faults: common.faults,
            first_token_end: self.first_token_end.filter(|_| streamed),
        })
    }
}
