//! The thread that sees to it that logins get on where patient threads don't: a share of a core, in slices with pauses.

use std::{
    sync::PoisonError,
    thread,
    time::{Duration, Instant},
};

use super::{
    desk::{StartedCheck, Watch},
    shared::{IDLE, Shared},
};
use crate::crypto::password::{Arena, Budget, Progress, Verification};

/// Work without a pause.
const SLICE: Duration = Duration::from_millis(2);
/// Work between two looks at the clock.
const STRIDE: Budget = Budget(64);

/// Works until there has been nothing to watch over for a while.
pub(super) fn work(shared: &Shared) {
    let mut arena = Arena::default();
    while let Some(begun) = next(shared) {
        let percent = shared.desk().settings().floor_percent;
        let matches = run(&begun, &mut arena, percent);
        let now = Instant::now();
        let ended = shared.desk().end(&begun, now);
        if let Some(ended) = ended {
            ended.report(matches, now);
        }
    }
}

/// Waits until something was left undone. None where there has been nothing at all for a while.
fn next(shared: &Shared) -> Option<StartedCheck> {
    let mut desk = shared.desk();
    loop {
        let now = Instant::now();
        let (pause, is_idle) = match desk.watch(now) {
            Watch::Undone(begun) => return Some(begun),
            Watch::Until(due) => (due.saturating_duration_since(now), false),
            Watch::Nothing => (IDLE, true),
        };
        let (waited, timeout) = shared.floor.wait_timeout(desk, pause).unwrap_or_else(PoisonError::into_inner);
        desk = waited;
        if is_idle && timeout.timed_out() && desk.is_empty() {
            desk.floor_left();
            return None;
        }
    }
}

/// In slices, with pauses that leave others the rest of the core. None if there is no memory.
fn run(begun: &StartedCheck, arena: &mut Arena, percent: u8) -> Option<bool> {
    arena.reserve(begun.check.hash().memory()).ok()?;
    let mut verification = begun.check.start(std::mem::take(arena));
    let pause = SLICE * u32::from(100 - percent.min(100)) / u32::from(percent.max(1));
    let matches = loop {
        if let Some(matches) = slice(&mut verification) {
            break matches;
        }
        thread::sleep(pause);
    };
    *arena = verification.into_arena();
    Some(matches)
}

fn slice(verification: &mut Verification) -> Option<bool> {
    let start = Instant::now();
    while start.elapsed() < SLICE {
        if let Progress::Done { matches } = verification.advance(STRIDE) {
            return Some(matches);
        }
    }
    None
}
