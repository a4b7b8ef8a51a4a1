//! From a whole request to its first step.

use super::{
    admission::Collecting,
    authentication,
    event::Event,
    oauth_error::{OAuthError, UNAVAILABLE},
    parameter::{OF_REQUEST_ABOUT_TOKEN, OF_TOKEN_REQUEST, Parameter},
    reply,
    request::Parameters,
    request_context::RequestContext,
    route::{Purpose, Service},
    settings::Endpoint,
    step::Step,
    userinfo,
};
use crate::{http::Response, origin::Origin, secret::Secret, time::Moment};

impl Endpoint {
    /// Goes from a whole request to its first step.
    pub fn begin(&self, collecting: Collecting, body: &Secret, origin: Origin, moment: Moment) -> Step {
        let about = collecting.about();
        let Collecting { head, purpose } = collecting;
        let step = match purpose {
            _ if body.expose().len() > self.max_request_bytes => Err(OAuthError::TooLarge),
            Purpose::Service(service) => Parameters::parse(body, service.parameters())
                .and_then(|parameters| authentication::begin(self, service, head, parameters, origin, moment)),
            Purpose::UserInfo => userinfo::begin(self, &head, body, moment.now),
        };
        step.unwrap_or_else(|refusal| reply::refused(refusal, about))
    }

    /// The answer where a request can't even begin, or go on.
    pub(crate) fn unavailable(about: RequestContext) -> (Response, Event) {
        reply::refusal(UNAVAILABLE, about)
    }
}

impl Service {
    fn parameters(self) -> &'static [Parameter] {
        match self {
            Self::Token => OF_TOKEN_REQUEST,
            Self::Revocation | Self::Introspection => OF_REQUEST_ABOUT_TOKEN,
        }
    }
}
