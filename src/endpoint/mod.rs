//! The token endpoint as a function: a request or an answer goes in, a [`Step`] comes out. It has no clock, no chance
//! and no host; whoever calls it performs the steps.

pub mod about;
mod admission;
pub mod attempt;
mod authentication;
mod client_credentials;
pub mod event;
mod introspection;
mod issue;
pub mod metadata;
mod password;
mod refresh;
pub mod refusal;
mod reply;
pub mod request;
mod revocation;
pub mod room;
mod scope;
mod userinfo;

use std::{sync::Arc, time::Duration};

use serde::Deserialize;

pub use self::admission::{Admission, Collecting};
use self::{
    about::{About, Topic},
    admission::Purpose,
    attempt::{Attempt, Guess, Target, Turn},
    authentication::{Authenticating, Rejecting},
    event::{Event, Outcome},
    introspection::Introspecting,
    issue::{SigningAccess, SigningId},
    password::{Concluding, Confirming, Finding, Throttling, Verifying},
    refresh::{Claiming, Ending, Renewing},
    refusal::Refusal,
    request::{OF_REQUEST_ABOUT_TOKEN, OF_TOKEN_REQUEST, Parameter, Parameters},
    revocation::Revoking,
    room::{Paths, Service},
    userinfo::Informing,
};
use crate::{
    crypto::{jws::SigningKey, key_ring::KeyRing, password::PasswordCheck, seal::Sealer},
    http::Response,
    origin::Origin,
    registry::{
        Registry,
        auth_source::AuthSource,
        client::{Client, Grant},
        identifier::Identifier,
        user::{Found, User},
    },
    secret::Secret,
    state::{StateAnswer, StateQuestion},
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
#[serde(rename_all = "snake_case")]
pub enum OnStoreFailure {
    /// Nobody is served.
    #[default]
    Refuse,
    /// They are taken for good, stolen and revoked ones too; and nobody has to wait, however often they failed.
    Allow,
}

/// What an exchange needs next.
#[must_use]
#[derive(Debug)]
#[cfg_attr(
    not(target_family = "wasm"),
    expect(clippy::large_enum_variant, reason = "a step is moved to where it is performed and never kept")
)]
pub enum Step {
    /// Nothing more: this is the answer.
    Reply(Response, Event),
    /// An answer to the question, with which [`Endpoint::resume`] goes on.
    Ask(Question, Pending),
}

/// What only the world outside the core can do, or do in time.
#[derive(Debug)]
pub enum Question {
    /// May this guess be made, or what came of it? Shared by all workers.
    Attempt(Attempt),
    /// Who is this? A directory outside must be asked.
    Find(Find),
    /// Is this the password? The directory checks it.
    Confirm(Confirm),
    /// Does the password match? It is long work, made to be done in slices.
    Verify(PasswordCheck),
    /// A signature, by the host where it offers a faster one.
    Sign(SigningJob),
    /// What is remembered of a token, or something to remember.
    State(StateQuestion),
}

/// Someone to be found in a directory.
#[derive(Debug)]
pub struct Find {
    /// Whose directory.
    pub auth_source: Arc<AuthSource>,
    /// Who.
    pub identifier: Identifier,
    /// The trace that the call belongs to.
    pub traceparent: Option<String>,
}

/// A password to be checked by a directory.
#[derive(Debug)]
pub struct Confirm {
    /// Whose password, and where.
    pub find: Find,
    /// The password.
    pub password: Secret,
}

/// What is known of a caller, whichever grant it asks for.
#[derive(Debug)]
struct Caller {
    origin: Origin,
    traceparent: Option<String>,
}

/// Something to sign.
#[derive(Debug)]
pub struct SigningJob {
    /// The key to sign with.
    pub key: Arc<SigningKey>,
    /// The bytes to sign.
    pub input: Arc<str>,
}

/// The answer to a [`Question`].
#[derive(Clone, Debug)]
pub enum Answer {
    /// To [`Question::Attempt`]: nobody has to wait, and what was to be counted is counted.
    Allowed,
    /// To [`Question::Attempt`]: there were too many failures.
    Limited {
        /// How long to wait, in seconds.
        retry_after: u64,
    },
    /// To [`Question::Find`]: whom the directory knows by that name.
    Found(Found),
    /// To [`Question::Confirm`]: the user, if the directory says that the password is right.
    Confirmed(Option<Arc<User>>),
    /// To [`Question::Verify`]: whether the password matches.
    Verified(bool),
    /// To [`Question::Sign`]: the signature in the form that JWS wants.
    Signed(Vec<u8>),
    /// To [`Question::State`].
    State(StateAnswer),
    /// The question could not be answered.
    Unavailable {
        /// When to try again, in seconds.
        retry_after: u64,
    },
}

