//! `protobuf_struct` for libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| token_endpoint_fuzz::protobuf_struct::read(bytes));
