//! Random histories of guesses, and what holds in all of them.

use super::*;

/// One thing that happens.
#[derive(Clone, Debug)]
enum Happening {
    /// Time passes, in seconds.
    Pass(u64),
    /// A stranger begins a guess, by some spelling, from some address.
    Guess {
        spelling: u64,
        address: u64,
    },
    /// The guess that began longest ago is found wrong, or its caller hangs up, or something could not be had.
    Wrong,
    HangUp,
    Unknown(bool),
    /// The user logs in from home, or makes a slip before.
    LogIn {
        slips: u64,
    },
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        3 => prop_oneof![0..3_u64, 20..40_u64, 200..1000_u64, 5_000..90_000_u64].prop_map(Happening::Pass),
        8 => (1..4_u64, 200..230_u64).prop_map(|(spelling, address)| Happening::Guess { spelling, address }),
        4 => Just(Happening::Wrong),
        1 => Just(Happening::HangUp),
        1 => any::<bool>().prop_map(Happening::Unknown),
        1 => (0..4_u64).prop_map(|slips| Happening::LogIn { slips }),
    ]
}

/// The most guesses at an identifier and at a user that the limits allow in a day.
static MOST: LazyLock<(usize, usize)> =
    LazyLock::new(|| (most_in_a_day(Limits::default().identifier), most_in_a_day(Limits::default().user)));

/// Made as soon as they can be.
fn most_in_a_day(limit: Limit) -> usize {
    let store = MemoryStore::default();
    let counter = counter(1, 1, limit);
    (0..DAY).map(|second| (0..100).take_while(|_| counter.fail(&store, after(second)) == Ok(0)).count()).sum()
}

fn most_in_any_day(times: &[u64]) -> usize {
    let since = |start: &u64| times.iter().filter(|time| (*start..*start + DAY).contains(*time)).count();
    times.iter().map(since).max().unwrap_or(0)
}

proptest! {
    /// No sequence of events by those who can't log in keeps out one who logged in from where he is; no identifier and no user
    /// sees more guesses a day than the limits say, by any spelling, in any order, at any parallelism.
    #[test]
    fn whatever_strangers_do_a_friend_comes_in_and_they_do_not(history in prop::collection::vec(happening(), 1..400)) {
        let (store, mut now, mut last_login, mut slipped) = (MemoryStore::default(), START, None::<UnixTime>, Vec::new());
        let (mut under_way, mut learnt, mut telling) = (Vec::new(), BTreeMap::<u64, Vec<u64>>::new(), Vec::new());
        for happening in history {
            match happening {
                Happening::Pass(seconds) => now = UnixTime(now.0 + seconds),
                Happening::Guess { spelling, address } => {
                    let caller = stranger(spelling, address);
                    if let Ok(reservation) = begin(caller, &store, now) {
                        prop_assert!(!reservation.is_friend);
                        under_way.push((caller, reservation));
                    }
                }
                Happening::Wrong | Happening::HangUp | Happening::Unknown(_) if under_way.is_empty() => {}
                Happening::HangUp => drop(under_way.remove(0)),
                Happening::Unknown(by_record) => {
                    let (caller, reservation) = under_way.remove(0);
                    settle(caller, reservation, End::Unknown { by_record }, &store, now);
                }
                Happening::Wrong => {
                    let (caller, reservation) = under_way.remove(0);
                    let if_right = settle(caller, reservation.clone(), End::Right { user: user() }, &store.clone(), now);
                    if if_right == Telling::Outcome {
                        telling.push(now.0);
                        learnt.entry(caller.identifier).or_default().push(now.0);
                    }
                    settle(caller, reservation, End::Wrong { user: user() }, &store, now);
                }
                Happening::LogIn { slips } => {
                    slipped.retain(|slip: &UnixTime| now.0 - slip.0 <= DAY);
                    let is_friend = last_login.is_some_and(|last| now.0 / DAY - last.0 / DAY <= 30);
                    let slips = if is_friend { slips.min(4 - slipped.len().min(4) as u64) } else { 0 };
                    for _ in 0..slips {
                        prop_assert_eq!(log_in(HOME, false, &store, now), Ok(false));
                        slipped.push(now);
                    }
                    let outcome = log_in(HOME, true, &store, now);
                    prop_assert!(!is_friend || outcome == Ok(true), "{outcome:?}");
                    if outcome == Ok(true) {
                        last_login = Some(now);
                    }
                }
            }
        }
        let (of_identifier, of_user) = *MOST;
        for (spelling, times) in &learnt {
            prop_assert!(most_in_any_day(times) <= of_identifier, "spelling {spelling}");
        }
        prop_assert!(most_in_any_day(&telling) <= of_user);
    }
}
