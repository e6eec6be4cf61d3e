#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| copilot_recorder::auth::basic::fuzz_basic(data));
