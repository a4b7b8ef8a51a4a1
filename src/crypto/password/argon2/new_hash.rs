//! New Argon2id hashes, for the operator who writes a user down.

use ct_codecs::{Base64NoPadding, Encoder};

use super::parameters::{Argon2, Argon2Cost};
use crate::crypto::password::PasswordHashError;
use crate::crypto::password::budget::{Budget, Meter};
use crate::secret::Secret;

/// Hashes a new password with Argon2id, version 0x13, into a PHC string with a digest of 32 bytes.
///
/// It does the whole work at once: for the operator's tool, not for a worker.
///
/// # Errors
/// The cost is outside of the bounds that [`PasswordHash::parse`](crate::crypto::password::PasswordHash::parse) would accept.
pub fn hash_argon2id(password: &Secret, salt: &[u8; 16], cost: Argon2Cost) -> Result<String, PasswordHashError> {
    let argon2 = Argon2 { cost: cost.checked()?, ..Argon2::default() };
    let mut memory = vec![0; argon2.memory() / size_of::<u64>()];
    let mut run = argon2.start(password.expose(), salt, 32);
    let digest = loop {
        if let Some(digest) = run.advance(&mut memory, &mut Meter::new(Budget::UNLIMITED)) {
            break digest;
        }
    };
    let Argon2Cost { memory, passes, lanes } = cost;
    Ok(format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${}${}", base64(salt), base64(&digest)))
}

fn base64(bytes: &[u8]) -> String {
    Base64NoPadding::encode_to_string(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::password::PasswordHash;

    #[test]
    fn a_new_hash_is_what_the_parser_reads_and_the_decoy_costs() {
        let text = hash_argon2id(&Secret::new("secret"), b"16 bytes of salt", Argon2Cost::default()).unwrap();
        let hash = PasswordHash::parse(&text).unwrap();
        assert!(text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_eq!(hash.method, PasswordHash::default_decoy([0; 16]).method);
        assert!(!hash.is_weak());
    }

    #[test]
    fn a_new_hash_keeps_to_the_ceilings() {
        let cost = Argon2Cost { memory: Argon2Cost::MAX_MEMORY + 1, ..Argon2Cost::default() };
        assert!(hash_argon2id(&Secret::new("secret"), &[0; 16], cost).is_err());
    }
}
