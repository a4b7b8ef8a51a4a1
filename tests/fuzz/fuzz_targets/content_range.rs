//! `content_range` for libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| token_endpoint_fuzz::content_range::read(bytes));
