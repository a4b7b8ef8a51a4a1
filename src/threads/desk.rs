//! Which check is next and whose it is, with no thread and no clock in it.

use std::{
    cmp,
    sync::Arc,
    time::{Duration, Instant},
};

use super::job::Job;
use crate::{
    crypto::password::PasswordCheck,
    origin::Origin,
    runtime::{QueuedCheck, QueuedWork, WorkQueue},
    schedule::ThreadSettings,
};

/// What waits, what is being done, and by how many.
pub(super) struct Desk {
    queue: WorkQueue<PasswordCheck, Job>,
    begun: Vec<StartedCheck>,
    settings: ThreadSettings,
    /// How many patient threads there may be, and are, and have nothing to do.
    threads: usize,
    patient: usize,
    idle: usize,
    has_floor: bool,
    /// When a patient thread last began or ended a check.
    progress: Instant,
    /// What a unit takes where nobody is in the way.
    nanos_per_unit: f64,
    next: u64,
}

/// A check that is being done.
#[derive(Clone)]
pub(super) struct StartedCheck {
    /// Which: one check may be done by two, and the first to end it has ended it.
    id: u64,
    pub(super) check: Arc<PasswordCheck>,
    job: Job,
    units: u64,
    waited: Duration,
    since: Instant,
    is_rescued: bool,
}

/// What the floor's thread finds.
pub(super) enum Watch {
    /// This is left undone.
    Undone(StartedCheck),
    /// Nothing before then.
    Until(Instant),
    /// There is nothing to watch over.
    Nothing,
}

/// So many times what a check takes where nobody is in the way, and so long, is too long.
const PATIENCE: u32 = 4;
const GRACE: Duration = Duration::from_millis(20);
/// What a unit takes at first.
const NANOS_PER_UNIT: f64 = 500.0;
/// How much slower than the fastest that was seen a check may be taken for, each time.
const DRIFT: f64 = 1.01;

impl Desk {
    pub(super) fn new(settings: ThreadSettings, threads: usize, now: Instant) -> Self {
        Self {
            queue: WorkQueue::new(Duration::ZERO, now),
            begun: Vec::new(),
            settings,
            threads,
            patient: 0,
            idle: 0,
            has_floor: false,
            progress: now,
            nanos_per_unit: NANOS_PER_UNIT,
            next: 0,
        }
    }

    pub(super) fn set(&mut self, settings: ThreadSettings, threads: usize) {
        (self.settings, self.threads) = (settings, threads);
    }

    pub(super) fn settings(&self) -> ThreadSettings {
        self.settings
    }

    /// Queues a check, or says how long it would wait.
    pub(super) fn admit(
        &mut self,
        job: Job,
        check: QueuedCheck,
        max_wait: Duration,
        now: Instant,
    ) -> Result<(), Duration> {
        let standing = check.standing();
        let running = self.begun.iter().map(|begun| begun.units).reduce(u64::saturating_add);
        self.queue.allow(max_wait);
        let waiting = QueuedWork { work: check.check, waiter: job, since: now };
        self.queue.admit(standing, waiting, running).map_err(|turned_away| turned_away.wait)
    }

    /// Drops what has not begun. How many that were.
    pub(super) fn forget(&mut self, origin: &Origin, is_unwanted: impl Fn(&Job) -> bool) -> usize {
        let before = self.queue.len();
        self.queue.forget(origin, is_unwanted);
        before - self.queue.len()
    }

    /// The next check, for a patient thread.
    pub(super) fn next(&mut self, now: Instant) -> Option<StartedCheck> {
        let begun = self.begin(now)?;
        self.progress = now;
        Some(begun)
    }

    fn begin(&mut self, now: Instant) -> Option<StartedCheck> {
        let QueuedWork { work, waiter, since } = self.queue.pop()?;
        waiter.begins();
        let (id, units, check) = (self.next, work.hash().work(), Arc::new(work));
        self.next = self.next.wrapping_add(1);
        let waited = now.saturating_duration_since(since);
        let begun = StartedCheck { id, check, job: waiter, units, waited, since: now, is_rescued: false };
        self.begun.push(begun.clone());
        Some(begun)
    }

