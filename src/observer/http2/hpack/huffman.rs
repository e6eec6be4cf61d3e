//! The Huffman code of HPACK (RFC 7541 section 5.2 and appendix B).
//!
//! The code is canonical: codes of one length are consecutive and in the order of their symbols, and shorter ones come
//! first. The lengths are therefore all of appendix B that has to be written down; the tables are made from them.

use super::decoder::Error;

/// Appends the text that `input` is the code of.
pub(super) fn decode(input: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    // The shortest code has 5 bits.
    out.reserve(input.len() * 8 / 5);
    let mut input = input.iter();
    // Unread bits, the next one at the top; below them ones, as padding has them and EOS begins with them.
    let (mut bits, mut have) = (u64::MAX, 0_u32);
    loop {
        while have <= 56 {
            let Some(&byte) = input.next() else { break };
            let low = 56 - have;
            bits &= !(0xff << low) | u64::from(byte) << low;
            have += 8;
        }
        let (symbol, length) = next(bits);
        if u32::from(length) > have {
            break;
        }
        let Ok(symbol) = u8::try_from(symbol) else { return Err(Error::Huffman) };
        out.push(symbol);
        // Ones come in from below.
        bits = !(!bits << length);
        have -= u32::from(length);
    }
    // What is left must be the first bits of EOS, and less than a byte of them.
    if have < 8 && bits == u64::MAX { Ok(()) } else { Err(Error::Huffman) }
}

/// The symbol at the top of `bits` (256: end of string) and the length of its code.
fn next(bits: u64) -> (u16, u8) {
    let (symbol, length) = CODE.short[(bits >> 56) as usize];
    if length != 0 {
        return (u16::from(symbol), length);
    }
    for length in SHORT + 1..LONGEST {
        let code = (bits >> (64 - length)) as u32;
        let rank = code.wrapping_sub(CODE.first[length]);
        if rank < CODE.count[length] {
            return (CODE.symbols[(CODE.offset[length] + rank) as usize], length as u8);
        }
    }
    // Four symbols have codes of 30 bits, and they end with the last code there is.
    let rank = ((bits >> (64 - LONGEST)) as u32).wrapping_sub(CODE.first[LONGEST]);
    (CODE.symbols[((CODE.offset[LONGEST] + rank) as usize).min(END_OF_STRING)], LONGEST as u8)
}

/// Codes up to this length are found with one look.
const SHORT: usize = 8;
const LONGEST: usize = 30;
const END_OF_STRING: usize = 256;

struct Code {
    /// By the next eight bits: the symbol and its length; length 0 for a code that is longer.
    short: [(u8, u8); 1 << SHORT],
    /// By length: the first code, how many there are, and where their symbols begin.
    first: [u32; LONGEST + 1],
    count: [u32; LONGEST + 1],
    offset: [u32; LONGEST + 1],
    /// All symbols in the order of their codes.
    symbols: [u16; 257],
}

static CODE: Code = Code::new();

impl Code {
    const fn new() -> Self {
        let mut this = Self {
            short: [(0, 0); 1 << SHORT],
            first: [0; LONGEST + 1],
            count: [0; LONGEST + 1],
            offset: [0; LONGEST + 1],
            symbols: [0; 257],
        };
        let (mut code, mut rank, mut length) = (0_u32, 0, 1);
        while length <= LONGEST {
            this.first[length] = code;
            this.offset[length] = rank;
            let mut symbol = 0;
            while symbol < LENGTHS.len() {
                if LENGTHS[symbol] as usize == length {
                    this.symbols[rank as usize] = symbol as u16;
                    this.spread(symbol as u8, code, length);
                    rank += 1;
                    code += 1;
                }
                symbol += 1;
            }
            this.count[length] = rank - this.offset[length];
            code <<= 1;
            length += 1;
        }
        this
    }

    /// Enters a short code wherever the next eight bits begin with it.
    const fn spread(&mut self, symbol: u8, code: u32, length: usize) {
        if length > SHORT {
            return;
        }
        let free = SHORT - length;
        let mut rest = 0;
        while rest < 1 << free {
            self.short[(code << free) as usize + rest] = (symbol, length as u8);
            rest += 1;
        }
    }
}

/// The length in bits of each symbol's code (RFC 7541 appendix B), the last one EOS.
#[rustfmt::skip]
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The code of `text`, bit by bit from the same table of lengths but another way: each code by counting.
    fn encode(text: &[u8]) -> Vec<u8> {
        let mut bits: Vec<bool> = Vec::new();
        for &symbol in text {
            let length = LENGTHS[usize::from(symbol)];
            let before = (0..257).filter(|&s| (LENGTHS[s], s) < (length, usize::from(symbol)));
            let code: u64 = before.map(|s| 1_u64 << (length - LENGTHS[s])).sum();
            bits.extend((0..length).rev().map(|bit| code >> bit & 1 == 1));
        }
        bits.resize(bits.len().next_multiple_of(8), true);
        bits.chunks(8).map(|byte| byte.iter().fold(0, |byte, &bit| byte << 1 | u8::from(bit))).collect()
    }

    fn text(input: &[u8]) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        decode(input, &mut out).map(|()| out)
    }

    #[test]
    fn the_lengths_make_a_complete_code() {
        assert_eq!(LENGTHS.iter().map(|&length| 1_u64 << (LONGEST as u8 - length)).sum::<u64>(), 1 << LONGEST);
    }

    #[test]
    fn codes_of_appendix_b() {
        assert_eq!(encode(b"www.example.com"), *b"\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff");
        // A sample of the longest ones, as the appendix prints them: 10, 13, 22 and 249.
        assert_eq!(encode(b"\n"), [0xff, 0xff, 0xff, 0xf3]);
        assert_eq!(encode(b"\r"), [0xff, 0xff, 0xff, 0xf7]);
        assert_eq!(encode(b"\x16"), [0xff, 0xff, 0xff, 0xfb]);
        assert_eq!(encode(b"\xf9"), [0xff, 0xff, 0xff, 0xef]);
    }

    #[test]
    fn every_pair_of_symbols() {
        for pair in 0..=u16::MAX {
            let pair = pair.to_be_bytes();
            assert_eq!(text(&encode(&pair)).as_deref(), Ok(&pair[..]));
        }
    }

    #[test]
    fn padding_is_short_and_all_ones() {
        assert_eq!(text(b""), Ok(vec![]));
        // "o" is 00111.
        assert_eq!(text(&[0b0011_1111]), Ok(b"o".to_vec()));
        assert_eq!(text(&[0b0011_1011]), Err(Error::Huffman), "a zero in the padding");
        assert_eq!(text(&[0b0011_1111, 0xff]), Err(Error::Huffman), "a byte too much of it");
        assert_eq!(text(&[0xff]), Err(Error::Huffman), "nothing but padding");
        assert_eq!(text(&[0xff; 4]), Err(Error::Huffman), "the end of the string itself");
        assert_eq!(text(&[0xff; 64]), Err(Error::Huffman));
    }
}
