//! Other forms of the same bytes: content codings, HPACK's Huffman code, ISO 8859-1.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::rng::Rng;

/// A body in one of the content codings, and the coding's name.
pub(crate) fn coded(rng: &mut Rng, body: &[u8]) -> (&'static str, Vec<u8>) {
    let memory = "memory takes bytes";
    match rng.range(1, 5) {
        1 => ("br", brotli(body)),
        2 => ("zstd", compress_to_vec(body, CompressionLevel::Fastest)),
        3 => {
            let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
            zlib.write_all(body).expect(memory);
            ("deflate", zlib.finish().expect(memory))
        }
        _ => {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
            gzip.write_all(body).expect(memory);
            ("gzip", gzip.finish().expect(memory))
        }
    }
}

/// RFC 7932 section 9: uncompressed meta-blocks, since no encoder is at hand (the decoder is tried on real ones in its
/// own tests).
fn brotli(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (n, block) in body.chunks(1 << 16).enumerate() {
        // WBITS 16 (one bit, before the first), ISLAST 0, MNIBBLES 4 (two bits), MLEN - 1, ISUNCOMPRESSED, padding.
        let head = (block.len() as u32 - 1) << 3 | 1 << 19;
        bytes.extend(&(head << u32::from(n == 0)).to_le_bytes()[..3]);
        bytes.extend(block);
    }
    // ISLAST and ISLASTEMPTY, behind WBITS where nothing else is.
    bytes.push(if body.is_empty() { 0b110 } else { 0b11 });
    bytes
}

/// RFC 7541 appendix B, where its codes of one length count up: each length, its first code, its characters.
const HUFFMAN: [(u32, u32, &str); 4] = [
    (5, 0x00, "012aceiost"),
    (6, 0x14, " %-./3456789=A_bdfghlmnpru"),
    (7, 0x5c, ":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz"),
    (8, 0xf8, "&*,;XZ"),
];

/// A text in HPACK's Huffman code; none when it has characters whose codes are longer than eight bits.
pub(crate) fn huffman(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut pending, mut bits) = (Vec::new(), 0_u32, 0);
    for letter in text.chars() {
        let (length, code) = HUFFMAN.iter().find_map(|(length, first, letters)| {
            let place = letters.chars().position(|known| known == letter)?;
            Some((length, first + place as u32))
        })?;
        pending = pending << length | code;
        bits += length;
        while bits >= 8 {
            bits -= 8;
            bytes.push((pending >> bits) as u8);
        }
    }
    if bits > 0 {
        // Filled up with ones.
        bytes.push((pending << (8 - bits)) as u8 | (0xff >> bits));
    }
    Some(bytes)
}

/// A field's value as sent: one byte for each character where that can be, else UTF-8.
pub(crate) fn on_the_wire(value: &str) -> Vec<u8> {
    let bytes: Option<Vec<u8>> = value.chars().map(|letter| u8::try_from(letter).ok()).collect();
    bytes.unwrap_or_else(|| value.as_bytes().to_vec())
}
