//! Who asks: client authentication (RFC 6749 §2.3).

use std::sync::Arc;

use super::{
    attempt::WrongSecret,
    oauth_error::OAuthError,
    parameter::Parameter,
    request::Parameters,
    request_context::RequestContext,
    route::Service,
    settings::Endpoint,
    step::{Effect, Pending, Step},
    waiting::{Caller, Credentials, Rejecting},
};
use crate::{
    http::Head,
    origin::Origin,
    secret::Secret,
    text::basic::{self, Authorization},
    time::Moment,
};

/// Finds out who asks. A right secret always goes on: it can't be guessed. One that is wrong counts against its address, and
/// against nobody else.
pub(super) fn begin(
    endpoint: &Endpoint,
    service: Service,
    head: Head,
    mut parameters: Parameters,
    origin: Origin,
    moment: Moment,
) -> Result<Step, OAuthError> {
    let Credentials { id, secret, basic } = credentials(head.authorization.as_ref(), &mut parameters)?;
    let client = endpoint.registry.clients.get(&id).filter(|client| service.is_for(client));
    let client = client.filter(|client| client.is_proven_by(secret.as_ref()));
    match client {
        Some(client) => {
            let caller = Caller { origin, traceparent: head.traceparent };
            Ok(endpoint.serve(service, Arc::clone(client), parameters, caller, moment))
        }
        None if secret.is_some() => {
            let pending = Pending::new(RequestContext::only(service), Rejecting { basic });
            Ok(Step::Ask(Effect::WrongSecret(WrongSecret { origin }, pending)))
        }
        None => Err(OAuthError::InvalidClient { basic }),
    }
}

impl Rejecting {
    /// Unknown and unproven clients are refused with the same bytes.
    pub(super) fn counted(self) -> OAuthError {
        OAuthError::InvalidClient { basic: self.basic }
    }
}

fn credentials(authorization: Option<&Secret>, parameters: &mut Parameters) -> Result<Credentials, OAuthError> {
    match authorization.map(basic::parse) {
        Some(Authorization::Basic { id, secret }) => from_header(id, secret, parameters),
        Some(Authorization::Malformed) => Err(OAuthError::InvalidClient { basic: true }),
        Some(Authorization::Other) | None => from_body(parameters),
    }
}

/// A `client_id` in the body beside the header is fine if it is the same: only the secret counts as a second proof.
fn from_header(id: String, secret: Secret, parameters: &mut Parameters) -> Result<Credentials, OAuthError> {
    let other_id = parameters.take(Parameter::ClientId).is_some_and(|other| *other != id);
    if other_id || parameters.take(Parameter::ClientSecret).is_some() {
        return Err(OAuthError::TwoCredentials);
    }
    let secret = (!secret.expose().is_empty()).then_some(secret);
    Ok(Credentials { id, secret, basic: true })
}

fn from_body(parameters: &mut Parameters) -> Result<Credentials, OAuthError> {
    let id = parameters.require(Parameter::ClientId)?.to_string();
    let secret = parameters.take_secret(Parameter::ClientSecret);
    Ok(Credentials { id, secret, basic: false })
}
