//! The bodies of chat: requests and answers in three formats.

use serde_json::{Value, json};

use super::super::rng::Rng;
use super::reply::{Cut, Stream};
use super::{choose, digits};

/// A format of chat, with a model that speaks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Chat,
    Responses,
    Messages,
}

/// What the model says.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) format: Format,
    pub(super) model: String,
    /// The model's own name in the answer.
    pub(super) answered: String,
    pub(super) id: String,
    pub(super) text: String,
    pub(super) reasoning: Option<String>,
    /// It asks for a tool.
    pub(super) tool: Option<String>,
    /// In, of those cached, out; a format's way of telling may leave some out.
    pub(super) tokens: Option<[u64; 3]>,
    /// The answer tells what was cached.
    pub(super) tells_cached: bool,
}

impl Format {
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Chat => "/chat/completions",
            Self::Responses => "/responses",
            Self::Messages => "/v1/messages",
        }
    }

    pub(super) fn models(self) -> (&'static str, &'static str) {
        match self {
            Self::Chat => ("gpt-4.1", "gpt-4.1-2025-04-14"),
            Self::Responses => ("gpt-5-codex", "gpt-5-codex-2026-01-15"),
            Self::Messages => ("claude-sonnet-4", "claude-sonnet-4-20250514"),
        }
    }

    /// A request's body: what was said before as (role, text), and whether tools are offered.
    pub(super) fn request(self, model: &str, said: &[(&str, String)], tools: bool, stream: bool) -> Value {
        let schema = json!({"type": "object", "properties": {"path": {"type": "string"}}});
        let mut body = match self {
            Self::Chat => {
                let messages: Vec<Value> = said
                    .iter()
                    .map(|(role, text)| match *role {
                        "tool" => json!({"role": "tool", "tool_call_id": "call_1", "content": text}),
                        role => json!({"role": role, "content": text}),
                    })
                    .collect();
                json!({"model": model, "messages": messages, "temperature": 0.1, "stream": stream})
            }
            Self::Responses => {
                let input: Vec<Value> = said
                    .iter()
                    .map(|(role, text)| match *role {
                        "tool" => json!({"type": "function_call_output", "call_id": "call_1", "output": text}),
                        "assistant" => json!({"role": "assistant", "content": [{"type": "output_text", "text": text}]}),
                        role => json!({"role": role, "content": [{"type": "input_text", "text": text}]}),
                    })
                    .collect();
                json!({"model": model, "input": input, "store": false, "stream": stream})
            }
            Self::Messages => {
                let turns = said.iter().filter(|(role, _)| *role != "system");
                let messages: Vec<Value> = turns
                    .map(|(role, text)| match *role {
                        "tool" => json!({"role": "user", "content": [
                            {"type": "tool_result", "tool_use_id": "toolu_1", "content": text}]}),
                        role => json!({"role": role, "content": text}),
                    })
                    .collect();
                json!({"model": model, "system": "You are a programmer.", "messages": messages, "max_tokens": 4096, "stream": stream})
            }
        };
        if tools {
            body["tools"] = match self {
                Self::Chat => json!([{"type": "function", "function": {"name": "read_file", "parameters": schema}}]),
                Self::Responses => json!([{"type": "function", "name": "read_file", "parameters": schema}]),
                Self::Messages => json!([{"name": "read_file", "input_schema": schema}]),
            };
        }
        body
    }
}

impl Said {
    /// As a stream. `failing`: it ends with an error event half way.
    pub(super) fn stream(&self, rng: &mut Rng, stream: Stream, failing: bool) -> Stream {
        match self.format {
            Format::Chat => self.chat(rng, stream, failing),
            Format::Responses => self.responses(rng, stream, failing),
            Format::Messages => self.messages(rng, stream, failing),
        }
    }

