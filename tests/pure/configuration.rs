//! What the configuration accepts and refuses: every problem with its path, all at once, and never a value.

use crate::support::configuration::{HASH, KEY, NOW, SEAL_KEY, SECRET_HASH, environment, good, parse, problems};
use serde_json::{Value, json};
use token_endpoint::config::{self, HeadersHeldBy, Problem, Role};

const WEAK_KEY: &str = include_str!("../vectors/weak-rsa-1024.pem");

/// The good configuration with one place of it changed; `null` takes a value away.
fn with(pointer: &str, value: Value) -> Value {
    let mut document = good();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap()[name] = value;
    document
}

#[track_caller]
fn refuses(pointer: &str, value: Value, problem: &str) {
    assert_eq!(problems(&with(pointer, value)), [problem]);
}

#[test]
fn a_good_configuration_is_accepted_with_its_defaults() {
    let configuration = parse(&good()).unwrap();
    let endpoint = configuration.endpoint;
    for path in ["token", "revoke", "introspect", "userinfo", "jwks"] {
        assert!(endpoint.owns(&format!("/oauth2/{path}")), "{path}");
    }
    assert!(endpoint.owns("/.well-known/openid-configuration"));
    assert!(endpoint.owns("/.well-known/oauth-authorization-server"));
    assert_eq!(endpoint.max_request_bytes, 16 * 1024);
    assert_eq!(endpoint.terms.lifetimes.access_token.as_secs(), 300);
    assert_eq!(endpoint.terms.lifetimes.id_token.as_secs(), 1800);
    assert_eq!(endpoint.registry.clients["WEB"].scopes, ["openid"]);
    assert_eq!(configuration.schedule.slice.as_millis(), 1);
    assert_eq!(configuration.attempts.identifier.failures, 5);
}

#[test]
fn ten_mistakes_are_ten_problems_with_their_paths_and_without_their_values() {
    let mut document = good();
    document["issuer"] = json!("http://hunter2.example.com");
    document["hunter2"] = json!(1);
    document["signing_keys"][0]["private_key"] = json!("hunter2");
    document["refresh_token_keys"][0] = json!("hunter2");
    document["auth_sources"][0]["users"][0]["password"] = json!("hunter2");
    document["auth_sources"][0]["users"][1]["password_hash"] =
        json!("$argon2id$v=19$m=9999999,t=2,p=1$aHVudGVyMg$hunter2");
    document["auth_sources"][0]["identifiers"][1] = json!("hunter2");
    document["clients"][0]["client_secret"] = json!("hunter2");
    document["clients"][0]["auth_sources"][0] = json!("hunter2");
    document["clients"][1]["type"] = json!("hunter2");
    let problems = problems(&document);
    let paths: Vec<&str> = problems.iter().map(|problem| problem.split(": ").next().unwrap()).collect();
    assert_eq!(
        paths,
        [
            "issuer",
            "signing_keys[0].private_key",
            "refresh_token_keys[0]",
            "auth_sources[0].identifiers[1]",
            "auth_sources[0].users[0].password",
            "auth_sources[0].users[1].password_hash",
            "clients[0].client_secret",
            "clients[0].auth_sources[0]",
            "clients[1].type",
            "hunter2",
        ]
    );
    assert!(!problems.iter().any(|problem| problem.split(": ").skip(1).any(|what| what.contains("hunter2"))));
}

#[test]
fn what_is_not_json_is_one_problem_with_its_place() {
    let parse = |text: &str| config::parse(text.as_bytes(), &|_| None, NOW).unwrap_err();
    assert_eq!(parse("{\"issuer\": hunter2}")[0].to_string(), "configuration: not a JSON document: line 1, column 12");
    assert_eq!(parse("[]")[0].to_string(), "configuration: expected an object");
    assert_eq!(parse("\"hunter2\"")[0].to_string(), "configuration: expected an object");
}

#[test]
fn an_empty_configuration_says_all_that_is_missing() {
    let problems = problems(&json!({}));
    assert_eq!(problems, ["issuer: missing", "signing_keys: missing", "clients: missing"]);
}

#[test]
fn a_field_given_twice_is_told() {
    let document = good().to_string().replacen('{', "{\"issuer\":\"https://other.example.com\",", 1);
    let environment = |_: &str| Some(KEY.to_owned());
    let problems = config::parse(document.as_bytes(), &environment, NOW).unwrap_err();
    assert!(problems.iter().any(|problem| problem.to_string() == "issuer: given twice"), "{problems:?}");
}

