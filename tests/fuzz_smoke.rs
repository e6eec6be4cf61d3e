//! Runs every fuzz body over seeded random and mutated inputs, so that a plain test run drives them without cargo-fuzz.
//!
//! `FUZZ_INPUTS` says how many inputs each body gets (default 4000, a few seconds).

use std::panic;

use copilot_recorder::observer::fuzz::{fuzz_hpack, fuzz_http1, fuzz_http2};

/// A body, its name, and inputs that reach deep into it.
struct Target {
    name: &'static str,
    body: fn(&[u8]),
    seeds: &'static [&'static [u8]],
}

/// Add a target here and a file of one line in `fuzz/fuzz_targets`.
const TARGETS: &[Target] = &[
    Target { name: "http1", body: fuzz_http1, seeds: HTTP1 },
    Target { name: "http2", body: fuzz_http2, seeds: HTTP2 },
    Target { name: "hpack", body: fuzz_hpack, seeds: HPACK },
];

/// What one side sends begins with a byte: top bit for the server, the length below.
const HTTP1: &[&[u8]] = &[
    b"\x34POST / HTTP/1.1\r\nContent-Length: 5\r\nX: y\r\n z\r\n\r\nhello\
      \xb0HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789",
    b"\x12GET / HTTP/1.1\r\n\r\n\xd5HTTP/1.1 100 x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
      3;a=b\r\nabc\r\n0\r\nT: u\r\n\r\n",
    b"\x24GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\x03abc\x98HTTP/1.1 101 Switch\r\n\r\nxyz\x03def",
    b"\x25HEAD / HTTP/1.1\n\nGET / HTTP/1.0\r\n\r\nGET\xa5HTTP/1.1 200 OK\n\nHTTP/1.0 200 OK\n\nbody",
    b"\x12GET / HTTP/1.1\r\nA: \x98HTTP/1.1 431 Too large\n\nx",
    b"\x1dCONNECT a:1 HTTP/1.1\r\n\r\nopaque\x91HTTP/1.1 200 OK\n\n",
];
const HTTP2: &[&[u8]] = &[
    b"\x09\0\0\0\x04\0\0\0\0\0\x89\0\0\0\x04\0\0\0\0\0\x0e\0\0\x05\x01\x05\0\0\0\x01\x82\x84\x87\x41\x01\
      \x8a\0\0\x01\x01\x04\0\0\0\x01\x88\x8c\0\0\x03\0\x01\0\0\0\x01abc",
    b"\x0f\0\0\x06\x04\0\0\0\0\0\0\x01\0\0\x20\0\x89\0\0\0\x04\0\0\0\0\0\
      \x1f\0\0\x0a\x01\x2d\0\0\0\x01\x02\0\0\0\0\0\x82\x84\0\0\0\0\x02\x09\x04\0\0\0\x01\x87\xbe\
      \x8d\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08",
    b"\x09\0\0\0\x04\0\0\0\0\0\x89\0\0\0\x04\0\0\0\0\0\x0c\0\0\x03\x01\x05\0\0\0\x01\x82\x84\x87\
      \x90\0\0\x07\x05\x04\0\0\0\x01\0\0\0\x02\x82\x84\x87\x8a\0\0\x01\x01\x05\0\0\0\x02\x88\
      \x91\0\0\x08\x07\0\0\0\0\0\0\0\0\x01\0\0\0\0",
    b"\x09\0\0\0\x04\0\0\0\0\0\x89\0\0\0\x04\0\0\0\0\0\x21\0\0\x18\x01\x04\0\0\0\x01\x02\x07CONNECT\
      \x00\x09:protocol\x02ws\x8a\0\0\x01\x01\x04\0\0\0\x01\x88\x0f\0\0\x06\0\x08\0\0\0\x01\x02abc\0\0",
];
const HPACK: &[&[u8]] = &[
    b"\x40\x11\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff\
      \x0c\x82\x86\x84\xbe\x58\x86\xa8\xeb\x10\x64\x9c\xbf",
    b"\x04\x0e\x3f\xe1\x01\x40\x01a\x03xyz\x7e\x03123\x03\xbe\xbf\xc0",
    b"\x00\x0d\x10\x08password\x01x\x20",
];

#[test]
fn no_input_breaks_what_must_hold() {
    let inputs = std::env::var("FUZZ_INPUTS").map_or(4000, |text| text.parse().expect("FUZZ_INPUTS is a number"));
    for target in TARGETS {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for seed in target.seeds {
            run(target, seed);
        }
        for _ in 0..inputs {
            run(target, &random.input(target.seeds));
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
    fn input(&mut self, seeds: &[&[u8]]) -> Vec<u8> {
        if self.below(8) == 0 {
            return self.bytes(300);
        }
        let mut input = seeds[self.below(seeds.len())].to_vec();
        for _ in 0..=self.below(6) {
            self.mutate(&mut input, seeds);
        }
        input
    }

    fn mutate(&mut self, input: &mut Vec<u8>, seeds: &[&[u8]]) {
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
            4 => input.extend_from_slice(seeds[self.below(seeds.len())]),
            5 if at < input.len() => input[at] ^= 1 << self.below(8),
            _ if at < input.len() => input[at] = self.below(256) as u8,
            _ => {}
        }
    }
}
