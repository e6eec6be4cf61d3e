//! What figures need of a record, packed: one short value for its exchange, one for all its events.
//!
//! Figures look at every record. Read from the tables' columns, a million of them would take seconds; these are a tenth
//! of the bytes, and one column.

use rusqlite::{Connection, Result};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use super::columns::{ENDERS, INITIATORS, NOISES, plain_uuid};
use super::names::{Numbers, Texts};
use super::{EventFact, EventRow, RequestFact, Row};
use crate::rules::Kind;

/// What figures need of an exchange.
pub(super) fn request(row: &Row) -> RequestFact<'_> {
    RequestFact {
        began: row.began,
        kind: row.kind,
        user: row.user.as_deref(),
        tid: row.tid.as_deref(),
        editor: row.editor.as_deref(),
        model: row.model.as_deref().or(row.model_answered.as_deref()),
        language: row.language.as_deref(),
        status: row.status,
        complete: row.complete,
        aborted_by: row.aborted_by,
        error: row.error.is_some(),
        initiator: row.initiator,
        speculative: row.speculative,
        request_id: row.request_id.as_deref(),
        first_byte_ms: row.first_byte_ms,
        first_token_ms: row.first_token_ms,
        total_ms: row.total_ms,
        server_ms: row.server_ms,
        tokens_in: row.tokens_in,
        tokens_cached: row.tokens_cached,
        tokens_out: row.tokens_out,
        noise: row.noise,
    }
}

/// What figures need of an event.
pub(super) fn event(row: &EventRow) -> EventFact<'_> {
    EventFact {
        time: row.time,
        name: &row.name,
        user: row.user.as_deref(),
        tid: row.tid.as_deref(),
        request_id: row.request_id.as_deref(),
        choice: row.choice,
        completion: row.completion.as_deref(),
        opportunity: row.opportunity.as_deref(),
        language: row.language.as_deref(),
        editor: row.editor.as_deref(),
        model: row.model.as_deref(),
        chars: row.chars,
        lines: row.lines,
        timeout: row.timeout,
        still: row.still,
        total_ms: row.total_ms,
        shown: row.shown,
        acceptance: row.acceptance.as_deref(),
    }
}

/// Packs facts one after the other.
pub(super) struct Packer<'p> {
    connection: &'p Connection,
    numbers: &'p mut Numbers,
    packed: Vec<u8>,
}

impl<'p> Packer<'p> {
    pub(super) fn new(connection: &'p Connection, numbers: &'p mut Numbers) -> Self {
        Self { connection, numbers, packed: Vec::new() }
    }

    pub(super) fn request(mut self, fact: &RequestFact<'_>) -> Result<Vec<u8>> {
        self.signed(fact.began);
        self.number(place(&Kind::ALL, |kind| *kind == fact.kind));
        for text in [fact.user, fact.tid, fact.editor, fact.model, fact.language] {
            self.name(text)?;
        }
        self.optional(fact.status.map(u64::from));
        self.truth(fact.complete);
        self.number(place(ENDERS, |(by, _)| Some(*by) == fact.aborted_by));
        self.number(place(INITIATORS, |(by, _)| Some(*by) == fact.initiator));
        self.number(place(NOISES, |(noise, _)| Some(*noise) == fact.noise));
        self.number(u64::from(fact.error) | u64::from(fact.speculative) << 1);
        self.code(fact.request_id);
        self.reals([fact.first_byte_ms, fact.first_token_ms, fact.total_ms, fact.server_ms]);
        for count in [fact.tokens_in, fact.tokens_cached, fact.tokens_out] {
            self.optional(count);
        }
        Ok(self.packed)
    }

