//! A check from its beginning to its end, for a thread that has nothing else to do: Argon2 by the crate that has vector
//! instructions for it, which takes half as long as in a VM.

use ::argon2::Block;
use subtle::ConstantTimeEq;

use super::{
    arena::Arena,
    argon2::Argon2,
    budget::Budget,
    check::{PasswordCheck, Progress},
    hash::Method,
};

/// The memory of one thread for its checks, one at a time. It grows to what a check needs.
#[derive(Default)]
pub(crate) struct CheckMemory {
    blocks: Vec<Block>,
    arena: Arena,
}

impl PasswordCheck {
    /// Does the whole check. None if there is no memory for it.
    pub(crate) fn run(&self, memory: &mut CheckMemory) -> Option<bool> {
        let by_crate = match &self.hash.method {
            Method::Argon2(argon2) => self.run_argon2(argon2, memory.blocks(argon2.memory())?),
            Method::Bcrypt(_) | Method::Scrypt(_) | Method::Pbkdf2(_) => None,
        };
        by_crate.or_else(|| self.run_in_steps(&mut memory.arena))
    }

    /// None where the crate does not know this kind of Argon2.
    fn run_argon2(&self, argon2: &Argon2, blocks: &mut [Block]) -> Option<bool> {
        let mut digest = vec![0; self.hash.digest.len()];
        let argon2 = argon2.of_crate(digest.len())?;
        argon2.hash_password_into_with_memory(self.password.expose(), &self.hash.salt, &mut digest, blocks).ok()?;
        Some(digest.ct_eq(&self.hash.digest).into())
    }

    fn run_in_steps(&self, arena: &mut Arena) -> Option<bool> {
        arena.reserve(self.hash.memory()).ok()?;
        let mut verification = self.start(std::mem::take(arena));
        let matches = loop {
            if let Progress::Done { matches } = verification.advance(Budget::UNLIMITED) {
                break matches;
            }
        };
        *arena = verification.into_arena();
        Some(matches)
    }
}

impl CheckMemory {
    fn blocks(&mut self, bytes: usize) -> Option<&mut [Block]> {
        let length = bytes.div_ceil(Block::SIZE);
        let missing = length.saturating_sub(self.blocks.len());
        self.blocks.try_reserve_exact(missing).ok()?;
        self.blocks.resize(self.blocks.len().max(length), Block::default());
        self.blocks.get_mut(..length)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{crypto::password::PasswordHash, secret::Secret};

    /// Of each family one with which `password` begins, at little cost.
    const STORED: [&str; 5] = [
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2i$m=64,t=3,p=2$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
        "$2b$04$c29tZXNhbHRzb21lc2FsdOW1ziCb6Fw9LTcpIuFkRQqBbP2FIxZ7m",
        "$scrypt$ln=4,r=8,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$pbkdf2-sha256$i=1000$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ];

    fn check(stored: &str, password: &str) -> PasswordCheck {
        PasswordCheck::new(Arc::new(PasswordHash::parse(stored).unwrap()), Secret::new(password))
    }

    /// In the memory of the checks before, too.
    #[test]
    fn it_comes_to_what_the_steps_come_to() {
        let mut memory = CheckMemory::default();
        for stored in STORED {
            for password in ["password", "wrong", ""] {
                let in_steps = check(stored, password).start(Arena::default()).finish();
                assert_eq!(check(stored, password).run(&mut memory), Some(in_steps), "{stored} {password}");
            }
        }
        assert_eq!(check(STORED[0], "password").run(&mut memory), Some(true));
    }

    /// Every digest, not only whether it is zero: the hash is made to be right.
    #[test]
    fn every_variant_of_argon2_is_the_same_as_in_steps() {
        let mut memory = CheckMemory::default();
        for (name, version) in [("argon2id", "v=19$"), ("argon2i", "v=16$"), ("argon2d", "v=19$"), ("argon2d", "")] {
            for cost in ["m=64,t=1,p=1", "m=65,t=3,p=1", "m=100,t=2,p=3"] {
                let stored = format!("${name}${version}{cost}$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
                let mut hash = PasswordHash::parse(&stored).unwrap();
                let Method::Argon2(argon2) = hash.method else { panic!("{stored}") };
                let mut blocks = vec![Block::default(); argon2.memory() / Block::SIZE];
                let of_crate = argon2.of_crate(32).unwrap();
                of_crate
                    .hash_password_into_with_memory(b"password", &hash.salt, &mut hash.digest, &mut blocks)
                    .unwrap();
                let check = PasswordCheck::new(Arc::new(hash), Secret::new("password"));
                assert!(check.start(Arena::default()).finish(), "{stored}");
                assert_eq!(check.run(&mut memory), Some(true), "{stored}");
            }
        }
    }
}
