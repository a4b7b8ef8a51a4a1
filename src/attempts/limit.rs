//! What a limit is: some failures are free, and then each one makes the next attempt wait twice as long. Failures leak
//! away with time, so that the slips of many honest people never add up.

use std::time::Duration;

use crate::time::UnixTime;

/// A limit on failures in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How many failures cost nothing.
    pub failures: u32,
    /// How long the last of them makes the next attempt wait; every further one doubles it.
    pub(crate) wait: Duration,
    /// The longest wait.
    pub(crate) max_wait: Duration,
    /// In this time the free failures leak away, one after the other; after so long without any, all is forgotten.
    pub(crate) forget: Duration,
}

/// The limits for what failures are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For one identifier of one auth source, whether it names a user or not.
    pub identifier: Limit,
    /// For one user, whatever the identifier: it catches spellings that a directory takes for one and we don't.
    pub(crate) user: Limit,
    /// For one friend: one user in one place.
    pub(crate) friend: Limit,
    /// For one source address (an IPv6 network of 64 bits).
    pub(crate) address: Limit,
    /// For one client, for the passwords that are guessed through it: past it strangers go behind friends.
    pub client: Limit,
    /// How long a friend is remembered, in days.
    pub(crate) friend_days: u32,
}

const DAY: Duration = Duration::from_secs(86_400);
/// How far the clocks of two proxies may be apart.
const SKEW: Duration = Duration::from_secs(60);

impl Default for Limits {
    /// Five free failures per account, then 30 s to 15 min: about 100 guesses a day, where NIST SP 800-63B allows 100 in
    /// all. A user has ten times as many under all spellings. Addresses and clients are shared by many people: theirs are limits
    /// on failures per second, 1 in 18 s and 17 in 1 s in the long run.
    fn default() -> Self {
        let limit = |failures, wait, max_wait, forget| Limit {
            failures,
            wait: Duration::from_secs(wait),
            max_wait: Duration::from_secs(max_wait),
            forget: Duration::from_secs(forget),
        };
        Self {
            identifier: limit(5, 30, 900, 86_400),
            user: limit(50, 3, 90, 86_400),
            friend: limit(5, 30, 900, 86_400),
            address: limit(50, 10, 300, 900),
            client: limit(1000, 1, 10, 60),
            friend_days: 30,
        }
    }
}

impl Limits {
    /// How long a friend is remembered.
    pub(crate) fn friends_for(&self) -> Duration {
        DAY.saturating_mul(self.friend_days)
    }
}

impl Limit {
    /// The same for what so many share.
    #[must_use]
    pub(crate) fn times(self, many: u32) -> Self {
        Self { failures: self.failures.saturating_mul(many), ..self }
    }

    /// How many seconds the next attempt has to wait after `failures`, the last of them at `last`. None where that lies ahead: the
    /// clock was put back, and the wait would not run down before it stands there again. The failures still count.
    pub(crate) fn wait(&self, failures: u32, last: UnixTime, now: UnixTime) -> u64 {
        let Some(doublings) = failures.checked_sub(self.failures.max(1)) else { return 0 };
        if last > now.after(SKEW) {
            return 0;
        }
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        let wait = self.wait.saturating_mul(factor).min(self.max_wait);
        last.after(wait).seconds_since(now).min(wait.as_secs())
    }

    /// How many of `failures`, the last of them at `last`, still count.
    pub(crate) fn remember(&self, failures: u32, last: UnixTime, now: UnixTime) -> u32 {
        let (elapsed, forget) = (now.seconds_since(last), self.forget.as_secs());
        let leaked = elapsed.saturating_mul(self.failures.into()).checked_div(forget);
        match leaked {
            Some(leaked) if elapsed < forget => failures.saturating_sub(u32::try_from(leaked).unwrap_or(u32::MAX)),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit = Limit {
        failures: 3,
        wait: Duration::from_secs(10),
        max_wait: Duration::from_secs(60),
        forget: Duration::from_secs(1000),
    };

    fn wait_after(failures: u32) -> u64 {
        LIMIT.wait(failures, UnixTime(100), UnixTime(100))
    }

    #[test]
    fn some_failures_are_free_and_then_the_wait_doubles_up_to_its_bound() {
        let waits: Vec<u64> = (0..9).map(wait_after).collect();
        assert_eq!(waits, [0, 0, 0, 10, 20, 40, 60, 60, 60]);
        assert_eq!(wait_after(u32::MAX), 60);
    }

    #[test]
    fn failures_leak_away_one_after_the_other_and_all_at_once_after_a_silence() {
        let remembered = |elapsed: u64| LIMIT.remember(5, UnixTime(100), UnixTime(100 + elapsed));
        assert_eq!([0, 333, 334, 667, 999, 1000].map(remembered), [5, 5, 4, 3, 3, 0]);
    }

    #[test]
    fn a_clock_that_is_put_back_locks_nobody_out() {
        assert_eq!(LIMIT.wait(3, UnixTime(5000), UnixTime(100)), 0);
        assert_eq!(LIMIT.wait(3, UnixTime(130), UnixTime(100)), 10, "a proxy that is a little behind");
        assert_eq!(LIMIT.remember(3, UnixTime(5000), UnixTime(100)), 3);
    }

    #[test]
    fn the_wait_runs_from_the_last_failure() {
        assert_eq!(LIMIT.wait(3, UnixTime(100), UnixTime(109)), 1);
        assert_eq!(LIMIT.wait(3, UnixTime(100), UnixTime(110)), 0);
    }
}