#[test]
fn an_issuer_is_an_https_url_unless_http_is_allowed_by_name() {
    let url = |what: &str| format!("issuer: {what}");
    refuses("/issuer", json!("gateway"), &url("expected a URL"));
    refuses("/issuer", json!("ftp://x"), &url("expected an https URL"));
    refuses("/issuer", json!("https://x/"), &url("a URL with a trailing slash"));
    refuses("/issuer", json!("https://x/?a=b"), &url("a URL with a query or a fragment"));
    refuses("/issuer", json!("https://u:p@x"), &url("a URL with credentials"));
    refuses("/issuer", json!("http://x"), &url("an http issuer, which only allow_insecure_http permits"));
    let mut allowed = with("/issuer", json!("http://x"));
    allowed["allow_insecure_http"] = json!(true);
    assert_eq!(problems(&allowed), [""; 0]);
}

#[test]
fn keys_must_be_there_and_strong_and_differ() {
    let path = "signing_keys[0].private_key";
    refuses("/signing_keys", json!([]), "signing_keys: an empty list");
    let weak = json!([{"algorithm": "RS256", "private_key": WEAK_KEY}]);
    refuses("/signing_keys", weak, &format!("{path}: an RSA key of less than 2048 bits"));
    let other = json!([{"algorithm": "EdDSA", "private_key": KEY}]);
    refuses("/signing_keys", other, &format!("{path}: not a PEM Ed25519 private key (PKCS#8)"));
    let absent = json!([{"algorithm": "ES256", "private_key": {"env": "NOT_GIVEN"}}]);
    let problem = "an environment variable that is not given to the VM, or is empty";
    refuses("/signing_keys", absent, &format!("{path}: {problem}"));
    let same = json!([{"algorithm": "ES256", "private_key": KEY}, {"algorithm": "ES256", "private_key": KEY}]);
    refuses("/signing_keys", same, "signing_keys[1]: a key with the same kid as another");
    refuses("/refresh_token_keys", json!(["AAAA"]), "refresh_token_keys[0]: expected 32 bytes in base64url");
}

#[test]
fn the_times_of_keys_are_told_by_their_places_whatever_else_is_wrong() {
    let instant = "expected a time such as \"2030-01-31T12:00:00Z\", or seconds since 1970";
    let key = |begin: Value, end: Value| json!([{"algorithm": "ES256", "private_key": KEY, "not_before": begin, "not_after": end}]);
    refuses("/signing_keys", key(json!("soon"), json!(null)), &format!("signing_keys[0].not_before: {instant}"));
    refuses("/signing_keys", key(json!(null), json!({})), &format!("signing_keys[0].not_after: {instant}"));
    refuses("/signing_keys", key(json!("2030-01-31T12:00:00Z"), json!(null)), "signing_keys: no key signs now");
    let mut two = key(json!(null), json!("2030-01-31T12:00:00Z"));
    two[0]["private_key"] = json!("hunter2");
    let told = problems(&with("/signing_keys", two));
    assert_eq!(
        told,
        [
            "signing_keys[0].private_key: not a PEM P-256 private key (PKCS#8)",
            "signing_keys[0].not_after: no key signs from then on"
        ]
    );
}

#[test]
fn a_key_that_seals_later_is_given_as_an_object_and_one_must_seal_now() {
    let keys = |begin: u64| json!([{"key": {"env": "SEAL_KEY"}, "not_before": begin}]);
    assert_eq!(problems(&with("/refresh_token_keys", keys(NOW.0))), [""; 0]);
    refuses("/refresh_token_keys", keys(NOW.0 + 1), "refresh_token_keys: no key seals now");
    let wrong = json!([SEAL_KEY, {"key": "AAAA", "not_before": 0}]);
    refuses("/refresh_token_keys", wrong, "refresh_token_keys[1].key: expected 32 bytes in base64url");
    let beside = json!([{"env": "SEAL_KEY", "not_before": 0}]);
    refuses("/refresh_token_keys", beside, "refresh_token_keys[0].not_before: unknown field");
}

#[test]
fn refresh_tokens_need_a_key_where_a_client_may_use_them() {
    let problem = "refresh_token_keys: missing, and a client has the grant refresh_token";
    refuses("/refresh_token_keys", json!(null), problem);
}

