//! Auth sources: directories of users, each with the identifiers that it accepts.

use std::fmt;

use sha2::{Digest, Sha256};

use super::{
    identifier::{Identifier, IdentifierRules},
    user::UserTable,
};
use crate::crypto::password::PasswordHash;

/// A directory of users.
pub struct AuthSource {
    /// `auth_source_id`.
    pub id: String,
    /// Which identifiers it accepts.
    pub identifiers: IdentifierRules,
    /// Its users.
    pub users: UserTable,
    /// Makes the choice of decoys: the same in every proxy with the same keys, and unknown to callers.
    pub decoy_key: [u8; 32],
}

impl AuthSource {
    /// What an unknown user's password is checked against: a hash that costs as much as that of some user here.
    ///
    /// Where users' hashes differ in cost, each unknown identifier is given the cost of one of them, always the
    /// same one, so that time tells no more about an unknown user than about a known one.
    pub fn decoy(&self, identifier: &Identifier) -> PasswordHash {
        let digest: [u8; 32] = self.decoy_digest(identifier);
        let (seed, choice) = split(digest);
        match self.users.any(choice) {
            Some(user) => user.password_hash.decoy(seed),
            None => PasswordHash::default_decoy(seed),
        }
    }

    fn decoy_digest(&self, identifier: &Identifier) -> [u8; 32] {
        Sha256::new()
            .chain_update(self.decoy_key)
            .chain_update(&self.id)
            .chain_update([0, identifier.kind as u8])
            .chain_update(&identifier.value)
            .finalize()
            .into()
    }
}

fn split(digest: [u8; 32]) -> ([u8; 16], u64) {
    let (mut seed, mut choice) = ([0; 16], [0; 8]);
    seed.iter_mut().chain(&mut choice).zip(digest).for_each(|(to, from)| *to = from);
    (seed, u64::from_le_bytes(choice))
}

impl fmt::Debug for AuthSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthSource").field("id", &self.id).finish_non_exhaustive()
    }
}
