//! Where the core's questions are answered: on the worker, a slice at a time, so that nobody else waits for a login.

use std::time::{Duration, Instant};

use super::{
    arena, audit,
    calls::{Asker, Calls},
    errand::Errand,
    host,
    memory::{Memory, Recall},
    metrics::{Gauge, Metrics},
    pacing::Pacing,
    signer::Signer,
    snapshots::Snapshots,
};
use crate::{
    config::{Configuration, HeadersHeldBy},
    crypto::password::{Budget, PasswordCheck, Progress, Verification},
    endpoint::{
        Answer, Collecting, Endpoint, Pending, Question, SigningJob, Step, about::About, cors::Page, event::Event,
    },
    http::Response,
    origin::Origin,
    registry::auth_source::Directory,
    schedule::{FairQueue, Forecast, Schedule},
    secret::Secret,
};

/// All the work of one worker thread, one piece at a time.
pub struct Worker {
    endpoint: Endpoint,
    headers_held_by: HeadersHeldBy,
    schedule: Schedule,
    signer: Signer,
    memory: Memory,
    calls: Calls,
    snapshots: Snapshots,
    metrics: Metrics,
    pacing: Pacing,
    check_pace: Pace,
    signing_pace: Pace,
    checks: FairQueue<Origin, Waiting<PasswordCheck>>,
    running: Option<Running>,
    signings: FairQueue<Origin, Waiting<SigningJob>>,
    last: Turn,
}

/// Who waits for an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// The HTTP context of the stream.
    pub exchange: u32,
    /// Where the request comes from.
    pub origin: Origin,
    /// The page that asks.
    pub page: Page,
}

struct Waiting<T> {
    ticket: Ticket,
    work: T,
    pending: Pending,
    since: Instant,
}

struct Running {
    ticket: Ticket,
    verification: Verification,
    pending: Pending,
    units: u64,
    since: Instant,
}

/// How fast one kind of work gets done, all pauses between its slices included: what a forecast of waits must know.
struct Pace {
    forecast: Forecast,
    since: Instant,
}

/// What the last slice was spent on: the two kinds of work take turns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Check,
    Signing,
    Snapshot,
}

/// Work between two looks at the clock: about 50 µs.
const STRIDE: Budget = Budget(64);
/// How long documents are read at a time.
const SNAPSHOT_SLICE: Duration = Duration::from_millis(1);
/// The most checks that wait at one time, however quick they are.
const MOST_WAITING: usize = 4096;

impl Default for Pace {
    fn default() -> Self {
        Self { forecast: Forecast::default(), since: Instant::now() }
    }
}

impl<T> Waiting<T> {
    fn new(ticket: Ticket, work: T, pending: Pending) -> Self {
        Self { ticket, work, pending, since: Instant::now() }
    }
}

impl Pace {
    /// Work comes where there was none.
    fn begin(&mut self) {
        self.since = Instant::now();
    }

    /// A piece of work is done, and the next one begins.
    fn end(&mut self, units: u64) {
        self.forecast.learn(units, self.since.elapsed());
        self.begin();
    }
}

impl Worker {
    /// A worker for this configuration, in the plugin whose root context is `root`. None if the host can't share data.
    pub fn new(root: u32, configuration: Configuration) -> Option<Self> {
        let Configuration { endpoint, schedule, attempts, etcd, shared_attempts, headers_held_by, .. } = configuration;
        let metrics = Metrics::new();
        let mut worker = Self {
            snapshots: Snapshots::new(&endpoint),
            memory: Memory::open(etcd, shared_attempts, attempts)?,
            signer: Signer::probe(endpoint.keys.published(host::now())),
            pacing: Pacing::new(root, schedule.slice, schedule.pacing_cluster.clone()),
            endpoint,
            headers_held_by,
            schedule,
            calls: Calls::new(root, metrics.times),
            metrics,
            check_pace: Pace::default(),
            signing_pace: Pace::default(),
            checks: FairQueue::default(),
            running: None,
            signings: FairQueue::default(),
            last: Turn::Signing,
        };
        Gauge::new("host_signs").show(worker.signer.is_host().into());
        worker.watch();
        Some(worker)
    }

    /// Ticks as often as documents are to be looked after.
    fn watch(&mut self) {
        if !self.snapshots.is_empty() {
            self.pacing.watch(self.snapshots.period());
        }
    }

    /// What answers.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Who holds the headers of a request while its body is on its way.
    pub fn headers_held_by(&self) -> HeadersHeldBy {
        self.headers_held_by
    }

