//! Access tokens that come back: which of the texts that callers present are tokens of ours, and what those say.

use std::sync::Arc;

use ct_codecs::{Base64UrlSafeNoPadding as Base64, Decoder};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{IssuerConfig, OPENID, refresh::short_mark};
use crate::{
    crypto::jws::{Algorithm, SigningKey},
    registry::user::{Account, Status},
    secret::Secret,
    state::{TokenId, TokenInUse},
    time::UnixTime,
};

/// An access token that was issued here and has not ended by itself.
pub struct AccessToken {
    /// `jti`.
    pub(crate) id: TokenId,
    /// `sub`.
    pub(crate) subject: String,
    /// `aud`: the client that it was given to.
    pub(crate) client_id: String,
    /// What it is good for.
    pub(crate) scopes: Vec<String>,
    /// `iat`.
    pub(crate) issued_at: UnixTime,
    /// `nbf`.
    pub(crate) not_before: UnixTime,
    /// `exp`.
    pub expires_at: UnixTime,
    /// Where the user is to be looked for: a sealed [`UserReference`](super::user_reference::UserReference).
    pub(crate) user_reference: Option<Secret>,
    /// The user's own claims.
    pub(crate) user: Map<String, Value>,
}

/// A header as tokens have it here: with other fields, such as `crit`, it is not one of ours.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PresentedHeader {
    kid: String,
    typ: String,
    alg: Algorithm,
}

#[derive(Deserialize)]
struct PresentedClaims {
    sub: String,
    aud: String,
    nbf: UnixTime,
    scope: Option<PresentedScope>,
    iss: String,
    exp: UnixTime,
    iat: UnixTime,
    jti: String,
    #[serde(rename = "client_id")]
    _client_id: Option<String>,
    azp: Option<String>,
    user_ref: Option<String>,
    #[serde(flatten)]
    user: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum PresentedScope {
    List(Vec<String>),
    Text(String),
}

/// More than any header that carries a token can have.
const LONGEST: usize = 64 * 1024;

/// What would be an access token if its signature is good: nobody may be told anything of it before that is known.
pub struct Presented {
    /// The token.
    pub token: AccessToken,
    /// What is to be found out.
    pub check: SignatureCheck,
}

/// A signature to be checked.
pub struct SignatureCheck {
    /// By whose public half.
    pub(crate) key: Arc<SigningKey>,
    /// What was signed.
    pub(crate) input: String,
    /// The signature in the form that JWS has.
    pub(crate) signature: Vec<u8>,
}

impl Presented {
    /// Reads a token (RFC 7519 §7.2, RFC 9068 §4) that one of the keys may have signed for this issuer: `key` finds it by its
    /// `kid`. Tokens of both profiles are read, so that a change of profile ends none. All that is cheap is looked at first, so that
    /// a forger has to know it all.
    pub fn read<'a>(
        terms: &IssuerConfig,
        key: impl FnOnce(&str) -> Option<&'a Arc<SigningKey>>,
        jwt: &Secret,
        now: UnixTime,
    ) -> Option<Self> {
        let jwt = std::str::from_utf8(jwt.expose()).ok().filter(|jwt| jwt.len() <= LONGEST)?;
        let (input, signature) = jwt.rsplit_once('.')?;
        let (header, claims) = input.split_once('.')?;
        let header: PresentedHeader = decode(header)?;
        let key = key(&header.kid).filter(|key| key.algorithm() == header.alg)?;
        let signature = Base64::decode_to_vec(signature, None).ok()?;
        let token = decode::<PresentedClaims>(claims)?.accept(&header.typ, terms, now)?;
        Some(Self { token, check: SignatureCheck { key: Arc::clone(key), input: input.to_owned(), signature } })
    }
}

impl SignatureCheck {
    /// Whether the signature is good.
    pub fn is_good(&self) -> bool {
        self.key.verifies(self.input.as_bytes(), &self.signature)
    }
}

impl std::fmt::Debug for SignatureCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignatureCheck").field("key", &self.key).finish_non_exhaustive()
    }
}

impl AccessToken {
    /// What is asked about it where it is remembered which tokens have ended.
    pub(crate) fn in_use(&self) -> TokenInUse {
        TokenInUse::Access { token: self.id, issued_at: self.issued_at }
    }

    /// Whether it is of this user, as the directory has the user now: active, and with the password of the login.
    pub(crate) fn is_of(&self, Account { user, password_hash }: &Account) -> bool {
        user.id == self.subject
            && user.status == Status::Active
            && user.password_changed_at.is_none_or(|changed_at| changed_at <= self.issued_at)
            && self.id.may_have(short_mark(password_hash, self.id.family()))
    }

    /// Whether it may be used to ask for the user's claims (OpenID Connect Core §5.3).
    pub(crate) fn has_openid(&self) -> bool {
        self.scopes.iter().any(|scope| scope == OPENID)
    }
}

impl PresentedClaims {
    fn accept(self, typ: &str, terms: &IssuerConfig, now: UnixTime) -> Option<AccessToken> {
        // Never too early: it begins when it is signed, and a proxy whose clock is behind must not call it no token, or a
        // revocation of it nothing to revoke.
        let is_over = now >= self.exp;
        if self.iss != terms.issuer || is_over || !self.is_of_access_token(typ) {
            return None;
        }
        Some(AccessToken {
            id: TokenId::parse(&self.jti)?,
            subject: self.sub,
            client_id: self.aud,
            scopes: self.scope.map(PresentedScope::into_list).unwrap_or_default(),
            issued_at: self.iat,
            not_before: self.nbf,
            expires_at: self.exp,
            user_reference: self.user_ref.map(Secret::new),
            user: self.user,
        })
    }

    /// An ID token is for the client alone. It has the same `typ` as the access tokens of one of the profiles.
    fn is_of_access_token(&self, typ: &str) -> bool {
        match typ {
            "at+jwt" => true,
            "JWT" => self.scope.is_some() && self.azp.is_none(),
            _ => false,
        }
    }
}

impl PresentedScope {
    fn into_list(self) -> Vec<String> {
        match self {
            Self::List(scopes) => scopes,
            Self::Text(text) => text.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
        }
    }
}

impl std::fmt::Debug for AccessToken {
    /// Shows neither whose it is nor what it says.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessToken").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

fn decode<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&Base64::decode_to_vec(part, None).ok()?).ok()
}
