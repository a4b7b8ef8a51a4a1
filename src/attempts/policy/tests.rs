//! Stories of guesses.

mod histories;

use std::{cell::Cell, collections::BTreeMap, sync::LazyLock};

use proptest::prelude::*;

use super::*;
use crate::attempts::{InvalidBucket, Key, Limit, Limits, MemoryStore};

const FREE: u64 = 5;
const DAY: u64 = 86_400;
const START: UnixTime = UnixTime(1_800_000_000);

/// Who guesses, and at whom; keys as a table's key would give them.
#[derive(Clone, Copy, Debug)]
struct Caller {
    identifier: u64,
    address: Option<u64>,
    friend: Option<(u64, u64)>,
}

const USER: u64 = 7;
const HOME: Caller = Caller { identifier: 1, address: Some(100), friend: Some((USER, 100)) };

fn stranger(identifier: u64, address: u64) -> Caller {
    Caller { identifier, address: Some(address), friend: Some((USER, address)) }
}

fn counter(bucket: u8, tag: u64, limit: Limit) -> Counted {
    Counted { key: Key { bucket, tag }, limit, at_once: if bucket < 192 { 10 } else { u16::MAX } }
}

fn guess(Caller { identifier, address, friend }: Caller) -> Guess {
    let limits = Limits::default();
    let friend = friend.map(|(user, place)| Friend {
        counter: counter(3, user << 32 | place, limits.friend),
        proof: FriendProof::Table(FriendKey { bucket: 5, user, place }),
    });
    Guess {
        identifier: counter(1, identifier, limits.identifier),
        networks: address
            .map(|address| counter((192 + address % 50) as u8, address, limits.address))
            .into_iter()
            .collect(),
        client: counter(250, 1, limits.client),
        friend,
        friend_days: 30,
    }
}

fn user() -> Counted {
    counter(2, USER, Limits::default().user)
}

fn after(seconds: u64) -> UnixTime {
    UnixTime(START.0 + seconds)
}

fn begin(caller: Caller, store: &MemoryStore, now: UnixTime) -> Result<Reservation, u64> {
    match guess(caller).ask(store, now).unwrap() {
        Verdict::Allowed(reservation) => Ok(reservation),
        Verdict::Wait(wait) => Err(wait),
    }
}

fn settle(caller: Caller, reservation: Reservation, end: End, store: &MemoryStore, now: UnixTime) -> Telling {
    Settlement { guess: guess(caller), reservation, end }.ask(store, now).unwrap()
}

/// What a caller learns of a password: nothing where he has to wait.
fn log_in(caller: Caller, is_right: bool, store: &MemoryStore, now: UnixTime) -> Result<bool, u64> {
    let end = if is_right { End::Right { user: user() } } else { End::Wrong { user: user() } };
    let reservation = begin(caller, store, now)?;
    told(settle(caller, reservation, end, store, now), is_right)
}

fn told(telling: Telling, is_right: bool) -> Result<bool, u64> {
    match telling {
        Telling::Outcome => Ok(is_right),
        Telling::Wrong => Ok(false),
        Telling::Wait(wait) => Err(wait),
    }
}

fn fail(times: u64, caller: Caller, store: &MemoryStore, now: UnixTime) {
    for _ in 0..times {
        let _ = log_in(caller, false, store, now);
    }
}

#[test]
fn the_sixth_guess_has_to_wait_even_if_it_is_right() {
    let store = MemoryStore::default();
    fail(FREE, stranger(1, 200), &store, START);
    assert_eq!(log_in(stranger(1, 201), true, &store, START), Err(30));
    assert_eq!(log_in(stranger(1, 201), true, &store, after(30)), Ok(true));
}

#[test]
fn few_guesses_are_made_at_once_and_of_those_no_more_are_told_than_one_after_another() {
    let store = MemoryStore::default();
    let begun: Vec<_> = (0..60).filter_map(|_| begin(stranger(1, 200), &store, START).ok()).collect();
    assert_eq!(begun.len(), 10);
    let end = |right: usize, at| if at == right { End::Right { user: user() } } else { End::Wrong { user: user() } };
    for right in [4, 5, 9] {
        let store = store.clone();
        let settle = |(at, reservation)| settle(stranger(1, 200), reservation, end(right, at), &store, START);
        let told: Vec<_> = begun.iter().cloned().enumerate().map(settle).collect();
        let learnt = told.iter().filter(|telling| **telling == Telling::Outcome).count();
        assert_eq!(learnt, if right < 5 { 6 } else { 5 }, "a right one is no failure: {told:?}");
        assert_eq!(told.get(right).copied(), Some(if right < 5 { Telling::Outcome } else { Telling::Wait(30) }));
    }
}

