//! What else goes by: reachability, lists of models.

use super::cast::Seat;
use super::exchange::{Exchange, How};
use super::reply::Cut;
use super::{Week, uuid};

impl Week<'_> {
    pub(super) fn rest(&mut self, seat: &Seat, at: &mut i64) {
        if self.rng.one_in(6) {
            self.case("other: ping");
            self.fetch(seat, at, "other", "/_ping", "OK");
        }
        if self.rng.one_in(6) {
            self.case("models");
            self.fetch(
                seat,
                at,
                "models",
                "/models",
                r#"{"data":[{"id":"gpt-4.1","object":"model"}],"object":"list"}"#,
            );
        }
        if seat.login.is_some() && self.chance(40, "namesakes") {
            // Two exchanges in one microsecond: their files must not have the same name.
            self.fetch(seat, &mut { *at }, "other", "/_ping", "OK");
            self.fetch(seat, at, "other", "/_ping", "OK");
        }
    }

    fn fetch(&mut self, seat: &Seat, at: &mut i64, kind: &'static str, path: &str, answer: &str) {
        let url = ("api.business.githubcopilot.com", path.to_owned());
        let mut exchange = Exchange::ask(&mut self.rng, seat, *at, kind, url);
        exchange.method = "GET";
        let request_id = uuid(&mut self.rng);
        exchange.introduce(seat, &request_id);
        let cut = Cut::document(answer.to_owned());
        exchange.answer(&mut self.rng, How { timed: false, ..How::WELL }, "application/json", cut);
        *at += 1_000_000;
        self.done(exchange);
    }
}
