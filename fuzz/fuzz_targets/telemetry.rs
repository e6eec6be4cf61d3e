#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| copilot_recorder::copilot::telemetry::fuzz::fuzz_telemetry(data));
