//! All that is outside of the workers, and what is seen of them: time, processes, upstreams, open streams, answers.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::{Duration, Instant, SystemTime},
};

use token_endpoint::runtime::HostError;

use super::{
    agenda::{Agenda, Event},
    chance::Chance,
    coverage::Coverage,
    etcd::Etcd,
    fleet::Fleet,
    model::Model,
    people::Directories,
    settings::Settings,
};

pub struct World {
    pub chance: Chance,
    pub settings: Settings,
    pub clock: Clock,
    pub agenda: Agenda,
    pub processes: Vec<Process>,
    pub faults: Faults,
    pub directories: Directories,
    pub etcd: RefCell<Etcd>,
    pub fleet: Fleet,
    pub model: RefCell<Model>,
    /// The number of the last call.
    pub calls: Cell<u32>,
    /// Streams that wait for their answer.
    pub open: RefCell<BTreeSet<u32>>,
    /// Answers that nobody has looked at yet.
    pub answers: RefCell<Vec<Answer>>,
    /// When a plugin was told whether somebody's password is right, by the `Authorization` of its question.
    pub verified: RefCell<BTreeMap<(u32, String), Vec<Duration>>>,
    /// What trouble a plugin last had with the state store.
    pub store_trouble: RefCell<BTreeMap<u32, Trouble>>,
    pub coverage: RefCell<Coverage>,
    pub violation: RefCell<Option<String>>,
    pub trace: Option<RefCell<Vec<String>>>,
    interleaves: Cell<bool>,
}

/// Time that only the simulation moves.
pub struct Clock {
    start: Instant,
    elapsed: Cell<Duration>,
}

/// What the workers of one process share.
#[derive(Default)]
pub struct Process {
    pub shared: RefCell<BTreeMap<String, (Vec<u8>, u32)>>,
    /// How often it was started anew.
    pub starts: Cell<u32>,
    /// How far its wall clock is ahead, in seconds.
    pub skew: Cell<i64>,
    /// All that it has been ahead, and since when.
    pub skews: RefCell<Vec<(Duration, i64)>>,
    /// When its wall clock last jumped.
    pub jumped: Cell<Option<Duration>>,
    /// Whether it can't reach etcd.
    pub is_cut_off: Cell<bool>,
}

/// What is wrong at present.
#[derive(Default)]
pub struct Faults {
    /// Nothing goes wrong any more.
    pub are_over: Cell<bool>,
    pub no_entropy: Cell<bool>,
    pub pacing_is_dead: Cell<bool>,
    pub directories_are_down: Cell<bool>,
}

/// When a call failed last, and when the first one after that did not: a circuit may be open until then.
#[derive(Clone, Copy)]
pub struct Trouble {
    pub last: Duration,
    pub over: Option<Duration>,
}

/// What a caller was answered.
pub struct Answer {
    pub stream: u32,
    pub status: u16,
    pub body: Vec<u8>,
    pub notes: BTreeMap<String, String>,
    pub retry_after: bool,
}

/// 1,800,000,000 seconds after 1970.
const EPOCH: u64 = 1_800_000_000;

/// What a wall clock says that is so many seconds ahead.
pub fn wall_of(time: Duration, skew: i64) -> u64 {
    (EPOCH + time.as_secs()).saturating_add_signed(skew)
}

impl Process {
    /// Its clock is right at first.
    fn new() -> Self {
        Self { skews: RefCell::new(vec![(Duration::ZERO, 0)]), ..Self::default() }
    }
}

impl Clock {
    pub fn now(&self) -> Duration {
        self.elapsed.get()
    }
}

impl World {
    pub fn new(seed: u64, is_traced: bool) -> Rc<Self> {
        let chance = Chance::new(seed);
        let settings = Settings::of(&chance);
        Rc::new(Self {
            chance,
            settings,
            clock: Clock { start: Instant::now(), elapsed: Cell::default() },
            agenda: Agenda::default(),
            processes: (0..settings.processes()).map(|_| Process::new()).collect(),
            faults: Faults::default(),
            directories: Directories::new(),
            etcd: RefCell::default(),
            fleet: Fleet::default(),
            model: RefCell::default(),
            calls: Cell::default(),
            open: RefCell::default(),
            answers: RefCell::default(),
            verified: RefCell::default(),
            store_trouble: RefCell::default(),
            coverage: RefCell::default(),
            violation: RefCell::default(),
            trace: is_traced.then(RefCell::default),
            interleaves: Cell::default(),
        })
    }

