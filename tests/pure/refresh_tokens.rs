//! The life of a refresh token as a pure function: rotation, reuse, and the ends of a family (RFC 9700 §4.14.2).

use std::time::Duration;

use crate::support::{
    configuration::{CHEAP, KEY, SEAL_KEY},
    core::Core,
    stories::Request,
};
use ct_codecs::{Base64UrlSafeNoPadding as Base64, Decoder};
use serde_json::{Value, json};
use token_endpoint::{
    endpoint::Endpoint,
    http::Response,
    origin::Origin,
    secret::Secret,
    state::{FamilyBucket, FamilyId, OnGraceFromElsewhere, Question, RefreshTokenUse, TokenId, TokenInUse, UseResult},
    time::{Entropy, Moment, UnixTime},
    token::refresh::RefreshToken,
};

const START: u64 = 1_800_000_000;

fn document() -> Value {
    json!({
        "issuer": "https://gateway.example.com",
        "allow_weak_hashes": true,
        "signing_keys": [{"algorithm": "ES256", "private_key": KEY}],
        "refresh_token_keys": [SEAL_KEY],
        "auth_sources": [{"id": "SOURCE", "identifiers": ["username"], "users": [
            {"id": "alice", "identifiers": {"username": "alice"}, "password_hash": CHEAP},
        ]}],
        "clients": [
            {"id": "APP", "type": "spa", "auth_sources": ["SOURCE"], "grants": ["password", "refresh_token"]},
        ],
    })
}

fn core() -> Core {
    core_with(&document())
}

fn core_with(document: &Value) -> Core {
    Core::new(&document.to_string(), &[])
}

fn post(core: &Core, form: String) -> Response {
    let headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
    core.send(&Request { method: "POST", path: "/oauth2/token", headers, body: form })
}

fn login(core: &Core) -> Response {
    post(core, "grant_type=password&auth_source_id=SOURCE&client_id=APP&username=alice&password=right".to_owned())
}

fn refresh(core: &Core, token: &str) -> Response {
    post(core, format!("grant_type=refresh_token&client_id=APP&refresh_token={token}"))
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

/// The refresh token of a success.
fn next(response: &Response) -> String {
    body(response)["refresh_token"].as_str().unwrap_or_else(|| panic!("{}", body(response))).to_owned()
}

fn is_refused(response: &Response) -> bool {
    body(response)["error_description"] == "Invalid refresh token"
}

fn jti(response: &Response, token: &str) -> TokenId {
    let body = body(response);
    let claims = body[token].as_str().unwrap().split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&Base64::decode_to_vec(claims, None).unwrap()).unwrap();
    TokenId::parse(claims["jti"].as_str().unwrap()).unwrap()
}

fn after(core: &Core, seconds: u64) {
    core.now.set(core.now.get() + seconds);
}

#[test]
fn each_refresh_gives_the_next_token_of_the_family() {
    let core = core();
    let mut token = next(&login(&core));
    for _ in 0..5 {
        after(&core, 300);
        token = next(&refresh(&core, &token));
    }
}

#[test]
fn a_lost_answer_is_given_again_and_the_family_lives() {
    let core = core();
    let first = next(&login(&core));
    let lost = next(&refresh(&core, &first));
    after(&core, 10);
    let second = next(&refresh(&core, &first));
    assert_ne!(lost, second);
    after(&core, 60);
    next(&refresh(&core, &second));
}

#[test]
fn two_tabs_that_refresh_at_once_both_go_on() {
    let core = core();
    let first = next(&login(&core));
    let tabs = [next(&refresh(&core, &first)), next(&refresh(&core, &first))];
    after(&core, 60);
    let renewed = tabs.map(|token| next(&refresh(&core, &token)));
    after(&core, 5);
    assert_eq!(refresh(&core, &renewed[1]).status, 200);
}

const HOME: &str = "192.0.2.1:1000";
const THIEF: &str = "198.51.100.7:1000";
const TOLD: &str = r#"grace="from_elsewhere""#;

