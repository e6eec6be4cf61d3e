//! A body as far as it is kept.

/// Bytes kept of one body, and how many were seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// Bytes in memory (those in the spool precede them).
    pub kept: Vec<u8>,
    /// Body bytes seen on the wire, kept or not (transfer coding and padding removed, content coding still on).
    pub seen: u64,
    /// More was seen than the ceiling lets us keep.
    pub truncated: bool,
}
