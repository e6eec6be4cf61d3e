//! Conversations: turns of a person, tool rounds of the client, in three formats and over WebSocket.

use serde_json::json;

use super::cast::Seat;
use super::exchange::{Exchange, How, Socket};
use super::formats::{Format, Said, prose};
use super::reply::{Cut, Stream};
use super::{Week, choose, digits, eighths, uuid};

const HOST: &str = "api.business.githubcopilot.com";

/// One request of a conversation.
struct Round<'a> {
    format: Format,
    /// `user`, `agent`, or nothing.
    initiator: Option<&'static str>,
    said: &'a [(&'static str, String)],
    tools: bool,
    /// The answer asks for a tool.
    calls: bool,
    interaction: &'a str,
    previous: Option<&'a str>,
}

impl Week<'_> {
    pub(super) fn conversation(&mut self, seat: &Seat, at: &mut i64) {
        let vscode = seat.editor.name == "vscode";
        let format = if vscode {
            *choose(&mut self.rng, &[Format::Chat, Format::Responses, Format::Messages])
        } else {
            Format::Chat
        };
        let socket = seat.websocket && format == Format::Responses;
        let mut said = vec![("system", "You are a programmer.".to_owned())];
        let mut previous: Option<String> = None;
        let mut turns = 0;
        for _ in 0..self.rng.range(1, 3) {
            let interaction = uuid(&mut self.rng);
            said.push(("user", prose(&mut self.rng)));
            let tools = vscode || seat.editor.name == "JetBrains-PC" && self.rng.one_in(3);
            let rounds = if tools { self.rng.range(0, 3) } else { 0 };
            if seat.editor.name == "JetBrains-PC" && !tools && self.chance(5, "noise: last is not the user's") {
                said.push(("assistant", "Of course. ".to_owned()));
            }
            for round in 0..=rounds {
                let initiator = if round == 0 { "user" } else { "agent" };
                let asked = Round {
                    format,
                    // Some clients do not say.
                    initiator: (seat.editor.name != "Neovim").then_some(initiator),
                    said: &said,
                    tools,
                    calls: round < rounds,
                    interaction: &interaction,
                    previous: previous.as_deref(),
                };
                let answered =
                    if socket { self.socket_turn(seat, at, &asked, turns) } else { self.round(seat, at, &asked) };
                turns += 1;
                *at += self.millis(100, 4_000);
                let Some((id, text)) = answered else { return };
                if format == Format::Responses {
                    // What was said before is not said again: the answer's id stands for it.
                    said.clear();
                    previous = Some(id);
                } else {
                    said.push(("assistant", text));
                }
                if round < rounds {
                    said.push(("tool", prose(&mut self.rng)));
                }
            }
            *at += self.millis(10_000, 200_000);
        }
        if vscode && self.rng.one_in(3) {
            self.title(seat, at);
        }
    }

    /// A request of the client's own that the older tool left out.
    fn title(&mut self, seat: &Seat, at: &mut i64) {
        self.case("noise: stop");
        let said = [("user", "A title for this conversation".to_owned())];
        let interaction = uuid(&mut self.rng);
        let round = Round {
            format: Format::Chat,
            initiator: Some("agent"),
            said: &said,
            tools: false,
            calls: false,
            interaction: &interaction,
            previous: None,
        };
        let (mut exchange, mut body, said) = self.asked(seat, *at, &round);
        body["stop"] = json!(["\n"]);
        exchange.request_body = body.to_string();
        exchange.fact.noise = Some("stop");
        let stream = said.stream(&mut self.rng, Stream::new(&said.answered, 1), false);
        let cut = stream.whole(&mut self.rng);
        exchange.answer(&mut self.rng, How::WELL, "text/event-stream", cut);
        *at += self.millis(1_000, 3_000);
        self.done(exchange);
    }

    fn asked(&mut self, seat: &Seat, at: i64, round: &Round<'_>) -> (Exchange, serde_json::Value, Said) {
        let mut exchange = Exchange::ask(&mut self.rng, seat, at, "chat", (HOST, round.format.path().to_owned()));
        let request_id = uuid(&mut self.rng);
        exchange.introduce(seat, &request_id);
        exchange.request_headers.push(("X-Interaction-Id", round.interaction.to_owned()));
        exchange.request_headers.push(("OpenAI-Intent", "conversation-panel".to_owned()));
        exchange.fact.initiator = round.initiator;
        let (model, answered) = round.format.models();
        exchange.fact.model = Some(model.to_owned());
        let mut body = round.format.request(model, round.said, round.tools, true);
        if let Some(previous) = round.previous {
            body["previous_response_id"] = json!(previous);
        }
        let jetbrains = seat.editor.name == "JetBrains-PC";
        let last = round.said.last().map(|(role, _)| *role);
        exchange.fact.noise = match last {
            Some(role) if jetbrains && role != "user" => Some("not-user"),
            _ if jetbrains && round.tools => Some("tools"),
            _ => None,
        };
        if exchange.fact.noise == Some("tools") {
            self.case("noise: tools");
        }
        let rng = &mut self.rng;
        let cached = rng.range(0, 5) as u64 * 256;
        let said = Said {
            format: round.format,
            model: model.to_owned(),
            answered: answered.to_owned(),
            id: format!(
                "{}{}",
                match round.format {
                    Format::Chat => "chatcmpl-",
                    Format::Responses => "resp_",
                    Format::Messages => "msg_",
                },
                digits(rng, 24)
            ),
            text: if round.calls && rng.one_in(2) { String::new() } else { prose(rng) },
            reasoning: rng.one_in(4).then(|| prose(rng)),
            tool: round.calls.then(|| "src/größe.rs".to_owned()),
            tokens: (!rng.one_in(12))
                .then(|| [cached + cached / 4 + rng.range(200, 5000) as u64, cached, rng.range(5, 900) as u64]),
            tells_cached: !rng.one_in(6),
        };
        if let Some(initiator) = round.initiator {
            exchange.request_headers.push(("X-Initiator", initiator.to_owned()));
        }
        exchange.request_body = body.to_string();
        (exchange, body, said)
    }

    /// One exchange. Gives the answer's id and text, or nothing where the conversation ends.
    fn round(&mut self, seat: &Seat, at: &mut i64, round: &Round<'_>) -> Option<(String, String)> {
        let (mut exchange, mut body, said) = self.asked(seat, *at, round);
        if round.calls {
            self.case("tool round");
        }
        let how = How { timed: !self.rng.one_in(5), ..How::WELL };
        let outcome = self.rng.range(0, 99);
        let failing = outcome < 3;
        let mut stream = said.stream(&mut self.rng, Stream::new(&said.answered, 1), failing);
        if said.tokens.is_none() {
            self.case("chat without usage");
        }
        let mut goes_on = true;
        match outcome {
            0..=2 => {
                self.case("chat: error event");
                goes_on = false;
                if self.rng.one_in(4) && round.format == Format::Chat {
                    stream = stream.crlf();
                }
                let cut = stream.whole(&mut self.rng);
                exchange.answer(&mut self.rng, how, "text/event-stream", cut);
            }
            3..=7 => {
                self.case("chat: cancelled");
                goes_on = false;
                let keep = self.rng.range(0, stream.len() - 1);
                let cut = stream.cut(&mut self.rng, keep);
                exchange.answer(&mut self.rng, How { aborted_by: Some("client"), ..how }, "text/event-stream", cut);
            }
            8..=9 => {
                self.case("chat: status 429");
                goes_on = false;
                let text = r#"{"error":{"message":"quota exceeded","code":"quota_exceeded"}}"#.to_owned();
                exchange.answer(&mut self.rng, How { status: 429, ..how }, "application/json", Cut::document(text));
                exchange.fact.error = true;
            }
            10..=14 if !round.calls => {
                self.case("chat: not streamed");
                body["stream"] = json!(false);
                exchange.request_body = body.to_string();
                exchange.answer(&mut self.rng, how, "application/json", said.document());
            }
            15..=18 => {
                self.case("chat: compressed");
                let cut = stream.whole(&mut self.rng);
                exchange.answer(&mut self.rng, How { coded: true, ..how }, "text/event-stream", cut);
            }
            _ => {
                self.case(match round.format {
                    Format::Chat => "chat completions",
                    Format::Responses => "responses",
                    Format::Messages => "messages",
                });
                let cut = stream.whole(&mut self.rng);
                exchange.answer(&mut self.rng, how, "text/event-stream", cut);
            }
        }
        *at += (exchange.fact.total.unwrap_or(0.0) * 1000.0) as i64;
        if let Some(request_id) = exchange.fact.request_id.clone() {
            self.waited(exchange.fact.first_byte, &request_id, *at);
        }
        self.done(exchange);
        goes_on.then_some((said.id, said.text))
    }

    /// One `response.create` on a WebSocket, up to its closing event.
    fn socket_turn(&mut self, seat: &Seat, at: &mut i64, round: &Round<'_>, turn: u64) -> Option<(String, String)> {
        let (mut exchange, mut body, said) = self.asked(seat, *at, round);
        exchange.method = "GET";
        // The head is that of the upgrade, the same for all turns: who asks is in the message.
        for (name, value) in &mut exchange.request_headers {
            if *name == "X-Initiator" {
                "user".clone_into(value);
            }
        }
        exchange.request_headers.push(("Upgrade", "websocket".to_owned()));
        body.as_object_mut().expect("a request is an object").remove("stream");
        body["type"] = json!("response.create");
        body["initiator"] = json!(round.initiator.expect("whoever speaks WebSocket says who asks"));
        exchange.request_body = body.to_string();
        let failing = self.chance(5, "WebSocket: error");
        let mut stream = Stream::new(&said.answered, 1).bare();
        if failing {
            stream.named(
                &json!({"type": "response.created", "response": {"id": said.id, "model": said.answered, "output": []}}),
            );
            stream.named(&json!({"type": "error", "error": {"code": "rate_limited", "message": "later"}})).fails();
        } else {
            stream = said.stream(&mut self.rng, stream, false);
        }
        self.case("WebSocket turn");
        let cancelled = !failing && self.chance(6, "WebSocket: cancelled");
        let keep = if cancelled { self.rng.range(1, stream.len() - 1) } else { usize::MAX };
        let cut = stream.cut(&mut self.rng, keep);
        let how = How { status: 101, aborted_by: cancelled.then_some("client"), coded: false, timed: false };
        exchange.answer(&mut self.rng, how, "", cut);
        exchange.response_headers = vec![("upgrade", "websocket".to_owned()), ("connection", "Upgrade".to_owned())];
        exchange.request_end = 0.0;
        let mut messages = vec![(true, 0.0, exchange.request_body.len())];
        // The first message is the first byte of this answer: the head came long ago.
        exchange.fact.first_byte = exchange.chunks.first().map(|chunk| chunk.0 - eighths(&mut self.rng, 0, 2));
        messages.extend(exchange.chunks.iter().map(|(at, bytes)| (false, *at, *bytes)));
        exchange.fact.total =
            exchange.chunks.last().map(|chunk| chunk.0 + if cancelled { eighths(&mut self.rng, 1, 9) } else { 0.0 });
        exchange.websocket = Some(Socket { turn, messages });
        *at += (exchange.fact.total.unwrap_or(0.0) * 1000.0) as i64;
        self.done(exchange);
        (!failing && !cancelled).then_some((said.id, said.text))
    }
}