fn refresh_from(core: &Core, address: &str, token: &str) -> Response {
    core.origin.set(Origin::of(address));
    refresh(core, token)
}

/// Both refresh with the same token, the one four seconds after the other: their next tokens.
fn shadowed(core: &Core, token: &str, [first, second]: [&str; 2]) -> [Response; 2] {
    after(core, 300);
    let first = refresh_from(core, first, token);
    after(core, 4);
    [first, refresh_from(core, second, token)]
}

#[test]
fn a_thief_who_refreshes_right_after_the_victim_is_found_at_the_second_time() {
    let core = core();
    let stolen = next(&login(&core));
    let [honest, thief] = shadowed(&core, &stolen, [HOME, THIEF]);
    assert!(!core.event.borrow().contains("grace="), "{}", core.event.borrow());
    assert_ne!(next(&honest), next(&thief));
    after(&core, 300);
    let honest = refresh_from(&core, HOME, &next(&honest));
    after(&core, 4);
    assert!(is_refused(&refresh_from(&core, THIEF, &next(&thief))));
    assert!(core.event.borrow().contains(TOLD), "{}", core.event.borrow());
    assert!(!core.event.borrow().contains("192.0.2") && !core.event.borrow().contains("198.51"));
    after(&core, 300);
    assert!(is_refused(&refresh_from(&core, HOME, &next(&honest))), "the family has ended");
    assert!(!core.event.borrow().contains(TOLD), "it is told once");
}

#[test]
fn where_the_operator_chose_so_a_thief_in_each_grace_is_only_told() {
    let mut document = document();
    document["state"] = json!({"on_grace_from_elsewhere": "tell"});
    let core = core_with(&document);
    let mut token = next(&login(&core));
    for is_told in [false, true, true] {
        let [_, thief] = shadowed(&core, &token, [HOME, THIEF]);
        token = next(&thief);
        assert_eq!(core.event.borrow().contains(TOLD), is_told, "{}", core.event.borrow());
    }
}

#[test]
fn roaming_two_tabs_and_addresses_of_one_network_end_no_family() {
    let rounds = [[HOME, THIEF], [THIEF, THIEF], [HOME, THIEF], [HOME, HOME], ["192.0.2.1:1", "192.0.2.1:2"]];
    let networks = [["[2001:db8::1]:1", "[2001:db8::2]:1"]; 3];
    let unknown = [["/run/socket", HOME]; 3];
    for rounds in [rounds.as_slice(), &networks, &unknown] {
        let core = core();
        let mut token = next(&login(&core));
        for places in rounds {
            let [first, second] = shadowed(&core, &token, *places);
            assert_eq!((first.status, second.status), (200, 200), "{places:?}");
            token = next(&first);
        }
    }
}

/// Its servers have any addresses; what counts is which one it tells of its user.
#[test]
fn of_a_client_with_a_secret_only_the_address_counts_that_it_tells() {
    const SECRET_HASH: &str = "$sha256$8n1U_H3olnYuV8FjsEpWTg$-x6ID0gAgmA_spz07wQhRfJtn6ZujiexAHOWrLHyH5Q";
    let mut document = document();
    document["clients"][0]["type"] = json!("web");
    document["clients"][0]["secret_hashes"] = json!([SECRET_HASH]);
    for (addresses, last) in [(["", ""], 200), (["192.0.2.1", "198.51.100.7"], 400), (["192.0.2.1", ""], 200)] {
        let core = core_with(&document);
        let form = |rest: &str| format!("client_id=APP&client_secret=TENANT_CLIENT_SECRET&{rest}");
        let login = form("grant_type=password&auth_source_id=SOURCE&username=alice&password=right");
        let mut token = next(&post(&core, login));
        let mut statuses = Vec::new();
        for _ in 0..2 {
            after(&core, 300);
            let answers = addresses.into_iter().zip([HOME, THIEF]).map(|(address, origin)| {
                core.origin.set(Origin::of(origin));
                let rest = format!("grant_type=refresh_token&refresh_token={token}&user_address={address}");
                post(&core, form(&rest))
            });
            let answers: Vec<_> = answers.collect();
            statuses.extend(answers.iter().map(|answer| answer.status));
            token = next(&answers[0]);
        }
        assert_eq!(statuses, [200, 200, 200, last], "{addresses:?}");
    }
}

