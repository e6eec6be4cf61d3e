//! A batch of telemetry: its events.

use maud::{Markup, html};

use super::room::Room;
use super::view::View;
use crate::copilot::telemetry::{Batch, Event, Key};
use crate::review::amounts::number;
use crate::review::told::TELLING;
use crate::web::render::text;

/// Events that are shown; a batch of a busy minute has a hundred.
const SHOWN: usize = 500;
/// Letters of a property that are shown: code that enhanced telemetry carries is longer.
const VALUE: usize = 4_000;
/// Letters of a property in the row itself.
const SHORT: usize = 80;
pub(super) fn batch(view: &View, batch: &Batch, room: &mut Room) -> Markup {
    html! {
        section {
            h2 #events { "Events (" (number(batch.events.len() as u64)) ")" }
            @if batch.events.is_empty() { p.empty { "No event could be read from it." } }
            @else {
                div.scroll tabindex="0" role="region" aria-labelledby="events" {
                    table.events {
                        thead { tr {
                            th scope="col" { "Time (" (view.zone_name()) ")" }
                            th scope="col" { "Event" }
                            th scope="col" { "Key" }
                            th scope="col" { "It says" }
                        } }
                        tbody { @for event in batch.events.iter().take(SHOWN) { (self::event(view, event, room)) } }
                    }
                }
            }
            @if batch.events.len() > SHOWN {
                p.left-out { (number((batch.events.len() - SHOWN) as u64)) " more events are not shown; the body has them all." }
            }
            @if batch.unreadable > 0 { p.note.warn { (number(batch.unreadable)) " more could not be read." } }
        }
    }
}

fn event(view: &View, event: &Event, room: &mut Room) -> Markup {
    let key = match event.key {
        Key::Standard => "standard",
        Key::Enhanced => "enhanced",
        Key::Other => "another",
    };
    let told = TELLING.iter().filter_map(|name| Some((*name, event.properties.get(*name)?)));
    let told: Vec<_> = told.collect();
    let all = event.properties.len() + event.measurements.len();
    html! {
        tr {
            td.nowrap {
                @match event.time {
                    Some(time) => (view.clock(time, "%H:%M:%S%.3f")),
                    None => "?",
                }
            }
            th scope="row" { (text::text(&event.full_name)) @if event.exception { " (exception)" } }
            td { (key) }
            td {
                @for (name, value) in told {
                    @let cut = room.cut(value, SHORT);
                    div.small { (name) " = " (text::visible(cut.shown)) @if cut.left_out > 0 { "…" } }
                }
                @if all > 0 {
                    details {
                        summary { "all " (number(all as u64)) }
                        dl.facts.small {
                            @for (name, value) in &event.properties { (property(name, value, room)) }
                            @for (name, value) in &event.measurements { (property(name, &value.to_string(), room)) }
                        }
                    }
                }
            }
        }
    }
}

fn property(name: &str, value: &str, room: &mut Room) -> Markup {
    let name = room.cut(name, SHORT).shown;
    let cut = room.cut(value, VALUE);
    html! { dt { (text::visible(name)) } dd { (text::visible(cut.shown)) (text::left_out(cut.left_out)) } }
}
