//! The promises of `docs/api.md`, kept by the compiled filter in a real Envoy: each test tells one of them.

use std::{net::SocketAddr, thread};

use crate::support::{
    gateway::{self, Gateway, Keys},
    http1, http2,
    response::Response,
    stories::{self, BASIC, Expected, SAMPLE, SAMPLE_WITHOUT_CLIENT, Story, stories},
};
use ct_codecs::{Base64UrlSafeNoPadding, Decoder};
use jsonwebtoken::{DecodingKey, Validation, jwk::JwkSet};
use serde_json::{Value, json};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const ISSUER: &str = "https://gateway.example.com";

#[test]
fn the_sample_request_is_answered_with_the_six_fields() {
    let gateway = Gateway::start();

    let answer = gateway.token(SAMPLE);

    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json;charset=UTF-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("pragma"), Some("no-cache"));
    assert!(has_the_six_fields(&answer), "{answer:?}");
    let refresh_token = answer.field("refresh_token");
    assert!(refresh_token.len() >= 128, "{refresh_token}");
    assert!(refresh_token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{refresh_token}");
}

#[test]
fn both_tokens_verify_with_the_published_keys_and_say_what_the_api_says() {
    let gateway = Gateway::start();
    let keys = keys_of(&gateway);
    let answer = gateway.token(SAMPLE);

    let (header, claims) = verify(&answer.field("access_token"), &keys);
    let (iat, exp) = times(&claims);
    assert_eq!(exp - iat, 300);
    assert_eq!(header, json!({"kid": keys.keys[0].common.key_id, "typ": "JWT", "alg": "RS256"}));
    assert_eq!(
        claims,
        json!({
            "sub": "MOCK_USER_ID", "aud": "TENANT_CLIENT_ID", "nbf": iat, "scope": ["openid"], "iss": ISSUER,
            "exp": exp, "iat": iat, "jti": claims["jti"],
        })
    );

    let (id_header, id_claims) = verify(&answer.field("id_token"), &keys);
    let (iat, exp) = times(&id_claims);
    assert_eq!(exp - iat, 1800);
    assert_eq!(id_header, header);
    assert_eq!(
        id_claims,
        json!({
            "sub": "MOCK_USER_ID", "aud": "TENANT_CLIENT_ID", "azp": "TENANT_CLIENT_ID", "iss": ISSUER,
            "exp": exp, "iat": iat, "jti": id_claims["jti"],
        })
    );

    for jti in [&claims["jti"], &id_claims["jti"]] {
        assert!(uuid::Uuid::parse_str(jti.as_str().unwrap()).is_ok(), "{jti}");
    }
    assert_ne!(claims["jti"], id_claims["jti"]);
}

#[test]
fn the_rfc9068_profile_says_what_the_rfc_says() {
    let yaml = gateway::demo_with("signing_keys:\n", "token_profile: rfc9068\n                    signing_keys:\n");
    let gateway = Gateway::start_with(&yaml, Keys::of_this_run());

    let (header, claims) = verify(&gateway.token(SAMPLE).field("access_token"), &keys_of(&gateway));

    assert_eq!(header["typ"], "at+jwt");
    assert_eq!(claims["scope"], "openid");
    assert_eq!(claims["client_id"], "TENANT_CLIENT_ID");
}

#[test]
fn every_algorithm_signs_tokens_that_verify_and_open_the_service() {
    for algorithm in ["ES256", "EdDSA"] {
        let yaml = gateway::demo_with("algorithm: RS256", &format!("algorithm: {algorithm}"));
        let keys = Keys { signing: gateway::generate_key(algorithm), ..Keys::of_this_run() };
        let gateway = Gateway::start_with(&yaml, keys);

        let token = gateway.token(SAMPLE).field("access_token");

        let (header, _) = verify(&token, &keys_of(&gateway));
        assert_eq!(header["alg"], algorithm);
        assert_eq!(gateway.api(&token).status, 200, "{algorithm}");
    }
}

