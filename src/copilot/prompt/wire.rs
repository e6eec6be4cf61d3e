//! The objects of the four request bodies, as far as they are read.

use crate::copilot::json::{Content, Count, Flag, List, Present, Raw, Text, node};

node! {
    /// A request's body, of whichever format.
    RequestNode<'a> {
        "type" => kind: Text<'a>,
        "model" => model: Text<'a>,
        "stream" => stream: Flag,
        "n" => n: Count,
        "stop" => stop: Raw<'a>,
        "tools" => tools: List<ToolNode<'a>>,
        "functions" => functions: List<ToolNode<'a>>,
        // Ghost text.
        "prompt" => prompt: Content<'a, PartNode<'a>>,
        "suffix" => suffix: Text<'a>,
        "nwo" => nwo: Text<'a>,
        "extra" => extra: ExtraNode<'a>,
        // Chat and Messages.
        "messages" => messages: List<Raw<'a>>,
        // Messages alone.
        "system" => system: Content<'a, PartNode<'a>>,
        "thinking" => thinking: Raw<'a>,
        "stop_sequences" => stop_sequences: Present,
        "output_config" => output_config: Present,
        "anthropic_version" => anthropic_version: Present,
        // Responses.
        "input" => input: Raw<'a>,
        "instructions" => instructions: Content<'a, PartNode<'a>>,
        "previous_response_id" => previous_response_id: Text<'a>,
        "initiator" => initiator: Text<'a>,
        "include" => include: Present,
        "store" => store: Present,
        "reasoning" => reasoning: Present,
        "truncation" => truncation: Present,
        "prompt_cache_key" => prompt_cache_key: Present,
        "max_output_tokens" => max_output_tokens: Present,
    }
}

node! {
    /// `extra` of ghost text.
    ExtraNode<'a> {
        "language" => language: Text<'a>,
        "prompt_tokens" => prompt_tokens: Count,
        "suffix_tokens" => suffix_tokens: Count,
    }
}

node! {
    /// One of `tools` or `functions`.
    ToolNode<'a> {
        "type" => kind: Text<'a>,
        "name" => name: Text<'a>,
        "function" => function: FunctionNode<'a>,
        "input_schema" => input_schema: Present,
    }
}

node! {
    /// `function` of a tool or of a call.
    FunctionNode<'a> {
        "name" => name: Text<'a>,
        "arguments" => arguments: Raw<'a>,
    }
}

node! {
    /// One of `messages`, or of Responses' `input`.
    MessageNode<'a> {
        "type" => kind: Text<'a>,
        "role" => role: Text<'a>,
        "content" => content: Content<'a, PartNode<'a>>,
        "name" => name: Text<'a>,
        "reasoning_text" => reasoning_text: Text<'a>,
        "reasoning_content" => reasoning_content: Text<'a>,
        "cot_summary" => cot_summary: Text<'a>,
        "tool_calls" => tool_calls: List<CallNode<'a>>,
        "function_call" => function_call: FunctionNode<'a>,
        "tool_call_id" => tool_call_id: Text<'a>,
        "id" => id: Text<'a>,
        "call_id" => call_id: Text<'a>,
        "arguments" => arguments: Raw<'a>,
        "input" => input: Raw<'a>,
        "output" => output: Content<'a, PartNode<'a>>,
        "summary" => summary: List<PartNode<'a>>,
    }
}

node! {
    /// One of a chat's `tool_calls`.
    CallNode<'a> {
        "id" => id: Text<'a>,
        "function" => function: FunctionNode<'a>,
    }
}

node! {
    /// A part of a content; a string is one too.
    PartNode<'a> {
        "type" => kind: Text<'a>,
        "text" => text: Text<'a>,
        "refusal" => refusal: Text<'a>,
        "thinking" => thinking: Text<'a>,
        "id" => id: Text<'a>,
        "name" => name: Text<'a>,
        "input" => input: Raw<'a>,
        "tool_use_id" => tool_use_id: Text<'a>,
        "content" => content: Raw<'a>,
    }
}
