//! Leases, which let etcd forget what has ended by itself. All that ends in the same ten minutes is under one lease, whose
//! id follows from them: every proxy knows it without a call, and whoever finds that it is missing grants it.

use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::time::UnixTime;

/// A lease for all that ends in one window of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    /// Its id: positive.
    pub(crate) id: i64,
    /// When it may end.
    end: UnixTime,
}

/// Long enough that few calls go into grants, and short enough that not too much ends at one stroke.
const WINDOW: Duration = Duration::from_secs(600);
/// How long a lease lives whose time is over already by the clock of who grants it: that clock is wrong, since nobody writes what
/// has ended. As long as refresh tokens live where nothing else is configured, and a day.
const IN_DOUBT: Duration = Duration::from_hours(31 * 24);
/// The longest time to live that etcd takes, in seconds.
const LONGEST: u64 = 9_000_000_000;

impl Lease {
    /// The lease of what ends by itself at `until`. It lasts for a window longer, so that proxies whose clocks differ by
    /// less than that forget nothing early.
    pub(crate) fn of(key_prefix: &str, UnixTime(until): UnixTime) -> Self {
        let window = until.checked_div(WINDOW.as_secs()).unwrap_or_default();
        let end = UnixTime(window.saturating_mul(WINDOW.as_secs())).after(WINDOW).after(WINDOW);
        Self { id: id(key_prefix, window), end }
    }

    /// How long it has to live from now on, in seconds. Others whose clocks are right use it too.
    pub(crate) fn time_to_live(&self, now: UnixTime) -> u64 {
        match self.end.seconds_since(now) {
            left if left < WINDOW.as_secs() => IN_DOUBT.as_secs(),
            left => left.min(LONGEST),
        }
    }
}

/// No other program's ids can be known; 63 bits of a hash are as good as theirs are random.
fn id(key_prefix: &str, window: u64) -> i64 {
    let digest: [u8; 32] = Sha256::new()
        .chain_update("token-endpoint lease 1 ")
        .chain_update(window.to_le_bytes())
        .chain_update(key_prefix)
        .finalize()
        .into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    (i64::from_le_bytes([a, b, c, d, e, f, g, h]) & i64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_forgotten_before_its_end_though_clocks_differ() {
        for until in 0..3000 {
            let now = UnixTime(until - until.min(50));
            let (left, lived) = (until - now.0, Lease::of("p/", UnixTime(until)).time_to_live(now));
            assert!((left + WINDOW.as_secs()..=left + 2 * WINDOW.as_secs()).contains(&lived), "{until}: {lived}");
        }
    }

    #[test]
    fn what_ends_together_shares_a_lease_and_nothing_else_does() {
        let id = |prefix, until| Lease::of(prefix, UnixTime(until)).id;
        assert_eq!(id("p/", 600), id("p/", 1199));
        assert_ne!(id("p/", 600), id("p/", 1200));
        assert_ne!(id("p/", 600), id("q/", 600));
    }

    #[test]
    fn its_time_is_one_that_etcd_takes() {
        assert_eq!(Lease::of("p/", UnixTime(u64::MAX)).time_to_live(UnixTime(0)), LONGEST);
    }

    #[test]
    fn a_clock_that_is_far_ahead_grants_no_lease_that_is_over_early() {
        let month = 30 * 24 * 3600;
        assert!(Lease::of("p/", UnixTime(0)).time_to_live(UnixTime(u64::MAX)) > month);
        assert!(Lease::of("p/", UnixTime(0)).time_to_live(UnixTime(601)) > month);
    }
}
