//! Who waits for an answer, and who can go on with one.

use crate::{
    endpoint::{
        AfterAttempt, AfterFind, AfterLook, AfterRemember, Claiming, Confirming, Continuation, Pending, Unavailable,
        cors::Page,
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
    pub page: Page,
}

/// An exchange that waits for a result, and its stream.
pub struct Waiter<K> {
    /// The stream.
    pub ticket: Ticket,
    /// What goes on.
    pub pending: Pending<K>,
}

/// An exchange with the result that it has waited for.
pub struct Ready<K: Continuation> {
    /// Who waits.
    pub waiter: Waiter<K>,
    /// What for.
    pub result: Result<K::Result, Unavailable>,
}

/// Any exchange that waited for a call.
pub enum Called {
    /// For the attempt limits.
    Attempt(Ready<AfterAttempt>),
    /// For a user.
    Find(Ready<AfterFind>),
    /// For a password that a directory checks.
    Confirm(Ready<Confirming>),
    /// For a refresh token.
    Claim(Ready<Claiming>),
    /// For whether a token is good.
    Look(Ready<AfterLook>),
    /// For the end of a token to be remembered.
    Remember(Ready<AfterRemember>),
}

impl<K: Continuation> Waiter<K> {
    /// It can go on.
    pub fn ready(self, result: Result<K::Result, Unavailable>) -> Ready<K> {
        Ready { waiter: self, result }
    }
}
