//! Auth sources: directories of users, each with the identifiers that it accepts.

use std::{fmt, sync::Arc};

use sha2::{Digest, Sha256};

use super::{
    identifier::{Identifier, IdentifierRules},
    pseudonym::Pseudonym,
    remote::{Lookup, Snapshot, Verify},
    user::{Found, UserTable},
};
use crate::crypto::password::PasswordHash;

/// Users who may log in, and how they are found.
pub struct AuthSource {
    /// `auth_source_id`.
    pub(crate) id: String,
    /// Which identifiers it accepts.
    pub identifiers: IdentifierRules,
    /// Where its users are.
    pub directory: Directory,
    /// What is made of its identifiers.
    pub(crate) keys: DirectoryKeys,
}

/// What identifiers are hashed under: the same in every proxy with the same signing keys, and unknown to callers.
#[derive(Clone, Copy, Default)]
pub(crate) struct DirectoryKeys {
    /// Makes the choice of decoys.
    pub(crate) decoy: [u8; 32],
    /// Makes pseudonyms.
    pub(crate) pseudonym: [u8; 32],
}

/// Where users are.
#[derive(Debug)]
pub enum Directory {
    /// In the configuration.
    Users(UserTable),
    /// In a service that is asked for one user at a time.
    Lookup(Box<Lookup>),
    /// In a document that is fetched as a whole, and again from time to time.
    Snapshot(Box<Snapshot>),
    /// In a service that checks passwords itself.
    Verify(Box<Verify>),
}

impl AuthSource {
    /// The hash to check a password against. For an unknown user it is a decoy that costs as much as some user's here.
    ///
    /// Where users' hashes differ in cost, each unknown identifier is given the cost of one of them, always the
    /// same one, so that time tells no more about an unknown user than about a known one.
    pub(crate) fn hash_to_check(&self, found: &Found, identifier: &Identifier) -> Arc<PasswordHash> {
        let (seed, _) = split(self.decoy_digest(identifier));
        match found {
            Found::Account(account) => Arc::clone(&account.password_hash),
            Found::NotFound { decoy: Some(example) } => Arc::new(example.decoy(seed)),
            Found::NotFound { decoy: None } => Arc::new(PasswordHash::default_decoy(seed)),
        }
    }

    /// Which user's hash is the example for a decoy, for [`UserTable::find`].
    pub(crate) fn choice(&self, identifier: &Identifier) -> u64 {
        split(self.decoy_digest(identifier)).1
    }

    /// The id of whom an identifier names, where nobody has to be asked.
    pub(crate) fn known_user(&self, identifier: &Identifier) -> Option<String> {
        let Directory::Users(users) = &self.directory else { return None };
        match users.find(identifier, 0) {
            Found::Account(account) => Some(account.user.id.clone()),
            Found::NotFound { .. } => None,
        }
    }

    /// What stands for an identifier in logs.
    pub(crate) fn pseudonym(&self, identifier: &Identifier) -> Pseudonym {
        Pseudonym::new(&self.keys.pseudonym, &self.id, identifier)
    }

    fn decoy_digest(&self, identifier: &Identifier) -> [u8; 32] {
        Sha256::new()
            .chain_update(self.keys.decoy)
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
