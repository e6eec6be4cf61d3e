//! WebSockets as no library would write them: fragments of any size, control frames between them, messages that are
//! compressed and messages that are not (RFC 6455, RFC 7692).

use flate2::{Compress, Compression, FlushCompress};

use super::rng::Rng;

/// What compressed messages leave out at their end (RFC 7692 section 7.2.1).
const TAIL: &[u8] = &[0, 0, 0xff, 0xff];

/// Opcodes with the names that records have for them.
pub(crate) const KINDS: [(u8, &str); 5] = [(1, "text"), (2, "binary"), (8, "close"), (9, "ping"), (10, "pong")];

/// What one side sends, encoded.
#[derive(Debug)]
pub(crate) struct Side {
    /// A client masks its frames, a server does not.
    masks: bool,
    deflate: Option<Compress>,
    takeover: bool,
}

impl Side {
    pub(crate) fn client(agreed: &str) -> Self {
        Self::new(agreed, true, "client_no_context_takeover")
    }

    pub(crate) fn server(agreed: &str) -> Self {
        Self::new(agreed, false, "server_no_context_takeover")
    }

    fn new(agreed: &str, masks: bool, afresh: &str) -> Self {
        let deflate = agreed.contains("permessage-deflate").then(|| Compress::new(Compression::best(), false));
        Self { masks, deflate, takeover: !agreed.contains(afresh) }
    }

    /// One message in one frame, compressed where that was agreed.
    pub(crate) fn text(&mut self, text: &str) -> Vec<u8> {
        let (payload, compressed) = match self.deflate {
            Some(_) => (self.deflated(text.as_bytes()), true),
            None => (text.as_bytes().to_vec(), false),
        };
        self.frame(0x81 | u8::from(compressed) << 6, &payload, [7, 0, 200, 99])
    }

    /// A control frame.
    pub(crate) fn control(&self, opcode: u8, payload: &[u8]) -> Vec<u8> {
        self.frame(0x80 | opcode, payload, [1, 2, 3, 4])
    }

    fn frame(&self, first: u8, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
        let masked = u8::from(self.masks) << 7;
        let mut bytes = vec![first];
        match payload.len() {
            0..126 => bytes.push(masked | payload.len() as u8),
            126..65536 => {
                bytes.push(masked | 126);
                bytes.extend((payload.len() as u16).to_be_bytes());
            }
            _ => {
                bytes.push(masked | 127);
                bytes.extend((payload.len() as u64).to_be_bytes());
            }
        }
        if self.masks {
            bytes.extend(mask);
            bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        } else {
            bytes.extend(payload);
        }
        bytes
    }

    fn deflated(&mut self, payload: &[u8]) -> Vec<u8> {
        let deflate = self.deflate.as_mut().expect("asked for where it was agreed");
        let mut out = Vec::with_capacity(payload.len() + 64);
        let mut rest = payload;
        loop {
            let before = deflate.total_in();
            deflate.compress_vec(rest, &mut out, FlushCompress::Sync).expect("memory takes bytes");
            rest = &rest[(deflate.total_in() - before) as usize..];
            if rest.is_empty() && out.len() < out.capacity() {
                break;
            }
            out.reserve(64 + rest.len());
        }
        assert!(out.ends_with(TAIL), "a flush ends with an empty block");
        out.truncate(out.len() - TAIL.len());
        if !self.takeover {
            deflate.reset();
        }
        out
    }

    fn random_frame(&self, rng: &mut Rng, first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = rng.next().to_be_bytes();
        self.frame(first, payload, [mask[0], mask[1], mask[2], mask[3]])
    }

