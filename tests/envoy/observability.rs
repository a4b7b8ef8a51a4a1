//! What operators see, in a real Envoy: statistics, access log and audit lines tell how every exchange ended, and nothing
//! that a caller sent or was given.

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
};

use crate::support::{
    directories::{Elsewhere, PASSWORD, QUICK_HASH, every_second, log_in, lookup, lookup_answer, people, snapshot},
    faults::{Directory, answer, status},
    gateway::{self, Gateway, Keys, poll},
    http1,
    response::Response,
    stories::{FORM_TYPE, PASSWORD_ONLY_CLIENT, Request, SAMPLE, Story, TENANT, stories},
};
use serde_json::Value;

/// What an operator has named, and may read again.
const PUBLIC: [&str; 5] = [
    "MOCK_USERNAME_PASSWORD_AUTH_SOURCE_ID",
    "PASSWORD_ONLY_CLIENT_ID",
    "TENANT_CLIENT_ID",
    "SPA_CLIENT_ID",
    "MOBILE_CLIENT_ID",
];

/// Parameters with values that no log may have.
const SECRET: [&str; 8] =
    ["client_id", "client_secret", "auth_source_id", "username", "password", "refresh_token", "token", "access_token"];

/// How often each path ended in each outcome.
type Tally = BTreeMap<(String, String), usize>;

/// A gateway that was told things, and all that must not be seen of them.
struct Told {
    gateway: Gateway,
    secrets: BTreeSet<String>,
}

impl Told {
    fn start() -> Self {
        let clients = "clients:\n";
        let yaml = gateway::demo_with(clients, &format!("{clients}{:20}- {PASSWORD_ONLY_CLIENT}\n", ""));
        let keys = Keys::of_this_run();
        let known = [&keys.refresh_token, "MOCK_USER_ID", "LOCKED_USER_ID", "8613800138000", "mock@example.com"];
        let secrets = known.map(str::to_owned).into();
        Self { gateway: Gateway::start_talkative(&yaml, keys), secrets }
    }

    fn send(&mut self, request: &Request) -> Response {
        let headers: Vec<_> = request.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = http1::send(self.gateway.address(), request.method, request.path, &headers, &request.body);
        let query = request.path.split_once('?').map_or("", |(_, query)| query);
        self.secrets.extend([query, &request.body].into_iter().flat_map(values));
        self.secrets.extend(headers.iter().filter(|(name, _)| *name == "authorization").map(|(_, v)| (*v).to_owned()));
        self.secrets.extend(tokens(&answer));
        answer
    }

    fn post(&mut self, path: &'static str, body: String) -> Response {
        let headers = vec![("content-type", FORM_TYPE.to_owned())];
        self.send(&Request { method: "POST", path, headers, body })
    }

    fn tell(&mut self, stories: &[Story]) {
        for story in stories {
            assert_eq!(self.send(&story.request).status, story.expected.status, "{}", story.name);
        }
    }

    /// What is shown of these secrets. Very short ones are everywhere.
    fn leaks(&self, text: &str) -> Vec<&String> {
        let text = PUBLIC.iter().fold(text.to_owned(), |text, id| text.replace(id, "…"));
        self.secrets.iter().filter(|secret| secret.len() >= 5 && text.contains(secret.as_str())).collect()
    }
}

/// The values of secret parameters, as they were sent and as they are meant.
fn values(form: &str) -> Vec<String> {
    let sent = form.split('&').filter_map(|pair| pair.split_once('='));
    let sent = sent.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let meant = url::form_urlencoded::parse(form.as_bytes()).into_owned();
    let secret =
        sent.chain(meant).filter(|(name, value)| SECRET.contains(&name.as_str()) && !PUBLIC.contains(&value.as_str()));
    secret.map(|(_, value)| value).collect()
}

fn tokens(answer: &Response) -> Vec<String> {
    let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else { return Vec::new() };
    let names = ["access_token", "refresh_token", "id_token"].into_iter();
    names.filter_map(|name| Some(body.get(name)?.as_str()?.to_owned())).collect()
}

fn path_of(path: &str) -> String {
    path.split('?').next().unwrap().to_owned()
}

/// Which path the requests of a metric, or of a line, go to.
fn path_of_request(request: &str) -> &'static str {
    match request {
        "token" | "password" | "refresh_token" | "client_credentials" => "/oauth2/token",
        "revocation" => "/oauth2/revoke",
        "introspection" => "/oauth2/introspect",
        "userinfo" => "/oauth2/userinfo",
        "jwks" => "/oauth2/jwks",
        "metadata" => "/.well-known/",
        other => panic!("{other} is no kind of request"),
    }
}

/// How a story ends, by its answer.
fn outcome_of(story: &Story) -> String {
    let body: Value = serde_json::from_str(&story.expected.body).unwrap_or_default();
    let of_no_error = match (story.request.path, story.expected.status) {
        (_, 204) => "told",
        ("/oauth2/revoke", _) => "nothing_to_revoke",
        ("/oauth2/introspect", _) => "inactive",
        (path, status) => body["error"].as_str().unwrap_or_else(|| panic!("{path} {status}")),
    };
    body["error"].as_str().unwrap_or(of_no_error).to_owned()
}

