#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| copilot_recorder::store::fuzz::fuzz_spool(data));
