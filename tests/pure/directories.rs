//! Directories over HTTP without any HTTP: which configurations are accepted, what is sent for whom, and what answers mean.

use ct_codecs::{Base64, Decoder};
use proptest::prelude::*;
use serde_json::{Value, json};
use token_endpoint::{
    config::{self, Configuration, Problem},
    outbound::{Callout, CalloutAnswer, Fault},
    registry::{
        auth_source::Directory,
        identifier::{Identifier, IdentifierKind},
        remote::{Lookup, Verify},
        user::{Account, Found, Status, User},
    },
    secret::Secret,
    text::form,
    time::UnixTime,
};

const KEY: &str = include_str!("../vectors/rfc7515-a3.pem");
const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$biC0YMo3xwH/z+frQL4zwQ$SuU4DoW7lVj+0l5TmxoxyjbXbA3OldHURmteUUuCP+g";
const BOMB: &str =
    "$argon2id$v=19$m=1048576,t=2,p=1$biC0YMo3xwH/z+frQL4zwQ$SuU4DoW7lVj+0l5TmxoxyjbXbA3OldHURmteUUuCP+g";
const WEAK: &str = "$argon2id$v=19$m=32,t=1,p=1$c29tZSBzYWx0IGhlcmU$7rw5d4gVUkCt7itcFpkTO00IUSQv449tnX3sHrjLyF8";
const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// Stands wherever a secret may stand, and must come out nowhere.
const PLANTED: &str = "hunter2";

/// Names that have tried to be more than names elsewhere.
fn hostile() -> Vec<String> {
    let texts =
        ["a\"b", "a/../b", "a&b=c", "a%00b", "a\0b", "' or 1=1 --", "a\r\nx: y", "a?b#c", "{password}", "\\", "é€😀"];
    texts.into_iter().map(str::to_owned).chain(["é".repeat(2048)]).collect()
}

fn lookup_settings() -> Value {
    json!({"cluster": "directory", "path": "/people.json?name={identifier}",
           "user": {"at": "/rows/0", "id": "/id", "password_hash": "/hash"}})
}

fn verify_settings() -> Value {
    json!({"cluster": "directory", "path": "/check"})
}

fn json_settings() -> Value {
    json!({"cluster": "directory", "path": "/check", "credentials": "json"})
}

fn document(directory: &str, settings: &Value) -> Value {
    json!({
        "issuer": "https://gateway.example.com",
        "signing_keys": [{"algorithm": "ES256", "private_key": KEY}],
        "auth_sources": [{"id": "STAFF", "identifiers": ["username", "email"], directory: settings}],
        "clients": [{"id": "SPA", "type": "spa", "auth_sources": ["STAFF"], "grants": ["password"]}],
    })
}

fn parse(document: &Value) -> Result<Configuration, Vec<Problem>> {
    config::parse(
        document.to_string().as_bytes(),
        &|name| match name {
            "TOKEN" => Some(PLANTED.to_owned()),
            "TWO_LINES" => Some(format!("{PLANTED}\r\nx: y")),
            _ => None,
        },
        UnixTime(1_800_000_000),
    )
}

/// Settings with one place changed; `null` takes a value away.
fn with(mut settings: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    settings.pointer_mut(parent).unwrap()[name] = value;
    settings
}

/// The problems of a directory's settings, with paths that begin there.
fn problems(directory: &str, settings: &Value) -> Vec<String> {
    let problems = parse(&document(directory, settings)).err().unwrap_or_default();
    let prefix = format!("auth_sources[0].{directory}.");
    problems.iter().map(|problem| problem.to_string().replacen(&prefix, "", 1)).collect()
}

#[track_caller]
fn refuses(directory: &str, settings: Value, pointer: &str, value: Value, problem: &str) {
    assert_eq!(problems(directory, &with(settings, pointer, value)), [problem]);
}

#[track_caller]
fn lookup_refuses(pointer: &str, value: Value, problem: &str) {
    refuses("lookup", lookup_settings(), pointer, value, problem);
}

fn lookup(settings: &Value) -> Box<Lookup> {
    let document = document("lookup", settings);
    let configuration = parse(&document).unwrap();
    lookup_of(configuration)
}

