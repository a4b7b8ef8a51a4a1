//! Tokens of users who are locked or have a new password, and of a client that is gone, in a running Envoy: the change comes by
//! the filter's configuration, a document or a table, wherever the users are.

use serde_json::{Value, json};

use crate::support::{
    directories::{Elsewhere, PASSWORD, QUICK_HASH, every_second, snapshot, source},
    faults::{Behaviour, Directory, answer},
    files::split_filter,
    gateway::{Gateway, Keys, poll, replaced},
    http1,
    response::Response,
    stories::TENANT,
};

/// Users in the configuration, of a snapshot and of a lookup.
const SOURCES: [&str; 3] = ["LISTED", "FILE", "TABLE"];

const MOBILE: &str = "client_id=PEOPLE_CLIENT_ID";

const INACTIVE: &str = r#"{"active":false}"#;
const INVALID: &str = r#"{"error":"invalid_grant","error_description":"Invalid refresh token"}"#;
const ABNORMAL: &str = r#"{"error":"invalid_grant","error_description":"Abnormal user status"}"#;

/// So many answers in a row come from both workers, and from each after what it knew is too old.
const IN_A_ROW: u32 = 20;

#[derive(Clone, Copy)]
struct Person {
    name: &'static str,
    status: &'static str,
    has_new_hash: bool,
}

impl Person {
    const fn new(name: &'static str) -> Self {
        Self { name, status: "active", has_new_hash: false }
    }

    /// Another salt is another hash, of whatever password.
    fn hash(self) -> String {
        if self.has_new_hash { QUICK_HASH.replace("P.JthMnk", "Q.JthMnk") } else { QUICK_HASH.to_owned() }
    }

    fn record(self) -> Value {
        let Self { name, status, .. } = self;
        json!({"id": name, "identifiers": {"username": name}, "password_hash": self.hash(), "status": status})
    }

    fn row(self) -> String {
        json!({"rows": [{"id": self.name, "hash": self.hash(), "status": self.status}]}).to_string()
    }
}

const PEOPLE: [Person; 3] = [Person::new("alice"), Person::new("bob"), Person::new("carol")];

/// Envoy, and the places where its users are.
struct World {
    gateway: Gateway,
    directory: Directory,
}

impl World {
    fn start() -> Self {
        let directory = Directory::start();
        serve(&directory, &PEOPLE);
        let (bootstrap, filter) = split_filter(&yaml(&directory, &PEOPLE));
        let gateway = Gateway::start_with_file(2, &bootstrap, "filter.yaml", &filter, Keys::of_this_run());
        Self { gateway, directory }
    }

    /// From now on the users are these, everywhere.
    fn tell(&self, people: &[Person]) {
        serve(&self.directory, people);
        self.configure(&yaml(&self.directory, people));
    }

    fn configure(&self, yaml: &str) {
        self.gateway.replace_file("filter.yaml", &split_filter(yaml).1);
    }

    /// Tokens of a login; the document may have to arrive first.
    fn log_in(&self, client: &str, source: &str, name: &str) -> Response {
        let user = format!("auth_source_id={source}&username={name}&password={PASSWORD}");
        let form = format!("grant_type=password&{client}&{user}&scope=openid");
        let tokens = poll("a login", || Some(self.gateway.token(&form)).filter(|answer| answer.status != 503));
        assert_eq!(tokens.status, 200, "{source} {name}: {tokens:?}");
        tokens
    }

    fn refresh(&self, client: &str, tokens: &Response) -> Response {
        let token = tokens.field("refresh_token");
        self.gateway.token(&format!("grant_type=refresh_token&{client}&refresh_token={token}"))
    }

    fn introspection(&self, token: &str) -> Response {
        http1::post_form(self.gateway.address(), "/oauth2/introspect", &format!("{TENANT}&token={token}"))
    }

    fn user_info(&self, token: &str) -> Response {
        let bearer = format!("Bearer {token}");
        http1::get(self.gateway.address(), "/oauth2/userinfo", &[("authorization", &bearer)])
    }

