//! Who has to wait after wrong guesses, and who doesn't, on the pure core with addresses and time in the test's hand.

use crate::support::{
    configuration::{CHEAP, KEY, SEAL_KEY, SECRET_HASH},
    core::Core,
    stories::{FORM_TYPE, Request},
};
use serde_json::{Value, json};
use token_endpoint::{http::Response, origin::Origin};

const WEB: &str = "client_id=WEB&client_secret=TENANT_CLIENT_SECRET";
const SPA: &str = "client_id=SPA";
const MINUTE: u64 = 60;
const DAY: u64 = 86_400;

fn document() -> Value {
    let user = |id: &str| {
        let identifiers = json!({"username": id, "email": format!("{id}@example.com")});
        json!({"id": id, "identifiers": identifiers, "password_hash": CHEAP})
    };
    let grants = json!(["password", "refresh_token", "client_credentials"]);
    json!({
        "issuer": "https://gateway.example.com",
        "allow_weak_hashes": true,
        "signing_keys": [{"algorithm": "ES256", "private_key": KEY}],
        "refresh_token_keys": [SEAL_KEY],
        "auth_sources": [{"id": "SOURCE", "identifiers": ["username", "email"], "users": [user("alice"), user("bob")]}],
        "clients": [
            {"id": "WEB", "type": "web", "secret_hashes": [SECRET_HASH], "auth_sources": ["SOURCE"], "grants": grants},
            {"id": "SPA", "type": "spa", "auth_sources": ["SOURCE"], "grants": ["password", "refresh_token"]},
        ],
    })
}

fn core() -> Core {
    Core::new(&document().to_string(), &[])
}

fn from(core: &Core, address: &str) {
    core.origin.set(Origin::of(address));
}

fn post(core: &Core, path: &'static str, form: &str) -> Response {
    let headers = vec![("content-type", FORM_TYPE.to_owned())];
    core.send(&Request { method: "POST", path, headers, body: form.to_owned() })
}

fn login(core: &Core, client: &str, name: &str, password: &str) -> Response {
    let form = format!("grant_type=password&auth_source_id=SOURCE&{client}&username={name}&password={password}");
    post(core, "/oauth2/token", &form)
}

/// Status, and how long to wait.
fn told(response: &Response) -> (u16, Option<&str>) {
    let retry_after = response.headers.iter().find(|(name, _)| *name == "retry-after");
    (response.status, retry_after.map(|(_, seconds)| seconds.as_str()))
}

fn guess(core: &Core, name: &str, password: &str) -> u16 {
    login(core, SPA, name, password).status
}

fn refresh_token(response: &Response) -> String {
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    body["refresh_token"].as_str().unwrap().to_owned()
}

/// So many wrong passwords of alice's, each from an address of its own.
fn attack(core: &Core, client: &str, times: u32) -> Vec<u16> {
    let guess = |number| {
        from(core, &format!("198.51.100.{number}"));
        login(core, client, "alice", "wrong").status
    };
    (0..times).map(guess).collect()
}

#[test]
fn strangers_wait_and_who_logged_in_from_there_does_not() {
    let core = core();
    from(&core, "192.0.2.1");
    assert_eq!(guess(&core, "alice", "right"), 200);
    assert_eq!(attack(&core, SPA, 12), [[400; 5].as_slice(), &[429; 7]].concat());
    from(&core, "192.0.2.1");
    assert_eq!(guess(&core, "alice", "right"), 200);
    assert_eq!(guess(&core, "alice@example.com", "right"), 200, "by any of her names");
    from(&core, "192.0.2.2");
    assert_eq!(told(&login(&core, SPA, "alice", "right")), (429, Some("30")));
}

#[test]
fn a_friend_of_one_client_is_a_stranger_at_another_and_after_a_month() {
    let mut document = document();
    document["clients"]
        .as_array_mut()
        .unwrap()
        .push(json!({"id": "APP", "type": "mobile", "auth_sources": ["SOURCE"], "grants": ["password"]}));
    let core = Core::new(&document.to_string(), &[]);
    from(&core, "192.0.2.1");
    assert_eq!(guess(&core, "alice", "right"), 200);
    attack(&core, SPA, 5);
    from(&core, "192.0.2.1");
    assert_eq!(login(&core, "client_id=APP", "alice", "right").status, 429);
    core.now.set(core.now.get() + 31 * DAY);
    attack(&core, SPA, 5);
    from(&core, "192.0.2.1");
    assert_eq!(guess(&core, "alice", "right"), 429);
}

