#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| copilot_recorder::exchange::fuzz::fuzz_decode(data));
