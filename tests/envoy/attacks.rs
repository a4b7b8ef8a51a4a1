//! Attacks on those who only want to log in: nobody who guesses, forges or floods keeps out anyone else.

use std::{net::SocketAddr, thread, time::Duration};

use crate::support::{
    directories::{Elsewhere, PASSWORD, QUICK_HASH, lookup, lookup_answer, verify},
    faults::{Behaviour, Directory, answer, status},
    gateway::{Gateway, Keys, replaced},
    http1,
    response::Response,
    stories::FORM_TYPE,
};

const SECRET: &str = "TENANT_CLIENT_SECRET";

/// Users whose hashes cost a millisecond, so that a thousand guesses are a matter of seconds.
fn quick() -> String {
    let user = |name: &str| format!("{{id: {name}, identifiers: {{username: {name}}}, password_hash: {QUICK_HASH}}}");
    let users = ["alice", "bob", "carol"].map(user).join(", ");
    format!("- id: QUICK\n  identifiers: [username]\n  users: [{users}]")
}

/// With the limits that there are by default, behind a proxy that tells callers' addresses.
fn yaml(elsewhere: &Elsewhere) -> String {
    let yaml = elsewhere.yaml_with("");
    let trusts = "use_remote_address: true\n          xff_num_trusted_hops: 1";
    let yaml = replaced(&yaml, "use_remote_address: true", trusts);
    replaced(
        &yaml,
        "auth_sources: [MOCK_USERNAME_PASSWORD_AUTH_SOURCE_ID]\n                      grants: [password, refresh_token, client_credentials]",
        "auth_sources: [MOCK_USERNAME_PASSWORD_AUTH_SOURCE_ID, QUICK]\n                      grants: [password, refresh_token, client_credentials]",
    )
}

fn start() -> Gateway {
    Gateway::start_with(&yaml(&Elsewhere::default().auth_sources(&quick())), Keys::of_this_run())
}

/// Callers with addresses of their own.
#[derive(Clone, Copy)]
struct Caller(SocketAddr);

impl Caller {
    fn of(gateway: &Gateway) -> Self {
        Self(gateway.address())
    }

    fn post(self, address: &str, path: &str, form: &str) -> Response {
        http1::send(self.0, "POST", path, &[("content-type", FORM_TYPE), ("x-forwarded-for", address)], form)
    }

    fn log_in(self, address: &str, client: &str, name: &str, password: &str) -> Response {
        let form = format!("grant_type=password&auth_source_id=QUICK&{client}&username={name}&password={password}");
        self.post(address, "/oauth2/token", &form)
    }

    fn guess(self, address: &str, name: &str) -> u16 {
        self.log_in(address, PUBLIC, name, "WRONG").status
    }
}

const PUBLIC: &str = "client_id=PEOPLE_CLIENT_ID";
const WEB: &str = "client_id=TENANT_CLIENT_ID&client_secret=TENANT_CLIENT_SECRET";

#[test]
fn sixty_wrong_passwords_through_a_web_clients_server_shut_out_none_of_its_users() {
    let gateway = start();
    let server = Caller::of(&gateway);
    for number in 0..60 {
        assert_eq!(server.log_in("192.0.2.80", WEB, &format!("nobody{number}"), "WRONG").status, 400);
    }
    let tokens = server.log_in("192.0.2.80", WEB, "alice", PASSWORD);
    assert_eq!(tokens.status, 200, "{tokens:?}");
    let token = tokens.field("refresh_token");
    for (path, form) in [
        ("/oauth2/introspect", format!("{WEB}&token={token}")),
        ("/oauth2/token", format!("{WEB}&grant_type=refresh_token&refresh_token={token}")),
        ("/oauth2/revoke", format!("{WEB}&token={token}")),
    ] {
        assert_eq!(server.post("192.0.2.80", path, &form).status, 200, "{path}");
    }
}

#[test]
fn thirteen_hundred_wrong_secrets_do_not_hold_the_right_one() {
    let gateway = start();
    let caller = Caller::of(&gateway);
    let form =
        |secret: &str| format!("grant_type=client_credentials&client_id=TENANT_CLIENT_ID&client_secret={secret}");
    for number in 0..1300 {
        let told = caller.post(&format!("198.51.100.{}", number % 33), "/oauth2/token", &form("x")).status;
        assert_eq!(told, 401);
    }
    assert_eq!(caller.post("192.0.2.1", "/oauth2/token", &form(SECRET)).status, 200);
    assert_eq!(caller.post("198.51.100.1", "/oauth2/token", &form(SECRET)).status, 200);
}