    /// Takes a whole request. Called from its stream.
    pub fn begin(&mut self, ticket: Ticket, collecting: Collecting, body: &Secret) {
        let Some(moment) = host::moment() else { return self.give_up(ticket, collecting.about()) };
        let step = self.endpoint.begin(collecting, body, ticket.origin, moment);
        self.perform(ticket, step);
        if self.has_work() {
            self.pacing.wake();
        }
    }

    /// Drops what was to be done for a stream that is gone.
    pub fn forget(&mut self, ticket: Ticket) {
        self.checks.remove(&ticket.origin, |waiting| waiting.ticket == ticket);
        self.metrics.waiting_checks.show(self.checks.len());
        self.signings.remove(&ticket.origin, |waiting| waiting.ticket == ticket);
        self.calls.forget(ticket);
        if let Some(running) = self.running.take_if(|running| running.ticket == ticket) {
            arena::give_back(running.verification.into_arena());
        }
    }

    /// Answers a request.
    pub fn reply(&mut self, exchange: u32, page: Page, response: Response, event: &Event) {
        let response = self.endpoint.share(response, event, page);
        self.metrics.count(event);
        audit::log(event);
        let entered = host::enter(exchange).inspect(|()| audit::mark(event));
        if entered.and_then(|()| host::reply(&response)).is_err() {
            log::debug!("the caller is gone");
        }
    }

    /// The root was woken from a stream.
    pub fn on_woken(&mut self) {
        self.pacing.woken();
        self.slice();
    }

    /// The pacing cluster, a directory or the state store answered the root.
    pub fn on_call_answered(&mut self, call: u32, body_size: usize) {
        if self.snapshots.owns_call(call) {
            self.snapshots.on_answer(call, body_size);
            if self.pacing.is_resting() {
                self.slice();
            }
        } else if self.calls.owns(call) {
            let answers = self.calls.answered(call, body_size, host::now());
            self.resume_all(answers);
            if self.pacing.is_resting() {
                self.slice();
            }
        } else if self.pacing.is_due_by(call) {
            self.slice();
        }
    }

    /// The timer ticked.
    pub fn on_tick(&mut self) {
        self.snapshots.on_tick();
        self.watch();
        if self.pacing.is_due_by_tick() || self.pacing.is_resting() && self.has_work() {
            self.slice();
        }
    }

    fn perform(&mut self, ticket: Ticket, step: Step) {
        match step {
            Step::Reply(response, event) => self.reply(ticket.exchange, ticket.page, response, &event),
            Step::Ask(Question::Attempt(attempt), pending) => {
                let recall = self.memory.attempt(&attempt, host::now());
                self.recall(recall, Asker { ticket, pending });
            }
            Step::Ask(Question::State(question), pending) => {
                let recall = self.memory.state(question, host::now());
                self.recall(recall, Asker { ticket, pending });
            }
            Step::Ask(Question::Find(find), pending)
                if matches!(find.auth_source.directory, Directory::Snapshot(_)) =>
            {
                let found = self.snapshots.find(&find).map(Answer::Found);
                self.resume(ticket, pending, found.unwrap_or(Answer::Unavailable { retry_after: 1 }));
            }
            Step::Ask(Question::Find(find), pending) => self.ask(Errand::Find(find), Asker { ticket, pending }),
            Step::Ask(Question::Confirm(confirm), pending) => {
                self.ask(Errand::Confirm(confirm), Asker { ticket, pending });
            }
            Step::Ask(Question::Sign(work), pending) => self.admit_signing(Waiting::new(ticket, work, pending)),
            Step::Ask(Question::Verify(work), pending) => self.admit_check(Waiting::new(ticket, work, pending)),
        }
    }

    fn resume(&mut self, ticket: Ticket, pending: Pending, answer: Answer) {
        let Some(moment) = host::moment() else { return self.give_up(ticket, pending.about()) };
        let step = self.endpoint.resume(pending, answer, moment);
        self.perform(ticket, step);
    }

    fn recall(&mut self, recall: Recall, asker: Asker) {
        match recall {
            Recall::Known(answer) => self.resume(asker.ticket, asker.pending, answer),
            Recall::Asked(errand) => self.ask(errand, asker),
        }
    }

    fn ask(&mut self, errand: Errand, asker: Asker) {
        let answer = self.calls.ask(errand, asker, host::now());
        self.resume_all(answer);
    }

    fn resume_all(&mut self, answers: impl IntoIterator<Item = (Asker, Answer)>) {
        for (Asker { ticket, pending }, answer) in answers {
            self.resume(ticket, pending, answer);
        }
    }

