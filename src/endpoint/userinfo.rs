//! Userinfo (OpenID Connect Core §5.3): the claims of a user, for who has a token of the user's. Its token comes in the
//! header or in a form (RFC 6750 §2.1 and §2.2); in the query it never counts.

use std::sync::Arc;

use super::{
    oauth_error::{OAuthError, UNAVAILABLE},
    owner::{self, Owner},
    parameter::{OF_REQUEST_WITH_TOKEN, Parameter},
    reply,
    request::Parameters,
    request_context::{RequestContext, RequestKind},
    settings::Endpoint,
    step::{Effect, Pending, Step},
    waiting::{AfterCheckActive, AfterCheckSignature, AfterFind, Informing},
};
use crate::{
    http::Head,
    registry::user::Found,
    secret::Secret,
    text::bearer,
    time::UnixTime,
    token::presented::{AccessToken, Presented},
};

/// Asks whether the token's signature is good, if all else of it is.
pub(super) fn begin(endpoint: &Endpoint, head: &Head, body: &Secret, now: UnixTime) -> Result<Step, OAuthError> {
    let jwt = token_of(head, body)?;
    let Presented { token, check } = endpoint.read_access_token(&jwt, now).ok_or(OAuthError::InvalidToken)?;
    let then = AfterCheckSignature::Informing(Informing(token));
    Ok(Step::Ask(Effect::CheckSignature(check, Pending::new(RequestContext::only(RequestKind::UserInfo), then))))
}

/// The client is that which was given the token, if there still is one.
fn about(endpoint: &Endpoint, token: &AccessToken) -> RequestContext {
    let client = endpoint.registry.clients.get(&token.client_id).map(Arc::clone);
    RequestContext { client, ..RequestContext::only(RequestKind::UserInfo) }
}

fn token_of(head: &Head, body: &Secret) -> Result<Secret, OAuthError> {
    let in_header = head.authorization.as_ref().and_then(bearer::parse);
    match (in_header, token_in_form(head, body)?) {
        (Some(_), Some(_)) => Err(OAuthError::MalformedToken),
        (Some(token), None) | (None, Some(token)) => Ok(token),
        (None, None) => Err(OAuthError::NoToken),
    }
}

/// A body counts only with POST, and only if it is a form.
fn token_in_form(head: &Head, body: &Secret) -> Result<Option<Secret>, OAuthError> {
    if head.method != "POST" || !head.has_form() {
        return Ok(None);
    }
    let mut parameters = Parameters::parse(body, OF_REQUEST_WITH_TOKEN).map_err(|_| OAuthError::MalformedToken)?;
    Ok(parameters.take_secret(Parameter::AccessToken))
}

impl Informing {
    /// Asks whether the token has ended.
    pub(super) fn recognized(self, is_good: bool, endpoint: &Endpoint) -> Result<Step, OAuthError> {
        if !is_good {
            return Err(OAuthError::InvalidToken);
        }
        let (about, in_use) = (about(endpoint, &self.0), self.0.in_use());
        Ok(Step::Ask(Effect::CheckActive(in_use, Pending::new(about, AfterCheckActive::Informing(self)))))
    }

    /// Goes on to its owner.
    pub(super) fn looked(self, is_good: bool, about: RequestContext, endpoint: &Endpoint) -> Result<Step, OAuthError> {
        match endpoint.owner_of_access_token(&self.0) {
            Owner::Good if is_good => self.tell(about),
            Owner::Unknown(find) if is_good => {
                Ok(Step::Ask(Effect::Find(find, Pending::new(about, AfterFind::Informing(self)))))
            }
            Owner::Good | Owner::Unknown(_) | Owner::Gone => Err(OAuthError::InvalidToken),
        }
    }

    /// Goes on with whom the directory found.
    pub(super) fn found(self, found: &Found, about: RequestContext) -> Result<Step, OAuthError> {
        let is_good = owner::has_found(found, |account| self.0.is_of(account));
        if is_good { self.tell(about) } else { Err(OAuthError::InvalidToken) }
    }

    /// Tells the claims that the token carries.
    fn tell(self, about: RequestContext) -> Result<Step, OAuthError> {
        let Self(token) = self;
        if !token.has_openid() {
            return Err(OAuthError::InsufficientScope);
        }
        reply::user_info(&token, about).ok_or(UNAVAILABLE)
    }
}
