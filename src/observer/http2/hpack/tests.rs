use super::*;

/// A block in hexadecimal, the fields it says, and the size of the table after it.
type Row = (&'static str, &'static [(&'static str, &'static str)], usize);

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter_map(|c| char::from(c).to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn decode(decoder: &mut Decoder, block: &[u8]) -> Result<Vec<(String, String)>, Error> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let mut fields = Vec::new();
    decoder.decode(block, &mut |name, value| fields.push((text(name), text(value)))).map(|()| fields)
}

fn check(decoder: &mut Decoder, rows: &[Row]) {
    for &(block, expected, size) in rows {
        let fields = decode(decoder, &hex(block)).unwrap();
        let fields: Vec<_> = fields.iter().map(|(name, value)| (&name[..], &value[..])).collect();
        assert_eq!(fields, expected, "{block}");
        assert_eq!(decoder.table_size(), size, "{block}");
    }
}

const REQUEST_1: &[(&str, &str)] =
    &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "www.example.com")];
const REQUEST_2: &[(&str, &str)] = &[
    (":method", "GET"),
    (":scheme", "http"),
    (":path", "/"),
    (":authority", "www.example.com"),
    ("cache-control", "no-cache"),
];
const REQUEST_3: &[(&str, &str)] = &[
    (":method", "GET"),
    (":scheme", "https"),
    (":path", "/index.html"),
    (":authority", "www.example.com"),
    ("custom-key", "custom-value"),
];
const RESPONSE_1: &[(&str, &str)] = &[
    (":status", "302"),
    ("cache-control", "private"),
    ("date", "Mon, 21 Oct 2013 20:13:21 GMT"),
    ("location", "https://www.example.com"),
];
const RESPONSE_2: &[(&str, &str)] = &[
    (":status", "307"),
    ("cache-control", "private"),
    ("date", "Mon, 21 Oct 2013 20:13:21 GMT"),
    ("location", "https://www.example.com"),
];
const RESPONSE_3: &[(&str, &str)] = &[
    (":status", "200"),
    ("cache-control", "private"),
    ("date", "Mon, 21 Oct 2013 20:13:22 GMT"),
    ("location", "https://www.example.com"),
    ("content-encoding", "gzip"),
    ("set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"),
];

#[test]
fn rfc_7541_c_2_single_fields() {
    let literal = "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572";
    check(&mut Decoder::new(), &[(literal, &[("custom-key", "custom-header")], 55)]);
    check(&mut Decoder::new(), &[("040c 2f73 616d 706c 652f 7061 7468", &[(":path", "/sample/path")], 0)]);
    check(&mut Decoder::new(), &[("1008 7061 7373 776f 7264 0673 6563 7265 74", &[("password", "secret")], 0)]);
    check(&mut Decoder::new(), &[("82", &[(":method", "GET")], 0)]);
}

#[test]
fn rfc_7541_c_3_requests() {
    check(
        &mut Decoder::new(),
        &[
            ("8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", REQUEST_1, 57),
            ("8286 84be 5808 6e6f 2d63 6163 6865", REQUEST_2, 110),
            ("8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65", REQUEST_3, 164),
        ],
    );
}

#[test]
fn rfc_7541_c_4_requests_with_huffman_code() {
    check(
        &mut Decoder::new(),
        &[
            ("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", REQUEST_1, 57),
            ("8286 84be 5886 a8eb 1064 9cbf", REQUEST_2, 110),
            ("8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf", REQUEST_3, 164),
        ],
    );
}

/// The decoder of C.5 and C.6, whose table has 256 bytes.
fn small() -> Decoder {
    let mut decoder = Decoder::new();
    // 256 is 31 + 225.
    check(&mut decoder, &[("3fe1 01", &[], 0)]);
    decoder
}

#[test]
fn rfc_7541_c_5_responses_with_eviction() {
    let first = "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 \
                 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d";
    let third = "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 \
                 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 \
                 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31";
    check(
        &mut small(),
        &[(first, RESPONSE_1, 222), ("4803 3330 37c1 c0bf", RESPONSE_2, 222), (third, RESPONSE_3, 215)],
    );
}

#[test]
fn rfc_7541_c_6_responses_with_huffman_code_and_eviction() {
    let first = "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad \
                 1718 63c7 8f0b 97c8 e9ae 82ae 43d3";
    let third = "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 \
                 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07";
    check(
        &mut small(),
        &[(first, RESPONSE_1, 222), ("4883 640e ffc1 c0bf", RESPONSE_2, 222), (third, RESPONSE_3, 215)],
    );
}

#[test]
fn the_table_is_as_large_as_the_other_side_allows() {
    let mut decoder = Decoder::new();
    // 4097 is 31 + 4066.
    assert_eq!(decode(&mut decoder, &hex("3fe2 1f")), Err(Error::TableSize));
    decoder.allow(4097);
    decoder.allow(0);
    assert_eq!(decode(&mut decoder, &hex("3fe2 1f")), Ok(vec![]), "a smaller one counts only once acknowledged");
}

#[test]
fn a_name_from_the_entry_that_is_evicted_for_it() {
    let mut decoder = Decoder::new();
    // A table of 36 bytes has room for one entry of four.
    check(&mut decoder, &[("3f05 4001 6103 7879 7a", &[("a", "xyz")], 36)]);
    check(&mut decoder, &[("7e03 3132 33", &[("a", "123")], 36), ("be", &[("a", "123")], 36)]);
    check(&mut decoder, &[("7e04 3132 3334", &[("a", "1234")], 0)]);
    assert_eq!(decode(&mut decoder, &hex("be")), Err(Error::Index), "an entry too large empties the table");
}

#[test]
fn what_is_no_header_block() {
    for (block, error) in [
        ("80", Error::Index),
        ("be", Error::Index),
        ("7e01 61", Error::Index),
        ("ff80 8080 8080 01", Error::Integer),
        ("4005 6162", Error::Short),
        ("40", Error::Short),
        ("0481 ff", Error::Huffman),
    ] {
        assert_eq!(decode(&mut Decoder::new(), &hex(block)), Err(error), "{block}");
    }
}

#[test]
fn eviction_keeps_the_order_and_gives_memory_back() {
    let mut decoder = Decoder::new();
    for round in 0..2000_u32 {
        let value = format!("{round:06}");
        let mut block = b"\x40\x01k\x06".to_vec();
        block.extend_from_slice(value.as_bytes());
        block.extend_from_slice(b"\xbe");
        let fields = decode(&mut decoder, &block).unwrap();
        assert_eq!(fields[1], ("k".to_owned(), value));
        // Each entry takes 39 bytes of the table: 105 fit, so the one before last is at 63 and the oldest at 166.
        let oldest = decode(&mut decoder, &hex("ff27")).ok().map(|fields| fields[0].1.clone());
        assert_eq!(oldest, round.checked_sub(104).map(|round| format!("{round:06}")));
    }
    assert!(decoder.table_size() <= 4096);
}
