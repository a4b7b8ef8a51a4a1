//! What goes on with which result: a continuation takes the one kind of result that it waits for.

use std::sync::Arc;

use super::{
    oauth_error::OAuthError,
    reply,
    request_context::RequestContext,
    settings::Endpoint,
    step::{Pending, Step, Unavailable},
    waiting::{
        AfterCheckActive, AfterCheckSignature, AfterFind, AfterRemember, AfterSettle, AfterSign, Confirming, Rejecting,
        Throttling, UsingRefreshToken, Verifying,
    },
};
use crate::{
    attempts::{Reservation, Telling, Verdict},
    registry::user::{Found, User},
    state::UseResult,
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
        about: RequestContext,
        endpoint: &Endpoint,
        moment: Moment,
    ) -> Result<Step, OAuthError>;
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

impl Continuation for Throttling {
    type Result = Verdict;

    /// Where that is allowed, nobody has to wait while it can't be asked who has.
    fn go_on(
        self,
        result: Result<Verdict, Unavailable>,
        about: RequestContext,
        endpoint: &Endpoint,
        _: Moment,
    ) -> Result<Step, OAuthError> {
        match result {
            Ok(Verdict::Allowed(reservation)) => Ok(self.allowed(reservation, about)),
            Ok(Verdict::Wait(retry_after)) => Err(OAuthError::TooManyAttempts { retry_after }),
            Err(_) if endpoint.allows_store_failure() => Ok(self.allowed(Reservation::default(), about)),
            Err(unavailable) => Err(unavailable.into()),
        }
    }
}

impl Continuation for AfterSettle {
    type Result = Telling;

    fn go_on(
        self,
        result: Result<Telling, Unavailable>,
        about: RequestContext,
        endpoint: &Endpoint,
        moment: Moment,
    ) -> Result<Step, OAuthError> {
        match (self, result) {
            (Self::Excusing(login), _) => Err(login.refusal()),
            (Self::Concluding(login), Ok(telling)) => login.counted(telling, about, endpoint, moment),
            (Self::Concluding(login), Err(_)) if endpoint.allows_store_failure() => {
                login.counted(Telling::Outcome, about, endpoint, moment)
            }
            (Self::Concluding(_), Err(unavailable)) => Err(unavailable.into()),
        }
    }
}

impl Continuation for Rejecting {
    type Result = u64;

    fn go_on(
        self,
        result: Result<u64, Unavailable>,
        _: RequestContext,
        endpoint: &Endpoint,
        _: Moment,
    ) -> Result<Step, OAuthError> {
        match result {
            Ok(0) => Err(self.counted()),
            Ok(retry_after) => Err(OAuthError::TooManyAttempts { retry_after }),
            Err(_) if endpoint.allows_store_failure() => Err(self.counted()),
            Err(unavailable) => Err(unavailable.into()),
        }
    }
}

impl Continuation for AfterFind {
    type Result = Found;

    fn go_on(
        self,
        result: Result<Found, Unavailable>,
        about: RequestContext,
        endpoint: &Endpoint,
        moment: Moment,
    ) -> Result<Step, OAuthError> {
        match self {
            Self::FindingUser(login) => Ok(login.found(result, about)),
            Self::Renewing(renewing) => renewing.found(result?, about, endpoint, moment),
            Self::Introspecting(token) => token.found(&result?, about, endpoint),
            Self::Informing(token) => token.found(&result?, about),
        }
    }
}

impl Continuation for Confirming {
    type Result = Option<Arc<User>>;

    fn go_on(
        self,
        result: Result<Option<Arc<User>>, Unavailable>,
        about: RequestContext,
        _: &Endpoint,
        _: Moment,
    ) -> Result<Step, OAuthError> {
        Ok(self.confirmed(result, about))
    }
}

impl Continuation for Verifying {
    type Result = bool;

    fn go_on(
        self,
        result: Result<bool, Unavailable>,
        about: RequestContext,
        _: &Endpoint,
        _: Moment,
    ) -> Result<Step, OAuthError> {
        Ok(self.verified(result, about))
    }
}

impl Continuation for AfterSign {
    type Result = Vec<u8>;

    fn go_on(
        self,
        result: Result<Vec<u8>, Unavailable>,
        about: RequestContext,
        endpoint: &Endpoint,
        moment: Moment,
    ) -> Result<Step, OAuthError> {
        let signature = result?;
        match self {
            Self::Access(issue) => issue.signed(&signature, about, endpoint, moment),
            Self::Id(issue) => issue.signed(&signature, about, endpoint, moment),
        }
    }
}

impl Continuation for AfterCheckSignature {
    type Result = bool;

    fn go_on(
        self,
        result: Result<bool, Unavailable>,
        about: RequestContext,
        endpoint: &Endpoint,
        _: Moment,
    ) -> Result<Step, OAuthError> {
        let is_good = result?;
        match self {
            Self::Introspecting(token) => Ok(token.recognized(is_good, about, endpoint)),
            Self::Informing(token) => token.recognized(is_good, endpoint),
            Self::Revoking(token) => token.recognized(is_good, about),
        }
    }
}

impl Continuation for UsingRefreshToken {
    type Result = UseResult;

    fn go_on(
        self,
        result: Result<UseResult, Unavailable>,
        about: RequestContext,
        endpoint: &Endpoint,
        moment: Moment,
    ) -> Result<Step, OAuthError> {
        match result {
            Ok(claimed) => self.claimed(claimed, about, endpoint, moment),
            Err(_) if endpoint.allows_store_failure() => self.allowed(about, endpoint, moment),
            Err(unavailable) => Err(unavailable.into()),
        }
    }
}

impl Continuation for AfterCheckActive {
    type Result = bool;

    /// Where that is allowed, a token is taken for good while it can't be asked whether it is.
    fn go_on(
        self,
        result: Result<bool, Unavailable>,
        about: RequestContext,
        endpoint: &Endpoint,
        moment: Moment,
    ) -> Result<Step, OAuthError> {
        let is_good = match result {
            Ok(is_good) => is_good,
            Err(_) if endpoint.allows_store_failure() => true,
            Err(unavailable) => return Err(unavailable.into()),
        };
        match self {
            Self::Refreshing(refresh) => refresh.looked(is_good, about, endpoint, moment),
            Self::Introspecting(token) => token.looked(is_good, about, endpoint),
            Self::Informing(token) => token.looked(is_good, about, endpoint),
        }
    }
}

impl Continuation for AfterRemember {
    type Result = ();

    fn go_on(
        self,
        result: Result<(), Unavailable>,
        about: RequestContext,
        endpoint: &Endpoint,
        _: Moment,
    ) -> Result<Step, OAuthError> {
        match (self, result) {
            (Self::Ending(ending), Ok(())) => Err(ending.refusal()),
            (Self::Ending(ending), Err(_)) if endpoint.allows_store_failure() => Err(ending.refusal()),
            (Self::Revoking(revoking), Ok(())) => Ok(revoking.remembered(about)),
            (_, Err(unavailable)) => Err(unavailable.into()),
        }
    }
}

impl From<Unavailable> for OAuthError {
    fn from(Unavailable { retry_after, .. }: Unavailable) -> Self {
        Self::Unavailable { retry_after }
    }
}
