//! The end of a run: traffic stops, everything becomes well, what was held is given back, and everybody can be served.

use std::{rc::Rc, time::Duration};

use super::{
    fleet::WORKERS,
    model::Login,
    people::{self, Person},
    run::advance,
    traffic,
    world::World,
};

/// The longest that a limit of attempts, a circuit or a cache lasts.
const QUIET: Duration = Duration::from_secs(130);
/// Longer than any time between two slices of work.
const PAUSE: Duration = Duration::from_millis(20);
/// More slices than a snapshot of these directories takes.
const SLICES: u64 = 200;

pub fn come_to_rest(world: &Rc<World>) -> u64 {
    world.agenda.stop_traffic();
    world.heal_all();
    let mut events = until(world, QUIET);
    at_rest(world);
    for vm in 0..WORKERS {
        events += serves(world, vm);
    }
    events += world.directories.people().iter().map(|person| guesses_at_once(world, person)).sum::<u64>();
    at_rest(world);
    let later = world.clock.now() + Duration::from_secs(10_000_000);
    let left = world.etcd.borrow_mut().leased_keys(later);
    if left > 0 {
        world.violate("at rest", || format!("{left} keys stay in etcd"));
    }
    events
}

/// That much time passes, and a snapshot that is being read at its end is read.
fn until(world: &Rc<World>, span: Duration) -> u64 {
    let end = world.clock.now() + span;
    let events = advance(world, |_| world.agenda.is_quiet_until(end));
    world.reach(end);
    let is_paused = |events| events == SLICES || world.agenda.is_quiet_until(world.clock.now() + PAUSE);
    events + advance(world, is_paused)
}

fn at_rest(world: &World) {
    let waiting = world.model.borrow().asks.len();
    if waiting > 0 {
        world.violate("at rest", || format!("{waiting} requests wait"));
    }
    world.retire();
    let plugins = world.fleet.plugins.borrow();
    if plugins.len() != WORKERS {
        world.violate("at rest", || format!("{} plugins are there", plugins.len()));
    }
    for (id, instance) in plugins.iter() {
        let (calls, checks, period) =
            (instance.host.calls_under_way(), instance.host.metric("waiting_checks"), instance.host.period());
        let least = if world.settings.snapshot { Duration::from_millis(100) } else { Duration::ZERO };
        if checks != 0
            || (period < least || least.is_zero() && !period.is_zero())
            || calls > usize::from(world.settings.snapshot)
        {
            world.violate("at rest", || {
                format!("plugin {id}: {checks} checks wait, {calls} calls are under way, a tick every {period:?}")
            });
        }
    }
}

/// Everybody who should be is served, by every directory.
fn serves(world: &Rc<World>, vm: usize) -> u64 {
    let variant = world.instance(world.fleet.vms.borrow()[vm].plugin).unwrap().variant;
    let listed =
        people::listed(variant).into_iter().map(|person| ("LISTED", person)).find(|(_, person)| person.is_active());
    let others = world.directories.people().into_iter().find(Person::is_active);
    let others = others.into_iter().flat_map(|person| ["LOOKUP", "VERIFY"].map(|source| (source, person.clone())));
    listed.into_iter().chain(others).map(|(source, person)| serves_one(world, vm, source, &person)).sum()
}

/// Wrong passwords and the right one, so close that some are looked at while others fail.
fn guesses_at_once(world: &Rc<World>, person: &Person) -> u64 {
    for password in ["wrong", "wrong", "wrong", person.password] {
        let login = Login { client: "WEB", is_proven: true, source: "VERIFY", name: person.name, password };
        let (intent, request) = traffic::of_login(login, "198.51.100.9:1".to_owned());
        traffic::send(world, 0, intent, request);
    }
    until(world, Duration::from_secs(3))
}

fn serves_one(world: &Rc<World>, vm: usize, source: &'static str, person: &Person) -> u64 {
    let address = format!("198.51.100.{vm}:1");
    let login = Login { client: "APP", is_proven: true, source, name: person.name, password: person.password };
    let before = world.model.borrow().tokens.len();
    let mut events = 0;
    // A failure that was counted while the clock was ahead may be just now.
    for wait in [Duration::ZERO, QUIET] {
        if world.model.borrow().tokens.len() == before {
            events += until(world, wait);
            let (intent, request) = traffic::of_login(login.clone(), address.clone());
            traffic::send(world, vm, intent, request);
            events += until(world, Duration::from_secs(3));
        }
    }
    let tokens = world.model.borrow().tokens.len();
    if tokens == before {
        world.violate("at rest", || format!("{} can't log in at {source} of VM {vm}", person.name));
    }
    if tokens < before + 2 {
        return events;
    }
    let (intent, request) = traffic::refresh_by(world, before + 1, "APP", true, address);
    traffic::send(world, vm, intent, request);
    let events = events + until(world, Duration::from_secs(3));
    if world.model.borrow().tokens.len() == tokens {
        world.violate("at rest", || format!("{} can't renew a token at {source} of VM {vm}", person.name));
    }
    events
}
