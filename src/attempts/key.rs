//! Names for what failures are counted by: hashes under a key, so that nobody can aim for the slot of another, and nobody
//! who reads the tables learns who tried to log in.

use std::fmt;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::friends::FriendKey;
use crate::{origin::Network, registry::identifier::Identifier};

/// What failures are counted by.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// One identifier of one auth source.
    Identifier {
        /// The auth source.
        auth_source_id: &'a str,
        /// The identifier.
        identifier: &'a Identifier,
    },
    /// One user of one auth source.
    User {
        /// The auth source.
        auth_source_id: &'a str,
        /// Who it is.
        who: Who<'a>,
    },
    /// One user in one place.
    Friend(FriendKey),
    /// A network of source addresses.
    Network(Network),
    /// A client, for the passwords that are guessed through it.
    Client(&'a str),
}

/// A user, as far as is known.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Who<'a> {
    /// By the directory's id.
    Id(&'a str),
    /// By what was typed, as identifiers are compared, where the id is not known: never folded, which may take two users for one.
    Typed(&'a str),
}

/// What a friend's place is known by.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Whereabouts<'a> {
    /// A source address.
    Address(&'a str),
    /// The family of a token that was given there at an earlier login.
    Device(u64),
}

/// How many buckets the table of failures has, from number zero on.
pub const BUCKETS: u8 = 255;
/// How many of them are for identifiers.
const IDENTIFIERS: u8 = 192;
/// How many buckets the table of friends has: 65,536 friends in 1.3 MB.
pub const FRIEND_BUCKETS: u16 = 1024;

/// The key of the tables, the same for all who share them.
pub struct TableKey([u8; 32]);

/// Where in the table a subject is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Which bucket.
    pub(crate) bucket: u8,
    /// Which entry in it; never zero.
    pub(crate) tag: u64,
}

impl TableKey {
    /// Takes random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The place of a subject. Identifiers and users, of which each failure has cost a hash, have most of the table to themselves.
    pub fn key(&self, subject: Subject) -> Key {
        let (number, tag) = self.of_subject(subject);
        let bucket = match subject {
            Subject::Identifier { .. } | Subject::User { .. } | Subject::Friend(_) => number % IDENTIFIERS,
            Subject::Network(_) | Subject::Client(_) => IDENTIFIERS + number % (BUCKETS - IDENTIFIERS),
        };
        Key { bucket, tag }
    }

    /// The place of a friend.
    pub(crate) fn friend(
        &self,
        auth_source_id: &str,
        who: Who,
        client_id: &str,
        whereabouts: Whereabouts,
    ) -> FriendKey {
        let [low, high, user @ ..] = self.digest("friend ", &(auth_source_id, who));
        let (_, place) = halves(self.digest("place ", &(client_id, whereabouts)));
        let (_, user) = halves(user);
        FriendKey { bucket: u16::from_le_bytes([low, high]) % FRIEND_BUCKETS, user, place }
    }

    fn of_subject(&self, subject: Subject) -> (u8, u64) {
        halves(match subject {
            Subject::Identifier { auth_source_id, identifier } => {
                self.digest("identifier ", &(auth_source_id, identifier.kind, identifier.folded()))
            }
            Subject::User { auth_source_id, who } => self.digest("user ", &(auth_source_id, who)),
            Subject::Friend(FriendKey { user, place, .. }) => self.digest("friend in a place ", &(user, place)),
            Subject::Network(network) => self.digest_of(&format!("address {network}")),
            Subject::Client(id) => self.digest_of(&format!("client {id}")),
        })
    }

    fn digest(&self, kind: &str, named: &impl Serialize) -> [u8; 32] {
        self.digest_of(&format!("{kind}{}", serde_json::to_string(named).unwrap_or_default()))
    }

    fn digest_of(&self, text: &str) -> [u8; 32] {
        Sha256::new().chain_update(self.0).chain_update(text).finalize().into()
    }
}

/// A number for a bucket, and a tag that is never zero.
fn halves<const N: usize>(digest: [u8; N]) -> (u8, u64) {
    let mut bytes = digest.into_iter();
    let number = bytes.next().unwrap_or_default();
    let tag = bytes.take(8).rev().fold(0, |tag, byte| tag << 8 | u64::from(byte));
    (number, tag.max(1))
}

impl fmt::Debug for TableKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TableKey(…)")
    }
}