#[test]
fn hashes_are_bounded_above_and_weak_ones_are_allowed_by_name_only() {
    let place = "/auth_sources/0/users/0/password_hash";
    let path = "auth_sources[0].users[0].password_hash";
    let weak = HASH.replace("m=19456", "m=8192");
    let problem = "a cost below OWASP's minimum, which only allow_weak_hashes permits";
    refuses(place, json!(weak), &format!("{path}: {problem}"));
    let mut allowed = with(place, json!(weak));
    allowed["allow_weak_hashes"] = json!(true);
    assert_eq!(problems(&allowed), [""; 0]);
    let problems = problems(&with(place, json!(HASH.replace("m=19456", "m=1048576"))));
    assert!(problems[0].starts_with(&format!("{path}: ")), "{problems:?}");
}

#[test]
fn a_claim_that_cannot_be_read_is_a_problem_and_never_left_out() {
    let claim = "auth_sources[0].users[1].claims.roles: nested too deep, or half a character";
    for bad in [format!("{}{}", "[".repeat(200), "]".repeat(200)), r#""\ud800""#.to_owned()] {
        let document = with("/auth_sources/0/users/1/claims", json!({"roles": "ROLES"})).to_string();
        let document = document.replace(r#""ROLES""#, &bad);
        let refused = config::parse(document.as_bytes(), &environment, NOW).unwrap_err();
        assert_eq!(refused.iter().map(Problem::to_string).collect::<Vec<_>>(), [claim]);
    }
}

#[test]
fn users_have_an_id_an_identifier_and_nothing_in_common() {
    let user = "auth_sources[0].users[1]";
    refuses("/auth_sources/0/users/1/id", json!("1"), &format!("{user}.id: the id of another user"));
    let taken = json!({"username": "alice"});
    let problem = "the identifier of another user";
    refuses("/auth_sources/0/users/1/identifiers", taken, &format!("{user}.identifiers.username: {problem}"));
    refuses("/auth_sources/0/users/1/identifiers", json!({}), &format!("{user}.identifiers: none is given"));
    let confusing = json!({"username": "a@b"});
    let problem = "a caller who types this would be taken to mean another kind of identifier";
    refuses("/auth_sources/0/users/1/identifiers", confusing, &format!("{user}.identifiers.username: {problem}"));
    let problem = "expected active, locked, frozen or disabled";
    refuses("/auth_sources/0/users/1/status", json!("abnormal"), &format!("{user}.status: {problem}"));
    let problem = "a claim that only the endpoint sets";
    refuses("/auth_sources/0/users/1/claims", json!({"sub": "x"}), &format!("{user}.claims.sub: {problem}"));
}

#[test]
fn ids_are_given_once_and_references_hit() {
    let mut twice = good();
    twice["clients"][1]["id"] = json!("WEB");
    assert_eq!(problems(&twice), ["clients[1]: a client with the same id as another"]);
    let source = good()["auth_sources"][0].clone();
    let sources = json!([source, source]);
    refuses("/auth_sources", sources, "auth_sources[1]: an auth source with the same id as another");
    refuses("/clients/0/auth_sources", json!(["NO"]), "clients[0].auth_sources[0]: no auth source has this id");
}

#[test]
fn a_wrong_auth_source_is_no_second_problem_where_it_is_referred_to() {
    refuses(
        "/auth_sources/0/case_insensitive_email",
        json!(1),
        "auth_sources[0].case_insensitive_email: expected true or false",
    );
    refuses("/auth_sources/0/identifiers", json!([]), "auth_sources[0].identifiers: an empty list");
}

#[test]
fn clients_keep_secrets_if_they_can_and_only_hashes_of_them() {
    let secrets = "clients[0].secret_hashes";
    let problem = "a web client has one secret, or two while one is rotated";
    refuses("/clients/0/secret_hashes", json!([]), &format!("{secrets}: {problem}"));
    let three = json!([SECRET_HASH, SECRET_HASH, SECRET_HASH]);
    refuses("/clients/0/secret_hashes", three, &format!("{secrets}: {problem}"));
    let problem = "not a hash of a client secret: make one with hash-secret";
    refuses("/clients/0/secret_hashes", json!(["plain"]), &format!("{secrets}[0]: {problem}"));
    let problem = "an spa or mobile client can't keep a secret";
    refuses("/clients/1/secret_hashes", json!([SECRET_HASH]), &format!("clients[1].secret_hashes: {problem}"));
}

#[test]
fn a_client_has_a_grant_only_where_its_configuration_names_it() {
    refuses("/clients/1/grants", json!(null), "clients[1].grants: missing");
    let problem = "expected password, refresh_token or client_credentials";
    refuses("/clients/1/grants", json!(["implicit"]), &format!("clients[1].grants[0]: {problem}"));
    let problem = "expected one scope, without spaces, quotes and backslashes";
    refuses("/clients/1/scopes", json!(["a b"]), &format!("clients[1].scopes[0]: {problem}"));
}

#[test]
fn numbers_and_durations_have_bounds() {
    refuses("/limits", json!({"max_request_bytes": 10}), "limits.max_request_bytes: expected 1024 to 1048576");
    let problem = "lifetimes.access_token: expected whole seconds, one at least";
    refuses("/lifetimes", json!({"access_token": "0s"}), problem);
    let problem = "lifetimes.id_token: expected a duration in seconds, such as \"300s\"";
    refuses("/lifetimes", json!({"id_token": 1800}), problem);
    refuses("/password_checks", json!({"slice_ms": 0}), "password_checks.slice_ms: expected 1 to 100");
    let limits = json!({"address": {"failures": 0}});
    refuses("/attempt_limits", limits, "attempt_limits.address.failures: expected 1 to 1000000");
    let limits = json!({"client": {"wait": "2s", "max_wait": "1s"}});
    refuses("/attempt_limits", limits, "attempt_limits.client.wait: longer than max_wait");
    let limits = json!({"client": {"forget": "1s"}});
    refuses("/attempt_limits", limits, "attempt_limits.client.max_wait: longer than forget");
    refuses("/paths", json!({"jwks": "jwks"}), "paths.jwks: expected a path that begins with / and has no query");
}

#[test]
fn every_path_leads_to_one_place() {
    refuses("/paths", json!({"jwks": "/oauth2/token"}), "paths.jwks: the same path as paths.token");
    refuses("/paths", json!({"userinfo": "/a", "jwks": "/a"}), "paths.jwks: the same path as paths.userinfo");
    refuses("/paths", json!({"token": "/oauth2/revoke"}), "paths.revocation: the same path as paths.token");
    for path in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
        refuses("/paths", json!({"introspection": path}), "paths.introspection: the same path as one of discovery");
    }
    let mut tenant = with("/paths", json!({"introspection": "/tenant/.well-known/openid-configuration"}));
    assert_eq!(problems(&tenant), [""; 0]);
    tenant["issuer"] = json!("https://gateway.example.com/tenant");
    assert_eq!(problems(&tenant), ["paths.introspection: the same path as one of discovery"]);
    let all_the_same = ["token", "revocation", "introspection", "userinfo", "jwks"].map(|name| (name, "/same"));
    let document = with("/paths", json!(std::collections::BTreeMap::from(all_the_same)));
    assert_eq!(problems(&document).len(), 4, "all are told at once");
}

