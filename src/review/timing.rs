//! Where the time of an exchange went, step by step.

use crate::archive::Record;
use crate::index::Row;

/// What went on meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The tunnel's connection to the upstream was made.
    Connect,
    /// The tunnel's two TLS handshakes were.
    Tls,
    /// The request was sent.
    Request,
    /// The first byte of the response was waited for.
    FirstByte,
    /// The first text, reasoning or tool call was.
    FirstToken,
    /// The rest of the answer came.
    LastByte,
}

/// A step, in milliseconds since the request's first byte; the tunnel's own come before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// What went on.
    pub phase: Phase,
    /// From then.
    pub from: f64,
    /// Until then.
    pub to: f64,
}

/// A time that a record can have.
#[must_use]
pub fn known(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite() && *value >= 0.0)
}

/// The steps of which the record tells, in order.
#[must_use]
pub fn steps(row: &Row, record: &Record) -> Vec<Step> {
    let timings = &record.timings;
    let (connect, tls) = (known(timings.connect), known(timings.tls));
    // The tunnel was set up before its first request, once for all of them.
    let before = connect.unwrap_or(0.0) + tls.unwrap_or(0.0);
    let mut steps = Vec::new();
    let mut push = |phase, from, to| steps.push(Step { phase, from, to });
    if let Some(connect) = connect {
        push(Phase::Connect, -before, connect - before);
    }
    if let Some(tls) = tls {
        push(Phase::Tls, -tls, 0.0);
    }
    let mut from = 0.0_f64;
    for (phase, end) in [
        (Phase::Request, known(timings.request_end)),
        (Phase::FirstByte, known(timings.first_byte)),
        (Phase::FirstToken, known(row.first_token_ms)),
        (Phase::LastByte, known(timings.last_byte)),
    ] {
        let Some(end) = end else { continue };
        // A response may begin before its request has ended.
        push(phase, from.min(end), end);
        from = end;
    }
    steps
}

/// When the first began and the last ended. None where there is no step.
#[must_use]
pub fn span(steps: &[Step]) -> Option<(f64, f64)> {
    let first = steps.iter().map(|step| step.from).reduce(f64::min)?;
    let last = steps.iter().map(|step| step.to).reduce(f64::max)?;
    Some((first, last))
}
