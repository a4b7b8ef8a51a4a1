//! Password checks on threads of the process: one pool for all its workers, listeners and configurations.
//!
//! No single priority is right. Threads that go behind all else never hurt other requests, and starve where a core is full; equal
//! ones take half of it. So patient threads (`nice` 19) do the work as long as it gets done, and one without niceness, in slices
//! with pauses, does what they don't get to: logins have a floor, and others never lose more than that share.

mod desk;
mod floor;
mod patient;

use std::{
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use self::desk::Desk;
use crate::{
    origin::Origin,
    runtime::{CheckDone, CheckThreads, QueuedCheck},
    schedule::ThreadSettings,
};

/// The threads, and the checks that wait for them. A copy is the same pool.
#[derive(Clone)]
pub struct CheckPool(Arc<Shared>);

/// Takes the results of one worker's checks, on the thread that made them.
pub type CheckReport = Arc<dyn Fn(CheckDone) + Send + Sync>;

/// One worker's part in a pool.
pub struct PoolWorker {
    pool: CheckPool,
    share: Arc<Share>,
}

struct Shared {
    desk: Mutex<Desk>,
    /// There is a check to begin with.
    patient: Condvar,
    /// There is something to watch over.
    floor: Condvar,
    /// Makes the thread that calls it go behind all else, as far as it is told.
    lower: fn(niceness: u8),
}

/// What is one worker's.
struct Share {
    report: CheckReport,
    waiting: AtomicUsize,
}

/// A check that somebody waits for.
#[derive(Clone)]
struct Job {
    number: u64,
    share: Arc<Share>,
}

/// A thread without work ends after this time, and its memory with it.
const IDLE: Duration = Duration::from_secs(60);

impl CheckPool {
    /// No threads yet: they begin with the work. `lower` makes the thread that calls it go behind all else, by its niceness.
    pub fn new(settings: ThreadSettings, threads: usize, lower: fn(niceness: u8)) -> Self {
        let desk = Mutex::new(Desk::new(settings, threads, Instant::now()));
        Self(Arc::new(Shared { desk, patient: Condvar::new(), floor: Condvar::new(), lower }))
    }

    /// From now on by these settings.
    pub fn set(&self, settings: ThreadSettings, threads: usize) {
        self.0.desk().set(settings, threads);
    }

    /// The part of a worker, whose checks are reported so.
    pub fn worker(&self, report: CheckReport) -> PoolWorker {
        let share = Arc::new(Share { report, waiting: AtomicUsize::new(0) });
        PoolWorker { pool: self.clone(), share }
    }

    fn begin_threads(&self, desk: &mut Desk) {
        if desk.hires_patient() {
            let shared = Arc::clone(&self.0);
            begin("password-check", move || patient::work(&shared)).unwrap_or_else(|| desk.patient_left());
        }
        if desk.hires_floor() {
            let shared = Arc::clone(&self.0);
            begin("password-floor", move || floor::work(&shared)).unwrap_or_else(|| desk.floor_left());
        }
    }
}

impl CheckThreads for PoolWorker {
    fn admit(&self, job: u64, check: QueuedCheck, max_wait: Duration) -> Result<(), Duration> {
        let mut desk = self.pool.0.desk();
        let number = job;
        let job = Job { number, share: Arc::clone(&self.share) };
        desk.admit(job, check, max_wait, Instant::now())?;
        self.share.waiting.fetch_add(1, Ordering::Relaxed);
        self.pool.begin_threads(&mut desk);
        drop(desk);
        self.pool.0.patient.notify_one();
        self.pool.0.floor.notify_one();
        Ok(())
    }

    fn forget(&self, job: u64, origin: &Origin) {
        let is_unwanted = |other: &Job| other.number == job && Arc::ptr_eq(&other.share, &self.share);
        let gone = self.pool.0.desk().forget(origin, is_unwanted);
        self.share.waiting.fetch_sub(gone, Ordering::Relaxed);
    }

    fn waiting(&self) -> usize {
        self.share.waiting.load(Ordering::Relaxed)
    }
}

impl Shared {
    /// A thread that panicked with the lock leaves nothing half done: the desk only counts and queues.
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Job {
    fn begins(&self) {
        self.share.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    fn report(&self, matches: Option<bool>, waited: Duration, took: Duration) {
        let done = CheckDone { job: self.number, matches, waited, took };
        if panic::catch_unwind(AssertUnwindSafe(|| (self.share.report)(done))).is_err() {
            log::error!("a password check could not be reported");
        }
    }
}

/// None if there is no thread to be had.
fn begin(name: &str, work: impl FnOnce() + Send + 'static) -> Option<()> {
    let begun = thread::Builder::new().name(name.to_owned()).spawn(work);
    begun.inspect_err(|error| log::error!("no thread for password checks: {error}")).ok().map(drop)
}

#[cfg(test)]
mod tests;
