//! Families of refresh tokens over two workers of one Envoy, which remembers them by itself.

use std::{thread, time::Duration};

use crate::support::{
    gateway::{self, Gateway, Keys, generate_key, replaced},
    http1::{self, Connection},
    response::Response,
    stories::{FORM_TYPE, SAMPLE, SAMPLE_WITHOUT_CLIENT},
};
use token_endpoint::{
    crypto::{
        key_schedule::Period,
        seal::{SealKey, Sealer},
    },
    registry::identifier::{Identifier, IdentifierKind},
    secret::Secret,
    state::FamilyId,
    time::{Entropy, Moment, UnixTime},
    token::refresh::RefreshToken,
};

const SHORT_GRACE: &str = "state: {retry_grace: 1s}\n                    password_checks:";
/// Longer than the short grace, whatever the rounding of seconds.
const AFTER_THE_GRACE: Duration = Duration::from_millis(2100);
const INVALID: &str = r#"{"error":"invalid_grant","error_description":"Invalid refresh token"}"#;

fn start() -> Gateway {
    Gateway::start_with(&gateway::demo_with("password_checks:", SHORT_GRACE), Keys::of_this_run())
}

fn refresh(gateway: &Gateway, token: &str) -> Response {
    gateway.token(&form(token))
}

fn form(token: &str) -> String {
    format!(
        "grant_type=refresh_token&client_id=TENANT_CLIENT_ID&client_secret=TENANT_CLIENT_SECRET&refresh_token={token}"
    )
}

fn login(gateway: &Gateway) -> String {
    gateway.token(SAMPLE).field("refresh_token")
}

fn assert_refused(answer: &Response) {
    assert_eq!((answer.status, answer.text()), (400, INVALID));
}

/// Acts until both workers have had something to do; what is to be true of one worker is to be true of two.
fn over_both_workers(gateway: &Gateway, mut act: impl FnMut()) {
    let before = gateway.connections_per_worker();
    let is_spread = (0..20).any(|_| {
        act();
        let after = gateway.connections_per_worker();
        before.iter().zip(&after).all(|(before, after)| after > before)
    });
    assert!(is_spread, "everything went to one worker, twenty times");
}

#[test]
fn a_token_that_is_used_twice_ends_its_family_on_every_worker() {
    let gateway = start();
    let stolen = login(&gateway);
    let honest = refresh(&gateway, &stolen).field("refresh_token");
    thread::sleep(AFTER_THE_GRACE);
    assert_refused(&refresh(&gateway, &stolen));
    over_both_workers(&gateway, || assert_refused(&refresh(&gateway, &honest)));
}

