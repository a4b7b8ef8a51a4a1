//! Guesses that are counted in etcd.

use super::*;

fn guess(client_id: &str) -> Guess {
    let (table, limits) = (TableKey::new([7; 32]), Limits::default());
    let identifier = Identifier { kind: IdentifierKind::Username, value: "alice".to_owned() };
    let counter = |subject, limit| Counted { key: table.key(subject), limit, at_once: 2 };
    let friend = table.friend("STAFF", Who::Typed("alice"), client_id, Whereabouts::Address("192.0.2.1"));
    Guess {
        identifier: counter(
            Subject::Identifier { auth_source_id: "STAFF", identifier: &identifier },
            Limit { failures: 2, ..limits.identifier },
        ),
        networks: Vec::new(),
        client: counter(Subject::Client(client_id), limits.client),
        friend: Some(Friend {
            counter: counter(Subject::Friend(friend), limits.friend),
            proof: FriendProof::Table(friend),
        }),
        friend_days: 30,
    }
}

fn begin(fake: &mut Fake, client_id: &str, now: u64) -> Result<Reservation, u64> {
    match ask(fake, guess(client_id), now).unwrap() {
        attempts::Verdict::Allowed(reservation) => Ok(reservation),
        attempts::Verdict::Wait(wait) => Err(wait),
    }
}

fn settle(fake: &mut Fake, client_id: &str, reservation: Reservation, is_right: bool, now: u64) -> bool {
    let key = TableKey::new([7; 32]).key(Subject::User { auth_source_id: "STAFF", who: Who::Id("1") });
    let user = Counted { key, limit: Limits::default().user, at_once: 2 };
    let end = if is_right { End::Right { user } } else { End::Wrong { user } };
    ask(fake, Settlement { guess: guess(client_id), reservation, end }, now).unwrap() == Telling::Outcome
}

#[test]
fn guesses_add_up_to_a_wait_that_holds_strangers_and_no_friend() {
    let mut fake = Fake::default();
    let known = begin(&mut fake, "KNOWN", 100).unwrap();
    assert!(settle(&mut fake, "KNOWN", known, true, 100));
    for _ in 0..2 {
        let reservation = begin(&mut fake, "OTHER", 100).unwrap();
        settle(&mut fake, "OTHER", reservation, false, 100);
    }
    assert_eq!(begin(&mut fake, "OTHER", 100).unwrap_err(), 30);
    assert!(begin(&mut fake, "KNOWN", 100).is_ok_and(|reservation| reservation.is_friend));
}

#[test]
fn a_guess_takes_two_calls_to_begin_and_two_to_settle() {
    let mut fake = Fake::default();
    let mut reservation = None;
    assert_eq!(calls(&mut fake, |fake| reservation = begin(fake, "APP", 100).ok()), 2);
    assert_eq!(calls(&mut fake, |fake| assert!(settle(fake, "APP", reservation.take().unwrap(), true, 100))), 2);
}

#[test]
fn a_bucket_that_is_none_is_a_fault() {
    let mut fake = Fake::default();
    begin(&mut fake, "APP", 100).unwrap();
    let (key, _) = fake.texts().remove(0);
    fake.put(&key, "short");
    assert!(matches!(ask(&mut fake, guess("APP"), 100), Err(Fault::Malformed(_))));
}

proptest! {
    #[test]
    fn of_claims_at_once_one_begins_a_generation_and_all_come_to_it(
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..200),
        generation in 0_u32..3,
        times in prop::collection::vec(100_u64..105, 1..20),
    ) {
        let mut fake = Fake::default();
        for earlier in 0..generation {
            claimed(&mut fake, earlier, 40 + u64::from(earlier) - 1, 40 + u64::from(earlier));
        }
        let claim = claim(generation, 39 + u64::from(generation));
        let begin = |now: &u64| (UnixTime(*now), Conversation::begin(&etcd(), claim, UnixTime(*now)));
        let mut waiting: Vec<_> = times.iter().map(begin).collect();
        let mut replies = Vec::new();
        let mut order = order.into_iter();
        while !waiting.is_empty() {
            let at = order.next().map_or(0, |index| index.index(waiting.len()));
            let (now, conversation) = waiting.swap_remove(at);
            match fake.call(conversation, now).unwrap() {
                Next::Call(conversation) => waiting.push((now, conversation)),
                Next::Answer(reply) => replies.push(reply),
            }
        }
        let record = fake.texts().remove(0).1;
        let since: u64 = record.split(' ').nth(1).unwrap().parse().unwrap();
        prop_assert_eq!(record, format!("{} {since} {}", generation + 1, UNTIL.0));
        let expected = next(generation + 1, since);
        prop_assert_eq!(replies, vec![expected; times.len()]);
    }

    #[test]
    fn one_after_the_other_they_are_judged_as_everywhere(
        claims in prop::collection::vec((0_u32..4, 0_u64..25, any::<bool>(), prop::option::of(0_u32..2)), 1..12),
        ends in any::<bool>(),
    ) {
        let on_elsewhere = if ends { OnGraceFromElsewhere::End } else { OnGraceFromElsewhere::Tell };
        let (mut fake, mut known, mut now) = (Fake::default(), None, 100);
        let mut began = [5; 8];
        for (generation, passed, is_lost, place) in claims {
            now += passed;
            let from = place.map(OriginMark);
            let claim = RefreshTokenUse { from, on_elsewhere, ..claim(generation, began[generation as usize]) };
            let (expected, family) = claim.judge(known, UnixTime(now));
            known = family.or(known);
            if let Some(Family { standing: FamilyStatus::Newest(generation), since, .. }) = family {
                began[generation as usize] = since.0;
            }
            if is_lost {
                fake.answer(&Conversation::begin(&etcd(), claim, UnixTime(now)).callout(UnixTime(now)));
            }
            let reply = ask(&mut fake, claim, now);
            prop_assert_eq!(reply, Ok(expected));
        }
    }

    #[test]
    fn of_guesses_at_once_no_more_begin_than_are_free_and_each_of_them_counts(
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..200),
        guesses in 2_usize..12,
    ) {
        let (mut fake, now) = (Fake::default(), UnixTime(100));
        let mut waiting: Vec<_> = (0..guesses).map(|_| Conversation::begin(&etcd(), guess("APP"), now)).collect();
        let mut replies = Vec::new();
        let mut order = order.into_iter();
        while !waiting.is_empty() {
            let at = order.next().map_or(0, |index| index.index(waiting.len()));
            match fake.call(waiting.swap_remove(at), now).unwrap() {
                Next::Call(conversation) => waiting.push(conversation),
                Next::Answer(reply) => replies.push(reply),
            }
        }
        let begun = replies.iter().filter(|reply| matches!(reply, attempts::Verdict::Allowed(_))).count();
        prop_assert_eq!(begun, 2);
        prop_assert_eq!(begin(&mut fake, "APP", 100).unwrap_err(), 1);
    }
}
