//! What is signed or sealed for a caller: access tokens, ID tokens and refresh tokens.

pub mod access;
pub mod id;
pub mod presented;
pub mod refresh;
pub mod user_reference;

use std::{sync::Arc, time::Duration};

use ct_codecs::{Base64UrlSafeNoPadding as Base64, Encoder};
use serde::{Deserialize, Serialize};

use self::refresh::RefreshToken;
use crate::{
    crypto::jws::{Algorithm, SigningKey},
    registry::{client::Client, user::User},
    state::OriginMark,
};

/// The scope that asks for an ID token (OpenID Connect Core §3.1.2.1).
pub(crate) const OPENID: &str = "openid";

/// The claims that every ID token has (OpenID Connect Core §2), and `jti`.
pub(crate) const ID_TOKEN_CLAIMS: [&str; 7] = ["sub", "aud", "azp", "iss", "exp", "iat", "jti"];

/// The shape of access tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(not(target_family = "wasm"), derive(serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub(crate) enum Profile {
    /// `typ` is `JWT` and `scope` is a list.
    #[default]
    Ciam,
    /// RFC 9068: `typ` is `at+jwt`, `scope` is one string, and `client_id` is a claim.
    Rfc9068,
}

/// How long what is handed out is good for.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// Of an access token.
    pub access_token: Duration,
    /// Of an ID token.
    pub id_token: Duration,
    /// From a login to the moment when its last refresh token ends.
    pub(crate) refresh_token: Duration,
    /// Of a refresh token that is not used.
    pub(crate) refresh_token_idle: Duration,
    /// Of a copy of the public keys.
    pub(crate) jwks: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            access_token: Duration::from_secs(300),
            id_token: Duration::from_secs(1800),
            refresh_token: Duration::from_secs(30 * 24 * 3600),
            refresh_token_idle: Duration::from_secs(15 * 24 * 3600),
            jwks: Duration::from_secs(300),
        }
    }
}

/// What all tokens of this endpoint have in common.
#[derive(Debug)]
pub struct IssuerConfig {
    /// `iss`, without a trailing slash.
    pub issuer: String,
    /// The shape of access tokens.
    pub(crate) profile: Profile,
    /// How long tokens live.
    pub lifetimes: Lifetimes,
}

/// What a caller is to be given tokens for.
#[derive(Debug)]
pub(crate) struct GrantedRequest {
    /// Who asked.
    pub(crate) client: Arc<Client>,
    /// Who logged in, or the client itself.
    pub(crate) user: Arc<User>,
    /// Where the user is to be looked for later: a sealed [`UserReference`](user_reference::UserReference).
    pub(crate) user_reference: Option<String>,
    /// What is granted.
    pub(crate) scopes: Vec<String>,
    /// What the caller can come back with.
    pub(crate) coming_back: RefreshTokenPolicy,
}

/// What a caller can come back with.
#[derive(Debug)]
pub(crate) enum RefreshTokenPolicy {
    /// Nothing.
    Never,
    /// The first refresh token of a family.
    First(RefreshToken),
    /// The refresh token that it came with, once that is claimed, and from where it came.
    Again(RefreshToken, Option<OriginMark>),
}

impl GrantedRequest {
    /// What is granted, as one text (RFC 6749 §3.3). None for nothing, which the text can't say.
    pub(crate) fn scope(&self) -> Option<String> {
        scope_text(&self.scopes)
    }

    /// Whether an ID token is due (OpenID Connect Core §3.1.2.1).
    pub(crate) fn has_openid(&self) -> bool {
        self.scopes.iter().any(|scope| scope == OPENID)
    }
}

/// Scopes as one text (RFC 6749 §3.3), which has one at least.
pub(crate) fn scope_text(scopes: &[String]) -> Option<String> {
    (!scopes.is_empty()).then(|| scopes.join(" "))
}

#[derive(Serialize)]
struct JoseHeader<'a> {
    kid: &'a str,
    typ: &'a str,
    alg: Algorithm,
}

/// The JWS signing input (RFC 7515 §5.1) of a token with these claims. None if the claims can't be written as JSON.
fn signing_input(key: &SigningKey, typ: &str, claims: &impl Serialize) -> Option<String> {
    let header = JoseHeader { kid: key.kid(), typ, alg: key.algorithm() };
    Some(format!("{}.{}", encode(&header)?, encode(claims)?))
}

fn encode(part: &impl Serialize) -> Option<String> {
    Base64::encode_to_string(serde_json::to_vec(part).ok()?).ok()
}