fn lookup_of(configuration: Configuration) -> Box<Lookup> {
    let source = configuration.endpoint.registry.auth_sources.into_values().next().unwrap();
    drop(configuration.endpoint.registry.clients);
    match std::sync::Arc::into_inner(source).unwrap().directory {
        Directory::Lookup(lookup) => lookup,
        other => panic!("{other:?}"),
    }
}

fn verify(settings: &Value) -> Box<Verify> {
    let configuration = parse(&document("verify", settings)).unwrap();
    let source = configuration.endpoint.registry.auth_sources.into_values().next().unwrap();
    drop(configuration.endpoint.registry.clients);
    match std::sync::Arc::into_inner(source).unwrap().directory {
        Directory::Verify(verify) => verify,
        other => panic!("{other:?}"),
    }
}

fn named(value: &str) -> Identifier {
    Identifier { kind: IdentifierKind::Username, value: value.to_owned() }
}

fn asked(lookup: &Lookup, name: &str) -> Callout {
    lookup.callout("STAFF", &named(name), None).unwrap_or_else(|| panic!("{name:?} is not asked for"))
}

fn header<'a>(callout: &'a Callout, name: &str) -> Option<&'a str> {
    let (_, value) = callout.headers.iter().find(|(known, _)| known == name)?;
    Some(std::str::from_utf8(value.expose()).unwrap())
}

fn body(callout: &Callout) -> &[u8] {
    callout.body.as_ref().unwrap().expose()
}

fn answer(status: u16, body: impl AsRef<[u8]>) -> CalloutAnswer {
    CalloutAnswer { status, headers: Vec::new(), body: body.as_ref().to_vec() }
}

fn found(lookup: &Lookup, body: &Value) -> Result<Option<Account>, Fault> {
    lookup.read(&answer(200, body.to_string())).map(|found| match found {
        Found::Account(account) => Some(account),
        Found::NotFound { .. } => None,
    })
}

fn fault(lookup: &Lookup, status: u16, body: impl AsRef<[u8]>) -> Fault {
    lookup.read(&answer(status, body)).unwrap_err()
}

fn percent_decoded(text: &str) -> String {
    form::decode(text.as_bytes()).unwrap().to_string()
}

#[test]
fn a_lookup_needs_little_and_has_defaults_for_the_rest() {
    let lookup = lookup(&lookup_settings());
    let limits = &lookup.limits;
    assert_eq!((limits.timeout.as_secs(), limits.max_response_bytes, limits.max_concurrent), (2, 65536, 64));
    assert_eq!((limits.circuit_failures, limits.circuit_open.as_secs()), (5, 10));
    assert!(lookup.cache.is_none() && lookup.decoy.is_none() && lookup.is_idempotent());
    let callout = asked(&lookup, "alice");
    assert_eq!((callout.cluster.as_str(), callout.authority.as_str()), ("directory", "directory"));
    assert_eq!((callout.method.as_str(), callout.path.as_str()), ("GET", "/people.json?name=alice"));
    assert_eq!(header(&callout, "accept"), Some("application/json"));
    assert!(callout.body.is_none() && callout.headers.len() == 1);
}

#[test]
fn everything_can_be_set() {
    let settings = json!({
        "cluster": "directory", "authority": "directory.internal:8080", "method": "POST", "path": "/{auth_source_id}/{kind}",
        "headers": {"X-Source": "{auth_source_id}", "x-key": {"env": "TOKEN"}, "content-type": "application/json"},
        "body": r#"{"name": {identifier}, "kind": {kind}, "n": {}}"#,
        "authorization": {"bearer": {"env": "TOKEN"}},
        "user": {"id": "/id", "password_hash": "/hash", "status": "/status", "active": ["on", 1, true],
                 "claims": {"name": "/display_name"}},
        "not_found": [404, 204], "decoy_hash": HASH, "cache": {"max_entries": 5, "max_age": "7s"}, "timeout": "0.5s",
        "max_response_bytes": 1000, "max_concurrent": 2, "circuit": {"failures": 3, "open": "4s"},
    });
    let lookup = lookup(&settings);
    let cache = lookup.cache.unwrap();
    assert_eq!((cache.max_entries, cache.max_age.as_secs()), (5, 7));
    assert_eq!((lookup.limits.timeout.as_millis(), lookup.limits.max_concurrent), (500, 2));
    assert_eq!((lookup.limits.circuit_failures, lookup.limits.circuit_open.as_secs()), (3, 4));
    assert!(!lookup.is_idempotent());
    assert!(matches!(lookup.nobody(), Found::NotFound { decoy: Some(_) }));
    assert!(matches!(lookup.read(&answer(204, "")), Ok(Found::NotFound { decoy: Some(_) })));
    let callout = asked(&lookup, "alice");
    assert_eq!((callout.method.as_str(), callout.path.as_str()), ("POST", "/STAFF/username"));
    assert_eq!(header(&callout, "x-source"), Some("STAFF"));
    assert_eq!(header(&callout, "x-key"), Some(PLANTED));
    assert_eq!(header(&callout, "authorization"), Some("Bearer hunter2"));
    assert_eq!(
        serde_json::from_slice::<Value>(body(&callout)).unwrap(),
        json!({"name": "alice", "kind": "username", "n": {}})
    );
    assert!(!format!("{lookup:?}{callout:?}").contains(PLANTED));
}

