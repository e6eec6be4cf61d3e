//! Rows, to the columns of the tables and back. The order of a list of columns, of what is bound and of what is read is
//! one and the same.

use rusqlite::types::{ToSql, ToSqlOutput, Type, Value, ValueRef};
use rusqlite::{Error, Result, Row as Columns};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use super::{EventRow, Initiator, Row};
use crate::archive::{AbortedBy, Form};
use crate::copilot::noise::Noise;
use crate::rules::Kind;

/// Columns of `exchanges` in the order of [`Row`].
pub(super) const ROW: &str = "id, file, form, began, kind, rule, user, tid, client, machine, session, editor, \
    editor_version, plugin, host, path, method, status, complete, aborted_by, problem, error, initiator, intent, \
    interaction, request_id, response_id, previous_response_id, speculative, model, model_answered, language, \
    request_size, response_size, connect_ms, tls_ms, first_byte_ms, first_token_ms, total_ms, server_ms, tokens_in, \
    tokens_cached, tokens_out, tokens_reasoning, finish_reason, choices, tool_calls, answer_chars, noise";

/// Columns of `events` in the order of [`EventRow`].
pub(super) const EVENT: &str = "record, ordinal, unique_id, time, name, enhanced, user, tid, request_id, choice, \
    completion, opportunity, language, editor, model, reason, chars, lines, timeout, still, produce_ms, total_ms, \
    shown, acceptance";

/// So many `?`.
pub(super) fn marks(columns: &str) -> String {
    vec!["?"; columns.split(',').count()].join(", ")
}

/// The value of an enumeration, by its word.
pub(super) fn word<T: Copy + PartialEq>(words: &[(T, &'static str)], value: T) -> Option<&'static str> {
    words.iter().find(|(known, _)| *known == value).map(|(_, word)| *word)
}

pub(super) const FORMS: &[(Form, &str)] = &[(Form::Recorder, "recorder"), (Form::Older, "older")];
pub(super) const ENDERS: &[(AbortedBy, &str)] =
    &[(AbortedBy::Client, "client"), (AbortedBy::Upstream, "upstream"), (AbortedBy::Shutdown, "shutdown")];
pub(super) const INITIATORS: &[(Initiator, &str)] = &[(Initiator::User, "user"), (Initiator::Agent, "agent")];
pub(super) const NOISES: &[(Noise, &str)] =
    &[(Noise::NoText, "no-text"), (Noise::Stop, "stop"), (Noise::NotUser, "not-user"), (Noise::Tools, "tools")];

/// SQLite's integers end at 2⁶³ − 1, which no honest size or count reaches.
fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn whole_of(number: Option<u64>) -> Option<i64> {
    number.map(whole)
}

/// An id as its sixteen bytes: it sorts as its text does and takes less than half.
pub(super) struct Id(pub(super) Uuid);

impl ToSql for Id {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.0.as_bytes())))
    }
}

/// The id in its text form; the nil id where it is none, which a row made of a record never has.
pub(super) fn id(text: &str) -> Id {
    Id(Uuid::parse_str(text).unwrap_or_default())
}

/// An id that somebody else made: most are UUIDs in one spelling, which are kept as sixteen bytes, and compared as such.
pub(super) struct Code<'c>(pub(super) &'c str);

impl ToSql for Code<'_> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(match plain_uuid(self.0) {
            Some(uuid) => ToSqlOutput::Owned(Value::Blob(uuid.as_bytes().to_vec())),
            None => ToSqlOutput::Borrowed(ValueRef::Text(self.0.as_bytes())),
        })
    }
}

/// The same, owned.
pub(super) fn code_value(text: &str) -> Value {
    match plain_uuid(text) {
        Some(uuid) => Value::Blob(uuid.as_bytes().to_vec()),
        None => Value::Text(text.to_owned()),
    }
}

/// The UUID that a text is, if it is spelled as clients do: then its bytes say it all.
pub(super) fn plain_uuid(text: &str) -> Option<Uuid> {
    let plain = text.len() == Hyphenated::LENGTH && !text.bytes().any(|byte| byte.is_ascii_uppercase());
    if plain { Uuid::try_parse(text).ok() } else { None }
}

fn code(text: Option<&str>) -> Option<Code<'_>> {
    text.map(Code)
}

