//! Our decoder against loona-hpack's encoder and decoder.

use loona_hpack::decoder::DecoderError;
use proptest::collection::vec;
use proptest::prelude::*;

use super::decoder::{Decoder, Error};

type Field = (Vec<u8>, Vec<u8>);

fn decode(decoder: &mut Decoder, block: &[u8]) -> Result<Vec<Field>, Error> {
    let mut fields = Vec::new();
    decoder.decode(block, &mut |name, value| fields.push((name.to_vec(), value.to_vec()))).map(|()| fields)
}

/// Fields that repeat often enough for the tables to be used.
fn field() -> impl Strategy<Value = Field> {
    let name = prop_oneof![
        4 => prop::sample::select(vec![":status", ":path", ":method", "cookie", "x-request-id", "a"])
            .prop_map(|name| name.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..40),
    ];
    let value = prop_oneof![
        4 => prop::sample::select(vec!["200", "/", "GET", "", "b"]).prop_map(|value| value.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..200),
    ];
    (name, value)
}

/// A representation as its bits say, most of them valid.
fn representation() -> impl Strategy<Value = Vec<u8>> {
    let text = || vec(any::<u8>(), 0..12).prop_map(|text| [&[text.len() as u8], &text[..]].concat());
    let code = || {
        prop_oneof![
            4 => prop::sample::select(vec![&b"\x84\x25\xa8\x49\xe9"[..], b"\x86\xa8\xeb\x10\x64\x9c\xbf", b"\x80"])
                .prop_map(<[u8]>::to_vec),
            1 => vec(any::<u8>(), 0..6).prop_map(|text| [&[0x80 | text.len() as u8], &text[..]].concat()),
        ]
    };
    let string = move || prop_oneof![text(), code()];
    prop_oneof![
        4 => (1_u8..70).prop_map(|index| vec![0x80 | index]),
        4 => (string(), string(), prop::sample::select(vec![0x40_u8, 0, 0x10]))
            .prop_map(|(name, value, kind)| [&[kind], &name[..], &value].concat()),
        3 => (1_u8..15, string(), prop::sample::select(vec![0x40_u8, 0, 0x10]))
            .prop_map(|(index, value, kind)| [&[kind | index], &value[..]].concat()),
        1 => (0_u8..31).prop_map(|size| vec![0x20 | size]),
        1 => Just(b"\x3f\xe1\x1f".to_vec()),
        1 => vec(any::<u8>(), 1..8),
    ]
}

proptest! {
    #[test]
    fn reads_what_their_encoder_writes(
        blocks in vec((vec(field(), 0..12), prop::option::of(0_usize..4096)), 1..20)
    ) {
        let mut encoder = loona_hpack::Encoder::new();
        let mut ours = Decoder::new();
        for (fields, size) in blocks {
            if let Some(size) = size {
                encoder.set_max_table_size(size);
            }
            let block = encoder.encode(fields.iter().map(|(name, value)| (&name[..], &value[..])));
            prop_assert_eq!(decode(&mut ours, &block), Ok(fields));
        }
    }

    #[test]
    fn agrees_with_their_decoder(blocks in vec(vec(representation(), 0..10), 1..8)) {
        let mut theirs = loona_hpack::Decoder::new();
        theirs.set_max_allowed_table_size(4096);
        let mut ours = Decoder::new();
        for block in blocks {
            let block = block.concat();
            match (decode(&mut ours, &block), theirs.decode(&block)) {
                (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours, theirs),
                // They count continuation bytes, we count bits.
                (Err(Error::Integer), _) | (_, Err(DecoderError::IntegerDecodingError(_))) => break,
                // They refuse a block that ends with a new table size; an observer has nothing to gain from that.
                (Ok(_), Err(DecoderError::SizeUpdateAtEnd)) => break,
                (Err(_), Err(_)) => break,
                (ours, theirs) => prop_assert!(false, "{block:x?}: {ours:?}, {theirs:?}"),
            }
        }
    }
}
