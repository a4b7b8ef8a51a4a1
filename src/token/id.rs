//! ID tokens: what tells the application who logged in (OpenID Connect Core §2).

use serde::Serialize;
use serde_json::{Map, Value};

use super::{GrantedRequest, IssuerConfig, signing_input};
use crate::{
    crypto::jws::SigningKey,
    state::TokenId,
    time::{Moment, UnixTime},
};

#[derive(Serialize)]
struct IdTokenClaims<'a> {
    sub: &'a str,
    aud: &'a str,
    azp: &'a str,
    iss: &'a str,
    exp: UnixTime,
    iat: UnixTime,
    jti: String,
    #[serde(flatten)]
    user: &'a Map<String, Value>,
}

/// The signing input of an ID token. None if the claims can't be written as JSON.
pub(crate) fn signing_input_of(
    terms: &IssuerConfig,
    key: &SigningKey,
    granted: &GrantedRequest,
    moment: Moment,
) -> Option<String> {
    let claims = IdTokenClaims {
        sub: &granted.user.id,
        aud: &granted.client.id,
        azp: &granted.client.id,
        iss: &terms.issuer,
        exp: moment.now.after(terms.lifetimes.id_token),
        iat: moment.now,
        jti: TokenId::fresh(moment.entropy).to_string(),
        user: &granted.user.claims,
    };
    signing_input(key, "JWT", &claims)
}
