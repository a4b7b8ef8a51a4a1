//! Calls to directories and to the state store: one for those who ask the same at the same time, a second try where there
//! is time, and none to whom is known to be down. The root makes the calls, so that they end even where a caller goes away.

use std::{collections::HashMap, sync::Arc, time::Duration};

use super::{
    errand::{Errand, Party, Progress},
    host::Host,
    metrics::Times,
    ticket::Ticket,
};
use crate::{
    crypto::password::PasswordHash,
    endpoint::{Answer, Pending},
    outbound::{Fault, InFlight, InFlightCall, UpstreamState},
    registry::{remote::Cache, user::Found},
    time::UnixTime,
};

/// The state of all who are asked over HTTP, in one worker.
pub struct Calls {
    states: HashMap<Party, State>,
    in_flight: InFlight<Errand, Asker>,
    times: Times,
}

/// The state of one of them.
#[derive(Default)]
struct State {
    upstream: UpstreamState,
    cache: Cache,
    example: Option<Arc<PasswordHash>>,
}

type Flight = InFlightCall<Errand, Asker>;

/// Someone who waits for an answer.
pub struct Asker {
    pub ticket: Ticket,
    pub pending: Pending,
}

/// What is told where nobody can be asked.
const UNAVAILABLE: Answer = Answer::Unavailable { retry_after: 1 };

impl Calls {
    /// None yet.
    pub fn new(times: Times) -> Self {
        Self { states: HashMap::new(), in_flight: InFlight::default(), times }
    }

    /// Takes a question. It is answered at once where the answer is known, or where nobody can be asked.
    pub fn ask(&mut self, errand: Errand, asker: Asker, host: &impl Host) -> Option<(Asker, Answer)> {
        let now = host.now();
        if let Some(answer) = self.known(&errand, now) {
            return Some((asker, answer));
        }
        let Some(callout) = errand.callout(now) else { return Some((asker, errand.nobody())) };
        if let Some(askers) = self.in_flight.waiters_for(|other| other.is_the_same_as(&errand)) {
            askers.push(asker);
            return None;
        }
        match self.admit(&errand, now) {
            Ok(timeout) => {
                self.in_flight.add(Flight::new(errand, callout, asker, timeout, host.monotonic()));
                None
            }
            Err(fault) => {
                log::debug!("{}: {fault}", errand.party());
                Some((asker, UNAVAILABLE))
            }
        }
    }

    /// Whether there are calls to make.
    pub fn has_work(&self) -> bool {
        self.in_flight.has_calls_to_make()
    }

    /// Makes the calls that wait, and gives the answers of those that could not be made. Called from the root.
    pub fn dispatch(&mut self, host: &impl Host) -> Vec<(Asker, Answer)> {
        let waiting = self.in_flight.take_calls_to_make();
        waiting.into_iter().flat_map(|flight| self.call(flight, host)).collect()
    }

    /// Whether a call that was answered is one of these.
    pub fn owns(&self, call: u32) -> bool {
        self.in_flight.owns(call)
    }

    /// Takes the answer to a call, and answers those who waited for it.
    pub fn answered(&mut self, call: u32, body_size: usize, host: &impl Host) -> Vec<(Asker, Answer)> {
        let Some(flight) = self.in_flight.take(call) else { return Vec::new() };
        let now = host.now();
        match flight.request.read(body_size, now, host) {
            Ok(Progress::Done(answer)) => self.land(flight, Ok(answer), host),
            Ok(Progress::Further(errand)) => {
                let callout = errand.callout(now);
                self.call(flight.with(errand, callout), host)
            }
            Err(fault) if may_try_again(&flight, &fault, host) => self.call(flight, host),
            Err(fault) => self.land(flight, Err(fault), host),
        }
    }

