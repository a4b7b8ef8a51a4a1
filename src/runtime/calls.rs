//! Calls to directories and to the state store: one for those who ask the same at the same time, a second try where there
//! is time, and none to whom is known to be down. They belong to the worker, so that they end even where a caller goes away.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use super::{
    host::Host,
    known::Known,
    metrics::Times,
    outbound_request::{CallProgress, OutboundRequest},
    upstream_id::UpstreamId,
    waiter::{Called, Ticket},
};
use crate::outbound::{Fault, InFlight, InFlightCall, Outgoing, UpstreamState};

/// The state of all who are asked over HTTP, in one worker.
pub(super) struct Calls {
    states: HashMap<UpstreamId, UpstreamMemory>,
    in_flight: InFlight<OutboundRequest>,
    times: Times,
}

/// The state of one of them.
#[derive(Default)]
struct UpstreamMemory {
    upstream: UpstreamState,
    known: Known,
}

impl Calls {
    /// None yet.
    pub(super) fn new(times: Times) -> Self {
        Self { states: HashMap::new(), in_flight: InFlight::default(), times }
    }

    /// Takes a question. It is answered at once where the answer is known, or where nobody can be asked.
    pub(super) fn ask(&mut self, mut errand: OutboundRequest, host: &impl Host) -> Vec<Called> {
        let now = host.monotonic();
        let party = errand.party();
        if let Some(called) = errand.known(&self.state_of(&party).known, now) {
            return called;
        }
        let Some(callout) = errand.callout(host.now()) else { return errand.nobody() };
        if errand.join(self.in_flight.requests()) {
            return Vec::new();
        }
        match self.admit(&errand, now) {
            Ok(timeout) => {
                self.in_flight.add(InFlightCall::new(errand, callout, timeout, now));
                Vec::new()
            }
            Err(fault) => {
                log::debug!("{}: {fault}", errand.party());
                errand.unavailable(&fault)
            }
        }
    }

    /// Whether there are calls to make.
    pub(super) fn has_work(&self) -> bool {
        self.in_flight.has_calls_to_make()
    }

    /// Makes the calls that wait, and gives the answers of those that could not be made.
    pub(super) fn dispatch(&mut self, host: &impl Host) -> Vec<Called> {
        let calls = self.in_flight.take_calls_to_make();
        calls.into_iter().flat_map(|InFlightCall { request, outgoing }| self.call(request, outgoing, host)).collect()
    }

    /// Whether a call that was answered is one of these.
    pub(super) fn owns(&self, call: u32) -> bool {
        self.in_flight.owns(call)
    }

    /// Takes the answer to a call, and answers those who waited for it.
    pub(super) fn answered(&mut self, call: u32, body_size: usize, host: &impl Host) -> Vec<Called> {
        let Some(InFlightCall { request, outgoing }) = self.in_flight.take(call) else { return Vec::new() };
        let party = request.party();
        match request.read(&mut self.state_of(&party).known, body_size, host) {
            CallProgress::Done(called) => {
                self.over(&party, &outgoing, host).succeeded();
                called
            }
            CallProgress::Further(errand) => {
                self.state_of(&party).upstream.succeeded();
                let callout = errand.callout(host.now());
                self.call(errand, outgoing.next(callout), host)
            }
            CallProgress::Failed(errand, fault) => {
                if errand.is_idempotent() && outgoing.may_try_again(&fault, host.monotonic()) {
                    return self.call(errand, outgoing, host);
                }
                self.fail(errand, &outgoing, &fault, host)
            }
        }
    }

    /// Drops who waited for this stream, and calls that nobody waits for any more and that were not made yet.
    ///
    /// A call that was made goes on, since its answer tells how the directory is; and who guessed a password by it stays
    /// to be counted. What is to be remembered is, whoever is there to see it.
    pub(super) fn forget(&mut self, ticket: Ticket) {
        for errand in self.in_flight.under_way().filter(|errand| errand.only_asks()) {
            errand.forget(ticket);
        }
        let is_in_vain = |errand: &mut OutboundRequest| !errand.is_to_be_remembered() && errand.forget(ticket);
        for errand in self.in_flight.drop_calls_to_make(is_in_vain) {
            if let Some(state) = self.states.get_mut(&errand.party()) {
                state.upstream.leave();
            }
        }
    }

    fn state(&mut self, errand: &OutboundRequest) -> &mut UpstreamMemory {
        self.state_of(&errand.party())
    }

    fn state_of(&mut self, party: &UpstreamId) -> &mut UpstreamMemory {
        self.states.entry(party.clone()).or_default()
    }

    /// How long the call may take, if it may be made.
    fn admit(&mut self, errand: &OutboundRequest, now: Instant) -> Result<Duration, Fault> {
        let limits = errand.limits().ok_or(Fault::NoAnswer)?;
        self.state(errand).upstream.admit(limits, now)?;
        Ok(limits.timeout)
    }

    fn call(&mut self, errand: OutboundRequest, mut outgoing: Outgoing, host: &impl Host) -> Vec<Called> {
        outgoing.count_try();
        match host.call(&outgoing.callout, outgoing.time_left(host.monotonic())) {
            Ok(call) => {
                self.in_flight.made(call, InFlightCall { request: errand, outgoing });
                Vec::new()
            }
            Err(_) => self.fail(errand, &outgoing, &Fault::NoAnswer, host),
        }
    }

    fn fail(&mut self, errand: OutboundRequest, outgoing: &Outgoing, fault: &Fault, host: &impl Host) -> Vec<Called> {
        let (party, now) = (errand.party(), host.monotonic());
        let upstream = self.over(&party, outgoing, host);
        upstream.failed(fault, errand.limits(), now);
        if upstream.is_news(fault, now) {
            log::warn!("{party}: {fault}");
        }
        errand.unavailable(fault)
    }

    /// A call is over, all of its tries included.
    fn over(&mut self, party: &UpstreamId, outgoing: &Outgoing, host: &impl Host) -> &mut UpstreamState {
        party.times(&self.times).record(outgoing.since, host);
        let upstream = &mut self.state_of(party).upstream;
        upstream.leave();
        upstream
    }
}
