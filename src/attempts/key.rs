//! Names for what failures are counted by: hashes under a key that is made at start, so that nobody can aim for the
//! slot of another, and nobody who reads the table learns who tried to log in.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::{origin::Origin, registry::identifier::Identifier};

/// What failures are counted by.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// One identifier of one auth source.
    Identifier {
        /// The auth source.
        auth_source_id: &'a str,
        /// The identifier, in comparable form.
        identifier: &'a Identifier,
    },
    /// A source address.
    Address(&'a Origin),
    /// A client, for the passwords that are guessed through it.
    Client(&'a str),
    /// A client, for the guesses at its own secret: these cost a guesser nothing, and must not lock out its users.
    ClientSecret(&'a str),
}

/// How many buckets a table has, from number zero on.
pub const BUCKETS: u8 = 255;
/// How many of them are for identifiers.
const IDENTIFIERS: u8 = 192;

/// The key of a table, the same for all workers of a process.
pub struct TableKey([u8; 32]);

/// Where in the table a subject is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Which bucket.
    pub bucket: u8,
    /// Which entry in it; never zero.
    pub tag: u64,
}

impl TableKey {
    /// Takes random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The place of a subject. Identifiers, of which each failure has cost a hash, have most of the table to themselves.
    pub fn key(&self, subject: Subject) -> Key {
        let digest: [u8; 32] = self.digest(subject).into();
        let [bucket, a, b, c, d, e, f, g, h, ..] = digest;
        let bucket = match subject {
            Subject::Identifier { .. } => bucket % IDENTIFIERS,
            Subject::Address(_) | Subject::Client(_) | Subject::ClientSecret(_) => {
                IDENTIFIERS + bucket % (BUCKETS - IDENTIFIERS)
            }
        };
        Key { bucket, tag: u64::from_le_bytes([a, b, c, d, e, f, g, h]).max(1) }
    }

    fn digest(&self, subject: Subject) -> impl Into<[u8; 32]> {
        let keyed = Sha256::new().chain_update(self.0);
        let named = match subject {
            Subject::Identifier { auth_source_id, identifier } => {
                let text = serde_json::to_string(&(auth_source_id, identifier.kind, identifier.folded()));
                keyed.chain_update("identifier ").chain_update(text.unwrap_or_default())
            }
            Subject::Address(origin) => keyed.chain_update("address ").chain_update(origin.to_string()),
            Subject::Client(id) => keyed.chain_update("client ").chain_update(id),
            Subject::ClientSecret(id) => keyed.chain_update("secret ").chain_update(id),
        };
        named.finalize()
    }
}

impl fmt::Debug for TableKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TableKey(…)")
    }
}
