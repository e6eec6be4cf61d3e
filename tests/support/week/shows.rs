//! The life of a suggestion: shown, shown again from the cache, accepted in part, still in the code.

use super::calendar::DAY;
use super::cast::Seat;
use super::event::{Event, Tells};
use super::truth::{Asked, Seen, Suggestion};
use super::{Week, uuid};

/// One choice of an answer.
pub(super) struct Answer<'a> {
    pub(super) request_id: &'a str,
    pub(super) choice: i64,
    pub(super) language: &'static str,
    pub(super) model: &'static str,
    pub(super) text: &'a str,
    /// Its suggestions have a `clientCompletionId`.
    pub(super) named: bool,
}

/// One suggestion as its events name it.
struct Card<'a> {
    /// Which one it is in the truth.
    place: usize,
    answer: &'a Answer<'a>,
    choice: i64,
    completion: Option<String>,
    /// The editor's word for the language.
    language: &'static str,
    anonymous: bool,
}

/// What an event leaves out.
#[derive(Clone, Copy)]
struct Gaps {
    language: bool,
    model: bool,
    editor: bool,
}

/// Seconds after an acceptance at which the client looks whether it is still there.
pub(super) const LOOKS: [u64; 5] = [15, 30, 120, 300, 600];

impl Week<'_> {
    /// What becomes of an answer that came at `at`.
    pub(super) fn suggestion(&mut self, seat: &Seat, answer: &Answer<'_>, at: i64) {
        if self.chance(10, "answer never shown") {
            return;
        }
        let card = self.card(seat, answer, answer.choice);
        let shown = at + self.millis(5, 300);
        self.show(seat, &card, shown, false);
        let mut last = shown;
        if self.chance(9, "shown again with the same id") {
            last += self.millis(1_000, 60_000);
            self.show(seat, &card, last, true);
        }
        self.decide(seat, &card, last);
        if self.rng.one_in(6) {
            self.show_again(seat, &card, last);
        }
    }

    /// The same answer later, from the client's cache: no request goes out.
    fn show_again(&mut self, seat: &Seat, card: &Card<'_>, last: i64) {
        let (case, later) = match self.rng.range(0, 5) {
            0..=2 => ("cached show minutes later", self.millis(20_000, 900_000)),
            3..=4 => ("cached show hours later", self.millis(3_600_000, 9_000_000)),
            _ => ("cached show a day later", DAY + self.millis(0, 3_600_000)),
        };
        self.case(case);
        let answer = card.answer;
        if card.completion.is_none() {
            // Without an id the answer's choice is the suggestion, however often it is shown.
            self.show(seat, card, last + later, true);
            return self.decide_if_undecided(seat, card, last + later);
        }
        // A later part of the cached answer has a number of its own, that no choice has.
        let part = self.chance(6, "choice of a later part");
        let again = self.card(seat, answer, answer.choice + if part { 10_000 } else { 0 });
        self.show(seat, &again, last + later, true);
        self.decide(seat, &again, last + later);
    }

    fn card<'a>(&mut self, seat: &Seat, answer: &'a Answer<'a>, choice: i64) -> Card<'a> {
        let place = self.truth.suggestions.len();
        self.truth.suggestions.push(Suggestion {
            asked: Asked {
                person: seat.person.clone(),
                language: Some(answer.language.to_owned()),
                editor: Some(seat.editor.name.to_owned()),
                model: Some(answer.model.to_owned()),
            },
            ..Suggestion::default()
        });
        if !answer.named {
            self.case("no clientCompletionId");
        }
        let completion = answer.named.then(|| uuid(&mut self.rng));
        // It counts where it differs from the request's.
        let other = answer.language == "typescript" && self.chance(8, "another word for the language");
        let language = if other { "typescriptreact" } else { answer.language };
        let known = seat.login.is_some() && seat.token.is_some() && seat.person == seat.speaker;
        Card {
            place,
            answer,
            choice,
            completion,
            language,
            anonymous: known && seat.telemetry == [true; 7] && self.chance(40, "event without person"),
        }
    }

    fn gaps(&mut self) -> Gaps {
        Gaps {
            language: self.chance(12, "event without language"),
            model: self.chance(12, "event without model"),
            editor: self.chance(12, "event without editor"),
        }
    }

    fn show(&mut self, seat: &Seat, card: &Card<'_>, at: i64, cached: bool) {
        let old = cached && seat.editor.name == "Neovim";
        let name = if old { "ghostText.shownFromCache" } else { "ghostText.shown" };
        let (lines, chars) = size(card.answer.text);
        let gaps = self.gaps();
        let event = card.event(seat, at, name, (lines, chars), gaps, Tells::Shown);
        let mut event = event.with("reason", if cached { "cache" } else { "network" });
        event.lost = self.chance(15, "lost show");
        self.say(card, event);
    }

    /// Accepted, in whole or in part; refused; or left alone.
    fn decide(&mut self, seat: &Seat, card: &Card<'_>, shown: i64) {
        let at = shown + self.millis(200, 20_000);
        let (lines, chars) = size(card.answer.text);
        match self.rng.range(0, 9) {
            0..=2 => self.accept(seat, card, at, (lines, chars), "full"),
            3 => {
                self.case("partial acceptance");
                let first = (1, (chars / 3).max(1));
                self.accept(seat, card, at, first, "partial");
                let more = self.millis(500, 5_000);
                if self.rng.one_in(2) {
                    self.case("partial, then whole acceptance");
                    self.accept(seat, card, at + more, (lines, chars), "full");
                }
            }
            4..=6 => {
                let event = Event::new(at, "ghostText.rejected").with("headerRequestId", card.answer.request_id);
                self.say(card, event.maybe("clientCompletionId", card.completion.as_deref()));
            }
            _ => {}
        }
    }

    /// A suggestion shown again may be accepted now, if it is not accepted already: its looks would be mixed up.
    fn decide_if_undecided(&mut self, seat: &Seat, card: &Card<'_>, shown: i64) {
        let place = card.place;
        let accepted = |event: &Event| matches!(event.tells, Tells::Accepted(of, _) if of == place);
        if !self.outbox.iter().any(accepted) {
            self.decide(seat, card, shown);
        }
    }

    fn accept(&mut self, seat: &Seat, card: &Card<'_>, at: i64, size: (u64, u64), how: &str) {
        let gaps = self.gaps();
        let event = card.event(seat, at, "ghostText.accepted", size, gaps, Tells::Accepted);
        let mut event = event.with("compType", how).measured("timeSinceDisplayedMs", 900.0);
        event.lost = self.chance(20, "lost acceptance");
        self.say(card, event);
        // From some look on the file is closed.
        let closed = if self.rng.one_in(4) { self.rng.range(0, 4) } else { 5 };
        if closed < 5 {
            self.case("persistence that ends early");
        }
        let mut still = true;
        for &look in &LOOKS[..closed] {
            still &= !self.rng.one_in(6);
            if self.chance(15, "one look missing") {
                continue;
            }
            // Some clients tell milliseconds.
            let timeout = if seat.editor.name == "Neovim" { look * 1000 } else { look };
            let event = card
                .bare(at + look as i64 * 1_000_000 + self.millis(1, 40), "ghostText.stillInCode")
                .measured("timeout", timeout as f64)
                .measured("stillInCodeHeuristic", f64::from(u8::from(still)))
                .measured("relativeLexEditDistance", if still { 0.25 } else { 0.75 })
                .telling(Tells::Still(card.place, look, still));
            self.say(card, event);
        }
    }

    /// Sends an event of a suggestion.
    fn say(&mut self, card: &Card<'_>, event: Event) {
        self.tell(Event { anonymous: card.anonymous, ..event });
    }

    /// Whole milliseconds, in microseconds.
    pub(super) fn millis(&mut self, low: usize, high: usize) -> i64 {
        self.rng.range(low, high) as i64 * 1000
    }
}

