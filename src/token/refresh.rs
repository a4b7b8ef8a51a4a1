//! Refresh tokens (RFC 6749 §1.5): everything that a later request needs to know, sealed, so that no store is asked,
//! a restart forgets nothing, and every proxy with the same key accepts them.

use serde::{Deserialize, Serialize};

use crate::{
    crypto::seal::Sealer,
    registry::identifier::Identifier,
    secret::Secret,
    time::{Moment, UnixTime},
};

/// What a refresh token says. It names the client that it is bound to (RFC 6749 §6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshToken {
    /// The client that it was given to.
    pub client_id: String,
    /// The directory that the user logged in from.
    pub auth_source_id: String,
    /// The user.
    pub user_id: String,
    /// What the user was found by, for a directory that is asked again.
    pub identifier: Identifier,
    /// What the user's login was granted; a refresh may ask for less.
    pub scopes: Vec<String>,
    /// The end: the lifetime counted from the login, however often the token has been renewed.
    pub expires_at: UnixTime,
}

impl RefreshToken {
    /// Seals the token for its client. None if the sealer has no key.
    pub fn seal(&self, sealer: &Sealer, issuer: &str, moment: Moment) -> Option<String> {
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(self).ok()?);
        sealer.seal(moment.entropy.spend(), &purpose(issuer), &plain)
    }

    /// The token, if this issuer sealed it and it has not ended.
    pub fn open(sealer: &Sealer, issuer: &str, sealed: &Secret, now: UnixTime) -> Option<Self> {
        let plain = sealer.open(&purpose(issuer), sealed.expose())?;
        let token: Self = serde_json::from_slice(&plain).ok()?;
        (now < token.expires_at).then_some(token)
    }
}

/// Keeps a text that was sealed by another issuer, or for another use, from being taken for a refresh token.
fn purpose(issuer: &str) -> Vec<u8> {
    format!("token-endpoint refresh-token 1 {issuer}").into_bytes()
}