    pub(super) fn event(&mut self, fact: &EventFact<'_>) -> Result<()> {
        self.signed(fact.time);
        for text in [Some(fact.name), fact.user, fact.tid, fact.language, fact.editor, fact.model, fact.acceptance] {
            self.name(text)?;
        }
        for code in [fact.request_id, fact.completion, fact.opportunity] {
            self.code(code);
        }
        self.truth(fact.choice.map(|_| true));
        self.signed(fact.choice.unwrap_or_default());
        for count in [fact.chars, fact.lines, fact.timeout] {
            self.optional(count);
        }
        self.truth(fact.still);
        self.truth(fact.shown);
        self.reals([fact.total_ms]);
        Ok(())
    }

    /// All events that were packed.
    pub(super) fn finish(self) -> Vec<u8> {
        self.packed
    }

    /// Seven bits a byte, the lowest first; the highest bit says that there is more.
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.packed.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.packed.push(number.to_le_bytes()[0]);
    }

    /// The sign last, so that small negative numbers are short too.
    fn signed(&mut self, number: i64) {
        self.number((number.cast_unsigned() << 1) ^ (number >> 63).cast_unsigned());
    }

    /// Counts end where SQLite's integers do, as in the tables.
    fn optional(&mut self, number: Option<u64>) {
        self.number(number.map_or(0, |number| number.min(i64::MAX.cast_unsigned()) + 1));
    }

    fn truth(&mut self, truth: Option<bool>) {
        self.optional(truth.map(u64::from));
    }

    fn name(&mut self, text: Option<&str>) -> Result<()> {
        let number = text.map_or(Ok(0), |text| self.numbers.number(self.connection, text))?;
        self.number(number);
        Ok(())
    }

    /// An id: nothing, a UUID by its bytes, or another text.
    fn code(&mut self, text: Option<&str>) {
        let Some(text) = text else { return self.number(0) };
        match plain_uuid(text) {
            Some(uuid) => {
                self.number(1);
                self.packed.extend(uuid.as_bytes());
            }
            None => {
                self.number(text.len() as u64 + 2);
                self.packed.extend(text.as_bytes());
            }
        }
    }

    /// Which of them are there, and those. What is no number, SQLite does not keep either.
    fn reals<const N: usize>(&mut self, reals: [Option<f64>; N]) {
        let reals = reals.map(|real| real.filter(|real| !real.is_nan()));
        self.number(reals.iter().rev().fold(0, |mask, real| mask << 1 | u64::from(real.is_some())));
        for real in reals.into_iter().flatten() {
            self.packed.extend(real.to_le_bytes());
        }
    }
}

/// Its place in a list, from 1; 0 where it is not in it.
fn place<T>(list: &[T], is_it: impl Fn(&T) -> bool) -> u64 {
    list.iter().position(is_it).map_or(0, |at| at as u64 + 1)
}

