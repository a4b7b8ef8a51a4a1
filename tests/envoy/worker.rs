//! How a worker shares its time between logins and everything else, in a real Envoy.

use std::thread;

use crate::support::{
    gateway::{Gateway, Keys, demo, demo_with},
    http1::{self, Connection},
    response::Response,
    stories::{FORM_TYPE, SAMPLE},
};

const PACED: &str = "password_checks: {pacing_cluster: pacing}";

fn start(password_checks: &str) -> Gateway {
    Gateway::start_with(&demo_with(PACED, password_checks), Keys::of_this_run())
}

/// The sample, with another user who guesses.
fn guess(gateway: &Gateway, name: &str) -> Response {
    gateway.token(
        &SAMPLE.replace("username=MOCK_USERNAME", &format!("username={name}")).replace("MOCK_PASSWORD&", "WRONG&"),
    )
}

/// The answers to logins that are all sent at once.
fn at_once(gateway: &Gateway, logins: usize) -> Vec<Response> {
    thread::scope(|scope| {
        let logins: Vec<_> = (0..logins).map(|_| scope.spawn(|| gateway.token(SAMPLE))).collect();
        logins.into_iter().map(|login| login.join().unwrap()).collect()
    })
}

#[test]
fn logins_work_without_a_pacing_cluster() {
    assert_eq!(start("password_checks: {slice_ms: 4}").token(SAMPLE).status, 200);
}

#[test]
fn a_pacing_cluster_that_does_not_answer_is_said_once_and_logins_go_on() {
    let dead = demo().replace("server_listener_name: pacing", "server_listener_name: nobody");
    let gateway = Gateway::start_with(&dead, Keys::of_this_run());
    for _ in 0..3 {
        assert_eq!(gateway.token(SAMPLE).status, 200);
    }
    let workers_that_said_it = gateway.log().matches("the pacing cluster pacing does not answer").count();
    assert!((1..=2).contains(&workers_that_said_it), "{}", gateway.log());
}

#[test]
fn a_pacing_cluster_that_is_not_configured_is_said_once_and_logins_go_on() {
    let gateway = start("password_checks: {pacing_cluster: nobody}");
    assert_eq!(gateway.token(SAMPLE).status, 200);
    assert!(gateway.log().contains("the pacing cluster nobody does not answer"), "{}", gateway.log());
}

#[test]
fn a_login_that_would_wait_too_long_is_told_so_at_once() {
    let gateway = start("password_checks: {pacing_cluster: pacing, max_wait: 0.05s}");
    let answers = at_once(&gateway, 20);
    let (served, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert!(!served.is_empty() && !refused.is_empty(), "{} were served", served.len());
    for answer in refused {
        assert_eq!(answer.status, 503);
        assert_eq!(
            answer.text(),
            r#"{"error":"temporarily_unavailable","error_description":"Temporarily unavailable"}"#
        );
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
}

#[test]
fn a_caller_who_goes_away_takes_its_login_along() {
    let gateway = start(PACED);
    for _ in 0..40 {
        let mut connection = Connection::open(gateway.address());
        let (length, form_type) = (SAMPLE.len(), FORM_TYPE);
        connection.write(&format!(
            "POST /oauth2/token HTTP/1.1\r\nhost: x\r\ncontent-type: {form_type}\r\ncontent-length: {length}\r\n\r\n{SAMPLE}"
        ));
    }
    assert_eq!(gateway.token(SAMPLE).status, 200);
    let finished = gateway.filter_counter("password.issued");
    assert!(finished <= 10, "{finished} logins ran to their end, of which one had a caller");
    assert_eq!(gateway.filter_counter("waiting_checks"), 0);
}

#[test]
fn wrong_passwords_are_counted_over_all_workers() {
    let gateway = start(PACED);
    let spread = (0..9).map(|number| format!("NOBODY{number}")).find(|name| {
        let before = gateway.connections_per_worker();
        for _ in 0..5 {
            assert_eq!(guess(&gateway, name).status, 400);
        }
        let sixth = guess(&gateway, name);
        assert_eq!((sixth.status, sixth.header("retry-after").is_some()), (429, true), "{sixth:?}");
        let after = gateway.connections_per_worker();
        before.iter().zip(&after).all(|(before, after)| after > before)
    });
    assert!(spread.is_some(), "all guesses went to one worker, nine times");
}

#[test]
fn the_limits_answer_is_the_same_for_a_user_who_exists_and_one_who_does_not() {
    let gateway = start(PACED);
    let sixth = |name| {
        (0..5).for_each(|_| assert_eq!(guess(&gateway, name).status, 400));
        guess(&gateway, name)
    };
    let (known, unknown) = (sixth("MOCK_USERNAME"), sixth("NOBODY"));
    assert_eq!((known.status, known.text()), (unknown.status, unknown.text()));
    assert_eq!(known.text(), r#"{"error":"slow_down","error_description":"Too many attempts"}"#);
    let right = gateway.token(SAMPLE);
    assert_eq!(right.status, 429, "the right password is not looked at while there is a wait");
}

#[test]
fn everything_else_is_served_while_logins_are_checked() {
    let gateway = start(PACED);
    let keys = thread::scope(|scope| {
        let logins = scope.spawn(|| at_once(&gateway, 8));
        let keys: Vec<u16> = (0..50).map(|_| http1::get(gateway.address(), "/oauth2/jwks", &[]).status).collect();
        assert!(logins.join().unwrap().iter().all(|answer| answer.status == 200));
        keys
    });
    assert_eq!(keys, [200; 50]);
}
