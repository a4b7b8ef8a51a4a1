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
    waiting::{AfterRemember, Revoking},
};
use crate::{
    registry::client::Client,
    secret::Secret,
    state::Revoke,
    time::UnixTime,
    token::{presented::AccessToken, refresh::RefreshToken},
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
    match end_of(endpoint, client, &token, now)? {
        Some(ending) => Ok(Step::Ask(Effect::Remember(ending, Pending::new(about, AfterRemember::Revoking(Revoking))))),
        None => Ok(reply::done(Outcome::NothingToRevoke, about)),
    }
}

/// What is to be remembered: with a refresh token, all tokens of its login end (RFC 7009 §2.1).
fn end_of(endpoint: &Endpoint, client: &Client, token: &Secret, now: UnixTime) -> Result<Option<Revoke>, OAuthError> {
    if let Some(token) = endpoint.open_any_refresh_token(token, now) {
        own(client, &token.client_id)?;
        return Ok(Some(end_of_family(endpoint, &token)));
    }
    let Some(token) = endpoint.read_access_token(token, now) else { return Ok(None) };
    own(client, &token.client_id)?;
    Ok(Some(end_of_one(&token)))
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
