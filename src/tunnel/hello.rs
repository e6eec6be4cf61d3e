//! The ClientHello, read ahead of the handshake (RFC 8446 section 4.1.2).
//!
//! Sans-io: told the bytes so far, it says whether the hello is whole.

/// What the first bytes of a tunnel are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hello {
    /// A whole ClientHello lies within the bytes.
    Complete,
    /// So far it looks like one.
    Incomplete,
    /// It is something else: not TLS, or larger than any client sends.
    NotTls,
}

/// Record type `handshake` (RFC 8446 section 5.1).
const HANDSHAKE: u8 = 22;
/// Handshake type `client_hello` (RFC 8446 section 4).
const CLIENT_HELLO: u8 = 1;
const RECORD_HEAD: usize = 5;
const MESSAGE_HEAD: usize = 4;

/// With post-quantum key shares a hello has about 2 kB; browsers' padding and tickets stay far below this.
pub const MAX_HELLO: usize = 64 << 10;

/// Looks at the first bytes of a tunnel. The hello may lie in several records, and records in several packets.
#[must_use]
pub fn scan(bytes: &[u8]) -> Hello {
    let mut message_seen = 0;
    let mut message_size = None;
    let mut head = [0; MESSAGE_HEAD];
    let mut rest = bytes;
    loop {
        let prefix = [HANDSHAKE, 3];
        if rest.iter().zip(prefix).any(|(byte, expected)| *byte != expected) {
            return Hello::NotTls;
        }
        let Some((record_head, after)) = rest.split_at_checked(RECORD_HEAD) else { return Hello::Incomplete };
        let size = usize::from(u16::from_be_bytes([record_head[3], record_head[4]]));
        if size == 0 {
            return Hello::NotTls;
        }
        let body = &after[..size.min(after.len())];
        for (slot, byte) in head.iter_mut().skip(message_seen).zip(body) {
            *slot = *byte;
        }
        message_seen += body.len();
        if message_seen > 0 && head[0] != CLIENT_HELLO {
            return Hello::NotTls;
        }
        if message_seen >= MESSAGE_HEAD {
            let size = u32::from_be_bytes([0, head[1], head[2], head[3]]) as usize;
            if size > MAX_HELLO {
                return Hello::NotTls;
            }
            message_size = Some(MESSAGE_HEAD + size);
        }
        if message_size.is_some_and(|size| message_seen >= size) {
            return Hello::Complete;
        }
        if body.len() < size {
            return Hello::Incomplete;
        }
        rest = &after[size..];
    }
}

/// For the fuzzer: the answer for a text may only go from "incomplete" to one of the others as it grows, once.
#[doc(hidden)]
pub fn fuzz_hello(data: &[u8]) {
    let whole = scan(data);
    let mut decided = None;
    for end in 0..=data.len().min(4096) {
        let now = scan(&data[..end]);
        match decided {
            None if now != Hello::Incomplete => decided = Some(now),
            Some(before) => assert_eq!(before, now, "the answer changed at byte {end}"),
            None => {}
        }
    }
    if data.len() <= 4096
        && let Some(decided) = decided
    {
        assert_eq!(decided, whole);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: usize) -> Vec<u8> {
        let mut message = vec![CLIENT_HELLO, 0, (body >> 8) as u8, body as u8];
        message.extend(std::iter::repeat_n(7, body));
        message
    }

    fn records(message: &[u8], size: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in message.chunks(size) {
            bytes.extend([HANDSHAKE, 3, 1, (part.len() >> 8) as u8, part.len() as u8]);
            bytes.extend(part);
        }
        bytes
    }

    #[test]
    fn a_hello_is_whole_at_its_last_byte_however_it_is_split_into_records() {
        for size in [1, 2, 3, 5, 100, 2000] {
            let bytes = records(&message(300), size);
            for end in 0..bytes.len() {
                assert_eq!(scan(&bytes[..end]), Hello::Incomplete, "records of {size}, cut at {end}");
            }
            assert_eq!(scan(&bytes), Hello::Complete, "records of {size}");
        }
    }

    #[test]
    fn other_protocols_are_told_by_their_first_byte() {
        for bytes in [&b"GET / HTTP/1.1\r\n"[..], b"SSH-2.0-", b"\x00", b"\x16\x02", b"\x15\x03\x01\x00\x02\x02\x28"] {
            assert_eq!(scan(bytes), Hello::NotTls, "{bytes:?}");
        }
        assert_eq!(scan(b"\x16\x03\x01\x00\x04\x02\x00\x00\x10"), Hello::NotTls, "a ServerHello");
        assert_eq!(scan(b"\x16\x03\x01\x00\x00"), Hello::NotTls, "an empty record");
    }

    #[test]
    fn a_hello_of_absurd_size_is_not_waited_for() {
        assert_eq!(scan(b"\x16\x03\x01\x40\x00\x01\xff\xff\xff"), Hello::NotTls);
    }
}