impl Card<'_> {
    fn bare(&self, at: i64, name: &'static str) -> Event {
        Event::new(at, name)
            .with("headerRequestId", self.answer.request_id)
            .with("choiceIndex", &self.choice.to_string())
            .maybe("clientCompletionId", self.completion.as_deref())
    }

    fn event(
        &self,
        seat: &Seat,
        at: i64,
        name: &'static str,
        (lines, chars): (u64, u64),
        gaps: Gaps,
        tells: fn(usize, Seen) -> Tells,
    ) -> Event {
        let language = (!gaps.language).then_some(self.language);
        let model = (!gaps.model).then_some(self.answer.model);
        let event = self.bare(at, name).maybe("languageId", language).maybe("engineName", model);
        let seen = Seen {
            time: event.time,
            lines,
            chars,
            // Filled in where it is delivered.
            person: None,
            language: language.map(str::to_owned),
            editor: (!gaps.editor).then(|| seat.editor.name.to_owned()),
            model: model.map(str::to_owned),
        };
        let event = Event { no_editor: gaps.editor, ..event };
        event.measured("numLines", lines as f64).measured("compCharLen", chars as f64).telling(tells(self.place, seen))
    }
}

fn size(text: &str) -> (u64, u64) {
    (text.lines().count() as u64, text.chars().count() as u64)
}
