//! The whole program in a simulated host: days of traffic in seconds, every fault, and invariants that are checked after every
//! event. One seed is one run; `make simulate SEED=…` repeats it and prints what happened.
//!
//! The invariants, by the names that a failure begins with:
//!
//! - `one answer`: each request gets exactly one answer, in time; a caller who left gets none;
//! - `entitled`: no token without its password, its client and an active user;
//! - `one generation`: a refresh token that was used yields none after the grace;
//! - `ended stays ended`: what was revoked, or ended by a theft or with its user, stays so, whatever the clocks do;
//! - `graces`: what two graces in a row from elsewhere come to, and nothing else does;
//! - `limits`: whoever has to wait after failures learns nothing meanwhile;
//! - `friends`: who logged in from where he is, and never failed, waits for nobody else; nor does a right secret;
//! - `nobody waits`: something will go on with whoever waits, and nobody is turned away by an empty queue;
//! - `slice`: a worker is never busy for longer than a slice;
//! - `at rest`: what is held returns to zero when traffic stops, and all is as well as it was at first;
//! - `honest`: who has all that is needed is not refused;
//! - `refusals`: what makes no sense is refused for the reason that it has.
//!
//! Each is seen to notice a mutant of the program by `make simulate-mutants` (`mutants.py`), after so many seeds:
//!
//! - `one answer`: answers-twice (1);
//! - `entitled`: any-password (1), any-status (1), any-client (1), client-that-is-gone (6),
//!   user-of-the-configuration-who-is-gone (1), user-of-a-directory-who-is-gone (41);
//! - `one generation`: endless-grace (1), grace-of-a-clock-put-back (9);
//! - `ended stays ended`: denied-token-not-looked-up (1);
//! - `graces`: no-grace-is-the-second (3), who-begins-forgets-graces (3);
//! - `limits`: one-more-guess (1), guesses-at-once (1);
//! - `friends`: friends-not-known (23), strangers-hold-friends (2);
//! - `nobody waits`: calls-not-woken-for (1), only-the-first-is-answered (1);
//! - `slice`: slices-too-long (1);
//! - `at rest`: timer-not-stopped (1), call-not-given-back (1);
//! - `honest`: newest-taken-for-stolen (1), one-grace-is-enough (1);
//! - `refusals`: two-credentials (1).
//!
//! 300 seeds do not notice a bucket of families that takes no note of a clock that was put back: ids are random, and two families
//! seldom meet in one of 2,048 buckets while a clock is ahead. The tests of `src/state/bucket` do.

mod agenda;
mod chance;
mod coverage;
mod entitlement;
mod etcd;
mod families;
mod faults;
mod fleet;
mod graces;
mod guesses;
mod host;
mod invariants;
mod malformed;
mod model;
mod network;
mod people;
mod request;
mod rest;
mod run;
mod settings;
mod traffic;
mod world;

use run::{Report, Run};

/// As many seeds as `SEEDS` says, or the one that `SEED` says with a trace.
#[test]
fn all_invariants_hold_whatever_goes_wrong() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match number("SEED") {
        Some(seed) => explain(seed),
        None => many(number("SEEDS").unwrap_or(300)),
    }
}

fn explain(seed: u64) {
    let run = Run::of(seed, true);
    println!("{}", run.trace.join("\n"));
    run.coverage.lines().for_each(|line| println!("{line}"));
    println!("seed {seed}: {} events in {:?}", run.events, run.simulated);
    assert_eq!(run.violation, None);
}

fn many(seeds: u64) {
    let report = Report::of(seeds);
    println!("{report}");
    if let Some((seed, violation)) = &report.failure {
        panic!("seed {seed}: {violation}\nrepeat it with: make simulate SEED={seed}");
    }
    if seeds >= 300 {
        assert_eq!(report.coverage.missing(), Vec::<String>::new(), "was not reached");
    }
}
