use std::io::Write;

use base64::Engine;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use proptest::prelude::*;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::*;
use crate::exchange::testing::fields;

/// Made by Node 20 (brotli) and zstd 1.5 of [`text`].
const BROTLI: &str =
    "GwcCYK2KdxD5EE6qJyo2etSpO04pArKXXanDpdCnwjGUQT1DJ0VgtogmBwC/nUKCeRJozIGHrLTnM0kx7W7r2aZyYgfGnlTCWto6unTr0asvPQ==";
const ZSTD: &str = "KLUv/QRovQIA1ANkYXRhOiB7ImNob2ljZXMiOlt7InRleHQiOiJ3b3JkIDAgw6kiLCJpbmRleCI6MH1dfQoKMTIzNDU2Nzg5CiDQmwOJ4DycDKfAeTgZTsF5yMno4nIPG/BL+Q==";
/// [`text`] again, flushed after each event.
const BROTLI_STREAM: &str = "ixmAZGF0YTogeyJjaG9pY2VzIjpbeyJ0ZXh0Ijoid29yZCAwIMOpIiwiaW5kZXgiOjB9XX0KCpgBgF8qhqyWaCaGmGIAmAGAX0KmilgiAKAZmAGAX2KmilgiAKAZmAGAX4KmilgiAKAZmAGAX6KmilgiAKAZmAGAX8KmilgiAKAZmAGAX+KmilgiAKAZmAGAXwKnilgiAKAZmAGAXyKnilgiAKAZAw==";
/// 64 MiB of zeros.
const BROTLI_BOMB: &str = "y///P/gnAOKxQCD3/o///3/wTwDEYRGA7v0f////4J8AiMMCAN37P/7//8E/ARCHBQC693/8//+DfwIgDgsAdO//+P//B/8EQBwWAOje//H//w/+CYA4LADQvf/L//8//BMAcVgAoHv/Bw==";

const LIMITS: DecodeLimits = DecodeLimits { output: 1 << 20 };

fn text() -> Vec<u8> {
    (0..10)
        .flat_map(|i| format!("data: {{\"choices\":[{{\"text\":\"word {i} é\",\"index\":0}}]}}\n\n").into_bytes())
        .collect()
}

fn base64(text: &str) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn raw_deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zstd(data: &[u8]) -> Vec<u8> {
    compress_to_vec(data, CompressionLevel::Fastest)
}

fn all() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("gzip", gzip(&text())),
        ("X-GZip", gzip(&text())),
        ("deflate", zlib(&text())),
        ("deflate", raw_deflate(&text())),
        ("br", base64(BROTLI)),
        ("br", base64(BROTLI_STREAM)),
        ("zstd", base64(ZSTD)),
        ("zstd", zstd(&text())),
    ]
}

fn run(coding: &str, body: &[u8]) -> Decoded {
    decode(&fields(&[("Content-Encoding", coding)]), body.to_vec(), LIMITS)
}

#[test]
fn every_coding_is_removed() {
    for (coding, body) in all() {
        let decoded = run(coding, &body);
        let name = coding.to_ascii_lowercase();
        let codings = vec![Coding::named(name.as_bytes()).unwrap().name()];
        assert_eq!(decoded, Decoded { bytes: text(), codings, ..Decoded::default() }, "{coding}");
    }
}

#[test]
fn cut_anywhere_gives_a_prefix() {
    for (coding, body) in all() {
        let mut most = 0;
        for end in 0..body.len() {
            let decoded = run(coding, &body[..end]);
            assert!(text().starts_with(&decoded.bytes), "{coding} {end}: {decoded:?}");
            assert!(decoded.bytes.len() >= most, "{coding} {end}: less than of a shorter cut");
            assert_eq!(decoded.error.is_some(), end > 0, "{coding} {end}");
            most = decoded.bytes.len();
        }
    }
}

#[test]
fn a_stream_cut_gives_what_was_flushed() {
    let body = base64(BROTLI_STREAM);
    let first_event = text().iter().position(|&byte| byte == b'\n').unwrap() + 2;
    assert!(run("br", &body[..body.len() / 2]).bytes.len() >= 3 * first_event);

    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&text()[..first_event]).unwrap();
    encoder.flush().unwrap();
    assert_eq!(run("gzip", encoder.get_ref()).bytes, &text()[..first_event]);

    // Blocks of zstd are the unit: what is whole is had, though the decoder holds a window back.
    let data: Vec<u8> = (0..600_000_u32).flat_map(|i| i.to_le_bytes()).collect();
    let limits = DecodeLimits { output: 16 << 20 };
    let body = zstd(&data);
    let decoded = decode(&fields(&[("content-encoding", "zstd")]), body[..body.len() - 1].to_vec(), limits);
    assert!(data.starts_with(&decoded.bytes));
    assert!(data.len() - decoded.bytes.len() <= 128 << 10, "{}", decoded.bytes.len());
    assert_eq!(decoded.error.as_deref(), Some("zstd data ends early"));
}

#[test]
fn several_codings_in_a_row() {
    let decoded = run("deflate, gzip", &gzip(&zlib(&text())));
    assert_eq!((decoded.bytes, decoded.codings), (text(), vec!["gzip", "deflate"]));
    let two = fields(&[("Content-Encoding", "zstd"), ("content-encoding", "identity, gzip")]);
    let decoded = decode(&two, gzip(&zstd(&text())), LIMITS);
    assert_eq!((decoded.bytes, decoded.codings), (text(), vec!["gzip", "zstd"]));
    let body = gzip(&text());
    let decoded = run("gzip,gzip,gzip,gzip,gzip", &body);
    assert_eq!((decoded.bytes, decoded.error.as_deref()), (body, Some("more than 4 content codings")));
}

