//! What the documents of users mean, read as the runtime reads them: in pieces, a record at a time.

use serde_json::{Value, json};
use token_endpoint::{
    config::{
        self,
        loading::{LoadProgress, Loading},
    },
    registry::{
        auth_source::{AuthSource, Directory},
        remote::{Fetch, Snapshot},
        user::{Found, UserTable},
    },
    time::UnixTime,
};

const HASH: &str = "$pbkdf2-sha256$600000$0ZrzXitFSGltTQnBWOsdew$Y11AchqV4b0sUisdZd0Xr97KWoymNE0LNNrnEgY4H9M";
const WEAK: &str = "$pbkdf2-sha256$6400$0ZrzXitFSGltTQnBWOsdew$Y11AchqV4b0sUisdZd0Xr97KWoymNE0LNNrnEgY4H9M";
const GREEDY: &str = "$argon2id$v=19$m=1048576,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

/// The auth source of a configuration with this `snapshot` section, or what is wrong with it.
fn source(snapshot: Value) -> Result<std::sync::Arc<AuthSource>, Vec<String>> {
    let key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----";
    let document = json!({
        "issuer": "https://gateway.example.com",
        "signing_keys": [{"algorithm": "EdDSA", "private_key": key}],
        "auth_sources": [{"id": "FILE", "identifiers": ["username", "email"], "snapshot": snapshot}],
        "clients": [{"id": "app", "type": "spa", "auth_sources": ["FILE"], "grants": ["password"]}],
    });
    match config::parse(document.to_string().as_bytes(), &|_| None, UnixTime(1_800_000_000)) {
        Ok(configuration) => Ok(configuration.endpoint.registry.auth_sources["FILE"].clone()),
        Err(problems) => Err(problems.iter().map(ToString::to_string).collect()),
    }
}

fn snapshot(source: &AuthSource) -> &Snapshot {
    let Directory::Snapshot(snapshot) = &source.directory else { panic!("no snapshot") };
    snapshot
}

/// Reads a document that comes in pieces of `size` bytes.
fn load(format: &str, document: &str, size: usize) -> Result<UserTable, String> {
    let source = source(json!({"cluster": "files", "path": "/users", "format": format})).unwrap();
    let mut loading = Loading::new(snapshot(&source), &source.identifiers);
    let mut pieces = document.as_bytes().chunks(size);
    loop {
        match loading.step() {
            Ok(LoadProgress::Working) => {}
            Ok(LoadProgress::NeedInput) => loading.feed(pieces.next().unwrap_or_default()),
            Ok(LoadProgress::Done) => return Ok(loading.into_users()),
            Err(problem) => return Err(problem.to_string()),
        }
    }
}

fn user(number: usize) -> Value {
    json!({
        "id": format!("id-{number}"),
        "identifiers": {"username": format!("user{number}"), "email": format!("user{number}@Example.com")},
        "password_hash": HASH,
        "claims": {"name": "A \"B\" ]} \\"},
    })
}

fn lines(users: &[Value]) -> String {
    users.iter().map(|user| format!("{user}\n")).collect()
}

fn knows(users: &UserTable, name: &str) -> bool {
    let source = source(json!({"cluster": "files", "path": "/users"})).unwrap();
    let identifier = source.identifiers.accept(name).unwrap();
    matches!(users.find(&identifier, 0), Found::Account(_))
}

#[test]
fn all_forms_of_a_document_bring_the_same_users_whatever_its_pieces() {
    let users: Vec<Value> = (0..20).map(user).collect();
    let documents = [
        ("json", json!({"users": users}).to_string()),
        ("json", serde_json::to_string_pretty(&json!({"users": users})).unwrap()),
        ("json", json!(users).to_string()),
        ("json_lines", lines(&users)),
    ];
    for (format, document) in documents {
        for size in [1, 7, 100, 1_000_000] {
            let table = load(format, &document, size).unwrap();
            assert_eq!(table.len(), 20);
            assert!(knows(&table, "user7") && knows(&table, "user19@example.com") && !knows(&table, "user20"));
            assert_eq!(table.by_id("id-3").unwrap().user.claims["name"], json!("A \"B\" ]} \\"));
        }
    }
}

