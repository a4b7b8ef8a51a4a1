//! The endpoint as a pure function: what a login, a refresh and a guess come to, with time and chance in the test's hand.

use crate::support::{
    configuration::{CHEAP, KEY, SEAL_KEY},
    core::Core,
    stories::Request,
};
use ct_codecs::{Base64UrlSafeNoPadding as Base64, Decoder};
use serde_json::{Value, json};
use token_endpoint::http::Response;

/// Of `right` too, at twice the cost.
const DEARER: &str = "$argon2id$v=19$m=64,t=1,p=1$c29tZSBzYWx0IGhlcmU$CkTMyGV2X/HCsxVDchs+RyWz3OR+y3qGbPNqfLwzETs";

fn document() -> Value {
    let user = |id: &str, status: &str| {
        json!({"id": id, "identifiers": {"username": id, "email": format!("{id}@Example.com")},
               "password_hash": CHEAP, "status": status, "claims": {"role": "reader"}})
    };
    json!({
        "issuer": "https://gateway.example.com",
        "allow_weak_hashes": true,
        "signing_keys": [{"algorithm": "ES256", "private_key": KEY}],
        "refresh_token_keys": [SEAL_KEY],
        "auth_sources": [
            {"id": "SOURCE", "identifiers": ["username", "email"],
             "users": [user("alice", "active"), user("locked", "locked")]},
        ],
        "clients": [
            {"id": "APP", "type": "spa", "auth_sources": ["SOURCE"], "grants": ["password", "refresh_token"],
             "scopes": ["openid", "read", "write"]},
            {"id": "OTHER", "type": "mobile", "auth_sources": ["SOURCE"], "grants": ["password", "refresh_token"]},
            {"id": "SHORT", "type": "mobile", "auth_sources": ["SOURCE"], "grants": ["password"]},
        ],
    })
}

fn core_with(document: &Value) -> Core {
    Core::new(&document.to_string(), &[])
}

fn core() -> Core {
    core_with(&document())
}

fn post(core: &Core, form: &str) -> Response {
    let content_type = ("content-type", "application/x-www-form-urlencoded".to_owned());
    let headers = vec![content_type];
    core.send(&Request { method: "POST", path: "/oauth2/token", headers, body: form.to_owned() })
}

fn login(core: &Core, more: &str) -> Response {
    post(core, &format!("grant_type=password&auth_source_id=SOURCE&{more}"))
}

