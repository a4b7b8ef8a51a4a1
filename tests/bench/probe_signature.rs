//! AWS-LC's time for a signature with RS256: what `hosts.py` takes for the native limit, since the dynamic module signs with it.

use std::time::Instant;

use aws_lc_rs::{
    error::Unspecified,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};

/// Prints the seconds of some signatures by a key of 2,048 bits.
fn main() -> Result<(), Unspecified> {
    let (key, random) = (RsaKeyPair::generate(KeySize::Rsa2048)?, SystemRandom::new());
    let mut signature = vec![0; key.public_modulus_len()];
    for _ in 0..500 {
        let start = Instant::now();
        key.sign(&RSA_PKCS1_SHA256, &random, &[7; 512], &mut signature)?;
        println!("{}", start.elapsed().as_secs_f64());
    }
    Ok(())
}
