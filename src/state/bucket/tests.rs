//! What a bucket of the local table remembers, and for how long.

use std::time::Duration;

use super::*;
use crate::{state::OnGraceFromElsewhere, time::Entropy};

const LATER: UnixTime = UnixTime(1_000_000);

fn claim(family: u64, generation: u32, issued_at: u64) -> RefreshTokenUse {
    let (family, issued_at, grace) = (FamilyId(family), UnixTime(issued_at), Duration::from_secs(10));
    let (from, on_elsewhere) = (None, OnGraceFromElsewhere::End);
    RefreshTokenUse { family, generation, issued_at, until: LATER, grace, from, on_elsewhere }
}

fn claimed(bucket: &mut FamilyBucket, question: &RefreshTokenUse, now: u64) -> Option<u32> {
    match question.ask(bucket, UnixTime(now)) {
        UseResult::Next { generation, .. } => Some(generation),
        UseResult::Ended { .. } => None,
    }
}

fn fill(bucket: &mut FamilyBucket, now: u64) {
    for family in 1_000..2_000 {
        claimed(bucket, &claim(family, 0, now), now);
    }
}

#[test]
fn families_go_on_side_by_side() {
    let mut bucket = FamilyBucket::default();
    for family in 0..100 {
        assert_eq!(claimed(&mut bucket, &claim(family, 0, 5), 10), Some(1));
    }
    for family in 0..100 {
        assert_eq!(claimed(&mut bucket, &claim(family, 0, 5), 20), Some(1), "the grace lasts");
        assert_eq!(claimed(&mut bucket, &claim(family, 0, 5), 21), None, "theft");
        assert_eq!(claimed(&mut bucket, &claim(family, 1, 10), 21), None, "the family has ended");
    }
}

#[test]
fn an_ended_family_takes_its_access_tokens_along() {
    let mut bucket = FamilyBucket::default();
    let token = TokenId::fresh(Entropy::new([7; 32]));
    let look = TokenInUse::Access { token, issued_at: UnixTime(5) };
    claimed(&mut bucket, &claim(token.family().0, 0, 5), 6);
    assert!(look.ask(&mut bucket, UnixTime(7)));
    Revoke::Family { family: token.family(), until: LATER }.ask(&mut bucket, UnixTime(8));
    assert!(!look.ask(&mut bucket, UnixTime(9)));
}

#[test]
fn one_denied_token_ends_alone() {
    let mut bucket = FamilyBucket::default();
    let first = TokenId::fresh(Entropy::new([7; 32]));
    let second = TokenId::in_family(Entropy::new([8; 32]), first.family());
    Revoke::Token { token: first, until: LATER }.ask(&mut bucket, UnixTime(6));
    let look = |token| TokenInUse::Access { token, issued_at: UnixTime(5) };
    assert!(!look(first).ask(&mut bucket, UnixTime(7)));
    assert!(look(second).ask(&mut bucket, UnixTime(7)));
    assert_eq!(claimed(&mut bucket, &claim(first.family().0, 0, 5), 7), Some(1));
}

#[test]
fn a_familys_denied_tokens_are_not_all_in_one_bucket() {
    let family = FamilyId(7);
    let buckets = (0..100).map(|number| {
        let token = TokenId::in_family(Entropy::new([number; 32]), family);
        let looked = TokenInUse::Access { token, issued_at: LATER }.places();
        let (denied, _) = Revoke::Token { token, until: LATER }.places();
        let (ended, _) = Revoke::Family { family, until: LATER }.places();
        assert_eq!(looked, (ended, Some(denied)));
        denied.bucket(2048)
    });
    assert!(buckets.collect::<std::collections::HashSet<_>>().len() > 50);
}

#[test]
fn a_look_changes_nothing() {
    let mut bucket = FamilyBucket::default();
    claimed(&mut bucket, &claim(1, 0, 5), 10);
    let before = bucket.clone();
    let look = TokenInUse::Refresh(claim(1, 0, 5));
    assert!(look.ask(&mut bucket, UnixTime(15)));
    assert!(!look.ask(&mut bucket, UnixTime(500)));
    assert_eq!(bucket, before);
}

#[test]
fn a_revoked_family_that_was_forgotten_stays_ended() {
    let mut bucket = FamilyBucket::default();
    Revoke::Family { family: FamilyId(1), until: LATER }.ask(&mut bucket, UnixTime(100));
    fill(&mut bucket, 200);
    assert_eq!(bucket.get(1), None);
    assert_eq!(claimed(&mut bucket, &claim(1, 0, 50), 300), None);
    assert_eq!(claimed(&mut bucket, &claim(1, 3, 100), 300), None);
    assert_eq!(claimed(&mut bucket, &claim(2, 0, 250), 300), Some(1), "who came later is not concerned");
}

