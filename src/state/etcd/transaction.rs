//! What is sent to etcd's gateway: transactions in its JSON, where keys and values are base64 and numbers are texts.

use ct_codecs::{Base64, Encoder};
use serde_json::{Value, json};

use super::lease::Lease;
use crate::time::UnixTime;

/// What is done at one stroke, one way or the other.
#[derive(Clone)]
pub(crate) struct Transaction {
    /// What all must hold.
    pub(crate) guards: Vec<Guard>,
    /// What is done if it does.
    pub(crate) then: Vec<Operation>,
    /// What is done if it does not.
    pub(crate) otherwise: Vec<Operation>,
}

/// A condition on a key.
#[derive(Clone)]
pub(crate) enum Guard {
    /// It has this value.
    Value(String, Vec<u8>),
    /// It was last changed by this revision; zero: there is no such key.
    Revision(String, i64),
}

/// Something done with a key.
#[derive(Clone)]
pub(crate) enum Operation {
    /// Its value is read.
    Read(String),
    /// It gets a value, for as long as the lease lasts, or for ever.
    Write(String, Vec<u8>, Option<Lease>),
}

impl Transaction {
    /// One that only reads.
    pub(crate) fn reading(keys: Vec<String>) -> Self {
        let then = keys.into_iter().map(Operation::Read).collect();
        Self { guards: Vec::new(), then, otherwise: Vec::new() }
    }

    /// The body of the call.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        let each = |operations: &[Operation]| operations.iter().map(Operation::to_json).collect::<Vec<_>>();
        let compare: Vec<_> = self.guards.iter().map(Guard::to_json).collect();
        let body = json!({"compare": compare, "success": each(&self.then), "failure": each(&self.otherwise)});
        body.to_string().into_bytes()
    }

    /// The lease that it needs.
    pub(crate) fn lease(&self) -> Option<Lease> {
        self.then.iter().find_map(|operation| match operation {
            Operation::Write(_, _, lease) => *lease,
            Operation::Read(_) => None,
        })
    }
}

impl Lease {
    /// The body of the call that grants it.
    pub(crate) fn to_json(self, now: UnixTime) -> Vec<u8> {
        json!({"ID": self.id.to_string(), "TTL": self.time_to_live(now).to_string()}).to_string().into_bytes()
    }
}

impl Guard {
    fn to_json(&self) -> Value {
        match self {
            Self::Value(key, value) => {
                json!({"key": encoded(key), "target": "VALUE", "result": "EQUAL", "value": encoded(value)})
            }
            Self::Revision(key, revision) => {
                json!({"key": encoded(key), "target": "MOD", "result": "EQUAL", "mod_revision": revision.to_string()})
            }
        }
    }
}

impl Operation {
    fn to_json(&self) -> Value {
        match self {
            Self::Read(key) => json!({"request_range": {"key": encoded(key)}}),
            Self::Write(key, value, lease) => {
                let lease = lease.map_or(0, |lease| lease.id).to_string();
                json!({"request_put": {"key": encoded(key), "value": encoded(value), "lease": lease}})
            }
        }
    }
}

/// As bytes are written in JSON.
pub(super) fn encoded(bytes: impl AsRef<[u8]>) -> String {
    // It fails only where the length overflows, which what is sent here is far from.
    Base64::encode_to_string(bytes).unwrap_or_default()
}
