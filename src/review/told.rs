//! What is told of one exchange in words: the same on the command line and on its page.

use super::amounts::{millis, number, size};
use super::subject::Subject;
use super::text::printable;
use crate::archive::Body;
use crate::copilot::answer::{Usage, UsageSource};
use crate::index::{EventRow, Initiator, Row};

/// Properties of an event of telemetry that say what it is about.
pub const TELLING: [&str; 8] = [
    "headerRequestId",
    "clientCompletionId",
    "choiceIndex",
    "languageId",
    "reason",
    "acceptance",
    "editor_version",
    "engineName",
];

/// The model, and where another one answered, which; as the record has them. None where no model is named.
#[must_use]
pub fn model(row: &Row) -> Option<String> {
    match (&row.model, &row.model_answered) {
        (Some(asked), Some(answered)) if asked != answered => Some(format!("{asked}, answered by {answered}")),
        (Some(model), _) | (None, Some(model)) => Some(model.clone()),
        (None, None) => None,
    }
}

/// Who asked and what for, as far as the headers say; as the record has it.
#[must_use]
pub fn purpose(subject: &Subject) -> Option<String> {
    let row = &subject.row;
    let who = row.initiator.map(|initiator| match initiator {
        Initiator::User => "asked by a person",
        Initiator::Agent => "asked by the client itself",
    });
    // Where both headers are there the type says more: a subagent, work in the background, a commit message.
    let mut fields = subject.record.request_headers.iter();
    let kind = fields.find(|(name, _)| name.eq_ignore_ascii_case("x-interaction-type")).map(|(_, kind)| kind.trim());
    let kind = kind.filter(|kind| !kind.is_empty() && row.intent.as_deref() != Some(kind));
    let words = [who, row.intent.as_deref(), kind, row.speculative.then_some("ahead of need")];
    let words: Vec<_> = words.into_iter().flatten().collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// The size of a body, and whether all of it was kept.
#[must_use]
pub fn body_size(body: &Body) -> String {
    let cut = if body.truncated { " (cut by a ceiling)" } else { "" };
    format!("{}{cut}", size(body.size))
}

/// The tokens of an exchange, in words; none where nobody counted or estimated any.
#[must_use]
pub fn tokens(subject: &Subject) -> Option<String> {
    let row = &subject.row;
    if row.tokens_in.is_none() && row.tokens_out.is_none() {
        return None;
    }
    let known = |value: Option<u64>| value.map_or_else(|| "?".to_owned(), number);
    let of = |what: &str, value: Option<u64>| value.map_or_else(String::new, |n| format!(" ({what} {})", number(n)));
    let usage = subject.answer.as_ref().and_then(|answer| answer.usage.as_ref());
    // Without usage in the answer, the index took the request's estimate.
    let told = usage.is_some_and(|Usage { source, .. }| *source == UsageSource::Answer);
    Some(format!(
        "in {}{}, out {}{}{}",
        known(row.tokens_in),
        of("cached", row.tokens_cached),
        known(row.tokens_out),
        of("reasoning", row.tokens_reasoning),
        if told { "" } else { ", as the request estimates" }
    ))
}

/// How long after the request something was seen: `+2.1 s`. Less than nothing where the clock of a client is behind.
///
/// `micros`: microseconds.
#[must_use]
pub fn later(micros: i64) -> String {
    let sign = if micros < 0 { '-' } else { '+' };
    let seconds = micros.unsigned_abs() / 1_000_000;
    match seconds {
        0..60 => format!("{sign}{:.1} s", micros.unsigned_abs() as f64 / 1e6),
        60..7_200 => format!("{sign}{} min", seconds / 60),
        7_200..172_800 => format!("{sign}{} h", seconds / 3_600),
        _ => format!("{sign}{} days", seconds / 86_400),
    }
}

/// What an event of telemetry says, without its name.
#[must_use]
pub fn said(event: &EventRow) -> String {
    let mut words = Vec::new();
    words.extend(event.choice.map(|choice| format!("choice {choice}")));
    words.extend(event.chars.map(|chars| format!("{} characters", number(chars))));
    words.extend(event.lines.map(|lines| format!("{} lines", number(lines))));
    words.extend(event.timeout.map(|seconds| format!("after {seconds} s")));
    words.extend(
        event.still.map(|still| (if still { "still in the code" } else { "no longer in the code" }).to_owned()),
    );
    words.extend(event.shown.map(|shown| (if shown { "shown" } else { "not shown" }).to_owned()));
    words.extend(event.acceptance.as_ref().map(|how| printable(how).into_owned()));
    words.extend(event.reason.as_ref().map(|why| format!("reason: {}", printable(why))));
    words.extend(event.produce_ms.map(|time| format!("produced in {}", millis(time))));
    words.extend(event.total_ms.map(|time| format!("took {}", millis(time))));
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_after_are_told_by_their_size() {
        let second = 1_000_000;
        for (micros, expected) in [
            (2_100_000, "+2.1 s"),
            (-second, "-1.0 s"),
            (301 * second, "+5 min"),
            (7_300 * second, "+2 h"),
            (200_000 * second, "+2 days"),
        ] {
            assert_eq!(later(micros), expected);
        }
    }
}
