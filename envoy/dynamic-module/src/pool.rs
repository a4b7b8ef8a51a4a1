//! The process's threads for password checks: one pool, whatever Envoy does with configurations.

use std::sync::OnceLock;

use runtime::{schedule::ThreadSettings, threads::CheckPool};

static POOL: OnceLock<CheckPool> = OnceLock::new();

/// The pool, from now on by these settings. `workers` are Envoy's.
pub(crate) fn pool(settings: &ThreadSettings, workers: usize) -> CheckPool {
    let threads = settings.count.unwrap_or(workers).max(1);
    let pool = POOL.get_or_init(|| CheckPool::new(*settings, threads, lower));
    pool.set(*settings, threads);
    pool.clone()
}

/// Makes all else go before the thread that calls this. No thread needs a privilege for that; one that can't works at the
/// priority that it has.
fn lower(niceness: u8) {
    // SAFETY: it takes numbers alone. On Linux, 0 is the thread that calls it.
    let result = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, niceness.into()) };
    if result != 0 {
        log::warn!("password checks run at the priority of all else: {}", std::io::Error::last_os_error());
    }
}
