//! Names of tokens: the `jti` of an access token tells which family it is of, so that the end of a family is its end too.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::time::Entropy;

/// All tokens that come from one login: 62 random bits, which no caller can choose.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FamilyId(pub u64);

/// A `jti` (RFC 7519 §4.1.7): a UUID, the second half of which is the family. The first half is random (version 4), or half of it
/// is a mark of the user's password (version 8, RFC 9562 §5.8), by which a token ends with its password.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenId(Uuid);

/// The bits of a UUID's second half that are not its variant (RFC 9562 §5.4).
const FAMILY_BITS: u64 = u64::MAX >> 2;
/// The bits of the first half that may hold a mark: 16, the version between them and 12 more.
const MARK_BITS: u64 = 0xffff_0fff;
/// The bits of the first half that are the version.
const VERSION_BITS: u64 = 0xf000;
/// The version of a UUID with a mark.
const MARKED: u64 = 0x8000;

impl TokenId {
    /// The name of the first token of a new family.
    pub fn fresh(entropy: Entropy) -> Self {
        Self(uuid::Builder::from_random_bytes(entropy.spend()).into_uuid())
    }

    /// The name of a further token of this family.
    pub(crate) fn in_family(entropy: Entropy, family: FamilyId) -> Self {
        let (unique, rest) = Self::fresh(entropy).0.as_u64_pair();
        Self(Uuid::from_u64_pair(unique, rest & !FAMILY_BITS | family.0 & FAMILY_BITS))
    }

    /// The same, with a mark of the password by which its user logged in.
    #[must_use]
    pub(crate) fn marked(self, mark: u32) -> Self {
        let (unique, family) = self.0.as_u64_pair();
        let random = unique & !(MARK_BITS | VERSION_BITS);
        Self(Uuid::from_u64_pair(random | MARKED | u64::from(mark) & MARK_BITS, family))
    }

    /// Whether its mark is this one. True of a token without a mark.
    pub(crate) fn may_have(self, mark: u32) -> bool {
        let unique = self.unique();
        !self.is_marked() || unique & MARK_BITS == u64::from(mark) & MARK_BITS
    }

    /// Whether it has a mark.
    pub(crate) fn is_marked(self) -> bool {
        self.unique() & VERSION_BITS == MARKED
    }

    /// Reads a `jti` that this program has made.
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }

    /// The family of the token.
    pub fn family(self) -> FamilyId {
        FamilyId(self.0.as_u64_pair().1 & FAMILY_BITS)
    }

    /// What tells it from others of its family.
    pub fn unique(self) -> u64 {
        self.0.as_u64_pair().0
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenId(…)")
    }
}

impl fmt::Debug for FamilyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FamilyId(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entropy(byte: u8) -> Entropy {
        Entropy::new([byte; 32])
    }

    #[test]
    fn a_further_token_is_of_the_family_and_another_uuid_of_version_4() {
        let first = TokenId::fresh(entropy(0xab));
        let second = TokenId::in_family(entropy(0x12), first.family());
        assert_eq!(first.family(), second.family());
        assert_ne!(first.unique(), second.unique());
        for id in [first, second] {
            let uuid = Uuid::try_parse(&id.to_string()).unwrap();
            assert_eq!((uuid.get_version_num(), uuid.get_variant()), (4, uuid::Variant::RFC4122));
            assert_eq!(TokenId::parse(&id.to_string()), Some(id));
        }
    }

    #[test]
    fn a_mark_leaves_the_family_and_some_chance_and_makes_a_uuid_of_version_8() {
        let (plain, other) = (TokenId::fresh(entropy(0xab)), TokenId::fresh(entropy(0xcd)));
        let marked = plain.marked(0x1234_5678);
        let uuid = Uuid::try_parse(&marked.to_string()).unwrap();
        assert_eq!((uuid.get_version_num(), uuid.get_variant()), (8, uuid::Variant::RFC4122));
        assert_eq!(marked.family(), plain.family());
        assert!(marked.is_marked() && marked.may_have(0x1234_5678) && !marked.may_have(0x1234_5679));
        assert!(!marked.may_have(0x9234_5678));
        assert!(!plain.is_marked() && plain.may_have(1));
        assert_ne!(marked.unique(), other.marked(0x1234_5678).unique());
    }

    #[test]
    fn what_is_no_uuid_names_no_token() {
        assert_eq!(TokenId::parse("hello"), None);
    }
}