#[test]
fn the_published_keys_are_public_and_may_be_kept() {
    let jwks = Gateway::start().jwks();

    assert_eq!(jwks.status, 200);
    assert_eq!(jwks.header("cache-control"), Some("public, max-age=300"));
    let keys = jwks.json();
    let members: Vec<&String> = keys["keys"][0].as_object().unwrap().keys().collect();
    for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
        assert!(!members.iter().any(|member| *member == private), "{members:?}");
    }
}

#[test]
fn every_kind_of_application_logs_in_in_every_way_that_the_api_knows() {
    let gateway = Gateway::start();
    let public = |id: &str| gateway::replaced(SAMPLE, "TENANT_CLIENT_ID&client_secret=TENANT_CLIENT_SECRET", id);
    let named = |name: &str| gateway::replaced(SAMPLE, "username=MOCK_USERNAME", &format!("username={name}"));

    for (way, form) in [
        ("a single-page application", public("SPA_CLIENT_ID")),
        ("a mobile application", public("MOBILE_CLIENT_ID")),
        ("a phone number", named("%2B8613800138000")),
        ("a phone number as people write it", named("%2B86+138-0013-8000")),
        ("no scope", gateway::replaced(SAMPLE, "&scope=openid", "")),
        ("an empty scope", gateway::replaced(SAMPLE, "&scope=openid", "&scope=")),
        ("parameters that nobody knows, repeated", format!("{SAMPLE}&nonce=1&nonce=%FF")),
        ("needless percent-encoding", gateway::replaced(SAMPLE, "grant_type=password", "grant%5Ftype=p%61ssword")),
    ] {
        let answer = gateway.token(&form);
        assert!(has_the_six_fields(&answer), "{way}: {answer:?}");
    }

    for (way, headers, form) in [
        ("HTTP Basic", vec![FORM, ("authorization", BASIC)], SAMPLE_WITHOUT_CLIENT),
        (
            "a content type with a parameter",
            vec![("content-type", "Application/X-WWW-Form-Urlencoded; charset=utf-8")],
            SAMPLE,
        ),
    ] {
        let answer = http1::send(gateway.address(), "POST", "/oauth2/token", &headers, form);
        assert!(has_the_six_fields(&answer), "{way}: {answer:?}");
    }
}

#[test]
fn a_refresh_token_gives_new_tokens_and_survives_a_restart() {
    let mut gateway = Gateway::start();
    let login = gateway.token(SAMPLE);

    let refreshed = gateway.token(&refresh(&login));
    assert!(has_the_six_fields(&refreshed), "{refreshed:?}");
    for field in ["access_token", "id_token", "refresh_token"] {
        assert_ne!(refreshed.field(field), login.field(field));
    }

    gateway.restart();
    let refreshed_again = gateway.token(&refresh(&refreshed));
    assert!(has_the_six_fields(&refreshed_again), "{refreshed_again:?}");
    let (_, claims) = verify(&refreshed_again.field("access_token"), &keys_of(&gateway));
    assert_eq!(claims["sub"], "MOCK_USER_ID");
}