fn with_etcd(pointer: &str, value: Value) -> Value {
    let mut document = with("/state", json!({"etcd": {"cluster": "etcd"}}));
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(&format!("/state/etcd{parent}")).unwrap()[name] = value;
    document
}

#[track_caller]
fn etcd_refuses(pointer: &str, value: Value, problem: &str) {
    assert_eq!(problems(&with_etcd(pointer, value)), [problem]);
}

#[test]
fn state_is_kept_by_each_process_or_in_an_etcd_that_needs_a_cluster() {
    assert!(parse(&good()).unwrap().etcd.is_none());
    refuses("/state", json!({"etcd": {}}), "state.etcd.cluster: missing");

    let etcd = parse(&with_etcd("/cluster", json!("etcd"))).unwrap().etcd.unwrap();
    assert_eq!((&*etcd.cluster, &*etcd.authority, &*etcd.path_prefix), ("etcd", "etcd", "/v3"));
    assert_eq!((&*etcd.key_prefix, etcd.authorization.is_none()), ("token-endpoint/", true));
    assert_eq!((etcd.limits.timeout.as_millis(), etcd.limits.max_concurrent), (1000, 1000));
    assert_eq!((etcd.limits.circuit_failures, etcd.limits.circuit_open.as_secs()), (5, 10));
}