#[test]
fn a_list_of_passwords_at_a_public_client_keeps_out_nobody() {
    let gateway = start();
    let caller = Caller::of(&gateway);
    assert_eq!(caller.log_in("192.0.2.1", PUBLIC, "alice", PASSWORD).status, 200);
    for number in 0..1300 {
        let address = format!("198.51.{}.{}", number / 200, number % 200);
        assert_eq!(caller.guess(&address, &format!("nobody{number}")), 400);
    }
    assert_eq!(caller.log_in("192.0.2.1", PUBLIC, "alice", PASSWORD).status, 200, "a friend");
    assert_eq!(caller.log_in("192.0.2.2", PUBLIC, "bob", PASSWORD).status, 200, "who never logged in before");
    let told = gateway.prometheus();
    let past = told.lines().find(|line| line.contains("past_client_limit{")).expect("it is counted");
    assert_ne!(past.rsplit_once(' ').unwrap().1, "0", "{past}");
}

#[test]
fn twelve_guesses_at_a_user_hold_strangers_and_not_the_user() {
    let gateway = start();
    let caller = Caller::of(&gateway);
    assert_eq!(caller.log_in("192.0.2.1", PUBLIC, "alice", PASSWORD).status, 200);
    let told: Vec<_> = (0..12).map(|number| caller.guess(&format!("198.51.100.{number}"), "alice")).collect();
    assert_eq!(told, [[400; 5].as_slice(), &[429; 7]].concat());
    assert_eq!(caller.log_in("192.0.2.1", PUBLIC, "alice", PASSWORD).status, 200);
    assert_eq!(caller.guess("198.51.100.99", "alice"), 429);
}

#[test]
fn the_same_through_a_web_clients_form_does_not_hold_whoever_shows_a_device_token() {
    let gateway = start();
    let server = Caller::of(&gateway);
    let token = server.log_in("192.0.2.80", WEB, "alice", PASSWORD).field("refresh_token");
    let told = |name: &str| (0..12).map(|_| server.log_in("192.0.2.80", WEB, name, "WRONG").status).collect::<Vec<_>>();
    let (active, idle, unknown) = (told("alice"), told("bob"), told("nobody"));
    assert_eq!(active, [[400; 5].as_slice(), &[429; 7]].concat());
    assert_eq!((&active, &active), (&idle, &unknown), "who logged in lately doesn't show");
    let with_token = format!("{WEB}&device_token={token}");
    assert_eq!(server.log_in("192.0.2.80", &with_token, "alice", PASSWORD).status, 200);
    assert_eq!(server.log_in("192.0.2.80", WEB, "alice", PASSWORD).status, 429);
}

#[test]
fn a_hostile_pages_posts_do_not_hold_its_visitor() {
    let gateway = start();
    let form = format!("grant_type=password&auth_source_id=QUICK&{PUBLIC}&username=nobody&password=x");
    for _ in 0..55 {
        let headers =
            [("content-type", FORM_TYPE), ("origin", "https://evil.example"), ("x-forwarded-for", "192.0.2.1")];
        let told = http1::send(gateway.address(), "POST", "/oauth2/token", &headers, &form);
        assert_eq!((told.status, told.field("error").as_str()), (403, "invalid_request"));
    }
    assert_eq!(Caller::of(&gateway).log_in("192.0.2.1", PUBLIC, "bob", PASSWORD).status, 200);
}

/// The directory takes all of them for alice.
#[test]
fn spellings_of_a_name_are_one_name_at_a_directory_that_folds_accents() {
    let directory = Directory::start();
    directory.on("STAFF", [answer(lookup_answer("u1", QUICK_HASH))]);
    let elsewhere = Elsewhere::default().auth_sources(&quick()).at("directory", &directory.socket());
    let gateway =
        Gateway::start_with(&yaml(&elsewhere.auth_sources(&lookup("STAFF", "directory", ""))), Keys::of_this_run());
    let caller = Caller::of(&gateway);
    let marks = (0..20).map(|mark| format!("alic%CC%{:02X}e", 0x80 + mark));
    let cases = (0..20).map(|at| {
        if at % 2 == 0 { format!("+ALICE{}", "+".repeat(at)) } else { format!("aLiCe%E2%80%8B{}", "%C2%AD".repeat(at)) }
    });
    let forms = (0..20).map(|at| format!("%EF%BC%A1lice{}", "%CC%81".repeat(at)));
    let told: Vec<_> = marks
        .chain(cases)
        .chain(forms)
        .enumerate()
        .map(|(number, name)| {
            let form = format!("grant_type=password&auth_source_id=STAFF&{PUBLIC}&username={name}&password=WRONG");
            caller.post(&format!("198.51.100.{number}"), "/oauth2/token", &form).status
        })
        .collect();
    assert_eq!(told.len(), 60);
    assert!(told.iter().filter(|status| **status == 429).count() >= 40, "{told:?}");
}

