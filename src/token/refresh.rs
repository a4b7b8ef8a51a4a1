//! Refresh tokens (RFC 6749 §1.5): everything that a later request needs to know, sealed, so that no store is asked,
//! a restart forgets nothing, and every proxy with the same key accepts them.

use std::{fmt, time::Duration};

use ct_codecs::{Base64UrlSafeNoPadding as Base64, Encoder};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    crypto::{password::PasswordHash, seal::Sealer},
    origin::Origin,
    registry::{
        auth_source::AuthSource,
        identifier::Identifier,
        user::{Account, Status},
    },
    secret::Secret,
    state::{FamilyId, OnGraceFromElsewhere, OriginMark, RefreshTokenUse},
    time::{Moment, UnixTime},
};

/// What a refresh token says. It names the client that it is bound to (RFC 6749 §6).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The tokens that come from the same login.
    pub family: FamilyId,
    /// How often the token was renewed.
    pub generation: u32,
    /// When the user logged in.
    pub logged_in_at: UnixTime,
    /// When the token was issued.
    pub issued_at: UnixTime,
    /// The end: the lifetime counted from the login, however often the token has been renewed.
    pub expires_at: UnixTime,
    /// By what the password was known at the login. None in a token of a version that did not look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<PasswordMark>,
}

/// Tells one stored hash from another, in a sealed token alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordMark(String);

impl PasswordMark {
    /// That of a hash, in the tokens of a family.
    pub(crate) fn of(hash: &PasswordHash, FamilyId(family): FamilyId) -> Option<Self> {
        Base64::encode_to_string(hash.mark(&family.to_le_bytes())).ok().map(Self)
    }
}

/// Tells one stored hash from another in the `jti` of an access token, where all may read it: too little to tell more.
pub(crate) fn short_mark(hash: &PasswordHash, FamilyId(family): FamilyId) -> u32 {
    let key = [&b"jti"[..], &family.to_le_bytes()].concat();
    let [a, b, c, d, ..] = hash.mark(&key);
    u32::from_le_bytes([a, b, c, d])
}

impl RefreshToken {
    /// Seals the token for its client. None if the sealer has no key.
    pub fn seal(&self, sealer: &Sealer, issuer: &str, moment: Moment) -> Option<String> {
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(self).ok()?);
        sealer.seal(moment.now, moment.entropy.spend(), &purpose(issuer), &plain)
    }

    /// The token, if this issuer sealed it and it has not ended by itself: at its end, or unused for `idle`.
    pub fn open(sealer: &Sealer, issuer: &str, sealed: &Secret, idle: Duration, now: UnixTime) -> Option<Self> {
        Self::unseal(sealer, issuer, sealed).filter(|token| now < token.ends_at(idle))
    }

    /// The token, if this issuer sealed it, whether or not it has ended.
    pub fn unseal(sealer: &Sealer, issuer: &str, sealed: &Secret) -> Option<Self> {
        serde_json::from_slice(&sealer.open(&purpose(issuer), sealed.expose())?).ok()
    }

    /// Whether it was given to whom an identifier names.
    pub(crate) fn is_of(&self, auth_source: &AuthSource, identifier: &Identifier) -> bool {
        let is_his = || auth_source.known_user(identifier).is_some_and(|id| id == self.user_id);
        self.auth_source_id == auth_source.id && (self.identifier == *identifier || is_his())
    }

    /// Whether the user has another password than at the login.
    pub(crate) fn is_older_than_password_of(&self, Account { user, password_hash }: &Account) -> bool {
        let is_changed = |mark: &PasswordMark| PasswordMark::of(password_hash, self.family).as_ref() != Some(mark);
        user.password_changed_at.is_some_and(|changed_at| changed_at > self.logged_in_at)
            || self.password.as_ref().is_some_and(is_changed)
    }

    /// Whether this is its user still, active, and with the password of the login.
    pub(crate) fn may_be_used_by(&self, account: &Account) -> bool {
        account.user.id == self.user_id
            && account.user.status == Status::Active
            && !self.is_older_than_password_of(account)
    }

    /// When it ends by itself if it is not used.
    pub(crate) fn ends_at(&self, idle: Duration) -> UnixTime {
        self.expires_at.min(self.issued_at.after(idle))
    }

    /// When the last token of the family has ended by itself: an access token that was given at the last moment.
    pub(crate) fn end_of_family(&self, access_token: Duration) -> UnixTime {
        self.expires_at.after(access_token)
    }

    /// What it claims when it is used somewhere, where access tokens live for so long.
    pub(crate) fn claim(
        &self,
        grace: Duration,
        on_elsewhere: OnGraceFromElsewhere,
        access_token: Duration,
    ) -> RefreshTokenUse {
        let Self { family, generation, issued_at, .. } = *self;
        let until = self.end_of_family(access_token);
        RefreshTokenUse { family, generation, issued_at, until, grace, from: None, on_elsewhere }
    }

    /// By what an origin is known in its family. The key is what only the sealed token has: who reads the marks can't try
    /// addresses until one fits, and a thief can't look for an address that has the mark of the victim's.
    pub(crate) fn mark_of(&self, origin: Origin) -> Option<OriginMark> {
        let address = origin.address()?;
        let password = self.password.as_ref().map_or("", |PasswordMark(mark)| mark);
        let digest: [u8; 32] = Sha256::new()
            .chain_update("token-endpoint origin 1 ")
            .chain_update(self.family.0.to_le_bytes())
            .chain_update(format!("{password} {address}"))
            .finalize()
            .into();
        let [a, b, c, d, ..] = digest;
        Some(OriginMark(u32::from_le_bytes([a, b, c, d])))
    }
}

impl fmt::Debug for RefreshToken {
    /// Shows nothing of the user.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshToken").field("generation", &self.generation).finish_non_exhaustive()
    }
}

/// Keeps a text that was sealed by another issuer, or for another use, from being taken for a refresh token.
fn purpose(issuer: &str) -> Vec<u8> {
    format!("token-endpoint refresh-token 2 {issuer}").into_bytes()
}
