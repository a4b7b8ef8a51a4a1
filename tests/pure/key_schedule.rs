//! Keys over time, with the clock in the test's hand: who signs, who is published and for how long a copy may be kept.

use std::sync::LazyLock;

use crate::support::{
    configuration::{CHEAP, SEAL_KEY},
    core::Core,
    stories::Request,
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use jwt_simple::algorithms::Ed25519KeyPair;
use proptest::prelude::*;
use serde_json::{Value, json};
use token_endpoint::{
    config::{self, Configuration, Problem},
    crypto::key_ring::{KeyRing, KeyState},
    http::Response,
    time::UnixTime,
};

const NOW: u64 = 1_800_000_000;
const OTHER_SEAL_KEY: &str = "HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

static PEMS: LazyLock<[String; 4]> = LazyLock::new(|| [(); 4].map(|()| Ed25519KeyPair::generate().to_pem()));

/// When a key begins and ends, in seconds from [`NOW`].
type Times = (Option<i64>, Option<i64>);

fn at(seconds: i64) -> UnixTime {
    UnixTime(NOW.saturating_add_signed(seconds))
}

/// A configuration whose keys `k0`, `k1`, … have these times.
fn document(keys: &[Times], lifetimes: &Value) -> Value {
    let key = |(number, (not_before, not_after)): (usize, &Times)| {
        let time = |seconds: &Option<i64>| seconds.map(|seconds| at(seconds).0);
        json!({"algorithm": "EdDSA", "private_key": PEMS[number], "kid": format!("k{number}"),
               "not_before": time(not_before), "not_after": time(not_after)})
    };
    json!({
        "issuer": "https://gateway.example.com",
        "allow_weak_hashes": true,
        "lifetimes": lifetimes,
        "signing_keys": keys.iter().enumerate().map(key).collect::<Vec<_>>(),
        "refresh_token_keys": [SEAL_KEY],
        "auth_sources": [{"id": "SOURCE", "identifiers": ["username"], "users": [
            {"id": "alice", "identifiers": {"username": "alice"}, "password_hash": CHEAP},
        ]}],
        "clients": [{"id": "APP", "type": "spa", "auth_sources": ["SOURCE"], "grants": ["password", "refresh_token"]}],
    })
}

fn parse(keys: &[Times], lifetimes: &Value, now: UnixTime) -> Result<Configuration, Vec<String>> {
    let document = document(keys, lifetimes).to_string();
    config::parse(document.as_bytes(), &|_| None, now)
        .map_err(|problems| problems.iter().map(Problem::to_string).collect())
}

fn problems(keys: &[Times]) -> Vec<String> {
    parse(keys, &json!({}), at(0)).err().unwrap_or_default()
}

fn ring(keys: &[Times]) -> KeyRing {
    let lifetimes = json!({"access_token": "5s", "id_token": "10s", "jwks": "3s"});
    parse(keys, &lifetimes, at(0)).unwrap().endpoint.keys
}

fn signer(ring: &KeyRing, seconds: i64) -> &str {
    ring.active(at(seconds)).map(|key| key.kid()).unwrap()
}

fn published(ring: &KeyRing, seconds: i64) -> Vec<&str> {
    ring.published(at(seconds)).map(|key| key.kid()).collect()
}

/// A rotation from `k0` to `k1` that is planned for ten seconds from now.
const ROTATION: [Times; 2] = [(None, Some(10)), (Some(10), None)];

#[test]
fn a_planned_rotation_happens_at_its_moment() {
    let ring = ring(&ROTATION);
    assert_eq!([9, 10].map(|seconds| signer(&ring, seconds)), ["k0", "k1"]);
}

#[test]
fn the_next_key_is_published_at_once_and_the_last_one_until_its_last_token_has_expired() {
    let ring = ring(&ROTATION);
    for seconds in [0, 9, 10, 19] {
        assert_eq!(published(&ring, seconds), ["k0", "k1"], "{seconds}");
    }
    assert_eq!(published(&ring, 20), ["k1"], "an ID token of second 9 expires in second 19");
}

#[test]
fn of_keys_whose_time_it_is_the_one_that_began_last_signs_and_the_first_listed_of_those_that_began_together() {
    let ring = ring(&[(None, None), (Some(-5), None), (Some(5), Some(8)), (None, None)]);
    let signers = [-6, -5, 4, 5, 7, 8].map(|seconds| signer(&ring, seconds));
    assert_eq!(signers, ["k0", "k1", "k1", "k2", "k2", "k1"]);
    assert_eq!(published(&ring, 18), ["k0", "k1", "k3"], "a key without an end stays published");
}

#[test]
fn every_key_says_what_it_is_for_and_until_when() {
    let ring = ring(&ROTATION);
    let states = |seconds| ring.states(at(seconds)).map(|(_, state)| state).collect::<Vec<_>>();
    let forever = KeyState::Active { until: None };
    assert_eq!(states(9), [KeyState::Active { until: Some(at(10)) }, KeyState::Next { from: at(10) }]);
    assert_eq!(states(10), [KeyState::Retired { until: Some(at(20)) }, forever]);
    assert_eq!(states(20), [KeyState::Gone, forever]);
}

#[test]
fn a_published_key_is_found_by_its_kid_as_long_as_it_is_published() {
    let ring = ring(&ROTATION);
    let found = |kid, seconds| ring.published_key(kid, at(seconds)).map(|key| key.kid());
    assert_eq!([found("k0", 19), found("k1", 0)], [Some("k0"), Some("k1")]);
    assert_eq!([found("k0", 20), found("k2", 0)], [None, None]);
}

#[test]
fn a_copy_of_the_published_keys_is_kept_until_they_change_and_no_longer_than_configured() {
    let lifetimes = json!({"access_token": "5s", "id_token": "10s", "jwks": "3s"});
    let core = Core::new(&document(&ROTATION, &lifetimes).to_string(), &[]);
    let max_age = |seconds| {
        core.now.set(at(seconds).0);
        let request = Request { method: "GET", path: "/oauth2/jwks", headers: vec![], body: String::new() };
        let response = core.send(&request);
        response.headers.into_iter().find(|(name, _)| *name == "cache-control").unwrap().1
    };
    for (seconds, expected) in [(0, 3), (7, 3), (8, 2), (9, 1), (10, 3), (18, 2), (19, 1), (20, 3), (1_000_000, 3)] {
        assert_eq!(max_age(seconds), format!("public, max-age={expected}"), "{seconds}");
    }
}

#[test]
fn a_moment_without_a_key_is_refused_wherever_it_is() {
    let end = "signing_keys[0].not_after: no key signs from then on";
    assert_eq!(problems(&[(None, Some(10))]), [end], "an end without a successor");
    assert_eq!(problems(&[(None, Some(10)), (Some(11), None)]), [end], "a gap");
    assert_eq!(problems(&[(None, Some(0))]), ["signing_keys: no key signs now"], "an end that is past");
    assert_eq!(problems(&[(Some(1), None)]), ["signing_keys: no key signs now"], "a beginning that is to come");
    let both = ["signing_keys: no key signs now", "signing_keys[0].not_after: no key signs from then on"];
    assert_eq!(problems(&[(Some(5), Some(10))]), both);
    assert_eq!(problems(&[(None, Some(-9)), (Some(-5), None)]), [""; 0], "a gap that is past hurts nobody");
}

#[test]
fn a_period_without_a_second_in_it_is_refused() {
    for end in [5, 4] {
        let problem = "signing_keys[1].not_after: not later than not_before";
        assert_eq!(problems(&[(None, None), (Some(5), Some(end))]), [problem]);
    }
}

#[test]
fn a_key_with_a_period_that_never_signs_is_refused_and_one_without_is_published() {
    let problem = "signing_keys[1]: never signs: another key does at all its time";
    assert_eq!(problems(&[(None, None), (None, Some(10))]), [problem]);
    assert_eq!(problems(&[(Some(-5), None), (Some(-5), Some(10))]), [problem]);
    assert_eq!(published(&ring(&[(None, None), (None, None)]), 0), ["k0", "k1"]);
}

#[test]
fn a_key_that_begins_before_everybody_can_know_it_is_a_warning() {
    let warnings = |begin| {
        let configuration = parse(&[(None, None), (Some(begin), None)], &json!({"jwks": "60s"}), at(0)).unwrap();
        configuration.warnings.iter().map(|warning| warning.path.clone()).collect::<Vec<_>>()
    };
    assert_eq!(warnings(59), ["signing_keys[1].not_before"]);
    for begin in [60, 0, -1] {
        assert_eq!(warnings(begin), [""; 0], "{begin}");
    }
}

fn post(core: &Core, form: &str) -> Value {
    let headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
    let response: Response =
        core.send(&Request { method: "POST", path: "/oauth2/token", headers, body: form.to_owned() });
    serde_json::from_slice(&response.body).unwrap()
}

fn kid(token: &Value) -> String {
    jsonwebtoken::decode_header(token.as_str().unwrap()).unwrap().kid.unwrap()
}

const LOGIN: &str = "grant_type=password&client_id=APP&auth_source_id=SOURCE&username=alice&password=right";

#[test]
fn tokens_are_signed_by_the_key_whose_time_it_is() {
    let core = Core::new(&document(&ROTATION, &json!({})).to_string(), &[]);
    for (seconds, expected) in [(9, "k0"), (10, "k1")] {
        core.now.set(at(seconds).0);
        let tokens = post(&core, LOGIN);
        assert_eq!(
            (kid(&tokens["access_token"]), kid(&tokens["id_token"])),
            (expected.to_owned(), expected.to_owned())
        );
    }
}

#[test]
fn a_login_that_crosses_the_moment_gets_each_token_from_the_key_of_its_own_second() {
    let core = Core::new(&document(&ROTATION, &json!({})).to_string(), &[]);
    core.pace.set(1);
    let mut crossed = 0;
    for start in 0..10 {
        core.now.set(at(start).0);
        let tokens = post(&core, LOGIN);
        let jwks = serde_json::from_str::<JwkSet>(&core.configuration.endpoint.keys.jwks(at(start))).unwrap();
        let kids = ["access_token", "id_token"].map(|token| verified_kid(&tokens[token], &jwks));
        crossed += usize::from(kids == ["k0", "k1"]);
        assert_ne!(kids, ["k1", "k0"]);
    }
    assert_eq!(crossed, 1, "one second lies between the two signatures");
}

/// The kid of a token that verifies, and that says it was signed while that key signed.
fn verified_kid(token: &Value, jwks: &JwkSet) -> String {
    let kid = kid(token);
    let key = DecodingKey::from_jwk(jwks.find(&kid).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&["APP"]);
    let claims = jsonwebtoken::decode::<Value>(token.as_str().unwrap(), &key, &validation).unwrap().claims;
    assert_eq!(claims["iat"].as_u64() < Some(at(10).0), kid == "k0");
    kid
}

#[test]
fn a_refresh_token_survives_the_planned_rotation_of_its_key_and_the_end_of_the_old_one() {
    let with_keys = |keys: Value| {
        let mut document = document(&[(None, None)], &json!({}));
        document["refresh_token_keys"] = keys;
        Core::new(&document.to_string(), &[])
    };
    let refreshed = |core: &Core, seconds, token: &Value| {
        core.now.set(at(seconds).0);
        let form = format!("grant_type=refresh_token&client_id=APP&refresh_token={}", token.as_str().unwrap());
        post(core, &form)["refresh_token"].clone()
    };
    let rotation = json!([SEAL_KEY, {"key": OTHER_SEAL_KEY, "not_before": at(10).0}]);
    let (rotating, old, new) = (with_keys(rotation), with_keys(json!([SEAL_KEY])), with_keys(json!([OTHER_SEAL_KEY])));
    let before = refreshed(&rotating, 9, &post(&old, LOGIN)["refresh_token"]);
    let after = refreshed(&rotating, 10, &before);
    assert!(before.is_string() && after.is_string());
    assert_eq!([refreshed(&old, 11, &after), refreshed(&new, 11, &before)], [Value::Null, Value::Null]);
    assert!(refreshed(&new, 11, &after).is_string());
}

/// Lists of keys with times around now, most of them with holes.
fn schedules() -> impl Strategy<Value = Vec<Times>> {
    let time = || prop::option::of(-20..40_i64);
    prop::collection::vec((time(), time()), 1..=4)
}

/// Chains of keys as operators write them, some begun, some with overlaps.
fn rotations() -> impl Strategy<Value = Vec<Times>> {
    let step = (1..12_i64, 0..4_i64, any::<bool>());
    (-20..5_i64, prop::collection::vec(step, 1..=3)).prop_map(|(first, steps)| {
        let mut keys = vec![(None, None)];
        let mut begin = first;
        for (span, overlap, ends) in steps {
            keys.last_mut().unwrap().1 = ends.then_some(begin + overlap);
            keys.push((Some(begin), None));
            begin += span;
        }
        keys
    })
}

proptest! {
    /// The point of it all. Of the copies that are kept for their announced lifetime, those that are in use while a token
    /// lives were fetched between some second before it was signed and its end. How long before does not even matter, so
    /// that a slow answer or a lazy clock does no harm.
    #[test]
    fn every_token_verifies_all_its_life_with_every_copy_of_the_keys_over_every_accepted_schedule(
        keys in prop_oneof![schedules(), rotations()],
        (access, id, jwks) in (1..8_u64, 1..8_u64, 1..8_u64),
    ) {
        let lifetimes = json!({
            "access_token": format!("{access}s"), "id_token": format!("{id}s"), "jwks": format!("{jwks}s"),
        });
        let Ok(configuration) = parse(&keys, &lifetimes, at(0)) else { return Ok(()) };
        let ring = configuration.endpoint.keys;
        for signed in 0..60 {
            let kid = ring.active(at(signed)).map(|key| key.kid());
            prop_assert!(kid.is_some(), "nobody signs at {signed}");
            let expired = signed + i64::try_from(access.max(id)).unwrap();
            for fetched in 0..expired {
                prop_assert!(published(&ring, fetched).contains(&kid.unwrap()), "{kid:?} signed at {signed}, fetched at {fetched}");
            }
        }
    }

    /// No copy outlives a change: what is published stays the same for as long as was announced.
    #[test]
    fn what_is_published_does_not_change_while_a_copy_is_kept(keys in prop_oneof![schedules(), rotations()]) {
        let Ok(configuration) = parse(&keys, &json!({"access_token": "5s", "id_token": "3s"}), at(0)) else { return Ok(()) };
        let ring = configuration.endpoint.keys;
        for fetched in 0..60 {
            let change = ring.next_change(at(fetched)).map_or(60, |change| i64::try_from(change.0 - NOW).unwrap());
            for second in fetched..change {
                prop_assert_eq!(published(&ring, second), published(&ring, fetched));
                prop_assert_eq!(signer(&ring, second), signer(&ring, fetched));
            }
        }
    }

    /// A proxy that starts again with the configuration that it has must never be refused it.
    #[test]
    fn a_schedule_that_is_accepted_once_is_accepted_ever_after(
        keys in prop_oneof![schedules(), rotations()],
        later in 0..80_i64,
    ) {
        if parse(&keys, &json!({}), at(0)).is_ok() {
            prop_assert_eq!(parse(&keys, &json!({}), at(later)).err(), None);
        }
    }

    /// The check knows its work: what it refuses has a hole, an empty period or a key that never signs.
    #[test]
    fn what_is_refused_is_wrong(keys in schedules()) {
        let signs_at = |second: i64| {
            let is_at_its_time = |(begin, end): &&Times| begin.is_none_or(|begin| begin <= second) && end.is_none_or(|end| second < end);
            keys.iter().rev().filter(is_at_its_time).max_by_key(|(begin, _)| *begin)
        };
        let has_hole = (0..50).any(|second| signs_at(second).is_none());
        let never = |key: &Times| *key != (None, None) && !(-50..50).any(|second| signs_at(second).is_some_and(|signer| std::ptr::eq(signer, key)));
        let is_wrong = has_hole || keys.iter().any(never);
        prop_assert_eq!(is_wrong, !problems(&keys).is_empty(), "{:?}", problems(&keys));
    }
}