/// An exchange that waits for an answer.
#[derive(Debug)]
pub enum Pending {
    /// A client whose secret may not be looked at yet.
    Authenticating(Authenticating),
    /// A client that sent a wrong secret, being counted.
    Rejecting(Rejecting),
    /// A login that may not be tried yet.
    Throttling(Throttling),
    /// A login whose user is being looked for.
    Finding(Finding),
    /// A login whose password is being checked, here.
    Verifying(Verifying),
    /// A login whose password is being checked by the directory.
    Confirming(Confirming),
    /// A refresh whose user is being looked for again.
    Renewing(Renewing),
    /// A refresh whose token is being claimed.
    Claiming(Claiming),
    /// A refresh that is refused once its family has ended.
    Ending(Ending),
    /// A login whose password was checked, being counted.
    Concluding(Concluding),
    /// A token that ends.
    Revoking(Revoking),
    /// A token that a client asks about.
    Introspecting(Introspecting),
    /// A token with which a user's claims are asked for.
    Informing(Informing),
    /// Tokens being made: the access token's signature is next.
    SigningAccess(SigningAccess),
    /// Tokens being made: the ID token's signature is next.
    SigningId(SigningId),
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

    /// Goes on from where an exchange asked.
    pub fn resume(&self, pending: Pending, answer: Answer, moment: Moment) -> Step {
        let about = pending.about();
        let answer = self.or_allowed(&pending, answer);
        let step = match (pending, answer) {
            (Pending::Authenticating(request), Answer::Allowed) => Ok(request.allowed(self, moment)),
            (Pending::Rejecting(client), Answer::Allowed) => Err(client.counted()),
            (Pending::Throttling(login), Answer::Allowed) => Ok(login.allowed()),
            (Pending::Finding(login), Answer::Found(found)) => Ok(login.found(found)),
            (Pending::Verifying(login), Answer::Verified(matches)) => Ok(login.verified(matches)),
            (Pending::Confirming(login), Answer::Confirmed(user)) => Ok(login.confirmed(user)),
            (Pending::Concluding(login), Answer::Allowed) => login.counted(self, moment),
            (Pending::Renewing(renewing), Answer::Found(found)) => renewing.found(self, found, moment),
            (Pending::Claiming(claiming), Answer::State(StateAnswer::Claimed(claimed))) => {
                claiming.claimed(self, claimed, moment)
            }
            (Pending::Claiming(claiming), Answer::State(StateAnswer::Looked(is_good))) => {
                claiming.looked(self, is_good, moment)
            }
            (Pending::Claiming(claiming), Answer::Unavailable { .. }) if self.allows_store_failure() => {
                claiming.allowed(self, moment)
            }
            (Pending::Ending(ending), Answer::State(StateAnswer::Remembered)) => Err(ending.refusal()),
            (Pending::Ending(ending), Answer::Unavailable { .. }) if self.allows_store_failure() => {
                Err(ending.refusal())
            }
            (Pending::Revoking(revoking), Answer::State(StateAnswer::Remembered)) => Ok(revoking.remembered()),
            (Pending::Introspecting(token), Answer::State(StateAnswer::Looked(is_good))) => token.looked(self, is_good),
            (Pending::Introspecting(token), Answer::Unavailable { .. }) if self.allows_store_failure() => {
                token.looked(self, true)
            }
            (Pending::Informing(token), Answer::State(StateAnswer::Looked(is_good))) => token.looked(is_good),
            (Pending::Informing(token), Answer::Unavailable { .. }) if self.allows_store_failure() => {
                token.looked(true)
            }
            (Pending::SigningAccess(issue), Answer::Signed(signature)) => issue.signed(self, &signature, moment),
            (Pending::SigningId(issue), Answer::Signed(signature)) => issue.signed(self, &signature, moment),
            (_, Answer::Limited { retry_after }) => Err(Refusal::TooManyAttempts { retry_after }),
            (_, Answer::Unavailable { retry_after }) => Err(Refusal::Unavailable { retry_after }),
            (_, _) => Err(UNAVAILABLE),
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

    /// The access token that was signed here, if it has not ended by itself.
    fn read_access_token(&self, jwt: &Secret, now: UnixTime) -> Option<AccessToken> {
        AccessToken::read(&self.terms, |kid| self.keys.published_key(kid, now), jwt, now)
    }

    /// Where that is allowed, nobody has to wait while it can't be asked who has.
    fn or_allowed(&self, pending: &Pending, answer: Answer) -> Answer {
        match (pending, &answer) {
            (
                Pending::Authenticating(_) | Pending::Rejecting(_) | Pending::Throttling(_) | Pending::Concluding(_),
                Answer::Unavailable { .. },
            ) if self.allows_store_failure() => Answer::Allowed,
            _ => answer,
        }
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

impl Pending {
    /// What is known of the exchange.
    pub fn about(&self) -> About {
        match self {
            Self::Authenticating(request) => request.about(),
            Self::Rejecting(client) => client.about(),
            Self::Throttling(login) => login.about(),
            Self::Finding(login) => login.about(),
            Self::Verifying(login) => login.about(),
            Self::Confirming(login) => login.about(),
            Self::Renewing(renewing) => renewing.about(),
            Self::Claiming(claiming) => claiming.about(),
            Self::Ending(ending) => ending.about(),
            Self::Concluding(login) => login.about(),
            Self::Revoking(revoking) => revoking.about(),
            Self::Introspecting(introspecting) => introspecting.about(),
            Self::Informing(informing) => informing.about(),
            Self::SigningAccess(issue) => issue.about(),
            Self::SigningId(issue) => issue.about(),
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
