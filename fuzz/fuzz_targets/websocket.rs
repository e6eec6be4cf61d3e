#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| copilot_recorder::observer::fuzz::fuzz_websocket(data));