#[test]
fn a_token_that_comes_again_after_the_grace_ends_the_family() {
    let core = core();
    let stolen = next(&login(&core));
    let honest = next(&refresh(&core, &stolen));
    after(&core, 11);
    assert!(is_refused(&refresh(&core, &stolen)));
    assert!(is_refused(&refresh(&core, &honest)), "the thief and the owner can't be told apart");
    assert_eq!(login(&core).status, 200, "a new login begins a new family");
}

#[test]
fn a_token_from_before_the_last_one_is_theft_whatever_the_grace() {
    let core = core();
    let first = next(&login(&core));
    let second = next(&refresh(&core, &first));
    let third = next(&refresh(&core, &second));
    assert!(is_refused(&refresh(&core, &first)));
    assert!(is_refused(&refresh(&core, &third)));
}

#[test]
fn the_grace_is_as_long_as_configured() {
    let mut document = document();
    document["state"] = json!({"retry_grace": "60s"});
    let core = core_with(&document);
    let first = next(&login(&core));
    next(&refresh(&core, &first));
    after(&core, 60);
    next(&refresh(&core, &first));
    after(&core, 1);
    assert!(is_refused(&refresh(&core, &first)));
}

#[test]
fn families_do_not_end_each_other() {
    let core = core();
    let [one, other] = [(); 2].map(|()| next(&login(&core)));
    next(&refresh(&core, &one));
    after(&core, 11);
    assert!(is_refused(&refresh(&core, &one)));
    assert_eq!(refresh(&core, &other).status, 200);
}

#[test]
fn who_is_idle_for_too_long_logs_in_again_and_who_is_not_goes_on_to_the_end() {
    let mut document = document();
    document["lifetimes"] = json!({"refresh_token": "1000s", "refresh_token_idle": "400s"});
    let core = core_with(&document);
    let idle = next(&login(&core));
    let mut busy = next(&login(&core));
    for _ in 0..2 {
        after(&core, 399);
        busy = next(&refresh(&core, &busy));
    }
    assert!(is_refused(&refresh(&core, &idle)));
    after(&core, 202);
    assert!(is_refused(&refresh(&core, &busy)), "1000 seconds after the login");
}

#[test]
fn a_retry_does_not_make_a_generation_younger() {
    let mut document = document();
    document["lifetimes"] = json!({"refresh_token_idle": "400s"});
    let core = core_with(&document);
    let first = next(&login(&core));
    next(&refresh(&core, &first));
    after(&core, 10);
    let late = next(&refresh(&core, &first));
    after(&core, 390);
    assert!(is_refused(&refresh(&core, &late)), "400 seconds after the generation began");
}

#[test]
fn a_web_client_may_keep_its_token_and_no_other_client_may() {
    let mut document = document();
    document["clients"][0]["refresh_token_rotation"] = json!(false);
    let problems =
        token_endpoint::config::parse(document.to_string().as_bytes(), &|_| None, UnixTime(START)).unwrap_err();
    assert_eq!(
        problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["clients[0].refresh_token_rotation: only a web client's refresh tokens may stay the same"]
    );

    let core = core_with(&with_web_client(document));
    let token =
        next(&post(&core, format!("{WEB}&grant_type=password&auth_source_id=SOURCE&username=alice&password=right")));
    for _ in 0..3 {
        after(&core, 1000);
        let again = post(&core, format!("{WEB}&grant_type=refresh_token&refresh_token={token}"));
        assert_eq!(again.status, 200, "{}", body(&again));
    }
}