    fn assert_good(&self, access_token: &str) {
        self.wait_for(|| self.introspection(access_token).json()["active"] == true);
        assert_eq!(self.user_info(access_token).status, 200);
    }

    fn assert_ended(&self, access_token: &str) {
        self.wait_for(|| self.introspection(access_token).text() == INACTIVE);
        for _ in 0..IN_A_ROW {
            let answer = self.user_info(access_token);
            assert_eq!((answer.status, answer.field("error").as_str()), (401, "invalid_token"));
        }
    }

    /// Waits until a change is known, and sees that then every worker knows it.
    fn wait_for(&self, is_so: impl Fn() -> bool) {
        poll("a change", || (0..IN_A_ROW).all(|_| is_so()).then_some(()));
    }
}

/// The directory has these users.
fn serve(directory: &Directory, people: &[Person]) {
    let users: Vec<_> = people.iter().map(|person| person.record()).collect();
    directory.on("FILE", [Behaviour::Document(json!({"users": users}).to_string())]);
    for person in people {
        directory.on(person.name, [answer(person.row())]);
    }
}

fn yaml(directory: &Directory, people: &[Person]) -> String {
    let users: Vec<_> = people.iter().map(|person| person.record()).collect();
    let [listed, file, table] = SOURCES;
    let user = "    status_max_age: 1s\n    user: {at: /rows/0, id: /id, password_hash: /hash, status: /status}";
    let elsewhere = Elsewhere::default()
        .auth_sources(&format!("- id: {listed}\n  identifiers: [username]\n  users: {}", json!(users)))
        .auth_sources(&snapshot(file, "directory", &every_second("10s", "json")))
        .auth_sources(&source(table, "lookup", "directory", "/{identifier}", user));
    let own = "auth_sources: [MOCK_USERNAME_PASSWORD_AUTH_SOURCE_ID]\n                      grants: [password, refresh_token, client_credentials]";
    let all = own.replace("[MOCK", "[LISTED, FILE, TABLE, MOCK");
    replaced(&elsewhere.at("directory", &directory.socket()).yaml(), own, &all)
}

#[test]
fn a_user_who_is_locked_and_one_with_a_new_password_have_no_good_token_wherever_users_are() {
    let world = World::start();
    let logins = SOURCES.map(|source| PEOPLE.map(|person| world.log_in(TENANT, source, person.name)));
    for tokens in logins.as_flattened() {
        world.assert_good(&tokens.field("access_token"));
        assert_eq!(world.introspection(&tokens.field("refresh_token")).json()["active"], true);
    }

    let [alice, bob, carol] = PEOPLE;
    world.tell(&[Person { status: "locked", ..alice }, Person { has_new_hash: true, ..bob }, carol]);

    for [locked, with_new_hash, other] in &logins {
        for tokens in [locked, with_new_hash] {
            world.assert_ended(&tokens.field("access_token"));
            assert_eq!(world.introspection(&tokens.field("refresh_token")).text(), INACTIVE);
        }
        assert_eq!(world.refresh(TENANT, locked).text(), ABNORMAL);
        assert_eq!(world.refresh(TENANT, with_new_hash).text(), INVALID);
        world.assert_good(&other.field("access_token"));
        assert_eq!(world.refresh(TENANT, other).status, 200);
    }
}

#[test]
fn the_tokens_of_a_client_that_is_gone_are_not_good_wherever_users_are() {
    let world = World::start();
    let logins = SOURCES.map(|source| world.log_in(MOBILE, source, "alice"));
    logins.iter().for_each(|tokens| world.assert_good(&tokens.field("access_token")));

    let yaml = yaml(&world.directory, &PEOPLE);
    world.configure(&replaced(&yaml, "id: PEOPLE_CLIENT_ID", "id: ANOTHER_CLIENT_ID"));

    for tokens in &logins {
        world.assert_ended(&tokens.field("access_token"));
        assert_eq!(world.refresh(MOBILE, tokens).field("error"), "invalid_client");
    }
}
