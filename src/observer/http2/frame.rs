//! The nine bytes before each frame (RFC 9113 section 4.1).

/// Length of a frame head.
pub(super) const HEAD: usize = 9;

/// What the client says first (section 3.4).
pub(in crate::observer) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Frame types (section 6); those that say nothing to an observer are missing.
pub(super) const DATA: u8 = 0x0;
pub(super) const HEADERS: u8 = 0x1;
pub(super) const RST_STREAM: u8 = 0x3;
pub(super) const SETTINGS: u8 = 0x4;
pub(super) const PUSH_PROMISE: u8 = 0x5;
pub(super) const GOAWAY: u8 = 0x7;
pub(super) const CONTINUATION: u8 = 0x9;

/// DATA and HEADERS: the last of its direction.
pub(super) const END_STREAM: u8 = 0x1;
/// SETTINGS: the other side's were received.
pub(super) const ACK: u8 = 0x1;
/// HEADERS, PUSH_PROMISE and CONTINUATION: the header block is complete.
pub(super) const END_HEADERS: u8 = 0x4;
/// DATA, HEADERS and PUSH_PROMISE: a byte with the length of padding comes first.
pub(super) const PADDED: u8 = 0x8;
/// HEADERS: five bytes of priority come before the block.
pub(super) const PRIORITY: u8 = 0x20;

/// The head of a frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    /// Bytes of payload.
    pub(super) length: usize,
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
}

impl Head {
    pub(super) fn parse(bytes: [u8; HEAD]) -> Self {
        let [l1, l2, l3, kind, flags, s1, s2, s3, s4] = bytes;
        Self { length: u32::from_be_bytes([0, l1, l2, l3]) as usize, kind, flags, stream: stream_id([s1, s2, s3, s4]) }
    }

    pub(super) fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// A stream id without the reserved bit above it.
pub(super) fn stream_id(bytes: [u8; 4]) -> u32 {
    u32::from_be_bytes(bytes) & 0x7fff_ffff
}

/// The fragment of a header block in the payload of HEADERS or PUSH_PROMISE: without padding and priority.
pub(super) fn fragment(head: Head, mut payload: &[u8]) -> Option<&[u8]> {
    if head.has(PADDED) {
        let (&padding, rest) = payload.split_first()?;
        payload = &rest[..rest.len().checked_sub(usize::from(padding))?];
    }
    if head.kind == HEADERS && head.has(PRIORITY) {
        payload = payload.get(5..)?;
    }
    Some(payload)
}
