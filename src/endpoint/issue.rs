//! Making the tokens: the access token's signature, the ID token's, and the answer. Each signature is a question of its
//! own, so that a worker can serve others between them.

use std::sync::Arc;

use ct_codecs::{Base64UrlSafeNoPadding as Base64, Encoder};

use super::{About, Endpoint, Event, Outcome, Pending, Question, Refusal, SigningJob, Step, UNAVAILABLE, reply};
use crate::{
    crypto::jws::SigningKey,
    state::TokenId,
    time::{Moment, UnixTime},
    token::{Granted, access, id},
};

/// Tokens that wait for the access token's signature.
#[derive(Debug)]
pub struct SigningAccess {
    about: About,
    granted: Granted,
    input: Arc<str>,
    expires_at: UnixTime,
}

/// Tokens that wait for the ID token's signature.
#[derive(Debug)]
pub struct SigningId {
    about: About,
    granted: Granted,
    access_token: AccessToken,
    input: Arc<str>,
}

struct AccessToken {
    jwt: String,
    expires_at: UnixTime,
}

/// Asks for the access token's signature. `id` names it, and its family where it has one.
pub fn begin(endpoint: &Endpoint, about: About, granted: Granted, id: TokenId, now: UnixTime) -> Result<Step, Refusal> {
    let key = endpoint.keys.active(now).ok_or(UNAVAILABLE)?;
    let (input, expires_at) = access::signing_input_of(&endpoint.terms, key, &granted, id, now).ok_or(UNAVAILABLE)?;
    let (question, input) = sign(key, input);
    Ok(Step::Ask(question, Pending::SigningAccess(SigningAccess { about, granted, input, expires_at })))
}

impl SigningAccess {
    pub(super) fn about(&self) -> About {
        self.about.clone()
    }

    /// Asks for the ID token's signature where `openid` was granted, and answers where it was not.
    pub(super) fn signed(self, endpoint: &Endpoint, signature: &[u8], moment: Moment) -> Result<Step, Refusal> {
        let access_token = AccessToken { jwt: jwt(&self.input, signature)?, expires_at: self.expires_at };
        if !self.granted.has_openid() {
            return answer(endpoint, self.about, self.granted, &access_token, None, moment);
        }
        // Not the access token's key where its time has passed meanwhile: this token may live longer.
        let key = endpoint.keys.active(moment.now).ok_or(UNAVAILABLE)?;
        let input = id::signing_input_of(&endpoint.terms, key, &self.granted, moment);
        let (question, input) = sign(key, input.ok_or(UNAVAILABLE)?);
        let next = SigningId { about: self.about, granted: self.granted, access_token, input };
        Ok(Step::Ask(question, Pending::SigningId(next)))
    }
}

impl SigningId {
    pub(super) fn about(&self) -> About {
        self.about.clone()
    }

    /// Answers.
    pub(super) fn signed(self, endpoint: &Endpoint, signature: &[u8], moment: Moment) -> Result<Step, Refusal> {
        let id_token = jwt(&self.input, signature)?;
        answer(endpoint, self.about, self.granted, &self.access_token, Some(&id_token), moment)
    }
}

/// By the key that the input names, even if its time passes before its turn comes.
fn sign(key: &Arc<SigningKey>, input: String) -> (Question, Arc<str>) {
    let input: Arc<str> = input.into();
    let job = SigningJob { key: Arc::clone(key), input: Arc::clone(&input) };
    (Question::Sign(job), input)
}

/// The compact serialization (RFC 7515 §3.1).
fn jwt(input: &str, signature: &[u8]) -> Result<String, Refusal> {
    let signature = Base64::encode_to_string(signature).map_err(|_| UNAVAILABLE)?;
    Ok(format!("{input}.{signature}"))
}

fn answer(
    endpoint: &Endpoint,
    about: About,
    granted: Granted,
    access_token: &AccessToken,
    id_token: Option<&str>,
    moment: Moment,
) -> Result<Step, Refusal> {
    let expires_in = access_token.expires_at.seconds_since(moment.now);
    let tokens = reply::Tokens {
        access_token: &access_token.jwt,
        refresh_token: seal(endpoint, &granted, moment)?,
        scope: granted.scope(),
        id_token,
        token_type: "Bearer",
        expires_in,
    };
    let response = reply::tokens(&tokens).ok_or(UNAVAILABLE)?;
    let event = Event { about, outcome: Outcome::Issued };
    Ok(Step::Reply(response, event))
}

fn seal(endpoint: &Endpoint, granted: &Granted, moment: Moment) -> Result<Option<String>, Refusal> {
    let Some(token) = &granted.refresh_token else { return Ok(None) };
    let sealed = token.seal(&endpoint.sealer, &endpoint.terms.issuer, moment);
    sealed.map(Some).ok_or(UNAVAILABLE)
}

impl std::fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessToken").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}