/// Calls `with` with the values of [`ROW`].
pub(super) fn bind_row<T>(row: &Row, with: impl FnOnce(&[&dyn ToSql]) -> T) -> T {
    with(rusqlite::params![
        id(&row.id),
        row.file,
        word(FORMS, row.form),
        row.began,
        row.kind.as_str(),
        row.rule,
        row.user,
        row.tid,
        row.client,
        row.machine,
        row.session,
        row.editor,
        row.editor_version,
        row.plugin,
        row.host,
        row.path,
        row.method,
        row.status,
        row.complete,
        row.aborted_by.and_then(|by| word(ENDERS, by)),
        row.problem,
        row.error,
        row.initiator.and_then(|by| word(INITIATORS, by)),
        row.intent,
        code(row.interaction.as_deref()),
        code(row.request_id.as_deref()),
        row.response_id,
        row.previous_response_id,
        row.speculative,
        row.model,
        row.model_answered,
        row.language,
        whole(row.request_size),
        whole(row.response_size),
        row.connect_ms,
        row.tls_ms,
        row.first_byte_ms,
        row.first_token_ms,
        row.total_ms,
        row.server_ms,
        whole_of(row.tokens_in),
        whole_of(row.tokens_cached),
        whole_of(row.tokens_out),
        whole_of(row.tokens_reasoning),
        row.finish_reason,
        whole_of(row.choices),
        whole_of(row.tool_calls),
        whole_of(row.answer_chars),
        row.noise.and_then(|noise| word(NOISES, noise)),
    ])
}

/// Calls `with` with the values of [`EVENT`].
pub(super) fn bind_event<T>(event: &EventRow, with: impl FnOnce(&[&dyn ToSql]) -> T) -> T {
    with(rusqlite::params![
        id(&event.record),
        whole(event.ordinal),
        code(event.unique_id.as_deref()),
        event.time,
        event.name,
        event.enhanced,
        event.user,
        event.tid,
        code(event.request_id.as_deref()),
        event.choice,
        code(event.completion.as_deref()),
        code(event.opportunity.as_deref()),
        event.language,
        event.editor,
        event.model,
        event.reason,
        whole_of(event.chars),
        whole_of(event.lines),
        whole_of(event.timeout),
        event.still,
        event.produce_ms,
        event.total_ms,
        event.shown,
        event.acceptance,
    ])
}

/// Reads columns one after the other, borrowed from SQLite's row.
pub(super) struct Reader<'r> {
    row: &'r Columns<'r>,
    next: usize,
}

impl<'r> Reader<'r> {
    pub(super) fn new(row: &'r Columns<'r>) -> Self {
        Self { row, next: 0 }
    }