#[test]
fn a_refresh_token_serves_the_client_that_it_was_given_to_and_no_other() {
    let gateway = Gateway::start();
    let form = refresh(&gateway.token(SAMPLE));
    let stolen = gateway::replaced(&form, "TENANT_CLIENT_ID&client_secret=TENANT_CLIENT_SECRET", "SPA_CLIENT_ID");

    let answer = gateway.token(&stolen);

    assert_eq!(answer.status, 400);
    assert_eq!(answer.text(), r#"{"error":"invalid_grant","error_description":"Invalid refresh token"}"#);
}

#[test]
fn the_service_opens_to_an_access_token_and_to_nothing_else() {
    let gateway = Gateway::start();
    let answer = gateway.token(SAMPLE);
    let token = answer.field("access_token");

    assert_eq!(http1::get(gateway.address(), "/api/", &[]).status, 401);
    let opened = gateway.api(&token);
    assert_eq!((opened.status, opened.text()), (200, r#"{"message":"hello from the API"}"#));

    for part in 0..3 {
        let changed = with_a_changed_byte(&token, part);
        assert_eq!(gateway.api(&changed).status, 401, "{changed}");
    }
    assert_eq!(gateway.api(&answer.field("id_token")).status, 403, "an ID token is for the client alone");
}

#[test]
fn a_client_that_acts_for_itself_does_not_open_a_users_service() {
    let gateway = Gateway::start();
    let answer = gateway.token(&format!("grant_type=client_credentials&{}", stories::TENANT));

    assert_eq!((answer.status, answer.field("scope")), (200, "reports".to_owned()), "{answer:?}");
    let (_, claims) = verify(&answer.field("access_token"), &keys_of(&gateway));
    assert_eq!(claims["sub"], "client:TENANT_CLIENT_ID");
    assert_eq!(gateway.api(&answer.field("access_token")).status, 403);
}

#[test]
fn a_user_who_was_logged_out_on_one_worker_is_logged_out_on_all() {
    let gateway = Gateway::start_with_workers(4, &gateway::demo(), Keys::of_this_run());
    let tokens = gateway.token(SAMPLE);
    let active = || {
        let form = format!("token={}&{}", tokens.field("access_token"), stories::TENANT);
        http1::post_form(gateway.address(), "/oauth2/introspect", &form).json()["active"].clone()
    };
    assert_eq!([active(), active()], [true, true]);

    let form = format!("token={}&{}", tokens.field("refresh_token"), stories::TENANT);
    let revoked = http1::post_form(gateway.address(), "/oauth2/revoke", &form);

    assert_eq!((revoked.status, revoked.text()), (200, ""));
    assert!((0..20).all(|_| active() == false));
    assert!(gateway.connections_per_worker().iter().filter(|taken| **taken > 0).count() > 1, "more than one was asked");
    assert_eq!(gateway.token(&refresh(&tokens)).status, 400);
}

#[test]
fn tokens_of_another_issuer_do_not_open_the_service_even_if_the_keys_are_the_same() {
    let yaml = gateway::demo_with(ISSUER, "https://other.example.com");
    let other = Gateway::start_with(&yaml, Keys::of_this_run());
    let gateway = Gateway::start();

    let answer = other.token(SAMPLE);

    for token in ["access_token", "id_token"] {
        assert_eq!(other.api(&answer.field("access_token")).status, 200);
        assert_eq!(gateway.api(&answer.field(token)).status, 401, "{token}");
    }
}

#[test]
fn the_first_request_after_a_cold_start_finds_the_service_open() {
    let mut gateway = Gateway::start();
    let token = gateway.token(SAMPLE).field("access_token");

    gateway.restart();

    assert_eq!(gateway.api(&token).status, 200);
}

#[test]
fn every_refusal_is_to_the_letter_over_http1() {
    tell_all_stories(http1::send);
}

#[test]
fn every_refusal_is_to_the_letter_over_http2() {
    tell_all_stories(http2::send);
}

#[test]
fn nothing_that_is_sent_to_the_token_path_reaches_an_upstream() {
    let gateway = Gateway::start();
    let to = gateway.address();
    let head = "POST /oauth2/token HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-www-form-urlencoded\r\n";
    let with_length = format!("{head}content-length: {}\r\n", SAMPLE.len());
    let (first, rest) = SAMPLE.split_at(40);
    let chunk = |part: &str| format!("{:x}\r\n{part}\r\n", part.len());

    let mut slow = http1::Connection::open(to);
    slow.write(&format!("{with_length}\r\n{first}"));
    let mut never_ends = http1::Connection::open(to);
    never_ends.write(&format!("{head}transfer-encoding: chunked\r\n\r\n{}", chunk(first)));

    let mut chunked = http1::Connection::open(to);
    chunked.write(&format!("{head}transfer-encoding: chunked\r\n\r\n"));
    for part in [&chunk(first), &chunk(rest), "0\r\nx-trailer: 1\r\n\r\n"] {
        chunked.write(part);
    }
    assert!(has_the_six_fields(&chunked.read()));

    let mut patient = http1::Connection::open(to);
    patient.write(&format!("{with_length}expect: 100-continue\r\n\r\n"));
    assert_eq!(patient.read().status, 100);
    patient.write(SAMPLE);
    assert!(has_the_six_fields(&patient.read()));

    let mut pipelined = http1::Connection::open(to);
    pipelined.write(&format!("{with_length}\r\n{SAMPLE}{with_length}\r\n{SAMPLE}"));
    assert!(has_the_six_fields(&pipelined.read()));
    assert!(has_the_six_fields(&pipelined.read()));

    for method in ["GET", "PUT", "DELETE", "PATCH"] {
        assert_eq!(http1::send(to, method, "/oauth2/token", &[FORM], SAMPLE).status, 405, "{method}");
    }
    for trailers in [None, Some(("x-trailer", "1"))] {
        let answer = http2::send_frames(to, "POST", "/oauth2/token?x=1", &[FORM], &[first, rest], trailers);
        assert!(has_the_six_fields(&answer), "{trailers:?}: {answer:?}");
    }
    let only_trailers = http2::send_frames(to, "POST", "/oauth2/token", &[FORM], &[], Some(("x-trailer", "1")));
    assert_eq!(only_trailers.status, 400);

    assert_eq!(gateway.upstream_requests(), 0);
    slow.write(rest);
    assert!(has_the_six_fields(&slow.read()), "a body may take its time");
    assert_eq!(gateway.upstream_requests(), 0);
}

#[test]
fn a_body_that_grows_over_the_limit_unannounced_is_refused() {
    let gateway = Gateway::start();
    let (start, more) = (format!("{SAMPLE}&padding="), "x".repeat(6000));
    let refusal = r#"{"error":"invalid_request","error_description":"Request body too large"}"#;

    let frames = [start.as_str(), &more, &more, &more];
    let http2 = http2::send_frames(gateway.address(), "POST", "/oauth2/token", &[FORM], &frames, None);
    assert_eq!((http2.status, http2.text()), (413, refusal));

    let mut http1 = http1::Connection::open(gateway.address());
    http1.write("POST /oauth2/token HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-www-form-urlencoded\r\n");
    http1.write("transfer-encoding: chunked\r\n\r\n");
    for frame in frames {
        http1.write(&format!("{:x}\r\n{frame}\r\n", frame.len()));
    }
    let http1 = http1.read();
    assert_eq!((http1.status, http1.text()), (413, refusal));
}

#[test]
fn a_page_at_the_allowed_origin_may_log_in_read_refusals_and_call_the_service() {
    let gateway = Gateway::start();
    let to = gateway.address();
    let origin = ("origin", "http://localhost:3000");
    let allowed = |answer: &Response| answer.header("access-control-allow-origin") == Some(origin.1);

    for (path, method) in
        [("/oauth2/token", "POST"), ("/oauth2/revoke", "POST"), ("/oauth2/userinfo", "GET"), ("/api/", "GET")]
    {
        let preflight = http1::send(to, "OPTIONS", path, &[origin, ("access-control-request-method", method)], "");
        assert!(allowed(&preflight) && [200, 204].contains(&preflight.status), "{preflight:?}");
        assert!(preflight.header("access-control-allow-headers").unwrap().contains("authorization"), "{preflight:?}");
    }
    let login = gateway::replaced(SAMPLE, "TENANT_CLIENT_ID&client_secret=TENANT_CLIENT_SECRET", "SPA_CLIENT_ID");
    for (form, status) in [(login.as_str(), 200), ("", 400)] {
        let answer = http1::send(to, "POST", "/oauth2/token", &[FORM, origin], form);
        assert!(allowed(&answer) && answer.status == status, "{answer:?}");
    }
    let unauthorized = http1::get(to, "/api/", &[origin]);
    assert!(allowed(&unauthorized) && unauthorized.status == 401, "{unauthorized:?}");
}

#[test]
fn ten_mistakes_are_told_in_ten_lines_by_envoy_and_by_check_config_and_none_shows_a_secret() {
    let (yaml, paths) = ten_mistakes();
    let keys = Keys::of_this_run();

    let log = gateway::log_of_refusal(&yaml, &keys);
    let checked = gateway::check_config(&yaml, &keys);

    let mut told: Vec<&str> = log.lines().filter_map(|line| line.split("configuration refused: ").nth(1)).collect();
    let mut told_by_tool: Vec<&str> = checked.lines().collect();
    told.sort_unstable();
    told_by_tool.sort_unstable();
    assert_eq!(told, told_by_tool);
    assert_eq!(told.len(), paths.len(), "{log}");
    for path in paths {
        assert!(told.iter().any(|line| line.starts_with(&format!("{path}: "))), "{path} is not in the log:\n{log}");
    }
    for secret in ["PLAIN_PASSWORD", "PLAIN_SECRET", "SHORT_KEY", "$argon2id$", "$sha256$", &keys.refresh_token] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}

#[test]
fn two_hundred_logins_at_once_all_succeed_and_leave_no_memory_behind() {
    // However slow the machine, nobody is sent away for the length of the queue: that is another story.
    let yaml = gateway::demo_with("pacing_cluster: pacing", "pacing_cluster: pacing, max_wait: 600s");
    let gateway = Gateway::start_with(&yaml, Keys::of_this_run());
    let log_in_on_eight_connections = |times| {
        let log_in = || {
            let answer = gateway.token(SAMPLE);
            assert!(has_the_six_fields(&answer), "{answer:?}");
        };
        thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(move || (0..times).for_each(|_| log_in())))));
    };

    log_in_on_eight_connections(5);
    #[cfg(target_os = "linux")]
    let before = gateway.resident_bytes();
    log_in_on_eight_connections(25);

    #[cfg(target_os = "linux")]
    {
        let after = gateway.resident_bytes();
        let one_hash = 19 * 1024 * 1024;
        assert!(after < before + one_hash, "{before} bytes before, {after} after");
    }
}

