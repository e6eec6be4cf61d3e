#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| copilot_recorder::tunnel::hello::fuzz_hello(data));
