//! PBKDF2 (RFC 8018 section 5.2) as steps of one iteration, with HMAC-SHA-256 and HMAC-SHA-512.

use ct_codecs::{Base64, Decoder};
use hmac::digest::block_api::EagerHash;
use hmac::digest::{FixedOutput, Output};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha512};
use zeroize::Zeroize;

use super::budget::Meter;
use super::digest::Digest;
use super::error::PasswordHashError::{self, Malformed};
use super::fields::{self, Parsed};

/// The hash function and the iterations of a PBKDF2 hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pbkdf2 {
    function: Function,
    iterations: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Sha256,
    Sha512,
}

impl Pbkdf2 {
    /// Most iterations: some seconds in Envoy's VM.
    const MAX_ITERATIONS: u32 = 10_000_000;

    /// Reads `i=…,l=…$salt$digest` (PHC), or `29000$salt$digest` as passlib writes it, with `.` for `+`.
    pub(super) fn parse(name: &str, rest: &[&str]) -> Result<Parsed<Self>, PasswordHashError> {
        let [cost, salt, digest] = rest else {
            return Err(Malformed("PBKDF2 is $pbkdf2-sha256$i=…,l=…$salt$digest"));
        };
        let function = if name == "pbkdf2-sha512" { Function::Sha512 } else { Function::Sha256 };
        if !cost.contains('=') {
            let (salt, digest) = fields::salt_and_digest(&salt.replace('.', "+"), &digest.replace('.', "+"))?;
            return Self::checked(function, iterations(cost)?, salt, digest);
        }
        let (salt, digest) = fields::salt_and_digest(salt, digest)?;
        match fields::parameters(cost, ["i", "l"])? {
            [_, Some(length)] if length as usize != digest.len() => {
                Err(Malformed("PBKDF2 l is not the digest's length"))
            }
            [Some(iterations), _] => Self::checked(function, iterations, salt, digest),
            _ => Err(Malformed("PBKDF2 needs i")),
        }
    }

    /// Reads `260000$salt$digest` as Django writes it: the salt is text, the digest padded base64.
    pub(super) fn parse_django(rest: &[&str]) -> Result<Parsed<Self>, PasswordHashError> {
        let [cost, salt, digest] = rest else {
            return Err(Malformed("Django's PBKDF2 is pbkdf2_sha256$iterations$salt$digest"));
        };
        let digest = Base64::decode_to_vec(digest, None).map_err(|_| Malformed("the digest is not base64"))?;
        Self::checked(Function::Sha256, iterations(cost)?, salt.as_bytes().to_vec(), digest)
    }

    fn checked(
        function: Function,
        iterations: u32,
        salt: Vec<u8>,
        digest: Vec<u8>,
    ) -> Result<Parsed<Self>, PasswordHashError> {
        PasswordHashError::within("PBKDF2 iterations", iterations.into(), 1, Self::MAX_ITERATIONS.into())?;
        fields::bounded(&salt, &digest)?;
        Ok(Parsed { parameters: Self { function, iterations }, salt, digest })
    }

    pub(super) fn is_weak(&self) -> bool {
        match self.function {
            Function::Sha256 => self.iterations < 600_000,
            Function::Sha512 => self.iterations < 210_000,
        }
    }

    pub(super) fn work(&self, digest_length: usize) -> u64 {
        let blocks = match self.function {
            Function::Sha256 => digest_length.div_ceil(32),
            Function::Sha512 => digest_length.div_ceil(64),
        };
        u64::from(self.iterations) * blocks as u64 * ITERATION_COST
    }

    pub(super) fn start(self, password: &[u8], salt: &[u8], digest_length: usize) -> Pbkdf2Run {
        match self.function {
            Function::Sha256 => Pbkdf2Run::Sha256(Chain::start(password, salt, self.iterations, digest_length)),
            Function::Sha512 => Pbkdf2Run::Sha512(Chain::start(password, salt, self.iterations, digest_length)),
        }
    }
}

/// PBKDF2 between two iterations.
pub(super) enum Pbkdf2Run {
    Sha256(Box<Chain<Sha256>>),
    Sha512(Box<Chain<Sha512>>),
}

impl Pbkdf2Run {
    pub(super) fn advance(&mut self, meter: &mut Meter) -> Option<Digest> {
        match self {
            Self::Sha256(chain) => chain.advance(meter),
            Self::Sha512(chain) => chain.advance(meter),
        }
    }
}

/// `U_1, U_2, …` of one block after the other.
pub(super) struct Chain<H: EagerHash> {
    keyed: Hmac<H>,
    salt: Vec<u8>,
    iterations: u32,
    digest_length: usize,
    /// Finished blocks of the digest.
    digest: Digest,
    /// Iterations done of the block in progress.
    done: u32,
    link: Output<Hmac<H>>,
    sum: Output<Hmac<H>>,
}

