//! Calls to directories and to the state store: one for those who ask the same at the same time, a second try where there
//! is time, and none to whom is known to be down. The root makes the calls, so that they end even where a caller goes away.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    errand::{Errand, Party, Progress},
    host,
    metrics::Times,
    worker::Ticket,
};
use crate::{
    crypto::password::PasswordHash,
    endpoint::{Answer, Pending},
    registry::{
        remote::{Cache, Callout, Circuit, Fault},
        user::Found,
    },
    time::UnixTime,
};

/// The state of all who are asked over HTTP, in one worker.
pub struct Calls {
    root: u32,
    states: HashMap<Party, State>,
    waiting: Vec<Flight>,
    flights: HashMap<u32, Flight>,
    times: Times,
}

/// The state of one of them.
#[derive(Default)]
struct State {
    circuit: Circuit,
    cache: Cache,
    under_way: usize,
    told: Vec<(Fault, UnixTime)>,
    example: Option<Arc<PasswordHash>>,
}

/// A question, and all who wait for its answer.
struct Flight {
    errand: Errand,
    callout: Callout,
    askers: Vec<Asker>,
    since: Instant,
    deadline: Instant,
    tries: u32,
}

/// Someone who waits for an answer.
pub struct Asker {
    pub ticket: Ticket,
    pub pending: Pending,
}

/// Calls for one question, a second try included.
const MOST_TRIES: u32 = 2;
/// For how long a fault is not told again.
const SILENCE: Duration = Duration::from_secs(60);
/// The most faults that are told in that time.
const MOST_TOLD: usize = 16;
/// A second try with less time than this would be in vain.
const LEAST_TIME: Duration = Duration::from_millis(10);
/// What is told where nobody can be asked.
const UNAVAILABLE: Answer = Answer::Unavailable { retry_after: 1 };

impl Calls {
    /// For the plugin whose root context is `root`, which makes the calls.
    pub fn new(root: u32, times: Times) -> Self {
        Self { root, states: HashMap::new(), waiting: Vec::new(), flights: HashMap::new(), times }
    }