#[test]
fn who_hangs_up_has_guessed() {
    let store = MemoryStore::default();
    (0..FREE).for_each(|_| drop(begin(stranger(1, 200), &store, START)));
    let late = guess(stranger(1, 201)).ask(&store, after(120));
    assert!(matches!(late, Ok(Verdict::Allowed(_))), "the wait is over by then: {late:?}");
    fail(1, stranger(1, 201), &store, after(120));
    assert_eq!(log_in(stranger(1, 201), true, &store, after(120)), Err(60));
}

#[test]
fn a_friend_may_log_in_often_at_once() {
    let store = MemoryStore::default();
    let at_once = |times| (0..times).map(|_| begin(HOME, &store, START)).collect::<Vec<_>>();
    let first = at_once(8);
    for reservation in first {
        settle(HOME, reservation.unwrap(), End::Right { user: user() }, &store, START);
    }
    assert!(at_once(8).iter().all(|begun| begun.as_ref().is_ok_and(|reservation| reservation.is_friend)));
}

#[test]
fn a_friend_is_held_by_no_stranger() {
    let store = MemoryStore::default();
    assert_eq!(log_in(HOME, true, &store, START), Ok(true));
    for address in 200..300 {
        fail(12, stranger(1, address), &store, after(1));
    }
    assert_eq!(log_in(stranger(1, 999), true, &store, after(2)), Err(29));
    assert_eq!(log_in(HOME, true, &store, after(2)), Ok(true));
    fail(60, Caller { identifier: 2, friend: None, ..HOME }, &store, after(3));
    assert_eq!(log_in(HOME, true, &store, after(3)), Ok(true), "nor by those who share the address");
}

#[test]
fn a_friend_is_held_by_guesses_of_his_own() {
    let store = MemoryStore::default();
    assert_eq!(log_in(HOME, true, &store, START), Ok(true));
    fail(FREE, HOME, &store, START);
    assert_eq!(log_in(HOME, true, &store, START), Err(30));
    assert_eq!(log_in(stranger(1, 200), true, &store, START), Ok(true), "which hold nobody else");
}

#[test]
fn a_friend_is_forgotten_after_a_month() {
    let store = MemoryStore::default();
    log_in(HOME, true, &store, START).unwrap();
    for (days, expected) in [(30, Ok(true)), (61, Err(30))] {
        let now = after(days * DAY);
        fail(FREE, stranger(1, 200), &store, now);
        assert_eq!(log_in(HOME, true, &store, now), expected);
    }
}

#[test]
fn who_shows_what_he_was_given_is_a_friend_wherever_he_is() {
    let store = MemoryStore::default();
    fail(FREE, stranger(1, 200), &store, START);
    let mut of_device = guess(Caller { identifier: 1, address: None, friend: Some((USER, 300)) });
    of_device.friend.as_mut().unwrap().proof = FriendProof::Token;
    for _ in 0..FREE {
        let Ok(Verdict::Allowed(reservation)) = of_device.ask(&store, START) else { panic!("not allowed") };
        assert!(reservation.is_friend);
        let end = End::Wrong { user: user() };
        Settlement { guess: of_device.clone(), reservation, end }.ask(&store, START).unwrap();
    }
    assert!(matches!(of_device.ask(&store, START), Ok(Verdict::Wait(30))), "with as many guesses as anyone");
}

#[test]
fn a_friend_who_could_not_be_looked_up_at_first_is_held_by_no_stranger_at_the_end() {
    let store = MemoryStore::default();
    assert_eq!(log_in(HOME, true, &store, START), Ok(true));
    fail(FREE, stranger(1, 200), &store, START);
    let end = |caller| {
        let (guess, reservation) = (guess(caller), Reservation::default());
        let settlement = Settlement { guess, reservation, end: End::Right { user: user() } };
        let mut buckets = store.clone().into_buckets();
        buckets.retain(|place, _| settlement.places().contains(place));
        settlement.ask(&MemoryStore::new(buckets), START)
    };
    assert_eq!(end(HOME), Ok(Telling::Outcome));
    assert_eq!(end(stranger(1, 201)), Ok(Telling::Wait(30)));
}

#[test]
fn a_success_shows_to_nobody() {
    let (watched, unwatched) = (MemoryStore::default(), MemoryStore::default());
    for store in [&watched, &unwatched] {
        fail(4, stranger(1, 200), store, START);
    }
    for caller in [HOME, Caller { friend: None, ..HOME }, Caller { address: None, friend: None, ..HOME }] {
        assert_eq!(log_in(caller, true, &watched, after(1)), Ok(true));
    }
    for store in [&watched, &unwatched] {
        let told: Vec<_> = (0..3).map(|_| log_in(stranger(1, 200), false, store, after(2))).collect();
        assert_eq!(told, [Ok(false), Err(30), Err(30)]);
    }
}