fn tell_all_stories(send: impl Fn(SocketAddr, &str, &str, &[(&str, &str)], &str) -> Response) {
    let clients = "clients:\n";
    let yaml = gateway::demo_with(clients, &format!("{clients}{:20}- {}\n", "", stories::PASSWORD_ONLY_CLIENT));
    let gateway = Gateway::start_with(&yaml, Keys::of_this_run());
    for Story { name, request, expected } in stories() {
        let headers: Vec<_> = request.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = send(gateway.address(), request.method, request.path, &headers, &request.body);
        assert_to_the_letter(name, &answer, &expected);
    }
    assert_eq!(gateway.upstream_requests(), 0);
}

fn assert_to_the_letter(name: &str, answer: &Response, expected: &Expected) {
    assert_eq!(answer.status, expected.status, "{name}: {answer:?}");
    assert_eq!(answer.text(), expected.body, "{name}");
    let length = expected.body.len().to_string();
    let announced = answer.header("content-length").filter(|_| !expected.body.is_empty());
    assert_eq!(announced.unwrap_or(&length), length, "{name}");
    let mut headers: Vec<_> = answer.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    headers.retain(|(name, _)| !is_of_the_proxy(name));
    let mut expected_headers = expected.headers.clone();
    headers.sort_unstable();
    expected_headers.sort_unstable();
    assert_eq!(headers, expected_headers, "{name}");
}

