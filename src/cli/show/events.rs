//! Telemetry: what it says of an exchange, and what a record of it holds.

use super::super::output::printable;
use super::super::rows::{millis, number};
use super::Subject;
use super::page::Page;
use crate::copilot::telemetry::{Batch, Event, Key};
use crate::index::EventRow;
use crate::rules::Kind;

/// What became of an answer.
pub(super) fn became(page: &mut Page<'_>, subject: &Subject) {
    let speaks = matches!(subject.row.kind, Kind::Completions | Kind::Nes | Kind::Chat);
    if subject.events.is_empty() && !speaks {
        return;
    }
    page.heading("What became of it");
    if subject.events.is_empty() {
        page.line("  unknown: no telemetry speaks of it");
    }
    for event in &subject.events {
        let after = event.time.saturating_sub(subject.row.began);
        let name = printable(&event.name);
        page.line(&format!("  {:>9}  {name:<28}  {}", later(after), said(event)));
    }
}

/// `+2.1 s`; clocks of clients may be behind.
fn later(micros: i64) -> String {
    let sign = if micros < 0 { '-' } else { '+' };
    let seconds = micros.unsigned_abs() / 1_000_000;
    match seconds {
        0..60 => format!("{sign}{:.1} s", micros.unsigned_abs() as f64 / 1e6),
        60..7_200 => format!("{sign}{} min", seconds / 60),
        7_200..172_800 => format!("{sign}{} h", seconds / 3_600),
        _ => format!("{sign}{} days", seconds / 86_400),
    }
}

fn said(event: &EventRow) -> String {
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

/// Events of a batch that are shown unless all are asked for.
const SHOWN: usize = 50;
/// Properties that say what an event is about.
const TELLING: [&str; 8] = [
    "headerRequestId",
    "clientCompletionId",
    "choiceIndex",
    "languageId",
    "reason",
    "acceptance",
    "editor_version",
    "engineName",
];

/// What a record of telemetry holds.
pub(super) fn batch(page: &mut Page<'_>, batch: &Batch) {
    page.heading(&format!("Events ({})", number(batch.events.len() as u64)));
    let shown = if page.full { batch.events.len() } else { SHOWN };
    for event in batch.events.iter().take(shown) {
        self::event(page, event);
    }
    if batch.events.len() > shown {
        page.fold();
        page.line(&format!("  … {} events …", number((batch.events.len() - shown) as u64)));
    }
    if batch.unreadable > 0 {
        page.line(&format!("  {} more could not be read", number(batch.unreadable)));
    }
}

fn event(page: &mut Page<'_>, event: &Event) {
    let time = event.time.map(|time| page.look.time(time).format("%H:%M:%S%.3f").to_string());
    let key = match event.key {
        Key::Standard => "",
        Key::Enhanced => "  enhanced",
        Key::Other => "  other key",
    };
    let exception = if event.exception { "  exception" } else { "" };
    let name = page.look.tinted("36", &printable(&event.full_name));
    page.line(&format!("  {:<12}  {name}{key}{exception}", time.as_deref().unwrap_or("-")));
    if page.full {
        for (name, value) in &event.properties {
            page.line(&format!("      {} = {}", printable(name), printable(value)));
        }
        for (name, value) in &event.measurements {
            page.line(&format!("      {} = {value}", printable(name)));
        }
        return;
    }
    let told = TELLING.iter().filter_map(|name| {
        let value: String = event.properties.get(*name)?.chars().take(60).collect();
        Some(format!("{name}={}", printable(&value)))
    });
    let told: Vec<_> = told.collect();
    if !told.is_empty() {
        page.line(&format!("      {}", told.join("  ")));
    }
    if event.properties.len() + event.measurements.len() > told.len() {
        page.fold();
    }
}
