//! All the work of one worker: events come in, the core's questions are answered here, and the host does what is left.

mod ask;

use std::rc::Rc;

use super::{
    audit,
    calls::Calls,
    check_threads::CheckDone,
    checked::Checked,
    checks::Checks,
    host::Host,
    memory::Memory,
    metrics::{Gauge, Metrics},
    pacing::Pacing,
    signature_checks::{Recognized, SignatureChecks},
    signings::{FinishedSigning, Signings},
    snapshots::Snapshots,
    thread_state::ThreadState,
    waiter::{Called, Ticket, Waiter},
};
use crate::{
    config::{Configuration, HeadersHeldBy},
    endpoint::{
        AfterCheckSignature, AfterSign, Collecting, Endpoint, Step, Unavailable, Verifying, cors::CorsOrigin,
        event::Event, request_context::RequestContext,
    },
    http::Response,
    secret::Secret,
};

/// One plugin in one worker thread.
pub struct Worker<H: Host> {
    host: H,
    thread: Rc<ThreadState>,
    endpoint: Endpoint,
    headers_held_by: HeadersHeldBy,
    memory: Memory,
    calls: Calls,
    snapshots: Snapshots,
    checks: Checks<Waiter<Verifying>>,
    signings: Signings<Waiter<AfterSign>>,
    signature_checks: SignatureChecks<Waiter<AfterCheckSignature>>,
    metrics: Metrics,
    pacing: Pacing,
    last: Turn,
}

/// What the last slice was spent on: the kinds of work take turns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Check,
    Signing,
    Snapshot,
}

impl<H: Host> Worker<H> {
    /// A worker for this configuration. None if the host can't share values.
    pub(crate) fn new(host: H, thread: Rc<ThreadState>, configuration: Configuration) -> Option<Self> {
        let Configuration { endpoint, schedule, attempts, etcd, shared_attempts, headers_held_by, .. } = configuration;
        let metrics = Metrics::new(&host);
        let snapshots = Snapshots::new(&endpoint, &thread.sources, &host);
        let memory = Memory::open(etcd, shared_attempts, attempts, &host)?;
        let signings = Signings::new(schedule.max_wait, endpoint.keys.published(host.now()), &host);
        let signature_checks = SignatureChecks::new(schedule.max_wait, endpoint.keys.published(host.now()), &host);
        Gauge::new("host_signs", &host).show(signings.are_by_host().into(), &host);
        Gauge::new("host_verifies", &host).show(signature_checks.keys_of_host(), &host);
        let mut worker = Self {
            checks: Checks::new(&schedule, &host),
            calls: Calls::new(metrics.times),
            pacing: Pacing::new(schedule.slice, schedule.pacing_cluster),
            host,
            thread,
            endpoint,
            headers_held_by,
            memory,
            snapshots,
            signings,
            signature_checks,
            metrics,
            last: Turn::Signing,
        };
        worker.watch();
        Some(worker)
    }

    /// Ticks as often as documents are to be looked after.
    fn watch(&mut self) {
        if !self.snapshots.is_empty() {
            self.pacing.watch(self.snapshots.period(), &self.host);
        }
    }

    /// What it runs in.
    pub fn host(&self) -> &H {
        &self.host
    }

    /// What answers.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Who holds the headers of a request while its body is on its way.
    pub(crate) fn headers_held_by(&self) -> HeadersHeldBy {
        self.headers_held_by
    }

    /// Takes a whole request. Called from its stream.
    pub(crate) fn begin(&mut self, ticket: Ticket, collecting: Collecting, body: &Secret) {
        let Some(moment) = self.host.moment() else { return self.give_up(ticket, collecting.about()) };
        let step = self.endpoint.begin(collecting, body, ticket.origin, moment);
        self.perform(ticket, step);
        self.go_on();
    }

    /// Goes on soon, where there is work and nothing else will.
    fn go_on(&mut self) {
        if self.has_work() {
            self.pacing.wake(&self.host);
        }
    }

    /// Drops what was to be done for a stream that is gone.
    pub(crate) fn forget(&mut self, ticket: Ticket) {
        let (arena, metrics) = (&self.thread.arena, &mut self.metrics);
        self.checks.forget(&ticket.origin, |waiter| waiter.ticket == ticket, arena, metrics, &self.host);
        self.signings.forget(&ticket.origin, |waiter| waiter.ticket == ticket);
        self.signature_checks.forget(&ticket.origin, |waiter| waiter.ticket == ticket);
        self.calls.forget(ticket);
    }

    /// Answers a request.
    pub(crate) fn reply(&mut self, exchange: u32, page: CorsOrigin, response: Response, event: &Event) {
        let response = self.endpoint.share(response, event, page);
        self.metrics.count(event, &self.host);
        audit::log(event);
        if self.host.answer(exchange, &response, &audit::notes(event)).is_err() {
            log::debug!("the caller is gone");
        }
    }

