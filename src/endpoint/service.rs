//! What a client that has proven itself gets: one of the services, and of the grants.

use std::sync::Arc;

use super::{
    client_credentials, introspection,
    oauth_error::OAuthError,
    parameter::Parameter,
    password, refresh, reply,
    request::Parameters,
    request_context::{RequestContext, RequestKind},
    revocation,
    route::Service,
    settings::Endpoint,
    step::Step,
    waiting::Caller,
};
use crate::{
    registry::client::{Client, Grant},
    time::Moment,
};

impl Endpoint {
    /// Gives a client that has proven itself what it asks for.
    pub(super) fn serve(
        &self,
        service: Service,
        client: Arc<Client>,
        mut parameters: Parameters,
        caller: Caller,
        moment: Moment,
    ) -> Step {
        let (topic, step) = match service {
            Service::Token => match requested_grant(&mut parameters) {
                Ok(grant) => (grant.into(), self.begin_grant(grant, &client, parameters, caller, moment)),
                Err(refusal) => (RequestKind::Token, Err(refusal)),
            },
            Service::Revocation => (RequestKind::Revocation, revocation::begin(self, &client, parameters, moment.now)),
            Service::Introspection => {
                (RequestKind::Introspection, introspection::begin(self, &client, parameters, moment.now))
            }
        };
        step.unwrap_or_else(|refusal| reply::refused(refusal, RequestContext::by(&client, topic)))
    }

    fn begin_grant(
        &self,
        grant: Grant,
        client: &Arc<Client>,
        parameters: Parameters,
        caller: Caller,
        moment: Moment,
    ) -> Result<Step, OAuthError> {
        if !client.grants.contains(&grant) {
            return Err(OAuthError::UnauthorizedClient);
        }
        match grant {
            Grant::Password => password::begin(self, client, parameters, caller, moment.now),
            Grant::RefreshToken => refresh::begin(self, client, parameters, caller, moment),
            Grant::ClientCredentials => client_credentials::begin(self, client, parameters, moment),
        }
    }
}

fn requested_grant(parameters: &mut Parameters) -> Result<Grant, OAuthError> {
    match parameters.require(Parameter::GrantType)?.as_str() {
        "password" => Ok(Grant::Password),
        "refresh_token" => Ok(Grant::RefreshToken),
        "client_credentials" => Ok(Grant::ClientCredentials),
        _ => Err(OAuthError::UnsupportedGrantType),
    }
}
