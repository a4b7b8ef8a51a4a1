//! Where the user of an access token is to be looked for, when somebody asks whether the token is good still: sealed, since the
//! token is shown to services that need not know by what name its user logged in.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    crypto::seal::Sealer,
    registry::identifier::Identifier,
    secret::Secret,
    time::{Entropy, UnixTime},
};

/// A user of a directory that is asked by identifier.
#[derive(Serialize, Deserialize)]
pub(crate) struct UserReference {
    /// The directory.
    pub(crate) auth_source_id: String,
    /// What the user was found by.
    pub(crate) identifier: Identifier,
}

impl UserReference {
    /// Seals it for a token of this issuer. None if the sealer has no key.
    pub(crate) fn seal(&self, sealer: &Sealer, issuer: &str, now: UnixTime, entropy: Entropy) -> Option<String> {
        sealer.seal(now, entropy.spend(), &purpose(issuer), &serde_json::to_vec(self).ok()?)
    }

    /// What this issuer sealed.
    pub(crate) fn open(sealer: &Sealer, issuer: &str, sealed: &Secret) -> Option<Self> {
        serde_json::from_slice(&sealer.open(&purpose(issuer), sealed.expose())?).ok()
    }
}

impl fmt::Debug for UserReference {
    /// Shows nothing of the user.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserReference").field("auth_source_id", &self.auth_source_id).finish_non_exhaustive()
    }
}

fn purpose(issuer: &str) -> Vec<u8> {
    format!("token-endpoint user-reference 1 {issuer}").into_bytes()
}
