//! Two proxies that remember in one etcd, all of them real: what happens at one of them holds at the other. Each test is a
//! claim.

use std::{
    thread,
    time::{Duration, Instant, SystemTime},
};

use crate::support::{
    directories::{WRONG, assert_unavailable},
    etcd::{Etcd, remembering},
    gateway::{self, Gateway, Keys},
    http1,
    response::Response,
    stories::SAMPLE,
};

/// Far longer than anything takes that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const INVALID: &str = r#"{"error":"invalid_grant","error_description":"Invalid refresh token"}"#;

/// Longer than a test takes.
pub(crate) const LONG_GRACE: &str = "retry_grace: 600s";

// --- Refresh tokens ---

#[test]
fn a_token_that_was_used_at_one_and_comes_again_at_the_other_ends_its_family_at_both() {
    let fleet = Fleet::start("retry_grace: 1s", "", 2);
    let stolen = log_in(&fleet.here);
    let mut newest = refreshed(&fleet.here, &stolen);
    newest = refreshed(&fleet.there, &newest);

    wait_until("the grace to be over", || refresh(&fleet.there, &stolen).text() == INVALID);

    assert!(fleet.etcd.families()[0].starts_with("ended "), "{:?}", fleet.etcd.families());
    for gateway in [&fleet.here, &fleet.there] {
        assert_eq!(refresh(gateway, &newest).text(), INVALID);
        assert_eq!(refresh(gateway, &stolen).text(), INVALID);
    }
    refreshed(&fleet.there, &log_in(&fleet.here));
}

#[test]
fn within_the_grace_an_answer_that_was_lost_at_one_is_given_at_the_other() {
    let fleet = Fleet::start(LONG_GRACE, "", 2);
    let token = log_in(&fleet.here);

    let lost = refreshed(&fleet.here, &token);
    let second = refreshed(&fleet.there, &token);

    refreshed(&fleet.there, &second);
    assert!(fleet.etcd.families()[0].starts_with("2 "), "{:?}", fleet.etcd.families());
    refreshed(&fleet.here, &lost);
    let records = fleet.etcd.records("token-endpoint/families/");
    assert_eq!((records.len(), records[0].version), (1, 2));
}

#[test]
fn a_thief_at_one_who_is_in_each_grace_of_the_victim_at_the_other_ends_with_the_family() {
    let fleet = Fleet::start(LONG_GRACE, "", 1);
    let stolen = log_in(&fleet.here);

    let honest = refreshed(&fleet.here, &stolen);
    let thief = refresh_from(&fleet.there, "198.51.100.7", &stolen);
    assert_eq!(thief.status, 200, "{thief:?}");
    let honest = refreshed(&fleet.here, &honest);
    let caught = refresh_from(&fleet.there, "198.51.100.7", &thief.field("refresh_token"));

    assert_eq!(caught.text(), INVALID);
    assert_eq!(refresh(&fleet.here, &honest).text(), INVALID);
    assert!(fleet.etcd.families()[0].starts_with("ended "), "{:?}", fleet.etcd.families());
    let records = fleet.etcd.records("token-endpoint/");
    let shows = |record: &[u8]| record.windows(4).any(|part| part == b"192." || part == b"198.");
    assert!(records.iter().all(|record| !shows(&record.value)), "{records:?}");
}

#[test]
fn of_a_hundred_that_use_a_token_at_once_at_both_one_begins_the_next_generation() {
    let fleet = Fleet::start(LONG_GRACE, "", 2);
    let token = log_in(&fleet.here);

    let tokens: Vec<String> = thread::scope(|scope| {
        let gateways = [&fleet.here, &fleet.there].into_iter().cycle();
        let refreshes = gateways.take(100).map(|gateway| scope.spawn(|| refreshed(gateway, &token)));
        let refreshes: Vec<_> = refreshes.collect();
        refreshes.into_iter().map(|refresh| refresh.join().unwrap()).collect()
    });

    let records = fleet.etcd.records("token-endpoint/families/");
    assert_eq!((records.len(), records[0].version), (1, 1), "written once");
    assert!(records[0].value.starts_with(b"1 "));
    for (at, gateway) in [(0, &fleet.there), (57, &fleet.here), (99, &fleet.there)] {
        refreshed(gateway, &tokens[at]);
        assert!(fleet.etcd.families()[0].starts_with("2 "), "{:?}", fleet.etcd.families());
    }
}

