//! Where the time went: a bar for each step, with its numbers beside it.

use std::fmt::Write;

use maud::{Markup, html};

use crate::review::amounts::{millis, number, size};
use crate::review::subject::Subject;
use crate::review::timing::{Phase, Step, known, span, steps};

/// Width of the drawing, in its own units.
const WIDE: f64 = 1_000.0;
/// Ticks that are drawn; more would touch each other.
const TICKS: usize = 400;

pub(super) fn timing(subject: &Subject) -> Markup {
    let steps = steps(&subject.row, &subject.record);
    let Some((first, last)) = span(&steps) else {
        return html! { section { h2 #timing { "Timing" } p.empty { "Unknown: the record has no times." } } };
    };
    let place = |at: f64| ((at - first) / (last - first).max(f64::MIN_POSITIVE)).clamp(0.0, 1.0) * WIDE;
    html! {
        section {
            h2 #timing { "Timing" }
            div.scroll tabindex="0" role="region" aria-labelledby="timing" {
                table.timing {
                    thead { tr {
                        th scope="col" { "Step" }
                        th.steps scope="col" { span.visually-hidden { "When it was" } }
                        th.num scope="col" { "From" }
                        th.num scope="col" { "To" }
                        th.num scope="col" { "Took" }
                    } }
                    tbody {
                        @for step in &steps {
                            tr {
                                th scope="row" { (look(step.phase).0) }
                                td.steps { (bar(step, place, &subject.record.chunks)) }
                                td.num { (signed(step.from)) }
                                td.num { (signed(step.to)) }
                                td.num { (millis(step.to - step.from)) }
                            }
                        }
                    }
                }
            }
            (sums(subject))
        }
    }
}

/// What a phase is called, and how its bar is drawn.
fn look(phase: Phase) -> (&'static str, &'static str) {
    match phase {
        Phase::Connect => ("Tunnel: connect", "tunnel"),
        Phase::Tls => ("Tunnel: TLS", "tunnel"),
        Phase::Request => ("Sending the request", "sending"),
        Phase::FirstByte => ("Waiting for the first byte", "waiting"),
        Phase::FirstToken => ("Until the first token", "receiving"),
        Phase::LastByte => ("Receiving the answer", "receiving"),
    }
}

/// `-40 ms` is before the request.
fn signed(at: f64) -> String {
    if at < -0.5 { format!("-{}", millis(-at)) } else { millis(at) }
}

/// The bar is decoration: the numbers stand beside it.
fn bar(step: &Step, place: impl Fn(f64) -> f64, chunks: &[(f64, u64)]) -> Markup {
    let (from, to) = (place(step.from), place(step.to));
    let (_, class) = look(step.phase);
    let within = chunks.iter().map(|(at, _)| *at).filter(|at| *at > step.from && *at <= step.to);
    let ticks = if class == "receiving" { ticks(within.map(&place)) } else { String::new() };
    html! {
        svg.bar viewBox="0 0 1000 20" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
            rect class=(class) x=(format!("{from:.1}")) y="3" width=(format!("{:.1}", (to - from).max(2.0))) height="14" {}
            @if !ticks.is_empty() { path.ticks d=(ticks) {} }
        }
    }
}

/// A line for each arrival, and one for those that would be drawn at the same place.
fn ticks(places: impl Iterator<Item = f64>) -> String {
    let apart = WIDE / TICKS as f64;
    let mut path = String::new();
    let mut last = f64::NEG_INFINITY;
    for place in places {
        // Arrivals are in their order; what a damaged file has otherwise is left out.
        if place - last >= apart {
            // A String takes all that is written.
            let _ = write!(path, "M{place:.1} 3V17");
            last = place;
        }
    }
    path
}

/// What can be figured out from the times.
fn sums(subject: &Subject) -> Markup {
    let row = &subject.row;
    let chunks = &subject.record.chunks;
    html! {
        dl.facts {
            @if let Some(token) = known(row.first_token_ms) { dt { "First token" } dd { (millis(token)) " after the request's first byte" } }
            @if let Some(rate) = rate(subject) {
                dt { "Tokens per second" }
                dd { (format!("{rate:.1}")) " " span.muted { "(tokens of the answer, by the time from the first one to the end)" } }
            }
            @if !chunks.is_empty() {
                dt { "Arrivals" }
                dd {
                    (number(chunks.len() as u64)) " of response data, "
                    (size(chunks.iter().fold(0_u64, |sum, (_, bytes)| sum.saturating_add(*bytes)))) " on the wire; each is a line in the bar"
                }
            }
            @if let Some(server) = known(row.server_ms) { dt { "Server" } dd { (millis(server)) ", by its own clock" } }
        }
    }
}

/// Tokens of the answer by the time from the first one to the end. The first one is there when that time begins, and
/// counts all the same: nobody tells how many tokens it came with.
fn rate(subject: &Subject) -> Option<f64> {
    let row = &subject.row;
    let took = known(row.total_ms)? - known(row.first_token_ms)?;
    let tokens = row.tokens_out.filter(|tokens| *tokens > 0)?;
    (took > 0.0).then(|| tokens as f64 / (took / 1e3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_that_would_touch_are_one() {
        assert_eq!(ticks([0.0, 0.1, 2.6, 999.0].into_iter()), "M0.0 3V17M2.6 3V17M999.0 3V17");
        let many = ticks((0..100_000).map(|at| f64::from(at) / 100.0));
        assert!(many.matches('M').count() <= TICKS, "{}", many.matches('M').count());
        assert_eq!(ticks([f64::NAN, 5.0, 1.0].into_iter()), "M5.0 3V17");
    }

    #[test]
    fn times_before_the_request_have_a_sign() {
        assert_eq!([-40.0, 0.0, -0.2, 12_345.0].map(signed), ["-40 ms", "0 ms", "0 ms", "12.3 s"]);
    }
}
