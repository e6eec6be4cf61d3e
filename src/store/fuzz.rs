//! Entry points for fuzzing.

use super::{names, spool};

/// Whatever lies in a spool file, reading it ends and does not panic; what can be read of a prefix is a prefix.
///
/// The input is read as a file, and then as the frames of one: no fuzzer guesses a checksum, and what is behind it is
/// worth looking at. A frame is its type, its length in one byte, or two after a zero, and its payload.
///
/// # Panics
/// When that does not hold.
pub fn fuzz_spool(data: &[u8]) {
    check(data);
    check(&sealed(data));
}

fn check(file: &[u8]) {
    if let Some(exchange) = spool::recover(file) {
        assert!(!exchange.complete);
        let _ = names::stem(&exchange);
    }
    let cut = &file[..file.len() - file.len() / 3];
    if let (Some(whole), Some(cut)) = (spool::read(file), spool::read(cut)) {
        assert!(whole.request.starts_with(&cut.request));
        assert!(whole.response.starts_with(&cut.response));
    }
}

/// A file of these frames, each with the checksum that it needs.
fn sealed(mut frames: &[u8]) -> Vec<u8> {
    let mut file = spool::MAGIC.to_vec();
    while let [kind, length, rest @ ..] = frames {
        let (length, rest) = match (length, rest) {
            (0, [high, low, rest @ ..]) => (u16::from_be_bytes([*high, *low]), rest),
            (length, rest) => (u16::from(*length), rest),
        };
        let (payload, rest) = rest.split_at(usize::from(length).min(rest.len()));
        spool::push_frame(&mut file, *kind, &[payload]);
        frames = rest;
    }
    file
}
