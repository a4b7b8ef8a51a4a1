//! What goes on with which result: a continuation takes the one kind of result that it waits for.

use std::sync::Arc;

use super::{
    About, Endpoint, Refusal, Step,
    authentication::{Authenticating, Rejecting},
    introspection::Introspecting,
    issue::{SigningAccess, SigningId},
    password::{Concluding, Confirming, Finding, Throttling, Verifying},
    refresh::{Claiming, Ending, LookingUp, Renewing},
    reply,
    revocation::Revoking,
    step::{Pending, Unavailable},
    userinfo::Informing,
};
use crate::{
    registry::user::{Found, User},
    state::Claimed,
    time::Moment,
};

/// An exchange between two steps.
pub trait Continuation {
    /// What it waits for.
    type Result;

    /// Goes on with the result, or without where it could not be had.
    ///
    /// # Errors
    /// The request is refused.
    fn go_on(
        self,
        result: Result<Self::Result, Unavailable>,
        about: About,
        endpoint: &Endpoint,
        moment: Moment,
    ) -> Result<Step, Refusal>;
}

/// Who waits for the attempt limits.
#[derive(Debug)]
pub enum AfterAttempt {
    /// A client whose secret may not be looked at yet.
    Authenticating(Authenticating),
    /// A client that sent a wrong secret, being counted.
    Rejecting(Rejecting),
    /// A login that may not be tried yet.
    Throttling(Throttling),
    /// A login whose password was checked, being counted.
    Concluding(Concluding),
}

/// Who waits for a user to be found.
#[derive(Debug)]
pub enum AfterFind {
    /// A login.
    Finding(Finding),
    /// A refresh, whose user is being looked for again.
    Renewing(Renewing),
}

/// Who waits for a signature.
#[derive(Debug)]
pub enum AfterSign {
    /// Tokens being made: the access token's signature is next.
    Access(SigningAccess),
    /// Tokens being made: the ID token's signature is next.
    Id(SigningId),
}

/// Who waits to know whether a token is good.
#[derive(Debug)]
pub enum AfterLook {
    /// A refresh whose token is not rotated.
    Refreshing(LookingUp),
    /// A token that a client asks about.
    Introspecting(Introspecting),
    /// A token with which a user's claims are asked for.
    Informing(Informing),
}

/// Who waits for the end of a token to be remembered.
#[derive(Debug)]
pub enum AfterRemember {
    /// A refresh that is refused once its family has ended.
    Ending(Ending),
    /// A token that ends.
    Revoking(Revoking),
}

impl Endpoint {
    /// Goes on from where an exchange asked.
    pub fn resume<K: Continuation>(
        &self,
        pending: Pending<K>,
        result: Result<K::Result, Unavailable>,
        moment: Moment,
    ) -> Step {
        let (about, then) = pending.into_parts();
        let step = then.go_on(result, about.clone(), self, moment);
        step.unwrap_or_else(|refusal| reply::refused(refusal, about))
    }
}

impl Continuation for AfterAttempt {
    type Result = u64;

    /// Where that is allowed, nobody has to wait while it can't be asked who has.
    fn go_on(
        self,
        result: Result<u64, Unavailable>,
        about: About,
        endpoint: &Endpoint,
        moment: Moment,
    ) -> Result<Step, Refusal> {
        match result {
            Ok(0) => {}
            Ok(retry_after) => return Err(Refusal::TooManyAttempts { retry_after }),
            Err(_) if endpoint.allows_store_failure() => {}
            Err(unavailable) => return Err(unavailable.into()),
        }
        match self {
            Self::Authenticating(request) => Ok(request.allowed(endpoint, moment)),
            Self::Rejecting(client) => Err(client.counted()),
            Self::Throttling(login) => Ok(login.allowed(about)),
            Self::Concluding(login) => login.counted(about, endpoint, moment),
        }
    }
}

impl Continuation for AfterFind {
    type Result = Found;

    fn go_on(
        self,
        result: Result<Found, Unavailable>,
        about: About,
        endpoint: &Endpoint,
        moment: Moment,
    ) -> Result<Step, Refusal> {
        let found = result?;
        match self {
            Self::Finding(login) => Ok(login.found(found, about)),
            Self::Renewing(renewing) => renewing.found(found, about, endpoint, moment),
        }
    }
}

impl Continuation for Confirming {
    type Result = Option<Arc<User>>;

    fn go_on(
        self,
        result: Result<Option<Arc<User>>, Unavailable>,
        about: About,
        _: &Endpoint,
        _: Moment,
    ) -> Result<Step, Refusal> {
        Ok(self.confirmed(result?, about))
    }
}

