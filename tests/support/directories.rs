//! The demo gateway with further auth sources, whose users are elsewhere, and one client for all of them.

use std::path::Path;

use serde_json::json;

use super::{
    gateway::{self, Gateway, Keys},
    http1,
    response::Response,
    servers::{Server, example},
};

/// What the users of the tests and of the examples log in with.
pub const PASSWORD: &str = "MOCK_PASSWORD";

/// A hash of it that costs a millisecond, so that tests are about directories and not about passwords.
pub const QUICK_HASH: &str = "$2b$04$P.JthMnk/lBYQxycXxzC.OKOh0cwowaj1CsezG/ikDlb1UPjfPIMC";

/// The answer to a wrong password, and to an unknown user.
pub const WRONG: &str = r#"{"error":"invalid_grant","error_description":"Wrong username or password"}"#;

/// What is added to the demo's configuration.
#[derive(Default)]
pub struct Elsewhere {
    auth_sources: String,
    ids: Vec<String>,
    clusters: String,
}

impl Elsewhere {
    /// Adds auth sources, as a list in YAML.
    pub fn auth_sources(mut self, yaml: &str) -> Self {
        self.ids.extend(yaml.lines().filter_map(|line| line.strip_prefix("- id: ")).map(str::to_owned));
        self.auth_sources += yaml;
        self.auth_sources += "\n";
        self
    }

    /// Adds a cluster, as a list in YAML.
    pub fn cluster(mut self, yaml: &str) -> Self {
        self.clusters += yaml;
        self.clusters += "\n";
        self
    }

    /// Adds an example as it is, which this server serves.
    pub fn whole_example(self, folder: &str, server: &Server) -> Self {
        let part = |name: &str| example(&format!("{folder}/{name}"));
        self.example(&part("auth-source.yaml"), &part("cluster.yaml"), &server.socket())
    }

    /// Adds the auth sources and the cluster of an example, which is served at `socket`.
    pub fn example(self, auth_sources: &str, cluster: &str, socket: &Path) -> Self {
        let at = cluster.find("path: ").expect("a cluster with a pipe");
        let name = cluster[at..].trim_start_matches("path: ").split('}').next().unwrap();
        let cluster = gateway::replaced(cluster, &format!("path: {name}"), &format!("path: {}", socket.display()));
        self.auth_sources(auth_sources).cluster(&cluster)
    }

    /// Adds the cluster `name` with one endpoint, at a socket.
    pub fn at(self, name: &str, socket: &Path) -> Self {
        let socket = socket.display();
        let endpoint = format!("{{endpoint: {{address: {{pipe: {{path: {socket}}}}}}}}}");
        self.cluster(&format!(
            "- name: {name}\n  load_assignment: {{cluster_name: {name}, endpoints: [{{lb_endpoints: [{endpoint}]}}]}}"
        ))
    }

    /// Runs it, with attempt limits that tests don't reach.
    pub fn start(&self, workers: u32) -> Gateway {
        Gateway::start_with_workers(workers, &self.yaml(), Keys::of_this_run())
    }

    /// The whole configuration.
    pub fn yaml(&self) -> String {
        let limits = ["identifier", "user", "friend", "address", "client"]
            .map(|what| format!("{what}: {{failures: 1000000}}"))
            .join(", ");
        self.yaml_with(&format!("attempt_limits: {{{limits}}}\n"))
    }

    /// The same with these settings instead of limits that tests don't reach.
    pub fn yaml_with(&self, settings: &str) -> String {
        let settings = format!("allow_weak_hashes: true\n{settings}");
        let client = format!(
            "- {{id: PEOPLE_CLIENT_ID, type: mobile, auth_sources: [{}], grants: [password, refresh_token]}}",
            self.ids.join(", ")
        );
        let yaml = with_items(&gateway::demo(), "auth_sources:", &settings, &self.auth_sources);
        let yaml = with_items(&yaml, "clients:", "", &client);
        with_items(&yaml, "clusters:", "", &self.clusters)
    }
}

/// The form of a login.
pub fn login(auth_source: &str, username: &str, password: &str) -> String {
    form(&[
        ("grant_type", "password"),
        ("client_id", "PEOPLE_CLIENT_ID"),
        ("auth_source_id", auth_source),
        ("username", username),
        ("password", password),
        ("scope", "openid"),
    ])
}

