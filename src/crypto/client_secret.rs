//! Client secrets at rest. They are made by machines with 128 bits of chance or more (RFC 6749 §10.10), so one salted
//! SHA-256 keeps them: slow hashes are for what people choose, and would only double the cost of a login.

use std::{fmt, str::FromStr};

use ct_codecs::{Base64UrlSafeNoPadding as Base64, Decoder, Encoder};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::secret::Secret;

const PREFIX: &str = "$sha256$";

/// `$sha256$<salt>$<SHA-256(salt || secret)>`, both base64url without padding.
pub struct SecretHash {
    salt: [u8; 16],
    digest: [u8; 32],
}

impl SecretHash {
    /// Hashes a secret with a fresh salt.
    pub fn new(secret: &Secret, salt: [u8; 16]) -> Self {
        let digest = digest(&salt, secret);
        Self { salt, digest }
    }

    /// Whether this is the hash of `secret`; constant in time.
    pub fn matches(&self, secret: &Secret) -> Choice {
        digest(&self.salt, secret).ct_eq(&self.digest)
    }
}

/// The text is not a client secret's hash.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidSecretHash;

impl FromStr for SecretHash {
    type Err = InvalidSecretHash;

    fn from_str(text: &str) -> Result<Self, InvalidSecretHash> {
        let (salt, digest) =
            text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('$')).ok_or(InvalidSecretHash)?;
        Ok(Self { salt: decode(salt)?, digest: decode(digest)? })
    }
}

impl fmt::Display for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encode = |bytes| Base64::encode_to_string(bytes).map_err(|_| fmt::Error);
        write!(f, "{PREFIX}{}${}", encode(&self.salt[..])?, encode(&self.digest[..])?)
    }
}

fn decode<const N: usize>(text: &str) -> Result<[u8; N], InvalidSecretHash> {
    let mut bytes = [0; N];
    let written = Base64::decode(&mut bytes, text, None).map_err(|_| InvalidSecretHash)?.len();
    (written == N).then_some(bytes).ok_or(InvalidSecretHash)
}

fn digest(salt: &[u8], secret: &Secret) -> [u8; 32] {
    Sha256::new().chain_update(salt).chain_update(secret.expose()).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text)
    }

    #[test]
    fn a_hash_written_and_read_again_matches_its_secret_only() {
        let written = SecretHash::new(&secret("correct"), [7; 16]).to_string();
        let read: SecretHash = written.parse().unwrap();
        assert!(bool::from(read.matches(&secret("correct"))));
        assert!(!bool::from(read.matches(&secret("wrong"))));
        assert!(!bool::from(read.matches(&secret(""))));
    }

    #[test]
    fn the_digest_is_sha256_of_salt_and_secret() {
        // `printf '\0%.0s' {1..16} | cat - <(printf abc) | sha256sum`
        let hash = SecretHash::new(&secret("abc"), [0; 16]);
        let expected = Sha256::digest(b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0abc");
        assert_eq!(hash.digest[..], expected[..]);
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "plaintext", "$sha256$", "$sha256$AA$AA", "$sha256$a$b$c", "$argon2id$v=19$"] {
            assert!(text.parse::<SecretHash>().is_err(), "{text}");
        }
    }
}
