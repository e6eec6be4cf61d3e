//! The form of a spool file: what is kept safe of one exchange in flight (design D8).
//!
//! ```text
//! "CRSPOOL1"                                      eight bytes
//! then frames: +------+------------+------------+---------+
//!              | type | length u32 | CRC-32 u32 | payload |   integers little-endian
//!              +------+------------+------------+---------+
//! 'H'  the exchange without bodies, as `exchange::to_snapshot` writes it; the last one counts
//! 'm'  messages on a WebSocket since the last 'H' or 'm', as `exchange::messages_to_snapshot` writes them
//! 'q'  bytes of the request body
//! 'r'  microseconds since the request began (u64), then bytes of the response body
//! ```
//!
//! Frames are only added. The program can be killed in the middle of one, so reading stops at the first that is cut
//! or does not match its checksum and takes what came before.

use std::time::Duration;

use flate2::Crc;

use crate::exchange::{AbortedBy, Chunk, Exchange, from_snapshot, messages_from_snapshot};

/// How a spool file begins.
pub(super) const MAGIC: &[u8; 8] = b"CRSPOOL1";

/// What a spool file holds, as far as it can be read.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Spooled<'a> {
    /// The last snapshot of the exchange.
    pub(super) head: Option<&'a [u8]>,
    /// Lists of messages that came after it.
    pub(super) messages: Vec<&'a [u8]>,
    pub(super) request: Vec<u8>,
    pub(super) response: Vec<u8>,
    /// When the pieces of the response body came.
    pub(super) arrivals: Vec<Chunk>,
}

/// Adds a snapshot of the exchange.
pub(super) fn push_head(out: &mut Vec<u8>, snapshot: &[u8]) {
    push_frame(out, b'H', &[snapshot]);
}

/// Adds messages.
pub(super) fn push_messages(out: &mut Vec<u8>, snapshot: &[u8]) {
    push_frame(out, b'm', &[snapshot]);
}

/// Adds body bytes.
pub(super) fn push_body(out: &mut Vec<u8>, response: bool, at: Duration, bytes: &[u8]) {
    if response {
        let at = u64::try_from(at.as_micros()).unwrap_or(u64::MAX).to_le_bytes();
        push_frame(out, b'r', &[&at, bytes]);
    } else {
        push_frame(out, b'q', &[bytes]);
    }
}

/// Reads the frames up to the first that is damaged. None when it is no spool file at all.
pub(super) fn read(file: &[u8]) -> Option<Spooled<'_>> {
    let mut rest = file.strip_prefix(MAGIC)?;
    let mut spooled = Spooled::default();
    while let Some((kind, payload, after)) = split_frame(rest) {
        match (kind, payload.split_first_chunk()) {
            (b'H', _) => {
                spooled.head = Some(payload);
                spooled.messages.clear();
            }
            (b'm', _) => spooled.messages.push(payload),
            (b'q', _) => spooled.request.extend_from_slice(payload),
            (b'r', Some((at, bytes))) => {
                let at = Duration::from_micros(u64::from_le_bytes(*at));
                spooled.arrivals.push(Chunk { at, bytes: bytes.len() as u64 });
                spooled.response.extend_from_slice(bytes);
            }
            _ => break,
        }
        rest = after;
    }
    Some(spooled)
}

/// The exchange that a spool file left behind tells of: incomplete, ended by our own end. None when the file does not
/// even hold its head.
pub(super) fn recover(file: &[u8]) -> Option<Exchange> {
    let spooled = read(file)?;
    let mut exchange = from_snapshot(spooled.head?).ok()?;
    exchange.complete = false;
    exchange.aborted_by = Some(AbortedBy::Shutdown);
    exchange.spooled = None;
    if let Some(socket) = &mut exchange.websocket {
        // What cannot be read is only a list: the messages themselves are in the bodies.
        let lists = spooled.messages.iter().filter_map(|list| messages_from_snapshot(list).ok());
        socket.messages.extend(lists.flatten());
    }
    exchange.request.body.seen = exchange.request.body.seen.max(spooled.request.len() as u64);
    exchange.request.body.kept = spooled.request;
    if let Some(response) = &mut exchange.response {
        response.body.seen = response.body.seen.max(spooled.response.len() as u64);
        response.body.kept = spooled.response;
        // The snapshot knows the arrivals before it in detail; the frames, coarser, those after it.
        let mut known = exchange.chunks.iter().fold(0_u64, |sum, chunk| sum.saturating_add(chunk.bytes));
        let mut arrived = 0_u64;
        for chunk in spooled.arrivals {
            arrived += chunk.bytes;
            if arrived > known {
                exchange.chunks.push(Chunk { at: chunk.at, bytes: arrived - known });
                known = arrived;
            }
            exchange.timings.last_byte = exchange.timings.last_byte.max(Some(chunk.at));
        }
    }
    Some(exchange)
}

/// Adds a frame, whose payload are all parts together.
pub(super) fn push_frame(out: &mut Vec<u8>, kind: u8, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut crc = Crc::new();
    crc.update(&[kind]);
    parts.iter().for_each(|part| crc.update(part));
    out.push(kind);
    out.extend_from_slice(&u32::try_from(length).expect("bodies are kept to far less than 4 GiB").to_le_bytes());
    out.extend_from_slice(&crc.sum().to_le_bytes());
    parts.iter().for_each(|part| out.extend_from_slice(part));
}

fn split_frame(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&kind, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first_chunk()?;
    let (sum, rest) = rest.split_first_chunk()?;
    let (payload, after) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let mut crc = Crc::new();
    crc.update(&[kind]);
    crc.update(payload);
    (crc.sum() == u32::from_le_bytes(*sum)).then_some((kind, payload, after))
}
