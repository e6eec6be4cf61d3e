//! Telemetry on its way: batches, in all wire forms, late, twice, and over other people's connections.

use serde_json::{Value, json};

use super::calendar::{DAY, MONDAY};
use super::cast::Seat;
use super::event::Event;
use super::exchange::{Exchange, How};
use super::reply::Cut;
use super::{Week, choose, uuid};

/// The first user in the alphabet: who counts the users that bring a `tid` by name would take him.
const OTHER: &str = "aaron";

impl Week<'_> {
    /// Sends what a seat has to tell.
    pub(super) fn post(&mut self, seat: &Seat) {
        let mut events = std::mem::take(&mut self.outbox);
        let made = events.len();
        events.retain(|event| {
            let day = (event.time - MONDAY).div_euclid(DAY).clamp(0, 6);
            !event.lost && seat.telemetry[day as usize]
        });
        if events.len() < made && seat.telemetry != [true; 7] {
            self.case("telemetry off");
        }
        events.sort_by_key(|event| event.time);
        let (anonymous, mut events): (Vec<Event>, Vec<Event>) = events.into_iter().partition(|event| event.anonymous);
        // What belongs together comes apart, and comes in another order.
        for at in 0..events.len() {
            if self.rng.one_in(20) {
                let other = (at + self.rng.range(1, 40)).min(events.len() - 1);
                events.swap(at, other);
            }
        }
        for batch in self.batches(events) {
            self.send(seat, &batch);
        }
        for batch in self.batches(anonymous) {
            let body = self.body(seat, &batch, &json_array);
            let at = last(&batch) + self.millis(1_000, 9_000);
            self.deliver(&Seat { login: None, tracked: None, person: None, speaker: None, ..seat.clone() }, at, &body);
            batch.iter().for_each(|event| self.truth.hear(None, event));
        }
        self.microsoft(seat);
    }

    fn batches(&mut self, events: Vec<Event>) -> Vec<Vec<Event>> {
        let mut batches: Vec<Vec<Event>> = Vec::new();
        let mut room = 0;
        for event in events {
            let apart = batches
                .last()
                .and_then(|batch| batch.last())
                .is_some_and(|before| event.time - before.time > 600_000_000);
            if room == 0 || apart {
                batches.push(Vec::new());
                room = self.rng.range(1, 28);
            }
            batches.last_mut().expect("one was pushed").push(event);
            room -= 1;
        }
        batches
    }

    /// One batch, perhaps late, perhaps twice.
    fn send(&mut self, seat: &Seat, batch: &[Event]) {
        let mut seat = seat.clone();
        let known = seat.login.is_some() && seat.token.is_some() && seat.tracked.is_some();
        if known && seat.login.as_deref() != Some(OTHER) && self.chance(12, "batch over another user's connection") {
            seat.login = Some(OTHER.to_owned());
            if seat.absent != seat.speaker {
                self.case("shared account over a stranger's connection");
            }
            seat.speaker.clone_from(&seat.absent);
        }
        let form: Form = match seat.editor.name {
            _ if batch.len() == 1 && self.rng.one_in(2) => (&json_single, "application/json", "telemetry: one object"),
            "Neovim" => (&json_lines, "application/x-json-stream", "telemetry: a line each"),
            "vscode" if self.rng.one_in(2) => (&json_lines, "application/x-json-stream", "telemetry: a line each"),
            _ => (&json_array, "application/json", "telemetry: array"),
        };
        self.case(form.2);
        let mut body = self.body(&seat, batch, form.0);
        body.content_type = form.1;
        body.coded = self.chance(10, "telemetry: compressed");
        let mut at = last(batch) + self.millis(2_000, 90_000);
        if self.chance(12, "late batch") {
            at += DAY + self.millis(0, 7_200_000);
        }
        body.status = if self.chance(40, "telemetry refused") { 500 } else { 200 };
        self.deliver(&seat, at, &body);
        if body.status == 500 || self.chance(10, "batch sent again") {
            let later =
                if self.chance(3, "batch sent again days later") { DAY * self.rng.range(1, 3) as i64 } else { 0 };
            body.status = 200;
            let at = at + later + self.millis(10_000, 600_000);
            self.deliver(&seat, at, &body);
        }
        batch.iter().for_each(|event| self.truth.hear(seat.speaker.as_deref(), event));
    }

    fn body(&mut self, seat: &Seat, batch: &[Event], form: &dyn Fn(&[Value]) -> String) -> Body {
        let mut order: Vec<&Event> = batch.iter().collect();
        if self.rng.one_in(4) {
            order.reverse();
        }
        let mut envelopes = Vec::with_capacity(order.len());
        for event in order {
            let unique = (!self.chance(40, "event without unique_id")).then(|| uuid(&mut self.rng));
            envelopes.push(event.envelope(seat, unique.as_deref()));
        }
        Body {
            text: form(&envelopes),
            events: batch.len(),
            says_editor: batch.iter().any(|event| !event.no_editor),
            content_type: "application/json",
            coded: false,
            status: 200,
            microsoft: false,
        }
    }

    /// Microsoft's own stream: without `tid`, it is the login's.
    fn microsoft(&mut self, seat: &Seat) {
        if seat.editor.name != "vscode"
            || seat.login.is_none()
            || seat.person != seat.speaker
            || seat.telemetry != [true; 7]
        {
            return;
        }
        for day in 0..7 {
            if !self.rng.one_in(3) {
                continue;
            }
            self.case("Microsoft's telemetry");
            let at = super::calendar::moment(&mut self.rng, day);
            let event = Event::new(at, "panel.request").with("conversationId", &uuid(&mut self.rng));
            let body = Body {
                text: format!("{}\n", event.microsoft(seat)),
                events: 1,
                says_editor: false,
                content_type: "application/x-json-stream; charset=utf-8",
                coded: false,
                status: 200,
                microsoft: true,
            };
            self.deliver(seat, at + 5_000_000, &body);
            self.truth.hear(seat.login.as_deref(), &event);
        }
    }

    fn deliver(&mut self, seat: &Seat, at: i64, body: &Body) {
        let url = match body.microsoft {
            true => ("mobile.events.data.microsoft.com", "/OneCollector/1.0/".to_owned()),
            false => ("telemetry.business.githubcopilot.com", "/telemetry".to_owned()),
        };
        let mut exchange = Exchange::ask(&mut self.rng, seat, at, "telemetry", url);
        exchange.rule = if body.microsoft { "telemetry-shared" } else { "telemetry" };
        exchange.request_headers = vec![
            ("content-type", body.content_type.to_owned()),
            ("user-agent", (*choose(&mut self.rng, &["GithubCopilot/1.270.0", "node"])).to_owned()),
        ];
        if body.coded {
            exchange.request_headers.push(("content-encoding", "gzip".to_owned()));
        }
        exchange.request_coded = body.coded;
        exchange.request_body.clone_from(&body.text);
        let answer = if body.status == 500 { String::new() } else { received(body.events) };
        let how = How { status: body.status, timed: false, ..How::WELL };
        exchange.answer(&mut self.rng, how, "application/json; charset=utf-8", Cut::document(answer));
        // A batch has no token: its login counts, else the `tid` within.
        exchange.fact.person = seat.login.clone().or_else(|| seat.speaker.clone());
        exchange.fact.tid = seat.tracked.clone();
        // As its events say.
        exchange.fact.editor = exchange.fact.editor.filter(|_| body.says_editor);
        self.done(exchange);
    }
}

type Form = (&'static dyn Fn(&[Value]) -> String, &'static str, &'static str);

/// A batch ready to go.
struct Body {
    text: String,
    events: usize,
    says_editor: bool,
    content_type: &'static str,
    coded: bool,
    status: u16,
    microsoft: bool,
}

fn last(batch: &[Event]) -> i64 {
    batch.iter().map(|event| event.time).max().expect("no batch is empty")
}

fn received(events: usize) -> String {
    json!({"itemsReceived": events, "itemsAccepted": events, "appId": null, "errors": []}).to_string()
}

fn json_array(envelopes: &[Value]) -> String {
    serde_json::to_string(envelopes).expect("envelopes are JSON")
}

fn json_lines(envelopes: &[Value]) -> String {
    envelopes.iter().map(|envelope| format!("{envelope}\n")).collect()
}

fn json_single(envelopes: &[Value]) -> String {
    envelopes[0].to_string()
}
