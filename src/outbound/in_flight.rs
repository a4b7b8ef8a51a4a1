//! Calls that are to be made or under way.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use super::{Callout, Fault};

/// The calls of one worker: `R` is what is asked, and who waits for the answer.
#[derive(Debug)]
pub struct InFlight<R> {
    to_make: Vec<InFlightCall<R>>,
    under_way: HashMap<u32, InFlightCall<R>>,
}

/// A request, and the call that is made for it.
#[derive(Debug)]
pub struct InFlightCall<R> {
    /// What is asked, and who waits for the answer.
    pub(crate) request: R,
    /// The call.
    pub(crate) outgoing: Outgoing,
}

/// What is sent for a request, and how long it may take, a second try included.
#[derive(Debug)]
pub struct Outgoing {
    /// What is sent now.
    pub(crate) callout: Callout,
    /// When it was first asked.
    pub(crate) since: Instant,
    deadline: Instant,
    tries: u32,
}

/// Calls for one request, a second try included.
const MOST_TRIES: u32 = 2;
/// A second try with less time than this would be in vain.
const LEAST_TIME: Duration = Duration::from_millis(10);

impl<R> Default for InFlight<R> {
    fn default() -> Self {
        Self { to_make: Vec::new(), under_way: HashMap::new() }
    }
}

impl<R> InFlight<R> {
    /// The requests of all calls.
    pub(crate) fn requests(&mut self) -> impl Iterator<Item = &mut R> {
        self.to_make.iter_mut().chain(self.under_way.values_mut()).map(|call| &mut call.request)
    }

    /// A call that is to be made.
    pub(crate) fn add(&mut self, call: InFlightCall<R>) {
        self.to_make.push(call);
    }

    /// Whether there are calls to make.
    pub(crate) fn has_calls_to_make(&self) -> bool {
        !self.to_make.is_empty()
    }

    /// The calls that are to be made.
    pub(crate) fn take_calls_to_make(&mut self) -> Vec<InFlightCall<R>> {
        std::mem::take(&mut self.to_make)
    }

    /// A call was made, and has this id.
    pub(crate) fn made(&mut self, id: u32, call: InFlightCall<R>) {
        self.under_way.insert(id, call);
    }

    /// Whether the call with this id is one of these.
    pub(crate) fn owns(&self, id: u32) -> bool {
        self.under_way.contains_key(&id)
    }

    /// The call with this id, which is over.
    pub(crate) fn take(&mut self, id: u32) -> Option<InFlightCall<R>> {
        self.under_way.remove(&id)
    }

    /// The requests of the calls that were made.
    pub(crate) fn under_way(&mut self) -> impl Iterator<Item = &mut R> {
        self.under_way.values_mut().map(|call| &mut call.request)
    }

    /// Takes out those of the calls that are to be made that need not be made any more.
    pub(crate) fn drop_calls_to_make(&mut self, is_in_vain: impl Fn(&mut R) -> bool) -> impl Iterator<Item = R> {
        self.to_make.extract_if(.., move |call| is_in_vain(&mut call.request)).map(|call| call.request)
    }
}

impl<R> InFlightCall<R> {
    /// A call that must be over, a second try included, `timeout` after `now`.
    pub(crate) fn new(request: R, callout: Callout, timeout: Duration, now: Instant) -> Self {
        Self { request, outgoing: Outgoing { callout, since: now, deadline: now + timeout, tries: 0 } }
    }
}

impl Outgoing {
    /// Goes on with what is to be sent next, in the time that is left. The same is sent where nothing else is to be.
    #[must_use]
    pub(crate) fn next(self, callout: Option<Callout>) -> Self {
        let callout = callout.unwrap_or(self.callout);
        Self { callout, tries: 0, ..self }
    }

    /// One more try.
    pub(crate) fn count_try(&mut self) {
        self.tries += 1;
    }

    /// How long it may still take.
    pub(crate) fn time_left(&self, now: Instant) -> Duration {
        self.deadline.saturating_duration_since(now)
    }

    /// Whether there is time for another try, and the way there failed. What may not be sent twice must not be.
    pub(crate) fn may_try_again(&self, fault: &Fault, now: Instant) -> bool {
        let is_transient = matches!(fault, Fault::NoAnswer | Fault::Status(502..=504));
        is_transient && self.tries < MOST_TRIES && self.time_left(now) >= LEAST_TIME
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(request: &'static str, now: Instant) -> InFlightCall<&'static str> {
        let text = String::new;
        let (headers, body) = (Vec::new(), None);
        let callout = Callout { cluster: text(), method: text(), authority: text(), path: text(), headers, body };
        InFlightCall::new(request, callout, Duration::from_millis(100), now)
    }

    #[test]
    fn a_request_is_found_from_when_it_is_asked_to_when_it_is_answered() {
        let (mut calls, now) = (InFlight::default(), Instant::now());
        let is_there = |calls: &mut InFlight<_>| calls.requests().any(|request| *request == "a");
        calls.add(call("a", now));
        assert!(is_there(&mut calls));
        let made = calls.take_calls_to_make().remove(0);
        calls.made(7, made);
        assert!(is_there(&mut calls));
        assert_eq!(calls.take(7).map(|call| call.request), Some("a"));
        assert!(!calls.owns(7) && !is_there(&mut calls));
    }

    #[test]
    fn a_call_in_vain_is_not_made() {
        let (mut calls, now) = (InFlight::default(), Instant::now());
        calls.add(call("a", now));
        calls.add(call("b", now));
        assert_eq!(calls.drop_calls_to_make(|request| *request == "a").collect::<Vec<_>>(), ["a"]);
        assert_eq!(calls.take_calls_to_make().len(), 1);
    }

    #[test]
    fn a_second_try_is_made_only_where_the_way_failed_and_there_is_time() {
        let now = Instant::now();
        let InFlightCall { outgoing: mut call, .. } = call("a", now);
        call.count_try();
        assert!(call.may_try_again(&Fault::NoAnswer, now));
        assert!(call.may_try_again(&Fault::Status(503), now + Duration::from_millis(90)));
        assert!(!call.may_try_again(&Fault::Status(500), now));
        assert!(!call.may_try_again(&Fault::NoAnswer, now + Duration::from_millis(91)));
        call.count_try();
        assert!(!call.may_try_again(&Fault::NoAnswer, now));
    }
}
