//! The head of a frame (RFC 6455 section 5.2).
//!
//! ```text
//! +---+-----+--------+------+---------+----------------------+------------+
//! |FIN| RSV | opcode | MASK | length  | length 126: 2 bytes, | mask if    |
//! | 1 |  3  |   4    |  1   |    7    |        127: 8 bytes  | MASK: 4    |
//! +---+-----+--------+------+---------+----------------------+------------+
//! ```

/// A head, whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// The last frame of its message.
    pub(super) last: bool,
    /// The three reserved bits; the highest is RSV1.
    pub(super) reserved: u8,
    pub(super) opcode: u8,
    /// Zeros where there is none, which changes nothing.
    pub(super) mask: [u8; 4],
    pub(super) length: u64,
}

/// Opcodes (RFC 6455 section 11.8).
pub(super) const CONTINUATION: u8 = 0x0;
pub(super) const TEXT: u8 = 0x1;
pub(super) const BINARY: u8 = 0x2;
pub(super) const CLOSE: u8 = 0x8;
pub(super) const PING: u8 = 0x9;
pub(super) const PONG: u8 = 0xa;

/// RSV1: the message is compressed (RFC 7692 section 6).
pub(super) const COMPRESSED: u8 = 0b100;

/// A head as far as it came.
#[derive(Debug, Default)]
pub(super) struct Partial {
    bytes: [u8; 14],
    have: usize,
}

impl Partial {
    /// Whether no byte of it has come.
    pub(super) fn is_empty(&self) -> bool {
        self.have == 0
    }

    /// The opcode that a head beginning with this byte has.
    pub(super) fn opcode(first: u8) -> u8 {
        first & 0x0f
    }

    /// Takes what is missing off the input; the head once it is whole.
    pub(super) fn read(&mut self, input: &mut &[u8]) -> Option<Frame> {
        while self.have < self.size() {
            let (bytes, rest) = input.split_at((self.size() - self.have).min(input.len()));
            if bytes.is_empty() {
                return None;
            }
            self.bytes[self.have..self.have + bytes.len()].copy_from_slice(bytes);
            self.have += bytes.len();
            *input = rest;
        }
        let frame = self.parse();
        self.have = 0;
        Some(frame)
    }

    /// How long it is, as far as is known.
    fn size(&self) -> usize {
        if self.have < 2 { 2 } else { 2 + self.length_size() + if self.is_masked() { 4 } else { 0 } }
    }

    fn length_size(&self) -> usize {
        match self.bytes[1] & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        }
    }

    fn is_masked(&self) -> bool {
        self.bytes[1] & 0x80 != 0
    }

    fn parse(&self) -> Frame {
        let [first, second, rest @ ..] = self.bytes;
        let length = match self.length_size() {
            0 => u64::from(second & 0x7f),
            size => rest[..size].iter().fold(0, |length, &byte| length << 8 | u64::from(byte)),
        };
        let mut mask = [0; 4];
        if self.is_masked() {
            let at = self.length_size();
            mask.copy_from_slice(&rest[at..at + 4]);
        }
        Frame { last: first & 0x80 != 0, reserved: first >> 4 & 0b111, opcode: Self::opcode(first), mask, length }
    }
}