const WEB: &str = "client_id=WEB&client_secret=TENANT_CLIENT_SECRET";

fn with_web_client(mut document: Value) -> Value {
    document["clients"][0] = json!({
        "id": "WEB", "type": "web", "auth_sources": ["SOURCE"], "grants": ["password", "refresh_token"],
        "secret_hashes": ["$sha256$8n1U_H3olnYuV8FjsEpWTg$-x6ID0gAgmA_spz07wQhRfJtn6ZujiexAHOWrLHyH5Q"],
        "refresh_token_rotation": false,
    });
    document
}

#[test]
fn a_user_who_was_locked_even_for_a_moment_logs_in_again() {
    let core = core();
    let token = next(&login(&core));
    let mut locked = document();
    locked["auth_sources"][0]["users"][0]["status"] = json!("locked");
    let other = core_with(&locked);
    std::mem::swap(&mut *core.families.borrow_mut(), &mut *other.families.borrow_mut());
    assert_eq!(body(&refresh(&other, &token))["error_description"], "Abnormal user status");
    std::mem::swap(&mut *core.families.borrow_mut(), &mut *other.families.borrow_mut());
    assert!(is_refused(&refresh(&core, &token)));
}

#[test]
fn a_new_password_ends_what_was_granted_before_it() {
    for (changed_at, is_good) in [
        (json!("2027-01-15T08:00:00Z"), true),
        (json!("2027-01-15T08:00:01Z"), false),
        (json!("2027-01-15T09:00:01+01:00"), false),
        (json!(START), true),
        (json!(START + 1), false),
    ] {
        let token = next(&login(&core()));
        let mut document = document();
        document["auth_sources"][0]["users"][0]["password_changed_at"] = changed_at.clone();
        let core = core_with(&document);
        after(&core, 5);
        assert_eq!(refresh(&core, &token).status == 200, is_good, "{changed_at}");
        assert_eq!(refresh(&core, &next(&login(&core))).status, 200);
    }
}

/// Of `right` too, at twice the cost.
const NEW_HASH: &str = "$argon2id$v=19$m=64,t=1,p=1$c29tZSBzYWx0IGhlcmU$CkTMyGV2X/HCsxVDchs+RyWz3OR+y3qGbPNqfLwzETs";

#[test]
fn a_new_hash_ends_what_was_granted_before_it_even_if_nobody_says_when_it_came() {
    let first = next(&login(&core()));
    let second = next(&refresh(&core(), &first));
    let mut changed = document();
    changed["auth_sources"][0]["users"][0]["password_hash"] = json!(NEW_HASH);
    for token in [&first, &second] {
        assert!(is_refused(&refresh(&core_with(&changed), token)));
    }
    let core = core_with(&changed);
    assert_eq!(refresh(&core, &next(&login(&core))).status, 200);
}

/// Sealed by a version that did not know of it, and read by it as well.
#[test]
fn a_token_that_says_nothing_of_the_password_goes_on() {
    let core = core();
    let Endpoint { sealer, terms, .. } = &core.configuration.endpoint;
    let sealed = Secret::new(next(&login(&core)).as_bytes());
    let token = RefreshToken::unseal(sealer, &terms.issuer, &sealed).unwrap();
    assert!(serde_json::to_value(&token).unwrap()["password"].is_string());
    let older = RefreshToken { password: None, ..token };
    assert_eq!(serde_json::to_value(&older).unwrap().get("password"), None);
    let moment = Moment { now: UnixTime(START), entropy: Entropy::new([7; 32]) };
    let older = older.seal(sealer, &terms.issuer, moment).unwrap();
    let mut changed = document();
    changed["auth_sources"][0]["users"][0]["password_hash"] = json!(NEW_HASH);
    assert_eq!(refresh(&core_with(&changed), &older).status, 200);
}

