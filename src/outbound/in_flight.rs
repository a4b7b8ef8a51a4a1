//! Calls that are to be made or under way, each once for all who wait for its answer.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use super::{Callout, Fault};

/// The calls of one worker: `R` is what is asked, and `W` is who waits for the answer.
#[derive(Debug)]
pub struct InFlight<R, W> {
    to_make: Vec<InFlightCall<R, W>>,
    under_way: HashMap<u32, InFlightCall<R, W>>,
}

/// A request, and all who wait for its answer.
#[derive(Debug)]
pub struct InFlightCall<R, W> {
    /// What is asked.
    pub request: R,
    /// What is sent for it now.
    pub callout: Callout,
    /// Who waits.
    pub waiters: Vec<W>,
    /// When it was first asked.
    pub since: Instant,
    deadline: Instant,
    tries: u32,
}

/// Calls for one request, a second try included.
const MOST_TRIES: u32 = 2;
/// A second try with less time than this would be in vain.
const LEAST_TIME: Duration = Duration::from_millis(10);

impl<R, W> Default for InFlight<R, W> {
    fn default() -> Self {
        Self { to_make: Vec::new(), under_way: HashMap::new() }
    }
}

impl<R, W> InFlight<R, W> {
    /// Who waits for the answer to a request like this, if there is one.
    pub fn waiters_for(&mut self, is_the_same: impl Fn(&R) -> bool) -> Option<&mut Vec<W>> {
        let mut calls = self.to_make.iter_mut().chain(self.under_way.values_mut());
        calls.find(|call| is_the_same(&call.request)).map(|call| &mut call.waiters)
    }

    /// A call that is to be made.
    pub fn add(&mut self, call: InFlightCall<R, W>) {
        self.to_make.push(call);
    }

    /// Whether there are calls to make.
    pub fn has_calls_to_make(&self) -> bool {
        !self.to_make.is_empty()
    }

    /// The calls that are to be made.
    pub fn take_calls_to_make(&mut self) -> Vec<InFlightCall<R, W>> {
        std::mem::take(&mut self.to_make)
    }

    /// A call was made, and has this id.
    pub fn made(&mut self, id: u32, call: InFlightCall<R, W>) {
        self.under_way.insert(id, call);
    }

    /// Whether the call with this id is one of these.
    pub fn owns(&self, id: u32) -> bool {
        self.under_way.contains_key(&id)
    }

    /// The call with this id, which is over.
    pub fn take(&mut self, id: u32) -> Option<InFlightCall<R, W>> {
        self.under_way.remove(&id)
    }

    /// Calls that are to be made, and those who wait for them.
    pub fn to_make(&mut self) -> impl Iterator<Item = &mut InFlightCall<R, W>> {
        self.to_make.iter_mut()
    }

    /// Calls under way, and those who wait for them.
    pub fn under_way(&mut self) -> impl Iterator<Item = &mut InFlightCall<R, W>> {
        self.under_way.values_mut()
    }

    /// Takes out the calls that are to be made and that nobody waits for any more.
    pub fn abandoned(&mut self) -> impl Iterator<Item = InFlightCall<R, W>> {
        self.to_make.extract_if(.., |call| call.waiters.is_empty())
    }
}

impl<R, W> InFlightCall<R, W> {
    /// A call that must be over, a second try included, `timeout` after `now`.
    pub fn new(request: R, callout: Callout, waiter: W, timeout: Duration, now: Instant) -> Self {
        let waiters = vec![waiter];
        Self { request, callout, waiters, since: now, deadline: now + timeout, tries: 0 }
    }

    /// Goes on with what is to be asked next, in the time that is left. The same is sent where nothing else is to be.
    #[must_use]
    pub fn with(self, request: R, callout: Option<Callout>) -> Self {
        let callout = callout.unwrap_or(self.callout);
        Self { request, callout, tries: 0, ..self }
    }

    /// One more try.
    pub fn count_try(&mut self) {
        self.tries += 1;
    }

    /// How long it may still take.
    pub fn time_left(&self, now: Instant) -> Duration {
        self.deadline.saturating_duration_since(now)
    }

    /// Whether there is time for another try, and the way there failed. What may not be sent twice must not be.
    pub fn may_try_again(&self, fault: &Fault, now: Instant) -> bool {
        let is_transient = matches!(fault, Fault::NoAnswer | Fault::Status(502..=504));
        is_transient && self.tries < MOST_TRIES && self.time_left(now) >= LEAST_TIME
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(request: &'static str, waiter: u32, now: Instant) -> InFlightCall<&'static str, u32> {
        let text = String::new;
        let (headers, body) = (Vec::new(), None);
        let callout = Callout { cluster: text(), method: text(), authority: text(), path: text(), headers, body };
        InFlightCall::new(request, callout, waiter, Duration::from_millis(100), now)
    }

    #[test]
    fn who_asks_the_same_waits_for_the_same_call() {
        let (mut calls, now) = (InFlight::default(), Instant::now());
        calls.add(call("a", 1, now));
        calls.waiters_for(|request| *request == "a").unwrap().push(2);
        assert!(calls.waiters_for(|request| *request == "b").is_none());
        let made = calls.take_calls_to_make().remove(0);
        calls.made(7, made);
        calls.waiters_for(|request| *request == "a").unwrap().push(3);
        assert_eq!(calls.take(7).unwrap().waiters, [1, 2, 3]);
        assert!(!calls.owns(7));
    }

    #[test]
    fn a_call_that_nobody_waits_for_is_not_made() {
        let (mut calls, now) = (InFlight::default(), Instant::now());
        calls.add(call("a", 1, now));
        calls.add(call("b", 2, now));
        calls.to_make().for_each(|call| call.waiters.retain(|waiter| *waiter != 1));
        assert_eq!(calls.abandoned().map(|call| call.request).collect::<Vec<_>>(), ["a"]);
        assert_eq!(calls.take_calls_to_make().len(), 1);
    }

    #[test]
    fn a_second_try_is_made_only_where_the_way_failed_and_there_is_time() {
        let now = Instant::now();
        let mut call = call("a", 1, now);
        call.count_try();
        assert!(call.may_try_again(&Fault::NoAnswer, now));
        assert!(call.may_try_again(&Fault::Status(503), now + Duration::from_millis(90)));
        assert!(!call.may_try_again(&Fault::Status(500), now));
        assert!(!call.may_try_again(&Fault::NoAnswer, now + Duration::from_millis(91)));
        call.count_try();
        assert!(!call.may_try_again(&Fault::NoAnswer, now));
    }
}
