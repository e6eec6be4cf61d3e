#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| copilot_recorder::review::coverage::fuzz::fuzz_door(data));
