//! Token introspection (RFC 7662): a client that can keep a secret asks whether a token is good, and for what.

use std::sync::Arc;

use serde::Serialize;

use super::{
    oauth_error::{OAuthError, UNAVAILABLE},
    owner::{self, Owner},
    parameter::Parameter,
    reply,
    request::Parameters,
    request_context::{RequestContext, RequestKind},
    settings::Endpoint,
    step::{Effect, Pending, Step},
    waiting::{AfterCheckActive, AfterCheckSignature, AfterFind, Good, Introspecting},
};
use crate::{
    registry::{client::Client, user::Found},
    state::TokenInUse,
    time::UnixTime,
    token::{
        presented::{AccessToken, Presented},
        refresh::RefreshToken,
        scope_text,
    },
};

/// RFC 7662 §2.2.
#[derive(Serialize)]
struct Active<'a> {
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    exp: UnixTime,
    iat: UnixTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<UnixTime>,
    sub: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
    iss: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
}

/// Asks whether the token has ended, or whether its signature is good first.
pub(super) fn begin(
    endpoint: &Endpoint,
    client: &Arc<Client>,
    mut parameters: Parameters,
    now: UnixTime,
) -> Result<Step, OAuthError> {
    let token = parameters.require_secret(Parameter::Token)?;
    let about = RequestContext::by(client, RequestKind::Introspection);
    // A refresh token is nobody's business but its client's; access tokens are shown to services that ask about them.
    if let Some(token) = endpoint.open_refresh_token(client, &token, now) {
        return Ok(Introspecting(Good::Refresh(Arc::clone(client), token)).look(endpoint, about));
    }
    Ok(match endpoint.read_access_token(&token, now) {
        Some(Presented { token, check }) => {
            let then = AfterCheckSignature::Introspecting(Introspecting(Good::Access(token)));
            Step::Ask(Effect::CheckSignature(check, Pending::new(about, then)))
        }
        None => reply::inactive(about),
    })
}

impl Good {
    fn in_use(&self, endpoint: &Endpoint) -> TokenInUse {
        match self {
            Self::Access(token) => token.in_use(),
            Self::Refresh(_, token) => TokenInUse::Refresh(endpoint.claim_of(token)),
        }
    }

    fn owner(&self, endpoint: &Endpoint) -> Owner {
        match self {
            Self::Access(token) => endpoint.owner_of_access_token(token),
            Self::Refresh(client, token) => endpoint.owner_of_refresh_token(client, token),
        }
    }

    fn is_good_for(&self, found: &Found) -> bool {
        match self {
            Self::Access(token) => owner::has_found(found, |account| token.is_of(account)),
            Self::Refresh(_, token) => owner::has_found(found, |account| token.may_be_used_by(account)),
        }
    }
}

impl Introspecting {
    /// Asks whether the token has ended.
    fn look(self, endpoint: &Endpoint, about: RequestContext) -> Step {
        let in_use = self.0.in_use(endpoint);
        Step::Ask(Effect::CheckActive(in_use, Pending::new(about, AfterCheckActive::Introspecting(self))))
    }

    /// The same, if its signature is good.
    pub(super) fn recognized(self, is_good: bool, about: RequestContext, endpoint: &Endpoint) -> Step {
        if is_good { self.look(endpoint, about) } else { reply::inactive(about) }
    }

    /// Goes on to its owner, or tells that it has ended.
    pub(super) fn looked(self, is_good: bool, about: RequestContext, endpoint: &Endpoint) -> Result<Step, OAuthError> {
        match self.0.owner(endpoint) {
            Owner::Good if is_good => self.tell(about, endpoint),
            Owner::Unknown(find) if is_good => {
                Ok(Step::Ask(Effect::Find(find, Pending::new(about, AfterFind::Introspecting(self)))))
            }
            Owner::Good | Owner::Unknown(_) | Owner::Gone => Ok(reply::inactive(about)),
        }
    }

    /// Goes on with whom the directory found.
    pub(super) fn found(self, found: &Found, about: RequestContext, endpoint: &Endpoint) -> Result<Step, OAuthError> {
        if self.0.is_good_for(found) { self.tell(about, endpoint) } else { Ok(reply::inactive(about)) }
    }

    /// Tells what the token is good for.
    fn tell(&self, about: RequestContext, endpoint: &Endpoint) -> Result<Step, OAuthError> {
        let answer = match &self.0 {
            Good::Access(token) => of_access_token(endpoint, token),
            Good::Refresh(_, token) => of_refresh_token(endpoint, token),
        };
        reply::active(&answer, about).ok_or(UNAVAILABLE)
    }
}

fn of_access_token<'a>(endpoint: &'a Endpoint, token: &'a AccessToken) -> Active<'a> {
    Active {
        active: true,
        scope: scope_text(&token.scopes),
        client_id: &token.client_id,
        token_type: Some("Bearer"),
        exp: token.expires_at,
        iat: token.issued_at,
        nbf: Some(token.not_before),
        sub: &token.subject,
        aud: Some(&token.client_id),
        iss: &endpoint.terms.issuer,
        jti: Some(token.id.to_string()),
    }
}

fn of_refresh_token<'a>(endpoint: &'a Endpoint, token: &'a RefreshToken) -> Active<'a> {
    Active {
        active: true,
        scope: scope_text(&token.scopes),
        client_id: &token.client_id,
        token_type: None,
        exp: token.ends_at(endpoint.terms.lifetimes.refresh_token_idle),
        iat: token.issued_at,
        nbf: None,
        sub: &token.user_id,
        aud: None,
        iss: &endpoint.terms.issuer,
        jti: None,
    }
}