#[test]
fn an_auth_source_has_one_directory() {
    let mut both = document("lookup", &lookup_settings());
    both["auth_sources"][0]["verify"] = verify_settings();
    let problems: Vec<_> = parse(&both).unwrap_err().iter().map(Problem::to_string).collect();
    assert_eq!(problems, ["auth_sources[0].verify: a second directory: an auth source has one"]);
    both["auth_sources"][0]["users"] = json!([]);
    assert_eq!(parse(&both).unwrap_err().len(), 2);
}

#[test]
fn all_that_is_missing_is_told_and_references_are_no_further_problem() {
    assert_eq!(problems("lookup", &json!({})), ["cluster: missing", "path: missing", "user: missing"]);
    let user = with(lookup_settings(), "/user", json!({}));
    assert_eq!(problems("lookup", &user), ["user.id: missing", "user.password_hash: missing"]);
    assert_eq!(problems("verify", &json!({})), ["cluster: missing", "path: missing"]);
}

#[test]
fn a_path_is_a_path_and_its_placeholders_are_known() {
    let path = "path: expected a path: / first, and nothing that a URI has to encode";
    for bad in [
        "people",
        "{identifier}",
        "/a b",
        "/a#b",
        "/a\"",
        "/é",
        "/{identifier",
        "/{Identifier}",
        "/{ kind }",
        "/a}",
        "/%2E%2e/",
    ] {
        lookup_refuses("/path", json!(bad), path);
    }
    for bad in ["/..", "/a/./b", "/{identifier}/..", "/../x?y"] {
        lookup_refuses("/path", json!(bad), "path: a path with . or .. as a segment");
    }
    assert_eq!(problems("lookup", &with(lookup_settings(), "/path", json!("/a?b=../c"))), [""; 0]);
    let unknown = "an unknown placeholder: {identifier}, {kind} and {auth_source_id} are known, and {password} where a \
                   password is sent";
    lookup_refuses("/path", json!("/{name}"), &format!("path: {unknown}"));
    let elsewhere = "a placeholder that can't be used here";
    lookup_refuses("/path", json!("/{password}"), &format!("path: {elsewhere}"));
    refuses("verify", json_settings(), "/path", json!("/{password}"), &format!("path: {elsewhere}"));
    refuses("verify", json_settings(), "/headers", json!({"x-a": "{password}"}), &format!("headers.x-a: {elsewhere}"));
}

#[test]
fn headers_are_plain_and_do_not_frame_the_message() {
    let frame = "a header that can't be set here";
    for name in ["host", "Content-Length", "authorization", ":path", "transfer-encoding", "a b", "traceparent", "é"] {
        lookup_refuses("/headers", json!({name: "x"}), &format!("headers.{name}: {frame}"));
    }
    let value = "headers.x-a: expected printable ASCII, and no other braces";
    for bad in ["a\r\nb: c", "a\u{0}", "é", "{Kind}", "a{"] {
        lookup_refuses("/headers", json!({"x-a": bad}), value);
    }
    lookup_refuses("/headers", json!({"x-a": "b", "X-A": "c"}), "headers.x-a: given twice");
    let secret = "headers.x-a: expected ASCII without spaces and line ends";
    lookup_refuses("/headers", json!({"x-a": {"env": "TWO_LINES"}}), secret);
    lookup_refuses("/authority", json!("a/b"), "authority: expected a host, with or without a port");
    lookup_refuses("/cluster", json!("outbound|80||x"), "authority: missing, and the cluster's name is no host");
}

