//! Ghost text: requests while typing, and what becomes of them.

use serde_json::json;

use super::super::rng::Rng;
use super::cast::{LANGUAGES, Seat};
use super::event::{Event, Tells};
use super::exchange::{Exchange, How};
use super::reply::{Cut, Stream};
use super::shows::Answer;
use super::{Week, choose, eighths, uuid};

/// How a request for ghost text ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Text,
    Empty,
    Filtered,
    CancelledUnanswered,
    CancelledMidway,
    Refused(u16),
    ErrorEvent,
    UpstreamGone,
    Unanswered,
    Shutdown,
}

impl Week<'_> {
    /// One request, its telemetry, and the life of what it suggests.
    pub(super) fn ghost(&mut self, seat: &Seat, at: &mut i64) {
        let (end, case) = end(&mut self.rng);
        self.case(case);
        let language = if self.rng.one_in(9) {
            *choose(&mut self.rng, &LANGUAGES)
        } else {
            *choose(&mut self.rng, &seat.languages)
        };
        let model = *choose(&mut self.rng, &["gpt-41-copilot", "gpt-4o-copilot", "copilot-codex"]);
        let choices = if end == End::Text && self.chance(10, "several choices") { 3 } else { 1 };
        let (mut exchange, request_id) = self.ghost_request(seat, *at, language, model, choices);
        let (stream, texts) = answer(&mut self.rng, language, model, choices, end);
        self.ghost_answer(&mut exchange, end, stream);
        let fact = &exchange.fact;
        let noisy = seat.editor.name != "Neovim" && fact.texts.iter().all(String::is_empty);
        exchange.fact.noise = noisy.then_some("no-text");
        if noisy {
            self.case("noise: no text");
        }
        let over = *at + (exchange.fact.total.unwrap_or(0.0) * 1000.0) as i64;
        self.ghost_events(seat, &exchange, *at, over, end);
        let speculative = exchange.fact.speculative;
        self.done(exchange);
        if end == End::Text || end == End::Filtered && !texts[0].is_empty() {
            // Then several choices of one answer are told apart by their number alone.
            let named = !self.rng.one_in(7);
            for (choice, text) in texts.iter().enumerate() {
                if (choice == 0 && !(speculative && self.rng.one_in(2))) || self.rng.one_in(3) {
                    let answer =
                        Answer { request_id: &request_id, choice: choice as i64, language, model, text, named };
                    self.suggestion(seat, &answer, over);
                }
            }
        }
        *at = over;
    }

    fn ghost_request(&mut self, seat: &Seat, at: i64, language: &str, model: &str, n: usize) -> (Exchange, String) {
        let host = if seat.editor.name == "Neovim" {
            "copilot-proxy.githubusercontent.com"
        } else {
            "proxy.business.githubcopilot.com"
        };
        let path = format!("/v1/engines/{model}/completions");
        let mut exchange = Exchange::ask(&mut self.rng, seat, at, "completions", (host, path));
        let request_id = uuid(&mut self.rng);
        exchange.introduce(seat, &request_id);
        if seat.editor.name == "vscode" {
            exchange.fact.speculative = self.chance(8, "speculative");
            // The value counts, not the presence.
            exchange.request_headers.push(("x-copilot-speculative", exchange.fact.speculative.to_string()));
        }
        let (prompt, suffix) = (code(&mut self.rng, language), code(&mut self.rng, language));
        let mut extra = json!({"language": language, "next_indent": 4, "trim_by_indentation": true});
        if !self.chance(12, "ghost text without tokens") {
            let tokens = [self.rng.range(20, 2000) as u64, self.rng.range(0, 400) as u64];
            extra["prompt_tokens"] = json!(tokens[0]);
            extra["suffix_tokens"] = json!(tokens[1]);
            exchange.fact.tokens_in = Some(tokens[0] + tokens[1]);
        }
        exchange.request_body = json!({"prompt": prompt, "suffix": suffix, "max_tokens": 500, "temperature": 0,
            "top_p": 1, "n": n, "stop": ["\n\n\n"], "stream": true, "extra": extra})
        .to_string();
        exchange.fact.language = Some(language.to_owned());
        exchange.fact.model = Some(model.to_owned());
        (exchange, request_id)
    }

    fn ghost_answer(&mut self, exchange: &mut Exchange, end: End, stream: Stream) {
        let how = How { timed: !self.chance(7, "no server time"), ..How::WELL };
        let keep = self.rng.range(0, stream.len() - 1);
        let rng = &mut self.rng;
        match end {
            End::CancelledUnanswered => exchange.abandon(rng, "client"),
            End::Unanswered => exchange.abandon(rng, "upstream"),
            End::Refused(status) => {
                let (content_type, text) = match status {
                    401 => ("text/plain", "unauthorized: token expired\n"),
                    429 => ("application/json", r#"{"error":{"message":"slow down","code":"rate_limited"}}"#),
                    _ => ("text/plain", ""),
                };
                exchange.answer(rng, How { status, ..how }, content_type, Cut::document(text.to_owned()));
                exchange.fact.error = status == 429;
            }
            End::CancelledMidway => {
                let cut = stream.cut(rng, keep);
                exchange.answer(rng, How { aborted_by: Some("client"), ..how }, "text/event-stream", cut);
            }
            End::UpstreamGone => {
                let cut = stream.cut(rng, keep);
                exchange.answer(rng, How { aborted_by: Some("upstream"), ..how }, "text/event-stream", cut);
            }
            End::Shutdown => {
                let cut = stream.cut(rng, keep);
                exchange.answer(rng, How { aborted_by: Some("shutdown"), ..how }, "text/event-stream", cut);
            }
            _ => {
                let coded = self.chance(14, "compressed stream");
                // The label is not to be trusted.
                let label =
                    if self.chance(20, "wrong content type") { "application/json" } else { "text/event-stream" };
                let cut = stream.whole(&mut self.rng);
                exchange.answer(&mut self.rng, How { coded, ..how }, label, cut);
            }
        }
    }

    /// What the client says of the request itself.
    fn ghost_events(&mut self, seat: &Seat, exchange: &Exchange, at: i64, over: i64, end: End) {
        let fact = &exchange.fact;
        let request_id = fact.request_id.as_deref().expect("ghost text has a request id");
        let event = |time, name| {
            let event = Event::new(time, name).with("headerRequestId", request_id);
            event.maybe("engineName", fact.model.as_deref()).maybe("languageId", fact.language.as_deref())
        };
        if self.rng.one_in(3) {
            self.tell(event(at, "ghostText.issued").measured("promptCharLen", 300.0));
        }
        if self.rng.one_in(3) {
            self.tell(event(at, "request.sent"));
        }
        match end {
            End::CancelledUnanswered | End::CancelledMidway => self.tell(event(over, "request.cancel")),
            End::Unanswered => self.tell(event(over, "request.error")),
            _ => self.waited(fact.first_byte, request_id, over),
        }
        if end == End::Text && self.rng.one_in(3) {
            self.tell(event(over, "ghostText.produced").with("reason", "network").measured("timeToProduceMs", 99.5));
        }
        if seat.telemetry[0] && self.chance(60, "exception") {
            let mut exception = Event::new(over, "");
            exception.exception = true;
            self.tell(exception);
        }
        if self.chance(25, "enhanced event, split property") {
            let mut prompt = event(at, "engine.prompt").with("promptJson", &"let x = 1; // é\n".repeat(600));
            prompt.enhanced = true;
            self.tell(prompt);
        }
    }

    /// How long the client waited for the head; sometimes nobody hears of it.
    pub(super) fn waited(&mut self, first_byte: Option<f64>, request_id: &str, over: i64) {
        let Some(first_byte) = first_byte else { return };
        let waited = first_byte + eighths(&mut self.rng, 0, 15);
        let mut event = Event::new(over, "request.response")
            .with("headerRequestId", request_id)
            .measured("totalTimeMs", waited)
            .telling(Tells::Waited(request_id.to_owned(), waited));
        event.lost = self.chance(15, "lost event");
        self.tell(event);
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.outbox.push(event);
    }
}

