//! How often a guess may fail: limits, and the bounded table that counts against them (NIST SP 800-63B §3.2.2, OWASP
//! Authentication Cheat Sheet). It holds no names, only keyed hashes of them, and no more of them than it has slots.

mod bucket;
mod key;
mod limit;
mod memory;
mod policy;

pub use self::{
    bucket::{Bucket, InvalidBucket},
    key::{BUCKETS, Key, Subject, TableKey},
    limit::{Limit, Limits},
    memory::MemoryStore,
    policy::{Change, Counting, Store},
};
