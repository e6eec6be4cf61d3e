#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| copilot_recorder::web::render::fuzz::fuzz_render(data));
