//! A pool, for whoever has checks to be done.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use super::{
    desk::Desk,
    floor,
    job::{CheckReport, Job, Share},
    patient,
    shared::Shared,
};
use crate::{
    origin::Origin,
    runtime::{CheckThreads, QueuedCheck},
    schedule::ThreadSettings,
};

/// The threads, and the checks that wait for them. A copy is the same pool.
#[derive(Clone)]
pub struct CheckPool(Arc<Shared>);

/// One worker's part in a pool.
pub struct PoolWorker {
    pool: CheckPool,
    share: Arc<Share>,
}

impl CheckPool {
    /// No threads yet: they begin with the work. `lower` makes the thread that calls it go behind all else, by its niceness.
    pub fn new(settings: ThreadSettings, threads: usize, lower: fn(niceness: u8)) -> Self {
        Self(Arc::new(Shared::new(Desk::new(settings, threads, Instant::now()), lower)))
    }

    /// From now on by these settings.
    pub fn set(&self, settings: ThreadSettings, threads: usize) {
        self.0.desk().set(settings, threads);
    }

    /// The part of a worker, whose checks are reported so.
    pub fn worker(&self, report: CheckReport) -> PoolWorker {
        PoolWorker { pool: self.clone(), share: Arc::new(Share::new(report)) }
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
        self.share.more();
        self.pool.begin_threads(&mut desk);
        drop(desk);
        self.pool.0.patient.notify_one();
        self.pool.0.floor.notify_one();
        Ok(())
    }

    fn forget(&self, job: u64, origin: &Origin) {
        let is_unwanted = |other: &Job| other.number == job && Arc::ptr_eq(&other.share, &self.share);
        let gone = self.pool.0.desk().forget(origin, is_unwanted);
        self.share.less(gone);
    }

    fn waiting(&self) -> usize {
        self.share.waiting()
    }
}

/// None if there is no thread to be had.
fn begin(name: &str, work: impl FnOnce() + Send + 'static) -> Option<()> {
    let begun = thread::Builder::new().name(name.to_owned()).spawn(work);
    begun.inspect_err(|error| log::error!("no thread for password checks: {error}")).ok().map(drop)
}
