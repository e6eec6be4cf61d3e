use flate2::{Compress, Compression, FlushCompress};

use super::deflate::TAIL;
use super::*;
use Direction::{ClientToServer as C, ServerToClient as S};

const DEFLATE: &str = "permessage-deflate";
const AFRESH: &str = "permessage-deflate; client_no_context_takeover; server_no_context_takeover";

/// What a socket said, as lines; a violation as the last.
fn play(extensions: &str, message: usize, feeds: &[(Direction, &[u8])]) -> Vec<String> {
    let mut fields = Fields::default();
    if !extensions.is_empty() {
        fields.push(b"Sec-WebSocket-Extensions", extensions.as_bytes());
    }
    let mut socket = WebSocket::new(&fields);
    let mut left = 4 * message;
    let mut lines = Vec::new();
    for &(direction, bytes) in feeds {
        let arrow = if direction == C { '>' } else { '<' };
        let mut room = Room { message, left: &mut left };
        let result = socket.feed(direction, bytes, &mut room, &mut |said| {
            lines.push(match said {
                Said::Begins => format!("{arrow} begins"),
                Said::Message { kind, bytes, truncated } => {
                    let mark = if truncated { "..." } else { "" };
                    format!("{arrow} {} {}{mark}", kind.as_str(), bytes.escape_ascii())
                }
            });
        });
        assert_eq!(socket.kept() + left, 4 * message, "room is given back");
        if let Err(reason) = result {
            lines.push(reason.to_owned());
            break;
        }
    }
    lines
}

/// The same fed whole and byte by byte.
fn lines(extensions: &str, feeds: &[(Direction, &[u8])]) -> Vec<String> {
    let whole = play(extensions, 1000, feeds);
    let bytes: Vec<_> = feeds.iter().flat_map(|&(side, bytes)| bytes.chunks(1).map(move |byte| (side, byte))).collect();
    assert_eq!(play(extensions, 1000, &bytes), whole);
    whole
}

fn one(extensions: &str, direction: Direction, bytes: &[u8]) -> Vec<String> {
    lines(extensions, &[(direction, bytes)])
}

#[test]
fn examples_of_rfc_6455_section_5_7() {
    let hello = ["< begins", "< text Hello"];
    assert_eq!(one("", S, b"\x81\x05Hello"), hello);
    assert_eq!(one("", C, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), ["> begins", "> text Hello"]);
    assert_eq!(one("", S, b"\x01\x03Hel\x80\x02lo"), hello);
    assert_eq!(one("", S, b"\x89\x05Hello"), ["< ping Hello"]);
    assert_eq!(one("", C, b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), ["> pong Hello"]);
    let long = [&b"\x82\x7e\x01\x00"[..], &[b'x'; 256]].concat();
    assert_eq!(one("", S, &long), ["< begins".to_owned(), format!("< binary {}", "x".repeat(256))]);
    let longer = [&b"\x82\x7f\0\0\0\0\0\x01\0\0"[..], &[b'x'; 65536]].concat();
    assert_eq!(play("", 65536, &[(S, &longer)])[1].len(), "< binary ".len() + 65536);
}