fn is_of_the_proxy(header: &str) -> bool {
    ["connection", "content-length", "date", "server"].contains(&header)
}

/// In the order that `docs/api.md` has.
fn has_the_six_fields(answer: &Response) -> bool {
    let fields = ["access_token", "refresh_token", "scope", "id_token", "token_type", "expires_in"];
    let mut at = fields.map(|field| answer.text().find(&format!("\"{field}\":")));
    at.sort_unstable();
    let in_order = fields.map(|field| answer.text().find(&format!("\"{field}\":"))) == at;
    let Ok(Value::Object(members)) = serde_json::from_slice(&answer.body) else { return false };
    answer.status == 200
        && members.len() == fields.len()
        && in_order
        && members["scope"] == "openid"
        && members["token_type"] == "Bearer"
        && matches!(members["expires_in"].as_u64(), Some(290..=300))
}

fn refresh(answer: &Response) -> String {
    let token = answer.field("refresh_token");
    format!(
        "grant_type=refresh_token&client_id=TENANT_CLIENT_ID&client_secret=TENANT_CLIENT_SECRET&refresh_token={token}"
    )
}

fn keys_of(gateway: &Gateway) -> JwkSet {
    serde_json::from_slice(&gateway.jwks().body).unwrap()
}

/// The header and the claims of a token that a library which did not make it finds good.
fn verify(token: &str, keys: &JwkSet) -> (Value, Value) {
    let header = jsonwebtoken::decode_header(token).unwrap();
    let key = keys.find(header.kid.as_deref().unwrap()).expect("the token's key is published");
    let mut validation = Validation::new(header.alg);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&["TENANT_CLIENT_ID"]);
    let verified = jsonwebtoken::decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &validation).unwrap();
    let header = Base64UrlSafeNoPadding::decode_to_vec(token.split('.').next().unwrap(), None).unwrap();
    (serde_json::from_slice(&header).unwrap(), verified.claims)
}

