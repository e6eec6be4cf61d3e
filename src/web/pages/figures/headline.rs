//! The key numbers, and what they mean.

use maud::{Markup, html};

use super::tables::seconds;
use crate::figures::{Figures, Telemetry};
use crate::review::cells::{Cell, millis, of_chats, of_requests, of_telemetry, part_of_requests, persists, rate};
use crate::web::charts::Unit;

/// One number.
struct Key {
    label: &'static str,
    value: String,
    means: String,
}

/// The row of key numbers, and what has to be known to read them.
pub(super) fn headline(total: &Figures) -> Markup {
    html! {
        div.cards.keys {
            @for key in keys(total) {
                div.card {
                    p.label { (key.label) }
                    p.value { (key.value) }
                    p.label { (key.means) }
                }
            }
        }
        @if let Some(note) = telemetry(total) { p.note { (note) } }
    }
}

fn keys(total: &Figures) -> [Key; 8] {
    let text = |value: Option<u64>| of_requests(total, value).text();
    let last = total.persistence.last().map_or(0, |at| at.after);
    [
        Key {
            label: "Requests",
            value: Cell::Count(total.requests).text(),
            means: format!("by {} active users, telemetry not counted", text(total.active_users)),
        },
        Key {
            label: "Acceptance",
            value: rate(total, total.acceptance(), total.shown).text(),
            means: format!(
                "of {} suggestions shown; {} by characters",
                of_telemetry(total, total.shown).text(),
                rate(total, total.acceptance_by_chars(), total.chars_shown).text()
            ),
        },
        Key {
            label: "Still in the code",
            value: persists(total, last).text(),
            means: format!("of the accepted, where it was looked at after {}", seconds(last)),
        },
        Key {
            label: "First token, median",
            value: time(total, total.first_token.p50),
            means: format!("one answer in ten takes longer than {}", time(total, total.first_token.p90)),
        },
        Key {
            label: "Whole answer, median",
            value: time(total, total.total.p50),
            means: format!("one in ten takes longer than {}", time(total, total.total.p90)),
        },
        Key {
            label: "Tokens sent",
            value: tokens(total, total.tokens_in),
            means: format!(
                "{} of them cached; {} answered",
                tokens(total, total.tokens_cached),
                tokens(total, total.tokens_out)
            ),
        },
        Key {
            label: "Cancelled",
            value: part_of_requests(total, total.cancelled).text(),
            means: format!(
                "of requests, by the client: mostly while typing. {} failed",
                part_of_requests(total, Some(total.errors)).text()
            ),
        },
        Key {
            label: "Chat turns",
            value: of_chats(total.turns).text(),
            means: format!("of people, and {} follow-ups of the client itself", of_chats(total.follow_ups).text()),
        },
    ]
}

/// With a unit that fits.
fn time(total: &Figures, value: Option<f64>) -> String {
    value.map_or_else(|| millis(total, None).text(), |value| Unit::Millis.value(value))
}

fn tokens(total: &Figures, value: Option<u64>) -> String {
    value.map_or_else(|| of_requests(total, None).text(), |value| Unit::Count.value(value as f64))
}

/// How much of the suggestions is known.
fn telemetry(total: &Figures) -> Option<String> {
    let (users, known) = (total.suggestion_users, total.telemetry_users);
    match total.telemetry() {
        Telemetry::NothingToKnow => None,
        Telemetry::Unknown => Some(
            "No telemetry came, so nothing is known of what was shown and accepted: ? is unknown, and never zero."
                .to_owned(),
        ),
        Telemetry::Known if known < users => Some(format!(
            "What was shown and accepted is known of {known} of {users} users: telemetry of the others did not come. \
             Rates are of those {known} alone; ? is unknown, and never zero."
        )),
        Telemetry::Known => None,
    }
}
