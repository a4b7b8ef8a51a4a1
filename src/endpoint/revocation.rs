//! Token revocation (RFC 7009): a client ends a token that it was given.

use std::sync::Arc;

use super::{
    event::Outcome,
    oauth_error::OAuthError,
    parameter::Parameter,
    reply,
    request::Parameters,
    request_context::{RequestContext, RequestKind},
    settings::Endpoint,
    step::{Effect, Pending, Step},
    waiting::{AfterCheckSignature, AfterRemember, Revoking, RevokingAccess},
};
use crate::{
    registry::client::Client,
    state::Revoke,
    time::UnixTime,
    token::{
        presented::{AccessToken, Presented},
        refresh::RefreshToken,
    },
};

/// Ends the token. What is no token of ours, or has ended, is what the client wanted it to be (RFC 7009 §2.2).
pub(super) fn begin(
    endpoint: &Endpoint,
    client: &Arc<Client>,
    mut parameters: Parameters,
    now: UnixTime,
) -> Result<Step, OAuthError> {
    let token = parameters.require_secret(Parameter::Token)?;
    let about = RequestContext::by(client, RequestKind::Revocation);
    // With a refresh token, all tokens of its login end (RFC 7009 §2.1).
    if let Some(token) = endpoint.open_any_refresh_token(&token, now) {
        own(client, &token.client_id)?;
        return Ok(remember(end_of_family(endpoint, &token), about));
    }
    Ok(match endpoint.read_access_token(&token, now) {
        Some(Presented { token, check }) => {
            let revoked = RevokingAccess { client: Arc::clone(client), token };
            Step::Ask(Effect::CheckSignature(check, Pending::new(about, AfterCheckSignature::Revoking(revoked))))
        }
        None => reply::done(Outcome::NothingToRevoke, about),
    })
}

fn remember(ending: Revoke, about: RequestContext) -> Step {
    Step::Ask(Effect::Remember(ending, Pending::new(about, AfterRemember::Revoking(Revoking))))
}

impl RevokingAccess {
    /// Ends the token, if its signature is good.
    pub(super) fn recognized(self, is_good: bool, about: RequestContext) -> Result<Step, OAuthError> {
        let Self { client, token } = self;
        if !is_good {
            return Ok(reply::done(Outcome::NothingToRevoke, about));
        }
        own(&client, &token.client_id)?;
        Ok(remember(end_of_one(&token), about))
    }
}

/// The end of all tokens of a login.
pub(super) fn end_of_family(endpoint: &Endpoint, token: &RefreshToken) -> Revoke {
    Revoke::Family { family: token.family, until: token.end_of_family(endpoint.terms.lifetimes.access_token) }
}

fn end_of_one(token: &AccessToken) -> Revoke {
    Revoke::Token { token: token.id, until: token.expires_at }
}

fn own(client: &Client, client_id: &str) -> Result<(), OAuthError> {
    if client.id == client_id { Ok(()) } else { Err(OAuthError::TokenOfAnother) }
}

impl Revoking {
    /// Tells that the token has ended. Where that could not be remembered, the client is told to come back (RFC 7009
    /// §2.2.1), whatever is to happen to tokens meanwhile.
    pub(super) fn remembered(self, about: RequestContext) -> Step {
        reply::done(Outcome::Revoked, about)
    }
}