    /// It was woken from a stream.
    pub fn on_woken(&mut self) {
        self.slice();
    }

    /// A call was answered, and the host has the answer at hand.
    pub fn on_call_answered(&mut self, call: u32, body_size: usize) {
        if self.snapshots.owns_call(call) {
            self.snapshots.on_answer(call, body_size, &self.host);
            self.slice_if_resting();
        } else if self.calls.owns(call) {
            let called = self.calls.answered(call, body_size, &self.host);
            self.resume_all(called);
            self.slice_if_resting();
        } else if self.pacing.on_answer(call, &self.host) {
            self.slice();
        }
    }

    /// A thread is done with a password check.
    pub fn on_check_done(&mut self, done: &CheckDone) {
        let checked = self.checks.done(done, &mut self.metrics, &self.host);
        self.checked(checked);
        self.go_on();
    }

    /// The timer ticked.
    pub fn on_tick(&mut self) {
        self.snapshots.on_tick(&self.host);
        self.watch();
        if self.pacing.on_tick(&self.host) || self.pacing.is_resting() && self.has_work() {
            self.slice();
        }
    }

    fn slice_if_resting(&mut self) {
        if self.pacing.is_resting() {
            self.slice();
        }
    }

    fn perform(&mut self, ticket: Ticket, step: Step) {
        match step {
            Step::Reply(response, event) => self.reply(ticket.exchange, ticket.page, response, &event),
            Step::Ask(effect) => self.ask(ticket, effect),
        }
    }

    fn resume(&mut self, called: Called) {
        let ticket = called.ticket();
        let Some(moment) = self.host.moment() else { return self.give_up(ticket, called.about()) };
        let step = called.resume(&self.endpoint, moment);
        self.perform(ticket, step);
    }

    fn resume_all(&mut self, called: Vec<Called>) {
        called.into_iter().for_each(|called| self.resume(called));
    }

    fn has_work(&self) -> bool {
        self.has_requests() || self.calls.has_work() || self.snapshots.has_work()
    }

    /// Whether there is work that a caller waits for.
    fn has_requests(&self) -> bool {
        self.checks.has_work() || self.signings.has_work() || self.signature_checks.has_work()
    }

    /// One turn of work, and the arrangement for the next.
    fn slice(&mut self) {
        let undone = self.calls.dispatch(&self.host);
        self.resume_all(undone);
        if self.snapshots.has_work() && !(self.has_requests() && self.last == Turn::Snapshot) {
            self.last = Turn::Snapshot;
            self.snapshots.slice(&self.host);
        } else {
            self.work();
        }
        if self.has_work() {
            self.pacing.go_on(&self.host);
        } else {
            self.pacing.rest(&self.host);
        }
    }

    /// A signature, made or checked, and a slice of a password check take turns.
    fn work(&mut self) {
        if self.checks.has_work() && self.last == Turn::Signing {
            return self.check();
        }
        if let Some(signed) = self.signings.work(&self.metrics, &self.host) {
            return self.signed(signed);
        }
        match self.signature_checks.work(&self.host) {
            Some(recognized) => self.recognized(recognized),
            None => self.check(),
        }
    }

    fn recognized(&mut self, Recognized { waiter, is_good }: Recognized<Waiter<AfterCheckSignature>>) {
        self.last = Turn::Signing;
        self.resume(waiter.ready(Ok(is_good)));
    }

    fn signed(&mut self, FinishedSigning { waiter, signature }: FinishedSigning<Waiter<AfterSign>>) {
        self.last = Turn::Signing;
        self.resume(waiter.ready(signature.ok_or(Unavailable::SOON)));
    }

    fn check(&mut self) {
        self.last = Turn::Check;
        let checked = self.checks.work(&self.thread.arena, &mut self.metrics, &self.host);
        self.checked(checked);
    }

    fn checked(&mut self, checked: Option<Checked<Waiter<Verifying>>>) {
        if let Some(Checked { waiter, matches }) = checked {
            self.resume(waiter.ready(matches.ok_or(Unavailable::SOON)));
        }
    }

    /// Without entropy nothing can be issued.
    fn give_up(&mut self, ticket: Ticket, about: RequestContext) {
        log::error!("the host gives no entropy");
        let (response, event) = Endpoint::unavailable(about);
        self.reply(ticket.exchange, ticket.page, response, &event);
    }
}

impl<H: Host> Drop for Worker<H> {
    /// A worker that ends leaves nothing behind in what all workers show together.
    fn drop(&mut self) {
        self.metrics.waiting_checks.show(0, &self.host);
    }
}
