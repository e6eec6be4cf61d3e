//! Runs every fuzz body over seeded random and mutated inputs, so that a plain test run drives them without cargo-fuzz.
//!
//! `FUZZ_INPUTS` says how many inputs each body gets (default 4000, a few seconds).

use std::panic;

use copilot_recorder::observer::fuzz::{fuzz_hpack, fuzz_http1, fuzz_http2};

/// A body, its name, and inputs that reach deep into it.
struct Target {
    name: &'static str,
    body: fn(&[u8]),
    seeds: fn() -> Vec<Vec<u8>>,
}

/// Add a target here and a file of one line in `fuzz/fuzz_targets`.
const TARGETS: &[Target] = &[
    Target { name: "http1", body: fuzz_http1, seeds: http1 },
    Target { name: "http2", body: fuzz_http2, seeds: http2 },
    Target { name: "hpack", body: fuzz_hpack, seeds: hpack },
];

const C: u8 = 0;
const S: u8 = 0x80;

fn http1() -> Vec<Vec<u8>> {
    let get = &b"GET / HTTP/1.1\r\n\r\n"[..];
    let chunked =
        b"HTTP/1.1 100 x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nT: u\r\n\r\n";
    vec![
        conversation(&[
            (C, b"POST / HTTP/1.1\r\nContent-Length: 5\r\nX: y\r\n z\r\n\r\nhello"),
            (S, b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"),
        ]),
        conversation(&[(C, get), (S, chunked)]),
        conversation(&[
            (C, b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\nabc"),
            (S, b"HTTP/1.1 101 Switch\r\n\r\nxyz"),
            (C, b"def"),
        ]),
        conversation(&[
            (C, b"HEAD / HTTP/1.1\n\nGET / HTTP/1.0\r\n\r\nGET"),
            (S, b"HTTP/1.1 200 OK\n\nHTTP/1.0 200 OK\n\nbody"),
        ]),
        conversation(&[(C, b"GET / HTTP/1.1\r\nA: b\r\n"), (S, b"HTTP/1.1 431 Too large\n\nx"), (C, b"\r\n")]),
        conversation(&[(C, b"CONNECT a:1 HTTP/1.1\r\n\r\nopaque"), (S, b"HTTP/1.1 200 OK\n\nx")]),
    ]
}

fn http2() -> Vec<Vec<u8>> {
    let settings = &frame(4, 0, 0, b"\0\x01\0\0\x20\0");
    let get = &frame(1, 5, 1, b"\x82\x84\x87\x41\x01a");
    let cut = &[frame(1, 0x29, 1, b"\x02\0\0\0\0\0\x82\x84\0\0"), frame(9, 4, 1, b"\x87\x40\x01k\x01v")].concat();
    let connect = &frame(1, 4, 1, b"\x02\x07CONNECT\x00\x09:protocol\x02ws");
    let start = [(C, &settings[..]), (S, settings)];
    let with = |rest: &[(u8, &[u8])]| conversation(&[&start[..], rest].concat());
    vec![
        with(&[(C, get), (S, &frame(1, 4, 1, b"\x88")), (S, &frame(0, 1, 1, b"abc"))]),
        with(&[(C, get), (S, &frame(1, 4, 1, b"\x3f\xe1\x3f\x48\x03100")), (S, &frame(1, 4, 1, b"\xbe"))]),
        with(&[(C, cut), (S, &frame(3, 0, 1, b"\0\0\0\x08"))]),
        with(&[
            (C, get),
            (S, &frame(5, 4, 1, b"\0\0\0\x02\x82\x84\x87")),
            (S, &frame(1, 5, 2, b"\x88")),
            (S, &frame(7, 0, 0, b"\0\0\0\x01\0\0\0\0debug")),
        ]),
        with(&[
            (C, connect),
            (S, &frame(1, 4, 1, b"\x88")),
            (C, &frame(0, 8, 1, b"\x02abc\0\0")),
            (S, &frame(0, 1, 1, b"def")),
        ]),
        with(&[
            (C, &frame(1, 4, 1, b"\x83\x84")),
            (C, &frame(0, 0, 1, b"body")),
            (S, &frame(1, 5, 1, b"\x8d")),
            (C, &frame(1, 5, 1, b"\x40\x01t\x01u")),
        ]),
    ]
}

fn hpack() -> Vec<Vec<u8>> {
    vec![
        blocks(
            0x40,
            &[
                b"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff",
                b"\x82\xbe\x58\x86\xa8\xeb\x10\x64\x9c\xbf",
            ],
        ),
        blocks(4, &[b"\x3f\xe1\x01\x40\x01a\x03xyz\x7e\x03123", b"\xbe\xbf", b"\x20\x3f\x45\x40\x01b\x01c\xbe"]),
        blocks(0, &[b"\x10\x08password\x01x\x20"]),
    ]
}

/// What each side sends, in turn: before each piece a byte with the side in its top bit and the length below.
fn conversation(pieces: &[(u8, &[u8])]) -> Vec<u8> {
    let pieces = pieces.iter().flat_map(|(side, bytes)| bytes.chunks(0x7e).map(move |it| (side | it.len() as u8, it)));
    pieces.flat_map(|(head, bytes)| [&[head], bytes].concat()).collect()
}

/// An HTTP/2 frame.
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    [&[0, 0, payload.len() as u8, kind, flags, 0, 0, 0, stream], payload].concat()
}

/// Header blocks, each after its length, and before all of them the table's size in units of 64 bytes.
fn blocks(table: u8, blocks: &[&[u8]]) -> Vec<u8> {
    let blocks = blocks.iter().flat_map(|block| [&[block.len() as u8], *block].concat());
    [table].into_iter().chain(blocks).collect()
}

#[test]
fn no_input_breaks_what_must_hold() {
    let inputs = std::env::var("FUZZ_INPUTS").map_or(4000, |text| text.parse().expect("FUZZ_INPUTS is a number"));
    for target in TARGETS {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let seeds = (target.seeds)();
        for seed in &seeds {
            run(target, seed);
        }
        for _ in 0..inputs {
            run(target, &random.input(&seeds));
        }
    }
}

fn run(target: &Target, input: &[u8]) {
    if let Err(panic) = panic::catch_unwind(|| (target.body)(input)) {
        eprintln!("{} on b\"{}\"", target.name, input.escape_ascii());
        panic::resume_unwind(panic);
    }
}

/// xorshift64*: the same inputs on every run and machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most)).map(|_| self.below(256) as u8).collect()
    }

    /// Random bytes, or a seed that was mutated a few times.
    fn input(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        if self.below(8) == 0 {
            return self.bytes(300);
        }
        let mut input = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(6) {
            self.mutate(&mut input, seeds);
        }
        input
    }

    fn mutate(&mut self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.below(input.len() + 1);
        let end = (at + self.below(20)).min(input.len());
        match self.below(7) {
            0 => input.truncate(at),
            1 => _ = input.drain(at..end),
            2 => _ = input.splice(at..at, self.bytes(20)),
            3 => {
                let again = input[at..end].to_vec();
                input.splice(at..at, again);
            }
            4 => input.extend_from_slice(&seeds[self.below(seeds.len())]),
            5 if at < input.len() => input[at] ^= 1 << self.below(8),
            _ if at < input.len() => input[at] = self.below(256) as u8,
            _ => {}
        }
    }
}