#[test]
fn the_usual_refresh_is_one_call_and_its_record_ends_with_its_family() {
    let fleet = Fleet::start(LONG_GRACE, "", 1);
    let mut token = refreshed(&fleet.here, &log_in(&fleet.here));
    let before = fleet.here.counter(CALLS);

    for _ in 0..5 {
        token = refreshed(&fleet.here, &token);
    }

    assert_eq!(fleet.here.counter(CALLS) - before, 5);
    let records = fleet.etcd.records("token-endpoint/");
    let kinds: Vec<_> = records.iter().map(|record| record.key.split('/').nth(1).unwrap()).collect();
    assert_eq!(kinds, ["families", "origins"], "{records:?}");
    assert_eq!(records[0].lease, records[1].lease);
    let text = String::from_utf8(records[0].value.clone()).unwrap();
    let until: u64 = text.split(' ').nth(2).unwrap().parse().unwrap();
    let left = until - SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let lives = fleet.etcd.time_to_live(records[0].lease.as_ref().expect("a lease"));
    assert!((left..left + 3600).contains(&lives), "{lives} s of {left} s");
    let unused = "token_endpoint_state_store_ms_count{} 0";
    wait_until("the time to be shown that etcd takes", || !fleet.here.prometheus().contains(unused));
}

// --- Revocation ---

#[test]
fn what_is_revoked_at_one_is_inactive_at_the_other() {
    let fleet = Fleet::start(LONG_GRACE, "", 1);
    let [alone, family] = [(); 2].map(|()| fleet.here.token(SAMPLE));
    let [first, other, renewable] =
        [alone.field("access_token"), family.field("access_token"), family.field("refresh_token")];
    for token in [&first, &other, &renewable] {
        assert!(is_active(&fleet.there, token));
    }

    revoke(&fleet.here, &first);
    assert!(!is_active(&fleet.there, &first));
    assert!(is_active(&fleet.there, &other));
    refreshed(&fleet.there, &alone.field("refresh_token"));

    revoke(&fleet.there, &renewable);
    for token in [&other, &renewable] {
        assert!(!is_active(&fleet.here, token));
    }
    assert_eq!(refresh(&fleet.here, &renewable).text(), INVALID);
}

#[test]
fn a_revocation_that_etcd_can_not_be_told_is_not_called_done() {
    let mut fleet = Fleet::start(&format!("{LONG_GRACE}, on_store_failure: allow"), "", 1);
    let token = log_in(&fleet.here);
    fleet.etcd.go_away();
    let refused = http1::post_form(fleet.here.address(), "/oauth2/revoke", &about(&token));
    assert_unavailable(&refused, "etcd is away");
    fleet.etcd.come_back();
    wait_until("etcd to be told", || {
        http1::post_form(fleet.here.address(), "/oauth2/revoke", &about(&token)).status == 200
    });
    assert!(!is_active(&fleet.there, &token));
}

pub(crate) fn revoke(gateway: &Gateway, token: &str) {
    assert_eq!(http1::post_form(gateway.address(), "/oauth2/revoke", &about(token)).status, 200);
}

pub(crate) fn is_active(gateway: &Gateway, token: &str) -> bool {
    let answer = http1::post_form(gateway.address(), "/oauth2/introspect", &about(token));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["active"] == true
}

pub(crate) fn about(token: &str) -> String {
    format!("client_id=TENANT_CLIENT_ID&client_secret=TENANT_CLIENT_SECRET&token={token}")
}