fn end(rng: &mut Rng) -> (End, &'static str) {
    match rng.range(0, 199) {
        0..=119 => (End::Text, "ghost text"),
        120..=133 => (End::Empty, "empty answer"),
        134..=139 => (End::Filtered, "content filter"),
        140..=157 => (End::CancelledUnanswered, "cancelled before an answer"),
        158..=179 => (End::CancelledMidway, "cancelled midway"),
        180..=182 => (End::Refused(401), "status 401"),
        183..=185 => (End::Refused(429), "status 429"),
        186..=188 => (End::Refused(500), "status 500 without body"),
        189..=191 => (End::ErrorEvent, "error event in a stream"),
        192..=194 => (End::UpstreamGone, "upstream abort"),
        195..=197 => (End::Unanswered, "no response"),
        _ => (End::Shutdown, "shutdown"),
    }
}

/// The stream, and the text of each choice.
fn answer(rng: &mut Rng, language: &str, model: &str, choices: usize, end: End) -> (Stream, Vec<String>) {
    let texts: Vec<String> = match end {
        End::Empty | End::ErrorEvent => vec![String::new()],
        End::Filtered if rng.one_in(2) => vec![String::new()],
        _ => (0..choices).map(|_| code(rng, language)).collect(),
    };
    let id = format!("cmpl-{}", super::digits(rng, 24));
    let answered = format!("{model}-2025");
    let mut stream = Stream::new(&answered, choices);
    if rng.one_in(10) {
        stream = stream.crlf();
    }
    let chunk =
        |choice: serde_json::Value| json!({"id": id, "created": 1772500000, "model": answered, "choices": [choice]});
    if rng.one_in(2) {
        // A choice without text opens some streams.
        stream.data(&chunk(json!({"index": 0, "finish_reason": null, "logprobs": null, "p": "aaaa"})));
    }
    // The choices come interleaved, line by line.
    let lines: Vec<Vec<&str>> = texts.iter().map(|text| text.split_inclusive('\n').collect()).collect();
    for at in 0..lines.iter().map(Vec::len).max().unwrap_or(0) {
        for (index, lines) in lines.iter().enumerate() {
            let Some(line) = lines.get(at) else { continue };
            stream
                .data(&chunk(json!({"text": line, "index": index, "finish_reason": null, "p": "aa"})))
                .gives(index, line);
        }
    }
    if end == End::ErrorEvent {
        stream.data(&json!({"error": {"message": "the engine is overloaded", "code": "overloaded"}})).fails();
        return (stream, texts);
    }
    let reason = if end == End::Filtered { "content_filter" } else { "stop" };
    for index in 0..choices {
        stream.data(&chunk(json!({"text": "", "index": index, "finish_reason": reason, "p": "aaa"}))).gives(index, "");
    }
    if end == End::Text && rng.one_in(15) {
        let [input, output] = [rng.range(30, 900) as u64, rng.range(1, 90) as u64];
        let mut last = chunk(json!({}));
        last["choices"] = json!([]);
        last["usage"] = json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output});
        stream.data(&last).tells([Some(input), None, Some(output)]);
    }
    stream.event(None, "[DONE]");
    (stream, texts)
}

/// Some lines in that language, never none.
pub(super) fn code(rng: &mut Rng, language: &str) -> String {
    let lines: &[&str] = match language {
        "python" => &["for row in rows:\n", "    total += row[\"value\"]\n", "return total\n", "# größer als null\n"],
        "rust" => &["let mut total = 0;\n", "for row in &rows {\n", "    total += row.value;\n}\n", "// naïve, 雪\n"],
        "typescript" => &["const total = rows\n", "  .map((row) => row.value)\n", "  .reduce((a, b) => a + b, 0);\n"],
        "java" => &["int total = 0;\n", "for (Row row : rows) {\n", "    total += row.value();\n}\n"],
        _ => &["total := 0\n", "for _, row := range rows {\n", "\ttotal += row.Value\n}\n"],
    };
    (0..rng.range(1, 5)).map(|_| *choose(rng, lines)).collect()
}
