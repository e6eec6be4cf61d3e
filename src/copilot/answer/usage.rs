//! Tokens as each format counts them, to one form.

use super::{Format, Usage, UsageSource};
use crate::copilot::json::{Count, Raw, node};

node! {
    /// `usage` of all formats.
    UsageNode<'a> {
        "prompt_tokens" => prompt_tokens: Count,
        "completion_tokens" => completion_tokens: Count,
        "input_tokens" => input_tokens: Count,
        "output_tokens" => output_tokens: Count,
        "total_tokens" => total_tokens: Count,
        "cache_creation_input_tokens" => cache_creation: Count,
        "cache_read_input_tokens" => cache_read: Count,
        "prompt_tokens_details" => prompt_details: DetailNode<'a>,
        "input_tokens_details" => input_details: DetailNode<'a>,
        "completion_tokens_details" => completion_details: DetailNode<'a>,
        "output_tokens_details" => output_details: DetailNode<'a>,
    }
}

node! {
    /// The details of either side.
    DetailNode<'a> {
        "cached_tokens" => cached: Count,
        "reasoning_tokens" => reasoning: Count,
    }
}

/// What was told so far. A later `usage` overrides an earlier one, number by number.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tokens {
    input: Option<u64>,
    output: Option<u64>,
    total: Option<u64>,
    cached: Option<u64>,
    cache_creation: Option<u64>,
    reasoning: Option<u64>,
}

impl Tokens {
    pub(super) fn add(&mut self, usage: Raw<'_>) {
        if !usage.is_object() {
            return;
        }
        let node: UsageNode<'_> = usage.read();
        let set = |to: &mut Option<u64>, of: [Count; 2]| *to = of[0].0.or(of[1].0).or(*to);
        set(&mut self.input, [node.input_tokens, node.prompt_tokens]);
        set(&mut self.output, [node.output_tokens, node.completion_tokens]);
        set(&mut self.total, [node.total_tokens, Count::default()]);
        let details = node.input_details.cached.0.or(node.prompt_details.cached.0);
        set(&mut self.cached, [node.cache_read, Count(details)]);
        set(&mut self.cache_creation, [node.cache_creation, Count::default()]);
        set(&mut self.reasoning, [node.output_details.reasoning, node.completion_details.reasoning]);
    }

    /// Messages begins with a count of the answer that is not the answer's: the last event has it.
    pub(super) fn forget_output(&mut self) {
        self.output = None;
    }

    /// None where nothing was told.
    pub(super) fn normalised(self, format: Format) -> Option<Usage> {
        let told = [self.input, self.output, self.total, self.cached, self.reasoning];
        if told.iter().all(Option::is_none) {
            return None;
        }
        let mut input = self.input;
        if format == Format::Messages {
            let cached = self.cached.unwrap_or(0) + self.cache_creation.unwrap_or(0);
            input = input.map(|fresh| fresh + cached);
        }
        let total = self.total.or_else(|| Some(input? + self.output?));
        Some(Usage {
            input,
            cached_input: self.cached,
            output: self.output,
            reasoning: self.reasoning,
            total,
            source: UsageSource::Answer,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: Format, usages: &[&str]) -> Option<Usage> {
        let mut tokens = Tokens::default();
        for usage in usages {
            tokens.add(serde_json::from_str(usage).unwrap());
        }
        tokens.normalised(format)
    }

    fn usage(numbers: [Option<u64>; 5]) -> Option<Usage> {
        let [input, cached_input, output, reasoning, total] = numbers;
        Some(Usage { input, cached_input, output, reasoning, total, source: UsageSource::Answer })
    }

    #[test]
    fn cached_tokens_are_part_of_the_input_whatever_the_format() {
        let chat = r#"{"prompt_tokens":100,"completion_tokens":20,"total_tokens":120,
            "prompt_tokens_details":{"cached_tokens":60},"completion_tokens_details":{"reasoning_tokens":5}}"#;
        let responses = r#"{"input_tokens":100,"output_tokens":20,"total_tokens":120,
            "input_tokens_details":{"cached_tokens":60},"output_tokens_details":{"reasoning_tokens":5}}"#;
        let messages = r#"{"input_tokens":30,"cache_creation_input_tokens":10,"cache_read_input_tokens":60,
            "output_tokens":20}"#;
        let told = usage([Some(100), Some(60), Some(20), Some(5), Some(120)]);
        assert_eq!(read(Format::Chat, &[chat]), told);
        assert_eq!(read(Format::Responses, &[responses]), told);
        let expected = usage([Some(100), Some(60), Some(20), None, Some(120)]);
        assert_eq!(read(Format::Messages, &[messages]), expected);
    }

    #[test]
    fn a_later_number_overrides_and_a_missing_one_does_not() {
        let (first, last) =
            (r#"{"input_tokens":7,"cache_read_input_tokens":3,"output_tokens":1}"#, "{\"output_tokens\":9}");
        assert_eq!(read(Format::Messages, &[first, last]), usage([Some(10), Some(3), Some(9), None, Some(19)]));
    }

    #[test]
    fn what_is_not_told_is_unknown() {
        for nothing in ["null", "{}", "7", r#"{"prompt_tokens":-1,"total_tokens":"9","completion_tokens":1e999}"#] {
            assert_eq!(read(Format::Chat, &[nothing]), None, "{nothing}");
        }
        assert_eq!(read(Format::Chat, &[r#"{"total_tokens":9}"#]), usage([None, None, None, None, Some(9)]));
        let huge = r#"{"prompt_tokens":18446744073709551615,"completion_tokens":9007199254740992}"#;
        assert_eq!(read(Format::Chat, &[huge]), usage([None, None, Some(1 << 53), None, None]));
    }
}
