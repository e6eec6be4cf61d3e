//! One direction of a WebSocket: frames to messages.

use super::deflate::{Inflater, TAIL};
use super::frame::{self, Frame, Partial};
use super::{Lost, Room, Said};
use crate::observer::event::MessageKind;

/// One direction.
#[derive(Debug)]
pub(super) struct Side {
    head: Partial,
    /// The frame whose payload comes in.
    payload: Option<Payload>,
    /// The data message under way.
    message: Option<Message>,
    /// Payload of the control frame under way.
    control: Vec<u8>,
    /// Whether messages may be compressed, and then, whether with regard to those before them.
    takeover: Option<bool>,
    inflater: Option<Box<Inflater>>,
    /// It said Close, or ended: what follows means nothing (RFC 6455 section 5.5.1).
    closed: bool,
}

#[derive(Debug)]
struct Payload {
    frame: Frame,
    left: u64,
}

#[derive(Debug)]
struct Message {
    kind: MessageKind,
    compressed: bool,
    bytes: Vec<u8>,
    truncated: bool,
    /// Bytes that it inflated to.
    inflated: usize,
}

/// A control frame carries no more (RFC 6455 section 5.5).
const CONTROL_MAX: u64 = 125;
/// A message that inflates to so many times the ceiling for what is kept is given up: inflating takes time, which it
/// takes from the relay. The ceiling is already far beyond any honest message.
const BOMB: usize = 64;
/// What is never too much, however low the ceiling.
const NO_BOMB: usize = 1 << 20;
/// Unmasked at a time.
const PIECE: usize = 4 << 10;

impl Side {
    /// See [`Side::takeover`].
    pub(super) fn new(takeover: Option<bool>) -> Self {
        Self {
            head: Partial::default(),
            payload: None,
            message: None,
            control: Vec::new(),
            takeover,
            inflater: None,
            closed: false,
        }
    }