#[test]
fn several_members_and_frames_in_a_row() {
    let decoded = run("gzip", &[gzip(b"{1"), gzip(b"2}")].concat());
    assert_eq!((decoded.bytes.as_slice(), decoded.error), (&b"{12}"[..], None));
    let skippable = [0x5a, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9].to_vec();
    let decoded = run("zstd", &[zstd(b"{1"), skippable, zstd(b"2}")].concat());
    assert_eq!((decoded.bytes.as_slice(), decoded.error), (&b"{12}"[..], None));
}

#[test]
fn a_missing_header_is_seen_through() {
    for body in [gzip(&text()), zstd(&text())] {
        let decoded = decode(&Fields::default(), body.clone(), LIMITS);
        assert_eq!((decoded.bytes, decoded.codings.len(), decoded.error), (text(), 1, None));
    }
    // Not compressed at all, though it begins so.
    let odd = b"\x1f\x8b\x08 and something else".to_vec();
    assert_eq!(decode(&Fields::default(), odd.clone(), LIMITS), Decoded { bytes: odd, ..Decoded::default() });
}

#[test]
fn a_lying_header_is_seen_through() {
    for coding in ["gzip", "deflate", "br", "zstd", "gzip, br"] {
        for plain in [text(), b"{\"a\":[1,2,3],\"b\":\"long enough\"}".to_vec(), b"{}".to_vec(), b"[1, 2]\n".to_vec()] {
            let decoded = run(coding, &plain);
            assert_eq!(decoded, Decoded { bytes: plain, ..Decoded::default() }, "{coding}");
        }
    }
    assert_eq!(run("br", &gzip(&text())).codings, ["gzip"]);
    assert_eq!(run("gzip", &base64(ZSTD)).codings, ["zstd"]);
    assert_eq!(run("deflate", &gzip(&text())).bytes, text());
}

#[test]
fn what_cannot_be_decoded_stays_and_says_so() {
    let decoded = run("gzip", b"\x00\x01binary");
    assert_eq!((decoded.bytes.as_slice(), decoded.error.as_deref()), (&b"\x00\x01binary"[..], Some("not gzip data")));
    let decoded = run("compress", b"anything");
    assert_eq!(decoded.error.as_deref(), Some("a content coding that is not known"));
    assert_eq!(decoded.bytes, b"anything");
    let mut damaged = gzip(&text());
    let end = damaged.len();
    damaged[end - 6] ^= 1;
    let decoded = run("gzip", &damaged);
    assert_eq!((decoded.bytes, decoded.error.as_deref()), (text(), Some("gzip data is damaged")));
    let trailing = run("gzip", &[gzip(&text()), b"junk".to_vec()].concat());
    assert_eq!((trailing.bytes, trailing.error.as_deref()), (text(), Some("4 bytes after the end of gzip data")));
}

#[test]
fn nothing_encoded_is_nothing() {
    assert_eq!(run("gzip", b""), Decoded::default());
}

#[test]
fn bombs_stop_at_the_ceiling() {
    let zeros = vec![0; 8 << 20];
    let limits = DecodeLimits { output: 100_000 };
    for (coding, body) in [
        ("gzip", gzip(&zeros)),
        ("deflate", zlib(&zeros)),
        ("deflate", raw_deflate(&zeros)),
        ("br", base64(BROTLI_BOMB)),
        ("zstd", zstd(&zeros)),
        ("gzip, gzip", gzip(&gzip(&zeros))),
        ("identity", vec![0; 200_000]),
    ] {
        let decoded = decode(&fields(&[("Content-Encoding", coding)]), body, limits);
        assert!(decoded.truncated, "{coding}");
        assert_eq!((decoded.bytes.len(), decoded.error), (100_000, None), "{coding}");
    }
}

#[test]
fn a_huge_window_is_refused_before_it_is_allocated() {
    // A zstd frame that declares a window of 2 TiB or so (RFC 8878 section 3.1.1.1.2).
    let decoded = run("zstd", &[0x28, 0xb5, 0x2f, 0xfd, 0, 0xff, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(decoded.error.as_deref(), Some("zstd data is damaged"));
}

proptest! {
    #[test]
    fn what_was_encoded_comes_back(data in prop::collection::vec(any::<u8>(), 1..2000)) {
        for (coding, body) in [
            ("gzip", gzip(&data)), ("deflate", zlib(&data)), ("deflate", raw_deflate(&data)), ("zstd", zstd(&data)),
        ] {
            let decoded = run(coding, &body);
            prop_assert_eq!(&decoded.bytes, &data, "{}", coding);
            prop_assert_eq!(decoded.error, None);
        }
    }

    #[test]
    fn anything_at_all_is_survived(data in prop::collection::vec(any::<u8>(), 0..500)) {
        crate::exchange::fuzz::fuzz_decode(&data);
    }

    #[test]
    fn damage_is_survived(pick in 0..8_usize, at in 0..400_usize, bit in 0..8_u8) {
        let (coding, mut body) = all().swap_remove(pick);
        let at = at % body.len();
        body[at] ^= 1_u8 << bit;
        prop_assert!(run(coding, &body).bytes.len() <= LIMITS.output);
    }
}