    /// Takes a question. It is answered at once where the answer is known, or where nobody can be asked.
    pub fn ask(&mut self, errand: Errand, asker: Asker, now: UnixTime) -> Option<(Asker, Answer)> {
        if let Some(answer) = self.known(&errand, now) {
            return Some((asker, answer));
        }
        let Some(callout) = errand.callout(now) else { return Some((asker, errand.nobody())) };
        if let Some(flight) = self.same_question(&errand) {
            flight.askers.push(asker);
            return None;
        }
        match self.admit(&errand, now) {
            Ok(timeout) => {
                let since = Instant::now();
                let (askers, deadline) = (vec![asker], since + timeout);
                self.waiting.push(Flight { errand, callout, askers, since, deadline, tries: 0 });
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
        !self.waiting.is_empty()
    }

    /// Makes the calls that wait, and gives the answers of those that could not be made. Called from the root.
    pub fn dispatch(&mut self, now: UnixTime) -> Vec<(Asker, Answer)> {
        let waiting = std::mem::take(&mut self.waiting);
        waiting.into_iter().flat_map(|flight| self.call(flight, now)).collect()
    }

    /// Whether a call that was answered is one of these.
    pub fn owns(&self, call: u32) -> bool {
        self.flights.contains_key(&call)
    }

    /// Takes the answer to a call, and answers those who waited for it.
    pub fn answered(&mut self, call: u32, body_size: usize, now: UnixTime) -> Vec<(Asker, Answer)> {
        let Some(flight) = self.flights.remove(&call) else { return Vec::new() };
        match flight.errand.read(body_size, now) {
            Ok(Progress::Done(answer)) => self.land(flight, Ok(answer), now),
            Ok(Progress::Further(errand)) => self.call(flight.with(errand, now), now),
            Err(fault) if flight.may_try_again(&fault) => self.call(flight, now),
            Err(fault) => self.land(flight, Err(fault), now),
        }
    }

    /// Drops who waited for this stream, and calls that nobody waits for any more and that were not made yet.
    ///
    /// A call that was made goes on, since its answer tells how the directory is; and who guessed a password by it stays
    /// to be counted. What is to be remembered is, whoever is there to see it.
    pub fn forget(&mut self, ticket: Ticket) {
        let under_way = self.flights.values_mut().filter(|flight| flight.errand.only_asks());
        let waiting = self.waiting.iter_mut().filter(|flight| !flight.errand.is_to_be_remembered());
        for flight in waiting.chain(under_way) {
            flight.askers.retain(|asker| asker.ticket != ticket);
        }
        for flight in self.waiting.extract_if(.., |flight| flight.askers.is_empty()) {
            if let Some(state) = self.states.get_mut(&flight.errand.party()) {
                state.under_way = state.under_way.saturating_sub(1);
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

    fn same_question(&mut self, errand: &Errand) -> Option<&mut Flight> {
        let mut flights = self.waiting.iter_mut().chain(self.flights.values_mut());
        flights.find(|flight| flight.errand.is_the_same_as(errand))
    }

    /// How long the call may take, if it may be made.
    fn admit(&mut self, errand: &Errand, now: UnixTime) -> Result<Duration, Fault> {
        let limits = errand.limits().ok_or(Fault::NoAnswer)?;
        let state = self.state(errand);
        if state.under_way >= limits.max_concurrent {
            return Err(Fault::Busy);
        }
        if !state.circuit.lets_through(limits, now) {
            return Err(Fault::Open);
        }
        state.under_way += 1;
        Ok(limits.timeout)
    }

    fn call(&mut self, mut flight: Flight, now: UnixTime) -> Vec<(Asker, Answer)> {
        flight.tries += 1;
        match host::enter(self.root).and_then(|()| host::call(&flight.callout, flight.time_left())) {
            Ok(call) => {
                self.flights.insert(call, flight);
                Vec::new()
            }
            Err(_) => self.land(flight, Err(Fault::NoAnswer), now),
        }
    }

    fn land(&mut self, flight: Flight, result: Result<Answer, Fault>, now: UnixTime) -> Vec<(Asker, Answer)> {
        let Flight { errand, askers, since, .. } = flight;
        errand.party().times(&self.times).record(since);
        let state = self.state(&errand);
        state.under_way = state.under_way.saturating_sub(1);
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
        self.circuit.succeeded();
        if let (Some((identifier, limits)), Answer::Found(found)) = (errand.cached(), answer) {
            self.cache.put(identifier, found, limits, now);
        }
    }

    /// Who answers is not down because of what one caller asked for.
    fn fail(&mut self, errand: &Errand, fault: &Fault, now: UnixTime) {
        match errand.limits() {
            Some(limits) if fault.counts_for_circuit() => self.circuit.failed(limits, now),
            _ => self.circuit.succeeded(),
        }
        self.tell(errand, fault, now);
    }

    /// Logs a fault, but not again and again, however callers and faults alternate.
    fn tell(&mut self, errand: &Errand, fault: &Fault, now: UnixTime) {
        self.told.retain(|(_, since)| now < since.after(SILENCE));
        let is_new = self.told.iter().all(|(told, _)| told != fault);
        if is_new && self.told.len() < MOST_TOLD {
            log::warn!("{}: {fault}", errand.party());
            self.told.push((fault.clone(), now));
        }
    }
}

impl Flight {
    /// Goes on with what is to be asked next.
    fn with(self, errand: Errand, now: UnixTime) -> Self {
        let callout = errand.callout(now).unwrap_or(self.callout);
        Self { errand, callout, tries: 0, ..self }
    }

    fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// What may be sent twice is tried once more if the way there failed, in the time that is left.
    fn may_try_again(&self, fault: &Fault) -> bool {
        let is_transient = matches!(fault, Fault::NoAnswer | Fault::Status(502..=504));
        is_transient && self.tries < MOST_TRIES && self.errand.is_idempotent() && self.time_left() >= LEAST_TIME
    }
}
