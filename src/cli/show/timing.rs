//! Where the time went: one bar for each step, below each other.

use super::super::rows::millis;
use super::Subject;
use super::page::Page;
use crate::review::timing::{Phase, Step, span, steps};

/// Columns of text for the bars.
const BAR: usize = 40;
/// The longest name.
const NAME: usize = 16;

pub(super) fn timing(page: &mut Page<'_>, subject: &Subject) {
    let steps = steps(&subject.row, &subject.record);
    let Some((first, last)) = span(&steps) else { return };
    page.heading("Timing");
    let columns = page.look.width.map_or(BAR, |width| width.saturating_sub(NAME + 16).clamp(10, BAR));
    for step in &steps {
        let bar = bar(step, first, last, columns);
        let (name, says) = words(step);
        page.line(&format!("  {name:<NAME$}  {bar:<columns$}  {says}"));
    }
    if let Some(server) = subject.row.server_ms {
        page.line(&format!("  {:<NAME$}  {:<columns$}  {}, by its own clock", "server", "", millis(server)));
    }
}

/// What a step is called, and what is written at its end: what the tunnel took, and when the rest was.
fn words(step: &Step) -> (&'static str, String) {
    let took = || millis(step.to - step.from);
    match step.phase {
        Phase::Connect => ("tunnel: connect", took()),
        Phase::Tls => ("tunnel: TLS", took()),
        Phase::Request => ("request", millis(step.to)),
        Phase::FirstByte => ("first byte", millis(step.to)),
        Phase::FirstToken => ("first token", millis(step.to)),
        Phase::LastByte => ("last byte", millis(step.to)),
    }
}

fn bar(step: &Step, first: f64, last: f64, columns: usize) -> String {
    let whole = (last - first).max(f64::MIN_POSITIVE);
    // Between 0 and the number of columns, whatever the file says.
    let place = |at: f64| (((at - first) / whole).clamp(0.0, 1.0) * columns as f64).round() as usize;
    let (from, to) = (place(step.from), place(step.to));
    let from = from.min(columns - 1);
    format!("{}{}", " ".repeat(from), "█".repeat(to.saturating_sub(from).max(1)))
}
