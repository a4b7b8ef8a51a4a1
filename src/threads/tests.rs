//! Threads at work, and threads that starve.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver},
    },
    thread,
    time::Duration,
};

use super::*;
use crate::{
    crypto::password::{PasswordCheck, PasswordHash},
    endpoint::Rank,
    origin::Origin,
    runtime::{CheckDone, CheckThreads, QueuedCheck},
    schedule::ThreadSettings,
    secret::Secret,
};

const HASH: &str = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
/// One that takes a while.
const DEAR: &str = "$argon2id$v=19$m=16384,t=2,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const LONG: Duration = Duration::from_secs(60);

fn check(password: &str, address: &str) -> QueuedCheck {
    check_of(HASH, password, address)
}

fn check_of(hash: &str, password: &str, address: &str) -> QueuedCheck {
    let hash = Arc::new(PasswordHash::parse(hash).unwrap());
    let check = PasswordCheck::new(hash, Secret::new(password));
    QueuedCheck { check, origin: Origin::of(address), rank: Rank::First }
}

fn pool(threads: usize, lower: fn(u8)) -> (PoolWorker, Receiver<CheckDone>) {
    worker(&CheckPool::new(ThreadSettings::default(), threads, lower))
}

fn worker(pool: &CheckPool) -> (PoolWorker, Receiver<CheckDone>) {
    let (send, receive) = mpsc::channel();
    (pool.worker(Arc::new(move |done| send.send(done).unwrap_or_default())), receive)
}

fn next(receive: &Receiver<CheckDone>) -> (u64, Option<bool>) {
    let done = receive.recv_timeout(LONG).unwrap();
    (done.job, done.matches)
}

/// As a core does that is full of what goes before them.
fn starve(_: u8) {
    thread::sleep(LONG);
}

fn leave(_: u8) {}

#[test]
fn a_check_is_answered_by_its_number() {
    let (worker, receive) = pool(1, leave);
    worker.admit(7, check("password", "192.0.2.1"), LONG).unwrap();
    assert_eq!(next(&receive), (7, Some(true)));
    worker.admit(8, check("wrong", "192.0.2.1"), LONG).unwrap();
    assert_eq!(next(&receive), (8, Some(false)));
}

#[test]
fn many_threads_answer_each_check_once() {
    let (worker, receive) = pool(4, leave);
    (0..40).for_each(|job| worker.admit(job, check("password", "192.0.2.1"), LONG).unwrap());
    let mut jobs: Vec<u64> = (0..40).map(|_| next(&receive).0).collect();
    jobs.sort_unstable();
    assert_eq!(jobs, (0..40).collect::<Vec<_>>());
    assert_eq!(worker.waiting(), 0);
    assert!(receive.try_recv().is_err());
}

#[test]
fn a_crowd_gets_all_the_threads_that_it_may_have_while_one_has_nothing_to_do() {
    static BEGUN: AtomicUsize = AtomicUsize::new(0);
    let (worker, receive) = pool(3, |_| _ = BEGUN.fetch_add(1, Ordering::Relaxed));
    worker.admit(0, check("password", "192.0.2.1"), LONG).unwrap();
    next(&receive);
    thread::sleep(Duration::from_millis(50));

    (1..4).for_each(|job| worker.admit(job, check_of(DEAR, "password", "192.0.2.1"), LONG).unwrap());

    (1..4).for_each(|_| _ = next(&receive));
    let is_whole = || BEGUN.load(Ordering::Relaxed) == 3;
    assert!((0..1000).any(|_| is_whole() || {
        thread::sleep(Duration::from_millis(5));
        false
    }));
}

#[test]
fn patient_threads_that_starve_leave_no_login_undone() {
    let (worker, receive) = pool(2, starve);
    (0..5).for_each(|job| worker.admit(job, check("password", "192.0.2.1"), LONG).unwrap());
    (0..5).for_each(|job| assert_eq!(next(&receive), (job, Some(true))));
}

#[test]
fn whoever_leaves_takes_his_check_along_and_no_other() {
    let (worker, receive) = pool(1, starve);
    worker.admit(0, check("password", "192.0.2.1"), LONG).unwrap();
    worker.admit(1, check("password", "192.0.2.1"), LONG).unwrap();
    worker.forget(0, &Origin::of("192.0.2.1"));
    assert_eq!(next(&receive), (1, Some(true)));
    assert!(receive.try_recv().is_err());
}

#[test]
fn two_workers_share_the_threads_and_not_the_answers() {
    let pool = CheckPool::new(ThreadSettings::default(), 1, leave);
    let ((first, receive), (second, other)) = (worker(&pool), worker(&pool));
    first.admit(3, check("password", "192.0.2.1"), LONG).unwrap();
    second.admit(3, check("wrong", "192.0.2.2"), LONG).unwrap();
    assert_eq!((next(&receive), next(&other)), ((3, Some(true)), (3, Some(false))));
}

#[test]
fn a_queue_that_is_too_long_says_how_long() {
    let (worker, _receive) = pool(1, starve);
    let admit = |job| worker.admit(job, check("password", "192.0.2.1"), Duration::from_micros(1));
    assert_eq!(admit(0), Ok(()));
    assert!(admit(1).is_err_and(|wait| wait > Duration::from_micros(1)));
}

#[test]
fn a_report_that_panics_costs_no_thread() {
    let pool = CheckPool::new(ThreadSettings::default(), 1, leave);
    let clumsy = pool.worker(Arc::new(|_| panic!("a clumsy report")));
    clumsy.admit(0, check("password", "192.0.2.1"), LONG).unwrap();
    let (worker, receive) = worker(&pool);
    worker.admit(1, check("password", "192.0.2.1"), LONG).unwrap();
    assert_eq!(next(&receive), (1, Some(true)));
}