#[test]
fn examples_of_rfc_7692_section_7_2_3() {
    let hello = ["< begins", "< text Hello"];
    let twice = ["< begins", "< text Hello", "< begins", "< text Hello"];
    // 7.2.3.1: one block, whole and in two fragments.
    assert_eq!(one(DEFLATE, S, b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00"), hello);
    assert_eq!(one(DEFLATE, S, b"\x41\x03\xf2\x48\xcd\x80\x04\xc9\xc9\x07\x00"), hello);
    // 7.2.3.2: the second message refers to the first.
    let shared = b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\xc1\x05\xf2\x00\x11\x00\x00";
    assert_eq!(one(DEFLATE, S, shared), twice);
    assert_ne!(one(AFRESH, S, shared), twice, "without the context there is nothing to refer to");
    assert_eq!(one(AFRESH, S, &b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00".repeat(2)), twice);
    // 7.2.3.3: a block without compression.
    assert_eq!(one(DEFLATE, S, b"\xc1\x0b\x00\x05\x00\xfa\xffHello\x00"), hello);
    // 7.2.3.4: a block that says that it is the last. What follows may refer to it all the same.
    let last = b"\xc1\x08\xf3\x48\xcd\xc9\xc9\x07\x00\x00";
    assert_eq!(one(DEFLATE, S, last), hello);
    assert_eq!(one(DEFLATE, S, &[&last[..], b"\xc1\x05\xf2\x00\x11\x00\x00"].concat()), twice);
    // 7.2.3.5: two blocks in one message.
    assert_eq!(one(DEFLATE, S, b"\xc1\x0d\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"), hello);
    // Section 7.2.1: an empty message; and one that is not compressed though it might be.
    assert_eq!(one(DEFLATE, S, b"\xc1\x01\x00"), ["< begins", "< text "]);
    assert_eq!(one(DEFLATE, S, b"\x81\x05Hello"), hello);
}

#[test]
fn control_frames_come_between_fragments() {
    let bytes = b"\x01\x01a\x89\x01p\x00\x01b\x8a\x00\x80\x01c\x88\x05\x03\xe8bye\x81\x01x";
    assert_eq!(one("", C, bytes), ["> begins", "> ping p", "> pong ", "> text abc", "> close \\x03\\xe8bye"]);
    // Also between those of a compressed message.
    let bytes = b"\x41\x03\xf2\x48\xcd\x89\x01p\x80\x04\xc9\xc9\x07\x00";
    assert_eq!(one(DEFLATE, S, bytes), ["< begins", "< ping p", "< text Hello"]);
}

#[test]
fn a_message_cut_by_close_or_end_is_told_as_far_as_it_came() {
    assert_eq!(one("", S, b"\x01\x02ab\x88\x00"), ["< begins", "< close ", "< text ab..."]);
    let mut socket = WebSocket::new(&Fields::default());
    let (mut left, mut said) = (100, Vec::new());
    let mut room = Room { message: 100, left: &mut left };
    socket.feed(S, b"\x82\x7e\x10\x00abc", &mut room, &mut |_| {}).unwrap();
    assert_eq!((socket.kept(), *room.left), (3, 97));
    let mut note = |it: Said<'_>| {
        if let Said::Message { kind, bytes, truncated } = it {
            said.push((kind, bytes.to_vec(), truncated));
        }
    };
    socket.end(S, &mut room, &mut note);
    socket.end(S, &mut room, &mut note);
    assert_eq!(said, [(MessageKind::Binary, b"abc".to_vec(), true)]);
    assert_eq!((socket.kept(), left), (0, 100));
}

#[test]
fn what_can_be_read_is_read() {
    // A server that masks, a client that does not, a length in more bytes than it needs, a text that is no UTF-8.
    assert_eq!(one("", S, b"\x81\x81\x01\x02\x03\x04\x60"), ["< begins", "< text a"]);
    assert_eq!(one("", C, b"\x81\x01a"), ["> begins", "> text a"]);
    assert_eq!(one("", S, b"\x81\x7f\0\0\0\0\0\0\0\x01a\x81\x7e\0\x01b")[3], "< text b");
    assert_eq!(one("", S, b"\x81\x02\xff\xc0"), ["< begins", r"< text \xff\xc0"]);
    assert_eq!(one("", S, b"\x88\x01x"), ["< close x"]);
}

#[test]
fn what_cannot_be_read_ends_the_observation() {
    let reserved = "WebSocket frame with a reserved bit that was not agreed upon";
    let control = "WebSocket control frame in pieces, or too long";
    let cases: [(&str, &[u8], &str); 14] = [
        ("", b"\xc1\x00", reserved),
        (DEFLATE, b"\xa1\x00", reserved),
        (DEFLATE, b"\x91\x00", reserved),
        (DEFLATE, b"\xf1\x00", reserved),
        (DEFLATE, b"\xc9\x00", reserved),
        (DEFLATE, b"\x41\x00\xc0\x00", reserved),
        ("", b"\x83\x00", "WebSocket frame of an unknown kind"),
        ("", b"\x8b\x00", "WebSocket frame of an unknown kind"),
        ("", b"\x09\x00", control),
        ("", b"\x88\x7e\x00\x7e", control),
        ("", b"\x80\x00", "WebSocket message that goes on and never began"),
        ("", b"\x01\x00\x81\x00", "WebSocket message within another"),
        ("", b"\x82\x7f\x80\0\0\0\0\0\0\0", "WebSocket frame of an impossible length"),
        (DEFLATE, b"\xc1\x02\x07\x07", "WebSocket message that does not inflate"),
    ];
    for (extensions, bytes, reason) in cases {
        let lines = one(extensions, S, bytes);
        assert_eq!(lines.last().map(String::as_str), Some(reason), "{}: {lines:?}", bytes.escape_ascii());
    }
}

#[test]
fn a_message_above_the_ceiling_is_cut_and_the_next_is_whole() {
    let frames = b"\x01\x03abc\x80\x03def\x81\x04ghij\x81\x05klmno";
    assert_eq!(
        play("", 4, &[(S, frames)]),
        ["< begins", "< text abcd...", "< begins", "< text ghij", "< begins", "< text klmn..."]
    );
}

#[test]
fn messages_under_way_on_other_sockets_take_room() {
    let mut socket = WebSocket::new(&Fields::default());
    let (mut left, mut lines) = (5, Vec::new());
    let mut room = Room { message: 100, left: &mut left };
    for (direction, bytes) in [(C, &b"\x01\x03abc"[..]), (S, b"\x81\x04defg"), (C, b"\x80\x01h"), (S, b"\x81\x04ijkl")]
    {
        socket
            .feed(direction, bytes, &mut room, &mut |said| {
                if let Said::Message { bytes, truncated, .. } = said {
                    lines.push((String::from_utf8_lossy(bytes).into_owned(), truncated));
                }
            })
            .unwrap();
    }
    let expected = [("de", true), ("abch", false), ("ijkl", false)];
    assert_eq!(lines, expected.map(|(text, cut)| (text.to_owned(), cut)));
}

fn compressed(compress: &mut Compress, text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 1000);
    compress.compress_vec(text, &mut out, FlushCompress::Sync).unwrap();
    out.truncate(out.len() - TAIL.len());
    let length = u64::try_from(out.len()).unwrap().to_be_bytes();
    [&[0xc1, 127][..], &length, &out].concat()
}

#[test]
fn a_bomb_costs_bounded_memory_and_then_the_socket() {
    let mut compress = Compress::new(Compression::best(), false);
    let bomb = compressed(&mut compress, &vec![b'x'; 1_000_000]);
    let after = compressed(&mut compress, b"xxxxxxxxxxx after");
    let lines = play(DEFLATE, 1000, &[(S, &bomb), (S, &after)]);
    assert_eq!(lines[1], format!("< text {}...", "x".repeat(1000)));
    assert_eq!(lines[2..], ["< begins", "< text xxxxxxxxxxx after"], "what follows still refers to all of it");
    let mut compress = Compress::new(Compression::best(), false);
    let bomb = compressed(&mut compress, &vec![b'x'; 1_100_000]);
    let lines = play(DEFLATE, 1000, &[(S, &bomb), (S, &after)]);
    assert_eq!(lines, ["< begins", "WebSocket message that inflates beyond all bounds"]);
}

#[test]
fn the_context_survives_blocks_that_end_a_stream_and_long_distances() {
    // Incompressible, longer than the window, then a message that refers to its last 32 KiB.
    let noise: Vec<u8> = (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let mut compress = Compress::new(Compression::best(), false);
    let first = compressed(&mut compress, &noise);
    let second = compressed(&mut compress, &noise[noise.len() - 30_000..]);
    let end = b"\xc1\x03\x03\x00\x00";
    let size = |bytes: &[u8]| -> Vec<(usize, bool)> {
        let mut fields = Fields::default();
        fields.push(b"Sec-WebSocket-Extensions", DEFLATE.as_bytes());
        let (mut socket, mut left, mut sizes) = (WebSocket::new(&fields), 1 << 30, Vec::new());
        let mut room = Room { message: 1 << 20, left: &mut left };
        let note = &mut |said: Said<'_>| {
            if let Said::Message { bytes, .. } = said {
                sizes.push((bytes.len(), noise.ends_with(bytes)));
            }
        };
        bytes.chunks(777).for_each(|piece| socket.feed(S, piece, &mut room, note).unwrap());
        sizes
    };
    assert!(second.len() < 1000, "{} bytes: it does not refer back", second.len());
    assert_eq!(size(&[&first[..], &second].concat()), [(100_000, true), (30_000, true)]);
    assert_eq!(size(&[&first[..], end, &second].concat()), [(100_000, true), (0, true), (30_000, true)]);
}