/// Logs in.
pub fn log_in(gateway: &Gateway, auth_source: &str, username: &str, password: &str) -> Response {
    gateway.token(&login(auth_source, username, password))
}

/// Logs in with a `traceparent`.
pub fn log_in_traced(gateway: &Gateway, auth_source: &str, username: &str, traceparent: &str) -> Response {
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("traceparent", traceparent)];
    http1::send(gateway.address(), "POST", "/oauth2/token", &headers, &login(auth_source, username, PASSWORD))
}

/// Comes back with the refresh token of an answer.
pub fn refresh(gateway: &Gateway, answer: &Response) -> Response {
    let token = answer.field("refresh_token");
    gateway.token(&form(&[
        ("grant_type", "refresh_token"),
        ("client_id", "PEOPLE_CLIENT_ID"),
        ("refresh_token", &token),
    ]))
}

/// It is 503 in the form of RFC 6749 §5.2.
pub fn assert_unavailable(answer: &Response, when: &str) {
    assert_eq!(answer.status, 503, "{when}: {answer:?}");
    assert_eq!(answer.field("error"), "temporarily_unavailable", "{when}");
    let retry_after = answer.header("retry-after").and_then(|seconds| seconds.parse::<u64>().ok());
    assert!(retry_after.is_some_and(|seconds| seconds > 0), "{when}: {answer:?}");
}

/// What [`lookup`] understands as a user.
pub fn lookup_answer(id: &str, hash: &str) -> String {
    json!({"rows": [{"id": id, "hash": hash}]}).to_string()
}

/// A document with users, given by id and name.
pub fn people(people: &[(&str, &str)]) -> String {
    let user =
        |(id, name): &(&str, &str)| json!({"id": id, "identifiers": {"username": name}, "password_hash": QUICK_HASH});
    json!({"users": people.iter().map(user).collect::<Vec<_>>()}).to_string()
}

/// A document of several parts: 20,000 users, called `{name}0` and so on.
pub fn many_people(name: &str) -> String {
    let names: Vec<_> = (0..20_000).map(|number| (format!("id-{number}"), format!("{name}{number}"))).collect();
    people(&names.iter().map(|(id, name)| (id.as_str(), name.as_str())).collect::<Vec<_>>())
}

/// An auth source that looks users up under a path of its own; `more` are further settings.
pub fn lookup(id: &str, cluster: &str, more: &str) -> String {
    let user = "    user: {at: /rows/0, id: /id, password_hash: /hash}";
    source(id, "lookup", cluster, &format!("/{id}?name={{identifier}}"), &format!("{user}\n{more}"))
}

/// An auth source that has passwords verified under a path of its own.
pub fn verify(id: &str, cluster: &str, more: &str) -> String {
    source(id, "verify", cluster, &format!("/{id}"), more)
}

/// An auth source that fetches a document under a path of its own.
pub fn snapshot(id: &str, cluster: &str, more: &str) -> String {
    source(id, "snapshot", cluster, &format!("/{id}"), more)
}

/// An auth source of any of the three ways.
pub fn source(id: &str, way: &str, cluster: &str, path: &str, more: &str) -> String {
    format!("- id: {id}\n  identifiers: [username]\n  {way}:\n    cluster: {cluster}\n    path: '{path}'\n{more}\n")
}

/// Limits on calls.
pub fn limits(timeout: &str, failures: u32, open: &str) -> String {
    format!("    timeout: {timeout}\n    circuit: {{failures: {failures}, open: {open}}}")
}

/// Settings of a document that is fetched every second.
pub fn every_second(timeout: &str, format: &str) -> String {
    format!("    timeout: {timeout}\n    refresh_interval: 1s\n    max_bytes: 1048576\n    format: {format}")
}

fn form(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// A configuration with more items in one of its lists, and with settings before that list.
fn with_items(yaml: &str, list: &str, before: &str, items: &str) -> String {
    let line = yaml.lines().find(|line| line.trim_start() == list).unwrap_or_else(|| panic!("no {list}"));
    let depth = line.len() - list.len();
    let changed = format!("{}{line}\n{}", indented(before, depth), indented(items, depth));
    gateway::replaced(yaml, &format!("{line}\n"), &changed)
}

fn indented(text: &str, depth: usize) -> String {
    text.lines().filter(|line| !line.is_empty()).map(|line| format!("{:depth$}{line}\n", "")).collect()
}
