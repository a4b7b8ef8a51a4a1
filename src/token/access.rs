//! Access tokens: what the rest of the gateway trusts.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{GrantedRequest, IssuerConfig, Profile, signing_input};
use crate::{crypto::jws::SigningKey, state::TokenId, time::UnixTime};

/// In the order that `docs/api.md` has.
#[derive(Serialize)]
struct AccessTokenClaims<'a> {
    sub: &'a str,
    aud: &'a str,
    nbf: UnixTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<ScopeClaim<'a>>,
    iss: &'a str,
    exp: UnixTime,
    iat: UnixTime,
    jti: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_ref: Option<&'a str>,
    #[serde(flatten)]
    user: &'a Map<String, Value>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum ScopeClaim<'a> {
    List(&'a [String]),
    Text(String),
}

/// The signing input of an access token and the token's end. None if the claims can't be written as JSON.
pub(crate) fn signing_input_of(
    terms: &IssuerConfig,
    key: &SigningKey,
    granted: &GrantedRequest,
    id: TokenId,
    now: UnixTime,
) -> Option<(String, UnixTime)> {
    let client_id = &*granted.client.id;
    let exp = now.after(terms.lifetimes.access_token);
    let (typ, scope, client_id_claim) = match terms.profile {
        Profile::Ciam => ("JWT", Some(ScopeClaim::List(&granted.scopes)), None),
        Profile::Rfc9068 => ("at+jwt", granted.scope().map(ScopeClaim::Text), Some(client_id)),
    };
    let claims = AccessTokenClaims {
        sub: &granted.user.id,
        aud: client_id,
        nbf: now,
        scope,
        iss: &terms.issuer,
        exp,
        iat: now,
        jti: id.to_string(),
        client_id: client_id_claim,
        user_ref: granted.user_reference.as_deref(),
        user: &granted.user.claims,
    };
    Some((signing_input(key, typ, &claims)?, exp))
}
