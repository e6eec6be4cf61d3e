#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| copilot_recorder::archive::fuzz::fuzz_record(data));