    /// Queues a check, or says at once that it would wait too long.
    fn admit_check(&mut self, waiting: Waiting<PasswordCheck>) {
        let wait = self.predicted_wait(&waiting);
        if wait > self.schedule.max_wait || self.checks.len() >= MOST_WAITING {
            return self.turn_away(waiting, wait);
        }
        if self.running.is_none() && self.checks.is_empty() {
            self.check_pace.begin();
        }
        self.checks.push(waiting.ticket.origin, waiting);
        self.metrics.waiting_checks.show(self.checks.len());
    }

    /// Queues a signature, or says at once that it would wait too long.
    fn admit_signing(&mut self, waiting: Waiting<SigningJob>) {
        let ahead = u64::try_from(self.signings.ahead_of(&waiting.ticket.origin)).unwrap_or(u64::MAX);
        let wait = self.signing_pace.forecast.duration(ahead);
        if wait > self.schedule.max_wait || self.signings.len() >= MOST_WAITING {
            return self.turn_away(waiting, wait);
        }
        if self.signings.is_empty() {
            self.signing_pace.begin();
        }
        self.signings.push(waiting.ticket.origin, waiting);
    }

    fn turn_away<T>(&mut self, waiting: Waiting<T>, wait: Duration) {
        let retry_after = wait.as_secs().max(1);
        self.resume(waiting.ticket, waiting.pending, Answer::Unavailable { retry_after });
    }

    /// How long the check would wait for its turn, if those ahead of it cost as much as itself.
    fn predicted_wait(&self, waiting: &Waiting<PasswordCheck>) -> Duration {
        let ahead = self.checks.ahead_of(&waiting.ticket.origin) + usize::from(self.running.is_some());
        let ahead = u64::try_from(ahead).unwrap_or(u64::MAX);
        self.check_pace.forecast.duration(waiting.work.hash().work().saturating_mul(ahead))
    }

    fn has_work(&self) -> bool {
        let has_checks = self.running.is_some() || !self.checks.is_empty();
        has_checks || !self.signings.is_empty() || self.calls.has_work() || self.snapshots.has_work()
    }

    /// One turn of work, and the arrangement for the next.
    fn slice(&mut self) {
        let undone = self.calls.dispatch(host::now());
        self.resume_all(undone);
        let others = self.running.is_some() || !self.checks.is_empty() || !self.signings.is_empty();
        if self.snapshots.has_work() && !(others && self.last == Turn::Snapshot) {
            self.last = Turn::Snapshot;
            self.snapshots.slice(Instant::now() + SNAPSHOT_SLICE);
        } else {
            self.work();
        }
        if self.has_work() {
            self.pacing.go_on();
        } else {
            self.pacing.rest();
        }
    }

    fn work(&mut self) {
        let no_check = self.running.is_none() && self.checks.is_empty();
        let may_sign = no_check || self.last != Turn::Signing;
        match may_sign.then(|| self.signings.pop()).flatten() {
            Some(signing) => self.sign(signing),
            None => self.check(),
        }
    }

    fn sign(&mut self, signing: Waiting<SigningJob>) {
        self.last = Turn::Signing;
        self.metrics.times.signing_queue.record(signing.since);
        let start = Instant::now();
        let answer = self.signer.sign(&signing.work);
        self.metrics.times.signing.record(start);
        self.signing_pace.end(1);
        self.resume(signing.ticket, signing.pending, answer);
    }

    fn check(&mut self) {
        self.last = Turn::Check;
        let start = Instant::now();
        while start.elapsed() < self.schedule.slice {
            let Some(mut running) = self.running.take().or_else(|| self.start_next()) else { return };
            match running.verification.advance(STRIDE) {
                Progress::Working => self.running = Some(running),
                Progress::Done { matches } => return self.finish(running, matches),
            }
        }
    }

    fn start_next(&mut self) -> Option<Running> {
        let Waiting { ticket, work, pending, since } = self.checks.pop()?;
        self.metrics.waiting_checks.show(self.checks.len());
        self.metrics.times.check_queue.record(since);
        let units = work.hash().work();
        let Some(arena) = arena::borrow(work.hash().memory()) else {
            log::warn!("the VM has no memory for a password check");
            self.resume(ticket, pending, Answer::Unavailable { retry_after: 1 });
            return None;
        };
        let verification = work.start(arena);
        Some(Running { ticket, verification, pending, units, since: Instant::now() })
    }

    fn finish(&mut self, running: Running, matches: bool) {
        arena::give_back(running.verification.into_arena());
        self.check_pace.end(running.units);
        self.metrics.times.check.record(running.since);
        self.resume(running.ticket, running.pending, Answer::Verified(matches));
    }

    /// Without entropy nothing can be issued.
    fn give_up(&mut self, ticket: Ticket, about: About) {
        log::error!("the host gives no entropy");
        let (response, event) = Endpoint::unavailable(about);
        self.reply(ticket.exchange, ticket.page, response, &event);
    }
}
