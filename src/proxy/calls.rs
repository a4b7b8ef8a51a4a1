//! Calls to directories: one for those who ask the same at the same time, a second try where there is time, and none to
//! a directory that is known to be down. The root makes the calls, so that they end even where a caller goes away.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{host, worker::Ticket};
use crate::{
    crypto::password::PasswordHash,
    endpoint::{Answer, Confirm, Find, Pending},
    registry::{
        auth_source::Directory,
        remote::{Cache, CacheLimits, CallLimits, Callout, Circuit, Fault, Lookup, Verify},
        user::Found,
    },
    secret::Secret,
    time::UnixTime,
};

/// The state of all directories that are asked over HTTP, in one worker.
pub struct Directories {
    root: u32,
    states: HashMap<String, State>,
    waiting: Vec<Flight>,
    flights: HashMap<u32, Flight>,
}

/// The state of one directory.
#[derive(Default)]
struct State {
    circuit: Circuit,
    cache: Cache,
    under_way: usize,
    told: Vec<(Fault, UnixTime)>,
    example: Option<Arc<PasswordHash>>,
}

/// A question to a directory, and all who wait for its answer.
struct Flight {
    errand: Errand,
    callout: Callout,
    askers: Vec<Asker>,
    deadline: Instant,
    tries: u32,
}

/// Someone who waits for a directory.
pub struct Asker {
    pub ticket: Ticket,
    pub pending: Pending,
}

/// What a directory is asked: who someone is, or whether a password is right.
pub struct Errand {
    find: Find,
    password: Option<Secret>,
}

/// A directory that answers calls.
#[derive(Clone, Copy)]
enum Service<'a> {
    Lookup(&'a Lookup),
    Verify(&'a Verify, &'a Secret),
}

/// Calls for one question, a second try included.
const MOST_TRIES: u32 = 2;
/// For how long a fault is not told again.
const SILENCE: Duration = Duration::from_secs(60);
/// The most faults that are told in that time.
const MOST_TOLD: usize = 16;
/// A second try with less time than this would be in vain.
const LEAST_TIME: Duration = Duration::from_millis(10);
/// What those are told whose directory can't be asked.
const UNAVAILABLE: Answer = Answer::Unavailable { retry_after: 1 };

impl Directories {
    /// For the plugin whose root context is `root`, which makes the calls.
    pub fn new(root: u32) -> Self {
        Self { root, states: HashMap::new(), waiting: Vec::new(), flights: HashMap::new() }
    }

    /// Takes a question. It is answered at once where the answer is known, or where the directory can't be asked.
    pub fn ask(&mut self, errand: Errand, asker: Asker, now: UnixTime) -> Option<(Asker, Answer)> {
        if let Some(answer) = self.known(&errand, now) {
            return Some((asker, answer));
        }
        let Some(callout) = errand.callout() else { return Some((asker, errand.nobody())) };
        if let Some(flight) = self.same_question(&errand) {
            flight.askers.push(asker);
            return None;
        }
        match self.admit(&errand, now) {
            Ok(timeout) => {
                let deadline = Instant::now() + timeout;
                self.waiting.push(Flight { errand, callout, askers: vec![asker], deadline, tries: 0 });
                None
            }
            Err(fault) => {
                log::debug!("auth source {}: {fault}", errand.auth_source_id());
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
        match flight.errand.read(body_size) {
            Err(fault) if flight.may_try_again(&fault) => self.call(flight, now),
            result => self.land(flight, result, now),
        }
    }

    /// Drops who waited for this stream, and calls that nobody waits for any more and that were not made yet.
    ///
    /// A call that was made goes on, since its answer tells how the directory is; and who guessed a password by it stays
    /// to be counted.
    pub fn forget(&mut self, ticket: Ticket) {
        let lookups = self.flights.values_mut().filter(|flight| flight.errand.password.is_none());
        for flight in self.waiting.iter_mut().chain(lookups) {
            flight.askers.retain(|asker| asker.ticket != ticket);
        }
        for flight in self.waiting.extract_if(.., |flight| flight.askers.is_empty()) {
            if let Some(state) = self.states.get_mut(flight.errand.auth_source_id()) {
                state.under_way = state.under_way.saturating_sub(1);
            }
        }
    }

    fn state(&mut self, errand: &Errand) -> &mut State {
        self.states.entry(errand.auth_source_id().to_owned()).or_default()
    }

    fn known(&mut self, errand: &Errand, now: UnixTime) -> Option<Answer> {
        let found = self.state(errand).cache.get(&errand.find.identifier, errand.cache_limits()?, now)?;
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
        let Flight { errand, askers, .. } = flight;
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
        if let (Some(limits), Answer::Found(found)) = (errand.cache_limits(), answer) {
            self.cache.put(&errand.find.identifier, found, limits, now);
        }
    }

    /// A directory that answers is not down because of what one caller asked for.
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
            log::warn!("auth source {}: {fault}", errand.auth_source_id());
            self.told.push((fault.clone(), now));
        }
    }
}

