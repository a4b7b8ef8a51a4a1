//! scrypt as steps: PBKDF2 a block at a time, ROMix a BlockMix at a time, PBKDF2 again (RFC 7914 sections 5 and 6).

use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::mix;
use super::parameters::Scrypt;
use crate::crypto::password::budget::Meter;
use crate::crypto::password::digest::Digest;
use crate::crypto::password::pbkdf2;

/// Units charged for one block of PBKDF2, of 32 bytes.
const HASH_COST: u64 = 2;

/// scrypt between two steps.
pub(in super::super) struct ScryptRun {
    scrypt: Scrypt,
    keyed: Hmac<Sha256>,
    /// Keyed, with the salt: the salt of the parameters at first, the mixed lanes in the end.
    salted: Hmac<Sha256>,
    /// All lanes: `B` in RFC 7914 section 6.
    lanes: Zeroizing<Vec<u64>>,
    /// One row, to mix into.
    spare: Zeroizing<Vec<u64>>,
    digest_length: usize,
    stage: ScryptStage,
}

#[derive(Clone, Copy)]
enum ScryptStage {
    /// The next four words of the lanes.
    Expand {
        word: usize,
    },
    /// The next row of `V`.
    Fill {
        lane: usize,
        row: usize,
    },
    /// The next of the N mixes with a row of `V`.
    Mix {
        lane: usize,
        round: usize,
    },
    /// The next lane to go into the final salt.
    Absorb {
        lane: usize,
    },
    Digest,
}

/// A BlockMix is `2 * r` Salsa20/8 cores.
fn mix_cost(scrypt: &Scrypt) -> u64 {
    u64::from(scrypt.r).div_ceil(4)
}

/// A lane is `2 * r` compressions of SHA-256.
fn absorb_cost(scrypt: &Scrypt) -> u64 {
    u64::from(scrypt.r)
}

fn digest_cost(digest_length: usize) -> u64 {
    digest_length.div_ceil(32) as u64 * HASH_COST
}

impl Scrypt {
    /// Units of the whole work.
    pub(in super::super) fn work(&self, digest_length: usize) -> u64 {
        let lanes = u64::from(self.p);
        let expand = lanes * (self.row() / 4) as u64 * HASH_COST;
        let mix = lanes * 2 * self.n() as u64 * mix_cost(self);
        expand + mix + lanes * absorb_cost(self) + digest_cost(digest_length)
    }

    /// Turns the password into the state that the work begins with.
    pub(in super::super) fn start(self, password: &[u8], salt: &[u8], digest_length: usize) -> ScryptRun {
        let keyed = pbkdf2::keyed::<Sha256>(password);
        ScryptRun {
            scrypt: self,
            salted: keyed.clone().chain_update(salt),
            keyed,
            lanes: Zeroizing::new(vec![0; self.row() * self.p as usize]),
            spare: Zeroizing::new(vec![0; self.row()]),
            digest_length,
            stage: ScryptStage::Expand { word: 0 },
        }
    }
}

impl ScryptRun {
    /// Works on `memory`, which must be the same each time, as far as the meter allows.
    pub(in super::super) fn advance(&mut self, memory: &mut [u64], meter: &mut Meter) -> Option<Digest> {
        while meter.allows(self.cost()) {
            self.stage = match self.stage {
                ScryptStage::Expand { word } => self.expand(word),
                ScryptStage::Fill { lane, row } => self.fill(lane, row, memory),
                ScryptStage::Mix { lane, round } => self.mix(lane, round, memory),
                ScryptStage::Absorb { lane } => self.absorb(lane),
                ScryptStage::Digest => return Some(self.digest()),
            };
        }
        None
    }

    fn cost(&self) -> u64 {
        match self.stage {
            ScryptStage::Expand { .. } => HASH_COST,
            ScryptStage::Fill { .. } | ScryptStage::Mix { .. } => mix_cost(&self.scrypt),
            ScryptStage::Absorb { .. } => absorb_cost(&self.scrypt),
            ScryptStage::Digest => digest_cost(self.digest_length),
        }
    }