#[test]
fn credentials_are_one_of_two_and_go_into_a_header_whole() {
    let two = json!({"bearer": "x", "basic": {"username": "a", "password": "b"}});
    lookup_refuses("/authorization", two, "authorization.basic: beside bearer: there can be one of them");
    lookup_refuses("/authorization", json!({}), "authorization.bearer: missing, and basic too");
    let lines = "authorization.bearer: expected ASCII without spaces and line ends";
    lookup_refuses("/authorization", json!({"bearer": {"env": "TWO_LINES"}}), lines);
    let colon = json!({"basic": {"username": "a:b", "password": {"env": "TOKEN"}}});
    let problem = "HTTP Basic has no colon in a user name, and no control characters at all";
    lookup_refuses("/authorization", colon, &format!("authorization.basic.username: {problem}"));
    let basic = json!({"basic": {"username": "gateway", "password": {"env": "TOKEN"}}});
    let callout = asked(&lookup(&with(lookup_settings(), "/authorization", basic)), "alice");
    assert_eq!(header(&callout, "authorization"), Some("Basic Z2F0ZXdheTpodW50ZXIy"));
    let own = "authorization: the user's own credentials are sent";
    refuses("verify", verify_settings(), "/authorization", json!({"bearer": "x"}), own);
}

#[test]
fn a_body_is_json_or_a_form_with_a_value_in_each_place() {
    let post = with(lookup_settings(), "/method", json!("POST"));
    let json = "body: not JSON, with a text in place of each placeholder";
    for bad in [
        "{identifier",
        r#"{"a": "{identifier}"}"#,
        r#"["x{identifier},{identifier}y"]"#,
        r#"{"a": { kind }}"#,
        "{kind}{kind}",
    ] {
        refuses("lookup", post.clone(), "/body", json!(bad), json);
    }
    lookup_refuses("/body", json!("{identifier}"), "body: a GET has no body: set the method to POST or PUT");
    lookup_refuses("/method", json!("DELETE"), "method: expected GET, POST or PUT");
    let form =
        with(post.clone(), "/headers", json!({"content-type": "application/x-www-form-urlencoded; charset=utf-8"}));
    refuses(
        "lookup",
        form.clone(),
        "/body",
        json!("a={kind}&b c"),
        "body: expected a form, with all encoded that has to be",
    );
    let form = lookup(&with(form, "/body", json!("name={identifier}&kind={kind}")));
    assert_eq!(body(&asked(&form, "a&b= c")), b"name=a%26b%3D%20c&kind=username");
    let xml = with(post, "/body", json!("<a/>"));
    let problem = "a body can be application/json and, without a password, application/x-www-form-urlencoded";
    refuses(
        "lookup",
        xml,
        "/headers",
        json!({"content-type": "text/xml"}),
        &format!("headers.content-type: {problem}"),
    );
    refuses("verify", json_settings(), "/body", json!("{identifier}"), "body: {password} is not in it");
    refuses("verify", verify_settings(), "/body", json!("{password}"), "body: unknown field");
}

#[test]
fn fields_are_pointers_and_reserved_claims_are_refused() {
    let pointer = "expected a JSON Pointer (RFC 6901) to a field, such as \"/id\"";
    for bad in [json!("id"), json!(""), json!("/a~2"), json!("/a~"), json!(1)] {
        lookup_refuses("/user/id", bad, &format!("user.id: {pointer}"));
    }
    lookup_refuses("/user/at", json!("rows"), "user.at: expected a JSON Pointer (RFC 6901), such as \"/rows/0\"");
    lookup_refuses("/user/claims", json!({"sub": "/id"}), "user.claims.sub: a claim that only the endpoint sets");
    lookup_refuses("/user/active", json!(["x"]), "user.active: of no use without status");
    let status = with(lookup_settings(), "/user/status", json!("/status"));
    let scalar = "user.active[0]: expected a text, a number, true or false";
    refuses("lookup", status, "/user/active", json!([[1]]), scalar);
    let headers = json!({"from": "headers", "id": "/id"});
    refuses("verify", verify_settings(), "/user", headers, "user.id: expected the name of a header");
    let headers = json!({"from": "headers", "status": "x-status", "active": [1]});
    refuses("verify", verify_settings(), "/user", headers, "user.active[0]: expected a text, as a header is one");
}