fn refresh(core: &Core, client: &str, token: &str, more: &str) -> Response {
    post(core, &format!("grant_type=refresh_token&client_id={client}&refresh_token={token}{more}"))
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

fn description(response: &Response) -> String {
    body(response)["error_description"].as_str().unwrap_or_else(|| panic!("{}", body(response))).to_owned()
}

fn refresh_token(response: &Response) -> String {
    body(response)["refresh_token"].as_str().unwrap_or_else(|| panic!("{}", body(response))).to_owned()
}

/// Header and claims of a JWT.
fn decode(token: &Value) -> (Value, Value) {
    let parts: Vec<&str> = token.as_str().unwrap().split('.').collect();
    let part = |at: usize| serde_json::from_slice(&Base64::decode_to_vec(parts[at], None).unwrap()).unwrap();
    (part(0), part(1))
}

const ALICE: &str = "client_id=APP&username=alice&password=right";

#[test]
fn a_login_is_answered_with_the_granted_scopes_and_the_users_claims() {
    let core = core();
    let tokens = body(&login(&core, &format!("{ALICE}&scope=write+openid+write")));
    let (_, claims) = decode(&tokens["access_token"]);
    assert_eq!(tokens["scope"], "write openid");
    assert_eq!(tokens["expires_in"], 300);
    assert_eq!(claims["scope"], json!(["write", "openid"]));
    assert_eq!(claims["role"], "reader");
    assert_eq!((&claims["iat"], &claims["exp"]), (&json!(1_800_000_000), &json!(1_800_000_300)));
    let (_, id_claims) = decode(&tokens["id_token"]);
    assert_eq!((&id_claims["azp"], &id_claims["role"]), (&json!("APP"), &json!("reader")));
    let event = r#"request="password" outcome="issued" client="APP" auth_source="SOURCE" user=""#;
    assert!(core.event.borrow().starts_with(event), "{}", core.event.borrow());
}

#[test]
fn an_id_token_comes_only_with_openid() {
    let tokens = body(&login(&core(), &format!("{ALICE}&scope=read")));
    assert_eq!((&tokens["scope"], tokens.get("id_token")), (&json!("read"), None));
}

#[test]
fn a_client_without_the_refresh_grant_gets_no_refresh_token() {
    let tokens = body(&login(&core(), "client_id=SHORT&username=alice&password=right"));
    assert_eq!((&tokens["scope"], tokens.get("refresh_token")), (&json!("openid"), None));
}

#[test]
fn the_rfc_9068_profile_has_its_own_type_scope_and_client() {
    let mut document = document();
    document["token_profile"] = json!("rfc9068");
    let tokens = body(&login(&core_with(&document), &format!("{ALICE}&scope=openid+read")));
    let (header, claims) = decode(&tokens["access_token"]);
    assert_eq!(header["typ"], "at+jwt");
    assert_eq!((&claims["scope"], &claims["client_id"]), (&json!("openid read"), &json!("APP")));
    assert_eq!(decode(&tokens["id_token"]).0["typ"], "JWT");
}

#[test]
fn an_e_mail_address_is_compared_by_its_domain_without_case() {
    let core = core();
    assert_eq!(login(&core, "client_id=APP&username=alice%40EXAMPLE.com&password=right").status, 200);
    assert_eq!(login(&core, "client_id=APP&username=Alice%40example.com&password=right").status, 400);
}

#[test]
fn a_locked_user_with_the_right_password_is_told_so_and_one_with_a_wrong_password_is_not() {
    let core = core();
    let right = login(&core, "client_id=APP&username=locked&password=right");
    assert_eq!(description(&right), "Abnormal user status");
    let wrong = login(&core, "client_id=APP&username=locked&password=wrong");
    assert_eq!(description(&wrong), "Wrong username or password");
}

#[test]
fn an_unknown_user_costs_the_same_bytes_and_the_same_work_as_a_wrong_password() {
    let core = core();
    let known = login(&core, "client_id=APP&username=alice&password=wrong");
    let work = core.work.take();
    let unknown = login(&core, "client_id=APP&username=nobody&password=wrong");
    assert_eq!(known, unknown);
    assert_eq!((work, work > 0), (core.work.take(), true));
}

#[test]
fn where_users_hashes_differ_unknown_names_cost_as_much_as_some_user_and_always_the_same() {
    let mut document = document();
    document["auth_sources"][0]["users"][1]["password_hash"] = json!(DEARER);
    document["attempt_limits"] = json!({"address": {"failures": 1000}, "client": {"failures": 1000}});
    let core = core_with(&document);
    let work_for = |core: &Core, name: &str| {
        login(core, &format!("client_id=APP&username={name}&password=wrong"));
        core.work.take()
    };
    let users = [work_for(&core, "alice"), work_for(&core, "locked")];
    let names: Vec<String> = (0..20).map(|number| format!("nobody{number}")).collect();
    let unknown: Vec<u64> = names.iter().map(|name| work_for(&core, name)).collect();
    assert!(unknown.iter().all(|work| users.contains(work)), "{users:?} {unknown:?}");
    assert!(users.iter().all(|work| unknown.contains(work)), "{users:?} {unknown:?}");
    let elsewhere = core_with(&document);
    let again: Vec<u64> = names.iter().map(|name| work_for(&elsewhere, name)).collect();
    assert_eq!(unknown, again);
}

#[test]
fn a_refresh_token_gives_new_tokens_and_may_only_narrow_the_scope() {
    let core = core();
    let token = refresh_token(&login(&core, &format!("{ALICE}&scope=openid+read")));
    let narrowed = refresh(&core, "APP", &token, "&scope=read");
    assert_eq!(body(&narrowed)["scope"], "read");
    let again = refresh(&core, "APP", &refresh_token(&narrowed), "");
    assert_eq!(body(&again)["scope"], "openid read", "the new token keeps what the login was granted");
    assert_eq!(decode(&body(&again)["access_token"]).1["sub"], "alice");
    let wider = refresh(&core, "APP", &token, "&scope=openid+write");
    assert_eq!(description(&wider), "Scope not allowed for this client");
}

#[test]
fn a_refresh_token_is_opaque_long_and_never_the_same() {
    let core = core();
    let tokens = [(); 2].map(|()| refresh_token(&login(&core, ALICE)));
    assert_ne!(tokens[0], tokens[1]);
    for token in tokens {
        assert!(token.len() >= 128, "{}", token.len());
        assert!(!String::from_utf8_lossy(&Base64::decode_to_vec(&token, None).unwrap()).contains("alice"));
    }
}

#[test]
fn a_refresh_token_is_bound_to_its_client() {
    let core = core();
    let token = refresh_token(&login(&core, ALICE));
    assert_eq!(description(&refresh(&core, "OTHER", &token, "")), "Invalid refresh token");
    assert_eq!(refresh(&core, "APP", &token, "").status, 200);
}

#[test]
fn a_refresh_token_ends_at_its_lifetime_counted_from_the_login() {
    let core = core();
    let token = refresh_token(&login(&core, ALICE));
    core.now.set(1_800_000_000 + 15 * 86_400 - 1);
    let token = refresh_token(&refresh(&core, "APP", &token, ""));
    core.now.set(1_800_000_000 + 30 * 86_400 - 2);
    let renewed = refresh_token(&refresh(&core, "APP", &token, ""));
    core.now.set(1_800_000_000 + 30 * 86_400);
    for token in [token, renewed] {
        assert_eq!(description(&refresh(&core, "APP", &token, "")), "Invalid refresh token");
    }
}

#[test]
fn a_refresh_looks_the_user_up_again() {
    let token = refresh_token(&login(&core(), ALICE));
    let mut document = document();
    document["auth_sources"][0]["users"][0]["status"] = json!("frozen");
    assert_eq!(description(&refresh(&core_with(&document), "APP", &token, "")), "Abnormal user status");
    document["auth_sources"][0]["users"] = json!([]);
    assert_eq!(description(&refresh(&core_with(&document), "APP", &token, "")), "Invalid refresh token");
}

#[test]
fn a_refresh_token_survives_a_restart_and_the_rotation_of_its_key_but_not_another_issuer() {
    let token = refresh_token(&login(&core(), ALICE));
    assert_eq!(refresh(&core(), "APP", &token, "").status, 200);
    let mut document = document();
    document["refresh_token_keys"] = json!(["HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", SEAL_KEY]);
    assert_eq!(refresh(&core_with(&document), "APP", &token, "").status, 200);
    document["issuer"] = json!("https://other.example.com");
    assert_eq!(description(&refresh(&core_with(&document), "APP", &token, "")), "Invalid refresh token");
}

fn guess(core: &Core, name: &str, password: &str) -> (u16, Option<String>) {
    let answer = login(core, &format!("client_id=APP&username={name}&password={password}"));
    let retry_after = answer.headers.iter().find(|(name, _)| *name == "retry-after");
    (answer.status, retry_after.map(|(_, seconds)| seconds.clone()))
}

#[test]
fn after_five_wrong_passwords_the_sixth_attempt_is_not_looked_at_even_if_right() {
    let core = core();
    for _ in 0..5 {
        assert_eq!(guess(&core, "alice", "wrong"), (400, None));
    }
    core.work.take();
    assert_eq!(guess(&core, "alice", "right"), (429, Some("30".to_owned())));
    assert_eq!(core.work.take(), 0, "no hash work for a limited attempt");
}

#[test]
fn unknown_users_are_limited_like_known_ones() {
    let (known, unknown) = (core(), core());
    for _ in 0..7 {
        let answers = [(&known, "alice"), (&unknown, "nobody")]
            .map(|(core, name)| login(core, &format!("client_id=APP&username={name}&password=wrong")));
        assert_eq!(answers[0], answers[1]);
    }
}

#[test]
fn attempts_while_limited_do_not_prolong_the_wait() {
    let core = core();
    for _ in 0..20 {
        guess(&core, "alice", "wrong");
    }
    core.now.set(core.now.get() + 29);
    assert_eq!(guess(&core, "alice", "wrong"), (429, Some("1".to_owned())));
    core.now.set(core.now.get() + 1);
    assert_eq!(guess(&core, "alice", "right"), (200, None));
}

#[test]
fn what_is_told_to_logs_has_no_name_and_no_secret_in_it() {
    let core = core();
    login(&core, "client_id=APP&username=hunter1&password=hunter2");
    let event = core.event.borrow().clone();
    let (known, user) = event.rsplit_once(" user=").unwrap();
    assert_eq!(
        known,
        r#"request="password" outcome="invalid_grant" reason="wrong_credentials" client="APP" auth_source="SOURCE""#
    );
    assert!(user.len() == 18 && user.trim_matches('"').bytes().all(|digit| digit.is_ascii_hexdigit()), "{user}");
}

#[test]
fn a_user_has_one_pseudonym_whatever_is_asked_and_however_it_is_spelt() {
    let core = core();
    let pseudonym = || core.event.borrow().rsplit_once(" user=").unwrap().1.to_owned();
    let tokens = login(&core, ALICE);
    let alice = pseudonym();
    refresh(&core, "APP", &refresh_token(&tokens), "");
    assert_eq!(pseudonym(), alice, "by her refresh token");
    login(&core, "client_id=APP&username=ALICE&password=wrong");
    assert_eq!(pseudonym(), alice, "in another spelling");
    login(&core, "client_id=APP&username=bob&password=wrong");
    assert_ne!(pseudonym(), alice, "another user");
}

#[test]
fn spellings_of_one_name_are_counted_as_one() {
    let core = core();
    for name in ["alice", "Alice", "ALICE", "alice+", "aLiCe"] {
        assert_eq!(guess(&core, name, "wrong").0, 400);
    }
    assert_eq!(guess(&core, "alice", "right").0, 429);
}

#[test]
fn the_slips_of_many_honest_people_never_add_up() {
    let core = core();
    for number in 0..500 {
        assert_eq!(guess(&core, &format!("person{number}"), "wrong").0, 400);
        core.now.set(core.now.get() + 20);
    }
}

#[test]
fn a_scope_that_was_taken_from_a_client_is_not_granted_again() {
    let token = refresh_token(&login(&core(), &format!("{ALICE}&scope=openid+read")));
    let mut document = document();
    document["clients"][0]["scopes"] = json!(["openid"]);
    let core = core_with(&document);
    assert_eq!(body(&refresh(&core, "APP", &token, ""))["scope"], "openid");
    assert_eq!(description(&refresh(&core, "APP", &token, "&scope=read")), "Scope not allowed for this client");
}
