//! An earlier version's filter beside this one over one etcd, as while a fleet is brought up to date: what happens at either
//! holds at the other. Each test is a claim; `make test-rollout` builds the earlier filter and runs them.

use std::path::PathBuf;

use crate::{
    fleet::{
        Fleet, INVALID, LONG_GRACE, about, assert_unharmed, guess, is_active, log_in, refresh, refresh_from, refreshed,
        revoke, wait_until, yaml,
    },
    support::{
        etcd::Etcd,
        gateway::{Gateway, Keys},
        http1,
        stories::SAMPLE,
    },
};

#[test]
#[ignore = "needs an earlier filter: `make test-rollout`"]
fn a_login_at_either_is_refreshed_at_the_other() {
    let fleet = start(LONG_GRACE, "");
    for (one, other) in both_ways(&fleet) {
        let mut token = log_in(one);
        for gateway in [other, one, one, other, other, one] {
            token = refreshed(gateway, &token);
            assert!(is_active(one, &token) && is_active(other, &token));
        }
    }
    assert_unharmed(&fleet);
}

#[test]
#[ignore = "needs an earlier filter: `make test-rollout`"]
fn within_the_grace_an_answer_that_was_lost_at_either_is_given_at_the_other() {
    let fleet = start(LONG_GRACE, "");
    for (one, other) in both_ways(&fleet) {
        let token = log_in(one);
        let lost = refreshed(one, &token);
        let second = refreshed(other, &token);
        refreshed(one, &second);
        refreshed(other, &lost);
    }
    let written: Vec<_> = fleet.etcd.records("token-endpoint/families/").iter().map(|record| record.version).collect();
    assert_eq!(written, [2, 2], "once by the first who used the token, and once by the first who used the next");
    assert_unharmed(&fleet);
}

#[test]
#[ignore = "needs an earlier filter: `make test-rollout`"]
fn a_token_that_was_used_at_either_and_comes_again_at_the_other_ends_its_family_at_both() {
    let fleet = start("retry_grace: 1s", "");
    for (one, other) in both_ways(&fleet) {
        let stolen = log_in(one);
        let newest = refreshed(other, &refreshed(one, &stolen));

        wait_until("the grace to be over", || refresh(other, &stolen).text() == INVALID);

        for gateway in [one, other] {
            assert_eq!(refresh(gateway, &newest).text(), INVALID);
            assert_eq!(refresh(gateway, &stolen).text(), INVALID);
            assert!(!is_active(gateway, &newest));
        }
    }
    assert_unharmed(&fleet);
}

/// The earlier filter knows of no places, and what it begins counts as begun from nowhere.
#[test]
#[ignore = "needs an earlier filter: `make test-rollout`"]
fn whoever_is_in_each_grace_from_elsewhere_is_served_as_long_as_the_earlier_one_begins_every_other_generation() {
    let fleet = start(LONG_GRACE, "");
    for (one, other) in both_ways(&fleet) {
        let mut token = log_in(one);
        for begins in [one, other, one, other] {
            let next = refreshed(begins, &token);
            assert_eq!(refresh_from(&fleet.there, "198.51.100.7", &token).status, 200);
            token = next;
        }
    }
    assert_unharmed(&fleet);
}

#[test]
#[ignore = "needs an earlier filter: `make test-rollout`"]
fn what_is_revoked_at_either_is_inactive_at_the_other() {
    let fleet = start(LONG_GRACE, "");
    for (one, other) in both_ways(&fleet) {
        let [alone, family] = [one, other].map(|gateway| gateway.token(SAMPLE));
        let access = alone.field("access_token");
        assert!(is_active(other, &access));
        revoke(one, &access);
        assert!(!is_active(other, &access));
        refreshed(other, &alone.field("refresh_token"));

        let (access, token) = (family.field("access_token"), family.field("refresh_token"));
        let next = refreshed(other, &token);
        revoke(one, &next);
        for token in [&access, &next] {
            assert!(!is_active(other, token));
        }
        assert_eq!(refresh(other, &next).text(), INVALID);
    }
    assert_unharmed(&fleet);
}

/// By each for itself, and by both together in etcd.
#[test]
#[ignore = "needs an earlier filter: `make test-rollout`"]
fn guesses_at_both_are_counted_and_crash_neither() {
    for (store, free) in [("local", 8), ("etcd", 4)] {
        let limit = "identifier: {failures: 4, wait: 600s, max_wait: 600s}";
        let fleet = start(LONG_GRACE, &format!("store: {store}, {limit}"));
        let guesses = (0..12).flat_map(|_| [&fleet.here, &fleet.there].map(|gateway| guess(gateway).status));
        assert_eq!(guesses.collect::<Vec<_>>(), [vec![400; free], vec![429; 24 - free]].concat(), "{store}");
        for (one, other) in both_ways(&fleet) {
            let stranger = SAMPLE.replace("MOCK_USERNAME", "nobody");
            assert_eq!([one, other].map(|gateway| gateway.token(&stranger).status), [400, 400]);
            let wrong = about("x").replace("TENANT_CLIENT_SECRET", "WRONG");
            assert_eq!(http1::post_form(one.address(), "/oauth2/introspect", &wrong).status, 401);
        }
        for gateway in [&fleet.here, &fleet.there] {
            let log = gateway.log();
            assert!(!log.contains("panicked") && !log.contains("Function: ") && !log.contains("state store"), "{log}");
        }
    }
}

/// The earlier filter and this one, with the same keys and the same settings, all of which both know.
fn start(state: &str, attempt_limits: &str) -> Fleet {
    let etcd = Etcd::start();
    let yaml = yaml(&etcd, state, attempt_limits);
    let here = Gateway::start_filter(&earlier_filter(), 2, &yaml, Keys::of_this_run());
    let there = Gateway::start_with_workers(2, &yaml, Keys::of_this_run());
    Fleet { etcd, here, there }
}

fn earlier_filter() -> PathBuf {
    let filter = std::env::var_os("OLD_TOKEN_ENDPOINT_WASM");
    filter.expect("OLD_TOKEN_ENDPOINT_WASM is not set: run these tests by `make test-rollout`").into()
}

fn both_ways(fleet: &Fleet) -> [(&Gateway, &Gateway); 2] {
    [(&fleet.here, &fleet.there), (&fleet.there, &fleet.here)]
}