fn tally(outcomes: impl Iterator<Item = (String, String)>) -> Tally {
    let mut tally = Tally::new();
    for (path, outcome) in outcomes {
        let path = if path.starts_with("/.well-known/") { "/.well-known/".to_owned() } else { path };
        *tally.entry((path, outcome)).or_default() += 1;
    }
    tally
}

/// The counters of outcomes, by request and outcome.
fn counters(prometheus: &str) -> BTreeMap<(&str, &str), usize> {
    let requests = [
        "token",
        "password",
        "refresh_token",
        "client_credentials",
        "revocation",
        "introspection",
        "userinfo",
        "jwks",
        "metadata",
    ];
    let types =
        prometheus.lines().filter_map(|line| line.strip_prefix("# TYPE token_endpoint_")?.strip_suffix(" counter"));
    let named = types.filter_map(|name| {
        let request =
            requests.iter().find(|request| name.strip_prefix(**request).is_some_and(|rest| rest.starts_with('_')))?;
        Some(((*request, &name[request.len() + 1..]), name))
    });
    named.map(|(key, name)| (key, value(prometheus, name))).collect()
}

/// The value of a metric without labels.
fn value(prometheus: &str, name: &str) -> usize {
    value_so_far(prometheus, name).unwrap_or_else(|| panic!("no {name} in {prometheus}"))
}

/// The same where there may be none yet.
fn value_so_far(prometheus: &str, name: &str) -> Option<usize> {
    let start = format!("token_endpoint_{name}{{}} ");
    prometheus.lines().find_map(|line| line.strip_prefix(&start))?.parse().ok()
}

/// What the access log says, once it has this many lines.
fn access_log(gateway: &Gateway, lines: usize) -> Vec<Value> {
    poll("the access log", || {
        let log = gateway.log();
        let entries: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        (entries.len() >= lines).then_some(entries)
    })
}

fn decisions(log: &str) -> Vec<&str> {
    log.lines().filter_map(|line| line.split_once("decision ")).map(|(_, fields)| fields).collect()
}

fn text(entry: &Value, name: &str) -> String {
    entry[name].as_str().unwrap_or_else(|| panic!("no {name} in {entry}")).to_owned()
}

#[test]
fn every_story_is_counted_logged_and_audited_once_as_what_it_was() {
    let mut told = Told::start();
    let stories = stories();
    told.tell(&stories);
    let expected = tally(stories.iter().map(|story| (path_of(story.request.path), outcome_of(story))));

    let entries = access_log(&told.gateway, stories.len());
    let logged = entries.iter().map(|entry| (text(entry, "path"), text(entry, "outcome")));
    assert_eq!(tally(logged), expected, "access log");

    let prometheus = told.gateway.prometheus();
    let mut counted = Tally::new();
    for ((request, outcome), count) in counters(&prometheus) {
        *counted.entry((path_of_request(request).to_owned(), outcome.to_owned())).or_default() += count;
    }
    assert_eq!(counted, expected, "counters");

    let log = told.gateway.log();
    let is_refused = |entry: &&Value| !entry["reason"].is_null();
    let audited = decisions(&log).iter().filter(|line| line.contains(" reason=")).count();
    assert_eq!(audited, entries.iter().filter(is_refused).count(), "audit lines of refusals");
    assert_eq!(decisions(&log).len(), stories.iter().filter(|story| outcome_of(story) != "told").count());
}

#[test]
fn a_refusal_is_counted_by_its_grant_where_that_is_known() {
    let mut told = Told::start();
    told.tell(&stories());
    let prometheus = told.gateway.prometheus();
    let counters = counters(&prometheus);
    let requests = |outcome: &str| -> Vec<(&str, usize)> {
        counters
            .iter()
            .filter(|((_, other), _)| *other == outcome)
            .map(|((request, _), count)| (*request, *count))
            .collect()
    };
    assert_eq!(requests("unauthorized_client"), [("client_credentials", 1), ("refresh_token", 1)]);
    assert_eq!(requests("invalid_scope"), [("client_credentials", 1), ("password", 5)]);
    assert_eq!(requests("invalid_auth_source"), [("password", 3)]);
    assert_eq!(requests("unsupported_grant_type"), [("token", 3)]);
    assert_eq!(counters[&("refresh_token", "invalid_grant")], 2);
}

