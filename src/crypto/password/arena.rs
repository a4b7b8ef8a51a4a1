//! The memory that memory-hard hashes fill, kept apart from them so that a VM can use it again and again.

use std::fmt;

use super::budget::Meter;

/// Reusable memory for password checks, one check at a time.
///
/// It grows to what a check needs and never shrinks, as the VM's own memory never does. It is not wiped between
/// checks: the next one overwrites it, and what a check leaves in it is no easier to attack than the stored hash.
#[derive(Default)]
pub struct Arena(Vec<u64>);

/// The memory that a check needs could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

impl Arena {
    /// Makes sure that a check which needs `bytes` ([`PasswordHash::memory`](super::PasswordHash::memory)) can start.
    ///
    /// [`PasswordCheck::start`](super::PasswordCheck::start) does this too; a caller that does it first can tell
    /// a lack of memory from a wrong password.
    ///
    /// # Errors
    /// [`OutOfMemory`]: the old memory is lost then, and the arena is empty.
    pub(crate) fn reserve(&mut self, bytes: usize) -> Result<(), OutOfMemory> {
        let words = bytes.div_ceil(WORD);
        if words > self.0.capacity() {
            // A new vector, since growing the old one would copy contents that nobody needs.
            self.0 = Vec::new();
            self.0.try_reserve_exact(words).map_err(|_| OutOfMemory)?;
        }
        Ok(())
    }

    /// Bytes that a check can have without more memory being asked for.
    pub(crate) fn capacity(&self) -> usize {
        self.0.capacity() * WORD
    }

    /// Brings the reserved memory into use, piece by piece, because touching fresh pages takes time.
    /// True when `bytes` are there.
    pub(super) fn grow(&mut self, bytes: usize, meter: &mut Meter) -> bool {
        let words = bytes.div_ceil(WORD);
        while self.0.len() < words && meter.allows(PIECE_COST) {
            self.0.resize(words.min(self.0.len() + PIECE), 0);
        }
        self.0.len() >= words
    }

    /// The first `bytes` of the memory, which [`Arena::grow`] has brought into use.
    pub(super) fn words(&mut self, bytes: usize) -> &mut [u64] {
        &mut self.0[..bytes.div_ceil(WORD)]
    }
}

impl fmt::Debug for Arena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Arena({} bytes)", self.0.len() * WORD)
    }
}

impl fmt::Display for OutOfMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no memory for the password check")
    }
}

impl std::error::Error for OutOfMemory {}

const WORD: usize = size_of::<u64>();

/// Words brought into use by one step: 64 KiB.
const PIECE: usize = 64 * 1024 / WORD;

/// Units charged for one such step.
const PIECE_COST: u64 = 32;

#[cfg(test)]
mod tests {
    use super::super::Budget;
    use super::*;

    #[test]
    fn it_grows_in_pieces_and_keeps_its_memory() {
        let mut arena = Arena::default();
        arena.reserve(100_000).unwrap();
        assert!(!arena.grow(100_000, &mut Meter::new(Budget(1))));
        assert!(arena.grow(100_000, &mut Meter::new(Budget(1))));
        assert!(arena.grow(50_000, &mut Meter::new(Budget(0))));
        assert_eq!(arena.words(50_000).len(), 6_250);
    }

    #[test]
    fn memory_that_cannot_be_had_is_an_error() {
        assert_eq!(Arena::default().reserve(usize::MAX), Err(OutOfMemory));
    }
}