#[test]
fn while_the_memory_fails_nobody_is_served_unless_the_operator_chose_otherwise() {
    let core = core();
    let token = next(&login(&core));
    core.remembers.set(false);
    let refused = refresh(&core, &token);
    assert_eq!((refused.status, &body(&refused)["error"]), (503, &json!("temporarily_unavailable")));
    core.remembers.set(true);
    assert_eq!(refresh(&core, &token).status, 200, "nothing was lost");

    let mut document = document();
    document["state"] = json!({"on_store_failure": "allow"});
    let core = core_with(&document);
    let token = next(&login(&core));
    core.remembers.set(false);
    let second = next(&refresh(&core, &token));
    core.remembers.set(true);
    after(&core, 60);
    next(&refresh(&core, &second));
    after(&core, 60);
    assert!(is_refused(&refresh(&core, &token)), "what happened meanwhile is caught up with");
}

#[test]
fn a_refresh_that_can_not_be_signed_in_time_has_not_used_its_token() {
    let core = core();
    let token = next(&login(&core));
    core.signs.set(false);
    let refused = refresh(&core, &token);
    assert_eq!(
        (refused.status, refused.headers.iter().any(|header| *header == ("retry-after", "60".into()))),
        (503, true)
    );
    core.signs.set(true);
    after(&core, 60);
    next(&refresh(&core, &token));
}

#[test]
fn a_family_that_was_stolen_at_its_end_is_remembered_until_its_last_access_token_has_ended() {
    let mut document = document();
    document["lifetimes"] = json!({"refresh_token": "1000s", "access_token": "300s"});
    let core = core_with(&document);
    let stolen = next(&login(&core));
    after(&core, 980);
    let access_token = jti(&refresh(&core, &stolen), "access_token");
    let issued_at = UnixTime(core.now.get());
    after(&core, 15);
    assert!(is_refused(&refresh(&core, &stolen)));
    after(&core, 200);
    next(&refresh(&core, &next(&login(&core))));

    let look = TokenInUse::Access { token: access_token, issued_at };
    assert!(!look.ask(&mut core.families.borrow_mut(), UnixTime(core.now.get())));
}

#[test]
fn the_access_tokens_of_a_family_tell_which_it_is() {
    let core = core();
    let first = login(&core);
    let second = refresh(&core, &next(&first));
    let other = login(&core);
    let ids = [&first, &second, &other].map(|answer| jti(answer, "access_token"));
    assert_eq!(ids[0].family(), ids[1].family());
    assert_ne!(ids[0], ids[1]);
    assert_ne!(ids[0].family(), ids[2].family());
}

/// The ids are scrambled, as chance would do it, so that buckets fill in no order.
#[test]
fn ten_million_families_stay_inside_the_table_and_none_that_was_forgotten_comes_back() {
    const FAMILIES: u64 = 10_000_000;
    let mut table = vec![FamilyBucket::default(); 2048];
    let mut claim = |number: u64, now: u64| {
        let family = FamilyId(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 2);
        let (issued_at, until) = (UnixTime(number), UnixTime(u64::MAX));
        let (grace, from, on_elsewhere) = (Duration::ZERO, None, OnGraceFromElsewhere::End);
        let question = RefreshTokenUse { family, generation: 0, issued_at, until, grace, from, on_elsewhere };
        let (place, _) = question.places();
        let bucket = usize::try_from(place.bucket(2048)).unwrap();
        question.ask(&mut table[bucket], UnixTime(now))
    };
    for number in 1..=FAMILIES {
        let answer = claim(number, number + 1);
        assert!(matches!(answer, UseResult::Next { generation: 1, .. }));
    }
    for number in (1..=FAMILIES).step_by(997) {
        assert_eq!(claim(number, FAMILIES + 10), UseResult::Ended { is_shared: false }, "family {number} came back");
    }
    let largest = table.iter().map(|bucket| bucket.to_bytes().len()).max().unwrap();
    assert!(largest <= 8 + 128 * 36, "{largest}");
}
