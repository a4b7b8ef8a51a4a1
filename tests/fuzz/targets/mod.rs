//! The readers of bytes that others send, each as a function that panics where a promise is broken. libFuzzer feeds them by
//! `make fuzz`; `tests/pure/fuzz_corpus.rs` feeds them the kept corpus.

pub mod authorization;
pub mod content_range;
pub mod directory_answer;
pub mod etcd_answer;
pub mod form;
pub mod jwt;
pub mod password_hash;
pub mod protobuf_struct;
pub mod template;
pub mod user_records;

mod fixture;

/// Something that reads bytes.
pub type Target = fn(&[u8]);

/// All targets, each with the name of its corpus.
pub const TARGETS: [(&str, Target); 10] = [
    ("authorization", authorization::read),
    ("content_range", content_range::read),
    ("directory_answer", directory_answer::read),
    ("etcd_answer", etcd_answer::read),
    ("form", form::read),
    ("jwt", jwt::read),
    ("password_hash", password_hash::read),
    ("protobuf_struct", protobuf_struct::read),
    ("template", template::read),
    ("user_records", user_records::read),
];