    /// One data message as frames, control frames between them.
    fn message(&mut self, rng: &mut Rng, message: &Sent) -> Vec<Frame> {
        let compressed = self.deflate.is_some() && !rng.one_in(4);
        let payload = if compressed { self.deflated(&message.payload) } else { message.payload.clone() };
        let pieces = if rng.one_in(2) { 1 } else { rng.range(2, 5) };
        let mut cuts: Vec<_> = (1..pieces).map(|_| rng.range(0, payload.len())).collect();
        cuts.sort_unstable();
        cuts.push(payload.len());
        let (mut frames, mut at) = (Vec::new(), 0);
        for (index, &cut) in cuts.iter().enumerate() {
            let opcode = if index == 0 { message.opcode | u8::from(compressed) << 6 } else { 0 };
            let last = index + 1 == cuts.len();
            let bytes = self.random_frame(rng, opcode | u8::from(last) << 7, &payload[at..cut]);
            at = cut;
            frames.push(Frame { bytes, begins: index == 0, ends: last.then(|| message.clone()) });
            if !last && rng.one_in(3) {
                frames.push(self.random_control(rng));
            }
        }
        frames
    }

    fn random_control(&self, rng: &mut Rng) -> Frame {
        let opcode = *rng.pick(&[&9, &10]);
        let n = *rng.pick(&[&0, &1, &125]);
        self.sent(rng, Sent { opcode, payload: rng.clone().bytes(n) })
    }

    fn sent(&self, rng: &mut Rng, control: Sent) -> Frame {
        let bytes = self.random_frame(rng, 0x80 | control.opcode, &control.payload);
        Frame { bytes, begins: false, ends: Some(control) }
    }
}

/// A message as it was meant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sent {
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

/// One frame on the wire, and what its first and last byte mean.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) bytes: Vec<u8>,
    /// A data message begins.
    pub(crate) begins: bool,
    /// A message is complete.
    pub(crate) ends: Option<Sent>,
}

/// Frames of both sides, mixed; the same for the same seed. `true` stands before those of the client.
#[derive(Clone, Debug)]
pub(crate) struct Conversation {
    /// `Sec-WebSocket-Extensions` of the answer.
    pub(crate) agreed: &'static str,
    pub(crate) frames: Vec<(bool, Frame)>,
}

const AGREED: [&str; 6] = [
    "",
    "permessage-deflate",
    "permessage-deflate; client_no_context_takeover",
    "permessage-deflate;server_no_context_takeover; client_max_window_bits=15",
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=\"15\"",
    "x-other; a=b, permessage-deflate",
];

/// `most` is the size of the largest messages.
pub(crate) fn conversation(seed: u64, most: usize) -> Conversation {
    let rng = &mut Rng::new(seed);
    let agreed = AGREED[seed as usize % AGREED.len()];
    let sides = [Side::client(agreed), Side::server(agreed)];
    let queues = sides.map(|side| one_side(rng, side, most));
    let mut queues = queues.map(|frames| frames.into_iter().peekable());
    let mut frames = Vec::new();
    while queues.iter_mut().any(|queue| queue.peek().is_some()) {
        let index = rng.range(0, 1);
        frames.extend(queues[index].next().map(|frame| (index == 0, frame)));
    }
    Conversation { agreed, frames }
}

fn one_side(rng: &mut Rng, mut side: Side, most: usize) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut last = Vec::new();
    for _ in 0..rng.range(1, 8) {
        if rng.one_in(4) {
            frames.push(side.random_control(rng));
            continue;
        }
        let n = *rng.pick(&[&0, &1, &125, &126, &most]);
        let payload = match rng.range(1, 5) {
            // What was said before compresses well where the context is kept.
            1 => last,
            2 => vec![b'x'; n],
            3 => rng.bytes(n),
            _ => rng.text(n / 8).into_bytes(),
        };
        let opcode = *rng.pick(&[&1, &2]);
        frames.extend(side.message(rng, &Sent { opcode, payload: payload.clone() }));
        last = payload;
    }
    if rng.one_in(2) {
        let payload = if rng.one_in(3) { Vec::new() } else { [&1000_u16.to_be_bytes()[..], b"done"].concat() };
        frames.push(side.sent(rng, Sent { opcode: 8, payload }));
    }
    frames
}