#[test]
fn histograms_have_a_sample_for_each_check_and_each_signature() {
    let mut told = Told::start();
    let refresh = |answer: &Response| {
        format!("grant_type=refresh_token&refresh_token={}&{TENANT}", answer.field("refresh_token"))
    };
    let wrong = SAMPLE.replace("MOCK_PASSWORD&", "SOME_WRONG_PASSWORD&");
    let login = told.post("/oauth2/token", SAMPLE.to_owned());
    told.post("/oauth2/token", SAMPLE.to_owned());
    assert_eq!(told.post("/oauth2/token", wrong).status, 400);
    assert_eq!(told.post("/oauth2/token", refresh(&login)).status, 200);
    assert_eq!(told.post("/oauth2/token", format!("grant_type=client_credentials&{TENANT}")).status, 200);
    assert_eq!(told.post("/oauth2/token", "grant_type=password".to_owned()).status, 400);

    let (checks, signatures) = (3, 3 * 2 + 1);
    let shown = poll("Envoy to gather its histograms", || {
        let prometheus = told.gateway.prometheus();
        (value(&prometheus, "signing_us_count") >= signatures).then_some(prometheus)
    });

    let counts = ["check_queue_ms", "check_ms", "signing_queue_ms", "signing_us", "directory_ms", "state_store_ms"]
        .map(|name| value(&shown, &format!("{name}_count")));
    assert_eq!(counts, [checks, checks, signatures, signatures, 0, 0]);
    assert_eq!(value(&shown, "waiting_checks"), 0);
    let issued = counters(&shown).into_iter().filter(|((_, outcome), _)| *outcome == "issued");
    let issued: Vec<_> = issued.map(|((request, _), count)| (request, count)).collect();
    assert_eq!(issued, [("client_credentials", 1), ("password", 2), ("refresh_token", 1)]);
}

#[test]
fn who_signs_with_rsa_is_shown() {
    let gateway = Gateway::start();
    assert_eq!(value(&gateway.prometheus(), "host_verifies"), 1);
    let by_envoy = value(&gateway.prometheus(), "host_signs") == 1;
    assert_eq!(by_envoy, gateway.can_sign());
    println!("RSA signatures: {}", if by_envoy { "by Envoy" } else { "in the VM" });
}

#[test]
fn nothing_that_was_sent_or_given_is_shown_to_operators() {
    let mut told = Told::start();
    let login = told.post("/oauth2/token", SAMPLE.to_owned());
    told.tell(&stories());
    for token in ["access_token", "refresh_token"] {
        assert_eq!(told.post("/oauth2/introspect", format!("token={}&{TENANT}", login.field(token))).status, 200);
    }
    assert_eq!(told.post("/oauth2/userinfo", format!("access_token={}", login.field("access_token"))).status, 200);
    assert_eq!(told.post("/oauth2/revoke", format!("token={}&{TENANT}", login.field("refresh_token"))).status, 200);
    access_log(&told.gateway, stories().len() + 5);

    assert!(told.secrets.len() > 30 && told.secrets.contains("MOCK_PASSWORD"), "{:?}", told.secrets);
    assert!(decisions(&told.gateway.log()).iter().any(|line| line.contains("outcome=\"active\"")));
    assert_eq!(told.leaks(&told.gateway.log()), [""; 0], "in the log");
    assert_eq!(told.leaks(&told.gateway.prometheus()), [""; 0], "in the statistics");
}

#[test]
fn the_time_that_a_directory_takes_and_the_age_of_a_document_are_shown() {
    let directory = Directory::start();
    directory.on("STAFF", [answer(lookup_answer("u1", QUICK_HASH))]);
    directory.on("FILE.OLD", [answer(people(&[("u1", "alice")])), status(500, "")]);
    let elsewhere = Elsewhere::default().at("directory", &directory.socket());
    let elsewhere = elsewhere.auth_sources(&lookup("STAFF", "directory", ""));
    let gateway = elsewhere.auth_sources(&snapshot("FILE.OLD", "directory", &every_second("20s", "json"))).start(2);

    (0..3).for_each(|_| assert_eq!(log_in(&gateway, "STAFF", "alice", PASSWORD).status, 200));

    let shown = |name| poll(name, || value_so_far(&gateway.prometheus(), name));
    poll("three questions", || (shown("directory_ms_count") == 3).then_some(()));
    poll("a document that ages", || (shown("auth_source_FILE_OLD_age_seconds") >= 3).then_some(()));
}

#[test]
fn those_who_wait_are_shown_until_they_do_not() {
    let gateway = Gateway::start();
    let waiting = || value_so_far(&gateway.prometheus(), "waiting_checks");
    thread::scope(|scope| {
        (0..20).for_each(|_| drop(scope.spawn(|| gateway.token(SAMPLE))));
        poll("a crowd to wait", || waiting().filter(|waiting| *waiting > 2));
    });
    assert_eq!(waiting(), Some(0));
}

#[test]
fn a_user_is_one_pseudonym_over_workers_and_restarts_and_spellings() {
    let mut told = Told::start();
    let login = |told: &mut Told, name: &str| {
        told.post("/oauth2/token", SAMPLE.replace("username=MOCK_USERNAME", &format!("username={name}")));
    };
    (0..4).for_each(|_| login(&mut told, "MOCK_USERNAME"));
    told.gateway.restart();
    login(&mut told, "MOCK_USERNAME");
    login(&mut told, "mock_username");
    login(&mut told, "SOMEONE_ELSE");

    let log = told.gateway.log();
    let users: Vec<&str> = decisions(&log).iter().filter_map(|line| Some(line.rsplit_once(" user=")?.1)).collect();
    assert_eq!(users.len(), 7, "{users:?}");
    assert!(users[1..6].iter().all(|user| *user == users[0]), "{users:?}");
    assert_ne!(users[6], users[0]);
}
