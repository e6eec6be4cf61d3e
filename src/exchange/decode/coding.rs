//! The content codings, one step at a time.

use std::io::Read;

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::{Decompress, FlushDecompress, Status, bufread::GzDecoder};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// The two bytes of a gzip member and its only method (RFC 1952 section 2.3.1).
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b, 0x08];
/// `Magic_Number` of a Zstandard frame (RFC 8878 section 3.1.1), little endian.
const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// An empty raw block marked as the last (RFC 8878 section 3.1.1.2), and room for a checksum.
const ZSTD_LAST_BLOCK: &[u8] = &[1, 0, 0, 0, 0, 0, 0];
/// Windows that a decoder of the content coding must support (RFC 9659 section 3).
const ZSTD_WINDOW: usize = 8 << 20;
/// Below this, a body cut short cannot be told from text by its look, only whole JSON can.
const TEXT_MIN: usize = 16;
const CHUNK: usize = 16 << 10;

/// A registered content coding (RFC 9110 section 8.4.1, RFC 7932, RFC 8878).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// How the decoding of one coding ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Whole,
    /// The data is cut.
    Early,
    /// The data is not what the coding allows.
    Damaged,
    /// The coding's end came before that many bytes.
    Trailing(usize),
    /// More would come than may be kept.
    Ceiling,
}

/// What came out of one coding.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) bytes: Vec<u8>,
    pub(super) end: End,
}

