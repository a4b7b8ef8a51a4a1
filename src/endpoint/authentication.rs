//! Who asks: client authentication (RFC 6749 §2.3).

use std::sync::Arc;

use super::{
    attempt::{Attempt, Guess, Target, Turn},
    oauth_error::OAuthError,
    parameter::Parameter,
    request::Parameters,
    request_context::RequestContext,
    route::Service,
    settings::Endpoint,
    step::{Effect, Pending, Step},
    waiting::{AfterAttempt, Authenticating, Caller, Credentials, Rejecting},
};
use crate::{
    http::Head,
    origin::Origin,
    registry::client::{Authentication, Client},
    secret::Secret,
    text::basic::{self, Authorization},
    time::Moment,
};

/// Finds out who asks. A client that sends a secret is subject to the attempt limits; one that sends none guesses
/// nothing.
pub(super) fn begin(
    endpoint: &Endpoint,
    service: Service,
    head: Head,
    mut parameters: Parameters,
    origin: Origin,
    moment: Moment,
) -> Result<Step, OAuthError> {
    let credentials = credentials(head.authorization.as_ref(), &mut parameters)?;
    let guesses = credentials.secret.is_some();
    let caller = Caller { origin, traceparent: head.traceparent };
    let request = Authenticating { service, credentials, parameters, caller };
    if guesses {
        let attempt = Attempt { turn: Turn::Begins, guess: request.guess(endpoint) };
        return Ok(Step::Ask(Effect::Attempt(
            attempt,
            Pending::new(RequestContext::only(service), AfterAttempt::Authenticating(request)),
        )));
    }
    match request.client(endpoint) {
        Some(client) => Ok(endpoint.serve(service, client, request.parameters, request.caller, moment)),
        None => Err(OAuthError::InvalidClient { basic: request.credentials.basic }),
    }
}

impl Authenticating {
    /// Goes on once the attempt limits allow a guess. A right secret is no news to them.
    pub(super) fn allowed(self, endpoint: &Endpoint, moment: Moment) -> Step {
        match self.client(endpoint) {
            Some(client) => endpoint.serve(self.service, client, self.parameters, self.caller, moment),
            None => {
                let attempt = Attempt { turn: Turn::Failed, guess: self.guess(endpoint) };
                let rejecting = Rejecting { basic: self.credentials.basic };
                Step::Ask(Effect::Attempt(
                    attempt,
                    Pending::new(RequestContext::only(self.service), AfterAttempt::Rejecting(rejecting)),
                ))
            }
        }
    }

    fn guess(&self, endpoint: &Endpoint) -> Guess {
        let client = endpoint.registry.clients.get(&self.credentials.id);
        let target = match client.map(|client| &client.authentication) {
            Some(Authentication::Secret(_)) => Target::Secret(self.credentials.id.clone()),
            Some(Authentication::Public) | None => Target::Nothing,
        };
        Guess { origin: self.caller.origin, target }
    }

    fn client(&self, endpoint: &Endpoint) -> Option<Arc<Client>> {
        let client = endpoint.registry.clients.get(&self.credentials.id)?;
        let is_proven = client.is_proven_by(self.credentials.secret.as_ref());
        (is_proven && self.service.is_for(client)).then(|| Arc::clone(client))
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