    fn value(&mut self) -> Result<ValueRef<'r>> {
        self.next += 1;
        self.row.get_ref(self.next - 1)
    }

    /// Goes on behind so many columns.
    pub(super) fn skip(&mut self, columns: usize) -> &mut Self {
        self.next += columns;
        self
    }

    /// What is in a column is not what we write there: somebody else wrote it.
    fn foreign(&self, value: ValueRef<'_>) -> Error {
        Error::InvalidColumnType(self.next - 1, String::new(), value.data_type())
    }

    pub(super) fn text(&mut self) -> Result<Option<&'r str>> {
        match self.value()? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Some(text)),
                Err(_) => Err(Error::InvalidColumnType(self.next - 1, String::new(), Type::Blob)),
            },
            other => Err(self.foreign(other)),
        }
    }

    fn owned(&mut self) -> Result<Option<String>> {
        Ok(self.text()?.map(str::to_owned))
    }

    pub(super) fn name(&mut self) -> Result<&'r str> {
        self.text().map(Option::unwrap_or_default)
    }

    pub(super) fn integer(&mut self) -> Result<Option<i64>> {
        match self.value()? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(number) => Ok(Some(number)),
            other => Err(self.foreign(other)),
        }
    }

    pub(super) fn count(&mut self) -> Result<Option<u64>> {
        Ok(self.integer()?.map(|number| u64::try_from(number).unwrap_or_default()))
    }

    pub(super) fn status(&mut self) -> Result<Option<u16>> {
        Ok(self.integer()?.and_then(|number| u16::try_from(number).ok()))
    }

    pub(super) fn truth(&mut self) -> Result<Option<bool>> {
        Ok(self.integer()?.map(|number| number != 0))
    }

    pub(super) fn real(&mut self) -> Result<Option<f64>> {
        match self.value()? {
            ValueRef::Null => Ok(None),
            ValueRef::Real(number) => Ok(Some(number)),
            other => Err(self.foreign(other)),
        }
    }

    pub(super) fn id(&mut self) -> Result<String> {
        let value = self.value()?;
        let ValueRef::Blob(bytes) = value else { return Err(self.foreign(value)) };
        Uuid::from_slice(bytes).map(|id| id.to_string()).map_err(|_| self.foreign(value))
    }

    /// As [`Code`] keeps it.
    pub(super) fn code(&mut self) -> Result<Option<String>> {
        match self.value()? {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(bytes) => {
                let uuid = Uuid::from_slice(bytes).map_err(|_| self.foreign(ValueRef::Blob(bytes)))?;
                Ok(Some(uuid.to_string()))
            }
            ValueRef::Text(_) => {
                self.next -= 1;
                self.owned()
            }
            other => Err(self.foreign(other)),
        }
    }

    pub(super) fn kind(&mut self) -> Result<Kind> {
        let text = self.name()?;
        text.parse().map_err(|_| self.foreign(ValueRef::Text(text.as_bytes())))
    }

    pub(super) fn word<T: Copy>(&mut self, words: &[(T, &'static str)]) -> Result<Option<T>> {
        let Some(text) = self.text()? else { return Ok(None) };
        match words.iter().find(|(_, word)| *word == text) {
            Some((value, _)) => Ok(Some(*value)),
            None => Err(self.foreign(ValueRef::Text(text.as_bytes()))),
        }
    }
}

/// Reads the columns of [`ROW`].
pub(super) fn row(columns: &Columns<'_>) -> Result<Row> {
    let mut next = Reader::new(columns);
    Ok(Row {
        id: next.id()?,
        file: next.name()?.to_owned(),
        form: next.word(FORMS)?.unwrap_or(Form::Recorder),
        began: next.integer()?.unwrap_or_default(),
        kind: next.kind()?,
        rule: next.name()?.to_owned(),
        user: next.owned()?,
        tid: next.owned()?,
        client: next.owned()?,
        machine: next.owned()?,
        session: next.owned()?,
        editor: next.owned()?,
        editor_version: next.owned()?,
        plugin: next.owned()?,
        host: next.name()?.to_owned(),
        path: next.name()?.to_owned(),
        method: next.name()?.to_owned(),
        status: next.status()?,
        complete: next.truth()?,
        aborted_by: next.word(ENDERS)?,
        problem: next.owned()?,
        error: next.owned()?,
        initiator: next.word(INITIATORS)?,
        intent: next.owned()?,
        interaction: next.code()?,
        request_id: next.code()?,
        response_id: next.owned()?,
        previous_response_id: next.owned()?,
        speculative: next.truth()?.unwrap_or_default(),
        model: next.owned()?,
        model_answered: next.owned()?,
        language: next.owned()?,
        request_size: next.count()?.unwrap_or_default(),
        response_size: next.count()?.unwrap_or_default(),
        connect_ms: next.real()?,
        tls_ms: next.real()?,
        first_byte_ms: next.real()?,
        first_token_ms: next.real()?,
        total_ms: next.real()?,
        server_ms: next.real()?,
        tokens_in: next.count()?,
        tokens_cached: next.count()?,
        tokens_out: next.count()?,
        tokens_reasoning: next.count()?,
        finish_reason: next.owned()?,
        choices: next.count()?,
        tool_calls: next.count()?,
        answer_chars: next.count()?,
        noise: next.word(NOISES)?,
    })
}

/// Reads the columns of [`EVENT`].
pub(super) fn event(columns: &Columns<'_>) -> Result<EventRow> {
    let mut next = Reader::new(columns);
    Ok(EventRow {
        record: next.id()?,
        ordinal: next.count()?.unwrap_or_default(),
        unique_id: next.code()?,
        time: next.integer()?.unwrap_or_default(),
        name: next.name()?.to_owned(),
        enhanced: next.truth()?.unwrap_or_default(),
        user: next.owned()?,
        tid: next.owned()?,
        request_id: next.code()?,
        choice: next.integer()?,
        completion: next.code()?,
        opportunity: next.code()?,
        language: next.owned()?,
        editor: next.owned()?,
        model: next.owned()?,
        reason: next.owned()?,
        chars: next.count()?,
        lines: next.count()?,
        timeout: next.count()?,
        still: next.truth()?,
        produce_ms: next.real()?,
        total_ms: next.real()?,
        shown: next.truth()?,
        acceptance: next.owned()?,
    })
}
