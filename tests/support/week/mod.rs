//! A simulated week of 25 people, and the truth about it.
//!
//! Seeded: the same options give the same records, byte for byte. The records have the form of `docs/record.md` and are
//! written without the program's own code. The truth is made of what was decided here, never of what stands in a
//! record: a reader that agrees with it has understood the records.
//!
//! Tests and benches include this folder (`#[path]`); it needs [`super::rng`] beside it, serde_json and aws-lc-rs.
#![allow(dead_code, unused_imports, reason = "tests and benches use their part of this")]

mod calendar;
mod cast;
mod chat;
mod edits;
mod event;
mod exchange;
mod figures;
mod formats;
mod ghost;
mod post;
mod record;
mod reply;
mod rest;
mod shows;
mod truth;

use std::collections::BTreeMap;

pub(crate) use calendar::{DAY, MONDAY};
pub(crate) use exchange::{Exchange, Fact};
pub(crate) use figures::{Ask, FIELDS};
pub(crate) use record::{Layout, Writer, text};
pub(crate) use truth::Truth;

use super::rng::Rng;
use cast::Seat;
use event::Event;

/// What to make.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) seed: u64,
    /// Sessions at the keyboard, in hundredths of an ordinary week's: 100 makes about four thousand records.
    pub(crate) percent: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 1, percent: 100 }
    }
}

/// Makes the week: hands out each exchange and keeps what the figures should say.
pub(crate) fn make(options: Options, each: &mut dyn FnMut(&Exchange)) -> Truth {
    let mut week = Week {
        rng: Rng::new(options.seed),
        truth: Truth::default(),
        cases: BTreeMap::new(),
        outbox: Vec::new(),
        streams: 0,
        each,
    };
    for seat in cast::seats(&mut week.rng) {
        week.sit_down(&seat, options.percent);
    }
    week.truth.cases = week.cases;
    week.truth
}

/// The week in the making.
struct Week<'a> {
    rng: Rng,
    truth: Truth,
    /// How often each special case was made.
    cases: BTreeMap<&'static str, u64>,
    /// Telemetry of the seat at hand that is not sent yet.
    outbox: Vec<Event>,
    /// Numbers the streams of a connection.
    streams: u64,
    each: &'a mut dyn FnMut(&Exchange),
}

impl Week<'_> {
    /// All that one person does at one machine.
    fn sit_down(&mut self, seat: &Seat, percent: usize) {
        for day in 0..7 {
            for _ in 0..calendar::sessions(&mut self.rng, day, percent) {
                let mut at = calendar::moment(&mut self.rng, day);
                self.session(seat, &mut at);
            }
        }
        self.post(seat);
    }

    /// Some minutes of work.
    fn session(&mut self, seat: &Seat, at: &mut i64) {
        self.rest(seat, at);
        for _ in 0..self.rng.range(4, 11) {
            self.ghost(seat, at);
            *at += self.rng.range(800_000, 25_000_000) as i64;
        }
        if seat.editor.name == "vscode" {
            for _ in 0..self.rng.range(0, 3) {
                self.edit(seat, at);
                *at += self.rng.range(2_000_000, 30_000_000) as i64;
            }
        }
        if !self.rng.one_in(3) {
            self.conversation(seat, at);
        }
    }

    /// Counts a case and says yes, once in `n` times.
    fn chance(&mut self, n: usize, case: &'static str) -> bool {
        let yes = self.rng.one_in(n);
        if yes {
            self.case(case);
        }
        yes
    }

    fn case(&mut self, case: &'static str) {
        *self.cases.entry(case).or_default() += 1;
    }

    /// The exchange is over: it goes into the logs and into the truth.
    fn done(&mut self, mut exchange: Exchange) {
        self.streams += 1;
        exchange.stream = self.streams;
        (self.each)(&exchange);
        self.truth.exchanges.push(exchange.fact);
    }
}

/// One of several.
fn choose<'a, T>(rng: &mut Rng, of: &'a [T]) -> &'a T {
    &of[rng.range(0, of.len() - 1)]
}

/// Milliseconds in eighths: exact in binary and in three decimals.
fn eighths(rng: &mut Rng, low: usize, high: usize) -> f64 {
    rng.range(low * 8, high * 8) as f64 / 8.0
}

/// A UUID of no particular version.
fn uuid(rng: &mut Rng) -> String {
    let (a, b) = (rng.next(), rng.next());
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        b >> 52,
        b & 0xffff_ffff_ffff
    )
}

/// So many hexadecimal digits.
fn digits(rng: &mut Rng, n: usize) -> String {
    (0..n).map(|_| char::from(b"0123456789abcdef"[rng.range(0, 15)])).collect()
}
