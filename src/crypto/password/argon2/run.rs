//! Argon2 as steps: the first blocks, then one block at a time through passes, slices and lanes, then the digest.

use super::block::Block;
use super::fill::Fill;
use super::long_hash::{self, Inputs, Seed};
use super::parameters::Argon2;
use crate::crypto::password::budget::Meter;
use crate::crypto::password::digest::Digest;

/// Units charged for one of the first blocks, and for the digest.
const FIRST_COST: u64 = 20;
const DIGEST_COST: u64 = 8;

/// Argon2 between two blocks.
pub(in super::super) struct Argon2Run {
    argon2: Argon2,
    digest_length: usize,
    stage: Argon2Stage,
}

enum Argon2Stage {
    First { seed: Seed, next: u32 },
    Fill(Box<Fill>),
}

impl Argon2 {
    /// Units of the whole work.
    pub(in super::super) fn work(&self) -> u64 {
        let first = 2 * u64::from(self.cost.lanes);
        let filled = u64::from(self.blocks()) * u64::from(self.cost.passes) - first;
        first * FIRST_COST + filled + DIGEST_COST
    }

    /// Turns the password into the state that the work begins with.
    pub(in super::super) fn start(self, password: &[u8], salt: &[u8], digest_length: usize) -> Argon2Run {
        self.start_with(&Inputs { password, salt, secret: b"", data: b"" }, digest_length)
    }

    fn start_with(self, inputs: &Inputs, digest_length: usize) -> Argon2Run {
        let seed = long_hash::seed(&self, inputs, digest_length);
        Argon2Run { argon2: self, digest_length, stage: Argon2Stage::First { seed, next: 0 } }
    }
}

impl Argon2Run {
    /// Works on `memory`, which must be the same each time, as far as the meter allows.
    pub(in super::super) fn advance(&mut self, memory: &mut [u64], meter: &mut Meter) -> Option<Digest> {
        let blocks = memory.as_chunks_mut().0;
        if let Argon2Stage::First { seed, next } = &mut self.stage {
            if !first_blocks(&self.argon2, seed, next, blocks, meter) {
                return None;
            }
            self.stage = Argon2Stage::Fill(Box::new(Fill::new(&self.argon2)));
        }
        let filled = match &mut self.stage {
            Argon2Stage::First { .. } => false,
            Argon2Stage::Fill(fill) => fill.advance(&self.argon2, blocks, meter),
        };
        (filled && meter.allows(DIGEST_COST))
            .then(|| long_hash::digest(&last_blocks(&self.argon2, blocks), self.digest_length))
    }
}

/// The first two blocks of each lane; true when all are there.
fn first_blocks(argon2: &Argon2, seed: &Seed, next: &mut u32, blocks: &mut [Block], meter: &mut Meter) -> bool {
    let lanes = argon2.cost.lanes;
    let lane_length = argon2.blocks() / lanes;
    while *next < 2 * lanes && meter.allows(FIRST_COST) {
        let (lane, column) = (*next / 2, *next % 2);
        blocks[(lane * lane_length + column) as usize] = long_hash::first_block(seed, column, lane);
        *next += 1;
    }
    *next == 2 * lanes
}

/// The last blocks of all lanes, XORed.
fn last_blocks(argon2: &Argon2, blocks: &[Block]) -> Block {
    let lane_length = (argon2.blocks() / argon2.cost.lanes) as usize;
    let mut sum = [0; 128];
    for lane in blocks.chunks_exact(lane_length) {
        for (word, last) in sum.iter_mut().zip(&lane[lane_length - 1]) {
            *word ^= last;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::super::parameters::{Argon2Cost, Variant, Version};
    use super::*;
    use crate::crypto::password::Budget;

    fn tag(variant: Variant, version: Version, budget: u64) -> String {
        let cost = Argon2Cost { memory: 32, passes: 3, lanes: 4 };
        let argon2 = Argon2 { variant, version, cost };
        let inputs = Inputs { password: &[1; 32], salt: &[2; 16], secret: &[3; 8], data: &[4; 12] };
        let mut run = argon2.start_with(&inputs, 32);
        let mut memory = vec![0; argon2.memory() / 8];
        loop {
            if let Some(digest) = run.advance(&mut memory, &mut Meter::new(Budget(budget))) {
                return digest.iter().map(|byte| format!("{byte:02x}")).collect();
            }
        }
    }

    /// RFC 9106 section 5, and
    /// <https://github.com/P-H-C/phc-winner-argon2/tree/master/kats> for version 0x10.
    const VECTORS: [(Variant, Version, &str); 6] = [
        (Variant::D, Version::V0x13, "512b391b6f1162975371d30919734294f868e3be3984f3c1a13a4db9fabe4acb"),
        (Variant::I, Version::V0x13, "c814d9d1dc7f37aa13f0d77f2494bda1c8de6b016dd388d29952a4c4672b6ce8"),
        (Variant::Id, Version::V0x13, "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"),
        (Variant::D, Version::V0x10, "96a9d4e5a1734092c85e29f410a45914a5dd1f5cbf08b2670da68a0285abf32b"),
        (Variant::I, Version::V0x10, "87aeedd6517ab830cd9765cd8231abb2e647a5dee08f7c05e02fcb763335d0fd"),
        (Variant::Id, Version::V0x10, "b64615f07789b66b645b67ee9ed3b377ae350b6bfcbb0fc95141ea8f322613c0"),
    ];

    #[test]
    fn the_rfcs_vectors_with_secret_and_data_come_out() {
        for (variant, version, expected) in VECTORS {
            assert_eq!(tag(variant, version, u64::MAX), expected);
        }
    }

    #[test]
    fn a_budget_of_one_unit_gives_the_same_bytes() {
        for (variant, version, expected) in VECTORS {
            assert_eq!(tag(variant, version, 1), expected);
        }
    }
}
