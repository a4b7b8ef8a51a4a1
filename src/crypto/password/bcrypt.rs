//! bcrypt as steps of one key-schedule expansion, on the `blowfish` crate's primitives.

use blowfish::Blowfish;
use zeroize::Zeroizing;

use super::budget::Meter;
use super::digest::Digest;
use super::error::PasswordHashError::{self, Malformed};
use super::fields::{self, Parsed};

/// The cost of a bcrypt hash: the base-2 logarithm of its rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bcrypt {
    cost: u32,
}

impl Bcrypt {
    /// Greatest cost: about a second in Envoy's VM.
    const MAX_COST: u32 = 14;
    const MIN_COST: u32 = 4;

    /// Reads `10$` and 53 characters: the salt's 22 and the digest's 31.
    pub(super) fn parse(rest: &[&str]) -> Result<Parsed<Self>, PasswordHashError> {
        let form = Malformed("bcrypt is $2b$10$ and 53 characters");
        let [cost, body] = rest else {
            return Err(form);
        };
        if cost.len() != 2 || body.len() != 53 {
            return Err(form);
        }
        let (salt, digest) = body.split_at_checked(22).ok_or(form)?;
        let cost = fields::number(cost.strip_prefix('0').unwrap_or(cost), "the bcrypt cost is not a number")?;
        PasswordHashError::within("bcrypt cost", cost.into(), Self::MIN_COST.into(), Self::MAX_COST.into())?;
        Ok(Parsed { parameters: Self { cost }, salt: base64(salt)?, digest: base64(digest)? })
    }

    pub(super) fn is_weak(&self) -> bool {
        self.cost < 10
    }

    pub(super) fn work(&self) -> u64 {
        EXPANSION_COST * (1 + self.expansions()) + DIGEST_COST
    }

    /// Keeps what bcrypt looks at: the password and its final NUL, 72 bytes of it at most. A NUL inside is a byte
    /// like any other.
    pub(super) fn start(self, password: &[u8], salt: &[u8]) -> BcryptRun {
        let key = password.iter().copied().chain([0]).take(72).collect();
        let blowfish = Blowfish::bc_init_state();
        BcryptRun { blowfish, key: Zeroizing::new(key), salt: salt.to_vec(), next: 0, expansions: self.expansions() }
    }

    /// One with the key and one with the salt in each round.
    fn expansions(&self) -> u64 {
        2 << self.cost
    }
}

/// bcrypt between two expansions.
pub(super) struct BcryptRun {
    blowfish: Blowfish,
    key: Zeroizing<Vec<u8>>,
    salt: Vec<u8>,
    next: u64,
    expansions: u64,
}

impl BcryptRun {
    pub(super) fn advance(&mut self, meter: &mut Meter) -> Option<Digest> {
        while self.next <= self.expansions {
            if !meter.allows(EXPANSION_COST) {
                return None;
            }
            self.expand();
        }
        meter.allows(DIGEST_COST).then(|| self.digest())
    }

    fn expand(&mut self) {
        match self.next {
            0 => self.blowfish.salted_expand_key(&self.salt, &self.key),
            odd if odd % 2 == 1 => self.blowfish.bc_expand_key(&self.key),
            _ => self.blowfish.bc_expand_key(&self.salt),
        }
        self.next += 1;
    }

    /// The magic text, encrypted 64 times; its last byte is not kept.
    fn digest(&self) -> Digest {
        let mut digest = Digest::new(Vec::with_capacity(24));
        for pair in MAGIC {
            let encrypted = (0..64).fold(pair, |pair, _| self.blowfish.bc_encrypt(pair));
            digest.extend(encrypted.iter().flat_map(|half| half.to_be_bytes()));
        }
        digest.truncate(23);
        digest
    }
}

/// Units charged for one expansion: 521 Blowfish encryptions.
const EXPANSION_COST: u64 = 42;

/// Units charged for the digest: 192 Blowfish encryptions.
const DIGEST_COST: u64 = 16;

/// `OrpheanBeholderScryDoubt`
const MAGIC: [[u32; 2]; 3] = [[0x4f72_7068, 0x6561_6e42], [0x6568_6f6c, 0x6465_7253], [0x6372_7944, 0x6f75_6274]];

/// bcrypt's base64 has an alphabet of its own order.
fn base64(text: &str) -> Result<Vec<u8>, PasswordHashError> {
    const OURS: &[u8; 64] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let what = "salt and digest of bcrypt are not in its base64";
    let standard: Option<String> =
        text.bytes().map(|byte| OURS.iter().position(|ours| *ours == byte).map(|i| STANDARD[i] as char)).collect();
    fields::base64(&standard.ok_or(Malformed(what))?, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::password::PasswordHash;

    const BODY: &str = "CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

    fn parse(cost: &str) -> Result<PasswordHash, PasswordHashError> {
        PasswordHash::parse(&format!("$2b${cost}${BODY}"))
    }

    #[test]
    fn costs_from_4_to_14_are_accepted_and_below_10_weak() {
        for (cost, weak) in [("04", true), ("09", true), ("10", false), ("14", false)] {
            assert_eq!(parse(cost).unwrap().is_weak(), weak, "{cost}");
        }
        for bad in ["03", "15", "31", "5", "005", "+5", "5x", "00"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn each_step_of_cost_doubles_the_work() {
        let [four, five] = ["04", "05"].map(|cost| parse(cost).unwrap().work());
        assert_eq!(five - four, 32 * EXPANSION_COST);
    }

    #[test]
    fn other_lengths_and_letters_are_refused() {
        for bad in [&BODY[1..], "!", &BODY.replace('C', "-"), &"é".repeat(26), &format!("{}é", &BODY[..51])] {
            assert!(PasswordHash::parse(&format!("$2b$05${bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_faulty_variant_is_refused_by_name() {
        let error = PasswordHash::parse(&format!("$2x$05${BODY}")).unwrap_err();
        assert!(error.to_string().contains("$2x$"));
    }
}
