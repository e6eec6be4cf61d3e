#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| copilot_recorder::web::access::fuzz::fuzz_access(data));
