//! Which pages may read which answers.

use crate::support::{
    configuration::{CHEAP, KEY, SEAL_KEY, SECRET_HASH},
    core::Core,
    stories::{FORM_TYPE, Request},
};
use serde_json::{Value, json};
use token_endpoint::http;

const SHOP: &str = "https://shop.example.com";
const OFFICE: &str = "https://office.example.com";
const STRANGER: &str = "https://evil.example.com";
const PATHS: [&str; 4] = ["/oauth2/token", "/oauth2/revoke", "/oauth2/introspect", "/oauth2/userinfo"];
const DOCUMENTS: [&str; 3] =
    ["/oauth2/jwks", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"];

/// Two applications with pages of their own, and one without.
fn document() -> Value {
    let spa = |id: &str, origins: Value| {
        json!({"id": id, "type": "spa", "auth_sources": ["SOURCE"], "grants": ["password", "refresh_token"],
               "scopes": ["openid", "read"], "allowed_origins": origins})
    };
    let user = json!({"id": "alice", "identifiers": {"username": "alice"}, "password_hash": CHEAP});
    json!({
        "issuer": "https://gateway.example.com",
        "allow_weak_hashes": true,
        "signing_keys": [{"algorithm": "ES256", "private_key": KEY}],
        "refresh_token_keys": [SEAL_KEY],
        "auth_sources": [{"id": "SOURCE", "identifiers": ["username"], "users": [user]}],
        "clients": [
            spa("SHOP", json!(["http://localhost:3000", SHOP])),
            spa("OFFICE", json!([OFFICE])),
            {"id": "WEB", "type": "web", "secret_hashes": [SECRET_HASH], "auth_sources": ["SOURCE"],
             "grants": ["password"]},
        ],
    })
}

fn core() -> Core {
    Core::new(&document().to_string(), &[])
}

fn core_without_pages() -> Core {
    let mut document = document();
    for client in document["clients"].as_array_mut().unwrap() {
        client.as_object_mut().unwrap().remove("allowed_origins");
    }
    Core::new(&document.to_string(), &[])
}

/// A request by a page.
fn by(origin: &str, method: &'static str, path: &'static str, body: &str) -> Request {
    let headers = vec![("content-type", FORM_TYPE.to_owned()), ("origin", origin.to_owned())];
    Request { method, path, headers, body: body.to_owned() }
}

fn with_bearer(mut request: Request, token: &str) -> Request {
    request.headers.push(("authorization", format!("Bearer {token}")));
    request
}

/// A page asks whether it may ask.
fn preflight(core: &Core, origin: &str, path: &'static str) -> http::Response {
    let mut request = by(origin, "OPTIONS", path, "");
    request.headers.push(("access-control-request-method", "POST".to_owned()));
    core.send(&request)
}

fn login(core: &Core, origin: &str, more: &str) -> http::Response {
    let form = format!("grant_type=password&auth_source_id=SOURCE&username=alice&{more}");
    core.send(&by(origin, "POST", "/oauth2/token", &form))
}

fn access_token(answer: &http::Response) -> String {
    let tokens: Value = serde_json::from_slice(&answer.body).unwrap();
    tokens["access_token"].as_str().unwrap_or_else(|| panic!("{tokens}")).to_owned()
}

fn header<'a>(answer: &'a http::Response, name: &str) -> Option<&'a str> {
    let values: Vec<_> = answer.headers.iter().filter(|(known, _)| *known == name).map(|(_, value)| value).collect();
    assert!(values.len() < 2, "{name} is there twice");
    values.first().map(|value| value.as_str())
}

fn reader(answer: &http::Response) -> Option<&str> {
    header(answer, "access-control-allow-origin")
}

fn cors_headers(answer: &http::Response) -> Vec<&str> {
    let names = answer.headers.iter().map(|(name, _)| *name);
    names.filter(|name| name.starts_with("access-control-") || *name == "vary").collect()
}

#[test]
fn a_page_that_some_client_allows_may_ask_and_another_is_told_nothing() {
    let core = core();
    for path in PATHS {
        for origin in [SHOP, OFFICE, "http://localhost:3000"] {
            let answer = preflight(&core, origin, path);
            assert_eq!((answer.status, reader(&answer)), (204, Some(origin)), "{path}");
            assert_eq!(header(&answer, "access-control-allow-methods"), header(&answer, "allow"));
            assert_eq!(header(&answer, "access-control-allow-headers"), Some("authorization, content-type"));
            assert_eq!(header(&answer, "access-control-max-age"), Some("600"));
            assert_eq!(header(&answer, "vary"), Some("origin"));
        }
        for origin in
            [STRANGER, "null", "", "*", "https://shop.example.com/", "HTTPS://shop.example.com", "http://localhost"]
        {
            let answer = preflight(&core, origin, path);
            assert_eq!((answer.status, cors_headers(&answer)), (204, vec!["vary"]), "{origin} {path}");
        }
    }
}

