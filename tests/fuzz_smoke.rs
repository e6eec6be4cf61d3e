//! Runs every fuzz body over seeded random and mutated inputs, so that a plain test run drives them without cargo-fuzz.
//!
//! `FUZZ_INPUTS` says how many inputs each body gets (default 4000, a few seconds).

#[path = "support/fuzz_seeds.rs"]
mod seeds;
#[path = "support/fuzz_seeds_reading.rs"]
mod seeds_reading;

use std::panic;

use copilot_recorder::archive::fuzz::fuzz_record;
use copilot_recorder::auth::basic::fuzz_basic;
use copilot_recorder::copilot::answer::fuzz::fuzz_answer;
use copilot_recorder::copilot::prompt::fuzz::fuzz_prompt;
use copilot_recorder::copilot::telemetry::fuzz::fuzz_telemetry;
use copilot_recorder::exchange::from_snapshot;
use copilot_recorder::exchange::fuzz::fuzz_decode;
use copilot_recorder::observer::fuzz::{fuzz_hpack, fuzz_http1, fuzz_http2, fuzz_websocket};
use copilot_recorder::review::conversation::fuzz::fuzz_conversation;
use copilot_recorder::review::coverage::fuzz::fuzz_door;
use copilot_recorder::review::fuzz::{fuzz_reading, fuzz_search};
use copilot_recorder::store::fuzz::fuzz_spool;
use copilot_recorder::tunnel::hello::fuzz_hello;
use copilot_recorder::web::access::fuzz::fuzz_access;
use copilot_recorder::web::fuzz::fuzz_address;
use copilot_recorder::web::render::fuzz::fuzz_render;

/// A body, its name, and inputs that reach deep into it.
struct Target {
    name: &'static str,
    body: fn(&[u8]),
    seeds: fn() -> Vec<Vec<u8>>,
}

/// Add a target here and a file of one line in `fuzz/fuzz_targets`.
const TARGETS: &[Target] = &[
    Target { name: "http1", body: fuzz_http1, seeds: seeds::http1 },
    Target { name: "http2", body: fuzz_http2, seeds: seeds::http2 },
    Target { name: "websocket", body: fuzz_websocket, seeds: seeds::websocket },
    Target { name: "hpack", body: fuzz_hpack, seeds: seeds::hpack },
    Target { name: "decode", body: fuzz_decode, seeds: seeds::decode },
    Target { name: "spool", body: fuzz_spool, seeds: seeds::spool },
    Target { name: "basic", body: fuzz_basic, seeds: seeds::basic },
    Target { name: "hello", body: fuzz_hello, seeds: seeds::hello },
    Target { name: "telemetry", body: fuzz_telemetry, seeds: seeds::telemetry },
    Target { name: "record", body: fuzz_record, seeds: seeds::record },
    Target { name: "answer", body: fuzz_answer, seeds: seeds::answer },
    Target { name: "prompt", body: fuzz_prompt, seeds: seeds::prompt },
    Target { name: "conversation", body: fuzz_conversation, seeds: seeds_reading::exchanges },
    Target { name: "reading", body: fuzz_reading, seeds: seeds::record },
    Target { name: "search", body: fuzz_search, seeds: seeds_reading::search },
    Target { name: "door", body: fuzz_door, seeds: seeds_reading::door },
    Target { name: "access", body: fuzz_access, seeds: seeds_reading::access },
    Target { name: "address", body: fuzz_address, seeds: seeds_reading::address },
    Target { name: "render", body: fuzz_render, seeds: seeds_reading::render },
];

#[test]
fn the_list_is_that_of_the_fuzz_crate() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets");
    let entries = std::fs::read_dir(folder).expect("the fuzz crate is here").flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let mut wanted: Vec<_> = TARGETS.iter().map(|target| format!("{}.rs", target.name)).collect();
    files.sort();
    wanted.sort();
    assert_eq!(files, wanted);
}

#[test]
fn the_seed_of_the_spool_is_a_snapshot() {
    from_snapshot(seeds::SNAPSHOT.as_bytes()).expect("what a spool file holds");
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