    pub(super) fn feed<S>(&mut self, mut input: &[u8], room: &mut Room<'_>, said: &mut S) -> Result<(), Lost>
    where
        S: FnMut(Said<'_>),
    {
        while let (Some(&first), false) = (input.first(), self.closed) {
            if self.payload.is_some() {
                self.payload(&mut input, room)?;
            } else {
                let begins = matches!(Partial::opcode(first), frame::TEXT | frame::BINARY);
                if self.head.is_empty() && begins && self.message.is_none() {
                    said(Said::Begins);
                }
                let Some(frame) = self.head.read(&mut input) else { return Ok(()) };
                self.begin(frame)?;
            }
            if let Some(Payload { frame, .. }) = self.payload.take_if(|payload| payload.left == 0) {
                self.frame_end(frame, room, said)?;
            }
        }
        Ok(())
    }

    pub(super) fn end<S>(&mut self, room: &mut Room<'_>, said: &mut S)
    where
        S: FnMut(Said<'_>),
    {
        self.closed = true;
        if let Some(message) = self.message.take() {
            *room.left += message.bytes.len();
            said(Said::Message { kind: message.kind, bytes: &message.bytes, truncated: true });
        }
    }

    pub(super) fn kept(&self) -> usize {
        self.message.as_ref().map_or(0, |message| message.bytes.len())
    }

    /// A frame's head is whole.
    fn begin(&mut self, frame: Frame) -> Result<(), Lost> {
        if frame.length > i64::MAX as u64 {
            return Err("WebSocket frame of an impossible length");
        }
        let compressed = frame.reserved == frame::COMPRESSED && self.takeover.is_some();
        let data_begins = matches!(frame.opcode, frame::TEXT | frame::BINARY);
        if frame.reserved != 0 && !(compressed && data_begins) {
            return Err("WebSocket frame with a reserved bit that was not agreed upon");
        }
        match frame.opcode {
            frame::TEXT | frame::BINARY if self.message.is_some() => {
                return Err("WebSocket message within another");
            }
            frame::TEXT => self.message = Some(Message::new(MessageKind::Text, compressed)),
            frame::BINARY => self.message = Some(Message::new(MessageKind::Binary, compressed)),
            frame::CONTINUATION if self.message.is_none() => {
                return Err("WebSocket message that goes on and never began");
            }
            frame::CONTINUATION => {}
            frame::CLOSE | frame::PING | frame::PONG if !frame.last || frame.length > CONTROL_MAX => {
                return Err("WebSocket control frame in pieces, or too long");
            }
            frame::CLOSE | frame::PING | frame::PONG => self.control.clear(),
            _ => return Err("WebSocket frame of an unknown kind"),
        }
        self.payload = Some(Payload { frame, left: frame.length });
        Ok(())
    }

    /// More of a payload.
    fn payload(&mut self, input: &mut &[u8], room: &mut Room<'_>) -> Result<(), Lost> {
        let Some(Payload { frame, left }) = &mut self.payload else { return Ok(()) };
        let size = input.len().min(PIECE).min(usize::try_from(*left).unwrap_or(PIECE));
        let (masked, rest) = input.split_at(size);
        *input = rest;
        let mut piece = [0; PIECE];
        let piece = &mut piece[..size];
        piece.copy_from_slice(masked);
        let phase = (frame.length - *left) as usize;
        for (byte, at) in piece.iter_mut().zip(phase..) {
            *byte ^= frame.mask[at % 4];
        }
        *left -= size as u64;
        match &mut self.message {
            _ if is_control(frame.opcode) => self.control.extend_from_slice(piece),
            Some(message) if message.compressed => {
                let inflater = self.inflater.get_or_insert_with(|| Box::new(Inflater::new()));
                let result = message.inflate(piece, inflater, room);
                if result.is_err() {
                    // How far it could be read depends on how it arrived.
                    *room.left += self.message.take().map_or(0, |message| message.bytes.len());
                }
                return result;
            }
            Some(message) => message.push(piece, room),
            None => {}
        }
        Ok(())
    }

    /// A frame is over.
    fn frame_end<S>(&mut self, frame: Frame, room: &mut Room<'_>, said: &mut S) -> Result<(), Lost>
    where
        S: FnMut(Said<'_>),
    {
        let control = match frame.opcode {
            frame::CLOSE => MessageKind::Close,
            frame::PING => MessageKind::Ping,
            frame::PONG => MessageKind::Pong,
            _ if !frame.last => return Ok(()),
            _ => return self.message_end(room, said),
        };
        self.closed = control == MessageKind::Close;
        said(Said::Message { kind: control, bytes: &self.control, truncated: false });
        if self.closed {
            self.end(room, said);
        }
        Ok(())
    }

    /// The data message is over.
    fn message_end<S>(&mut self, room: &mut Room<'_>, said: &mut S) -> Result<(), Lost>
    where
        S: FnMut(Said<'_>),
    {
        let Some(mut message) = self.message.take() else { return Ok(()) };
        if message.compressed {
            let inflater = self.inflater.get_or_insert_with(|| Box::new(Inflater::new()));
            let result = message.inflate(TAIL, inflater, room);
            if self.takeover == Some(false) {
                inflater.forget();
            }
            if let Err(lost) = result {
                *room.left += message.bytes.len();
                return Err(lost);
            }
        }
        *room.left += message.bytes.len();
        said(Said::Message { kind: message.kind, bytes: &message.bytes, truncated: message.truncated });
        Ok(())
    }
}

impl Message {
    fn new(kind: MessageKind, compressed: bool) -> Self {
        Self { kind, compressed, bytes: Vec::new(), truncated: false, inflated: 0 }
    }

    /// Keeps as much as there is room for.
    fn push(&mut self, bytes: &[u8], room: &mut Room<'_>) {
        let size = bytes.len().min(room.message.saturating_sub(self.bytes.len())).min(*room.left);
        // Nothing after a gap, even when there is room again.
        if self.truncated {
            return;
        }
        self.truncated = size < bytes.len();
        *room.left -= size;
        self.bytes.extend_from_slice(&bytes[..size]);
    }

    fn inflate(&mut self, bytes: &[u8], inflater: &mut Inflater, room: &mut Room<'_>) -> Result<(), Lost> {
        let mut inflated = self.inflated;
        let result = inflater.inflate(bytes, &mut |piece| {
            inflated = inflated.saturating_add(piece.len());
            self.push(piece, room);
        });
        self.inflated = inflated;
        match result {
            Err(_) => Err("WebSocket message that does not inflate"),
            Ok(()) if inflated > room.message.saturating_mul(BOMB).max(NO_BOMB) => {
                Err("WebSocket message that inflates beyond all bounds")
            }
            Ok(()) => Ok(()),
        }
    }
}

fn is_control(opcode: u8) -> bool {
    opcode >= frame::CLOSE
}
