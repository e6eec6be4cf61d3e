//! The content coding of a body, by its first bytes.

use std::borrow::Cow;
use std::io::Read as _;

use flate2::read::MultiGzDecoder;

/// The two bytes of a gzip member and its only method (RFC 1952 section 2.3.1).
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b, 0x08];
/// What a body may unfold to: the ceiling that bodies have everywhere (the SDK sends some hundred kilobytes at most).
const OUTPUT_MAX: u64 = 64 << 20;

/// The body without gzip; what comes before a cut or a damage, and at most the ceiling.
pub(super) fn plain(body: &[u8]) -> Cow<'_, [u8]> {
    if !body.starts_with(GZIP_MAGIC) {
        return Cow::Borrowed(body);
    }
    let mut output = Vec::new();
    // What was read before an error stays, and is all that there is to have.
    _ = MultiGzDecoder::new(body).take(OUTPUT_MAX).read_to_end(&mut output);
    Cow::Owned(output)
}
