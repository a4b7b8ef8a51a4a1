//! The manifests for Istio and Envoy Gateway: what those make of them runs in a real Envoy, and logs in.

use crate::support::{
    control_planes::{self, Additions, Deployed},
    gateway::Gateway,
    http1,
    manifests::{document, documents},
    response::Response,
    stories::{BASIC, SAMPLE, SAMPLE_WITHOUT_CLIENT},
};
use serde_json::json;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[test]
fn istio_with_wasm_plugins_answers_logins_and_nothing_else() {
    answers_logins_and_nothing_else(control_planes::istio_with_wasm_plugins("ingress-gateway"));
}

#[test]
fn istio_with_an_envoy_filter_answers_logins_and_nothing_else() {
    answers_logins_and_nothing_else(control_planes::istio_with_envoy_filter("ingress-gateway"));
}

#[test]
fn an_istio_sidecar_with_wasm_plugins_answers_logins_and_nothing_else() {
    answers_logins_and_nothing_else(control_planes::istio_with_wasm_plugins("sidecar"));
}

#[test]
fn an_istio_sidecar_with_an_envoy_filter_answers_logins_and_nothing_else() {
    answers_logins_and_nothing_else(control_planes::istio_with_envoy_filter("sidecar"));
}

#[test]
fn envoy_gateway_answers_logins_and_nothing_else() {
    answers_logins_and_nothing_else(control_planes::envoy_gateway());
}

#[test]
fn envoy_gateway_with_patches_answers_logins_and_nothing_else() {
    answers_logins_and_nothing_else(control_planes::envoy_gateway_with_patches());
}

fn answers_logins_and_nothing_else(additions: Additions) {
    let Deployed { gateway, extensions: _extensions } = &additions.deploy();
    a_login_gets_tokens(gateway);
    a_slow_login_is_held_until_it_is_whole(gateway);
    what_needs_no_body_is_answered_at_once(gateway);
    what_is_not_a_login_is_answered_too(gateway);
    assert_eq!(gateway.upstream_requests(), 0, "a login went further");
    the_tokens_open_the_service(gateway);
    other_requests_go_their_way(gateway);
}

fn a_login_gets_tokens(gateway: &Gateway) {
    let login = gateway.token(SAMPLE);
    let wrong = gateway.token(&SAMPLE.replace("MOCK_PASSWORD", "WRONG"));
    let with_basic = login_with_basic(gateway);
    assert_eq!((login.status, wrong.status, with_basic.status), (200, 400, 200), "{login:?} {wrong:?} {with_basic:?}");
}

fn login_with_basic(gateway: &Gateway) -> Response {
    let headers = [FORM, ("authorization", BASIC)];
    http1::send(gateway.address(), "POST", "/oauth2/token", &headers, SAMPLE_WITHOUT_CLIENT)
}

fn a_slow_login_is_held_until_it_is_whole(gateway: &Gateway) {
    let (first, second) = SAMPLE.split_at(SAMPLE.len() / 2);
    let mut connection = http1::Connection::open(gateway.address());
    connection.write("POST /oauth2/token HTTP/1.1\r\nhost: gateway.example.com\r\n");
    connection.write(&format!("content-type: {}\r\ncontent-length: {}\r\n\r\n{first}", FORM.1, SAMPLE.len()));
    assert_eq!(gateway.jwks().status, 200);
    connection.write(second);
    assert_eq!(connection.read().status, 200);
}

fn what_needs_no_body_is_answered_at_once(gateway: &Gateway) {
    let get = http1::get(gateway.address(), "/oauth2/token", &[]);
    let empty = http1::send(gateway.address(), "POST", "/oauth2/token", &[FORM], "");
    let huge = gateway.token(&"a".repeat(20_000));
    assert_eq!((get.status, empty.status, huge.status), (405, 400, 413));
}

fn what_is_not_a_login_is_answered_too(gateway: &Gateway) {
    let post = |path| http1::post_form(gateway.address(), path, "token=nonsense").status;
    assert_eq!(["/oauth2/revoke", "/oauth2/introspect", "/oauth2/userinfo"].map(post), [400, 400, 401]);
    let get = |path| http1::get(gateway.address(), path, &[]).status;
    let documents = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/oauth2/jwks"];
    assert_eq!(documents.map(get), [200, 200, 200]);
}

fn the_tokens_open_the_service(gateway: &Gateway) {
    let token = gateway.token(SAMPLE).field("access_token");
    assert_eq!(gateway.api(&token).status, 200);
    assert_eq!(gateway.api("nonsense").status, 401);
}

fn other_requests_go_their_way(gateway: &Gateway) {
    let body = "a".repeat(100_000);
    let upload = http1::send(gateway.address(), "POST", "/upload", &[("authorization", BASIC)], &body);
    assert_eq!((upload.status, upload.header("x-credentials")), (200, Some(BASIC)));
}

#[test]
fn where_the_holder_was_forgotten_the_service_sees_a_login_but_no_credentials() {
    let Deployed { gateway, extensions: _extensions } = &control_planes::istio_without_the_holder().deploy();
    let answer = login_with_basic(gateway);
    assert_eq!((answer.status, answer.header("x-credentials")), (200, None), "{answer:?}");
    assert_eq!(gateway.upstream_requests(), 1);
}

#[test]
fn those_who_check_tokens_know_the_issuer_and_the_clients() {
    let policy = document("gateway/envoy-extension-policy.yaml", "EnvoyExtensionPolicy");
    let plugin = &policy["spec"]["wasm"][0]["config"];
    let clients: Vec<_> = plugin["clients"].as_array().unwrap().iter().map(|client| &client["id"]).collect();
    let istio = ["ingress-gateway", "sidecar", "gateway-api"].map(|folder| {
        let file = format!("istio/{folder}/request-authentication.yaml");
        document(&file, "RequestAuthentication")["spec"]["jwtRules"][0].clone()
    });
    let gateway = ["security-policy", "security-policy-remote-keys"]
        .map(|name| documents(&format!("gateway/{name}.yaml")).remove(0)["spec"]["jwt"]["providers"][0].clone());
    for rule in istio.iter().chain(&gateway) {
        assert_eq!((&rule["issuer"], &rule["audiences"]), (&plugin["issuer"], &json!(clients)));
    }
    assert!(gateway[1]["remoteJWKS"]["uri"].as_str().unwrap().ends_with("/oauth2/jwks"));
}