#[test]
fn those_whose_time_is_over_make_room_first() {
    let mut bucket = FamilyBucket::default();
    fill(&mut bucket, 200);
    let (mut after, now) = (bucket.clone(), LATER.after(SLACK).0);
    assert_eq!(claimed(&mut after, &claim(1, 0, 50), now), None, "idle for longer than the table remembers");
    assert_eq!(claimed(&mut after, &claim(1, 0, now), now), Some(1));
    assert_eq!(after.entries.len(), 2, "it, and when the last of the others ended");
}

#[test]
fn what_was_revoked_stays_so_where_the_clock_jumps_ahead_and_back() {
    let mut bucket = FamilyBucket::default();
    let token = TokenId::fresh(Entropy::new([7; 32]));
    Revoke::Family { family: FamilyId(1), until: LATER }.ask(&mut bucket, UnixTime(100));
    Revoke::Token { token, until: LATER }.ask(&mut bucket, UnixTime(100));
    (0..126).for_each(|other| _ = claimed(&mut bucket, &claim(1_000 + other, 0, 150), 150));
    let ahead = LATER.0 + 100;
    assert_eq!(
        claimed(&mut bucket, &RefreshTokenUse { until: UnixTime(2 * ahead), ..claim(2, 0, ahead) }, ahead),
        Some(1)
    );
    let mut bucket = FamilyBucket::from_bytes(&bucket.to_bytes()).unwrap();
    assert_eq!(bucket.get(1), None, "a full bucket has dropped those whose time seemed over");
    assert_eq!(claimed(&mut bucket, &claim(1, 0, 50), 200), None);
    assert!(!TokenInUse::Access { token, issued_at: UnixTime(50) }.ask(&mut bucket, UnixTime(200)));
    assert_eq!(claimed(&mut bucket, &claim(3, 0, 201), 300), Some(1), "who comes later is not concerned");
}

#[test]
fn what_is_revoked_while_the_clock_is_ahead_stays_so_and_holds_up_nobody_who_comes_when_it_is_right_again() {
    let mut bucket = FamilyBucket::default();
    let ahead = UnixTime(LATER.0 + 100);
    for family in [1, 2] {
        Revoke::Family { family: FamilyId(family), until: UnixTime(500) }.ask(&mut bucket, ahead);
    }
    assert_eq!(claimed(&mut bucket, &claim(1, 0, 50), 200), None);
    assert_eq!(claimed(&mut bucket, &claim(3, 0, 210), 220), Some(1));
}

#[test]
fn a_clock_that_is_put_back_a_little_ends_nobody() {
    let mut bucket = FamilyBucket::default();
    Revoke::Family { family: FamilyId(1), until: UnixTime(150) }.ask(&mut bucket, UnixTime(100));
    for (family, now) in [(2, 149), (3, 151), (4, 149), (5, 210), (6, 151)] {
        assert_eq!(claimed(&mut bucket, &claim(family, 0, 90), now), Some(1), "{now}");
    }
}

#[test]
fn a_thief_who_is_in_each_grace_is_found_though_the_bucket_was_bytes_meanwhile() {
    let mut bucket = FamilyBucket::default();
    let [home, thief] = [OriginMark(1), OriginMark(u32::MAX)].map(Some);
    let uses = [(0, home), (0, thief), (1, home), (1, thief)].map(|(generation, from)| {
        bucket = FamilyBucket::from_bytes(&bucket.to_bytes()).unwrap();
        claimed(&mut bucket, &RefreshTokenUse { from, ..claim(1, generation, 5) }, 10)
    });
    assert_eq!(uses, [Some(1), Some(1), Some(2), None]);
}

#[test]
fn it_never_grows_beyond_its_size_and_survives_as_bytes() {
    let mut bucket = FamilyBucket::default();
    assert_eq!(FamilyBucket::from_bytes(&[]), Ok(FamilyBucket::default()));
    Revoke::Family { family: FamilyId(7), until: LATER }.ask(&mut bucket, UnixTime(150));
    fill(&mut bucket, 200);
    let bytes = bucket.to_bytes();
    assert_eq!(bytes.len(), 8 + ENTRIES * ENTRY_BYTES);
    assert_eq!(FamilyBucket::from_bytes(&bytes), Ok(bucket));
    assert_eq!(FamilyBucket::from_bytes(&bytes[..bytes.len() - 1]), Err(InvalidFamilyBucket));
}
