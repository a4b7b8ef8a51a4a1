//! A check that somebody waits for, and how he is told.

use std::{
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::runtime::CheckDone;

/// Takes the results of one worker's checks, on the thread that made them.
pub type CheckReport = Arc<dyn Fn(CheckDone) + Send + Sync>;

/// What is one worker's.
pub(super) struct Share {
    report: CheckReport,
    waiting: AtomicUsize,
}

/// A check that somebody waits for.
#[derive(Clone)]
pub(super) struct Job {
    pub(super) number: u64,
    pub(super) share: Arc<Share>,
}

impl Share {
    pub(super) fn new(report: CheckReport) -> Self {
        Self { report, waiting: AtomicUsize::new(0) }
    }

    /// How many have not begun.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// One more waits.
    pub(super) fn more(&self) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
    }

    /// So many don't wait any more.
    pub(super) fn less(&self, gone: usize) {
        self.waiting.fetch_sub(gone, Ordering::Relaxed);
    }
}

impl Job {
    pub(super) fn begins(&self) {
        self.share.less(1);
    }

    pub(super) fn report(&self, matches: Option<bool>, waited: Duration, took: Duration) {
        let done = CheckDone { job: self.number, matches, waited, took };
        if panic::catch_unwind(AssertUnwindSafe(|| (self.share.report)(done))).is_err() {
            log::error!("a password check could not be reported");
        }
    }
}
