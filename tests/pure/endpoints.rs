//! What can be done with tokens once they are there, and by whom: revocation, introspection, userinfo and discovery, and the
//! grant of clients that act for themselves, on the pure core with time and outages in the test's hand.

use crate::support::{
    configuration::{CHEAP, KEY, SEAL_KEY, SECRET_HASH},
    core::Core,
    stories::{FORM_TYPE, Request},
};
use ct_codecs::{Base64UrlSafeNoPadding as Base64, Decoder, Encoder};
use serde_json::{Value, json};
use token_endpoint::{
    crypto::{
        jws::{Algorithm, SigningKey},
        password::{Argon2Cost, hash_argon2id},
    },
    http::Response,
    origin::Origin,
    secret::Secret,
};

const OTHER_KEY: &str = include_str!("../vectors/rfc8037-a1.pem");
const RSA_KEY: &str = include_str!("../vectors/rfc7515-a2.pkcs8.pem");
const WEB: &str = "client_id=WEB&client_secret=TENANT_CLIENT_SECRET";
const OTHER_WEB: &str = "client_id=OTHER_WEB&client_secret=TENANT_CLIENT_SECRET";
const NOW: u64 = 1_800_000_000;

fn document() -> Value {
    let user = json!({"id": "alice", "identifiers": {"username": "alice"}, "password_hash": CHEAP,
                      "claims": {"name": "Alice", "roles": ["reader"]}});
    let both = json!(["password", "refresh_token"]);
    let web = |id: &str, scopes: Value| {
        json!({"id": id, "type": "web", "secret_hashes": [SECRET_HASH], "auth_sources": ["SOURCE"], "scopes": scopes,
               "grants": ["password", "refresh_token", "client_credentials"]})
    };
    json!({
        "issuer": "https://gateway.example.com",
        "allow_weak_hashes": true,
        "signing_keys": [{"algorithm": "ES256", "private_key": KEY}],
        "refresh_token_keys": [SEAL_KEY],
        "auth_sources": [{"id": "SOURCE", "identifiers": ["username"], "users": [user]}],
        "clients": [
            web("WEB", json!(["openid", "read", "write"])),
            web("OTHER_WEB", json!(["openid"])),
            {"id": "SPA", "type": "spa", "auth_sources": ["SOURCE"], "grants": both, "scopes": ["openid", "read"]},
            {"id": "OTHER_SPA", "type": "spa", "auth_sources": ["SOURCE"], "grants": both},
        ],
    })
}

fn core_with(document: &Value) -> Core {
    Core::new(&document.to_string(), &[])
}

fn core() -> Core {
    core_with(&document())
}

/// The same with one setting more.
fn core_and(name: &str, value: Value) -> Core {
    let mut document = document();
    document[name] = value;
    core_with(&document)
}

fn post(core: &Core, path: &'static str, form: &str) -> Response {
    let headers = vec![("content-type", FORM_TYPE.to_owned())];
    core.send(&Request { method: "POST", path, headers, body: form.to_owned() })
}

fn get(core: &Core, path: &'static str, headers: Vec<(&'static str, String)>) -> Response {
    core.send(&Request { method: "GET", path, headers, body: String::new() })
}

/// Tokens of alice's for a client.
fn login(core: &Core, client: &str, scope: &str) -> Value {
    let form =
        format!("grant_type=password&auth_source_id=SOURCE&username=alice&password=right&{client}&scope={scope}");
    let answer = post(core, "/oauth2/token", &form);
    assert_eq!(answer.status, 200, "{}", text_of(&answer));
    body(&answer)
}

fn refresh(core: &Core, client: &str, tokens: &Value) -> Response {
    post(
        core,
        "/oauth2/token",
        &format!("grant_type=refresh_token&{client}&refresh_token={}", text(tokens, "refresh_token")),
    )
}

fn act_for_itself(core: &Core, more: &str) -> Response {
    post(core, "/oauth2/token", &format!("grant_type=client_credentials&{more}"))
}

