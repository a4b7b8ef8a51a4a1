//! The token endpoint as a function: a request or an answer goes in, a [`Step`] comes out. It has no clock, no chance
//! and no host; whoever calls it performs the steps.

pub mod about;
mod admission;
pub mod attempt;
mod authentication;
mod client_credentials;
pub mod cors;
pub mod event;
mod introspection;
mod issue;
pub mod metadata;
mod password;
mod refresh;
pub mod refusal;
mod reply;
pub mod request;
mod resume;
mod revocation;
pub mod room;
mod scope;
mod step;
mod userinfo;

use std::{sync::Arc, time::Duration};

use serde::Deserialize;

use self::{
    about::{About, Topic},
    admission::Purpose,
    attempt::{Attempt, Guess, Target, Turn},
    event::{Event, Outcome},
    refusal::Refusal,
    request::{OF_REQUEST_ABOUT_TOKEN, OF_TOKEN_REQUEST, Parameter, Parameters},
    room::{Paths, Service},
};
pub use self::{
    admission::{Admission, Collecting},
    authentication::{Authenticating, Rejecting},
    introspection::Introspecting,
    issue::{SigningAccess, SigningId},
    password::{Concluding, Confirming, Finding, Throttling, Verifying},
    refresh::{Claiming, Ending, LookingUp, Renewing},
    resume::{AfterAttempt, AfterFind, AfterLook, AfterRemember, AfterSign, Continuation},
    revocation::Revoking,
    step::{Confirm, Effect, Find, Pending, SigningJob, Step, Unavailable},
    userinfo::Informing,
};
use crate::{
    crypto::{key_ring::KeyRing, seal::Sealer},
    http::Response,
    origin::Origin,
    registry::{
        Registry,
        client::{Client, Grant},
    },
    secret::Secret,
    state::Claim,
    time::{Moment, UnixTime},
    token::{Terms, presented::AccessToken, refresh::RefreshToken},
};

/// A token endpoint: its whole configuration, checked and ready to answer.
#[derive(Debug)]
pub struct Endpoint {
    /// Where it answers.
    pub paths: Paths,
    /// The longest request body, in bytes.
    pub max_request_bytes: usize,
    /// What all tokens have in common.
    pub terms: Terms,
    /// The keys that sign, and verify.
    pub keys: KeyRing,
    /// What this server can do, as a JSON document (RFC 8414 §3.2).
    pub metadata: String,
    /// What seals refresh tokens.
    pub sealer: Sealer,
    /// How refresh tokens are renewed.
    pub rotation: Rotation,
    /// Who may ask, and for what.
    pub registry: Registry,
}

/// How refresh tokens are renewed.
#[derive(Clone, Copy, Debug)]
pub struct Rotation {
    /// For how long a token that was used may come again: its answer may have been lost.
    pub retry_grace: Duration,
    /// What happens while the memory of what was used can't be asked.
    pub on_store_failure: OnStoreFailure,
}

impl Default for Rotation {
    fn default() -> Self {
        Self { retry_grace: Duration::from_secs(10), on_store_failure: OnStoreFailure::Refuse }
    }
}

/// What happens while it can't be asked whether tokens have ended, and who has to wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(not(target_family = "wasm"), derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub enum OnStoreFailure {
    /// Nobody is served.
    #[default]
    Refuse,
    /// They are taken for good, stolen and revoked ones too; and nobody has to wait, however often they failed.
    Allow,
}

/// What is known of a caller, whichever grant it asks for.
#[derive(Debug)]
struct Caller {
    origin: Origin,
    traceparent: Option<String>,
}

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

    /// The refresh token that was sealed here for this client, if it has not ended by itself.
    fn open_refresh_token(&self, client: &Client, sealed: &Secret, now: UnixTime) -> Option<RefreshToken> {
        self.open_any_refresh_token(sealed, now).filter(|token| token.client_id == client.id)
    }

    /// The same, whoever's it is.
    fn open_any_refresh_token(&self, sealed: &Secret, now: UnixTime) -> Option<RefreshToken> {
        RefreshToken::open(&self.sealer, &self.terms.issuer, sealed, self.terms.lifetimes.refresh_token_idle, now)
    }

    /// What the token claims when it is used.
    fn claim_of(&self, token: &RefreshToken) -> Claim {
        token.claim(self.rotation.retry_grace, self.terms.lifetimes.access_token)
    }

    /// The access token that was signed here, if it has not ended by itself.
    fn read_access_token(&self, jwt: &Secret, now: UnixTime) -> Option<AccessToken> {
        AccessToken::read(&self.terms, |kid| self.keys.published_key(kid, now), jwt, now)
    }

    fn allows_store_failure(&self) -> bool {
        self.rotation.on_store_failure == OnStoreFailure::Allow
    }

    /// The answer where a request can't even begin, or go on.
    pub fn unavailable(about: About) -> (Response, Event) {
        reply::refusal(UNAVAILABLE, about)
    }

    /// Gives a client that has proven itself what it asks for.
    fn serve(
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
                Err(refusal) => (Topic::Token, Err(refusal)),
            },
            Service::Revocation => (Topic::Revocation, revocation::begin(self, &client, parameters, moment.now)),
            Service::Introspection => {
                (Topic::Introspection, introspection::begin(self, &client, parameters, moment.now))
            }
        };
        step.unwrap_or_else(|refusal| reply::refused(refusal, About::by(&client, topic)))
    }

    fn begin_grant(
        &self,
        grant: Grant,
        client: &Arc<Client>,
        parameters: Parameters,
        caller: Caller,
        moment: Moment,
    ) -> Result<Step, Refusal> {
        if !client.grants.contains(&grant) {
            return Err(Refusal::UnauthorizedClient);
        }
        match grant {
            Grant::Password => password::begin(client, parameters, caller),
            Grant::RefreshToken => refresh::begin(self, client, parameters, caller, moment),
            Grant::ClientCredentials => client_credentials::begin(self, client, parameters, moment),
        }
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

/// Something went wrong here that coming back soon may mend.
const UNAVAILABLE: Refusal = Refusal::Unavailable { retry_after: 1 };

fn requested_grant(parameters: &mut Parameters) -> Result<Grant, Refusal> {
    match parameters.require(Parameter::GrantType)?.as_str() {
        "password" => Ok(Grant::Password),
        "refresh_token" => Ok(Grant::RefreshToken),
        "client_credentials" => Ok(Grant::ClientCredentials),
        _ => Err(Refusal::UnsupportedGrantType),
    }
}