// --- Outages ---

#[test]
fn while_etcd_is_away_or_hangs_nobody_refreshes_and_its_cause_is_told_once() {
    let mut fleet = Fleet::start(LONG_GRACE, "", 1);
    let token = refreshed(&fleet.there, &log_in(&fleet.here));

    fleet.etcd.hang();
    for _ in 0..5 {
        assert_unavailable(&refresh(&fleet.here, &token), "etcd hangs");
    }
    assert_told_once(&fleet.here, &["no answer", "status 504"]);
    fleet.etcd.go_on();
    wait_until("service after etcd hung", || refresh(&fleet.here, &token).status == 200);

    fleet.etcd.go_away();
    for _ in 0..5 {
        assert_unavailable(&refresh(&fleet.there, &token), "etcd is away");
    }
    log_in(&fleet.there);
    assert_told_once(&fleet.there, &["no answer", "status 503"]);
    fleet.etcd.come_back();
    wait_until("service after etcd was away", || refresh(&fleet.there, &token).status == 200);
    assert_unharmed(&fleet);
}

#[test]
fn where_it_is_allowed_tokens_are_renewed_while_etcd_is_away() {
    let mut fleet = Fleet::start(&format!("{LONG_GRACE}, on_store_failure: allow"), "store: etcd", 1);
    let token = log_in(&fleet.here);
    fleet.etcd.go_away();

    let second = refreshed(&fleet.here, &token);
    let third = refreshed(&fleet.there, &second);
    log_in(&fleet.there);

    fleet.etcd.come_back();
    wait_until("etcd to be asked again", || refresh(&fleet.here, &third).status == 200 && is_asked(&fleet));
    assert_unharmed(&fleet);
}

#[test]
fn a_record_that_makes_no_sense_is_503_and_never_a_token() {
    let fleet = Fleet::start(LONG_GRACE, "", 1);
    let token = refreshed(&fleet.here, &log_in(&fleet.here));
    let key = fleet.etcd.records("token-endpoint/families/").remove(0).key;

    fleet.etcd.put(&key, "1 2");

    assert_unavailable(&refresh(&fleet.there, &token), "half a record");
    assert_told_once(&fleet.there, &["an answer that can't be used: the record of a family"]);
    assert!(!fleet.there.log().contains(&key), "{}", fleet.there.log());
}

// --- Attempts ---

pub(crate) const FOUR: &str = "store: etcd, identifier: {failures: 4, wait: 600s, max_wait: 600s, forget: 6000s}";

#[test]
fn failures_at_both_are_counted_together_and_a_success_at_one_resets_nothing() {
    let fleet = Fleet::start(LONG_GRACE, FOUR, 2);
    let fail = |gateway: &Gateway| assert_eq!(guess(gateway).text(), WRONG);

    [&fleet.here, &fleet.there, &fleet.here].into_iter().for_each(fail);
    log_in(&fleet.there);
    fail(&fleet.there);

    for gateway in [&fleet.here, &fleet.there] {
        assert_eq!(guess(gateway).status, 429);
        let right = gateway.token(SAMPLE);
        assert_eq!(right.status, 429);
        let retry_after: u64 = right.header("retry-after").unwrap().parse().unwrap();
        assert!((500..=600).contains(&retry_after), "{retry_after}");
    }
    assert_eq!(refresh(&fleet.here, "AAAA").text(), INVALID, "others go on");
    let keys = fleet.etcd.records("token-endpoint/attempts/");
    assert!(keys.iter().all(|record| record.value.len() == keys[0].value.len()), "{keys:?}");
}

