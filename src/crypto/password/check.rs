//! One password against one stored hash: first as something to keep in a queue, then as work in progress.

use std::sync::Arc;

use subtle::ConstantTimeEq;

use super::arena::Arena;
use super::budget::{Budget, Meter};
use super::digest::Digest;
use super::hash::{Method, PasswordHash};
use super::{argon2, bcrypt, pbkdf2, scrypt};
use crate::secret::Secret;

/// What is asked: cheap to hold, with no arena yet. The password is wiped when the check is dropped.
#[derive(Debug)]
pub struct PasswordCheck {
    pub(super) hash: Arc<PasswordHash>,
    pub(super) password: Secret,
}

/// A check in progress.
///
/// It holds state derived from the password, never the password itself.
#[derive(Debug)]
pub struct Verification {
    hash: Arc<PasswordHash>,
    arena: Arena,
    state: CheckState,
}

/// What [`Verification::advance`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Progress {
    /// There is more to do.
    Working,
    /// The check is over, and stays so.
    Done {
        /// True if the password is the one that the hash was made from.
        matches: bool,
    },
}

impl PasswordCheck {
    /// Asks whether `password` is the one that `hash` was made from.
    pub fn new(hash: Arc<PasswordHash>, password: Secret) -> Self {
        Self { hash, password }
    }

    /// The hash to check against, from which a scheduler reads work and memory.
    pub fn hash(&self) -> &PasswordHash {
        &self.hash
    }

    /// Begins the work, which fills `arena`.
    ///
    /// Where the arena cannot grow to [`PasswordHash::memory`], nothing matches; see [`Arena::reserve`].
    pub fn start(&self, mut arena: Arena) -> Verification {
        let state = match arena.reserve(self.hash.memory()) {
            Ok(()) => CheckState::Working(Run::new(&self.hash, self.password.expose())),
            Err(_) => CheckState::Done { matches: false },
        };
        Verification { hash: Arc::clone(&self.hash), arena, state }
    }
}

impl Verification {
    /// Does at most `budget` units of work, but always at least one smallest step.
    pub fn advance(&mut self, budget: Budget) -> Progress {
        if let CheckState::Working(run) = &mut self.state {
            let memory = self.hash.memory();
            let mut meter = Meter::new(budget);
            if !self.arena.grow(memory, &mut meter) {
                return Progress::Working;
            }
            if let Some(digest) = run.advance(self.arena.words(memory), &mut meter) {
                let matches = digest.ct_eq(&self.hash.digest).into();
                self.state = CheckState::Done { matches };
            }
        }
        self.state.progress()
    }

    /// Gives the arena back for the next check, also in the middle of this one.
    pub fn into_arena(self) -> Arena {
        self.arena
    }

    /// Does all the work that is left: true if the password matches.
    pub fn finish(mut self) -> bool {
        loop {
            if let Progress::Done { matches } = self.advance(Budget::UNLIMITED) {
                return matches;
            }
        }
    }
}

enum CheckState {
    Working(Run),
    Done { matches: bool },
}

impl CheckState {
    fn progress(&self) -> Progress {
        match self {
            Self::Working(_) => Progress::Working,
            Self::Done { matches } => Progress::Done { matches: *matches },
        }
    }
}

impl std::fmt::Debug for CheckState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.progress().fmt(f)
    }
}

/// The work of one family between two steps.
enum Run {
    Argon2(Box<argon2::Argon2Run>),
    Bcrypt(Box<bcrypt::BcryptRun>),
    Scrypt(Box<scrypt::ScryptRun>),
    Pbkdf2(pbkdf2::Pbkdf2Run),
}

impl Run {
    fn new(hash: &PasswordHash, password: &[u8]) -> Self {
        let PasswordHash { method, salt, digest } = hash;
        match *method {
            Method::Argon2(argon2) => Self::Argon2(Box::new(argon2.start(password, salt, digest.len()))),
            Method::Bcrypt(bcrypt) => Self::Bcrypt(Box::new(bcrypt.start(password, salt))),
            Method::Scrypt(scrypt) => Self::Scrypt(Box::new(scrypt.start(password, salt, digest.len()))),
            Method::Pbkdf2(pbkdf2) => Self::Pbkdf2(pbkdf2.start(password, salt, digest.len())),
        }
    }

    /// The digest, once there is nothing left to do.
    fn advance(&mut self, memory: &mut [u64], meter: &mut Meter) -> Option<Digest> {
        match self {
            Self::Argon2(run) => run.advance(memory, meter),
            Self::Bcrypt(run) => run.advance(meter),
            Self::Scrypt(run) => run.advance(memory, meter),
            Self::Pbkdf2(run) => run.advance(meter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash() -> Arc<PasswordHash> {
        let stored = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        Arc::new(PasswordHash::parse(stored).unwrap())
    }

    fn start(password: &str, arena: Arena) -> Verification {
        PasswordCheck::new(hash(), Secret::new(password)).start(arena)
    }

    #[test]
    fn work_is_the_number_of_units_that_a_check_takes() {
        let mut verification = start("password", Arena::default());
        let (mut units, mut arena_units) = (0, 0);
        while verification.arena.words(0).is_empty()
            && !verification.arena.grow(hash().memory(), &mut Meter::new(Budget(1)))
        {
            arena_units += 1;
        }
        while verification.advance(Budget(16)) == Progress::Working {
            units += 16;
        }
        assert!(arena_units > 0);
        assert!((hash().work() - units) <= 16, "{units} of {}", hash().work());
    }

    #[test]
    fn an_arena_taken_in_the_middle_serves_the_next_check() {
        let mut first = start("password", Arena::default());
        assert_eq!(first.advance(Budget(300)), Progress::Working);
        let second = start("password", first.into_arena());
        assert!(second.finish());
    }

    #[test]
    fn done_stays_done() {
        let mut verification = start("wrong", Arena::default());
        while verification.advance(Budget::UNLIMITED) == Progress::Working {}
        assert_eq!(verification.advance(Budget(0)), Progress::Done { matches: false });
    }

    #[test]
    fn debug_shows_no_password() {
        let check = PasswordCheck::new(hash(), Secret::new("password"));
        assert!(!format!("{check:?}").contains("password\""));
        assert!(format!("{:?}", check.start(Arena::default())).contains("state: Working"));
    }
}
