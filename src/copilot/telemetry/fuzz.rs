//! Body of a fuzz target, callable from a plain test.

use super::{Batch, read};

/// What must hold of any body: whatever was made of it is sound, and no more than it has bytes.
///
/// # Panics
/// When it does not hold.
pub fn fuzz_telemetry(data: &[u8]) {
    let Batch { events, unreadable } = read(data);
    for event in &events {
        assert!(event.full_name.ends_with(&event.name) && !event.name.contains('/'), "{event:?}");
        assert!(event.measurements.values().all(|number| number.is_finite()), "{event:?}");
        assert!(event.editor().is_none_or(|editor| !editor.contains('/')), "{event:?}");
        assert!(event.timeout().is_none_or(|after| after <= 9_007_199_254_740), "{event:?}");
        _ = (event.choice(), event.chars(), event.lines(), event.still(), event.shown());
    }
    if !data.starts_with(&[0x1f, 0x8b]) {
        assert!(events.len() as u64 + unreadable <= data.len() as u64, "{unreadable} unreadable");
    }
}
