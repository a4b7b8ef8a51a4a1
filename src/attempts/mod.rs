//! How often a guess may fail: limits, and the bounded tables that count against them (NIST SP 800-63B §3.2.2, OWASP
//! Authentication Cheat Sheet). They hold no names, only keyed hashes of them, and no more of them than they have slots.

mod bucket;
mod flights;
mod friends;
mod guess;
mod key;
mod limit;
mod memory;
mod policy;
mod store;

pub use self::{
    bucket::CountBucket,
    friends::FriendKey,
    guess::{Counted, End, FailedSecret, Friend, FriendProof, Guess, Reservation, Settlement, Telling, Verdict},
    key::{BUCKETS, FRIEND_BUCKETS, Key, Subject, TableKey, Whereabouts, Who},
    limit::{Limit, Limits},
    memory::MemoryStore,
    policy::AttemptQuestion,
    store::{BucketKey, InvalidBucket, Store},
};
