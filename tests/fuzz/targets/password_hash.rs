//! Stored password hashes: one that is accepted can be checked with the work and the memory that it announces.

use std::sync::Arc;

use token_endpoint::{
    crypto::password::{Arena, Budget, PasswordCheck, PasswordHash, Progress},
    secret::Secret,
};

/// No check may need more memory: 256 MiB.
const MOST_MEMORY: usize = 256 * 1024 * 1024;
/// Checks that cost more are not made here.
const CHEAP: u64 = 2_000;

pub fn read(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(hash) = PasswordHash::parse(text) else { return };
    let decoy = hash.decoy([7; 16]);
    assert_eq!((decoy.work(), decoy.memory()), (hash.work(), hash.memory()));
    assert!(hash.memory() <= MOST_MEMORY && hash.work() > 0);
    if hash.work() <= CHEAP && hash.memory() <= 1024 * 1024 {
        check(hash);
    }
}

/// The arena has to grow first, which costs a little more.
fn check(hash: PasswordHash) {
    let budget = hash.work();
    let mut check = PasswordCheck::new(Arc::new(hash), Secret::new("password")).start(Arena::default());
    let turns = (0..4).take_while(|_| check.advance(Budget(budget)) == Progress::Working);
    assert!(turns.count() < 4, "more work than announced");
}
