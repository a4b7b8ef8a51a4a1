//! Names of tokens: the `jti` of an access token tells which family it is of, so that the end of a family is its end too.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::time::Entropy;

/// All tokens that come from one login: 62 random bits, which no caller can choose.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FamilyId(pub u64);

/// A `jti` (RFC 7519 §4.1.7): a random UUID (version 4), the second half of which is the family.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenId(Uuid);

/// The bits of a UUID's second half that are not its variant (RFC 9562 §5.4).
const FAMILY_BITS: u64 = u64::MAX >> 2;

impl TokenId {
    /// The name of the first token of a new family.
    pub fn fresh(entropy: Entropy) -> Self {
        Self(uuid::Builder::from_random_bytes(entropy.spend()).into_uuid())
    }

    /// The name of a further token of this family.
    pub fn in_family(entropy: Entropy, family: FamilyId) -> Self {
        let (unique, rest) = Self::fresh(entropy).0.as_u64_pair();
        Self(Uuid::from_u64_pair(unique, rest & !FAMILY_BITS | family.0 & FAMILY_BITS))
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
    fn what_is_no_uuid_names_no_token() {
        assert_eq!(TokenId::parse("hello"), None);
    }
}