impl Coding {
    pub(super) fn named(token: &[u8]) -> Option<Self> {
        Some(match token.to_ascii_lowercase().as_slice() {
            b"gzip" | b"x-gzip" => Self::Gzip,
            b"deflate" => Self::Deflate,
            b"br" => Self::Brotli,
            b"zstd" => Self::Zstd,
            _ => return None,
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    /// Decodes as much as can be had, at most `limit` bytes.
    pub(super) fn decode(self, body: &[u8], limit: usize) -> Step {
        let mut output = Output { bytes: Vec::new(), limit };
        let end = match self {
            Self::Gzip => gunzip(body, &mut output),
            Self::Deflate => inflate(body, &mut output),
            Self::Brotli => unbrotli(body, &mut output),
            Self::Zstd => unzstd(body, &mut output),
        };
        Step { bytes: output.bytes, end }
    }

    /// Whether the body begins as data of this coding does; none where every beginning is possible.
    fn begins(self, body: &[u8]) -> Option<bool> {
        let magic = match self {
            Self::Gzip => GZIP_MAGIC,
            Self::Zstd => ZSTD_MAGIC,
            Self::Deflate | Self::Brotli => return None,
        };
        Some(body.starts_with(magic) || magic.starts_with(body))
    }
}

/// Removes the coding that was claimed, or the one that the first bytes show instead; none when it is neither.
pub(super) fn remove(claimed: Coding, body: &[u8], limit: usize) -> Option<(Coding, Step)> {
    let fallback = || sniff(body).map(|coding| (coding, coding.decode(body, limit)));
    if claimed.begins(body) == Some(false) {
        return fallback();
    }
    let step = claimed.decode(body, limit);
    let believable = match step.end {
        End::Whole | End::Ceiling => true,
        End::Early if body.len() < TEXT_MIN => serde_json::from_slice::<serde::de::IgnoredAny>(body).is_err(),
        End::Early => !is_text(body),
        End::Damaged | End::Trailing(_) => !is_text(body),
    };
    match (believable, step.end, claimed.begins(body)) {
        (false, ..) => None,
        // Damaged from the first bytes on, and another coding's first bytes.
        (true, End::Damaged | End::Trailing(_), None) => fallback().or(Some((claimed, step))),
        _ => Some((claimed, step)),
    }
}

/// The coding that the first bytes show.
pub(super) fn sniff(body: &[u8]) -> Option<Coding> {
    if body.starts_with(GZIP_MAGIC) {
        Some(Coding::Gzip)
    } else if body.starts_with(ZSTD_MAGIC) {
        Some(Coding::Zstd)
    } else {
        None
    }
}

/// Whether it is plain JSON or an event stream (perhaps cut in the middle of a character).
pub(super) fn is_text(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    let begins = matches!(body.first(), Some(b'{' | b'[' | b'"' | b':'))
        || [b"data:".as_slice(), b"event:", b"id:", b"retry:"].iter().any(|field| body.starts_with(field));
    let valid = |body| match std::str::from_utf8(body) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    begins && body.iter().all(|&byte| byte >= b' ' || matches!(byte, b'\t' | b'\r' | b'\n')) && valid(body)
}

struct Output {
    bytes: Vec<u8>,
    limit: usize,
}

impl Output {
    /// `false` when the ceiling is reached: the rest of the chunk is dropped.
    fn push(&mut self, chunk: &[u8]) -> bool {
        let room = self.limit - self.bytes.len();
        self.bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
        chunk.len() <= room
    }

    /// Reads to the end; `Ok(false)` when the ceiling is reached.
    fn drain(&mut self, mut from: impl Read) -> std::io::Result<bool> {
        let mut chunk = [0; CHUNK];
        loop {
            match from.read(&mut chunk)? {
                0 => return Ok(true),
                count if !self.push(&chunk[..count]) => return Ok(false),
                _ => {}
            }
        }
    }
}

/// One or more members (RFC 1952 section 2.2).
fn gunzip(mut body: &[u8], output: &mut Output) -> End {
    loop {
        let mut member = GzDecoder::new(body);
        match output.drain(&mut member) {
            Ok(true) => {}
            Ok(false) => return End::Ceiling,
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return End::Early,
            Err(_) => return End::Damaged,
        }
        body = member.into_inner();
        match body {
            [] => return End::Whole,
            rest if rest.starts_with(GZIP_MAGIC) => {}
            rest => return End::Trailing(rest.len()),
        }
    }
}

/// Meant is the zlib format (RFC 1950), but some senders leave its two header bytes out, and browsers put up with it.
fn inflate(body: &[u8], output: &mut Output) -> End {
    let zlib = matches!(*body, [method, flags, ..]
        if method & 0x0f == 8 && u16::from_be_bytes([method, flags]).is_multiple_of(31));
    if zlib {
        let end = inflate_as(Decompress::new(true), body, output);
        if end != End::Damaged || !output.bytes.is_empty() {
            return end;
        }
    }
    inflate_as(Decompress::new(false), body, output)
}

fn inflate_as(mut state: Decompress, body: &[u8], output: &mut Output) -> End {
    let mut chunk = [0; CHUNK];
    loop {
        let (read, written) = (state.total_in() as usize, state.total_out());
        let status = state.decompress(&body[read..], &mut chunk, FlushDecompress::None);
        let count = (state.total_out() - written) as usize;
        if !output.push(&chunk[..count]) {
            return End::Ceiling;
        }
        let used = state.total_in() as usize;
        match status {
            Ok(Status::StreamEnd) if used == body.len() => return End::Whole,
            Ok(Status::StreamEnd) => return End::Trailing(body.len() - used),
            Ok(_) if count == 0 && used == read => return End::Early,
            Ok(_) => {}
            Err(_) => return End::Damaged,
        }
    }
}

fn unbrotli(body: &[u8], output: &mut Output) -> End {
    let alloc = StandardAlloc::default;
    // Strict: without the "large window" extension, whose windows reach 1 GiB.
    let mut state = BrotliState::new_strict(alloc(), alloc(), alloc());
    let mut chunk = [0; CHUNK];
    let (mut left, mut offset, mut total) = (body.len(), 0, 0);
    loop {
        let (mut room, mut count) = (CHUNK, 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut offset,
            body,
            &mut room,
            &mut count,
            &mut chunk,
            &mut total,
            &mut state,
        );
        if !output.push(&chunk[..count]) {
            return End::Ceiling;
        }
        match result {
            BrotliResult::ResultSuccess if left == 0 => return End::Whole,
            BrotliResult::ResultSuccess => return End::Trailing(left),
            BrotliResult::NeedsMoreInput => return End::Early,
            BrotliResult::NeedsMoreOutput => {}
            BrotliResult::ResultFailure => return End::Damaged,
        }
    }
}

/// One or more frames, skippable ones between them (RFC 8878 section 3.1).
fn unzstd(mut body: &[u8], output: &mut Output) -> End {
    loop {
        match zstd_frame(&mut body, output) {
            End::Whole if body.is_empty() => return End::Whole,
            End::Whole => {}
            end => return end,
        }
        if let [kind, 0x2a, 0x4d, 0x18, a, b, c, d, ..] = *body
            && kind & 0xf0 == 0x50
        {
            let skipped = (u32::from_le_bytes([a, b, c, d]) as usize).saturating_add(8);
            body = body.get(skipped..).unwrap_or_default();
        }
        match body {
            [] => return End::Whole,
            rest if rest.starts_with(ZSTD_MAGIC) => {}
            rest => return End::Trailing(rest.len()),
        }
    }
}

fn zstd_frame(body: &mut &[u8], output: &mut Output) -> End {
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(output.limit.max(ZSTD_WINDOW) as u64);
    let whole = *body;
    if decoder.init(&mut *body).is_err() {
        // The longest header has 18 bytes (RFC 8878 section 3.1.1.1).
        return if whole.len() < 18 { End::Early } else { End::Damaged };
    }
    loop {
        let result = decoder.decode_blocks(&mut *body, BlockDecodingStrategy::UptoBlocks(1));
        let end = match result {
            Ok(_) => None,
            // A block cut short leaves nothing behind it to read.
            Err(_) => Some(if body.is_empty() { End::Early } else { End::Damaged }),
        };
        // The decoder holds a window back until it has seen the last block: give it one.
        if end.is_some() && !decoder.is_finished() {
            let _ = decoder.decode_blocks(ZSTD_LAST_BLOCK, BlockDecodingStrategy::All);
        }
        match output.drain(&mut decoder) {
            Ok(true) => {}
            Ok(false) => return End::Ceiling,
            Err(_) => return End::Damaged,
        }
        match end {
            Some(end) => return end,
            None if decoder.is_finished() => return End::Whole,
            None => {}
        }
    }
}
