//! When the next slice of work runs. Between two slices the worker must look at its other connections, and how soon it
//! comes back is most of what a login takes: a callout to oneself returns in a tenth of a millisecond, a timer in four
//! or more.

use std::time::{Duration, Instant};

use super::{answer, host::Host};
use crate::outbound::Callout;

/// Calls the worker back, again and again, while there is work.
pub(super) struct Pacing {
    /// A call for nothing, only to be called again after the worker has looked at its other connections.
    ping: Option<Callout>,
    slice: Duration,
    waiting: NextSlice,
    period: Duration,
    /// How often to tick while there is no work.
    watch: Duration,
    distrust: Fallback,
}

/// What will start the next slice.
#[derive(Clone, Copy)]
enum NextSlice {
    /// Nothing: there is no work.
    Resting,
    /// The worker's own queue: the way from a stream, which may go away, to the root, which stays.
    Woken,
    /// The answer of the pacing cluster.
    Called(u32, Patience),
    /// The timer.
    Ticking,
}

/// How long an answer has been waited for, by ticks: a worker that was off the processor sees timer and answer due at
/// once, and the timer first; at the next tick it has seen the answer too, if there was one.
#[derive(Clone, Copy)]
enum Patience {
    Fresh,
    Late,
    Overdue,
}

/// Whether the pacing cluster has failed.
enum Fallback {
    Never,
    Until {
        end: Instant,
        /// A call that was not answered in time. If it is answered later, the worker was kept from its core, and the cluster is
        /// well.
        overdue: Option<u32>,
    },
}

/// A call that takes longer than two to three times this is overtaken by the timer.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(50);
/// When a call has failed for good.
const PING_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the timer is used after the pacing cluster failed.
const COOLDOWN: Duration = Duration::from_secs(10);

impl Pacing {
    /// Paces by the cluster where there is one, and by the timer otherwise.
    pub(super) fn new(slice: Duration, cluster: Option<String>) -> Self {
        Self {
            ping: cluster.map(ping),
            slice,
            waiting: NextSlice::Resting,
            period: Duration::ZERO,
            watch: Duration::ZERO,
            distrust: Fallback::Never,
        }
    }

    /// Whether nothing will start a slice.
    pub(super) fn is_resting(&self) -> bool {
        matches!(self.waiting, NextSlice::Resting)
    }

    /// There is work. Called from a stream.
    pub(super) fn wake(&mut self, host: &impl Host) {
        if self.is_resting() {
            self.waiting = NextSlice::Woken;
            if host.wake().is_err() {
                self.tick(host);
            }
        }
    }

    /// There is more work. Called from the root.
    pub(super) fn go_on(&mut self, host: &impl Host) {
        if host.wakes_in_turn() && host.wake().is_ok() {
            self.waiting = NextSlice::Woken;
            return;
        }
        match self.call(host) {
            Some(call) => {
                self.waiting = NextSlice::Called(call, Patience::Fresh);
                self.set_period(ANSWER_TIMEOUT, host);
            }
            None => self.tick(host),
        }
    }

    /// There is no more work.
    pub(super) fn rest(&mut self, host: &impl Host) {
        self.waiting = NextSlice::Resting;
        self.set_period(self.watch, host);
    }

    /// Ticks this often while there is no work, or not at all.
    pub(super) fn watch(&mut self, period: Duration, host: &impl Host) {
        self.watch = period;
        if self.is_resting() {
            self.set_period(period, host);
        }
    }

    /// Takes an answer of the pacing cluster. True if it starts the next slice.
    pub(super) fn on_answer(&mut self, call: u32, host: &impl Host) -> bool {
        let is_well = (200..300).contains(&answer::status(host));
        let is_due = matches!(self.waiting, NextSlice::Called(expected, _) if expected == call);
        match &mut self.distrust {
            _ if is_due && !is_well => self.fall_back(None, host),
            Fallback::Until { end, overdue } if is_well && *overdue == Some(call) => *end = host.monotonic(),
            Fallback::Never | Fallback::Until { .. } => {}
        }
        is_due
    }

    /// Takes a tick. True if it starts the next slice.
    pub(super) fn on_tick(&mut self, host: &impl Host) -> bool {
        match self.waiting {
            NextSlice::Resting => false,
            NextSlice::Woken | NextSlice::Ticking => true,
            NextSlice::Called(call, patience) => {
                let patience = patience.less();
                self.waiting = NextSlice::Called(call, patience);
                let overdue = matches!(patience, Patience::Overdue);
                if overdue {
                    self.fall_back(Some(call), host);
                }
                overdue
            }
        }
    }

    fn call(&mut self, host: &impl Host) -> Option<u32> {
        let trusted = match self.distrust {
            Fallback::Never => true,
            Fallback::Until { end, .. } => host.monotonic() >= end,
        };
        let ping = self.ping.as_ref().filter(|_| trusted)?;
        match host.call(ping, PING_TIMEOUT) {
            Ok(call) => Some(call),
            Err(_) => {
                self.fall_back(None, host);
                None
            }
        }
    }

    fn fall_back(&mut self, overdue: Option<u32>, host: &impl Host) {
        if let (Fallback::Never, Some(Callout { cluster, .. })) = (&self.distrust, &self.ping) {
            log::warn!("the pacing cluster {cluster} does not answer: password checks are paced by the timer, slower");
        }
        self.distrust = Fallback::Until { end: host.monotonic() + COOLDOWN, overdue };
    }

    fn tick(&mut self, host: &impl Host) {
        self.waiting = NextSlice::Ticking;
        self.set_period(self.slice, host);
    }

    fn set_period(&mut self, period: Duration, host: &impl Host) {
        if self.period != period {
            self.period = period;
            host.tick_every(period);
        }
    }
}

impl Patience {
    fn less(self) -> Self {
        match self {
            Self::Fresh => Self::Late,
            Self::Late | Self::Overdue => Self::Overdue,
        }
    }
}

fn ping(cluster: String) -> Callout {
    let (method, path, authority) = ("GET".to_owned(), "/".to_owned(), cluster.clone());
    Callout { cluster, method, authority, path, headers: Vec::new(), body: None }
}
