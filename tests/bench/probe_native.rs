//! The reference crate's time for one login's hash as machine code: what `logins.py` takes for the native limit.

use std::time::Instant;

use argon2::{Algorithm, Argon2, Block, Params, Version};

/// Prints the seconds of some checks; the memory is reused, as ours is.
fn main() {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(19_456, 2, 1, None).unwrap());
    let mut blocks = vec![Block::default(); 19_456];
    for _ in 0..10 {
        let start = Instant::now();
        argon2.hash_password_into_with_memory(b"MOCK_PASSWORD", &[7; 16], &mut [0; 32], &mut blocks).unwrap();
        println!("{}", start.elapsed().as_secs_f64());
    }
}
