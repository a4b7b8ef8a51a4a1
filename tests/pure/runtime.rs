//! The runtime without Envoy: what one worker does with logins, refreshes, too many of them, and a directory that is down.

use std::time::Duration;

use crate::support::{
    configuration::{CHEAP, KEY, SEAL_KEY},
    host::{CallAnswer, Gateway},
    stories::{FORM_TYPE, Request},
};
use serde_json::{Value, json};
use token_endpoint::{
    crypto::password::{Argon2Cost, hash_argon2id},
    http::Response,
    secret::Secret,
};

/// Costs several slices.
fn dear_hash() -> String {
    let cost = Argon2Cost { memory: 2048, passes: 2, lanes: 1 };
    hash_argon2id(&Secret::new("right"), b"16 bytes of salt", cost).unwrap()
}

fn document(password_checks: &Value) -> Value {
    json!({
        "issuer": "https://gateway.example.com",
        "allow_weak_hashes": true,
        "signing_keys": [{"algorithm": "ES256", "private_key": KEY}],
        "refresh_token_keys": [SEAL_KEY],
        "password_checks": password_checks,
        "auth_sources": [
            {"id": "SOURCE", "identifiers": ["username"],
             "users": [{"id": "alice", "identifiers": {"username": "alice"}, "password_hash": dear_hash()}]},
            {"id": "ELSEWHERE", "identifiers": ["username"],
             "lookup": {"cluster": "directory", "path": "/people/{identifier}",
                        "circuit": {"failures": 2, "open": "10s"},
                        "user": {"id": "/id", "password_hash": "/hash"}}},
        ],
        "clients": [
            {"id": "APP", "type": "spa", "auth_sources": ["SOURCE", "ELSEWHERE"],
             "grants": ["password", "refresh_token"]},
        ],
    })
}

fn gateway(password_checks: &Value) -> Gateway {
    Gateway::start(&document(password_checks).to_string())
}

fn paced() -> Gateway {
    gateway(&json!({"pacing_cluster": "pacing"}))
}

fn post(form: &str) -> Request {
    let headers = vec![("content-type", FORM_TYPE.to_owned())];
    Request { method: "POST", path: "/oauth2/token", headers, body: form.to_owned() }
}

fn login_at(source: &str, password: &str) -> Request {
    post(&format!(
        "grant_type=password&auth_source_id={source}&client_id=APP&username=alice&password={password}&scope=openid"
    ))
}

fn login() -> Request {
    login_at("SOURCE", "right")
}