#[test]
fn guesses_at_once_at_both_get_no_more_answers_than_one_after_another() {
    let fleet = Fleet::start(LONG_GRACE, FOUR, 2);

    let statuses: Vec<u16> = thread::scope(|scope| {
        let gateways = [&fleet.here, &fleet.there].into_iter().cycle();
        let guesses: Vec<_> = gateways.take(12).map(|gateway| scope.spawn(|| guess(gateway).status)).collect();
        guesses.into_iter().map(|guess| guess.join().unwrap()).collect()
    });

    let answered = statuses.iter().filter(|status| **status == 400).count();
    assert_eq!(answered, 4, "{statuses:?}");
    assert!(statuses.iter().all(|status| [400, 429].contains(status)), "{statuses:?}");
}

#[test]
fn who_has_to_wait_can_not_be_asked_while_etcd_is_away_and_no_password_is_checked() {
    let mut fleet = Fleet::start(LONG_GRACE, FOUR, 1);
    log_in(&fleet.here);
    fleet.etcd.go_away();

    assert_unavailable(&fleet.here.token(SAMPLE), "the right password");
    assert_unavailable(&guess(&fleet.here), "a wrong one");

    fleet.etcd.come_back();
    wait_until("logins after etcd was away", || fleet.here.token(SAMPLE).status == 200);
}

// --- The fleet ---

pub(crate) const CALLS: &str = "cluster.etcd.upstream_rq_total";

/// Two gateways with the same keys, and what they remember in.
pub(crate) struct Fleet {
    pub etcd: Etcd,
    pub here: Gateway,
    pub there: Gateway,
}

impl Fleet {
    fn start(state: &str, attempt_limits: &str, workers: u32) -> Self {
        let etcd = Etcd::start();
        let yaml = yaml(&etcd, state, attempt_limits);
        let start = || Gateway::start_with_workers(workers, &yaml, Keys::of_this_run());
        let (here, there) = thread::scope(|scope| {
            let here = scope.spawn(start);
            (here.join().unwrap(), start())
        });
        Self { etcd, here, there }
    }
}

pub(crate) fn yaml(etcd: &Etcd, state: &str, attempt_limits: &str) -> String {
    let next = "password_checks:";
    let yaml = gateway::demo_with(next, &format!("attempt_limits: {{{attempt_limits}}}\n{:20}{next}", ""));
    remembering(&yaml, etcd.port(), state)
}

/// A login, and its refresh token.
pub(crate) fn log_in(gateway: &Gateway) -> String {
    let answer = gateway.token(SAMPLE);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.field("refresh_token")
}

pub(crate) fn guess(gateway: &Gateway) -> Response {
    gateway.token(&SAMPLE.replace("MOCK_PASSWORD&", "WRONG&"))
}

/// By a user who is always at one address, of which the client tells.
pub(crate) fn refresh(gateway: &Gateway, token: &str) -> Response {
    refresh_from(gateway, "192.0.2.1", token)
}

pub(crate) fn refresh_from(gateway: &Gateway, address: &str, token: &str) -> Response {
    let client = "client_id=TENANT_CLIENT_ID&client_secret=TENANT_CLIENT_SECRET";
    gateway.token(&format!("grant_type=refresh_token&{client}&refresh_token={token}&user_address={address}"))
}

/// A refresh that succeeds, and the next token.
pub(crate) fn refreshed(gateway: &Gateway, token: &str) -> String {
    let answer = refresh(gateway, token);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.field("refresh_token")
}

/// Whether a refresh has left a record again.
fn is_asked(fleet: &Fleet) -> bool {
    !fleet.etcd.families().is_empty()
}

/// What the log has of the state store is one line, with one of these causes.
fn assert_told_once(gateway: &Gateway, causes: &[&str]) {
    let log = gateway.log();
    let told: Vec<_> = log.lines().filter_map(|line| line.split("state store: ").nth(1)).collect();
    assert!(told.len() == 1 && causes.contains(&told[0]), "{told:?}");
}

pub(crate) fn assert_unharmed(fleet: &Fleet) {
    for gateway in [&fleet.here, &fleet.there] {
        log_in(gateway);
        let log = gateway.log();
        assert!(!log.contains("panicked") && !log.contains("Function: "), "a VM crashed:\n{log}");
    }
}

pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(100));
    }
}