#[test]
fn a_thief_at_another_address_who_is_in_each_grace_ends_with_the_family_on_every_worker() {
    let trusts = "use_remote_address: true\n          xff_num_trusted_hops: 1";
    let gateway = Gateway::start_with(&gateway::demo_with("use_remote_address: true", trusts), Keys::of_this_run());
    let refresh = |address: &str, token: &str| {
        let form = format!("grant_type=refresh_token&client_id=SPA_CLIENT_ID&refresh_token={token}");
        let headers = [("content-type", FORM_TYPE), ("x-forwarded-for", address)];
        http1::send(gateway.address(), "POST", "/oauth2/token", &headers, &form)
    };
    let stolen = gateway.token(&format!("{SAMPLE_WITHOUT_CLIENT}&client_id=SPA_CLIENT_ID")).field("refresh_token");

    let honest = refresh("192.0.2.1", &stolen).field("refresh_token");
    let thief = refresh("198.51.100.7", &stolen).field("refresh_token");
    let honest = refresh("192.0.2.1", &honest).field("refresh_token");

    assert_refused(&refresh("198.51.100.7", &thief));
    over_both_workers(&gateway, || assert_refused(&refresh("192.0.2.1", &honest)));
    let told = gateway.prometheus();
    let counted = told.lines().find(|line| line.contains("grace_from_elsewhere{")).expect("it is counted");
    assert!(counted.ends_with(" 1"), "{counted}");
    let log = gateway.log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains(r#"grace="from_elsewhere""#)).collect();
    assert_eq!(lines.len(), 1, "{log}");
    assert!(lines[0].contains(r#"reason="invalid_refresh_token""#) && !lines[0].contains("198.51"), "{log}");
}

#[test]
fn a_lost_answer_is_given_again_by_every_worker() {
    let gateway = Gateway::start();
    let first = login(&gateway);
    let mut last = String::new();
    over_both_workers(&gateway, || last = refresh(&gateway, &first).field("refresh_token"));
    assert_eq!(refresh(&gateway, &last).status, 200);
}

#[test]
fn a_hundred_refreshes_of_one_token_at_once_give_one_generation() {
    let patient = gateway::demo_with("{pacing_cluster: pacing}", "{pacing_cluster: pacing, max_wait: 30s}");
    let gateway = Gateway::start_with(&patient, Keys::of_this_run());
    let first = login(&gateway);
    let tokens: Vec<String> = thread::scope(|scope| {
        let refreshes: Vec<_> = (0..100).map(|_| scope.spawn(|| refresh(&gateway, &first))).collect();
        refreshes.into_iter().map(|refresh| refresh.join().unwrap().field("refresh_token")).collect()
    });
    let generations: Vec<u32> = tokens.iter().map(|token| open(token).generation).collect();
    assert_eq!(generations, [1; 100]);
    let began: Vec<UnixTime> = tokens.iter().map(|token| open(token).issued_at).collect();
    assert!(began.iter().all(|at| *at == began[0]), "one claim was first");
}

/// What is in a token of a gateway with the keys of this run.
pub fn open(token: &str) -> RefreshToken {
    let idle = Duration::from_secs(3600);
    let sealer = sealer(&Keys::of_this_run());
    RefreshToken::open(&sealer, ISSUER, &Secret::new(token), idle, UnixTime(0)).unwrap()
}

fn sealer(keys: &Keys) -> Sealer {
    let key = SealKey::parse(&Secret::new(keys.refresh_token.as_str())).unwrap();
    Sealer::new(vec![(key, Period::default())])
}

const ISSUER: &str = "https://gateway.example.com";

/// With `FAMILIES=100000` it takes a minute or so.
#[test]
fn many_families_stay_inside_the_table_and_each_is_its_own() {
    let families: u64 = std::env::var("FAMILIES").map_or(5_000, |families| families.parse().unwrap());
    let keys = Keys { signing: generate_key("ES256"), ..Keys::of_this_run() };
    let yaml = gateway::demo_with("password_checks:", SHORT_GRACE);
    let yaml = replaced(&yaml, "algorithm: RS256", "algorithm: ES256");
    let gateway = Gateway::start_with(&yaml, keys.clone());
    let now = std::time::SystemTime::now().into();
    let token = |number: u64| forge(&keys, FamilyId(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 2), now);

    refresh_all(&gateway, 0..families / 10, &token);
    let before = gateway.resident_bytes();
    refresh_all(&gateway, families / 10..families, &token);
    let growth = gateway.resident_bytes().saturating_sub(before);
    assert!(growth < 24 << 20, "{growth} bytes more");

    thread::sleep(AFTER_THE_GRACE);
    for number in (0..families).step_by(usize::try_from(families / 50).unwrap()) {
        assert_refused(&refresh(&gateway, &token(number)));
    }
    assert_eq!(refresh(&gateway, &token(families)).status, 200);
}

/// What a login would have given.
pub fn forge(keys: &Keys, family: FamilyId, now: UnixTime) -> String {
    let token = RefreshToken {
        client_id: "TENANT_CLIENT_ID".to_owned(),
        auth_source_id: "MOCK_USERNAME_PASSWORD_AUTH_SOURCE_ID".to_owned(),
        user_id: "MOCK_USER_ID".to_owned(),
        identifier: Identifier { kind: IdentifierKind::Username, value: "MOCK_USERNAME".to_owned() },
        scopes: vec!["openid".to_owned()],
        family,
        generation: 0,
        logged_in_at: now,
        issued_at: now,
        expires_at: now.after(Duration::from_secs(3600)),
        password: None,
    };
    token.seal(&sealer(keys), ISSUER, Moment { now, entropy: Entropy::new([7; 32]) }).unwrap()
}

fn refresh_all(gateway: &Gateway, families: std::ops::Range<u64>, token: &(impl Fn(u64) -> String + Sync)) {
    const CLIENTS: u64 = 8;
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let mine = families.clone().filter(move |number| number % CLIENTS == client);
            scope.spawn(move || {
                let mut connection = Connection::open(gateway.address());
                for number in mine {
                    let form = form(&token(number));
                    connection.write(&format!(
                        "POST /oauth2/token HTTP/1.1\r\nhost: x\r\ncontent-type: {FORM_TYPE}\r\ncontent-length: {}\r\n\r\n{form}",
                        form.len()
                    ));
                    let answer = connection.read();
                    assert_eq!(answer.status, 200, "{}", answer.text());
                }
            });
        }
    });
}
