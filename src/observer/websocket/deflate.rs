//! Inflates messages (RFC 7692 section 7.2.2).

use flate2::{Decompress, FlushDecompress, Status};

/// What the sender took off the end of each message.
pub(super) const TAIL: &[u8] = &[0x00, 0x00, 0xff, 0xff];

/// How far back DEFLATE can refer (RFC 1951 section 2).
const WINDOW: usize = 32 << 10;
const CHUNK: usize = 8 << 10;

/// One direction's decompressor. It takes about 100 KiB, so it is made with the first compressed message.
#[derive(Debug)]
pub(super) struct Inflater {
    state: Decompress,
    /// The end of what came out, at least the window if so much did: see [`Inflater::restart`].
    history: Vec<u8>,
}

/// The data is not DEFLATE's.
#[derive(Debug)]
pub(super) struct Damaged;

impl Inflater {
    pub(super) fn new() -> Self {
        Self { state: Decompress::new(false), history: Vec::new() }
    }

    /// Inflates all of `input` and hands on what it gives, piece by piece.
    pub(super) fn inflate(&mut self, mut input: &[u8], out: &mut impl FnMut(&[u8])) -> Result<(), Damaged> {
        let mut chunk = [0; CHUNK];
        loop {
            let (step, status) = self.step(input, &mut chunk)?;
            input = &input[step.read..];
            let bytes = &chunk[..step.written];
            out(bytes);
            self.remember(bytes);
            if status == Status::StreamEnd {
                self.restart()?;
                if input.is_empty() {
                    return Ok(());
                }
            } else if input.is_empty() && step.written < CHUNK {
                return Ok(());
            } else if step.read == 0 && step.written == 0 {
                return Err(Damaged);
            }
        }
    }

    /// The next message refers to nothing before it.
    pub(super) fn forget(&mut self) {
        self.state.reset(false);
        self.history.clear();
    }

    fn step(&mut self, input: &[u8], chunk: &mut [u8]) -> Result<(Step, Status), Damaged> {
        let (read, written) = (self.state.total_in(), self.state.total_out());
        let status = self.state.decompress(input, chunk, FlushDecompress::None).map_err(|_| Damaged)?;
        let step = Step {
            read: (self.state.total_in() - read) as usize,
            written: (self.state.total_out() - written) as usize,
        };
        Ok((step, status))
    }

    fn remember(&mut self, bytes: &[u8]) {
        self.history.extend_from_slice(bytes);
        if self.history.len() > 2 * WINDOW {
            self.history.drain(..self.history.len() - WINDOW);
        }
    }

    /// Goes on after a block that was marked as the last (RFC 7692 section 7.2.3.4). The decompressor has to be reset
    /// for that and forgets what came out of it, which later blocks may refer to: it is told again, as a block
    /// without compression (RFC 1951 section 3.2.4).
    fn restart(&mut self) -> Result<(), Damaged> {
        self.state.reset(false);
        let window = &self.history[self.history.len().saturating_sub(WINDOW)..];
        let Ok(length) = u16::try_from(window.len()) else { return Err(Damaged) };
        if length == 0 {
            return Ok(());
        }
        let head = [&[0][..], &length.to_le_bytes(), &(!length).to_le_bytes()].concat();
        let block = [&head[..], window].concat();
        let (mut rest, mut chunk) = (&block[..], [0; CHUNK]);
        loop {
            let (step, _) = self.step(rest, &mut chunk)?;
            rest = &rest[step.read..];
            if rest.is_empty() && step.written < CHUNK {
                return Ok(());
            }
            if step.read == 0 && step.written == 0 {
                return Err(Damaged);
            }
        }
    }
}

struct Step {
    read: usize,
    written: usize,
}
