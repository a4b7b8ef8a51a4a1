//! Which pages may read which answers of a real Envoy.

use crate::support::{
    gateway::{self, Gateway, Keys},
    http1,
    response::Response,
    stories::FORM_TYPE,
};

const STRANGER: &str = "https://evil.example.com";
const PATHS: [&str; 4] = ["/oauth2/token", "/oauth2/revoke", "/oauth2/introspect", "/oauth2/userinfo"];
const DOCUMENTS: [&str; 3] =
    ["/oauth2/jwks", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"];
const SPA_LOGIN: &str = "grant_type=password&client_id=SPA_CLIENT_ID\
    &auth_source_id=MOCK_USERNAME_PASSWORD_AUTH_SOURCE_ID&username=MOCK_USERNAME&password=MOCK_PASSWORD&scope=openid";
const PAGE: &str = "http://localhost:3000";
const OTHER_PAGE: &str = "https://mobile.example.com";

fn names(answer: &Response) -> Vec<&str> {
    let names = answer.headers.iter().map(|(name, _)| name.as_str());
    names.filter(|name| name.starts_with("access-control-") || *name == "vary").collect()
}

#[test]
fn envoy_lets_each_page_read_the_answers_to_its_own_client() {
    let mobile = "- id: MOBILE_CLIENT_ID\n";
    let yaml = gateway::demo_with(mobile, &format!("{mobile}{:22}allowed_origins: [{OTHER_PAGE}]\n", ""));
    let gateway = Gateway::start_with(&yaml, Keys::of_this_run());
    let post = |origin: &str, path: &str, form: &str| {
        http1::send(gateway.address(), "POST", path, &[("content-type", FORM_TYPE), ("origin", origin)], form)
    };
    let reader = |answer: &Response| answer.header("access-control-allow-origin").map(str::to_owned);
    let mobile_login = gateway::replaced(SPA_LOGIN, "SPA_CLIENT_ID", "MOBILE_CLIENT_ID");
    let wrong = gateway::replaced(SPA_LOGIN, "password=MOCK_PASSWORD", "password=WRONG");

    for (own, other, form) in [(PAGE, OTHER_PAGE, SPA_LOGIN), (OTHER_PAGE, PAGE, &mobile_login)] {
        let answer = post(own, "/oauth2/token", form);
        assert_eq!((answer.status, reader(&answer).as_deref()), (200, Some(own)), "{answer:?}");
        let answer = post(other, "/oauth2/token", form);
        assert_eq!((answer.status, names(&answer)), (200, vec!["vary"]), "{answer:?}");
    }
    let unknown = post(OTHER_PAGE, "/oauth2/token", "grant_type=password&client_id=NOBODY");
    assert_eq!((unknown.status, reader(&unknown).as_deref()), (401, Some(OTHER_PAGE)), "{unknown:?}");
    for _ in 0..5 {
        assert_eq!(post(PAGE, "/oauth2/token", &wrong).status, 400);
    }
    let limited = post(PAGE, "/oauth2/token", &wrong);
    assert_eq!((limited.status, reader(&limited).as_deref()), (429, Some(PAGE)), "{limited:?}");
    assert_eq!(limited.header("access-control-expose-headers"), Some("retry-after, www-authenticate"));

    let token = post(OTHER_PAGE, "/oauth2/token", &mobile_login.replace("MOCK_USERNAME&", "%2B8613800138000&"));
    let token = format!("Bearer {}", token.field("access_token"));
    for (origin, expected) in [(OTHER_PAGE, Some(OTHER_PAGE)), (PAGE, None)] {
        let headers = [("origin", origin), ("authorization", token.as_str())];
        let claims = http1::get(gateway.address(), "/oauth2/userinfo", &headers);
        assert_eq!((claims.status, reader(&claims).as_deref()), (200, expected), "{claims:?}");
    }
    assert_eq!(gateway.upstream_requests(), 0);
}

#[test]
fn envoy_answers_preflights_from_the_filter() {
    let gateway = Gateway::start();
    let asks = |origin: &str, path: &str| {
        let headers = [("origin", origin), ("access-control-request-method", "POST")];
        http1::send(gateway.address(), "OPTIONS", path, &headers, "")
    };
    for path in PATHS {
        let allowed = asks(PAGE, path);
        assert_eq!((allowed.status, allowed.header("access-control-allow-origin")), (204, Some(PAGE)), "{allowed:?}");
        let denied = asks(STRANGER, path);
        assert_eq!((denied.status, names(&denied)), (204, vec!["vary"]), "{denied:?}");
    }
    for path in DOCUMENTS {
        let allowed = asks(STRANGER, path);
        assert_eq!((allowed.status, allowed.header("access-control-allow-origin")), (204, Some("*")), "{allowed:?}");
    }
    assert_eq!(gateway.upstream_requests(), 0);
}

#[test]
fn envoy_says_nothing_of_pages_where_none_is_configured() {
    let yaml = gateway::demo_with("allowed_origins: [\"http://localhost:3000\"]", "allowed_origins: []");
    let gateway = Gateway::start_with(&yaml, Keys::of_this_run());
    let headers = [("content-type", FORM_TYPE), ("origin", PAGE)];
    let answer = http1::send(gateway.address(), "POST", "/oauth2/token", &headers, SPA_LOGIN);
    assert_eq!((answer.status, names(&answer)), (403, vec![]), "{answer:?}");
}
