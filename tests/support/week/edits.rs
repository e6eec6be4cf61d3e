//! Next edit suggestions: requests in chat form to the host of suggestions, and what telemetry says of them.

use serde_json::json;

use super::cast::Seat;
use super::event::{Event, Tells};
use super::exchange::{Exchange, How};
use super::formats::{Format, Said};
use super::ghost::code;
use super::reply::Stream;
use super::truth::{Asked, Edit, Look};
use super::{Week, choose, digits, uuid};

const MODEL: &str = "copilot-nes-oct";

impl Week<'_> {
    pub(super) fn edit(&mut self, seat: &Seat, at: &mut i64) {
        let language = *choose(&mut self.rng, &seat.languages);
        let url = ("proxy.business.githubcopilot.com", "/chat/completions".to_owned());
        let mut exchange = Exchange::ask(&mut self.rng, seat, *at, "nes", url);
        let request_id = uuid(&mut self.rng);
        exchange.introduce(seat, &request_id);
        exchange.fact.model = Some(MODEL.to_owned());
        let text = code(&mut self.rng, language);
        let messages = [("system", "Predict the next edit.".to_owned()), ("user", code(&mut self.rng, language))];
        exchange.request_body = Format::Chat.request(MODEL, &messages, false, true).to_string();
        let tokens = [self.rng.range(500, 3000) as u64, 0, self.rng.range(5, 200) as u64];
        let said = Said {
            format: Format::Chat,
            model: MODEL.to_owned(),
            answered: format!("{MODEL}-2026"),
            id: format!("chatcmpl-{}", digits(&mut self.rng, 24)),
            text,
            reasoning: None,
            tool: None,
            tokens: (!self.rng.one_in(5)).then_some(tokens),
            tells_cached: false,
        };
        let stream = said.stream(&mut self.rng, Stream::new(&said.answered, 1), false);
        let cancelled = self.chance(4, "next edit cancelled");
        let keep = if cancelled { self.rng.range(0, stream.len() - 1) } else { usize::MAX };
        let cut = stream.cut(&mut self.rng, keep);
        let how = How { aborted_by: cancelled.then_some("client"), timed: !self.rng.one_in(5), ..How::WELL };
        exchange.answer(&mut self.rng, how, "text/event-stream", cut);
        *at += (exchange.fact.total.unwrap_or(0.0) * 1000.0) as i64;
        self.waited(exchange.fact.first_byte, &request_id, *at);
        self.case("next edit");
        self.done(exchange);
        if cancelled {
            return;
        }
        let opportunity = (!self.chance(8, "no opportunityId")).then(|| uuid(&mut self.rng));
        self.look(seat, &request_id, opportunity.as_deref(), language, *at);
        if opportunity.is_some() && self.chance(6, "next edit from the cache") {
            let opportunity = uuid(&mut self.rng);
            let later = *at + self.millis(5_000, 200_000);
            self.look(seat, &request_id, Some(&opportunity), language, later);
        }
    }

    fn look(&mut self, seat: &Seat, request_id: &str, opportunity: Option<&str>, language: &str, at: i64) {
        let place = self.truth.edits.len();
        let asked = Asked {
            person: seat.person.clone(),
            // A request for a next edit does not say its language.
            language: None,
            editor: Some(seat.editor.name.to_owned()),
            model: Some(MODEL.to_owned()),
        };
        self.truth.edits.push(Edit { asked, ..Edit::default() });
        let acceptance = *choose(&mut self.rng, &["accepted", "notAccepted", "rejected"]);
        let accepted = acceptance == "accepted";
        let shown = if accepted { !self.chance(9, "accepted, not said to be shown") } else { self.rng.one_in(2) };
        let language = (!self.chance(10, "next edit without language")).then_some(language);
        let model = (!self.chance(10, "next edit without model")).then_some(MODEL);
        let at = at + self.millis(300, 9_000);
        let event = Event::new(at, "provideInlineEdit")
            .with("headerRequestId", request_id)
            .maybe("opportunityId", opportunity)
            .maybe("activeDocumentLanguageId", language)
            .maybe("modelName", model)
            .with("acceptance", acceptance)
            .measured("isShown", f64::from(u8::from(shown)))
            .measured("fetchTime", 80.5);
        let look = Look {
            time: event.time,
            shown,
            accepted,
            person: None,
            language: language.map(str::to_owned),
            model: model.map(str::to_owned),
        };
        let mut event = event.telling(Tells::Edit(place, look));
        event.lost = self.chance(20, "lost next edit");
        if !event.lost && self.chance(5, "next edit told with both keys") {
            let mut copy = event.clone().with("edits", &json!([{"text": "x".repeat(9_000)}]).to_string());
            copy.enhanced = true;
            self.tell(copy);
        }
        self.tell(event);
    }
}
