//! Content decoding (RFC 9110 section 8.4.1) under a ceiling.
//!
//! Runs on the writer, over whole bodies. Headers are not believed where the first bytes show otherwise: compressed
//! bodies without a `Content-Encoding` and plain ones with it have both been met.

mod coding;
#[cfg(test)]
mod tests;

use coding::{Coding, End, Step};

use crate::observer::Fields;

/// Codings that one body may have; honest ones have one.
const CODINGS_MAX: usize = 4;

/// How much one body may decode to.
#[derive(Clone, Copy, Debug)]
pub struct DecodeLimits {
    /// Bytes, of the result and of each step on the way; what is beyond is cut off.
    pub output: usize,
}

/// A body after content decoding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// The decoded bytes, as far as decoding came.
    pub bytes: Vec<u8>,
    /// The codings that were removed, outermost first; may differ from what the header says.
    pub codings: Vec<&'static str>,
    /// The ceiling cut it off.
    pub truncated: bool,
    /// Why decoding stopped before the end, if it did.
    pub error: Option<String>,
}

/// Removes the content codings that `Content-Encoding` names or, where it lies or is missing, that the first bytes
/// show. A body cut in the middle gives what can be had of it.
#[must_use]
pub fn decode(fields: &Fields, body: Vec<u8>, limits: DecodeLimits) -> Decoded {
    let mut decoded = Decoded { bytes: body, ..Decoded::default() };
    if !decoded.bytes.is_empty() {
        match named(fields) {
            Ok(codings) if codings.is_empty() => decoded.sniffed(limits),
            Ok(codings) => decoded.as_named(&codings, limits),
            Err(reason) => decoded.error = Some(reason),
        }
    }
    if decoded.bytes.len() > limits.output {
        decoded.bytes.truncate(limits.output);
        decoded.truncated = true;
    }
    decoded
}

impl Decoded {
    fn as_named(&mut self, codings: &[Coding], limits: DecodeLimits) {
        for &coding in codings.iter().rev() {
            match coding::remove(coding, &self.bytes, limits.output) {
                Some((coding, step)) => self.take(coding, step),
                // The header lies: this is text that nobody encoded, so the codings below are a lie too.
                None if coding::is_text(&self.bytes) => return,
                None => {
                    self.error.get_or_insert_with(|| format!("not {} data", coding.name()));
                    return;
                }
            }
        }
    }

    fn sniffed(&mut self, limits: DecodeLimits) {
        let Some(coding) = coding::sniff(&self.bytes) else { return };
        let step = coding.decode(&self.bytes, limits.output);
        // Without a header nothing says that it must be compressed: bytes that only begin so stay as they are.
        if !step.bytes.is_empty() || step.end == End::Whole {
            self.take(coding, step);
        }
    }

    fn take(&mut self, coding: Coding, step: Step) {
        self.bytes = step.bytes;
        self.codings.push(coding.name());
        let name = coding.name();
        let error = match step.end {
            End::Whole => None,
            End::Ceiling => {
                self.truncated = true;
                None
            }
            End::Early => Some(format!("{name} data ends early")),
            End::Damaged => Some(format!("{name} data is damaged")),
            End::Trailing(count) => Some(format!("{count} bytes after the end of {name} data")),
        };
        self.error = self.error.take().or(error);
    }
}

/// The codings in the order in which they were applied.
fn named(fields: &Fields) -> Result<Vec<Coding>, String> {
    let mut codings = Vec::new();
    let values = fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"content-encoding"));
    for token in values.flat_map(|(_, value)| value.split(|&byte| byte == b',')).map(<[u8]>::trim_ascii) {
        if token.is_empty() || token.eq_ignore_ascii_case(b"identity") {
            continue;
        }
        codings.push(Coding::named(token).ok_or("a content coding that is not known")?);
        if codings.len() > CODINGS_MAX {
            return Err(format!("more than {CODINGS_MAX} content codings"));
        }
    }
    Ok(codings)
}
