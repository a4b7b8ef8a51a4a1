//! Who waits for an answer, and who can go on with one.

use crate::{
    endpoint::{Continuation, Endpoint, Pending, Step, Unavailable, cors::CorsOrigin, request_context::RequestContext},
    origin::Origin,
    time::Moment,
};

/// A stream that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The stream, by the host's number for it.
    pub(crate) exchange: u32,
    /// Where the request comes from.
    pub(crate) origin: Origin,
    /// The page that asks.
    pub(crate) page: CorsOrigin,
}

/// An exchange that waits for a result, and its stream.
pub(super) struct Waiter<K> {
    /// The stream.
    pub(crate) ticket: Ticket,
    /// What goes on.
    pub(crate) pending: Pending<K>,
}

/// An exchange with the result that it has waited for.
pub(super) struct Resumption<K: Continuation> {
    waiter: Waiter<K>,
    result: Result<K::Result, Unavailable>,
}

/// Any exchange with the result that it has waited for.
pub(super) type Called = Box<dyn Resume>;

/// Goes on with a result.
pub(super) trait Resume {
    /// The stream.
    fn ticket(&self) -> Ticket;

    /// What is known of it.
    fn about(&self) -> RequestContext;

    /// The next step.
    fn resume(self: Box<Self>, endpoint: &Endpoint, moment: Moment) -> Step;
}

impl<K: Continuation> Resume for Resumption<K> {
    fn ticket(&self) -> Ticket {
        self.waiter.ticket
    }

    fn about(&self) -> RequestContext {
        self.waiter.pending.about()
    }

    fn resume(self: Box<Self>, endpoint: &Endpoint, moment: Moment) -> Step {
        endpoint.resume(self.waiter.pending, self.result, moment)
    }
}

impl<K: Continuation + 'static> Waiter<K>
where
    K::Result: 'static,
{
    /// It can go on.
    pub(super) fn ready(self, result: Result<K::Result, Unavailable>) -> Called {
        Box::new(Resumption { waiter: self, result })
    }
}
