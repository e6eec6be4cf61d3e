//! Where the time went: one bar for each step, below each other.

use super::super::rows::millis;
use super::Subject;
use super::page::Page;

/// A step, in milliseconds since the request's first byte; the tunnel's own come before.
struct Step {
    name: &'static str,
    from: f64,
    to: f64,
    /// What is written at its end.
    says: String,
}

/// Columns of text for the bars.
const BAR: usize = 40;
/// The longest name.
const NAME: usize = 16;

pub(super) fn timing(page: &mut Page<'_>, subject: &Subject) {
    let steps = steps(subject);
    let Some((first, last)) = span(&steps) else { return };
    page.heading("Timing");
    let columns = page.look.width.map_or(BAR, |width| width.saturating_sub(NAME + 16).clamp(10, BAR));
    for step in &steps {
        let bar = bar(step, first, last, columns);
        page.line(&format!("  {:<NAME$}  {bar:<columns$}  {}", step.name, step.says));
    }
    if let Some(server) = subject.row.server_ms {
        page.line(&format!("  {:<NAME$}  {:<columns$}  {}, by its own clock", "server", "", millis(server)));
    }
}

fn steps(subject: &Subject) -> Vec<Step> {
    let timings = &subject.record.timings;
    let known = |value: Option<f64>| value.filter(|value| value.is_finite() && *value >= 0.0);
    let (connect, tls) = (known(timings.connect), known(timings.tls));
    let mut steps = Vec::new();
    // The tunnel was set up before its first request, once for all of them.
    let before = connect.unwrap_or(0.0) + tls.unwrap_or(0.0);
    let mut push = |name, from, to, says: String| steps.push(Step { name, from, to, says });
    if let Some(connect) = connect {
        push("tunnel: connect", -before, connect - before, millis(connect));
    }
    if let Some(tls) = tls {
        push("tunnel: TLS", -tls, 0.0, millis(tls));
    }
    let token = known(subject.row.first_token_ms);
    let mut from = 0.0_f64;
    for (name, end) in [
        ("request", known(timings.request_end)),
        ("first byte", known(timings.first_byte)),
        ("first token", token),
        ("last byte", known(timings.last_byte)),
    ] {
        let Some(end) = end else { continue };
        // A response may begin before its request has ended.
        push(name, from.min(end), end, millis(end));
        from = end;
    }
    steps
}

fn span(steps: &[Step]) -> Option<(f64, f64)> {
    let first = steps.iter().map(|step| step.from).reduce(f64::min)?;
    let last = steps.iter().map(|step| step.to).reduce(f64::max)?;
    Some((first, last))
}

fn bar(step: &Step, first: f64, last: f64, columns: usize) -> String {
    let whole = (last - first).max(f64::MIN_POSITIVE);
    // Between 0 and the number of columns, whatever the file says.
    let place = |at: f64| (((at - first) / whole).clamp(0.0, 1.0) * columns as f64).round() as usize;
    let (from, to) = (place(step.from), place(step.to));
    let from = from.min(columns - 1);
    format!("{}{}", " ".repeat(from), "█".repeat(to.saturating_sub(from).max(1)))
}
