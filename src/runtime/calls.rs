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
    pub(super) fn ask(&mut self, mut request: OutboundRequest, host: &impl Host) -> Vec<Called> {
        let now = host.monotonic();
        let upstream_id = request.upstream_id();
        if let Some(called) = request.known(&self.state_of(&upstream_id).known, now) {
            return called;
        }
        let Some(callout) = request.callout(host.now()) else { return request.nobody() };
        if request.join(self.in_flight.requests()) {
            return Vec::new();
        }
        match self.admit(&request, now) {
            Ok(timeout) => {
                self.in_flight.add(InFlightCall::new(request, callout, timeout, now));
                Vec::new()
            }
            Err(fault) => {
                log::debug!("{}: {fault}", request.upstream_id());
                request.unavailable(&fault)
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
        let upstream_id = request.upstream_id();
        match request.read(&mut self.state_of(&upstream_id).known, body_size, host) {
            CallProgress::Done(called) => {
                self.over(&upstream_id, &outgoing, host).succeeded();
                called
            }
            CallProgress::Further(request) => {
                self.state_of(&upstream_id).upstream.succeeded();
                let callout = request.callout(host.now());
                self.call(request, outgoing.next(callout), host)
            }
            CallProgress::Failed(request, fault) => {
                if request.is_idempotent() && outgoing.may_try_again(&fault, host.monotonic()) {
                    return self.call(request, outgoing, host);
                }
                self.fail(request, &outgoing, &fault, host)
            }
        }
    }

    /// Drops who waited for this stream, and calls that nobody waits for any more and that were not made yet.
    ///
    /// A call that was made goes on, since its answer tells how the directory is; and who guessed a password by it stays
    /// to be counted. What is to be remembered is, whoever is there to see it.
    pub(super) fn forget(&mut self, ticket: Ticket) {
        for request in self.in_flight.under_way().filter(|request| request.only_asks()) {
            request.forget(ticket);
        }
        let is_in_vain = |request: &mut OutboundRequest| !request.is_to_be_remembered() && request.forget(ticket);
        for request in self.in_flight.drop_calls_to_make(is_in_vain) {
            if let Some(state) = self.states.get_mut(&request.upstream_id()) {
                state.upstream.leave();
            }
        }
    }

    fn state(&mut self, request: &OutboundRequest) -> &mut UpstreamMemory {
        self.state_of(&request.upstream_id())
    }

    fn state_of(&mut self, upstream_id: &UpstreamId) -> &mut UpstreamMemory {
        self.states.entry(upstream_id.clone()).or_default()
    }

    /// How long the call may take, if it may be made.
    fn admit(&mut self, request: &OutboundRequest, now: Instant) -> Result<Duration, Fault> {
        let limits = request.limits().ok_or(Fault::NoAnswer)?;
        let most = if request.comes_second() { limits.most_of_second() } else { limits.max_concurrent };
        self.state(request).upstream.admit(limits, most, now)?;
        Ok(limits.timeout)
    }

    fn call(&mut self, request: OutboundRequest, mut outgoing: Outgoing, host: &impl Host) -> Vec<Called> {
        outgoing.count_try();
        match host.call(&outgoing.callout, outgoing.time_left(host.monotonic())) {
            Ok(call) => {
                self.in_flight.made(call, InFlightCall { request, outgoing });
                Vec::new()
            }
            Err(_) => self.fail(request, &outgoing, &Fault::NoAnswer, host),
        }
    }

    fn fail(&mut self, request: OutboundRequest, outgoing: &Outgoing, fault: &Fault, host: &impl Host) -> Vec<Called> {
        let (upstream_id, now) = (request.upstream_id(), host.monotonic());
        let upstream = self.over(&upstream_id, outgoing, host);
        upstream.failed(fault, request.limits(), now);
        if upstream.is_news(fault, now) {
            log::warn!("{upstream_id}: {fault}");
        }
        request.unavailable(fault)
    }

    /// A call is over, all of its tries included.
    fn over(&mut self, upstream_id: &UpstreamId, outgoing: &Outgoing, host: &impl Host) -> &mut UpstreamState {
        upstream_id.times(&self.times).record(outgoing.since, host);
        let upstream = &mut self.state_of(upstream_id).upstream;
        upstream.leave();
        upstream
    }
}