#[test]
fn all_of_etcd_can_be_set() {
    let etcd = json!({
        "cluster": "e", "authority": "etcd.internal:2379", "path_prefix": "/etcd/v3beta", "key_prefix": "a", "timeout": "0.5s",
        "authorization": {"bearer": {"env": "SEAL_KEY"}}, "max_concurrent": 7, "circuit": {"failures": 2, "open": "3s"},
    });
    let configuration = parse(&with("/state", json!({"etcd": etcd, "on_store_failure": "allow"}))).unwrap();
    let etcd = configuration.etcd.unwrap();
    assert_eq!((&*etcd.authority, &*etcd.path_prefix, &*etcd.key_prefix), ("etcd.internal:2379", "/etcd/v3beta", "a"));
    assert_eq!((etcd.limits.timeout.as_millis(), etcd.limits.max_concurrent), (500, 7));
    assert_eq!((etcd.limits.circuit_failures, etcd.limits.circuit_open.as_secs()), (2, 3));
    assert!(etcd.authorization.as_ref().unwrap().expose().starts_with(b"Bearer "));
    assert!(!format!("{etcd:?}").contains(SEAL_KEY));
}

#[test]
fn what_is_wrong_with_etcd_is_told_by_its_path() {
    let prefix = "state.etcd.path_prefix: expected a path such as \"/v3\", with no slash at its end";
    for path in ["v3", "/", "/v3/", "/v3?a", "/v 3", "/v3\r\n"] {
        etcd_refuses("/path_prefix", json!(path), prefix);
    }
    etcd_refuses("/authority", json!("a b"), "state.etcd.authority: expected a host, with or without a port");
    etcd_refuses("/key_prefix", json!(""), "state.etcd.key_prefix: expected a text that is not empty");
    etcd_refuses("/timeout", json!("0s"), "state.etcd.timeout: expected 0.001s to 60s");
    etcd_refuses("/max_concurrent", json!(0), "state.etcd.max_concurrent: expected 1 to 10000");
    etcd_refuses("/max_response_bytes", json!(1), "state.etcd.max_response_bytes: unknown field");
    etcd_refuses("/authorization", json!({}), "state.etcd.authorization.bearer: missing, and basic too");
}

#[test]
fn a_call_that_is_made_again_must_not_come_after_the_grace() {
    let problem = "not longer than etcd.timeout: a claim that is sent again would be taken for theft";
    let mut document = with_etcd("/timeout", json!("2s"));
    document["state"]["retry_grace"] = json!("2s");
    assert_eq!(problems(&document), [format!("state.retry_grace: {problem}")]);
    document["state"]["retry_grace"] = json!("3s");
    assert_eq!(problems(&document), [""; 0]);
}

#[test]
fn attempts_are_counted_in_etcd_where_there_is_one() {
    refuses("/attempt_limits", json!({"store": "disk"}), "attempt_limits.store: expected local or etcd");
    refuses("/attempt_limits", json!({"store": "etcd"}), "attempt_limits.store: etcd, and there is no state.etcd");
    let mut document = with_etcd("/cluster", json!("etcd"));
    assert!(parse(&document).unwrap().shared_attempts.is_none());
    document["attempt_limits"] = json!({"store": "etcd"});
    assert!(parse(&document).unwrap().shared_attempts.is_some());
}

#[test]
fn only_a_client_with_a_secret_may_act_for_itself_and_then_it_needs_no_users() {
    let problem = "client_credentials, which only a web client may have";
    refuses("/clients/1/grants", json!(["client_credentials"]), &format!("clients[1].grants: {problem}"));
    let mut alone = with("/clients/0/grants", json!(["client_credentials"]));
    alone["clients"][0]["auth_sources"] = json!([]);
    assert_eq!(problems(&alone), [""; 0]);
    alone["clients"][0].as_object_mut().unwrap().remove("auth_sources");
    assert_eq!(problems(&alone), [""; 0]);
    alone["clients"][0]["auth_sources"] = json!(["NO"]);
    assert_eq!(problems(&alone), ["clients[0].auth_sources[0]: no auth source has this id"]);
    alone["clients"][0]["auth_sources"] = json!([]);
    alone["clients"][0]["grants"] = json!(["client_credentials", "password"]);
    assert_eq!(problems(&alone), ["clients[0].auth_sources: an empty list"]);
}

#[test]
fn no_user_can_be_taken_for_a_client_that_acts_for_itself() {
    let problem = "begins with client:, as only the ids of clients do";
    refuses("/auth_sources/0/users/1/id", json!("client:WEB"), &format!("auth_sources[0].users[1].id: {problem}"));
    assert_eq!(problems(&with("/auth_sources/0/users/1/id", json!("clients"))), [""; 0]);
}

