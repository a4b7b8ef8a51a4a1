//! A stored password hash after parsing, whatever its family.

use std::fmt;

use sha2::{Digest, Sha256};

use super::argon2::Argon2;
use super::bcrypt::Bcrypt;
use super::error::PasswordHashError;
use super::fields::Parsed;
use super::pbkdf2::Pbkdf2;
use super::scrypt::Scrypt;

/// A stored password hash whose syntax and cost have been checked. Its `Debug` shows algorithm and cost only.
#[derive(Clone)]
pub struct PasswordHash {
    pub(super) method: Method,
    pub(super) salt: Vec<u8>,
    pub(super) digest: Vec<u8>,
}

/// The family and its cost: all that decides how much work a check is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Argon2(Argon2),
    Bcrypt(Bcrypt),
    Scrypt(Scrypt),
    Pbkdf2(Pbkdf2),
}

impl PasswordHash {
    /// Longest text that is looked at, in bytes.
    pub(crate) const MAX_TEXT: usize = 1024;

    /// Parses a PHC string, or one of the older spellings of bcrypt, passlib and Django.
    ///
    /// # Errors
    /// The text is no hash that is known here, or its cost is above the ceilings: more memory than a VM should
    /// give, or longer work than a login should wait for.
    pub fn parse(text: &str) -> Result<Self, PasswordHashError> {
        if text.len() > Self::MAX_TEXT {
            return Err(PasswordHashError::TooLong(Self::MAX_TEXT));
        }
        let fields: Vec<&str> = text.split('$').collect();
        match fields.as_slice() {
            ["", name @ ("argon2id" | "argon2i" | "argon2d"), rest @ ..] => Argon2::parse(name, rest).map(Self::from),
            ["", "2a" | "2b" | "2y", rest @ ..] => Bcrypt::parse(rest).map(Self::from),
            ["", "2x", ..] => Err(PasswordHashError::Unsupported("$2x$ marks bcrypt digests made by a faulty program")),
            ["", "scrypt", rest @ ..] => Scrypt::parse(rest).map(Self::from),
            ["", name @ ("pbkdf2-sha256" | "pbkdf2-sha512"), rest @ ..] => Pbkdf2::parse(name, rest).map(Self::from),
            ["pbkdf2_sha256", rest @ ..] => Pbkdf2::parse_django(rest).map(Self::from),
            _ => Err(PasswordHashError::UnknownAlgorithm),
        }
    }

    /// True if the cost is below the floor of OWASP's
    /// [Password Storage Cheat Sheet](https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html).
    pub(crate) fn is_weak(&self) -> bool {
        match &self.method {
            Method::Argon2(argon2) => argon2.is_weak(),
            Method::Bcrypt(bcrypt) => bcrypt.is_weak(),
            Method::Scrypt(scrypt) => scrypt.is_weak(),
            Method::Pbkdf2(pbkdf2) => pbkdf2.is_weak(),
        }
    }

    /// A hash of the same algorithm, cost, salt length and digest length which in effect no password matches, so
    /// that an unknown user costs the same work as a known one. `seed` fills the salt.
    pub fn decoy(&self, seed: [u8; 16]) -> Self {
        Self {
            method: self.method,
            salt: seed.iter().copied().cycle().take(self.salt.len()).collect(),
            digest: vec![0; self.digest.len()],
        }
    }

    /// The decoy of OWASP's first choice, for a directory that gives no example: Argon2id, version 0x13,
    /// m = 19456, t = 2, p = 1.
    pub(crate) fn default_decoy(seed: [u8; 16]) -> Self {
        Self { method: Method::Argon2(Argon2::default()), salt: seed.to_vec(), digest: vec![0; 32] }
    }

    /// A digest under a key, by which another hash is told from this one and by which nothing is learnt of it.
    pub(crate) fn mark(&self, key: &[u8]) -> [u8; 32] {
        let salt_length = self.salt.len().to_le_bytes();
        Sha256::new()
            .chain_update(key)
            .chain_update(salt_length)
            .chain_update(&self.salt)
            .chain_update(&self.digest)
            .finalize()
            .into()
    }

    /// Bytes of [`Arena`](super::Arena) that a check needs; 0 for families that need no memory.
    pub fn memory(&self) -> usize {
        match &self.method {
            Method::Argon2(argon2) => argon2.memory(),
            Method::Scrypt(scrypt) => scrypt.memory(),
            Method::Bcrypt(_) | Method::Pbkdf2(_) => 0,
        }
    }