#[test]
fn options_that_are_no_preflight_tell_the_methods_as_ever() {
    let answer = core().send(&by(SHOP, "OPTIONS", "/oauth2/token", ""));
    assert_eq!((answer.status, header(&answer, "allow")), (204, Some("POST, OPTIONS")));
    assert_eq!(header(&answer, "access-control-allow-methods"), None);
}

#[test]
fn tokens_are_for_the_pages_of_their_own_client() {
    let core = core();
    for (client, own, other) in [("SHOP", SHOP, OFFICE), ("OFFICE", OFFICE, SHOP)] {
        let login = |origin| login(&core, origin, &format!("client_id={client}&password=right"));
        let answer = login(own);
        assert_eq!((answer.status, reader(&answer), header(&answer, "vary")), (200, Some(own), Some("origin")));
        for (origin, status) in [(other, 200), (STRANGER, 403)] {
            let answer = login(origin);
            assert_eq!((answer.status, cors_headers(&answer)), (status, vec!["vary"]), "{client} {origin}");
        }
    }
    let answer = login(&core, SHOP, "client_id=WEB&client_secret=TENANT_CLIENT_SECRET&password=right");
    assert_eq!((answer.status, cors_headers(&answer)), (200, vec!["vary"]));
}

#[test]
fn a_page_can_read_why_its_client_was_refused_and_when_to_come_back() {
    let core = core();
    let wrong = || login(&core, SHOP, "client_id=SHOP&password=WRONG");
    for _ in 0..5 {
        let answer = wrong();
        assert_eq!((answer.status, reader(&answer)), (400, Some(SHOP)));
    }
    let limited = wrong();
    assert_eq!((limited.status, reader(&limited)), (429, Some(SHOP)));
    assert!(header(&limited, "access-control-expose-headers").unwrap().contains("retry-after"));
    assert_eq!(reader(&login(&core, OFFICE, "client_id=SHOP&password=WRONG")), None);

    let overloaded = self::core();
    overloaded.signs.set(false);
    let unavailable = login(&overloaded, SHOP, "client_id=SHOP&password=right");
    assert_eq!((unavailable.status, reader(&unavailable)), (503, Some(SHOP)));
}

/// Nobody knows who asks: such an answer says nothing of anybody.
#[test]
fn a_refusal_before_the_client_is_known_can_be_read_by_all_allowed_pages() {
    let core = core();
    let huge = format!("padding={}", "x".repeat(20_000));
    let cases = [
        ("POST", "/oauth2/token", "", 400),
        ("POST", "/oauth2/token", "grant_type=password&client_id=NOBODY", 401),
        ("POST", "/oauth2/token", "grant_type=password&client_id=WEB&client_secret=WRONG", 401),
        ("POST", "/oauth2/token", huge.as_str(), 413),
        ("PUT", "/oauth2/token", "", 405),
        ("POST", "/oauth2/introspect", "client_id=SHOP&token=x", 401),
        ("GET", "/oauth2/userinfo", "", 401),
    ];
    for (method, path, body, status) in cases {
        for origin in [SHOP, OFFICE] {
            let answer = core.send(&by(origin, method, path, body));
            assert_eq!((answer.status, reader(&answer)), (status, Some(origin)), "{method} {path}");
            let exposed = header(&answer, "access-control-expose-headers");
            assert_eq!(exposed, Some("retry-after, www-authenticate"), "{method} {path}");
        }
        let answer = core.send(&by(STRANGER, method, path, body));
        let status = if method == "POST" { 403 } else { status };
        assert_eq!((answer.status, cors_headers(&answer)), (status, vec!["vary"]), "{method} {path}");
    }
}