#[test]
fn limits_and_statuses_have_bounds() {
    lookup_refuses("/timeout", json!("0s"), "timeout: expected 0.001s to 60s");
    lookup_refuses("/max_response_bytes", json!(1e9), "max_response_bytes: expected 1 to 16777216");
    lookup_refuses("/max_concurrent", json!(0), "max_concurrent: expected 1 to 10000");
    lookup_refuses("/circuit", json!({"failures": 0}), "circuit.failures: expected 1 to 1000");
    lookup_refuses("/circuit", json!({"open": "0.5s"}), "circuit.open: expected whole seconds, 1s to 3600s");
    lookup_refuses(
        "/cache",
        json!({"max_age": "2h"}),
        "cache.max_age: expected a duration in seconds, such as \"300s\"",
    );
    lookup_refuses("/cache", json!({"max_entries": 0}), "cache.max_entries: expected 1 to 1000000");
    for status in [500, 302, 100, 70000] {
        lookup_refuses("/not_found", json!([status]), "not_found[0]: a status that can't mean this");
    }
    refuses("verify", verify_settings(), "/refused", json!([200]), "refused[0]: a status that can't mean this");
    let hash = problems("lookup", &with(lookup_settings(), "/decoy_hash", json!(PLANTED)));
    assert!(hash[0].starts_with("decoy_hash: unknown kind of password hash"), "{hash:?}");
}

#[test]
fn no_problem_shows_a_value() {
    let mut settings =
        json!({"cluster": [PLANTED], "path": PLANTED, "method": PLANTED, "timeout": PLANTED, PLANTED: 1});
    settings["headers"] = json!({"host": PLANTED, "x": format!("{{{PLANTED}}}")});
    settings["authorization"] = json!({"bearer": {"env": "TWO_LINES"}});
    settings["user"] = json!({"id": PLANTED, "active": [[PLANTED]], "password_hash": PLANTED});
    settings["decoy_hash"] = json!(PLANTED);
    let problems = parse(&document("lookup", &settings)).unwrap_err();
    assert!(problems.len() > 9, "{problems:?}");
    assert!(!problems.iter().any(|problem| problem.what.contains(PLANTED)), "{problems:?}");
}

#[test]
fn a_hostile_name_is_one_value_of_a_query() {
    let lookup = lookup(&lookup_settings());
    for name in hostile() {
        let path = asked(&lookup, &name).path;
        let value = path.strip_prefix("/people.json?name=").unwrap();
        assert!(value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)), "{value}");
        assert_eq!(percent_decoded(value), name);
    }
}

#[test]
fn a_hostile_name_is_one_segment_of_a_path_or_is_not_asked_for() {
    let lookup = lookup(&with(lookup_settings(), "/path", json!("/people/{identifier}?a=b")));
    for name in ["a\"b", "a&b=c", "a%2f..%2fb", "' or 1=1 --", "a?b", "...", "a/b", "..a"] {
        let path = asked(&lookup, name).path;
        let segment = path.strip_prefix("/people/").and_then(|rest| rest.strip_suffix("?a=b")).unwrap();
        assert!(!segment.contains(['/', '?', '\\']), "{path}");
        assert_eq!(percent_decoded(segment), name);
    }
    for name in [".", "..", "../admin", "a/../b", "a/..", "a\\..\\b", "./a", "/../"] {
        assert!(lookup.callout("STAFF", &named(name), None).is_none(), "{name}");
    }
}