#[test]
fn nobody_who_shares_an_address_with_an_attacker_of_other_names_is_held_if_he_logged_in_there() {
    let core = core();
    from(&core, "192.0.2.1");
    assert_eq!(guess(&core, "alice", "right"), 200);
    for number in 0..50 {
        assert_eq!(guess(&core, &format!("nobody{number}"), "wrong"), 400);
    }
    assert_eq!(told(&login(&core, SPA, "nobody50", "wrong")), (429, Some("10")));
    assert_eq!(guess(&core, "bob", "right"), 429);
    assert_eq!(guess(&core, "alice", "right"), 200);
}

#[test]
fn a_web_clients_server_is_no_address() {
    let core = core();
    from(&core, "192.0.2.80");
    for number in 0..60 {
        assert_eq!(login(&core, WEB, &format!("nobody{number}"), "wrong").status, 400);
    }
    let tokens = login(&core, WEB, "alice", "right");
    assert_eq!(tokens.status, 200);
    let token = refresh_token(&tokens);
    for (path, form) in [
        ("/oauth2/introspect", format!("{WEB}&token={token}")),
        ("/oauth2/token", format!("{WEB}&grant_type=refresh_token&refresh_token={token}")),
        ("/oauth2/token", format!("{WEB}&grant_type=client_credentials")),
        ("/oauth2/revoke", format!("{WEB}&token={token}")),
    ] {
        assert_eq!(post(&core, path, &form).status, 200, "{path}");
    }
}

#[test]
fn a_web_client_may_tell_its_users_addresses_and_a_public_one_is_not_believed() {
    let core = core();
    from(&core, "192.0.2.80");
    let at = |client: &str, address: &str| format!("{client}&user_address={address}");
    for number in 0..50 {
        assert_eq!(login(&core, &at(WEB, "203.0.113.9"), &format!("nobody{number}"), "wrong").status, 400);
    }
    assert_eq!(login(&core, &at(WEB, "203.0.113.9"), "alice", "right").status, 429);
    assert_eq!(login(&core, &at(WEB, "203.0.113.10"), "alice", "right").status, 200);
    attack(&core, WEB, 5);
    assert_eq!(login(&core, WEB, "alice", "right").status, 429);
    assert_eq!(
        login(&core, &at(WEB, "203.0.113.10"), "alice", "right").status,
        200,
        "a friend by the address that was told"
    );
    from(&core, "192.0.2.7");
    assert_eq!(login(&core, &at(SPA, "203.0.113.10"), "alice", "right").status, 429);
    let malformed = login(&core, &at(WEB, "here"), "alice", "right");
    assert_eq!((malformed.status, String::from_utf8_lossy(&malformed.body).contains("user_address")), (400, true));
}

#[test]
fn a_device_token_makes_a_friend_of_its_user_at_its_client_alone_however_long_ago_it_ended() {
    let core = core();
    let token = refresh_token(&login(&core, WEB, "alice", "right"));
    post(&core, "/oauth2/revoke", &format!("{WEB}&token={token}"));
    let with_token = format!("{WEB}&device_token={token}");
    for _ in 0..3 {
        core.now.set(core.now.get() + 9 * DAY);
        attack(&core, WEB, 6);
        assert_eq!(login(&core, WEB, "alice", "right").status, 429);
        assert_eq!(login(&core, &with_token, "alice", "right").status, 200);
        assert_eq!(login(&core, &with_token, "alice@example.com", "right").status, 200, "by any of her names");
    }
    for _ in 0..5 {
        login(&core, WEB, "bob", "wrong");
    }
    assert_eq!(login(&core, &with_token, "bob", "right").status, 429, "another user");
    assert_eq!(login(&core, &format!("{SPA}&device_token={token}"), "alice", "right").status, 429, "another client");
    assert_eq!(login(&core, &format!("{WEB}&device_token=AAAA"), "alice", "right").status, 429, "no token");
    core.now.set(core.now.get() + 4 * DAY);
    attack(&core, WEB, 6);
    assert_eq!(login(&core, &with_token, "alice", "right").status, 429, "thirty days");
}

#[test]
fn who_shows_a_device_token_has_as_many_guesses_as_anyone() {
    let core = core();
    let token = refresh_token(&login(&core, WEB, "alice", "right"));
    let with_token = format!("{WEB}&device_token={token}");
    let told: Vec<_> = (0..7).map(|_| login(&core, &with_token, "alice", "wrong").status).collect();
    assert_eq!(told, [400, 400, 400, 400, 400, 429, 429]);
}