#[test]
fn a_page_that_may_not_read_the_answer_may_not_guess() {
    let core = core();
    let form = "grant_type=password&auth_source_id=STAFF&client_id=SHOP&username=alice&password=WRONG";
    let cross_site = |origin: Option<&str>| {
        let mut request = by("", "POST", "/oauth2/token", form);
        request.headers.retain(|(name, _)| *name != "origin");
        request.headers.push(("sec-fetch-site", "cross-site".to_owned()));
        request.headers.extend(origin.map(|origin| ("origin", origin.to_owned())));
        request
    };
    for number in 0..55 {
        let request = match number % 4 {
            0 => by(STRANGER, "POST", "/oauth2/token", form),
            1 => by("null", "POST", "/oauth2/userinfo", "access_token=x"),
            2 => cross_site(None),
            _ => cross_site(Some("http://127.0.0.1")),
        };
        let answer = core.send(&request);
        assert_eq!((answer.status, reader(&answer)), (403, None));
        assert!(String::from_utf8_lossy(&answer.body).contains("invalid_request"));
        assert!(core.event.borrow().contains(r#"reason="foreign_page""#));
    }
    assert_eq!(login(&core, SHOP, "client_id=SHOP&password=right").status, 200, "nothing was counted");
    assert_eq!(core.send(&cross_site(Some(SHOP))).status, 400, "a client's page may be on another site");
    let own = login(&core, "https://gateway.example.com", "client_id=SHOP&password=right");
    assert_eq!((own.status, reader(&own)), (200, None), "the gateway's own pages need no permission");
}

#[test]
fn a_users_claims_are_for_the_pages_of_the_tokens_client() {
    let core = core();
    let token = access_token(&login(&core, SHOP, "client_id=SHOP&password=right"));
    for (origin, expected) in [(SHOP, Some(SHOP)), (OFFICE, None), (STRANGER, None)] {
        let answer = core.send(&with_bearer(by(origin, "GET", "/oauth2/userinfo", ""), &token));
        assert_eq!((answer.status, reader(&answer)), (200, expected), "{origin}");
    }
    let scopeless = access_token(&login(&core, SHOP, "client_id=SHOP&password=right&scope=read"));
    for (origin, expected) in [(SHOP, Some(SHOP)), (OFFICE, None)] {
        let answer = core.send(&with_bearer(by(origin, "GET", "/oauth2/userinfo", ""), &scopeless));
        assert_eq!((answer.status, reader(&answer)), (403, expected), "{origin}");
    }
}

#[test]
fn the_claims_of_a_client_that_is_gone_are_for_nobody() {
    let token = access_token(&login(&core(), SHOP, "client_id=SHOP&password=right"));
    let mut document = document();
    document["clients"].as_array_mut().unwrap().remove(0);
    let core = Core::new(&document.to_string(), &[]);
    let answer = core.send(&with_bearer(by(OFFICE, "GET", "/oauth2/userinfo", ""), &token));
    assert_eq!(answer.status, 401);
    assert!(!String::from_utf8_lossy(&answer.body).contains("sub"));
}

#[test]
fn what_is_public_is_for_every_page_whoever_is_configured() {
    for core in [core(), core_without_pages()] {
        for path in DOCUMENTS {
            let answer = core.send(&by(STRANGER, "GET", path, ""));
            assert_eq!((answer.status, cors_headers(&answer)), (200, vec!["access-control-allow-origin"]), "{path}");
            assert_eq!(reader(&answer), Some("*"), "{path}");
            let answer = preflight(&core, STRANGER, path);
            assert_eq!((answer.status, reader(&answer)), (204, Some("*")), "{path}");
            assert_eq!(header(&answer, "access-control-allow-methods"), Some("GET, HEAD, OPTIONS"), "{path}");
        }
    }
}

#[test]
fn where_no_client_has_pages_no_answer_speaks_of_them() {
    let core = core_without_pages();
    for path in PATHS {
        assert_eq!(cors_headers(&preflight(&core, SHOP, path)), Vec::<&str>::new(), "{path}");
        assert_eq!(cors_headers(&core.send(&by(SHOP, "POST", path, "token=x"))), Vec::<&str>::new(), "{path}");
    }
    assert_eq!(cors_headers(&login(&core, SHOP, "client_id=SHOP&password=right")), Vec::<&str>::new());
}

#[test]
fn a_request_without_a_page_is_told_that_the_answer_depends_on_it() {
    let mut request = by("", "POST", "/oauth2/token", "grant_type=password");
    request.headers.pop();
    assert_eq!(cors_headers(&core().send(&request)), ["vary"]);
}

#[test]
fn credentials_are_never_allowed() {
    let core = core();
    let answers = [
        preflight(&core, SHOP, "/oauth2/token"),
        login(&core, SHOP, "client_id=SHOP&password=right"),
        login(&core, SHOP, "client_id=SHOP&password=WRONG"),
        core.send(&by(SHOP, "GET", "/oauth2/jwks", "")),
    ];
    for answer in answers {
        assert_eq!(header(&answer, "access-control-allow-credentials"), None);
    }
}
