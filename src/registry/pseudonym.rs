//! Pseudonyms: names for users in logs, by which what happened to one can be followed, and from which nobody without the
//! key learns who it is.

use std::fmt;

use sha2::{Digest, Sha256};

use super::identifier::Identifier;

/// Stands for an identifier of an auth source, whether or not there is such a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pseudonym([u8; 8]);

impl Pseudonym {
    /// The same for the same identifier under the same key, in every worker and proxy and after every restart.
    pub(crate) fn new(key: &[u8; 32], auth_source_id: &str, identifier: &Identifier) -> Self {
        let text = serde_json::to_vec(&(auth_source_id, identifier.kind, identifier.folded())).unwrap_or_default();
        let digest = Sha256::new().chain_update(key).chain_update(text).finalize();
        let mut pseudonym = [0; 8];
        pseudonym.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        Self(pseudonym)
    }
}

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::identifier::IdentifierKind;

    fn pseudonym(key: u8, source: &str, kind: IdentifierKind, value: &str) -> String {
        let identifier = Identifier { kind, value: value.to_owned() };
        Pseudonym::new(&[key; 32], source, &identifier).to_string()
    }

    #[test]
    fn it_is_the_same_for_all_spellings_and_another_for_everything_else() {
        let alice = pseudonym(1, "STAFF", IdentifierKind::Username, "alice");
        assert_eq!(alice, pseudonym(1, "STAFF", IdentifierKind::Username, "Alice "));
        assert_ne!(alice, pseudonym(2, "STAFF", IdentifierKind::Username, "alice"), "another key");
        assert_ne!(alice, pseudonym(1, "OTHER", IdentifierKind::Username, "alice"), "another auth source");
        assert_ne!(alice, pseudonym(1, "STAFF", IdentifierKind::Email, "alice"), "another kind");
        assert_ne!(alice, pseudonym(1, "STAFF", IdentifierKind::Username, "alicia"), "another user");
        assert_eq!(alice.len(), 16, "{alice}");
    }
}