    /// As one document.
    pub(super) fn document(&self) -> Cut {
        let (text, model, id) = (&self.text, &self.answered, &self.id);
        let body = match self.format {
            Format::Chat => json!({"id": id, "object": "chat.completion", "model": model, "choices": [
                {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}),
            Format::Responses => json!({"id": id, "object": "response", "status": "completed", "model": model,
                "output": [{"type": "message", "id": "msg_1", "role": "assistant",
                    "content": [{"type": "output_text", "text": text}]}]}),
            Format::Messages => json!({"id": id, "type": "message", "role": "assistant", "model": model,
                "content": [{"type": "text", "text": text}], "stop_reason": "end_turn"}),
        };
        let mut body = body;
        if let Some(usage) = self.usage() {
            body["usage"] = usage;
        }
        Cut {
            texts: vec![text.clone()],
            tokens: self.told(),
            model: Some(model.clone()),
            ..Cut::document(body.to_string())
        }
    }

    /// The usage in the format's own words.
    fn usage(&self) -> Option<Value> {
        let [input, cached, output] = self.tokens?;
        let mut usage = match self.format {
            Format::Chat => {
                json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output})
            }
            Format::Responses => {
                json!({"input_tokens": input, "output_tokens": output, "total_tokens": input + output})
            }
            // Here the cached tokens are not part of the input.
            Format::Messages => json!({"input_tokens": input - cached - cached / 4, "output_tokens": output,
                "cache_creation_input_tokens": cached / 4, "cache_read_input_tokens": cached}),
        };
        match self.format {
            Format::Chat if self.tells_cached => usage["prompt_tokens_details"] = json!({"cached_tokens": cached}),
            Format::Responses if self.tells_cached => usage["input_tokens_details"] = json!({"cached_tokens": cached}),
            _ => {}
        }
        Some(usage)
    }

    fn told(&self) -> [Option<u64>; 3] {
        let Some([input, cached, output]) = self.tokens else { return [None; 3] };
        let tells = self.tells_cached || self.format == Format::Messages;
        [Some(input), tells.then_some(cached), Some(output)]
    }