impl Continuation for Verifying {
    type Result = bool;

    fn go_on(self, result: Result<bool, Unavailable>, about: About, _: &Endpoint, _: Moment) -> Result<Step, Refusal> {
        Ok(self.verified(result?, about))
    }
}

impl Continuation for AfterSign {
    type Result = Vec<u8>;

    fn go_on(
        self,
        result: Result<Vec<u8>, Unavailable>,
        about: About,
        endpoint: &Endpoint,
        moment: Moment,
    ) -> Result<Step, Refusal> {
        let signature = result?;
        match self {
            Self::Access(issue) => issue.signed(&signature, about, endpoint, moment),
            Self::Id(issue) => issue.signed(&signature, about, endpoint, moment),
        }
    }
}

impl Continuation for Claiming {
    type Result = Claimed;

    fn go_on(
        self,
        result: Result<Claimed, Unavailable>,
        about: About,
        endpoint: &Endpoint,
        moment: Moment,
    ) -> Result<Step, Refusal> {
        match result {
            Ok(claimed) => self.claimed(claimed, about, endpoint, moment),
            Err(_) if endpoint.allows_store_failure() => self.allowed(about, endpoint, moment),
            Err(unavailable) => Err(unavailable.into()),
        }
    }
}

impl Continuation for AfterLook {
    type Result = bool;

    /// Where that is allowed, a token is taken for good while it can't be asked whether it is.
    fn go_on(
        self,
        result: Result<bool, Unavailable>,
        about: About,
        endpoint: &Endpoint,
        moment: Moment,
    ) -> Result<Step, Refusal> {
        let is_good = match result {
            Ok(is_good) => is_good,
            Err(_) if endpoint.allows_store_failure() => true,
            Err(unavailable) => return Err(unavailable.into()),
        };
        match self {
            Self::Refreshing(refresh) => refresh.looked(is_good, about, endpoint, moment),
            Self::Introspecting(token) => token.looked(is_good, about, endpoint),
            Self::Informing(token) => token.looked(is_good, about),
        }
    }
}

impl Continuation for AfterRemember {
    type Result = ();

    fn go_on(
        self,
        result: Result<(), Unavailable>,
        about: About,
        endpoint: &Endpoint,
        _: Moment,
    ) -> Result<Step, Refusal> {
        match (self, result) {
            (Self::Ending(ending), Ok(())) => Err(ending.refusal()),
            (Self::Ending(ending), Err(_)) if endpoint.allows_store_failure() => Err(ending.refusal()),
            (Self::Revoking(revoking), Ok(())) => Ok(revoking.remembered(about)),
            (_, Err(unavailable)) => Err(unavailable.into()),
        }
    }
}

impl From<Unavailable> for Refusal {
    fn from(Unavailable { retry_after }: Unavailable) -> Self {
        Self::Unavailable { retry_after }
    }
}

impl From<Authenticating> for AfterAttempt {
    fn from(then: Authenticating) -> Self {
        Self::Authenticating(then)
    }
}

impl From<Rejecting> for AfterAttempt {
    fn from(then: Rejecting) -> Self {
        Self::Rejecting(then)
    }
}

impl From<Throttling> for AfterAttempt {
    fn from(then: Throttling) -> Self {
        Self::Throttling(then)
    }
}

impl From<Concluding> for AfterAttempt {
    fn from(then: Concluding) -> Self {
        Self::Concluding(then)
    }
}

impl From<Finding> for AfterFind {
    fn from(then: Finding) -> Self {
        Self::Finding(then)
    }
}

impl From<Renewing> for AfterFind {
    fn from(then: Renewing) -> Self {
        Self::Renewing(then)
    }
}

impl From<SigningAccess> for AfterSign {
    fn from(then: SigningAccess) -> Self {
        Self::Access(then)
    }
}

impl From<SigningId> for AfterSign {
    fn from(then: SigningId) -> Self {
        Self::Id(then)
    }
}

impl From<LookingUp> for AfterLook {
    fn from(then: LookingUp) -> Self {
        Self::Refreshing(then)
    }
}

impl From<Introspecting> for AfterLook {
    fn from(then: Introspecting) -> Self {
        Self::Introspecting(then)
    }
}

impl From<Informing> for AfterLook {
    fn from(then: Informing) -> Self {
        Self::Informing(then)
    }
}

impl From<Ending> for AfterRemember {
    fn from(then: Ending) -> Self {
        Self::Ending(then)
    }
}

impl From<Revoking> for AfterRemember {
    fn from(then: Revoking) -> Self {
        Self::Revoking(then)
    }
}
