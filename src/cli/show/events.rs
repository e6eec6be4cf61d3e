//! Telemetry: what it says of an exchange, and what a record of it holds.

use super::super::output::printable;
use super::super::rows::number;
use super::Subject;
use super::page::Page;
use crate::copilot::telemetry::{Batch, Event, Key};
use crate::review::told::{TELLING, later, said};
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

/// Events of a batch that are shown unless all are asked for.
const SHOWN: usize = 50;
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