#[test]
fn of_sixty_guesses_at_once_a_directory_is_asked_about_a_dozen_at_most() {
    let directory = Directory::start();
    let slowly = Behaviour::After(Duration::from_millis(800), Box::new(status(401, "")));
    directory.on("STAFF", [slowly]);
    let elsewhere = Elsewhere::default().auth_sources(&quick()).at("directory", &directory.socket());
    let gateway =
        Gateway::start_with(&yaml(&elsewhere.auth_sources(&verify("STAFF", "directory", ""))), Keys::of_this_run());
    let form = format!("grant_type=password&auth_source_id=STAFF&{PUBLIC}&username=alice&password=WRONG");
    let told: Vec<_> = thread::scope(|scope| {
        let guess = |number| {
            let (gateway, form) = (&gateway, &form);
            scope.spawn(move || Caller::of(gateway).post(&format!("198.51.100.{number}"), "/oauth2/token", form).status)
        };
        let guesses: Vec<_> = (0..60).map(guess).collect();
        guesses.into_iter().map(|guess| guess.join().unwrap()).collect()
    });
    assert!(directory.seen("STAFF").len() <= 12, "{} were asked about", directory.seen("STAFF").len());
    assert_eq!(told.iter().filter(|status| **status == 400).count(), 5, "{told:?}");
}

#[test]
fn what_one_users_record_holds_is_that_users_trouble_alone() {
    let directory = Directory::start();
    let long = format!(r#"{{"rows": [{{"id": "u1", "hash": "{QUICK_HASH}", "note": "{}"}}]}}"#, "x".repeat(2 << 20));
    let half_an_emoji = format!(r#"{{"rows": [{{"id": "\ud800", "hash": "{QUICK_HASH}"}}]}}"#);
    let trouble = std::iter::repeat_n(answer(long), 6).chain(std::iter::repeat_n(answer(half_an_emoji), 6));
    directory.on("STAFF", trouble.chain([answer(lookup_answer("u2", QUICK_HASH))]));
    let elsewhere = Elsewhere::default().auth_sources(&quick()).at("directory", &directory.socket());
    let gateway = Gateway::start_with_workers(
        1,
        &yaml(&elsewhere.auth_sources(&lookup("STAFF", "directory", ""))),
        Keys::of_this_run(),
    );
    let caller = Caller::of(&gateway);
    let log_in = |address: &str, name: &str| {
        let form = format!("grant_type=password&auth_source_id=STAFF&{PUBLIC}&username={name}&password={PASSWORD}");
        caller.post(address, "/oauth2/token", &form).status
    };
    let told: Vec<_> = (0..12).map(|_| log_in("198.51.100.1", "mallory")).collect();
    assert_eq!(told, [503; 12]);
    assert_eq!(log_in("192.0.2.1", "bob"), 200);
}

#[test]
fn half_an_emoji_in_a_field_that_nobody_reads_is_no_error() {
    let directory = Directory::start();
    let body = format!(r#"{{"rows": [{{"id": "u1", "hash": "{QUICK_HASH}", "note": "\ud800"}}], "more": "\udc00"}}"#);
    directory.on("STAFF", [answer(body)]);
    let elsewhere = Elsewhere::default().auth_sources(&quick()).at("directory", &directory.socket());
    let gateway =
        Gateway::start_with(&yaml(&elsewhere.auth_sources(&lookup("STAFF", "directory", ""))), Keys::of_this_run());
    let form = format!("grant_type=password&auth_source_id=STAFF&{PUBLIC}&username=alice&password={PASSWORD}");
    assert_eq!(Caller::of(&gateway).post("192.0.2.1", "/oauth2/token", &form).status, 200);
}

#[test]
fn a_new_hash_ends_old_refresh_tokens() {
    let keys = Keys::of_this_run();
    let elsewhere = Elsewhere::default().auth_sources(&quick());
    let before = Gateway::start_with(&yaml(&elsewhere), keys.clone());
    let token = Caller::of(&before).log_in("192.0.2.1", WEB, "alice", PASSWORD).field("refresh_token");
    let changed = quick().replacen(QUICK_HASH, &QUICK_HASH.replace("P.JthMnk", "Q.JthMnk"), 1);
    let after = Gateway::start_with(&yaml(&Elsewhere::default().auth_sources(&changed)), keys);
    let refresh = |gateway: &Gateway| {
        let form = format!("{WEB}&grant_type=refresh_token&refresh_token={token}");
        Caller::of(gateway).post("192.0.2.1", "/oauth2/token", &form)
    };
    assert_eq!(refresh(&after).field("error"), "invalid_grant");
    assert_eq!(refresh(&before).status, 200);
}