    fn expand(&mut self, word: usize) -> ScryptStage {
        let block = pbkdf2_block(&self.salted, word / 4);
        for (word, bytes) in self.lanes[word..].iter_mut().zip(block.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        if word + 4 < self.lanes.len() {
            ScryptStage::Expand { word: word + 4 }
        } else {
            ScryptStage::Fill { lane: 0, row: 0 }
        }
    }

    /// Row 0 is the lane, and each row the mix of the one before; the mix of the last row is the lane again.
    fn fill(&mut self, lane: usize, row: usize, memory: &mut [u64]) -> ScryptStage {
        let length = self.scrypt.row();
        let lane_words = &mut self.lanes[lane * length..][..length];
        if row == 0 {
            memory[..length].copy_from_slice(lane_words);
        }
        let (this, next) = memory[row * length..].split_at_mut(length);
        if row + 1 < self.scrypt.n() {
            mix::block_mix(this, &mut next[..length]);
            return ScryptStage::Fill { lane, row: row + 1 };
        }
        mix::block_mix(this, lane_words);
        ScryptStage::Mix { lane, round: 0 }
    }

    fn mix(&mut self, lane: usize, round: usize, memory: &[u64]) -> ScryptStage {
        let length = self.scrypt.row();
        let lane_words = &mut self.lanes[lane * length..][..length];
        // Integerify (RFC 7914 section 5): the last 64 bytes as a little-endian number, modulo N.
        let row = lane_words[length - 8] as usize % self.scrypt.n();
        mix::block_mix_xor(lane_words, &memory[row * length..][..length], &mut self.spare);
        lane_words.copy_from_slice(&self.spare);
        match (round + 1 < self.scrypt.n(), lane + 1 < self.scrypt.p as usize) {
            (true, _) => ScryptStage::Mix { lane, round: round + 1 },
            (false, true) => ScryptStage::Fill { lane: lane + 1, row: 0 },
            (false, false) => ScryptStage::Absorb { lane: 0 },
        }
    }

    fn absorb(&mut self, lane: usize) -> ScryptStage {
        if lane == 0 {
            self.salted = self.keyed.clone();
        }
        let length = self.scrypt.row();
        let bytes: Zeroizing<Vec<u8>> =
            Zeroizing::new(self.lanes[lane * length..][..length].iter().flat_map(|word| word.to_le_bytes()).collect());
        self.salted.update(&bytes);
        if lane + 1 < self.scrypt.p as usize { ScryptStage::Absorb { lane: lane + 1 } } else { ScryptStage::Digest }
    }

    fn digest(&self) -> Digest {
        let mut digest = Digest::default();
        for index in 0..self.digest_length.div_ceil(32) {
            digest.extend_from_slice(pbkdf2_block(&self.salted, index).as_slice());
        }
        digest.truncate(self.digest_length);
        digest
    }
}

/// Block `index` of PBKDF2 with one iteration.
fn pbkdf2_block(salted: &Hmac<Sha256>, index: usize) -> Zeroizing<[u8; 32]> {
    let index = index as u32 + 1;
    Zeroizing::new(salted.clone().chain_update(index.to_be_bytes()).finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::password::Budget;

    fn scrypt(password: &[u8], salt: &[u8], (log_n, r, p): (u32, u32, u32)) -> String {
        let scrypt = Scrypt { log_n, r, p };
        let mut memory = vec![0; scrypt.memory() / 8];
        let mut run = scrypt.start(password, salt, 64);
        loop {
            if let Some(digest) = run.advance(&mut memory, &mut Meter::new(Budget(1_000))) {
                return digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
            }
        }
    }

    #[test]
    fn the_vectors_of_rfc_7914_section_12_come_out() {
        assert_eq!(scrypt(b"", b"", (4, 1, 1)), "77d6576238657b203b19ca42c18a0497");
        assert_eq!(scrypt(b"password", b"NaCl", (10, 8, 16)), "fdbabe1c9d3472007856e7190d01e9fe");
    }
}