fn times(claims: &Value) -> (u64, u64) {
    (claims["iat"].as_u64().unwrap(), claims["exp"].as_u64().unwrap())
}

/// Changes a byte in the middle of the header, the claims or the signature.
fn with_a_changed_byte(token: &str, part: usize) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let middle = parts[part].len() / 2;
    let other = if parts[part].as_bytes()[middle] == b'A' { "B" } else { "A" };
    parts[part].replace_range(middle..=middle, other);
    parts.join(".")
}

/// The demo with ten mistakes in it, and the path of each.
fn ten_mistakes() -> (String, [&'static str; 10]) {
    let mut yaml = gateway::demo();
    let mut mistake = |path, part: &str, other: &str| {
        yaml = gateway::replaced(&yaml, part, other);
        path
    };
    let paths = [
        mistake("issuer", ISSUER, "http://gateway.example.com"),
        mistake("colour", "signing_keys:\n", "colour: blue\n                    signing_keys:\n"),
        mistake(
            "lifetimes.access_token",
            "signing_keys:\n",
            "lifetimes: {access_token: 5 minutes}\n                    signing_keys:\n",
        ),
        mistake(
            "signing_keys[0].private_key",
            "private_key: {env: TOKEN_ENDPOINT_SIGNING_KEY}",
            "private_key: {env: NO_SUCH_KEY}",
        ),
        mistake("refresh_token_keys[0]", "- {env: TOKEN_ENDPOINT_REFRESH_TOKEN_KEY}", "- SHORT_KEY"),
        mistake(
            "auth_sources[0].users[0].password",
            "- id: MOCK_USER_ID\n",
            "- id: MOCK_USER_ID\n                        password: PLAIN_PASSWORD\n",
        ),
        mistake("auth_sources[0].users[1].password_hash", "m=19456,t=2,p=1$JP", "m=4194304,t=2,p=1$JP"),
        mistake("clients[0].secret", "type: web\n", "type: web\n                      secret: PLAIN_SECRET\n"),
        mistake(
            "clients[1].auth_sources[0]",
            "type: spa\n                      auth_sources: [MOCK_USERNAME_PASSWORD_AUTH_SOURCE_ID]",
            "type: spa\n                      auth_sources: [NO_AUTH_SOURCE_ID]",
        ),
        mistake("clients[2]", "- id: MOBILE_CLIENT_ID", "- id: SPA_CLIENT_ID"),
    ];
    (yaml, paths)
}
