//! The objects of the four formats, as far as they are read.
//!
//! One event type for all: an event is parsed once, and tells the format only then.

use crate::copilot::json::{Content, Count, List, Raw, Text, node};

node! {
    /// An event, or an answer that is no stream.
    Event<'a> {
        "type" => kind: Text<'a>,
        "object" => object: Text<'a>,
        "id" => id: Text<'a>,
        "model" => model: Text<'a>,
        "choices" => choices: List<ChoiceNode<'a>, 128>,
        "usage" => usage: Raw<'a>,
        "error" => error: Raw<'a>,
        "code" => code: Raw<'a>,
        "jsonrpc" => jsonrpc: Raw<'a>,
        "copilot_errors" => copilot_errors: Raw<'a>,
        "copilot_references" => copilot_references: Raw<'a>,
        "copilot_confirmation" => copilot_confirmation: Raw<'a>,
        "prompt_filter_results" => prompt_filter_results: Raw<'a>,
        "sequence_number" => sequence_number: Count,
        "output_index" => output_index: Count,
        "content_index" => content_index: Count,
        "summary_index" => summary_index: Count,
        "index" => index: Count,
        "delta" => delta: DeltaNode<'a>,
        "text" => text: Text<'a>,
        "refusal" => refusal: Text<'a>,
        "arguments" => arguments: Raw<'a>,
        "input" => input: Raw<'a>,
        "item" => item: Raw<'a>,
        "response" => response: Raw<'a>,
        "message" => message: Raw<'a>,
        "content_block" => content_block: Raw<'a>,
        "output" => output: Raw<'a>,
        "content" => content: Raw<'a>,
        "status" => status: Text<'a>,
        "incomplete_details" => incomplete_details: DetailsNode<'a>,
        "stop_reason" => stop_reason: Text<'a>,
    }
}

node! {
    /// One of `choices`.
    ChoiceNode<'a> {
        "index" => index: Count,
        "text" => text: Text<'a>,
        "delta" => delta: SayingNode<'a>,
        "message" => message: SayingNode<'a>,
        "finish_reason" => finish_reason: Text<'a>,
    }
}

node! {
    /// `delta` or `message` of a chat's choice.
    SayingNode<'a> {
        "content" => content: Content<'a, PieceNode<'a>>,
        "refusal" => refusal: Text<'a>,
        "reasoning_text" => reasoning_text: Text<'a>,
        "reasoning_content" => reasoning_content: Text<'a>,
        "cot_summary" => cot_summary: Text<'a>,
        "tool_calls" => tool_calls: List<CallNode<'a>, 1024>,
        "function_call" => function_call: FunctionNode<'a>,
    }
}

node! {
    /// A part of a content that is a list; a string is one too.
    PieceNode<'a> {
        "text" => text: Text<'a>,
        "refusal" => refusal: Text<'a>,
    }
}

node! {
    /// One of a chat's `tool_calls`.
    CallNode<'a> {
        "index" => index: Count,
        "id" => id: Text<'a>,
        "function" => function: FunctionNode<'a>,
    }
}

node! {
    /// `function` of a call, and the older `function_call`.
    FunctionNode<'a> {
        "name" => name: Text<'a>,
        "arguments" => arguments: Raw<'a>,
    }
}

node! {
    /// `delta` of Responses (a string) and of Messages.
    DeltaNode<'a> {
        "text" => text: Text<'a>,
        "partial_json" => partial_json: Text<'a>,
        "thinking" => thinking: Text<'a>,
        "stop_reason" => stop_reason: Text<'a>,
    }
}

node! {
    /// `response` of Responses' events.
    ResponseNode<'a> {
        "id" => id: Text<'a>,
        "model" => model: Text<'a>,
        "output" => output: Raw<'a>,
        "usage" => usage: Raw<'a>,
        "error" => error: Raw<'a>,
        "incomplete_details" => incomplete_details: DetailsNode<'a>,
    }
}

node! {
    /// `incomplete_details`.
    DetailsNode<'a> {
        "reason" => reason: Text<'a>,
    }
}

node! {
    /// One of `output`, or `item`.
    ItemNode<'a> {
        "type" => kind: Text<'a>,
        "id" => id: Text<'a>,
        "call_id" => call_id: Text<'a>,
        "name" => name: Text<'a>,
        "arguments" => arguments: Raw<'a>,
        "input" => input: Raw<'a>,
        "content" => content: List<PieceNode<'a>>,
        "summary" => summary: List<PieceNode<'a>>,
    }
}

node! {
    /// `message` of Messages' first event.
    MessageNode<'a> {
        "id" => id: Text<'a>,
        "model" => model: Text<'a>,
        "usage" => usage: Raw<'a>,
    }
}

node! {
    /// One of Messages' `content`, or `content_block`.
    BlockNode<'a> {
        "type" => kind: Text<'a>,
        "id" => id: Text<'a>,
        "name" => name: Text<'a>,
        "text" => text: Text<'a>,
        "thinking" => thinking: Text<'a>,
        "input" => input: Raw<'a>,
    }
}