/// Four wrong, the owner logs in, two wrong: who watches can't tell by it who is active.
#[test]
fn a_success_resets_nothing_that_others_can_read() {
    let (active, idle) = (core(), core());
    for core in [&active, &idle] {
        assert_eq!(attack(core, SPA, 4), [400; 4]);
    }
    for (client, address) in [(SPA, "192.0.2.1"), (WEB, "192.0.2.80")] {
        from(&active, address);
        assert_eq!(login(&active, client, "alice", "right").status, 200);
    }
    for core in [&active, &idle] {
        assert_eq!(attack(core, SPA, 3), [400, 429, 429]);
    }
}

#[test]
fn a_clients_total_refuses_nobody_and_is_told() {
    let core = core();
    for number in 0..1300 {
        from(&core, &format!("198.51.{}.{}", number / 250, number % 250));
        assert_eq!(guess(&core, &format!("nobody{number}"), "wrong"), 400);
    }
    assert!(core.event.borrow().contains(r#"past="client_limit""#), "{}", core.event.borrow());
    from(&core, "192.0.2.1");
    assert_eq!(guess(&core, "bob", "right"), 200);
    assert_eq!(guess(&core, "bob", "right"), 200);
    assert!(!core.event.borrow().contains("past"), "a friend by now: {}", core.event.borrow());
}

#[test]
fn a_right_secret_is_never_held_whoever_guesses_at_it() {
    let core = core();
    for number in 0..1300 {
        from(&core, &format!("198.51.100.{}", number % 33));
        let status = post(&core, "/oauth2/token", "grant_type=client_credentials&client_id=WEB&client_secret=x").status;
        assert_eq!(status, 401);
    }
    assert_eq!(post(&core, "/oauth2/token", &format!("grant_type=client_credentials&{WEB}")).status, 200);
}

#[test]
fn secrets_that_are_sent_to_a_public_client_do_not_lock_out_its_users() {
    let core = core();
    for _ in 0..5 {
        assert_eq!(login(&core, &format!("{SPA}&client_secret=guess"), "alice", "right").status, 401);
    }
    assert_eq!(guess(&core, "alice", "right"), 200);
}

#[test]
fn spellings_that_any_directory_may_take_for_one_are_counted_as_one() {
    let core = core();
    for name in ["alice", "%EF%BC%A1LICE", "alic%C3%A9", "al%C2%ADice", "+alice+"] {
        assert_eq!(guess(&core, name, "wrong"), 400);
    }
    assert_eq!(guess(&core, "alice", "right"), 429);
}

/// A user has other names still: by them all, ten times as many guesses.
#[test]
fn past_a_users_own_limit_a_right_password_is_told_like_a_wrong_one() {
    let mut document = document();
    let identifiers = json!({"username": "carol", "email": "c@x"});
    document["auth_sources"][0]["users"] = json!([{"id": "1", "identifiers": identifiers, "password_hash": CHEAP}]);
    document["attempt_limits"] = json!({"user": {"failures": 8, "wait": "3s", "max_wait": "90s", "forget": "86400s"}});
    let core = Core::new(&document.to_string(), &[]);
    let mut wrong = None;
    for name in ["carol", "c@x"] {
        for number in 0..4 {
            from(&core, &format!("198.51.100.{number}"));
            wrong = Some(login(&core, SPA, name, "wrong"));
        }
    }
    core.work.take();
    let right = login(&core, SPA, "carol", "right");
    assert_eq!(Some(&right), wrong.as_ref());
    assert!(core.work.take() > 0, "after the same work");
    assert!(core.event.borrow().contains(r#"reason="wrong_credentials""#), "{}", core.event.borrow());
    assert!(core.event.borrow().contains(r#"past="user_limit""#), "{}", core.event.borrow());
    core.now.set(core.now.get() + MINUTE);
    assert_eq!(guess(&core, "c@x", "right"), 200);
}

#[test]
fn larger_networks_of_ipv6_are_limited_too() {
    let core = core();
    let mut told = Vec::new();
    for number in 0..201 {
        from(&core, &format!("[2001:db8:0:{number:x}::1]:1"));
        told.push(guess(&core, &format!("nobody{number}"), "wrong"));
    }
    assert_eq!((told.iter().position(|status| *status == 429), told.last()), (Some(200), Some(&429)));
}

#[test]
fn what_could_not_be_had_counts_for_nobody() {
    let core = core();
    core.signs.set(false);
    for _ in 0..20 {
        assert_eq!(guess(&core, "alice", "right"), 503, "the password was right, and no signature to be had");
    }
    core.signs.set(true);
    assert_eq!(guess(&core, "alice", "right"), 200);
}
