//! What an endpoint is made of, and what it knows its own tokens by.

use std::time::Duration;

use serde::Deserialize;

use super::route::Paths;
use crate::{
    crypto::{key_ring::KeyRing, seal::Sealer},
    registry::{Registry, client::Client, web_origin::WebOrigin},
    secret::Secret,
    state::{OnGraceFromElsewhere, RefreshTokenUse},
    time::UnixTime,
    token::{IssuerConfig, presented::Presented, refresh::RefreshToken},
};

/// A token endpoint: its whole configuration, checked and ready to answer.
#[derive(Debug)]
pub struct Endpoint {
    /// Where it answers.
    pub(crate) paths: Paths,
    /// The origin of its own pages (RFC 6454 §6.2): the issuer's.
    pub(crate) origin: WebOrigin,
    /// The longest request body, in bytes.
    pub max_request_bytes: usize,
    /// What all tokens have in common.
    pub terms: IssuerConfig,
    /// The keys that sign, and verify.
    pub keys: KeyRing,
    /// What this server can do, as a JSON document (RFC 8414 §3.2).
    pub(crate) metadata: String,
    /// What seals refresh tokens.
    pub sealer: Sealer,
    /// How refresh tokens are renewed.
    pub(crate) rotation: Rotation,
    /// For how long a refresh token shows where somebody has logged in.
    pub(crate) device_tokens: Duration,
    /// Who may ask, and for what.
    pub registry: Registry,
}

/// How refresh tokens are renewed.
#[derive(Clone, Copy, Debug)]
pub struct Rotation {
    /// For how long a token that was used may come again: its answer may have been lost.
    pub(crate) retry_grace: Duration,
    /// What happens while the memory of what was used can't be asked.
    pub(crate) on_store_failure: OnStoreFailure,
    /// What happens when somebody is in the grace from elsewhere twice in a row.
    pub(crate) on_grace_from_elsewhere: OnGraceFromElsewhere,
}

impl Default for Rotation {
    fn default() -> Self {
        Self {
            retry_grace: Duration::from_secs(10),
            on_store_failure: OnStoreFailure::default(),
            on_grace_from_elsewhere: OnGraceFromElsewhere::default(),
        }
    }
}

/// What happens while it can't be asked whether tokens have ended, and who has to wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(not(target_family = "wasm"), derive(serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub enum OnStoreFailure {
    /// Nobody is served.
    #[default]
    Refuse,
    /// Tokens are taken for good, stolen and revoked ones too, and nobody has to wait after failures.
    Allow,
}

impl Endpoint {
    /// The refresh token that was sealed here for this client, if it has not ended by itself.
    pub(super) fn open_refresh_token(&self, client: &Client, sealed: &Secret, now: UnixTime) -> Option<RefreshToken> {
        self.open_any_refresh_token(sealed, now).filter(|token| token.client_id == client.id)
    }

    /// The same, whoever's it is.
    pub(super) fn open_any_refresh_token(&self, sealed: &Secret, now: UnixTime) -> Option<RefreshToken> {
        RefreshToken::open(&self.sealer, &self.terms.issuer, sealed, self.terms.lifetimes.refresh_token_idle, now)
    }

    /// The same of a token that shows where somebody has logged in, however long ago it ended: as old as friends may be.
    pub(super) fn open_device_token(&self, client: &Client, sealed: &Secret, now: UnixTime) -> Option<RefreshToken> {
        let token = RefreshToken::unseal(&self.sealer, &self.terms.issuer, sealed)?;
        (token.client_id == client.id && now < token.issued_at.after(self.device_tokens)).then_some(token)
    }

    /// What the token claims when it is used, wherever that is.
    pub(super) fn claim_of(&self, token: &RefreshToken) -> RefreshTokenUse {
        let Rotation { retry_grace, on_grace_from_elsewhere, .. } = self.rotation;
        token.claim(retry_grace, on_grace_from_elsewhere, self.terms.lifetimes.access_token)
    }

    /// The access token that was signed here, if it has not ended by itself, and if its signature is good.
    pub(super) fn read_access_token(&self, jwt: &Secret, now: UnixTime) -> Option<Presented> {
        Presented::read(&self.terms, |kid| self.keys.published_key(kid, now), jwt, now)
    }

    pub(super) fn allows_store_failure(&self) -> bool {
        self.rotation.on_store_failure == OnStoreFailure::Allow
    }
}
