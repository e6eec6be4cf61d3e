//! Bodies of fuzz targets, callable from a plain test.

use super::{DecodeLimits, decode};
use crate::observer::Fields;

/// The first byte chooses the codings that the header claims, the rest is the body.
///
/// # Panics
/// When the output exceeds the ceiling.
pub fn fuzz_decode(data: &[u8]) {
    const CODINGS: [&str; 8] = ["", "gzip", "deflate", "br", "zstd", "br, gzip", "zstd, deflate", "gzip, br, zstd"];
    const OUTPUT: usize = 64 << 10;

    let Some((&first, body)) = data.split_first() else { return };
    let mut fields = Fields::default();
    fields.push(b"Content-Encoding", CODINGS[usize::from(first) % CODINGS.len()].as_bytes());
    let decoded = decode(&fields, body.to_vec(), DecodeLimits { output: OUTPUT });
    assert!(decoded.bytes.len() <= OUTPUT, "{} bytes", decoded.bytes.len());
}
