//! From a whole request to its first step.

use super::{
    about::About,
    admission::Collecting,
    authentication,
    event::Event,
    parameter::{OF_REQUEST_ABOUT_TOKEN, OF_TOKEN_REQUEST, Parameter},
    refusal::{Refusal, UNAVAILABLE},
    reply,
    request::Parameters,
    room::{Purpose, Service},
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
            _ if body.expose().len() > self.max_request_bytes => Err(Refusal::TooLarge),
            Purpose::Service(service) => Parameters::parse(body, service.parameters())
                .and_then(|parameters| authentication::begin(self, service, head, parameters, origin, moment)),
            Purpose::UserInfo => userinfo::begin(self, &head, body, moment.now),
        };
        step.unwrap_or_else(|refusal| reply::refused(refusal, about))
    }

    /// The answer where a request can't even begin, or go on.
    pub fn unavailable(about: About) -> (Response, Event) {
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