/// The answer to a request that nobody else has to answer.
fn answer(gateway: &mut Gateway, request: &Request) -> Response {
    let stream = gateway.send(request);
    gateway.run();
    gateway.take_answer(stream).expect("an answer")
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

fn header(response: &Response, name: &str) -> Option<String> {
    response.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
}

#[test]
fn a_login_is_answered_after_many_turns_and_its_stream_returns_at_once() {
    for password_checks in [json!({"pacing_cluster": "pacing"}), json!({})] {
        let mut gateway = gateway(&password_checks);
        let stream = gateway.send(&login());
        assert_eq!((gateway.turns, gateway.take_answer(stream).is_none()), (0, true), "nothing is done in the stream");
        gateway.run();
        let tokens = gateway.take_answer(stream).unwrap();
        assert_eq!((tokens.status, body(&tokens)["token_type"].as_str()), (200, Some("Bearer")));
        assert!(gateway.turns > 3, "{} turns", gateway.turns);
        assert_eq!(gateway.host.metric("password.issued"), [1]);
        assert_eq!(gateway.host.metric("waiting_checks").iter().sum::<i64>(), 0);
        assert_eq!(gateway.host.note(stream, "outcome").as_deref(), Some("issued"));
    }
}

#[test]
fn a_slice_takes_no_longer_than_asked() {
    let mut gateway = paced();
    gateway.send(&login());
    gateway.run();
    let checks = gateway.host.metric("check_ms");
    assert_eq!(checks.len(), 1);
    let least_turns = usize::try_from(checks[0] / 2).unwrap();
    assert!(gateway.turns >= least_turns, "{} turns for {} ms", gateway.turns, checks[0]);
}

#[test]
fn a_wrong_password_is_refused_and_five_of_them_make_the_sixth_wait() {
    let mut gateway = paced();
    for _ in 0..5 {
        assert_eq!(answer(&mut gateway, &login_at("SOURCE", "wrong")).status, 400);
    }
    let refused = answer(&mut gateway, &login());
    assert_eq!((refused.status, header(&refused, "retry-after").as_deref()), (429, Some("30")));
    gateway.host.pass(Duration::from_secs(31));
    assert_eq!(answer(&mut gateway, &login()).status, 200);
}

#[test]
fn a_refresh_gives_the_next_token_and_an_old_one_that_comes_late_ends_the_family() {
    let mut gateway = paced();
    let refresh = |gateway: &mut Gateway, token: &Value| {
        let token = token.as_str().unwrap();
        answer(gateway, &post(&format!("grant_type=refresh_token&client_id=APP&refresh_token={token}")))
    };
    let first = body(&answer(&mut gateway, &login()))["refresh_token"].clone();
    let second = refresh(&mut gateway, &first);
    assert_eq!(second.status, 200);
    gateway.host.pass(Duration::from_secs(60));
    assert_eq!(refresh(&mut gateway, &first).status, 400, "theft");
    assert_eq!(refresh(&mut gateway, &body(&second)["refresh_token"]).status, 400, "the family has ended");
}

#[test]
fn a_thief_who_refreshes_right_after_the_victim_is_refused_the_second_time_and_that_is_counted() {
    let mut gateway = paced();
    let mut told = Vec::new();
    let mut token = body(&answer(&mut gateway, &login()))["refresh_token"].clone();
    for _ in 0..2 {
        gateway.host.pass(Duration::from_secs(300));
        let form = format!("grant_type=refresh_token&client_id=APP&refresh_token={}", token.as_str().unwrap());
        for address in ["192.0.2.1:443", "198.51.100.7:443"] {
            let mut request = post(&form);
            request.headers.push(("x-forwarded-for", address.to_owned()));
            let stream = gateway.send(&request);
            gateway.run();
            let answer = gateway.take_answer(stream).unwrap();
            told.push((answer.status, gateway.host.note(stream, "grace")));
            token = if answer.status == 200 { body(&answer)["refresh_token"].clone() } else { token };
            gateway.host.pass(Duration::from_secs(4));
        }
    }
    let elsewhere = Some("from_elsewhere".to_owned());
    assert_eq!(told, [(200, None), (200, None), (200, None), (400, elsewhere)]);
    assert_eq!(gateway.host.metric("grace.from_elsewhere"), [1]);
}

#[test]
fn logins_that_would_wait_too_long_are_turned_away_at_once_and_the_others_are_served() {
    let mut gateway = gateway(&json!({"pacing_cluster": "pacing", "max_wait": "0.02s"}));
    let streams: Vec<u32> = (0..20).map(|_| gateway.send(&login())).collect();
    let at_once = streams.iter().filter_map(|stream| gateway.take_answer(*stream)).collect::<Vec<_>>();
    assert!(!at_once.is_empty() && at_once.len() < streams.len(), "{} are turned away", at_once.len());
    for refused in &at_once {
        assert_eq!((refused.status, header(refused, "retry-after").as_deref()), (503, Some("1")));
        assert_eq!(body(refused)["error"], "temporarily_unavailable");
    }
    gateway.run();
    let served = streams.iter().filter_map(|stream| gateway.take_answer(*stream));
    assert_eq!(served.filter(|tokens| tokens.status == 200).count(), streams.len() - at_once.len());
}

#[test]
fn a_caller_who_goes_away_takes_its_login_along() {
    let mut gateway = paced();
    let streams = [(); 3].map(|()| gateway.send(&login()));
    gateway.abort(streams[0]);
    gateway.abort(streams[2]);
    gateway.run();
    assert_eq!(gateway.take_answer(streams[1]).unwrap().status, 200);
    assert_eq!(gateway.host.metric("check_ms").len(), 1, "one check for the one who stayed");
    assert_eq!(gateway.host.metric("waiting_checks").iter().sum::<i64>(), 0);
}

#[test]
fn two_who_log_in_by_one_name_are_one_call_to_the_directory() {
    let mut gateway = paced();
    let streams = [(); 2].map(|()| gateway.send(&login_at("ELSEWHERE", "right")));
    gateway.run();
    let call = gateway.take_call("directory").unwrap();
    assert_eq!(call.path, "/people/alice");
    assert!(gateway.take_call("directory").is_none());
    gateway.answer(&call, CallAnswer::of(200, &json!({"id": "7", "hash": CHEAP}).to_string()));
    gateway.run();
    assert_eq!(streams.map(|stream| gateway.take_answer(stream).unwrap().status), [200, 200]);
}

/// Neither of the two tries of a call is answered.
fn directory_is_away(gateway: &mut Gateway) {
    for _ in 0..2 {
        gateway.run();
        let call = gateway.take_call("directory").expect("a try");
        gateway.answer(&call, CallAnswer::none());
    }
    gateway.run();
}

#[test]
fn a_directory_that_is_down_is_tried_twice_left_alone_and_tried_again() {
    let mut gateway = paced();
    for _ in 0..2 {
        let stream = gateway.send(&login_at("ELSEWHERE", "right"));
        directory_is_away(&mut gateway);
        assert_eq!(gateway.take_answer(stream).unwrap().status, 503);
    }
    assert_eq!(answer(&mut gateway, &login_at("ELSEWHERE", "right")).status, 503);
    assert!(gateway.take_call("directory").is_none(), "it is left alone");
    assert_eq!(answer(&mut gateway, &login()).status, 200, "another directory is not concerned");
    gateway.host.pass(Duration::from_secs(11));
    let stream = gateway.send(&login_at("ELSEWHERE", "right"));
    gateway.run();
    let call = gateway.take_call("directory").expect("a try after a while");
    gateway.answer(&call, CallAnswer::of(200, &json!({"id": "7", "hash": CHEAP}).to_string()));
    gateway.run();
    assert_eq!(gateway.take_answer(stream).unwrap().status, 200);
}

/// What introspection or userinfo says of a token, and how often the directory was asked for it.
fn is_known_good(gateway: &mut Gateway, token: &str, status: u16, found: &Value) -> (bool, usize) {
    let headers = vec![("authorization", format!("Bearer {token}"))];
    let request = Request { method: "GET", path: "/oauth2/userinfo", headers, body: String::new() };
    let stream = gateway.send(&request);
    gateway.run();
    let call = gateway.take_call("directory");
    if let Some(call) = &call {
        assert_eq!(call.path, "/people/alice");
        gateway.answer(call, CallAnswer::of(status, &found.to_string()));
        gateway.run();
    }
    let status = gateway.take_answer(stream).expect("an answer").status;
    assert!([200, 401].contains(&status), "{status}");
    (status == 200, usize::from(call.is_some()))
}

/// An access token of a user of the directory outside.
fn token_from_elsewhere(gateway: &mut Gateway, found: &Value) -> String {
    let stream = gateway.send(&login_at("ELSEWHERE", "right"));
    gateway.run();
    let call = gateway.take_call("directory").unwrap();
    gateway.answer(&call, CallAnswer::of(200, &found.to_string()));
    gateway.run();
    let token = body(&gateway.take_answer(stream).unwrap())["access_token"].as_str().unwrap().to_owned();
    assert!(!token.contains("alice"), "it doesn't tell by which name the user logged in");
    token
}

#[test]
fn the_token_of_a_user_who_is_gone_or_another_or_has_a_new_hash_elsewhere_is_good_for_nothing() {
    let known = json!({"id": "7", "hash": CHEAP});
    for (status, found, is_good) in [
        (200, known.clone(), true),
        (404, json!({}), false),
        (200, json!({"id": "8", "hash": CHEAP}), false),
        (200, json!({"id": "7", "hash": dear_hash()}), false),
    ] {
        let mut gateway = paced();
        let token = token_from_elsewhere(&mut gateway, &known);
        gateway.host.pass(Duration::from_secs(5));
        assert_eq!(is_known_good(&mut gateway, &token, status, &found), (is_good, 1), "{found}");
    }
}

#[test]
fn a_directory_is_asked_about_a_tokens_user_once_in_five_seconds() {
    let mut gateway = paced();
    let known = json!({"id": "7", "hash": CHEAP});
    let token = token_from_elsewhere(&mut gateway, &known);
    assert_eq!(is_known_good(&mut gateway, &token, 404, &known), (true, 0), "the login has asked just now");
    gateway.host.pass(Duration::from_secs(5));
    assert_eq!(is_known_good(&mut gateway, &token, 404, &known), (false, 1));
    gateway.host.pass(Duration::from_secs(4));
    assert_eq!(is_known_good(&mut gateway, &token, 200, &known), (false, 0));
}

#[test]
fn where_nothing_can_be_sealed_the_users_of_a_directory_elsewhere_are_not_asked_for() {
    let mut document = document(&json!({"pacing_cluster": "pacing"}));
    document.as_object_mut().unwrap().remove("refresh_token_keys");
    document["clients"][0]["grants"] = json!(["password"]);
    let mut gateway = Gateway::start(&document.to_string());
    let known = json!({"id": "7", "hash": CHEAP});
    let token = token_from_elsewhere(&mut gateway, &known);
    gateway.host.pass(Duration::from_secs(5));
    assert_eq!(is_known_good(&mut gateway, &token, 404, &known), (true, 0));
}

#[test]
fn a_token_is_not_called_good_while_its_directory_is_away() {
    let mut gateway = paced();
    let token = token_from_elsewhere(&mut gateway, &json!({"id": "7", "hash": CHEAP}));
    gateway.host.pass(Duration::from_secs(5));
    let headers = vec![("authorization", format!("Bearer {token}"))];
    let stream = gateway.send(&Request { method: "GET", path: "/oauth2/userinfo", headers, body: String::new() });
    directory_is_away(&mut gateway);
    assert_eq!(gateway.take_answer(stream).unwrap().status, 503);
}
