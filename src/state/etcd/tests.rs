//! What is said to etcd, against one of a few lines: many proxies at once, in any order, with answers lost.

mod guesses;
mod places;

use std::{sync::Arc, time::Duration};

use proptest::prelude::*;
use serde_json::json;

use super::{
    Conversation, Etcd, EtcdQuestion, Next,
    fake::{Fake, failure, success},
};
use crate::{
    attempts::{
        self, Counted, End, Friend, FriendProof, Guess, Limit, Limits, Reservation, Settlement, Subject, TableKey,
        Telling, Whereabouts, Who,
    },
    outbound::{CallLimits, CalloutAnswer, Fault},
    registry::identifier::{Identifier, IdentifierKind},
    state::{
        Family, FamilyId, FamilyStatus, OnGraceFromElsewhere, OriginMark, RefreshTokenUse, Revoke, TokenId, TokenInUse,
        UseResult,
    },
    time::{Entropy, UnixTime},
};

const UNTIL: UnixTime = UnixTime(1_000_000);
const GRACE: Duration = Duration::from_secs(10);

fn etcd() -> Arc<Etcd> {
    let limits = CallLimits {
        timeout: Duration::from_secs(1),
        max_response_bytes: 65_536,
        max_concurrent: 1,
        circuit_failures: 1,
        circuit_open: Duration::from_secs(1),
    };
    Arc::new(Etcd {
        cluster: "etcd".to_owned(),
        authority: "etcd".to_owned(),
        path_prefix: "/v3".to_owned(),
        authorization: None,
        key_prefix: "p/".to_owned(),
        limits,
    })
}

const ENDED: UseResult = UseResult::Ended { is_shared: false };

fn claim(generation: u32, issued_at: u64) -> RefreshTokenUse {
    RefreshTokenUse {
        family: FamilyId(7),
        generation,
        issued_at: UnixTime(issued_at),
        until: UNTIL,
        grace: GRACE,
        from: None,
        on_elsewhere: OnGraceFromElsewhere::End,
    }
}

fn next(generation: u32, since: u64) -> UseResult {
    UseResult::Next { generation, since: UnixTime(since), is_shared: false }
}

fn ask<Q: EtcdQuestion>(fake: &mut Fake, question: Q, now: u64) -> Result<Q::Answer, Fault> {
    let now = UnixTime(now);
    let mut conversation = Conversation::begin(&etcd(), question, now);
    loop {
        match fake.call(conversation, now)? {
            Next::Answer(reply) => return Ok(reply),
            Next::Call(next) => conversation = next,
        }
    }
}

fn told<Q: EtcdQuestion>(fake: &mut Fake, question: Q, now: u64) -> Q::Answer {
    ask(fake, question, now).unwrap()
}

fn claimed(fake: &mut Fake, generation: u32, issued_at: u64, now: u64) -> UseResult {
    told(fake, claim(generation, issued_at), now)
}

/// The calls that it takes.
fn calls(fake: &mut Fake, act: impl FnOnce(&mut Fake)) -> usize {
    let before = fake.calls;
    act(fake);
    fake.calls - before
}

#[test]
fn the_usual_refresh_is_one_call_once_its_lease_is_there() {
    let mut fake = Fake::default();
    assert_eq!(calls(&mut fake, |fake| assert_eq!(claimed(fake, 0, 5, 100), next(1, 100))), 3);
    assert_eq!(fake.texts(), [("p/families/0000000000000007".to_owned(), format!("1 100 {}", UNTIL.0))]);
    assert_eq!(calls(&mut fake, |fake| assert_eq!(claimed(fake, 1, 100, 200), next(2, 200))), 1);
    assert_eq!(calls(&mut fake, |fake| assert_eq!(claimed(fake, 1, 100, 210), next(2, 200))), 1, "the grace");
    assert_eq!(calls(&mut fake, |fake| assert_eq!(claimed(fake, 1, 100, 211), ENDED)), 2, "theft");
    assert_eq!(calls(&mut fake, |fake| assert_eq!(claimed(fake, 2, 200, 212), ENDED)), 1);
    assert_eq!(fake.texts()[0].1, format!("ended 211 {}", UNTIL.0));
}

#[test]
fn a_lease_that_another_proxy_granted_meanwhile_is_as_good() {
    let (mut fake, now) = (Fake::default(), UnixTime(100));
    let question = || claim(0, 5);
    let conversation = Conversation::begin(&etcd(), question(), now);
    let Ok(Next::Call(granting)) = fake.call(conversation, now) else { panic!("no lease was needed") };
    ask(&mut fake, question(), 100).unwrap();
    let Ok(Next::Call(again)) = fake.call(granting, now) else { panic!("nothing was tried again") };
    let answer = fake.call(again, now).unwrap();
    assert!(matches!(answer, Next::Answer(UseResult::Next { generation: 1, .. })));
}