    /// Drops who waited for this stream, and calls that nobody waits for any more and that were not made yet.
    ///
    /// A call that was made goes on, since its answer tells how the directory is; and who guessed a password by it stays
    /// to be counted. What is to be remembered is, whoever is there to see it.
    pub fn forget(&mut self, ticket: Ticket) {
        let asks_only = |flight: &&mut Flight| flight.request.only_asks();
        self.in_flight.under_way().filter(asks_only).for_each(|flight| flight.forget(ticket));
        let may_drop = |flight: &&mut Flight| !flight.request.is_to_be_remembered();
        self.in_flight.to_make().filter(may_drop).for_each(|flight| flight.forget(ticket));
        for flight in self.in_flight.abandoned() {
            if let Some(state) = self.states.get_mut(&flight.request.party()) {
                state.upstream.leave();
            }
        }
    }

    fn state(&mut self, errand: &Errand) -> &mut State {
        self.states.entry(errand.party()).or_default()
    }

    fn known(&mut self, errand: &Errand, now: UnixTime) -> Option<Answer> {
        let (identifier, limits) = errand.cached()?;
        let found = self.state(errand).cache.get(identifier, limits, now)?;
        Some(Answer::Found(found))
    }

    /// How long the call may take, if it may be made.
    fn admit(&mut self, errand: &Errand, now: UnixTime) -> Result<Duration, Fault> {
        let limits = errand.limits().ok_or(Fault::NoAnswer)?;
        self.state(errand).upstream.admit(limits, now)?;
        Ok(limits.timeout)
    }

    fn call(&mut self, mut flight: Flight, host: &impl Host) -> Vec<(Asker, Answer)> {
        flight.count_try();
        match host.call(&flight.callout, flight.time_left(host.monotonic())) {
            Ok(call) => {
                self.in_flight.made(call, flight);
                Vec::new()
            }
            Err(_) => self.land(flight, Err(Fault::NoAnswer), host),
        }
    }

    fn land(&mut self, flight: Flight, result: Result<Answer, Fault>, host: &impl Host) -> Vec<(Asker, Answer)> {
        let Flight { request: errand, waiters: askers, since, .. } = flight;
        errand.party().times(&self.times).record(since, host);
        let now = host.now();
        let state = self.state(&errand);
        state.upstream.leave();
        match &result {
            Ok(answer) => state.learn(&errand, answer, now),
            Err(fault) => state.fail(&errand, fault, now),
        }
        let answer = state.with_example(result.unwrap_or(UNAVAILABLE));
        askers.into_iter().map(|asker| (asker, answer.clone())).collect()
    }
}

impl State {
    /// Where the configuration has no example of the hashes there, the last one that was seen is one.
    fn with_example(&mut self, answer: Answer) -> Answer {
        match answer {
            Answer::Found(Found::Nobody { example: None }) => {
                Answer::Found(Found::Nobody { example: self.example.clone() })
            }
            Answer::Found(Found::Account(account)) => {
                self.example = Some(Arc::clone(&account.password_hash));
                Answer::Found(Found::Account(account))
            }
            other => other,
        }
    }

    fn learn(&mut self, errand: &Errand, answer: &Answer, now: UnixTime) {
        self.upstream.succeeded();
        if let (Some((identifier, limits)), Answer::Found(found)) = (errand.cached(), answer) {
            self.cache.put(identifier, found, limits, now);
        }
    }

    fn fail(&mut self, errand: &Errand, fault: &Fault, now: UnixTime) {
        self.upstream.failed(fault, errand.limits(), now);
        if self.upstream.is_news(fault, now) {
            log::warn!("{}: {fault}", errand.party());
        }
    }
}

impl Flight {
    fn forget(&mut self, ticket: Ticket) {
        self.waiters.retain(|asker| asker.ticket != ticket);
    }
}

fn may_try_again(flight: &Flight, fault: &Fault, host: &impl Host) -> bool {
    flight.request.is_idempotent() && flight.may_try_again(fault, host.monotonic())
}
