//! Who waits for an answer, and who can go on with one.

use crate::{
    endpoint::{
        AfterAttempt, AfterCheckActive, AfterFind, AfterRemember, Confirming, Continuation, Pending, Unavailable,
        UsingRefreshToken, cors::CorsOrigin,
    },
    origin::Origin,
};

/// A stream that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The stream, by the host's number for it.
    pub exchange: u32,
    /// Where the request comes from.
    pub origin: Origin,
    /// The page that asks.
    pub page: CorsOrigin,
}

/// An exchange that waits for a result, and its stream.
pub(super) struct Waiter<K> {
    /// The stream.
    pub ticket: Ticket,
    /// What goes on.
    pub pending: Pending<K>,
}

/// An exchange with the result that it has waited for.
pub(super) struct Resumption<K: Continuation> {
    /// Who waits.
    pub waiter: Waiter<K>,
    /// What for.
    pub result: Result<K::Result, Unavailable>,
}

/// Any exchange that waited for a call.
pub(super) enum Called {
    /// For the attempt limits.
    Attempt(Resumption<AfterAttempt>),
    /// For a user.
    Find(Resumption<AfterFind>),
    /// For a password that a directory checks.
    Confirm(Resumption<Confirming>),
    /// For a refresh token.
    RefreshTokenUse(Resumption<UsingRefreshToken>),
    /// For whether a token is good.
    CheckActive(Resumption<AfterCheckActive>),
    /// For the end of a token to be remembered.
    Remember(Resumption<AfterRemember>),
}

impl<K: Continuation> Waiter<K> {
    /// It can go on.
    pub(super) fn ready(self, result: Result<K::Result, Unavailable>) -> Resumption<K> {
        Resumption { waiter: self, result }
    }
}
