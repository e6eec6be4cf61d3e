//! One direction of a tunnel: bytes are read, written on unchanged, and then shown to the tap.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::io::ReadBuf;

use super::{Side, Tap};
use crate::wire::{Direction, Ending};

/// Read at most this much before writing it on: four TLS records, and what a tokio-rustls stream buffers.
const CHUNK: usize = 64 << 10;

thread_local! {
    /// Borrowed only within one poll, so that a tunnel in which nothing flows owns no buffer at all.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; CHUNK].into());
}

/// The state of one direction.
///
/// ```text
/// Read ──bytes──▶ (written at once) ──▶ Flush ──▶ Read
///  │                  └─ writer full ─▶ Write ─▶ Flush
///  └──end──▶ Close ──▶ Done
/// ```
#[derive(Debug)]
enum Flow {
    Read,
    /// The receiver took only part: the rest waits here, and nothing more is read.
    Write {
        bytes: Vec<u8>,
        written: usize,
        at: Instant,
    },
    Flush,
    Close(Ending),
    Done,
}

/// Which peer a direction failed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failed {
    Sender,
    Receiver,
}

/// One direction with its total.
#[derive(Debug)]
pub(super) struct Copy {
    direction: Direction,
    flow: Flow,
    pub(super) total: u64,
    pub(super) ending: Option<Ending>,
}

impl Copy {
    /// `first` was read ahead of the relay and goes out before anything else.
    pub(super) fn new(direction: Direction, first: Vec<u8>) -> Self {
        let flow = match first.is_empty() {
            true => Flow::Read,
            false => Flow::Write { bytes: first, written: 0, at: Instant::now() },
        };
        Self { direction, flow, total: 0, ending: None }
    }

    /// Goes on until the direction ends (`Ok`), fails, or must wait.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut impl Side,
        to: &mut impl Side,
        tap: &mut impl Tap,
    ) -> Poll<Result<(), Failed>> {
        loop {
            match &mut self.flow {
                Flow::Read => {
                    ready!(tap.poll_ready(cx));
                    self.flow = ready!(self.poll_chunk(cx, from, to, tap))?;
                }
                Flow::Write { bytes, written, at } => {
                    while *written < bytes.len() {
                        match ready!(Pin::new(&mut *to).poll_write(cx, &bytes[*written..])) {
                            Ok(0) | Err(_) => return Poll::Ready(Err(Failed::Receiver)),
                            Ok(n) => {
                                self.total += n as u64;
                                tap.bytes(self.direction, *at, &bytes[*written..*written + n]);
                                *written += n;
                            }
                        }
                    }
                    self.flow = Flow::Flush;
                }
                Flow::Flush => {
                    ready!(Pin::new(&mut *to).poll_flush(cx)).map_err(|_| Failed::Receiver)?;
                    self.flow = Flow::Read;
                }
                Flow::Close(ending) => {
                    let ending = *ending;
                    let closed = match ending {
                        Ending::Clean => ready!(Pin::new(&mut *to).poll_shutdown(cx)),
                        _ => ready!(to.poll_fin(cx)),
                    };
                    closed.map_err(|_| Failed::Receiver)?;
                    self.flow = Flow::Done;
                }
                Flow::Done => return Poll::Ready(Ok(())),
            }
        }
    }

    /// Reads once and writes that on; says what to do next.
    fn poll_chunk(
        &mut self,
        cx: &mut Context<'_>,
        from: &mut impl Side,
        to: &mut impl Side,
        tap: &mut impl Tap,
    ) -> Poll<Result<Flow, Failed>> {
        SCRATCH.with_borrow_mut(|scratch| {
            let mut buffer = ReadBuf::new(scratch);
            match ready!(Pin::new(from).poll_read(cx, &mut buffer)) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Poll::Ready(Ok(self.ended(Ending::Truncated, tap)));
                }
                Err(_) => return Poll::Ready(Err(Failed::Sender)),
            }
            let at = Instant::now();
            let bytes = buffer.filled();
            if bytes.is_empty() {
                return Poll::Ready(Ok(self.ended(Ending::Clean, tap)));
            }
            match Pin::new(to).poll_write(cx, bytes) {
                Poll::Ready(Ok(0) | Err(_)) => Poll::Ready(Err(Failed::Receiver)),
                Poll::Ready(Ok(n)) => {
                    // Shown as soon as the receiver may have it: its answer must not be seen before its cause.
                    self.total += n as u64;
                    tap.bytes(self.direction, at, &bytes[..n]);
                    Poll::Ready(Ok(match n == bytes.len() {
                        true => Flow::Flush,
                        false => Flow::Write { bytes: bytes[n..].to_vec(), written: 0, at },
                    }))
                }
                Poll::Pending => Poll::Ready(Ok(Flow::Write { bytes: bytes.to_vec(), written: 0, at })),
            }
        })
    }

    fn ended(&mut self, ending: Ending, tap: &mut impl Tap) -> Flow {
        self.end(ending, tap);
        Flow::Close(ending)
    }

    /// Tells the tap, once, how this direction ended.
    pub(super) fn end(&mut self, ending: Ending, tap: &mut impl Tap) {
        if self.ending.is_none() {
            self.ending = Some(ending);
            tap.end(self.direction, Instant::now(), ending);
        }
    }

    /// Nothing more is read; the receiver is told that this is the end.
    pub(super) fn close(&mut self) {
        if !self.is_done() {
            self.flow = Flow::Close(Ending::Clean);
        }
    }

    /// All that was read has been passed on, to the last byte.
    pub(super) fn holds_nothing(&self) -> bool {
        matches!(self.flow, Flow::Read | Flow::Done)
    }

    /// The direction has ended and its end was passed on.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.flow, Flow::Done)
    }
}
