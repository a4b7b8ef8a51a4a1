//! An etcd of a few lines, with the semantics of its transactions and leases, for tests of what is said to it.

use std::collections::{BTreeMap, BTreeSet};

use ct_codecs::{Base64, Decoder, Encoder};
use serde_json::{Value, json};

use super::{Conversation, EtcdQuestion, Next};
use crate::{
    outbound::{Callout, CalloutAnswer, Fault},
    time::UnixTime,
};

/// Keys by their base64, as they are on the wire.
#[derive(Default)]
pub(super) struct Fake {
    keys: BTreeMap<String, Stored>,
    pub(super) leases: BTreeSet<String>,
    revision: i64,
    pub(super) calls: usize,
}

struct Stored {
    value: String,
    lease: String,
    revision: i64,
}

impl Fake {
    pub(super) fn answer(&mut self, callout: &Callout) -> CalloutAnswer {
        self.calls += 1;
        let body: Value = serde_json::from_slice(callout.body.as_ref().unwrap().expose()).unwrap();
        match callout.path.as_str() {
            "/v3/kv/txn" => self.transact(&body),
            "/v3/lease/grant" => self.grant(&body),
            other => panic!("{other}"),
        }
    }

    /// Makes the next call of a conversation.
    pub(super) fn call<Q: EtcdQuestion>(
        &mut self,
        conversation: Conversation<Q>,
        now: UnixTime,
    ) -> Result<Next<Q>, Fault> {
        let answer = self.answer(&conversation.callout(now));
        conversation.answer(&answer, now)
    }

    /// The keys with their values as texts.
    pub(super) fn texts(&self) -> Vec<(String, String)> {
        self.keys.iter().map(|(key, stored)| (text(key), text(&stored.value))).collect()
    }

    /// Puts a value there, as another program might.
    pub(super) fn put(&mut self, key: &str, value: &str) {
        let encoded = |text: &str| Base64::encode_to_string(text).unwrap();
        self.write(encoded(key), encoded(value), String::new());
    }

    /// All of its records are lost.
    pub(super) fn forget(&mut self) {
        self.keys.clear();
    }

    fn transact(&mut self, body: &Value) -> CalloutAnswer {
        let holds = body["compare"].as_array().unwrap().iter().all(|compare| self.holds(compare));
        let operations = body[if holds { "success" } else { "failure" }].as_array().unwrap();
        let needed = operations.iter().filter_map(|operation| operation["request_put"]["lease"].as_str());
        if needed.clone().any(|lease| lease != "0" && !self.leases.contains(lease)) {
            return failure(404, 5, "etcdserver: requested lease not found");
        }
        self.revision += 1;
        let responses: Vec<_> = operations.iter().map(|operation| self.perform(operation)).collect();
        let mut told = json!({"header": {"revision": self.revision.to_string()}});
        if holds {
            told["succeeded"] = json!(true);
        }
        if !responses.is_empty() {
            told["responses"] = json!(responses);
        }
        success(&told)
    }

    fn holds(&self, compare: &Value) -> bool {
        let stored = self.keys.get(compare["key"].as_str().unwrap());
        match compare["target"].as_str().unwrap() {
            "VALUE" => stored.is_some_and(|stored| stored.value == compare["value"].as_str().unwrap()),
            "MOD" => {
                let revision: i64 = compare["mod_revision"].as_str().unwrap().parse().unwrap();
                stored.map_or(0, |stored| stored.revision) == revision
            }
            other => panic!("{other}"),
        }
    }

    fn perform(&mut self, operation: &Value) -> Value {
        let field = |value: &Value| value.as_str().unwrap().to_owned();
        if let Some(range) = operation.get("request_range") {
            return json!({"response_range": self.range(&field(&range["key"]))});
        }
        let put = &operation["request_put"];
        self.write(field(&put["key"]), field(&put["value"]), field(&put["lease"]));
        json!({"response_put": {"header": {}}})
    }

    fn range(&self, key: &str) -> Value {
        match self.keys.get(key) {
            None => json!({"header": {}}),
            Some(Stored { value, lease, revision }) => json!({"header": {}, "count": "1", "kvs": [
                {"key": key, "value": value, "lease": lease, "mod_revision": revision.to_string()}
            ]}),
        }
    }

    fn write(&mut self, key: String, value: String, lease: String) {
        self.keys.insert(key, Stored { value, lease, revision: self.revision.max(1) });
    }

    fn grant(&mut self, body: &Value) -> CalloutAnswer {
        let id = body["ID"].as_str().unwrap();
        assert!(body["TTL"].as_str().unwrap().parse::<u64>().unwrap() > 0);
        if self.leases.insert(id.to_owned()) {
            success(&json!({"header": {}, "ID": id, "TTL": body["TTL"]}))
        } else {
            failure(412, 9, "etcdserver: lease already exists")
        }
    }
}

fn text(encoded: &str) -> String {
    String::from_utf8_lossy(&Base64::decode_to_vec(encoded, None).unwrap()).into_owned()
}

pub(super) fn success(body: &Value) -> CalloutAnswer {
    CalloutAnswer { status: 200, headers: Vec::new(), body: body.to_string().into_bytes() }
}

pub(super) fn failure(status: u16, code: u8, message: &str) -> CalloutAnswer {
    let body = json!({"error": message, "message": message, "code": code}).to_string().into_bytes();
    CalloutAnswer { status, headers: Vec::new(), body }
}