    /// Where a process's guesses are counted: all in one place where a fleet counts together.
    pub fn counted_in(&self, process: usize) -> usize {
        if self.settings.attempts_in_etcd { 0 } else { process }
    }

    pub fn pass(&self, time: Duration) {
        self.clock.elapsed.set(self.clock.now() + time);
    }

    /// It is this time, or later already.
    pub fn reach(&self, time: Duration) {
        self.clock.elapsed.set(self.clock.now().max(time));
    }

    pub fn instant(&self) -> Instant {
        self.clock.start + self.clock.now()
    }

    /// A process's wall clock in seconds since 1970.
    pub fn wall(&self, process: usize) -> u64 {
        wall_of(self.clock.now(), self.processes[process].skew.get())
    }

    pub fn wall_clock(&self, process: usize) -> SystemTime {
        let part = Duration::from_nanos(self.clock.now().subsec_nanos().into());
        SystemTime::UNIX_EPOCH + Duration::from_secs(self.wall(process)) + part
    }

    pub fn later(&self, delay: Duration, event: Event) {
        self.agenda.add(self.clock.now() + delay, event);
    }

    /// Whether a fault that happens once in so many times happens now.
    pub fn strikes(&self, name: &'static str, times: u64) -> bool {
        let strikes = !self.faults.are_over.get() && self.chance.one_in(times);
        if strikes {
            self.count(name);
        }
        strikes
    }

    pub fn trouble(&self, plugin: u32, cluster: &str) {
        if cluster == "etcd" {
            let trouble = Trouble { last: self.clock.now(), over: None };
            self.store_trouble.borrow_mut().insert(plugin, trouble);
        }
    }

    /// The store answers a plugin.
    pub fn no_trouble(&self, plugin: u32, at: Duration) {
        if let Some(trouble) = self.store_trouble.borrow_mut().get_mut(&plugin) {
            trouble.over.get_or_insert(at);
        }
    }

    pub fn count(&self, name: &str) {
        self.coverage.borrow_mut().count(name);
    }

    pub fn note(&self, line: impl FnOnce() -> String) {
        if let Some(trace) = &self.trace {
            trace.borrow_mut().push(format!("{:>14.6}  {}", self.clock.now().as_secs_f64(), line()));
        }
    }

    /// An invariant does not hold.
    pub fn violate(&self, invariant: &str, what: impl FnOnce() -> String) {
        let mut violation = self.violation.borrow_mut();
        if violation.is_none() {
            *violation = Some(format!("{invariant}: {}", what()));
        }
    }

    /// A plugin answers a stream.
    pub fn answered(&self, answer: Answer) -> Result<(), HostError> {
        if self.answers.borrow().iter().any(|other| other.stream == answer.stream) {
            self.violate("one answer", || format!("stream {} is answered twice", answer.stream));
        }
        if !self.open.borrow_mut().remove(&answer.stream) {
            return Err(HostError::BadArgument);
        }
        self.answers.borrow_mut().push(answer);
        Ok(())
    }

    /// While one worker is between two looks at what all share, another one does what it is about to do.
    pub fn interleave(self: &Rc<Self>, plugin: u32) {
        if self.interleaves.get() || self.faults.are_over.get() || !self.chance.one_in(4) {
            return;
        }
        // Plugins of one VM are in one thread.
        let vm_of = |plugin| self.instance(plugin).map(|instance| instance.vm);
        let (vm, soon) = (vm_of(plugin), self.clock.now() + Duration::from_secs(1));
        let Some(event) = self.agenda.next_of(|other| vm_of(other) != vm, soon) else { return };
        self.interleaves.set(true);
        self.note(|| "  meanwhile".to_owned());
        self.act(event);
        self.interleaves.set(false);
    }
}