fn revoke(core: &Core, client: &str, token: &str) -> Response {
    post(core, "/oauth2/revoke", &format!("token={token}&{client}"))
}

fn introspect(core: &Core, client: &str, token: &str) -> Response {
    post(core, "/oauth2/introspect", &format!("token={token}&{client}"))
}

fn is_active(core: &Core, token: &str) -> bool {
    let answer = introspect(core, WEB, token);
    assert_eq!(answer.status, 200, "{}", text_of(&answer));
    let is_active = body(&answer)["active"].as_bool().unwrap();
    assert!(is_active || text_of(&answer) == r#"{"active":false}"#, "an inactive token is shown with nothing else");
    is_active
}

fn user_info(core: &Core, token: &str) -> Response {
    get(core, "/oauth2/userinfo", vec![("authorization", format!("Bearer {token}"))])
}

fn text_of(response: &Response) -> String {
    String::from_utf8(response.body.clone()).unwrap()
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap_or_else(|_| panic!("{}", text_of(response)))
}

fn error(response: &Response) -> (u16, String) {
    (response.status, body(response)["error"].as_str().unwrap().to_owned())
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
}

fn text(tokens: &Value, name: &str) -> String {
    tokens[name].as_str().unwrap_or_else(|| panic!("no {name}: {tokens}")).to_owned()
}

fn claims(jwt: &str) -> Value {
    serde_json::from_slice(&Base64::decode_to_vec(jwt.split('.').nth(1).unwrap(), None).unwrap()).unwrap()
}

/// A JWT of this header and these claims with the signature of a key.
fn signed(pem: &str, algorithm: Algorithm, header: &Value, claims: &Value) -> String {
    let part = |part: &Value| Base64::encode_to_string(part.to_string()).unwrap();
    let input = format!("{}.{}", part(header), part(claims));
    let signature = SigningKey::from_pem(algorithm, pem, None).unwrap().sign(input.as_bytes()).unwrap();
    format!("{input}.{}", Base64::encode_to_string(signature).unwrap())
}

fn outcome(core: &Core) -> String {
    core.event.borrow().clone()
}

/// RFC 7009 §2.1: with a refresh token, the access tokens of the same grant end.
#[test]
fn the_end_of_a_refresh_token_is_the_end_of_all_tokens_of_its_login() {
    let core = core();
    let (tokens, other) = (login(&core, WEB, "openid"), login(&core, WEB, "openid"));
    let renewed = body(&refresh(&core, WEB, &tokens));
    let answer = revoke(&core, WEB, &text(&renewed, "refresh_token"));
    assert_eq!((answer.status, text_of(&answer)), (200, String::new()));
    assert_eq!(outcome(&core), r#"request="revocation" outcome="revoked" client="WEB""#);
    for tokens in [&tokens, &renewed] {
        assert_eq!(error(&refresh(&core, WEB, tokens)), (400, "invalid_grant".to_owned()));
        assert!(!is_active(&core, &text(tokens, "refresh_token")));
        assert!(!is_active(&core, &text(tokens, "access_token")));
        assert_eq!(error(&user_info(&core, &text(tokens, "access_token"))), (401, "invalid_token".to_owned()));
    }
    assert!(is_active(&core, &text(&other, "access_token")), "another login goes on");
    assert_eq!(refresh(&core, WEB, &other).status, 200);
}

/// RFC 7009 §2.1: an access token may end alone.
#[test]
fn the_end_of_an_access_token_is_not_that_of_its_login() {
    let core = core();
    let tokens = login(&core, "client_id=SPA", "openid");
    let access_token = text(&tokens, "access_token");
    assert_eq!(revoke(&core, "client_id=SPA", &access_token).status, 200);
    assert!(!is_active(&core, &access_token));
    assert_eq!(error(&user_info(&core, &access_token)), (401, "invalid_token".to_owned()));
    let renewed = body(&refresh(&core, "client_id=SPA", &tokens));
    assert!(is_active(&core, &text(&renewed, "access_token")));
}

#[test]
fn an_end_is_remembered_until_the_last_access_token_of_the_login_has_ended_by_itself() {
    let core = core_and("lifetimes", json!({"refresh_token": "100s", "access_token": "300s"}));
    let tokens = login(&core, WEB, "openid");
    core.now.set(NOW + 99);
    let renewed = body(&refresh(&core, WEB, &tokens));
    assert_eq!(revoke(&core, WEB, &text(&renewed, "refresh_token")).status, 200);
    core.now.set(NOW + 398);
    for _ in 0..3 {
        let other = login(&core, WEB, "openid");
        assert_eq!(revoke(&core, WEB, &text(&other, "refresh_token")).status, 200);
    }
    assert!(!is_active(&core, &text(&renewed, "access_token")));
}

/// RFC 7009 §2.1: the server verifies whether the token was issued to the client; if not, the request is refused.
#[test]
fn a_client_can_end_its_own_tokens_and_no_others() {
    let core = core();
    let tokens = login(&core, WEB, "openid");
    for client in [OTHER_WEB, "client_id=SPA"] {
        for token in ["access_token", "refresh_token"] {
            let answer = revoke(&core, client, &text(&tokens, token));
            assert_eq!(error(&answer), (400, "invalid_grant".to_owned()), "{client} {token}");
            assert!(is_active(&core, &text(&tokens, token)));
        }
    }
}

/// RFC 7009 §2.2: what is no good token is answered like one that has ended.
#[test]
fn what_is_no_token_or_has_ended_is_as_good_as_revoked() {
    let core = core();
    let tokens = login(&core, WEB, "openid");
    let (access, id) = (text(&tokens, "access_token"), text(&tokens, "id_token"));
    assert_eq!(revoke(&core, WEB, &access).status, 200);
    for token in ["x", "a.b.c", "....", "%00", &id, &id.replace('.', "")] {
        let answer = revoke(&core, WEB, token);
        assert_eq!((answer.status, text_of(&answer)), (200, String::new()), "{token}");
        assert_eq!(outcome(&core), r#"request="revocation" outcome="nothing_to_revoke" client="WEB""#, "{token}");
    }
    assert_eq!(revoke(&core, WEB, &access).status, 200, "twice is once");
    core.now.set(NOW + 31 * 86_400);
    for token in ["access_token", "refresh_token"] {
        let answer = revoke(&core, OTHER_WEB, &text(&tokens, token));
        assert_eq!(answer.status, 200, "nobody's token any more");
    }
}

/// RFC 7009 §2.1: a hint, even a wrong one, only helps to look.
#[test]
fn a_hint_changes_nothing() {
    for (token, hint) in [("access_token", "refresh_token"), ("refresh_token", "access_token"), ("access_token", "%FF")]
    {
        let core = core();
        let tokens = login(&core, WEB, "openid");
        assert_eq!(revoke(&core, &format!("{WEB}&token_type_hint={hint}"), &text(&tokens, token)).status, 200);
        assert_eq!(outcome(&core), r#"request="revocation" outcome="revoked" client="WEB""#);
        assert!(!is_active(&core, &text(&tokens, token)));
    }
}

/// RFC 7009 §2.2.1: 503, so that the client knows that the token is good still.
#[test]
fn an_end_that_can_not_be_remembered_is_never_told_as_one() {
    for on_store_failure in ["refuse", "allow"] {
        let core = core_and("state", json!({"on_store_failure": on_store_failure}));
        let tokens = login(&core, WEB, "openid");
        core.remembers.set(false);
        for token in ["access_token", "refresh_token"] {
            let answer = revoke(&core, WEB, &text(&tokens, token));
            assert_eq!(error(&answer), (503, "temporarily_unavailable".to_owned()), "{on_store_failure} {token}");
            assert_eq!(header(&answer, "retry-after"), Some("1"));
        }
        assert_eq!(revoke(&core, WEB, "x").status, 200, "nothing had to be remembered");
    }
}

#[test]
fn guesses_at_a_secret_are_counted_wherever_they_are_made_and_a_right_one_is_never_held() {
    const PATHS: [&str; 3] = ["/oauth2/revoke", "/oauth2/introspect", "/oauth2/token"];
    for path in PATHS {
        let core = core_and("attempt_limits", json!({"address": {"failures": 3}}));
        let form = "grant_type=client_credentials&token=x&client_id=WEB&client_secret=";
        for _ in 0..3 {
            assert_eq!(post(&core, path, &format!("{form}WRONG")).status, 401);
        }
        for other_path in PATHS {
            assert_eq!(post(&core, other_path, &format!("{form}WRONG")).status, 429, "{path}");
            assert_ne!(post(&core, other_path, &format!("{form}TENANT_CLIENT_SECRET")).status, 429, "{path}");
        }
        core.origin.set(Origin::of("192.0.2.2"));
        assert_eq!(post(&core, path, &format!("{form}WRONG")).status, 401, "another address");
    }
}

/// RFC 7662 §2.2.
#[test]
fn a_good_access_token_is_shown_with_what_it_is_good_for() {
    for profile in ["ciam", "rfc9068"] {
        let core = core_and("token_profile", json!(profile));
        let token = text(&login(&core, "client_id=SPA", "openid+read"), "access_token");
        let shown = body(&introspect(&core, WEB, &token));
        let expected = json!({
            "active": true, "scope": "openid read", "client_id": "SPA", "token_type": "Bearer", "exp": NOW + 300,
            "iat": NOW, "nbf": NOW, "sub": "alice", "aud": "SPA", "iss": "https://gateway.example.com",
            "jti": claims(&token)["jti"],
        });
        assert_eq!(shown, expected, "{profile}");
        assert_eq!(outcome(&core), r#"request="introspection" outcome="active" client="WEB""#);
    }
}

#[test]
fn a_refresh_token_is_shown_to_its_own_client_only() {
    let core = core();
    let token = text(&login(&core, WEB, "openid+read"), "refresh_token");
    let expected = json!({
        "active": true, "scope": "openid read", "client_id": "WEB", "exp": NOW + 15 * 86_400, "iat": NOW,
        "sub": "alice", "iss": "https://gateway.example.com",
    });
    assert_eq!(body(&introspect(&core, WEB, &token)), expected);
    assert_eq!(text_of(&introspect(&core, OTHER_WEB, &token)), r#"{"active":false}"#);
    assert_eq!(outcome(&core), r#"request="introspection" outcome="inactive" client="OTHER_WEB""#);
    core.now.set(NOW + 15 * 86_400);
    assert!(!is_active(&core, &token), "unused for too long");
}

/// RFC 7662 §2.1: whoever asks must be authorized; a public client proves nothing.
#[test]
fn only_a_client_that_proves_who_it_is_may_ask_about_tokens() {
    let core = core();
    let token = text(&login(&core, "client_id=SPA", "openid"), "access_token");
    for client in ["client_id=SPA", "client_id=SPA&client_secret=x", "client_id=WEB", "client_id=NO"] {
        assert_eq!(error(&introspect(&core, client, &token)), (401, "invalid_client".to_owned()), "{client}");
    }
    let basic = ("authorization", "Basic U1BBOg==".to_owned());
    let headers = vec![("content-type", FORM_TYPE.to_owned()), basic];
    let request = Request { method: "POST", path: "/oauth2/introspect", headers, body: format!("token={token}") };
    let answer = core.send(&request);
    assert_eq!(error(&answer), (401, "invalid_client".to_owned()));
    assert!(header(&answer, "www-authenticate").unwrap().starts_with("Basic "));
}

#[test]
fn while_the_memory_can_not_be_asked_tokens_are_taken_by_their_signature_only_where_that_is_allowed() {
    for (on_store_failure, status) in [("refuse", 503), ("allow", 200)] {
        let core = core_and("state", json!({"on_store_failure": on_store_failure}));
        let tokens = login(&core, WEB, "openid");
        core.remembers.set(false);
        for token in ["access_token", "refresh_token"] {
            let answer = introspect(&core, WEB, &text(&tokens, token));
            assert_eq!(answer.status, status, "{on_store_failure} {token}");
            assert_eq!(body(&answer).get("active"), (status == 200).then_some(&json!(true)));
        }
        assert_eq!(user_info(&core, &text(&tokens, "access_token")).status, status);
        assert!(!is_active(&core, "x"), "no memory is needed for what is no token");
    }
}

#[test]
fn a_token_is_good_to_its_last_second_even_where_a_clock_is_behind_and_an_id_token_never_is() {
    for profile in ["ciam", "rfc9068"] {
        let core = core_and("token_profile", json!(profile));
        let tokens = login(&core, WEB, "openid");
        let token = text(&tokens, "access_token");
        for (now, expected) in [(NOW - 1, true), (NOW, true), (NOW + 299, true), (NOW + 300, false)] {
            core.now.set(now);
            assert_eq!(is_active(&core, &token), expected, "{profile} {now}");
            assert_eq!(user_info(&core, &token).status, if expected { 200 } else { 401 });
        }
        core.now.set(NOW);
        assert!(!is_active(&core, &text(&tokens, "id_token")), "{profile}");
        assert_eq!(user_info(&core, &text(&tokens, "id_token")).status, 401, "{profile}");
    }
}

#[test]
fn a_change_of_profile_ends_no_token() {
    for profiles in [["ciam", "rfc9068"], ["rfc9068", "ciam"]] {
        let [before, after] = profiles.map(|profile| core_and("token_profile", json!(profile)));
        let token = text(&login(&before, WEB, "openid"), "access_token");
        assert!(is_active(&after, &token));
        assert_eq!(user_info(&after, &token).status, 200);
    }
}

/// RFC 8725 §3.1 and §3.8: the algorithm is the key's, and the issuer is checked.
#[test]
fn what_our_key_has_not_signed_for_us_is_no_token() {
    let core = core();
    let jwt = text(&login(&core, WEB, "openid"), "access_token");
    let (header, claims) = (header_of(&jwt), claims(&jwt));
    let with = |value: &Value, name: &str, other: Value| {
        let mut value = value.clone();
        value[name] = other;
        value
    };
    let ours = |header: &Value, claims: &Value| signed(KEY, Algorithm::ES256, header, claims);
    assert!(is_active(&core, &ours(&header, &claims)), "the forger's tools work");

    let foreign = core_with(&with(&document(), "issuer", json!("https://other.example.com")));
    let forged = [
        ours(&header, &with(&claims, "iss", json!("https://other.example.com"))),
        ours(&header, &with(&claims, "azp", json!("WEB"))),
        ours(&header, &with(&claims, "scope", json!(null))),
        ours(&header, &with(&claims, "aud", json!(["WEB"]))),
        ours(&header, &with(&claims, "jti", json!("1"))),
        ours(&header, &with(&claims, "exp", json!("never"))),
        ours(&with(&header, "typ", json!("logout+jwt")), &claims),
        ours(&with(&header, "alg", json!("RS256")), &claims),
        ours(&with(&header, "alg", json!("none")), &claims),
        ours(&with(&header, "kid", json!("other")), &claims),
        ours(&with(&header, "crit", json!(["exp"])), &claims),
        signed(OTHER_KEY, Algorithm::EdDSA, &header, &claims),
        signed(RSA_KEY, Algorithm::RS256, &header, &claims),
        text(&login(&foreign, WEB, "openid"), "access_token"),
        jwt.rsplit_once('.').unwrap().0.to_owned() + ".",
        jwt.rsplit_once('.').unwrap().0.to_owned(),
        format!("{jwt}."),
        format!("{jwt}="),
        format!("%20{jwt}"),
    ];
    for (at, token) in forged.iter().enumerate() {
        assert!(!is_active(&core, token), "{at}: {token}");
        assert_eq!(error(&user_info(&core, token)), (401, "invalid_token".to_owned()), "{at}");
    }
}

fn header_of(jwt: &str) -> Value {
    serde_json::from_slice(&Base64::decode_to_vec(jwt.split('.').next().unwrap(), None).unwrap()).unwrap()
}

#[test]
fn no_byte_of_a_token_can_be_changed() {
    let core = core();
    let jwt = text(&login(&core, WEB, "openid"), "access_token");
    for at in 0..jwt.len() {
        let other = if jwt.as_bytes()[at] == b'A' { "B" } else { "A" };
        let mut changed = jwt.clone();
        changed.replace_range(at..=at, other);
        assert!(!is_active(&core, &changed), "{at}: {changed}");
    }
}

/// OpenID Connect Core §5.3.1 and §5.3.2, RFC 6750 §2.1 and §2.2.
#[test]
fn a_users_claims_are_told_to_who_has_a_token_in_the_header_or_in_a_form() {
    for profile in ["ciam", "rfc9068"] {
        let core = core_and("token_profile", json!(profile));
        let token = text(&login(&core, "client_id=SPA", "openid"), "access_token");
        let with = |method, headers, body: &str| {
            core.send(&Request { method, path: "/oauth2/userinfo", headers, body: body.to_owned() })
        };
        let form = ("content-type", FORM_TYPE.to_owned());
        let bearer = ("authorization", format!("bearer {token}"));
        let answers = [
            with("GET", vec![bearer.clone()], ""),
            with("HEAD", vec![bearer.clone()], ""),
            with("POST", vec![bearer.clone()], ""),
            with("POST", vec![bearer.clone(), form.clone()], ""),
            with("POST", vec![form.clone()], &format!("access_token={token}&more=1")),
            with("GET", vec![bearer, form], &format!("access_token={token}")),
        ];
        for answer in answers {
            assert_eq!(answer.status, 200, "{}", text_of(&answer));
            assert_eq!(body(&answer), json!({"sub": "alice", "name": "Alice", "roles": ["reader"]}));
            assert_eq!(header(&answer, "content-type"), Some("application/json;charset=UTF-8"));
            assert_eq!(header(&answer, "cache-control"), Some("no-store"));
        }
        assert_eq!(outcome(&core), r#"request="userinfo" outcome="claims_told" client="SPA""#);
        assert_eq!(
            with("GET", vec![("content-type", FORM_TYPE.to_owned())], &format!("access_token={token}")).status,
            401
        );
    }
}

/// RFC 6750 §3.1: the token is good, but not for this. That of a client that acts for itself never is.
#[test]
fn without_openid_there_are_no_claims_of_a_user() {
    let core = core();
    let without = text(&login(&core, WEB, "read"), "access_token");
    let of_client = text(&body(&act_for_itself(&core, WEB)), "access_token");
    for token in [without, of_client] {
        let answer = user_info(&core, &token);
        assert_eq!(error(&answer), (403, "insufficient_scope".to_owned()));
        let challenge = r#"Bearer realm="token-endpoint", error="insufficient_scope", error_description="Scope openid required", scope="openid""#;
        assert_eq!(header(&answer, "www-authenticate"), Some(challenge));
    }
}

/// RFC 6749 §4.4 and §4.4.3, RFC 9068 §5.
#[test]
fn a_client_that_acts_for_itself_gets_an_access_token_and_nothing_else() {
    let core = core();
    let answer = body(&act_for_itself(&core, WEB));
    let members: Vec<&String> = answer.as_object().unwrap().keys().collect();
    assert_eq!(members, ["access_token", "expires_in", "scope", "token_type"]);
    assert_eq!((&answer["scope"], &answer["expires_in"]), (&json!("read write"), &json!(300)));
    assert_eq!(outcome(&core), r#"request="client_credentials" outcome="issued" client="WEB""#);
    let token = text(&answer, "access_token");
    let claims = claims(&token);
    assert_eq!((&claims["sub"], &claims["aud"]), (&json!("client:WEB"), &json!("WEB")));
    assert_eq!(claims["scope"], json!(["read", "write"]));
    assert_eq!(body(&introspect(&core, OTHER_WEB, &token))["sub"], "client:WEB");
    assert_eq!(revoke(&core, WEB, &token).status, 200);
    assert!(!is_active(&core, &token));
}

#[test]
fn a_client_that_acts_for_itself_may_ask_for_less_and_never_for_a_user() {
    let core = core();
    assert_eq!(body(&act_for_itself(&core, &format!("{WEB}&scope=write")))["scope"], "write");
    for scope in ["openid", "read+openid", "admin", "+"] {
        let answer = act_for_itself(&core, &format!("{WEB}&scope={scope}"));
        assert_eq!(error(&answer), (400, "invalid_scope".to_owned()), "{scope}");
    }
}

/// RFC 6749 §3.3: the text of a scope has one at least.
#[test]
fn a_client_without_scopes_of_its_own_gets_a_token_without_scope() {
    for profile in ["ciam", "rfc9068"] {
        let core = core_and("token_profile", json!(profile));
        let answer = body(&act_for_itself(&core, OTHER_WEB));
        assert_eq!(answer.get("scope"), None);
        let shown = body(&introspect(&core, WEB, &text(&answer, "access_token")));
        assert_eq!((&shown["active"], shown.get("scope")), (&json!(true), None), "{profile}");
    }
}

#[test]
fn only_a_client_with_the_grant_may_act_for_itself() {
    let mut document = document();
    document["clients"][0]["grants"] = json!(["password"]);
    let core = core_with(&document);
    for client in [WEB, "client_id=SPA"] {
        assert_eq!(error(&act_for_itself(&core, client)), (400, "unauthorized_client".to_owned()));
    }
    let wrong = "client_id=OTHER_WEB&client_secret=WRONG";
    assert_eq!(error(&act_for_itself(&core, wrong)), (401, "invalid_client".to_owned()));
}

/// RFC 8414 §2, OpenID Connect Discovery §3.
#[test]
fn discovery_tells_what_is_configured() {
    let core = core();
    let answer = get(&core, "/.well-known/openid-configuration", vec![]);
    assert_eq!(header(&answer, "content-type"), Some("application/json"));
    assert_eq!(header(&answer, "cache-control"), Some("public, max-age=300"));
    let base = "https://gateway.example.com";
    let methods = json!(["client_secret_basic", "client_secret_post", "none"]);
    let expected = json!({
        "issuer": base,
        "token_endpoint": format!("{base}/oauth2/token"),
        "jwks_uri": format!("{base}/oauth2/jwks"),
        "revocation_endpoint": format!("{base}/oauth2/revoke"),
        "introspection_endpoint": format!("{base}/oauth2/introspect"),
        "userinfo_endpoint": format!("{base}/oauth2/userinfo"),
        "response_types_supported": [],
        "grant_types_supported": ["password", "refresh_token", "client_credentials"],
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "scopes_supported": ["openid", "read", "write"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "claims_supported": ["aud", "azp", "exp", "iat", "iss", "jti", "name", "roles", "sub"],
    });
    assert_eq!(body(&answer), expected);
    assert_eq!(get(&core, "/.well-known/oauth-authorization-server", vec![]), answer);
    assert_eq!(claims(&text(&login(&core, WEB, "openid"), "access_token"))["iss"], expected["issuer"]);
}

#[test]
fn discovery_promises_nothing_that_no_client_has() {
    let mut document = document();
    document["clients"] = json!([document["clients"][3]]);
    document["clients"][0]["grants"] = json!(["password"]);
    let metadata = body(&get(&core_with(&document), "/.well-known/openid-configuration", vec![]));
    assert_eq!(metadata["grant_types_supported"], json!(["password"]));
    assert_eq!(metadata["token_endpoint_auth_methods_supported"], json!(["none"]));
    assert_eq!(metadata.get("introspection_endpoint_auth_methods_supported"), None, "RFC 8414 §3.2: no empty lists");
    assert_eq!(metadata["scopes_supported"], json!(["openid"]));
}

/// OpenID Connect Discovery §4 and RFC 8414 §3.1: one puts the well-known part behind the issuer's path, the other before it;
/// §5 has the older name there too.
#[test]
fn discovery_is_found_for_an_issuer_with_a_path_too() {
    let mut document = document();
    document["issuer"] = json!("https://gateway.example.com:8443/tenant/1");
    document["paths"] = json!({"token": "/tenant/1/token"});
    document["lifetimes"] = json!({"jwks": "60s"});
    let core = core_with(&document);
    let paths = [
        "/tenant/1/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/tenant/1",
        "/.well-known/openid-configuration/tenant/1",
    ];
    for path in paths {
        let answer = get(&core, path, vec![]);
        let metadata = body(&answer);
        assert_eq!(metadata["issuer"], document["issuer"], "{path}");
        assert_eq!(metadata["token_endpoint"], "https://gateway.example.com:8443/tenant/1/token");
        assert_eq!(metadata["jwks_uri"], "https://gateway.example.com:8443/oauth2/jwks");
        assert_eq!(header(&answer, "cache-control"), Some("public, max-age=60"));
    }
    for path in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
        assert!(!core.configuration.endpoint.owns(path), "{path}");
    }
}

/// Whether a token of alice's at `WEB` is good still where the configuration has become another.
fn is_good_after(change: impl FnOnce(&mut Value)) -> bool {
    let token = login(&core(), WEB, "openid");
    let mut document = document();
    change(&mut document);
    let later = core_with(&document);
    let access = text(&token, "access_token");
    let answer = introspect(&later, OTHER_WEB, &access);
    let is_active = body(&answer)["active"].as_bool().unwrap();
    assert!(is_active || text_of(&answer) == r#"{"active":false}"#);
    assert_eq!(user_info(&later, &access).status, if is_active { 200 } else { 401 });
    is_active
}

#[test]
fn the_token_of_a_locked_gone_or_re_passworded_user_is_inactive() {
    let user = |document: &mut Value, name: &str, value: Value| document["auth_sources"][0]["users"][0][name] = value;
    assert!(is_good_after(|_| {}));
    assert!(!is_good_after(|document| user(document, "status", json!("locked"))));
    assert!(!is_good_after(|document| user(document, "id", json!("another"))));
    assert!(!is_good_after(|document| user(document, "password_hash", json!(other_hash()))));
    assert!(!is_good_after(|document| user(document, "password_changed_at", json!(NOW + 1))));
    assert!(!is_good_after(|document| document["auth_sources"][0]["users"] = json!([])));
}

#[test]
fn the_token_of_a_client_that_is_gone_or_lost_its_grants_is_inactive() {
    assert!(!is_good_after(|document| drop(document["clients"].as_array_mut().unwrap().remove(0))));
    assert!(!is_good_after(|document| document["clients"][0]["grants"] = json!(["client_credentials"])));
    assert!(is_good_after(|document| document["clients"][0]["grants"] = json!(["refresh_token", "password"])));
}

#[test]
fn the_refresh_token_of_a_locked_user_is_inactive() {
    let tokens = login(&core(), WEB, "openid");
    let mut document = document();
    document["auth_sources"][0]["users"][0]["status"] = json!("locked");
    assert!(is_active(&core(), &text(&tokens, "refresh_token")));
    assert!(!is_active(&core_with(&document), &text(&tokens, "refresh_token")));
}

/// Of the same password, with another salt.
fn other_hash() -> String {
    let cost = Argon2Cost { memory: 8, passes: 1, lanes: 1 };
    hash_argon2id(&Secret::new("right"), b"another salt ...", cost).unwrap()
}
