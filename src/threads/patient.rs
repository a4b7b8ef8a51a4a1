//! A thread that checks passwords and goes behind all else: whole checks, one after the other.

use std::{
    panic::{self, AssertUnwindSafe},
    sync::PoisonError,
    time::Instant,
};

use super::{
    desk::StartedCheck,
    shared::{IDLE, Shared},
};
use crate::crypto::password::CheckMemory;

/// Works until there has been nothing to do for a while.
pub(super) fn work(shared: &Shared) {
    let niceness = shared.desk().settings().niceness;
    (shared.lower)(niceness);
    let mut memory = CheckMemory::default();
    while let Some(begun) = next(shared, niceness) {
        let matches = run(&begun, &mut memory);
        let now = Instant::now();
        let mut desk = shared.desk();
        desk.learn(&begun, now);
        let ended = desk.end(&begun, now);
        drop(desk);
        if let Some(ended) = ended {
            ended.report(matches, now);
        }
    }
}

/// Waits for a check. None where the thread is to end: it has waited for long, is one too many, or can't be as nice as it is to
/// be any more, which only a new one can.
fn next(shared: &Shared, niceness: u8) -> Option<StartedCheck> {
    let mut desk = shared.desk();
    loop {
        if desk.has_too_many() || desk.settings().niceness != niceness {
            desk.patient_left();
            return None;
        }
        if let Some(begun) = desk.next(Instant::now()) {
            return Some(begun);
        }
        desk.rests();
        let (waited, timeout) = shared.patient.wait_timeout(desk, IDLE).unwrap_or_else(PoisonError::into_inner);
        desk = waited;
        desk.returns();
        if timeout.timed_out() && desk.is_empty() {
            desk.patient_left();
            return None;
        }
    }
}

/// A panic costs this check, and nothing else. What it leaves in the memory is overwritten by the next one.
fn run(begun: &StartedCheck, memory: &mut CheckMemory) -> Option<bool> {
    let run = AssertUnwindSafe(|| begun.check.run(memory));
    panic::catch_unwind(run).unwrap_or_else(|_| {
        log::error!("a password check panicked");
        None
    })
}
