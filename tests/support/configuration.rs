//! A configuration with nothing wrong, and the ways to read it.

use serde_json::{Value, json};
use token_endpoint::{
    config::{self, Configuration, Problem},
    time::UnixTime,
};

pub const KEY: &str = include_str!("../vectors/rfc7515-a3.pem");
pub const SEAL_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
/// Of `right`, cheap enough for tests.
pub const CHEAP: &str = "$argon2id$v=19$m=32,t=1,p=1$c29tZSBzYWx0IGhlcmU$7rw5d4gVUkCt7itcFpkTO00IUSQv449tnX3sHrjLyF8";
pub const HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$biC0YMo3xwH/z+frQL4zwQ$SuU4DoW7lVj+0l5TmxoxyjbXbA3OldHURmteUUuCP+g";
/// Of `TENANT_CLIENT_SECRET`.
pub const SECRET_HASH: &str = "$sha256$8n1U_H3olnYuV8FjsEpWTg$-x6ID0gAgmA_spz07wQhRfJtn6ZujiexAHOWrLHyH5Q";

pub const NOW: UnixTime = UnixTime(1_800_000_000);

/// A configuration with nothing wrong.
pub fn good() -> Value {
    json!({
        "issuer": "https://gateway.example.com",
        "signing_keys": [{"algorithm": "ES256", "private_key": {"env": "SIGNING_KEY"}}],
        "refresh_token_keys": [{"env": "SEAL_KEY"}],
        "auth_sources": [{
            "id": "SOURCE",
            "identifiers": ["username", "phone_number"],
            "users": [
                {"id": "1", "identifiers": {"username": "alice", "phone_number": "+1"}, "password_hash": HASH},
                {"id": "2", "identifiers": {"username": "bob", "email": "bob@example.com"}, "password_hash": HASH,
                 "status": "locked", "claims": {"role": "admin"}},
            ],
        }],
        "clients": [
            {"id": "WEB", "type": "web", "secret_hashes": [SECRET_HASH], "auth_sources": ["SOURCE"],
             "grants": ["password", "refresh_token"]},
            {"id": "SPA", "type": "spa", "auth_sources": ["SOURCE"], "grants": ["password"],
             "scopes": ["openid", "profile"]},
        ],
    })
}

pub fn parse(document: &Value) -> Result<Configuration, Vec<Problem>> {
    config::parse(document.to_string().as_bytes(), &environment, NOW)
}

pub fn environment(name: &str) -> Option<String> {
    match name {
        "SIGNING_KEY" => Some(KEY.to_owned()),
        "SEAL_KEY" => Some(SEAL_KEY.to_owned()),
        _ => None,
    }
}

pub fn problems(document: &Value) -> Vec<String> {
    let problems = parse(document).err().unwrap_or_default();
    problems.iter().map(Problem::to_string).collect()
}
