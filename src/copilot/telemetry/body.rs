//! The content coding of a body, by its first bytes.

use std::borrow::Cow;
use std::io::Read as _;

use flate2::read::MultiGzDecoder;

/// The two bytes of a gzip member and its only method (RFC 1952 section 2.3.1).
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b, 0x08];
/// The body without gzip: what comes before a cut or a damage, and at most so many bytes.
pub(super) fn plain(body: &[u8], most: u64) -> Cow<'_, [u8]> {
    if !body.starts_with(GZIP_MAGIC) {
        return Cow::Borrowed(body);
    }
    let mut output = Vec::new();
    // What was read before an error stays, and is all that there is to have.
    _ = MultiGzDecoder::new(body).take(most).read_to_end(&mut output);
    Cow::Owned(output)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn gzip_ends_at_the_ceiling_and_at_what_is_no_gzip() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&[b' '; 5000]).unwrap();
        let packed = encoder.finish().unwrap();
        assert_eq!(*plain(&packed, 5001), [b' '; 5000]);
        assert_eq!(*plain(&packed, 1234), [b' '; 1234]);
        assert_eq!(*plain(&[&packed[..], &packed].concat(), 9000), [b' '; 9000]);
        assert_eq!(*plain(&[&packed[..], b"rubbish"].concat(), 9000), [b' '; 5000]);
        assert_eq!(*plain(&packed[..12], 9000), [0; 0]);
        assert_eq!(*plain(b"[{}]", 2), *b"[{}]");
    }
}
