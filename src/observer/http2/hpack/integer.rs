//! Integers with a prefix (RFC 7541 section 5.1).

use super::decoder::Error;

/// Reads an integer whose first byte gives its low `prefix` bits to it.
///
/// Everything that HPACK counts fits in 32 bits; a longer integer is an error, as the RFC demands of an implementation
/// with limits, and with it any encoding of more than five continuation bytes.
pub(super) fn decode(input: &mut &[u8], prefix: u32) -> Result<usize, Error> {
    let mask = (1_u8 << (prefix - 1) << 1).wrapping_sub(1);
    let mut value = u64::from(take(input)? & mask);
    if value < u64::from(mask) {
        return Ok(value as usize);
    }
    for shift in (0..=28).step_by(7) {
        let byte = take(input)?;
        value += u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return u32::try_from(value).map(|value| value as usize).map_err(|_| Error::Integer);
        }
    }
    Err(Error::Integer)
}

fn take(input: &mut &[u8]) -> Result<u8, Error> {
    let (&first, rest) = input.split_first().ok_or(Error::Short)?;
    *input = rest;
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mut bytes: &[u8], prefix: u32) -> Result<(usize, usize), Error> {
        decode(&mut bytes, prefix).map(|value| (value, bytes.len()))
    }

    #[test]
    fn examples_of_rfc_7541_c_1() {
        assert_eq!(read(&[0b1110_1010], 5), Ok((10, 0)));
        assert_eq!(read(&[0b0001_1111, 0b1001_1010, 0b0000_1010], 5), Ok((1337, 0)));
        assert_eq!(read(&[0b0010_1010], 8), Ok((42, 0)));
    }

    #[test]
    fn the_largest_is_32_bits() {
        assert_eq!(read(&[0xff, 0x80, 0xfe, 0xff, 0xff, 0x0f, 9], 8), Ok((0xffff_ffff, 1)));
        assert_eq!(read(&[0xff, 0x81, 0xfe, 0xff, 0xff, 0x0f], 8), Err(Error::Integer));
        assert_eq!(read(&[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 7), Err(Error::Integer));
        assert_eq!(read(&[0x7f, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00], 7), Err(Error::Integer));
    }

    #[test]
    fn cut_short() {
        assert_eq!(read(&[], 7), Err(Error::Short));
        assert_eq!(read(&[0x7f], 7), Err(Error::Short));
        assert_eq!(read(&[0x7f, 0x80], 7), Err(Error::Short));
    }
}
