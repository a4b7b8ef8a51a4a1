//! How often an etcd is asked, as docs/sizing.md says it: each row of its table is counted.

use std::{
    thread,
    time::{Duration, UNIX_EPOCH},
};

use crate::{
    fleet::{CALLS, LONG_GRACE, about, refresh, yaml},
    support::{
        etcd::Etcd,
        gateway::{Gateway, Keys, replaced},
        http1,
        response::Response,
        stories::SAMPLE,
    },
};

/// Of names and addresses; one failure more has to wait.
const TWO: &str = "failures: 2, wait: 600s, max_wait: 600s, forget: 6000s";

/// One proxy that remembers in an etcd.
struct World {
    gateway: Gateway,
    _etcd: Etcd,
}

impl World {
    fn start(state: &str, attempt_limits: &str) -> Self {
        Self::start_with(|yaml| yaml, state, attempt_limits)
    }

    fn start_with(change: impl Fn(String) -> String, state: &str, attempt_limits: &str) -> Self {
        let etcd = Etcd::start();
        let yaml = change(yaml(&etcd, state, attempt_limits));
        let world = Self { gateway: Gateway::start_with_workers(1, &yaml, Keys::of_this_run()), _etcd: etcd };
        world.take_leases();
        world
    }

    /// As the first record of those that end in the same ten minutes does. Such a time begins every five minutes here, for one kind
    /// of tokens or the other, and not while a test runs.
    fn take_leases(&self) {
        let left = 300 - UNIX_EPOCH.elapsed().unwrap().as_secs() % 300;
        if left < 30 {
            thread::sleep(Duration::from_secs(left + 1));
        }
        let tokens = self.log_in();
        self.revoke(&tokens.field("access_token"));
        self.revoke(&tokens.field("refresh_token"));
    }

    fn log_in(&self) -> Response {
        let answer = self.gateway.token(SAMPLE);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer
    }

    fn post(&self, path: &str, form: &str) -> u16 {
        http1::post_form(self.gateway.address(), path, form).status
    }

    fn revoke(&self, token: &str) {
        assert_eq!(self.post("/oauth2/revoke", &about(token)), 200);
    }

    fn refresh(&self, token: &str) -> u16 {
        refresh(&self.gateway, token).status
    }

    /// How many calls this takes, whatever status it is told.
    fn assert_calls(&self, what: &str, calls: u64, status: u16, act: impl FnOnce() -> u16) {
        let before = self.gateway.counter(CALLS);
        assert_eq!(act(), status, "{what}");
        assert_eq!(self.gateway.counter(CALLS) - before, calls, "{what}");
    }

    /// What only attempt limits in the store cost.
    fn assert_calls_of_attempts(&self, [login, waits, wrong_secret]: [u64; 3]) {
        let token = |part: &str, other: &str| self.gateway.token(&replaced(SAMPLE, part, other)).status;
        self.assert_calls("a login", login, 200, || self.gateway.token(SAMPLE).status);
        for _ in 0..2 {
            self.assert_calls("a wrong password", login, 400, || token("=MOCK_PASSWORD", "=WRONG"));
        }
        self.assert_calls("a name that has to wait", waits, 429, || token("=MOCK_PASSWORD", "=WRONG"));
        self.assert_calls("a wrong client secret", wrong_secret, 401, || token("CLIENT_SECRET&", "WRONG&"));
    }
}

#[test]
fn only_what_is_remembered_of_tokens_costs_calls_where_attempts_are_counted_in_envoy() {
    let world = World::start(LONG_GRACE, &format!("identifier: {{{TWO}}}"));
    let tokens = world.log_in();
    let [access, token] = ["access_token", "refresh_token"].map(|name| tokens.field(name));
    let introspect = |token: &str| world.post("/oauth2/introspect", &about(token));

    world.assert_calls("a refresh", 1, 200, || world.refresh(&token));
    world.assert_calls("introspection", 1, 200, || introspect(&access));
    world.assert_calls("userinfo", 1, 200, || world.post("/oauth2/userinfo", &format!("access_token={access}")));
    world.assert_calls("what is no token", 0, 200, || introspect("AAAA"));
    world.assert_calls("revocation", 1, 200, || world.post("/oauth2/revoke", &about(&access)));
    world.assert_calls_of_attempts([0, 0, 0]);
}

#[test]
fn attempts_in_etcd_cost_a_login_two_calls_before_its_password_is_checked_and_two_after_it() {
    let world = World::start(LONG_GRACE, &format!("store: etcd, identifier: {{{TWO}}}"));
    let token = world.log_in().field("refresh_token");

    world.assert_calls("a refresh", 1, 200, || world.refresh(&token));
    world.assert_calls_of_attempts([4, 1, 2]);
}

#[test]
fn an_old_token_that_ends_its_family_costs_two_calls() {
    let world = World::start("retry_grace: 1s", "");
    let stolen = world.log_in().field("refresh_token");
    assert_eq!(world.refresh(&stolen), 200);
    thread::sleep(Duration::from_millis(2100));

    world.assert_calls("an old token", 2, 400, || world.refresh(&stolen));
}

#[test]
fn a_token_that_is_not_rotated_costs_one_call() {
    let rotates = "grants: [password, refresh_token, client_credentials]";
    let does_not = format!("{rotates}\n                      refresh_token_rotation: false");
    let world = World::start_with(|yaml| replaced(&yaml, rotates, &does_not), LONG_GRACE, "");
    let token = world.log_in().field("refresh_token");

    world.assert_calls("a refresh", 1, 200, || world.refresh(&token));
}