impl<H: EagerHash> Chain<H> {
    fn start(password: &[u8], salt: &[u8], iterations: u32, digest_length: usize) -> Box<Self> {
        Box::new(Self {
            keyed: keyed(password),
            salt: salt.to_vec(),
            iterations,
            digest_length,
            digest: Digest::default(),
            done: 0,
            link: Output::<Hmac<H>>::default(),
            sum: Output::<Hmac<H>>::default(),
        })
    }

    fn advance(&mut self, meter: &mut Meter) -> Option<Digest> {
        while self.digest.len() < self.digest_length {
            if !meter.allows(ITERATION_COST) {
                return None;
            }
            self.iterate();
        }
        self.digest.truncate(self.digest_length);
        Some(std::mem::take(&mut self.digest))
    }

    fn iterate(&mut self) {
        if self.done == 0 {
            self.begin_block();
        } else {
            self.link = self.keyed.clone().chain_update(&self.link).finalize_fixed();
        }
        for (sum, link) in self.sum.iter_mut().zip(&self.link) {
            *sum ^= link;
        }
        self.done += 1;
        if self.done == self.iterations {
            self.end_block();
        }
    }

    fn begin_block(&mut self) {
        let index = (self.digest.len() / self.sum.len()) as u32 + 1;
        self.sum = Output::<Hmac<H>>::default();
        self.link = self.keyed.clone().chain_update(&self.salt).chain_update(index.to_be_bytes()).finalize_fixed();
    }

    fn end_block(&mut self) {
        self.digest.extend_from_slice(&self.sum);
        self.done = 0;
    }
}

impl<H: EagerHash> Drop for Chain<H> {
    fn drop(&mut self) {
        self.link.zeroize();
        self.sum.zeroize();
    }
}

/// HMAC with its key absorbed, to be cloned for each message.
pub(super) fn keyed<H: EagerHash>(password: &[u8]) -> Hmac<H> {
    match Hmac::new_from_slice(password) {
        Ok(keyed) => keyed,
        Err(_) => unreachable!("HMAC takes keys of any length (RFC 2104 section 3)"),
    }
}

fn iterations(text: &str) -> Result<u32, PasswordHashError> {
    fields::number(text, "the PBKDF2 iterations are not a number")
}

/// Units charged for one iteration: two compressions of the hash function.
const ITERATION_COST: u64 = 1;

#[cfg(test)]
mod tests {
    use super::super::Budget;
    use super::*;
    use crate::crypto::password::PasswordHash;

    const TAIL: &str = "c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA";

    fn parse(start: &str) -> Result<PasswordHash, PasswordHashError> {
        PasswordHash::parse(&format!("{start}${TAIL}"))
    }

    #[test]
    fn the_vector_of_rfc_7914_section_11_comes_out() {
        let mut run = Pbkdf2 { function: Function::Sha256, iterations: 1 }.start(b"passwd", b"salt", 64);
        let digest = run.advance(&mut Meter::new(Budget::UNLIMITED)).unwrap();
        let expected = "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc\
                        49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783";
        assert_eq!(digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), expected);
    }

    #[test]
    fn owasps_iterations_are_not_weak_and_one_less_is() {
        for (name, floor) in [("sha256", 600_000), ("sha512", 210_000)] {
            assert!(!parse(&format!("$pbkdf2-{name}$i={floor}")).unwrap().is_weak());
            assert!(parse(&format!("$pbkdf2-{name}${}", floor - 1)).unwrap().is_weak());
        }
    }

    #[test]
    fn all_spellings_mean_the_same() {
        let phc = parse("$pbkdf2-sha256$i=1000,l=16").unwrap();
        let passlib = parse("$pbkdf2-sha256$1000").unwrap();
        let django = PasswordHash::parse("pbkdf2_sha256$1000$somesalt$AAAAAAAAAAAAAAAAAAAAAA==").unwrap();
        for other in [passlib, django] {
            assert_eq!((other.method, &other.salt, &other.digest), (phc.method, &phc.salt, &phc.digest));
        }
    }

    #[test]
    fn lengths_and_iterations_beyond_the_bounds_are_refused() {
        for bad in ["i=0", "i=10000001", "l=16", "i=1,l=17", "0", "", "i=1,x=1"] {
            assert!(parse(&format!("$pbkdf2-sha256${bad}")).is_err(), "{bad}");
        }
        assert!(PasswordHash::parse("pbkdf2_sha256$1000$short$AAAAAAAAAAAAAAAAAAAAAA==").is_err());
    }
}
