//! The hashes around the memory of Argon2: `H0` and the variable-length `H'` (RFC 9106 sections 3.2 and 3.3).

use blake2::digest::Digest as _;
use blake2::digest::block_api::{UpdateCore, VariableOutputCore};
use blake2::digest::block_buffer::LazyBuffer;
use blake2::{Blake2b512, Blake2bVarCore};
use zeroize::Zeroizing;

use super::block::Block;
use super::parameters::Argon2;

/// The byte strings that go into a hash. Stored hashes have no secret and no data; test vectors do.
pub(super) struct Inputs<'a> {
    pub(super) password: &'a [u8],
    pub(super) salt: &'a [u8],
    pub(super) secret: &'a [u8],
    pub(super) data: &'a [u8],
}

/// `H0`, from which everything else follows.
pub(super) type Seed = Zeroizing<[u8; 64]>;

/// `H0 = H(LE32(p) || LE32(T) || LE32(m) || LE32(t) || LE32(v) || LE32(y) || LE32(len(P)) || P || …)`
pub(super) fn seed(argon2: &Argon2, inputs: &Inputs, digest_length: usize) -> Seed {
    let cost = argon2.cost;
    let numbers =
        [cost.lanes, digest_length as u32, cost.memory, cost.passes, argon2.version as u32, argon2.variant as u32];
    let mut hash = Blake2b512::new();
    for number in numbers {
        hash.update(number.to_le_bytes());
    }
    for input in [inputs.password, inputs.salt, inputs.secret, inputs.data] {
        hash.update((input.len() as u32).to_le_bytes());
        hash.update(input);
    }
    Zeroizing::new(hash.finalize().into())
}

/// `H'(1024)(H0 || LE32(column) || LE32(lane))`: one of the first two blocks of a lane.
pub(super) fn first_block(seed: &Seed, column: u32, lane: u32) -> Block {
    let mut link = Blake2b512::new()
        .chain_update((size_of::<Block>() as u32).to_le_bytes())
        .chain_update(seed.as_slice())
        .chain_update(column.to_le_bytes())
        .chain_update(lane.to_le_bytes())
        .finalize();
    let mut block = [0; 128];
    // Each link of the chain gives its first half, and the last one, for the last 8 words, all of it.
    for words in block[..120].chunks_exact_mut(4) {
        load(&link, words);
        link = Blake2b512::digest(link);
    }
    load(&link, &mut block[120..]);
    block
}

/// `H'(T)(C)` for a digest of at most 64 bytes, where `H'` is a single Blake2b.
pub(super) fn digest(block: &Block, length: usize) -> Zeroizing<Vec<u8>> {
    let bytes: Zeroizing<Vec<u8>> = Zeroizing::new(block.iter().flat_map(|word| word.to_le_bytes()).collect());
    let Ok(mut hash) = Blake2bVarCore::new(length) else {
        return Zeroizing::default();
    };
    let mut buffer = LazyBuffer::new(&(length as u32).to_le_bytes());
    buffer.digest_blocks(&bytes, |blocks| hash.update_blocks(blocks));
    let mut digest = Zeroizing::new(blake2::digest::Output::<Blake2bVarCore>::default());
    hash.finalize_variable_core(&mut buffer, &mut digest);
    Zeroizing::new(digest[..length].to_vec())
}

fn load(bytes: &[u8], words: &mut [u64]) {
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
        *word = u64::from_le_bytes(*bytes);
    }
}
