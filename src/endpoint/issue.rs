//! Making the tokens: the access token's signature, the ID token's, and the answer. Each signature is a question of its
//! own, so that a worker can serve others between them.

use std::sync::Arc;

use ct_codecs::{Base64UrlSafeNoPadding as Base64, Encoder};

use super::{
    oauth_error::{OAuthError, UNAVAILABLE},
    request_context::RequestContext,
    rotation,
    settings::Endpoint,
    step::{Effect, Pending, SigningJob, Step},
    waiting::{AfterSign, IdToken, Signed, SignedAccessToken, SigningAccess, SigningId},
};
use crate::{
    crypto::jws::SigningKey,
    state::TokenId,
    time::{Moment, UnixTime},
    token::{GrantedRequest, RefreshTokenPolicy, access, id},
};

/// Asks for the access token's signature. `id` names it, and its family where it has one.
pub(super) fn begin(
    endpoint: &Endpoint,
    about: RequestContext,
    granted: GrantedRequest,
    id: TokenId,
    now: UnixTime,
) -> Result<Step, OAuthError> {
    let key = endpoint.keys.active(now).ok_or(UNAVAILABLE)?;
    let (input, expires_at) = access::signing_input_of(&endpoint.terms, key, &granted, id, now).ok_or(UNAVAILABLE)?;
    let (job, input) = sign(key, input);
    Ok(Step::Ask(Effect::Sign(
        job,
        Pending::new(about, AfterSign::Access(SigningAccess { granted, input, expires_at })),
    )))
}

impl SigningAccess {
    /// Asks for the ID token's signature where `openid` was granted, and answers where it was not.
    pub(super) fn signed(
        self,
        signature: &[u8],
        about: RequestContext,
        endpoint: &Endpoint,
        moment: Moment,
    ) -> Result<Step, OAuthError> {
        let access_token = SignedAccessToken { jwt: jwt(&self.input, signature)?, expires_at: self.expires_at };
        if !self.granted.has_openid() {
            return conclude(endpoint, about, self.granted, access_token, None, moment);
        }
        // Not the access token's key where its time has passed meanwhile: this token may live longer.
        let key = endpoint.keys.active(moment.now).ok_or(UNAVAILABLE)?;
        let input = id::signing_input_of(&endpoint.terms, key, &self.granted, moment);
        let (job, input) = sign(key, input.ok_or(UNAVAILABLE)?);
        let next = SigningId { granted: self.granted, access_token, input };
        Ok(Step::Ask(Effect::Sign(job, Pending::new(about, AfterSign::Id(next)))))
    }
}

impl SigningId {
    /// Answers.
    pub(super) fn signed(
        self,
        signature: &[u8],
        about: RequestContext,
        endpoint: &Endpoint,
        moment: Moment,
    ) -> Result<Step, OAuthError> {
        let id_token = IdToken(jwt(&self.input, signature)?);
        conclude(endpoint, about, self.granted, self.access_token, Some(id_token), moment)
    }
}

/// By the key that the input names, even if its time passes before its turn comes.
fn sign(key: &Arc<SigningKey>, input: String) -> (SigningJob, Arc<str>) {
    let input: Arc<str> = input.into();
    let job = SigningJob { key: Arc::clone(key), input: Arc::clone(&input) };
    (job, input)
}

/// The compact serialization (RFC 7515 §3.1).
fn jwt(input: &str, signature: &[u8]) -> Result<String, OAuthError> {
    let signature = Base64::encode_to_string(signature).map_err(|_| UNAVAILABLE)?;
    Ok(format!("{input}.{signature}"))
}

/// A refresh token is claimed last: a caller whose signatures could not be made in time must not be left with one that
/// counts as used.
fn conclude(
    endpoint: &Endpoint,
    about: RequestContext,
    granted: GrantedRequest,
    access_token: SignedAccessToken,
    id_token: Option<IdToken>,
    moment: Moment,
) -> Result<Step, OAuthError> {
    let signed = Signed { scope: granted.scope(), access_token, id_token };
    match granted.coming_back {
        RefreshTokenPolicy::Never => signed.answer(None, about, moment.now),
        RefreshTokenPolicy::First(token) => signed.with(&token, about, endpoint, moment),
        RefreshTokenPolicy::Again(token, from) => {
            Ok(rotation::claim(endpoint, about, &granted.client, signed, token, from))
        }
    }
}