#[test]
fn a_hostile_name_is_one_string_of_a_json_body_and_one_value_of_a_header() {
    let mut settings = with(lookup_settings(), "/method", json!("PUT"));
    settings["body"] = json!(r#"{"a": [{identifier}], {kind}: 1}"#);
    settings["headers"] = json!({"x-who": "<{identifier}>"});
    let lookup = lookup(&settings);
    for name in hostile() {
        let callout = asked(&lookup, &name);
        let body: Value = serde_json::from_slice(body(&callout)).unwrap();
        assert_eq!(body, json!({"a": [name], "username": 1}));
        let header = header(&callout, "x-who").unwrap();
        assert!(header.bytes().all(|byte| byte.is_ascii_graphic()), "{header}");
        assert_eq!(percent_decoded(header.trim_matches(['<', '>'])), name);
    }
}

#[test]
fn a_trace_is_passed_on_if_it_is_one() {
    let lookup = lookup(&lookup_settings());
    let sent = |trace| lookup.callout("STAFF", &named("alice"), Some(trace)).unwrap();
    assert_eq!(header(&sent(TRACE), "traceparent"), Some(TRACE));
    assert_eq!(header(&sent("00-x\r\ny: z"), "traceparent"), None);
}

#[test]
fn a_user_is_read_by_pointers() {
    let mut settings =
        with(lookup_settings(), "/user/claims", json!({"name": "/a~1b", "team": "/teams/0", "none": "/no"}));
    settings["user"]["status"] = json!("/status");
    settings["user"]["active"] = json!(["on", 1, true]);
    let lookup = lookup(&settings);
    let user = |status: Value| {
        let row = json!({"id": 7, "hash": HASH, "status": status, "a/b": "Alice", "teams": [{"x": 1}], "no": null});
        found(&lookup, &json!({"rows": [row]})).unwrap().unwrap().user
    };
    let alice = user(json!("on"));
    assert_eq!((alice.id.as_str(), alice.status), ("7", Status::Active));
    assert_eq!(Value::Object(alice.claims.clone()), json!({"name": "Alice", "team": {"x": 1}}));
    let statuses =
        [json!(1), json!(1.0), json!(true), json!("locked"), json!("active"), json!("1"), json!(null), json!([1])];
    let [active, disabled] = [Status::Active, Status::Disabled];
    let expected = [active, active, active, Status::Locked, disabled, disabled, disabled, disabled];
    assert_eq!(statuses.map(|status| user(status).status), expected);
}

#[test]
fn a_user_without_a_status_pointer_is_active_and_one_without_a_password_is_nobody() {
    let lookup = lookup(&lookup_settings());
    let row = |row: Value| found(&lookup, &json!({"rows": [row]})).unwrap();
    assert_eq!(row(json!({"id": "a", "hash": HASH})).unwrap().user.status, Status::Active);
    assert!(row(json!({"id": "a", "hash": null})).is_none());
}

#[test]
fn nobody_is_a_status_or_nothing_where_a_user_would_be() {
    let at_row = lookup(&lookup_settings());
    assert!(matches!(at_row.read(&answer(404, "<html>")), Ok(Found::NotFound { .. })));
    for body in [json!({"rows": []}), json!({"rows": [null]}), json!({"rows": null}), json!({"rows": [[]]})] {
        assert!(found(&at_row, &body).unwrap().is_none(), "{body}");
    }
    let at_top = lookup(&with(lookup_settings(), "/user/at", json!("")));
    for body in [json!(null), json!([])] {
        assert!(found(&at_top, &body).unwrap().is_none(), "{body}");
    }
    let deep = lookup(&with(lookup_settings(), "/user/at", json!("/data/user")));
    assert!(found(&deep, &json!({"data": null})).unwrap().is_none());
    assert!(found(&deep, &json!({"data": {}})).unwrap().is_none());
}

#[test]
fn an_answer_of_another_make_says_nothing_of_any_user() {
    let lookup = lookup(&lookup_settings());
    for body in ["", "<html></html>", "{\"rows\": [", "hunter2", "\u{feff}{}", "[1]x"] {
        let fault = fault(&lookup, 200, body);
        assert!(matches!(&fault, Fault::Malformed(what) if what.starts_with("not JSON: line 1, column ")), "{fault}");
    }
    let deep = "[".repeat(100_000);
    assert!(matches!(fault(&lookup, 200, deep), Fault::Malformed(_)));
    assert!(matches!(fault(&lookup, 200, b"\xff\xfe"), Fault::Malformed(_)));
    let elsewhere = "expected a user at \"/rows/0\", or a sign that there is none";
    for body in
        [json!({"error": "hunter2"}), json!({"rows": "hunter2"}), json!({"rows": ["hunter2"]}), json!([]), json!(1)]
    {
        assert_eq!(fault(&lookup, 200, body.to_string()), Fault::Malformed(elsewhere.to_owned()), "{body}");
    }
}

#[test]
fn a_status_that_is_neither_success_nor_nobody_is_a_fault() {
    let lookup = lookup(&lookup_settings());
    for status in [0, 100, 301, 302, 304, 307, 400, 401, 403, 429, 500, 502, 503, 504, 999] {
        assert_eq!(fault(&lookup, status, json!({"rows": []}).to_string()), Fault::Status(status));
    }
}

#[test]
fn a_record_that_can_not_be_used_is_named_by_its_place_and_not_shown() {
    let lookup = lookup(&lookup_settings());
    let record = |row: Value| fault(&lookup, 200, json!({"rows": [row]}).to_string());
    let id = Fault::Record("/rows/0/id: expected an id".to_owned());
    for bad in [json!(null), json!(""), json!(true), json!(1.5), json!(["hunter2"])] {
        assert_eq!(record(json!({"id": bad, "hash": HASH})), id, "{bad}");
    }
    let hash = Fault::Record("/rows/0/hash: expected a password hash".to_owned());
    assert_eq!(record(json!({"id": 1})), hash);
    assert_eq!(record(json!({"id": 1, "hash": 5})), hash);
    for bad in [BOMB, WEAK, PLANTED, ""] {
        let fault = record(json!({"id": 1, "hash": bad})).to_string();
        assert!(
            fault.starts_with("a user's record that can't be used: /rows/0/hash: ") && !fault.contains(PLANTED),
            "{fault}"
        );
    }
}

#[test]
fn a_weak_hash_is_allowed_by_name() {
    let mut document = document("lookup", &lookup_settings());
    document["allow_weak_hashes"] = json!(true);
    let lookup = lookup_of(parse(&document).unwrap());
    assert!(found(&lookup, &json!({"rows": [{"id": 1, "hash": WEAK}]})).unwrap().is_some());
    assert!(matches!(fault(&lookup, 200, json!({"rows": [{"id": 1, "hash": BOMB}]}).to_string()), Fault::Record(_)));
}

fn confirmed(verify: &Verify, answer: &CalloutAnswer) -> Result<Option<std::sync::Arc<User>>, Fault> {
    verify.read(answer, &named("alice"))
}

#[test]
fn a_directory_that_checks_passwords_is_sent_basic_credentials() {
    let verify = verify(&verify_settings());
    let sent = |name: &str, password: &str| verify.callout("STAFF", &named(name), &Secret::new(password), Some(TRACE));
    let callout = sent("Aladdin", "open sesame").unwrap();
    assert_eq!((callout.method.as_str(), callout.path.as_str()), ("GET", "/check"));
    assert_eq!(header(&callout, "authorization"), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    assert_eq!(header(&callout, "traceparent"), Some(TRACE));
    assert!(callout.body.is_none());
    for (name, password) in [("a:b", "c"), ("a\0", "b"), ("a", "b\0c"), ("a\r\nx: y", "b"), ("a", "\u{7f}")] {
        assert!(sent(name, password).is_none(), "{name:?} {password:?}");
    }
    for name in hostile().into_iter().filter(|name| !name.contains(|c: char| c.is_ascii_control())) {
        let callout = sent(&name, "p:ä\"").unwrap();
        let pair = header(&callout, "authorization").unwrap().strip_prefix("Basic ").unwrap().to_owned();
        assert_eq!(Base64::decode_to_vec(pair, None).unwrap(), format!("{name}:p:ä\"").into_bytes());
    }
}

#[test]
fn or_a_json_document() {
    let plain = verify(&json_settings());
    let sent = |verify: &Verify, name: &str, password: &str| -> Value {
        let callout = verify.callout("STAFF", &named(name), &Secret::new(password), None).unwrap();
        assert_eq!((callout.method.as_str(), header(&callout, "content-type")), ("POST", Some("application/json")));
        assert_eq!(header(&callout, "authorization"), None);
        serde_json::from_slice(body(&callout)).unwrap()
    };
    for name in hostile() {
        assert_eq!(sent(&plain, &name, &name), json!({"username": name, "password": name}));
    }
    let own = verify(&with(json_settings(), "/body", json!(r#"{"u": {"n": {identifier}}, "p": {password}}"#)));
    assert_eq!(sent(&own, "a", "b"), json!({"u": {"n": "a"}, "p": "b"}));
    assert!(plain.callout("STAFF", &named("a"), &Secret::new(b"\xff"), None).is_none());
    assert!(plain.callout("STAFF", &named("a"), &Secret::new(""), None).is_none(), "no password is no password");
    assert!(plain.callout("STAFF", &named(""), &Secret::new("a"), None).is_none(), "nobody is nobody");
}

#[test]
fn its_yes_its_no_and_everything_else_are_three_things() {
    let verify = verify(&verify_settings());
    for status in [200, 204, 299] {
        let user = confirmed(&verify, &answer(status, "<html>")).unwrap().unwrap();
        assert_eq!((user.id.as_str(), user.status, user.claims.len()), ("alice", Status::Active, 0));
    }
    for status in [401, 403] {
        assert!(confirmed(&verify, &answer(status, "")).unwrap().is_none());
    }
    for status in [0, 101, 302, 400, 404, 407, 429, 500, 503] {
        assert_eq!(confirmed(&verify, &answer(status, "")).unwrap_err(), Fault::Status(status));
    }
}

#[test]
fn a_confirmed_user_is_read_from_a_body_or_from_headers() {
    let user = json!({"id": "/id", "status": "/status", "active": [1], "claims": {"name": "/name"}});
    let by_body = verify(&with(verify_settings(), "/user", user));
    let user = confirmed(&by_body, &answer(200, r#"{"id": 5, "status": 1, "name": "Alice"}"#)).unwrap().unwrap();
    assert_eq!((user.id.as_str(), user.status, user.claims["name"].clone()), ("5", Status::Active, json!("Alice")));
    assert_eq!(confirmed(&by_body, &answer(200, "{}")).unwrap_err(), Fault::Record("/id: expected an id".to_owned()));
    assert!(matches!(confirmed(&by_body, &answer(200, "<html>")), Err(Fault::Malformed(_))));

    let user = json!({"from": "headers", "id": "X-User-Id", "status": "x-status", "claims": {"name": "x-name"}});
    let by_headers = verify(&with(verify_settings(), "/user", user));
    let headers = |headers: &[(&str, &str)]| {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        CalloutAnswer { status: 200, headers, body: b"<html>".to_vec() }
    };
    let answer = headers(&[("x-user-id", "5"), ("x-status", "locked"), ("x-name", "Alice")]);
    let user = confirmed(&by_headers, &answer).unwrap().unwrap();
    assert_eq!((user.id.as_str(), user.status, user.claims["name"].clone()), ("5", Status::Locked, json!("Alice")));
    let missing = Fault::Record("x-user-id: expected an id".to_owned());
    assert_eq!(confirmed(&by_headers, &headers(&[("x-user-id", "")])).unwrap_err(), missing);
}

proptest! {
    #[test]
    fn whatever_the_name_the_path_keeps_its_structure(name in prop_oneof![any::<String>(), "[./\\\\%?&=#a]{0,8}"]) {
        let lookup = lookup(&with(lookup_settings(), "/path", json!("/a/{identifier}/b?c={identifier}&d={kind}")));
        let Some(callout) = lookup.callout("STAFF", &named(&name), None) else {
            let is_dots = |part: &str| part == "." || part == "..";
            prop_assert!(name.is_empty() || name.split(['/', '\\']).any(is_dots), "{:?} is a name", name);
            return Ok(());
        };
        let url = url::Url::parse(&format!("http://x{}", callout.path)).unwrap();
        let segments: Vec<_> = url.path_segments().unwrap().map(percent_decoded_plus).collect();
        prop_assert_eq!(segments, ["a", &name, "b"]);
        let query: Vec<_> = url.query_pairs().into_owned().collect();
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        prop_assert_eq!(query, [pair("c", &name), pair("d", "username")]);
        prop_assert_eq!(url.fragment(), None);
    }

    #[test]
    fn whatever_the_name_a_json_body_keeps_its_structure(name in any::<String>(), password in any::<String>()) {
        prop_assume!(!name.is_empty() && !password.is_empty());
        let verify = verify(&json_settings());
        let callout = verify.callout("STAFF", &named(&name), &Secret::new(password.as_bytes()), None).unwrap();
        let sent: Value = serde_json::from_slice(body(&callout)).unwrap();
        prop_assert_eq!(sent, json!({"username": name, "password": password}));
    }

    #[test]
    fn whatever_the_answer_it_is_read_or_refused(status in 0..1000_u16, body in any::<Vec<u8>>()) {
        let lookup = lookup(&lookup_settings());
        let read = lookup.read(&answer(status, body));
        prop_assert!(!matches!(read, Ok(Found::Account(_))));
    }
}

fn percent_decoded_plus(segment: &str) -> String {
    percent_decoded(&segment.replace('+', "%2B"))
}
