//! How one seed's fleet is configured: the document, in two variants of which one replaces the other amid traffic.

use serde_json::{Value, json};

use super::{
    chance::Chance,
    people::{self, Person},
};

const KEY: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/rfc8037-a1.pem"));
const SEAL_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
/// Of [`SECRET`].
const SECRET_HASH: &str = "$sha256$8n1U_H3olnYuV8FjsEpWTg$-x6ID0gAgmA_spz07wQhRfJtn6ZujiexAHOWrLHyH5Q";
pub const SECRET: &str = "TENANT_CLIENT_SECRET";

/// `lifetimes`, in seconds.
pub const ACCESS_TOKEN: u64 = 60;
pub const REFRESH_TOKEN: u64 = 1200;
/// `retry_grace`, in seconds.
pub const GRACE: u64 = 10;
/// How far clocks may be apart, in seconds.
pub const SKEW: u64 = 60;
/// `cache.max_age` of the directory that is asked for a user, in seconds.
pub const CACHE: u64 = 20;
/// `lookup.status_max_age`, as it is where nothing is set.
pub const STATUS_MAX_AGE: u64 = 5;
/// `password_checks.slice_ms`.
pub const SLICE_MS: u64 = 1;
/// A limit of attempts.
#[derive(Clone, Copy)]
pub struct Limit {
    pub failures: u32,
    pub wait: u64,
    pub max_wait: u64,
    pub forget: u64,
}
pub const IDENTIFIER: Limit = Limit { failures: 3, wait: 10, max_wait: 60, forget: 600 };
pub const ADDRESS: Limit = Limit { failures: 9, wait: 5, max_wait: 20, forget: 120 };
pub const FRIEND: Limit = Limit { failures: 4, wait: 10, max_wait: 60, forget: 600 };
pub const USER: Limit = Limit { failures: 5, wait: 10, max_wait: 20, forget: 600 };
pub const CLIENT: Limit = Limit { failures: 30, wait: 1, max_wait: 5, forget: 60 };

/// What one seed's run has.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// A fleet of two processes that share an etcd, or one process.
    pub etcd: bool,
    pub allow_store_failure: bool,
    /// Graces from elsewhere end no family.
    pub only_tells: bool,
    pub attempts_in_etcd: bool,
    pub pacing: bool,
    pub snapshot: bool,
    pub rfc9068: bool,
}

impl Settings {
    pub fn of(chance: &Chance) -> Self {
        let etcd = chance.one_in(2);
        Self {
            etcd,
            allow_store_failure: etcd && chance.one_in(3),
            attempts_in_etcd: etcd && chance.one_in(2),
            pacing: !chance.one_in(3),
            snapshot: chance.one_in(3),
            rfc9068: chance.one_in(2),
            only_tells: chance.one_in(4),
        }
    }

    pub fn processes(&self) -> usize {
        if self.etcd { 2 } else { 1 }
    }

    /// The configuration document of a variant.
    pub fn document(&self, variant: usize) -> String {
        let mut clients = vec![
            json!({"id": "APP", "type": "spa", "auth_sources": self.sources(), "grants": ["password", "refresh_token"], "scopes": ["openid", "profile"]}),
            json!({"id": "WEB", "type": "web", "secret_hashes": [SECRET_HASH], "auth_sources": self.sources(), "grants": ["password", "refresh_token", "client_credentials"], "scopes": ["openid", "api"]}),
            json!({"id": "KEPT", "type": "web", "secret_hashes": [SECRET_HASH], "auth_sources": ["LISTED"], "grants": ["password", "refresh_token"], "refresh_token_rotation": false}),
            json!({"id": "MACHINE", "type": "web", "secret_hashes": [SECRET_HASH], "grants": ["client_credentials"], "scopes": ["api"]}),
        ];
        if has_client(variant, "GUEST") {
            clients.push(json!({"id": "GUEST", "type": "mobile", "auth_sources": ["LISTED"], "grants": ["password", "refresh_token"]}));
        }
        let limit = |limit: Limit| json!({"failures": limit.failures, "wait": seconds(limit.wait), "max_wait": seconds(limit.max_wait), "forget": seconds(limit.forget)});
        let mut document = json!({
            "issuer": "https://gateway.example.com",
            "allow_weak_hashes": true,
            "token_profile": if self.rfc9068 { "rfc9068" } else { "ciam" },
            "signing_keys": [{"algorithm": "EdDSA", "private_key": KEY}],
            "refresh_token_keys": [SEAL_KEY],
            "lifetimes": {"access_token": seconds(ACCESS_TOKEN), "id_token": "60s", "refresh_token": seconds(REFRESH_TOKEN), "refresh_token_idle": "900s", "jwks": "10s"},
            "attempt_limits": {"identifier": limit(IDENTIFIER), "address": limit(ADDRESS), "client": limit(CLIENT),
                               "friend": limit(FRIEND), "user": limit(USER),
                               "store": if self.attempts_in_etcd { "etcd" } else { "local" }},
            "password_checks": {"slice_ms": SLICE_MS, "max_wait": "0.05s"},
            "state": {"retry_grace": seconds(GRACE), "on_grace_from_elsewhere": if self.only_tells { "tell" } else { "end" }},
            "limits": {"max_request_bytes": if variant == 0 { 2048 } else { 4096 }},
            "auth_sources": self.directories(variant),
            "clients": clients,
        });
        if self.pacing {
            document["password_checks"]["pacing_cluster"] = json!("pacing");
        }
        if self.etcd {
            document["state"]["etcd"] = json!({"cluster": "etcd", "max_concurrent": 64});
            document["state"]["on_store_failure"] = json!(if self.allow_store_failure { "allow" } else { "refuse" });
        }
        document.to_string()
    }

    fn sources(&self) -> &'static [&'static str] {
        if self.snapshot { &["LISTED", "LOOKUP", "VERIFY", "SNAPSHOT"] } else { &["LISTED", "LOOKUP", "VERIFY"] }
    }

    fn directories(&self, variant: usize) -> Vec<Value> {
        let user = json!({"id": "/id", "password_hash": "/hash", "status": "/status"});
        let mut directories = vec![
            json!({"id": "LISTED", "identifiers": ["username"], "users": people::listed(variant).iter().map(Person::listed).collect::<Vec<_>>()}),
            json!({"id": "LOOKUP", "identifiers": ["username"], "lookup": {"cluster": "directory", "path": "/people/{identifier}", "user": user,
                   "max_concurrent": 8, "timeout": "1s", "circuit": {"failures": 3, "open": "10s"},
                   "cache": {"max_age": seconds(CACHE)}, "decoy_hash": people::hash("one", "a")}}),
            json!({"id": "VERIFY", "identifiers": ["username"], "verify": {"cluster": "directory", "path": "/check", "timeout": "1s",
                   "max_concurrent": 8, "circuit": {"failures": 3, "open": "10s"}, "user": {"id": "/id", "status": "/status"}}}),
            json!({"id": "UNUSED", "identifiers": ["username"], "users": []}),
        ];
        if self.snapshot {
            directories.push(json!({"id": "SNAPSHOT", "identifiers": ["username"],
                "snapshot": {"cluster": "directory", "path": "/all", "refresh_interval": "30s", "timeout": "2s"}}));
        }
        directories
    }
}

/// Whether a variant of the configuration has this client: one comes and goes.
pub fn has_client(variant: usize, client: &str) -> bool {
    variant == 0 || client != "GUEST"
}

fn seconds(number: u64) -> String {
    format!("{number}s")
}
