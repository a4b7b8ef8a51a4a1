//! Clients: the applications that may ask for tokens (RFC 6749 §2).

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use subtle::Choice;

use super::{auth_source::AuthSource, web_origin::WebOrigin};
use crate::{crypto::client_secret::SecretHash, secret::Secret};

/// An application.
pub struct Client {
    /// `client_id`: `aud` and `azp` in tokens.
    pub(crate) id: String,
    /// How the client proves who it is.
    pub(crate) authentication: Authentication,
    /// The directories that its users may log in from, the preferred one first.
    pub(crate) auth_sources: Vec<Arc<AuthSource>>,
    /// What it may ask by.
    pub(crate) grants: Vec<Grant>,
    /// What it may ask for.
    pub scopes: Vec<String>,
    /// The origins of the pages that may read its answers.
    pub(crate) allowed_origins: Vec<WebOrigin>,
    /// What becomes of its refresh tokens when they are used.
    pub(crate) refresh_tokens: RefreshTokens,
}

/// What becomes of a refresh token when it is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum RefreshTokens {
    /// The next one takes its place (RFC 9700 §4.14.2).
    #[default]
    Rotated,
    /// It stays good. Only for clients that prove who they are.
    Kept,
}

/// How a client proves who it is (RFC 6749 §2.1).
pub(crate) enum Authentication {
    /// A web application keeps a secret; two are good at once while one is rotated.
    Secret(Vec<SecretHash>),
    /// A single-page or mobile application can't keep one, and must not send one.
    Public,
}

/// The kind of an application, as the configuration names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(not(target_family = "wasm"), derive(serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClientType {
    /// A web application: confidential.
    Web,
    /// A single-page application: public.
    Spa,
    /// A mobile app: public.
    Mobile,
}

/// A grant type (RFC 6749 §4.3, §4.4 and §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// The user's name and password.
    Password,
    /// A refresh token.
    RefreshToken,
    /// The client's own secret: it acts for itself.
    ClientCredentials,
}

impl Client {
    /// Whether a caller who sent `secret` (or none) is this client.
    pub(crate) fn is_proven_by(&self, secret: Option<&Secret>) -> bool {
        match (&self.authentication, secret) {
            (Authentication::Secret(hashes), Some(secret)) => any_matches(hashes, secret),
            (Authentication::Public, None) => true,
            _ => false,
        }
    }

    /// Whether it can keep a secret (RFC 6749 §2.1).
    pub(crate) fn is_confidential(&self) -> bool {
        matches!(self.authentication, Authentication::Secret(_))
    }

    /// The auth source with this id, if the client's users may log in from it.
    pub(crate) fn auth_source(&self, id: &str) -> Option<&Arc<AuthSource>> {
        self.auth_sources.iter().find(|source| source.id == id)
    }
}

/// Looks at every hash, so that time does not tell which one matched.
fn any_matches(hashes: &[SecretHash], secret: &Secret) -> bool {
    let none = Choice::from(0);
    hashes.iter().fold(none, |found, hash| found | hash.matches(secret)).into()
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("id", &self.id).finish_non_exhaustive()
    }
}