    fn chat(&self, rng: &mut Rng, mut stream: Stream, failing: bool) -> Stream {
        let (id, model) = (&self.id, &self.answered);
        let chunk = |choices: Value| json!({"id": id, "created": 1772500000, "model": model, "choices": choices});
        let delta = |delta: Value| chunk(json!([{"index": 0, "delta": delta, "finish_reason": null}]));
        if rng.one_in(2) {
            stream.data(&json!({"id": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": []}));
        }
        stream.data(&delta(json!({"role": "assistant", "content": ""}))).gives(0, "");
        if let Some(reasoning) = &self.reasoning {
            stream.data(&delta(json!({"reasoning_text": reasoning}))).token();
        }
        for word in words(&self.text) {
            stream.data(&delta(json!({"content": word}))).gives(0, word);
        }
        if failing {
            stream.data(&json!({"error": {"message": "the model is overloaded", "code": "overloaded"}})).fails();
            return stream;
        }
        if let Some(path) = &self.tool {
            let call = json!({"index": 0, "id": "call_1", "type": "function",
                "function": {"name": "read_file", "arguments": ""}});
            stream.data(&delta(json!({"tool_calls": [call]}))).token().glued();
            for part in ["{\"path\":\"", path, "\"}"] {
                let arguments = json!([{"index": 0, "function": {"arguments": part}}]);
                stream.data(&delta(json!({"tool_calls": arguments}))).token();
            }
        }
        let reason = if self.tool.is_some() { "tool_calls" } else { "stop" };
        stream.data(&chunk(json!([{"index": 0, "delta": {}, "finish_reason": reason}])));
        if let Some(usage) = self.usage() {
            let mut last = chunk(json!([]));
            last["usage"] = usage;
            stream.data(&last).tells(self.told());
        }
        stream.event(None, "[DONE]");
        stream
    }

    fn responses(&self, rng: &mut Rng, mut stream: Stream, failing: bool) -> Stream {
        let (id, model) = (&self.id, &self.answered);
        let sealed = digits(rng, 40);
        stream.named(&json!({"type": "response.created", "response": {"id": id, "model": model, "status": "in_progress", "output": []}}));
        let mut output = Vec::new();
        if let Some(reasoning) = &self.reasoning {
            stream
                .named(&json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 0,
                "item_id": "rs_1", "delta": reasoning}));
            stream.token();
            let item = json!({"type": "reasoning", "id": "rs_1", "encrypted_content": sealed,
                "summary": [{"type": "summary_text", "text": reasoning}]});
            stream.named(&json!({"type": "response.output_item.done", "output_index": 0, "item": item}));
            output.push(item);
        }
        let at = output.len();
        for word in words(&self.text) {
            stream
                .named(&json!({"type": "response.output_text.delta", "output_index": at, "content_index": 0,
                    "item_id": "msg_1", "delta": word}))
                .gives(0, word);
        }
        if failing {
            stream
                .named(&json!({"type": "response.failed", "response": {"id": id, "model": model, "status": "failed",
                    "error": {"code": "server_error", "message": "the model is gone"}, "output": []}}))
                .fails();
            return stream;
        }
        if !self.text.is_empty() {
            let item = json!({"type": "message", "id": "msg_1", "role": "assistant",
                "content": [{"type": "output_text", "text": self.text}]});
            stream.named(&json!({"type": "response.output_item.done", "output_index": at, "item": item}));
            output.push(item);
        }
        if let Some(path) = &self.tool {
            let at = output.len();
            let arguments = format!("{{\"path\":\"{path}\"}}");
            let item = |arguments: &str| json!({"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "read_file", "arguments": arguments});
            stream.named(&json!({"type": "response.output_item.added", "output_index": at, "item": item("")}));
            stream.token().glued();
            stream.named(&json!({"type": "response.function_call_arguments.delta", "output_index": at, "item_id": "fc_1", "delta": arguments}));
            stream.token();
            stream.named(&json!({"type": "response.output_item.done", "output_index": at, "item": item(&arguments)}));
            output.push(item(&arguments));
        }
        let mut response = json!({"id": id, "model": model, "status": "completed", "output": output});
        if let Some(usage) = self.usage() {
            response["usage"] = usage;
        }
        stream.named(&json!({"type": "response.completed", "response": response})).tells(self.told());
        stream
    }

    fn messages(&self, rng: &mut Rng, mut stream: Stream, failing: bool) -> Stream {
        let (id, model) = (&self.id, &self.answered);
        let mut message = json!({"id": id, "type": "message", "role": "assistant", "model": model, "content": []});
        let usage = self.usage();
        let told = self.told();
        if let Some(usage) = &usage {
            message["usage"] = usage.clone();
            // What is out so far says nothing of the whole: without the last word the answer's tokens are unknown.
            message["usage"]["output_tokens"] = json!(1);
        }
        stream.named(&json!({"type": "message_start", "message": message}));
        if usage.is_some() {
            stream.tells([told[0], told[1], None]);
        }
        let mut at = 0;
        let mut block = |stream: &mut Stream, start: Value, deltas: Vec<(Value, Option<&str>)>| {
            stream.named(&json!({"type": "content_block_start", "index": at, "content_block": start})).glued();
            if start["type"] == "tool_use" {
                stream.token();
            }
            for (delta, text) in deltas {
                stream.named(&json!({"type": "content_block_delta", "index": at, "delta": delta}));
                match text {
                    Some(text) => stream.gives(0, text),
                    None => stream.token(),
                };
            }
            stream.named(&json!({"type": "content_block_stop", "index": at}));
            at += 1;
        };
        if let Some(reasoning) = &self.reasoning {
            let thinking = json!({"type": "thinking_delta", "thinking": reasoning});
            block(&mut stream, json!({"type": "thinking", "thinking": ""}), vec![(thinking, None)]);
        }
        if rng.one_in(3) {
            stream.named(&json!({"type": "ping"}));
        }
        let deltas = words(&self.text).map(|word| (json!({"type": "text_delta", "text": word}), Some(word))).collect();
        block(&mut stream, json!({"type": "text", "text": ""}), deltas);
        if failing {
            stream
                .named(&json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}))
                .fails();
            return stream;
        }
        if let Some(path) = &self.tool {
            let parts = ["{\"path\":\"", path, "\"}"];
            let deltas =
                parts.iter().map(|part| (json!({"type": "input_json_delta", "partial_json": part}), None)).collect();
            block(&mut stream, json!({"type": "tool_use", "id": "toolu_1", "name": "read_file", "input": {}}), deltas);
        }
        let reason = if self.tool.is_some() { "tool_use" } else { "end_turn" };
        let mut last = json!({"type": "message_delta", "delta": {"stop_reason": reason}});
        if self.tokens.is_some() {
            last["usage"] = json!({"output_tokens": told[2]});
        }
        stream.named(&last).tells([None, None, told[2]]);
        stream.named(&json!({"type": "message_stop"}));
        stream
    }
}

/// A text in pieces, as models give it; no piece is empty.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(' ')
}

/// A sentence or three.
pub(super) fn prose(rng: &mut Rng) -> String {
    const PARTS: [&str; 12] = [
        "The loop ends early. ",
        "Use a map instead of the list. ",
        "Größe and naïveté stay as they are. ",
        "This function reads the file twice. ",
        "雪 is one character. ",
        "Add a test for the empty case. ",
        "```\nlet total = rows.len();\n```\n",
        "The lock is held across the call. ",
        "Rename it to parse_header. ",
        "A 404 means that the path is wrong. ",
        "Quote \"it\" with a \\ backslash. ",
        "Nothing else has to change. ",
    ];
    let n = rng.range(1, 4);
    (0..n).map(|_| *choose(rng, &PARTS)).collect::<String>().trim_end().to_owned()
}
