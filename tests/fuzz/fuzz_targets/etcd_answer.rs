//! `etcd_answer` for libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| token_endpoint_fuzz::etcd_answer::read(bytes));
