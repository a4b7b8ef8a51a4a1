//! One seed from start to rest, and many of them on all cores.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::{agenda::Event, coverage::Coverage, invariants, rest, world::World};

/// What has come of a seed.
pub struct Run {
    pub events: u64,
    pub simulated: Duration,
    pub coverage: Coverage,
    pub violation: Option<String>,
    pub trace: Vec<String>,
}

/// The least events of a seed before traffic stops.
const EVENTS: u64 = 2_500;

impl Run {
    pub fn of(seed: u64, is_traced: bool) -> Self {
        let world = World::new(seed, is_traced);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            world.note(|| format!("{:?}", world.settings));
            world.start();
            world.later(Duration::ZERO, Event::Traffic);
            let events = advance(&world, |events| events >= EVENTS);
            events + rest::come_to_rest(&world)
        }));
        if let Err(panic) = &outcome {
            let text =
                panic.downcast_ref::<String>().cloned().or(panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            world.violate("panic", || text.unwrap_or_default());
        } else {
            world.end();
        }
        Self {
            events: outcome.unwrap_or_default(),
            simulated: world.clock.now(),
            coverage: world.coverage.borrow().clone(),
            violation: world.violation.take(),
            trace: world.trace.as_ref().map(|trace| trace.take()).unwrap_or_default(),
        }
    }
}

/// Lets things happen until that is enough, nothing happens any more, or an invariant is violated.
pub fn advance(world: &Rc<World>, is_enough: impl Fn(u64) -> bool) -> u64 {
    let mut events = 0;
    while !is_enough(events) && world.violation.borrow().is_none() {
        let Some((at, event)) = world.agenda.next() else { break };
        world.reach(at);
        world.act(event);
        invariants::after_event(world);
        events += 1;
        if events % 16 == 0 {
            world.retire();
        }
    }
    events
}

/// What has come of many seeds.
pub struct Report {
    /// The least seed that fails, and what it violates.
    pub failure: Option<(u64, String)>,
    pub coverage: Coverage,
    seeds: u64,
    events: u64,
    simulated: Duration,
    took: Duration,
}

impl Report {
    /// The seeds from zero on, until one fails.
    pub fn of(seeds: u64) -> Self {
        let (next, start) = (AtomicU64::new(0), Instant::now());
        let zero = Self {
            failure: None,
            coverage: Coverage::default(),
            seeds: 0,
            events: 0,
            simulated: Duration::ZERO,
            took: Duration::ZERO,
        };
        let report = Mutex::new(zero);
        let work = || {
            while report.lock().unwrap().failure.is_none() {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= seeds {
                    break;
                }
                report.lock().unwrap().add(seed, Run::of(seed, false));
            }
        };
        thread::scope(|scope| {
            let cores = thread::available_parallelism().map_or(2, usize::from);
            (0..cores).for_each(|_| drop(scope.spawn(work)));
        });
        Self { took: start.elapsed(), ..report.into_inner().unwrap() }
    }

    fn add(&mut self, seed: u64, run: Run) {
        self.seeds += 1;
        self.events += run.events;
        self.simulated += run.simulated;
        self.coverage.add(&run.coverage);
        if let Some(violation) = run.violation {
            self.failure = self.failure.take().into_iter().chain([(seed, violation)]).min();
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.coverage.lines().try_for_each(|line| writeln!(f, "{line}"))?;
        let seconds = self.took.as_secs_f64();
        write!(
            f,
            "{} seeds, {} events, {:.1} simulated hours in {seconds:.1} s: {:.0} events and {:.0} simulated seconds a second",
            self.seeds,
            self.events,
            self.simulated.as_secs_f64() / 3600.0,
            self.events as f64 / seconds,
            self.simulated.as_secs_f64() / seconds,
        )
    }
}