#[test]
fn a_plugin_that_only_holds_needs_no_more_than_its_paths() {
    let role = |document: Value| config::parse_any(document.to_string().as_bytes(), &environment, NOW);
    let problems = |document| role(document).unwrap_err().iter().map(Problem::to_string).collect::<Vec<_>>();

    let Role::PauseFilter(paths) = role(json!({"hold": ["/oauth2/token", "/b"]})).unwrap() else {
        panic!("not a pause filter")
    };
    assert_eq!(paths, ["/oauth2/token", "/b"]);
    assert_eq!(problems(json!({"hold": []})), ["hold: an empty list"]);
    assert_eq!(problems(json!({"hold": "/a"})), ["hold: expected a list"]);
    assert_eq!(
        problems(json!({"hold": ["hunter2"], "issuer": "hunter2"})),
        ["hold[0]: expected a path that begins with / and has no query", "issuer: unknown field"]
    );
    assert!(matches!(role(good()), Ok(Role::TokenEndpoint(_))));
    refuses("/hold", json!(["/a"]), "hold: unknown field");
}

#[test]
fn the_headers_of_a_login_are_held_by_this_filter_or_the_next() {
    assert_eq!(parse(&good()).unwrap().headers_held_by, HeadersHeldBy::ThisFilter);
    let next = with("/headers_held_by", json!("next_filter"));
    assert_eq!(parse(&next).unwrap().headers_held_by, HeadersHeldBy::NextFilter);
    refuses("/headers_held_by", json!("hunter2"), "headers_held_by: expected this_filter or next_filter");
}

#[test]
fn the_origins_of_pages_are_written_as_browsers_send_them() {
    let expected = "expected an origin as browsers send it: scheme, host and port, in lower case, without the scheme's own \
                    port, a slash at the end or a path";
    let cases = [
        ("*", "a wildcard; expected one origin"),
        ("https://*.example.com", "a wildcard; expected one origin"),
        ("app.example.com", "expected an origin, such as \"https://app.example.com\""),
        ("https://", "expected an origin, such as \"https://app.example.com\""),
        ("file:///index.html", expected),
        ("capacitor://localhost/", expected),
        ("Capacitor://localhost", expected),
        ("data:", expected),
        ("http://app.example.com", "an http origin of another machine, which only allow_insecure_http permits"),
        ("http://localhost.example.com", "an http origin of another machine, which only allow_insecure_http permits"),
        ("https://app.example.com/", expected),
        ("https://app.example.com/app", expected),
        ("https://app.example.com?a", expected),
        ("https://app.example.com#a", expected),
        ("https://app.example.com:443", expected),
        ("https://App.example.com", expected),
        ("HTTPS://app.example.com", expected),
        ("https://user@app.example.com", expected),
        ("https://b\u{fc}cher.example", expected),
        (" https://app.example.com", expected),
        ("", "expected a text that is not empty"),
    ];
    for (origin, problem) in cases {
        let found = problems(&with("/clients/1/allowed_origins", json!(["https://good.example.com", origin])));
        assert_eq!(found, [format!("clients[1].allowed_origins[1]: {problem}")], "{origin}");
    }
    let good = [
        "https://app.example.com:8443",
        "capacitor://localhost",
        "null",
        "https://xn--bcher-kva.example",
        "http://localhost:3000",
        "http://app.localhost",
        "http://127.0.0.1:3000",
        "http://[::1]:3000",
    ];
    assert_eq!(problems(&with("/clients/1/allowed_origins", json!(good))), [""; 0]);
    let mut intranet = with("/clients/1/allowed_origins", json!(["http://app.example.com"]));
    intranet["allow_insecure_http"] = json!(true);
    assert_eq!(problems(&intranet), [""; 0]);
}

#[test]
fn the_origins_of_a_client_are_few_and_each_is_there_once() {
    let many: Vec<_> = (0..33).map(|number| format!("https://{number}.example.com")).collect();
    refuses("/clients/1/allowed_origins", json!(many), "clients[1].allowed_origins: more than 32 origins");
    assert_eq!(problems(&with("/clients/1/allowed_origins", json!(many[..32]))), [""; 0]);
    let twice = json!(["https://app.example.com", "https://app.example.com"]);
    refuses("/clients/1/allowed_origins", twice, "clients[1].allowed_origins[1]: the same origin as another");
}

#[test]
fn pages_of_a_client_that_keeps_a_secret_are_worth_a_warning() {
    let configuration = parse(&with("/clients/0/allowed_origins", json!(["https://app.example.com"]))).unwrap();
    let warnings: Vec<_> = configuration.warnings.iter().map(Problem::to_string).collect();
    assert_eq!(warnings, ["clients[0].allowed_origins: a page can't keep the secret of a web client"]);
}