impl Flight {
    fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// A lookup without effect on the directory is tried once more if the way to it failed, in the time that is left.
    fn may_try_again(&self, fault: &Fault) -> bool {
        let is_transient = matches!(fault, Fault::NoAnswer | Fault::Status(502..=504));
        is_transient && self.tries < MOST_TRIES && self.errand.is_idempotent() && self.time_left() >= LEAST_TIME
    }
}

impl Errand {
    /// Asks who someone is.
    pub fn find(find: Find) -> Self {
        Self { find, password: None }
    }

    /// Asks whether a password is right.
    pub fn confirm(confirm: Confirm) -> Self {
        Self { find: confirm.find, password: Some(confirm.password) }
    }

    fn auth_source_id(&self) -> &str {
        &self.find.auth_source.id
    }

    fn service(&self) -> Option<Service<'_>> {
        match (&self.find.auth_source.directory, &self.password) {
            (Directory::Lookup(lookup), _) => Some(Service::Lookup(lookup)),
            (Directory::Verify(verify), Some(password)) => Some(Service::Verify(verify, password)),
            _ => None,
        }
    }

    fn limits(&self) -> Option<&CallLimits> {
        match self.service()? {
            Service::Lookup(lookup) => Some(&lookup.limits),
            Service::Verify(verify, _) => Some(&verify.limits),
        }
    }

    fn cache_limits(&self) -> Option<&CacheLimits> {
        match self.service()? {
            Service::Lookup(lookup) => lookup.cache.as_ref(),
            Service::Verify(..) => None,
        }
    }

    fn is_idempotent(&self) -> bool {
        matches!(self.service(), Some(Service::Lookup(lookup)) if lookup.is_idempotent())
    }

    /// Two logins by one name ask the same; two passwords never do.
    fn is_the_same_as(&self, other: &Self) -> bool {
        let ask_no_password = self.password.is_none() && other.password.is_none();
        let ask_the_same = self.find.identifier == other.find.identifier;
        ask_no_password && ask_the_same && self.auth_source_id() == other.auth_source_id()
    }

    /// None where the directory does not have to be asked, because nobody can have that name.
    fn callout(&self) -> Option<Callout> {
        let Find { auth_source, identifier, traceparent } = &self.find;
        let traceparent = traceparent.as_deref();
        match self.service()? {
            Service::Lookup(lookup) => lookup.callout(&auth_source.id, identifier, traceparent),
            Service::Verify(verify, password) => verify.callout(&auth_source.id, identifier, password, traceparent),
        }
    }

    /// The answer where nobody has that name.
    fn nobody(&self) -> Answer {
        match self.service() {
            Some(Service::Lookup(lookup)) => Answer::Found(lookup.nobody()),
            Some(Service::Verify(..)) | None => Answer::Confirmed(None),
        }
    }

    /// What the answer at hand says.
    fn read(&self, body_size: usize) -> Result<Answer, Fault> {
        let service = self.service().ok_or(Fault::NoAnswer)?;
        let limit = self.limits().map_or(0, |limits| limits.max_response_bytes);
        let answer = host::call_answer(body_size, limit)?;
        match service {
            Service::Lookup(lookup) => lookup.read(&answer).map(Answer::Found),
            Service::Verify(verify, _) => verify.read(&answer, &self.find.identifier).map(Answer::Confirmed),
        }
    }
}