#[test]
fn spellings_that_only_the_directory_takes_for_one_are_silently_counted_as_one() {
    let store = MemoryStore::default();
    let spelling = |number| stranger(number, number);
    (0..50).for_each(|number| assert_eq!(log_in(spelling(number), false, &store, START), Ok(false)));
    assert_eq!(log_in(spelling(50), true, &store, START), Ok(false), "a right password is told like a wrong one");
    assert_eq!(log_in(spelling(51), true, &store, after(3)), Ok(true));
}

#[test]
fn a_friends_guesses_count_for_the_user_and_the_users_count_holds_no_friend() {
    let store = MemoryStore::default();
    log_in(HOME, true, &store, START).unwrap();
    fail(4, HOME, &store, START);
    (0..46).for_each(|number| fail(1, stranger(number, number), &store, START));
    assert_eq!(log_in(stranger(60, 60), true, &store, START), Ok(false));
    assert_eq!(log_in(HOME, true, &store, START), Ok(true));
}

#[test]
fn an_address_has_one_count_for_all_names_and_a_proven_client_has_none() {
    let store = MemoryStore::default();
    (0..50).for_each(|name| fail(1, Caller { friend: None, ..stranger(name, 200) }, &store, START));
    let next = Caller { friend: None, ..stranger(99, 200) };
    assert_eq!(log_in(next, true, &store, after(3)), Err(7));
    let behind_a_client = Caller { address: None, ..next };
    assert_eq!(log_in(behind_a_client, true, &store, after(3)), Ok(true));
}

#[test]
fn a_clients_total_refuses_nobody_and_shows_who_is_a_stranger() {
    let store = MemoryStore::default();
    log_in(HOME, true, &store, START).unwrap();
    (0..1300).for_each(|name| fail(1, Caller { friend: None, ..stranger(1000 + name, 1000 + name) }, &store, START));
    let newcomer = begin(stranger(5, 5), &store, START).unwrap();
    assert!(newcomer.is_crowded && !newcomer.is_friend);
    assert!(begin(HOME, &store, START).unwrap().is_friend);
}

#[test]
fn what_nobody_knows_the_end_of_is_taken_back_and_a_bad_record_stays_with_who_asked_for_it() {
    for (by_record, expected) in [(false, Ok(true)), (true, Err(10))] {
        let store = MemoryStore::default();
        for name in 0..50 {
            let caller = stranger(name, 200);
            let reservation = begin(caller, &store, START).unwrap();
            settle(caller, reservation, End::Unknown { by_record }, &store, START);
        }
        assert_eq!(log_in(stranger(1, 200), true, &store, START), expected);
        assert_eq!(log_in(stranger(1, 201), true, &store, START), Ok(true), "the name's place is given back");
    }
}

#[test]
fn wrong_secrets_hold_their_address_and_nobody_else() {
    let store = MemoryStore::default();
    let from = |address| FailedSecret { networks: guess(stranger(1, address)).networks };
    let told: Vec<_> = (0..52).map(|_| from(200).ask(&store, START).unwrap()).collect();
    assert!(told.iter().take(50).all(|wait| *wait == 0));
    assert_eq!(told.get(50..), Some([10, 10].as_slice()));
    assert_eq!(from(201).ask(&store, START), Ok(0));
}

/// A store in which another guess is found wrong between the look and the count.
struct Contended(MemoryStore, Cell<bool>);

impl Store for Contended {
    type Error = InvalidBucket;

    fn read(&self, place: BucketKey) -> Result<Vec<u8>, InvalidBucket> {
        self.0.read(place)
    }

    fn update<T>(
        &self,
        place: BucketKey,
        change: impl Fn(&[u8]) -> Result<(Option<Vec<u8>>, T), InvalidBucket>,
    ) -> Result<T, InvalidBucket> {
        if place == BucketKey::Attempts(1) && !self.1.replace(true) {
            fail(1, Caller { friend: None, ..stranger(1, 201) }, &self.0, START);
        }
        self.0.update(place, change)
    }
}

#[test]
fn who_fails_at_the_same_time_as_another_is_told_to_wait() {
    let store = Contended(MemoryStore::default(), Cell::new(true));
    let caller = Caller { friend: None, ..stranger(1, 202) };
    fail(FREE - 1, stranger(1, 200), &store.0, START);
    let Ok(Verdict::Allowed(reservation)) = guess(caller).ask(&store, START) else { panic!("not allowed") };
    store.1.set(false);
    let end = End::Wrong { user: user() };
    let settled = Settlement { guess: guess(caller), reservation, end }.ask(&store, START);
    assert_eq!(settled, Ok(Telling::Wait(30)));
}