    /// Units of work of one check, in the measure of [`Budget`](super::Budget). An arena that has to grow first
    /// costs a little more.
    pub fn work(&self) -> u64 {
        match &self.method {
            Method::Argon2(argon2) => argon2.work(),
            Method::Bcrypt(bcrypt) => bcrypt.work(),
            Method::Scrypt(scrypt) => scrypt.work(self.digest.len()),
            Method::Pbkdf2(pbkdf2) => pbkdf2.work(self.digest.len()),
        }
    }
}

impl<P: Into<Method>> From<Parsed<P>> for PasswordHash {
    fn from(Parsed { parameters, salt, digest }: Parsed<P>) -> Self {
        Self { method: parameters.into(), salt, digest }
    }
}

impl From<Argon2> for Method {
    fn from(argon2: Argon2) -> Self {
        Self::Argon2(argon2)
    }
}

impl From<Bcrypt> for Method {
    fn from(bcrypt: Bcrypt) -> Self {
        Self::Bcrypt(bcrypt)
    }
}

impl From<Scrypt> for Method {
    fn from(scrypt: Scrypt) -> Self {
        Self::Scrypt(scrypt)
    }
}

impl From<Pbkdf2> for Method {
    fn from(pbkdf2: Pbkdf2) -> Self {
        Self::Pbkdf2(pbkdf2)
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PasswordHash").field(&self.method).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STORED: [&str; 6] = [
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
        "$pbkdf2-sha256$6400$0ZrzXitFSGltTQnBWOsdew$Y11AchqV4b0sUisdZd0Xr97KWoymNE0LNNrnEgY4H9M",
        "$pbkdf2-sha512$i=6400,l=16$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
        "pbkdf2_sha256$1000$somesalt$AAAAAAAAAAAAAAAAAAAAAA==",
    ];

    #[test]
    fn a_decoy_has_the_same_work_memory_and_lengths_and_another_salt() {
        for stored in STORED {
            let hash = PasswordHash::parse(stored).unwrap();
            let decoy = hash.decoy([7; 16]);
            assert_eq!((decoy.work(), decoy.memory()), (hash.work(), hash.memory()));
            assert_eq!((decoy.salt.len(), decoy.digest.len()), (hash.salt.len(), hash.digest.len()));
            assert_ne!(decoy.salt, hash.salt);
        }
    }

    #[test]
    fn debug_shows_the_cost_and_nothing_of_salt_or_digest() {
        let hash = PasswordHash::parse(STORED[0]).unwrap();
        let cost = "Argon2Cost { memory: 256, passes: 2, lanes: 1 }";
        assert_eq!(
            format!("{hash:?}"),
            format!("PasswordHash(Argon2(Argon2 {{ variant: Id, version: V0x13, cost: {cost} }}))")
        );
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for bad in ["", "$", "password", "$1$salt$digest", "$argon2$x", "$pbkdf2$1$2$3", "$argon2id", "$2b$"] {
            assert!(PasswordHash::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(PasswordHash::parse(&"$".repeat(1025)).err(), Some(PasswordHashError::TooLong(1024)));
    }

    #[test]
    fn salts_and_digests_beyond_the_bounds_are_refused() {
        let text = |salt: usize, digest: usize| {
            format!("$argon2id$v=19$m=8,t=1,p=1${}${}", "A".repeat(salt), "A".repeat(digest))
        };
        assert!(PasswordHash::parse(&text(11, 22)).is_ok());
        for (salt, digest) in [(10, 22), (11, 20), (87, 22), (11, 87), (0, 22), (11, 0)] {
            assert!(PasswordHash::parse(&text(salt, digest)).is_err(), "{salt} {digest}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused_without_panic(text in ".{0,200}") {
            let _ = PasswordHash::parse(&text);
        }

        #[test]
        fn a_damaged_hash_is_parsed_or_refused_and_the_error_never_shows_it(
            stored in prop::sample::select(STORED.to_vec()), at in 0..80_usize, with in "[$=,0-9a-zé]{0,3}",
        ) {
            let at = at.min(stored.len());
            let text = format!("{}{with}{}", &stored[..at], stored.get(at + 1..).unwrap_or_default());
            if let Err(error) = PasswordHash::parse(&text) {
                prop_assert!(!error.to_string().contains(text.rsplit('$').next().filter(|end| end.len() > 9).unwrap_or("\0")));
            }
        }
    }
}
