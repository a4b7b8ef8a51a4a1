//! A configuration with a directory of each kind and an etcd, whose key is that of RFC 8037.

use std::sync::{Arc, LazyLock};

use serde_json::json;
use token_endpoint::{
    config::{self, Configuration},
    registry::auth_source::AuthSource,
    time::UnixTime,
};

pub const NOW: UnixTime = UnixTime(1_800_000_000);

pub static CONFIGURATION: LazyLock<Configuration> = LazyLock::new(|| {
    let key = include_str!("../../vectors/rfc8037-a1.pem");
    let user = json!({"id": "/id", "status": "/status", "active": ["active", 1],
                      "password_changed_at": "/changed", "claims": {"name": "/name"}});
    let mut found = user.clone();
    found["at"] = json!("/user");
    found["password_hash"] = json!("/hash");
    let document = json!({
        "issuer": "https://gateway.example.com",
        "allow_weak_hashes": true,
        "signing_keys": [{"algorithm": "EdDSA", "private_key": key, "kid": "1"}],
        "auth_sources": [
            {"id": "LOOKUP", "identifiers": ["username"], "lookup": {"cluster": "a", "path": "/{identifier}", "user": found}},
            {"id": "VERIFY", "identifiers": ["username"], "verify": {"cluster": "a", "path": "/", "user": user}},
            {"id": "LIST", "identifiers": ["username", "email"], "snapshot": {"cluster": "a", "path": "/"}},
            {"id": "LINES", "identifiers": ["username"],
             "snapshot": {"cluster": "a", "path": "/", "format": "json_lines"}},
        ],
        "state": {"etcd": {"cluster": "etcd", "key_prefix": "p/"}},
        "clients": [{"id": "SPA", "type": "spa", "grants": ["password"],
                     "auth_sources": ["LOOKUP", "VERIFY", "LIST", "LINES"]}],
    });
    config::parse(document.to_string().as_bytes(), &|_| None, NOW).unwrap_or_else(|problems| panic!("{problems:?}"))
});

pub fn source(id: &str) -> &'static Arc<AuthSource> {
    &CONFIGURATION.endpoint.registry.auth_sources[id]
}