#[test]
fn one_bad_record_refuses_the_document_and_is_named_without_its_values() {
    let with = |field: &str, value: Value| {
        let mut users: Vec<Value> = (0..20).map(user).collect();
        users[17][field] = value;
        users
    };
    let cases = [
        ("password_hash", json!(WEAK), "users[17].password_hash: a cost below OWASP's minimum"),
        ("password_hash", json!(GREEDY), "users[17].password_hash: "),
        ("password_hash", json!("secret"), "users[17].password_hash: "),
        ("password", json!("secret"), "users[17].password: a plaintext password"),
        ("id", json!("id-3"), "users[17].id: the id of another user"),
        ("id", json!(7), "users[17].id: expected a text"),
        ("identifiers", json!({"username": "user3"}), "users[17].identifiers.username: the identifier of another user"),
        ("identifiers", json!([]), "users[17].identifiers: expected an object"),
        ("status", json!("secret"), "users[17].status: expected active"),
        ("claims", json!({"iss": "secret"}), "users[17].claims.iss: a claim that only"),
        ("colour", json!("secret"), "users[17].colour: unknown field"),
    ];
    for (field, value, told) in cases {
        let users = with(field, value);
        let problem = load("json", &json!({"users": users}).to_string(), 64).unwrap_err();
        assert!(problem.starts_with(told), "{problem}");
        assert!(!problem.contains("secret"), "{problem}");
        let problem = load("json_lines", &lines(&users), 64).unwrap_err();
        assert!(problem.starts_with(&told.replace("users[17]", "line 18")), "{problem}");
    }
}

#[test]
fn what_is_no_document_of_users_is_refused() {
    let whole = json!({"users": [user(0), user(1)]}).to_string();
    for end in 0..whole.len() {
        assert!(load("json", &whole[..end], 50).is_err(), "{}", &whole[..end]);
    }
    for garbage in ["<!doctype html>", "{\"error\":\"x\"}", "[1]", "[[]]", "\u{feff}[]", "[null]", "{}"] {
        assert!(load("json", garbage, 50).is_err(), "{garbage}");
        assert!(load("json_lines", garbage, 50).is_err(), "{garbage}");
    }
    assert!(load("json", "{\"users\":[]}", 50).unwrap().is_empty());
}

#[test]
fn a_large_table_is_dropped_a_little_at_a_time() {
    let users: Vec<Value> = (0..1000).map(user).collect();
    let mut table = load("json_lines", &lines(&users), 4096).unwrap();
    let steps = (1..).find(|_| table.dismantle()).unwrap();
    assert!(steps > 100, "{steps}");
    assert!(table.is_empty());
}

#[test]
fn the_section_has_defaults_and_bounds() {
    let source_of = |section| source(section);
    let with_defaults = source_of(json!({"cluster": "files", "path": "/users"})).unwrap();
    let defaults = snapshot(&with_defaults);
    assert_eq!((defaults.refresh_interval.as_secs(), defaults.max_bytes), (60, 32 * 1024 * 1024));
    let problems = source_of(json!({
        "cluster": "files", "path": "/users?name={identifier}", "format": "xml", "refresh_interval": "0s",
        "max_bytes": 0, "every": 1,
    }));
    let problems = problems.unwrap_err();
    for field in ["path", "format", "refresh_interval", "max_bytes", "every"] {
        let path = format!("auth_sources[0].snapshot.{field}: ");
        assert!(problems.iter().any(|problem| problem.starts_with(&path)), "{field} in {problems:?}");
    }
}

#[test]
fn a_document_is_asked_for_by_its_first_part_and_by_the_etag_of_the_last_one() {
    let source = source(json!({"cluster": "files", "path": "/users"})).unwrap();
    let asked = |etag: Option<&str>| {
        let callout = snapshot(&source).callout("FILE", &Fetch::new(etag.map(str::to_owned))).unwrap();
        assert_eq!(
            (callout.method.as_str(), callout.path.as_str(), callout.authority.as_str()),
            ("GET", "/users", "files")
        );
        let text = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
        let find = |name: &str| callout.headers.iter().find(|(other, _)| other == name);
        ["range", "if-none-match"].map(|name| find(name).map(|(_, value)| text(value.expose())))
    };
    let range = || Some("bytes=0-1048575".to_owned());
    assert_eq!(asked(None), [range(), None]);
    assert_eq!(asked(Some("\"a\"")), [range(), Some("\"a\"".to_owned())]);
}

#[test]
fn what_to_ask_for_is_not_to_be_configured_as_a_header() {
    for name in ["range", "Range", "if-none-match", "if-match", "if-range", "if-modified-since"] {
        let problems = source(json!({"cluster": "files", "path": "/users", "headers": {name: "x"}})).unwrap_err();
        assert!(problems[0].starts_with("auth_sources[0].snapshot.headers"), "{problems:?}");
    }
}
