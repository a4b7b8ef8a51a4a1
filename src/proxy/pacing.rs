//! When the next slice of work runs. Between two slices the worker must look at its other connections, and how soon it
//! comes back is most of what a login takes: a callout to oneself returns in a tenth of a millisecond, a timer in four
//! or more.

use std::time::{Duration, Instant};

use super::host;

/// Calls the worker back, again and again, while there is work.
pub struct Pacing {
    root: u32,
    queue: Option<u32>,
    cluster: Option<String>,
    slice: Duration,
    waiting: Waiting,
    period: Duration,
    /// How often to tick while there is no work.
    watch: Duration,
    distrust: Distrust,
}

/// What will start the next slice.
#[derive(Clone, Copy)]
enum Waiting {
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
enum Distrust {
    Never,
    Until {
        end: Instant,
        /// A call that was not answered in time. If it is answered later, the worker was kept from its core, and the cluster is
        /// well.
        overdue: Option<u32>,
    },
}

/// A call that takes longer than two to three times this is overtaken by the timer.
const PATIENCE: Duration = Duration::from_millis(50);
/// How long the timer is used after the pacing cluster failed.
const PENANCE: Duration = Duration::from_secs(10);

impl Pacing {
    /// Paces by the cluster where there is one, and by the timer otherwise.
    pub fn new(root: u32, slice: Duration, cluster: Option<String>) -> Self {
        Self {
            root,
            queue: register_queue(),
            cluster,
            slice,
            waiting: Waiting::Resting,
            period: Duration::ZERO,
            watch: Duration::ZERO,
            distrust: Distrust::Never,
        }
    }

    /// Whether nothing will start a slice.
    pub fn is_resting(&self) -> bool {
        matches!(self.waiting, Waiting::Resting)
    }

    /// There is work. Called from a stream.
    pub fn wake(&mut self) {
        if self.is_resting() {
            self.waiting = Waiting::Woken;
            if self.queue.is_none_or(|queue| host::wake(queue).is_err()) {
                self.tick();
            }
        }
    }

    /// Takes the wake-up call.
    pub fn woken(&mut self) {
        if let Some(queue) = self.queue {
            host::drain_queue(queue);
        }
    }

    /// There is more work. Called from the root.
    pub fn go_on(&mut self) {
        match self.call() {
            Some(call) => {
                self.waiting = Waiting::Called(call, Patience::Fresh);
                self.set_period(PATIENCE);
            }
            None => self.tick(),
        }
    }

    /// There is no more work.
    pub fn rest(&mut self) {
        self.waiting = Waiting::Resting;
        self.set_period(self.watch);
    }

    /// Ticks this often while there is no work, or not at all.
    pub fn watch(&mut self, period: Duration) {
        self.watch = period;
        if self.is_resting() {
            self.set_period(period);
        }
    }

    /// Whether this answer of the pacing cluster starts the next slice.
    pub fn is_due_by(&mut self, call: u32) -> bool {
        let is_well = (200..300).contains(&host::answer_status());
        let is_due = matches!(self.waiting, Waiting::Called(expected, _) if expected == call);
        match &mut self.distrust {
            _ if is_due && !is_well => self.fall_back(None),
            Distrust::Until { end, overdue } if is_well && *overdue == Some(call) => *end = Instant::now(),
            Distrust::Never | Distrust::Until { .. } => {}
        }
        is_due
    }

    /// Whether this tick starts the next slice.
    pub fn is_due_by_tick(&mut self) -> bool {
        match self.waiting {
            Waiting::Resting => false,
            Waiting::Woken | Waiting::Ticking => true,
            Waiting::Called(call, patience) => {
                let patience = patience.less();
                self.waiting = Waiting::Called(call, patience);
                let overdue = matches!(patience, Patience::Overdue);
                if overdue {
                    self.fall_back(Some(call));
                }
                overdue
            }
        }
    }

    fn call(&mut self) -> Option<u32> {
        let trusted = match self.distrust {
            Distrust::Never => true,
            Distrust::Until { end, .. } => Instant::now() >= end,
        };
        let cluster = self.cluster.as_deref().filter(|_| trusted)?;
        host::enter(self.root).ok()?;
        match host::call_pacing_cluster(cluster, Duration::from_secs(1)) {
            Ok(call) => Some(call),
            Err(_) => {
                self.fall_back(None);
                None
            }
        }
    }

    fn fall_back(&mut self, overdue: Option<u32>) {
        if let (Distrust::Never, Some(cluster)) = (&self.distrust, &self.cluster) {
            log::warn!("the pacing cluster {cluster} does not answer: password checks are paced by the timer, slower");
        }
        self.distrust = Distrust::Until { end: Instant::now() + PENANCE, overdue };
    }

    fn tick(&mut self) {
        self.waiting = Waiting::Ticking;
        self.set_period(self.slice);
    }

    fn set_period(&mut self, period: Duration) {
        if self.period != period {
            self.period = period;
            host::tick_every(period);
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

/// A queue of this worker alone: one with a common name would wake only the worker that registered it last.
fn register_queue() -> Option<u32> {
    let mut name = [0; 8];
    getrandom::fill(&mut name).ok()?;
    host::register_queue(&format!("token-endpoint-{:016x}", u64::from_le_bytes(name))).ok()
}