    /// A check is over. None if somebody else has ended it before.
    pub(super) fn end(&mut self, StartedCheck { id, .. }: &StartedCheck, now: Instant) -> Option<StartedCheck> {
        let at = self.begun.iter().position(|begun| begun.id == *id)?;
        let ended = self.begun.swap_remove(at);
        self.queue.done(ended.units, now);
        Some(ended)
    }

    /// A patient thread has done a check, in this time.
    pub(super) fn learn(&mut self, StartedCheck { units, since, .. }: &StartedCheck, now: Instant) {
        self.progress = now;
        let took = now.saturating_duration_since(*since);
        let measured = took.as_nanos() as f64 / cmp::max(*units, 1) as f64;
        self.nanos_per_unit = (self.nanos_per_unit * DRIFT).min(measured);
    }

    /// What patient threads have left undone for too long: a check that one has begun, or the head of a queue that does not move.
    pub(super) fn watch(&mut self, now: Instant) -> Watch {
        let due = |begun: &StartedCheck| begun.since + self.patience(begun.units);
        let oldest = self.begun.iter().filter(|begun| !begun.is_rescued).min_by_key(|begun| due(begun));
        let rescue = oldest.map(|begun| (due(begun), begun.id));
        let head = self.head_is_due();
        match (rescue, head) {
            (Some((due, id)), _) if due <= now => self.rescue(id).map_or(Watch::Nothing, Watch::Undone),
            (_, Some(due)) if due <= now => self.begin(now).map_or(Watch::Nothing, |begun| self.taken(begun)),
            (Some((due, _)), Some(other)) => Watch::Until(due.min(other)),
            (Some((due, _)), None) | (None, Some(due)) => Watch::Until(due),
            (None, None) => Watch::Nothing,
        }
    }

    fn rescue(&mut self, id: u64) -> Option<StartedCheck> {
        let begun = self.begun.iter_mut().find(|begun| begun.id == id)?;
        begun.is_rescued = true;
        Some(begun.clone())
    }

    fn taken(&mut self, begun: StartedCheck) -> Watch {
        self.rescue(begun.id).map_or(Watch::Nothing, Watch::Undone)
    }

    /// When the head of the queue has waited for longer than the check before it may take.
    fn head_is_due(&self) -> Option<Instant> {
        let since = self.queue.waits_since()?;
        let longest = self.begun.iter().map(|begun| begun.units).max().unwrap_or_default();
        Some(since.max(self.progress) + self.patience(longest))
    }

    fn patience(&self, units: u64) -> Duration {
        Duration::from_nanos((self.nanos_per_unit * units as f64) as u64) * PATIENCE + GRACE
    }

    /// Whether nothing waits and nothing is being done.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.begun.is_empty()
    }

    /// Whether one more patient thread is to begin: more wait than threads have nothing to do, and may not have woken up yet.
    pub(super) fn hires_patient(&mut self) -> bool {
        let hires = self.queue.len() > self.idle && self.patient < self.threads;
        self.patient += usize::from(hires);
        hires
    }

    /// Whether the floor's thread is to begin.
    pub(super) fn hires_floor(&mut self) -> bool {
        !std::mem::replace(&mut self.has_floor, true)
    }

    /// A patient thread has nothing to do.
    pub(super) fn rests(&mut self) {
        self.idle += 1;
    }

    /// A patient thread looks for work again.
    pub(super) fn returns(&mut self) {
        self.idle -= 1;
    }

    /// Whether there are more patient threads than there are to be.
    pub(super) fn has_too_many(&self) -> bool {
        self.patient > self.threads
    }

    pub(super) fn patient_left(&mut self) {
        self.patient -= 1;
    }

    pub(super) fn floor_left(&mut self) {
        self.has_floor = false;
    }
}

impl StartedCheck {
    /// Tells who waits for it.
    pub(super) fn report(&self, matches: Option<bool>, now: Instant) {
        self.job.report(matches, self.waited, now.saturating_duration_since(self.since));
    }
}