/// What is packed of an exchange. None where that is damaged.
pub(super) fn unpack_request<T>(packed: &[u8], texts: &Texts, each: impl FnOnce(&RequestFact<'_>) -> T) -> Option<T> {
    let mut next = Unpacker { rest: packed, texts };
    let mut id = [0; Hyphenated::LENGTH];
    let began = next.signed()?;
    let kind = *Kind::ALL.get(next.index()?.checked_sub(1)?)?;
    let [user, tid, editor, model, language] = next.names()?;
    let status = next.optional()?.map(u16::try_from).transpose().ok()?;
    let complete = next.truth()?;
    let aborted_by = next.word(ENDERS)?;
    let initiator = next.word(INITIATORS)?;
    let noise = next.word(NOISES)?;
    let marks = next.number()?;
    let request_id = next.code(&mut id)?;
    let [first_byte_ms, first_token_ms, total_ms, server_ms] = next.reals()?;
    let [tokens_in, tokens_cached, tokens_out] = [next.optional()?, next.optional()?, next.optional()?];
    let (error, speculative) = (marks & 1 != 0, marks & 2 != 0);
    next.rest.is_empty().then(|| {
        each(&RequestFact {
            began,
            kind,
            user,
            tid,
            editor,
            model,
            language,
            status,
            complete,
            aborted_by,
            error,
            initiator,
            speculative,
            request_id,
            first_byte_ms,
            first_token_ms,
            total_ms,
            server_ms,
            tokens_in,
            tokens_cached,
            tokens_out,
            noise,
        })
    })
}

/// Hands on all events that are packed, in their order. None where they are damaged: those before the damage were handed
/// on.
pub(super) fn unpack_events(packed: &[u8], texts: &Texts, each: &mut dyn FnMut(&EventFact<'_>)) -> Option<()> {
    let mut next = Unpacker { rest: packed, texts };
    while !next.rest.is_empty() {
        let mut ids = [[0; Hyphenated::LENGTH]; 3];
        let [for_request, for_completion, for_opportunity] = &mut ids;
        let time = next.signed()?;
        let [name, user, tid, language, editor, model, acceptance] = next.names()?;
        let request_id = next.code(for_request)?;
        let completion = next.code(for_completion)?;
        let opportunity = next.code(for_opportunity)?;
        let has_choice = next.truth()?.is_some();
        let choice = Some(next.signed()?).filter(|_| has_choice);
        let [chars, lines, timeout] = [next.optional()?, next.optional()?, next.optional()?];
        let [still, shown] = [next.truth()?, next.truth()?];
        let [total_ms] = next.reals()?;
        each(&EventFact {
            time,
            name: name?,
            user,
            tid,
            request_id,
            choice,
            completion,
            opportunity,
            language,
            editor,
            model,
            chars,
            lines,
            timeout,
            still,
            total_ms,
            shown,
            acceptance,
        });
    }
    Some(())
}

/// Takes values from the front, as [`Packer`] put them there.
struct Unpacker<'u> {
    rest: &'u [u8],
    texts: &'u Texts,
}

impl<'u> Unpacker<'u> {
    fn number(&mut self) -> Option<u64> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        // Most are short.
        if first < 0x80 { Some(u64::from(first)) } else { self.longer(u64::from(first & 0x7f)) }
    }

    fn longer(&mut self, mut number: u64) -> Option<u64> {
        for shift in (7..64).step_by(7) {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn index(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    fn optional(&mut self) -> Option<Option<u64>> {
        Some(self.number()?.checked_sub(1))
    }

    fn truth(&mut self) -> Option<Option<bool>> {
        Some(self.optional()?.map(|truth| truth != 0))
    }

    fn word<T: Copy>(&mut self, words: &[(T, &'static str)]) -> Option<Option<T>> {
        match self.index()?.checked_sub(1) {
            None => Some(None),
            Some(place) => words.get(place).map(|(value, _)| Some(*value)),
        }
    }

    fn names<const N: usize>(&mut self) -> Option<[Option<&'u str>; N]> {
        let mut names = [None; N];
        for name in &mut names {
            let number = self.number()?;
            if number > 0 {
                *name = Some(self.texts.get(number)?);
            }
        }
        Some(names)
    }

    /// `spelled`: room for the text of a UUID.
    fn code<'s>(&mut self, spelled: &'s mut [u8; Hyphenated::LENGTH]) -> Option<Option<&'s str>>
    where
        'u: 's,
    {
        let length = match self.index()? {
            0 => return Some(None),
            1 => {
                let uuid = Uuid::from_slice(self.take(16)?).ok()?;
                return Some(Some(uuid.as_hyphenated().encode_lower(spelled)));
            }
            more => more - 2,
        };
        std::str::from_utf8(self.take(length)?).ok().map(Some)
    }

    fn reals<const N: usize>(&mut self) -> Option<[Option<f64>; N]> {
        let mask = self.number()?;
        let mut reals = [None; N];
        for (at, real) in reals.iter_mut().enumerate() {
            if mask >> at & 1 != 0 {
                *real = Some(f64::from_le_bytes(self.take(8)?.try_into().ok()?));
            }
        }
        Some(reals)
    }

    fn take(&mut self, length: usize) -> Option<&'u [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }
}

#[cfg(test)]
#[path = "facts_tests.rs"]
mod tests;