#[test]
fn what_was_forgotten_goes_on_from_the_token() {
    let mut fake = Fake::default();
    assert_eq!(claimed(&mut fake, 7, 50, 100), next(8, 100));
    fake.forget();
    assert_eq!(claimed(&mut fake, 8, 100, 110), next(9, 110));
    fake.put("p/families/0000000000000007", &format!("3 20 {}", UNTIL.0));
    assert_eq!(claimed(&mut fake, 9, 110, 120), next(10, 120));
}

#[test]
fn ended_is_ended_for_all_its_tokens_and_one_denied_token_ends_alone() {
    let mut fake = Fake::default();
    let first = TokenId::fresh(Entropy::new([7; 32]));
    let second = TokenId::in_family(Entropy::new([8; 32]), first.family());
    let look = |fake: &mut Fake, token| {
        let question = TokenInUse::Access { token, issued_at: UnixTime(5) };
        let mut answer = None;
        assert_eq!(calls(fake, |fake| answer = Some(told(fake, question, 10))), 1);
        answer.unwrap()
    };
    assert!(look(&mut fake, first));
    let deny = Revoke::Token { token: first, until: UNTIL };
    told(&mut fake, deny, 10);
    assert!(!look(&mut fake, first));
    assert!(look(&mut fake, second));
    let end = Revoke::Family { family: first.family(), until: UNTIL };
    told(&mut fake, end, 10);
    assert!(!look(&mut fake, second));
}

#[test]
fn a_look_at_a_refresh_token_changes_nothing() {
    let mut fake = Fake::default();
    claimed(&mut fake, 0, 5, 100);
    let before = fake.texts();
    let look = TokenInUse::Refresh(claim(0, 5));
    assert!(told(&mut fake, look, 110));
    assert!(!told(&mut fake, look, 111));
    assert_eq!(fake.texts(), before);
}

#[test]
fn what_etcd_would_not_say_is_a_fault_and_never_a_success() {
    let header = || json!({"revision": "1"});
    let key = "cC9mYW1pbGllcy8wMDAwMDAwMDAwMDAwMDA3";
    let found = |key: &str, revision: &str, value: &str| {
        let kv = json!({"key": key, "mod_revision": revision, "value": value});
        success(&json!({"header": header(), "responses": [{"response_range": {"kvs": [kv]}}]}))
    };
    let answers = [
        success(&json!({})),
        success(&json!({"succeeded": true})),
        success(&json!({"succeeded": true, "responses": [{"response_put": {}}]})),
        success(&json!({"header": header(), "succeeded": true})),
        success(&json!({"header": header(), "succeeded": true, "responses": [{"response_range": {}}]})),
        success(&json!({"header": header(), "responses": [{"response_put": {}}]})),
        success(&json!({"header": header(), "succeeded": true, "responses": [{}]})),
        success(&json!("no")),
        found("b3RoZXI=", "1", "MSA1IDYK"),
        found(key, "1", "bm9uc2Vuc2U="),
        found(key, "1", "?"),
        found(key, "x", "MSA1IDY="),
        found(key, "-1", "MSA1IDY="),
        failure(404, 5, "Not Found"),
        failure(200, 5, "etcdserver: requested lease not found"),
        CalloutAnswer { status: 200, headers: Vec::new(), body: b"<html>".to_vec() },
        CalloutAnswer { status: 204, headers: Vec::new(), body: Vec::new() },
        CalloutAnswer { status: 302, headers: Vec::new(), body: Vec::new() },
    ];
    for answer in answers {
        let conversation = Conversation::begin(&etcd(), claim(0, 5), UnixTime(10));
        let fault = conversation.answer(&answer, UnixTime(10)).err();
        let is_fault = matches!(fault, Some(Fault::Malformed(_) | Fault::Status(_)));
        assert!(is_fault, "{}: {fault:?}", String::from_utf8_lossy(&answer.body));
    }
    let mut sound = Fake::default();
    sound.put("p/families/0000000000000007", "1 2 9");
    assert_eq!(claimed(&mut sound, 0, 1, 3), next(1, 2));
}

#[test]
fn it_gives_up_where_others_are_always_quicker() {
    let mut fake = Fake::default();
    let mut conversation = Conversation::begin(&etcd(), claim(5, 50), UnixTime(100));
    for generation in 0..100 {
        match fake.call(conversation, UnixTime(100)) {
            Ok(Next::Call(next)) => conversation = next,
            Ok(Next::Answer(reply)) => panic!("{reply:?}"),
            Err(fault) => return assert_eq!((fault, fake.calls), (Fault::Contended, 16)),
        }
        fake.put("p/families/0000000000000007", &format!("{} 5 9", generation % 5));
        fake.leases.clear();
    }
    panic!("it never gave up");
}
