//! An etcd of a few lines: the transactions, ranges and leases of its JSON gateway as the state store uses them.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use super::host::CallAnswer;

/// Keys and values stay in base64, as they are on the wire.
#[derive(Default)]
pub struct Etcd {
    keys: BTreeMap<String, Stored>,
    leases: BTreeMap<String, Duration>,
    revision: i64,
}

struct Stored {
    value: String,
    lease: String,
    revision: i64,
}

impl Etcd {
    /// Carries out a request at this time; what has ended by then is gone.
    pub fn answer(&mut self, path: &str, body: &[u8], now: Duration) -> CallAnswer {
        self.expire(now);
        let body: Value = serde_json::from_slice(body).unwrap();
        match path {
            "/v3/kv/txn" => self.transact(&body),
            "/v3/lease/grant" => self.grant(&body, now),
            other => panic!("{other}"),
        }
    }

    /// Keys that end with a lease.
    pub fn leased_keys(&mut self, now: Duration) -> usize {
        self.expire(now);
        self.keys.values().filter(|stored| stored.lease != "0").count()
    }

    fn expire(&mut self, now: Duration) {
        self.leases.retain(|_, end| *end > now);
        let leases = &self.leases;
        self.keys.retain(|_, stored| stored.lease == "0" || leases.contains_key(&stored.lease));
    }

    fn transact(&mut self, body: &Value) -> CallAnswer {
        let holds = body["compare"].as_array().unwrap().iter().all(|compare| self.holds(compare));
        let operations = body[if holds { "success" } else { "failure" }].as_array().unwrap();
        let needed = operations.iter().filter_map(|operation| operation["request_put"]["lease"].as_str());
        if needed.clone().any(|lease| lease != "0" && !self.leases.contains_key(lease)) {
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
        CallAnswer::of(200, told.to_string())
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
        let stored = Stored { value: field(&put["value"]), lease: field(&put["lease"]), revision: self.revision };
        self.keys.insert(field(&put["key"]), stored);
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

    fn grant(&mut self, body: &Value, now: Duration) -> CallAnswer {
        let id = body["ID"].as_str().unwrap();
        let seconds: u64 = body["TTL"].as_str().unwrap().parse().unwrap();
        if self.leases.contains_key(id) {
            return failure(412, 9, "etcdserver: lease already exists");
        }
        self.leases.insert(id.to_owned(), now + Duration::from_secs(seconds));
        CallAnswer::of(200, json!({"header": {}, "ID": id, "TTL": body["TTL"]}).to_string())
    }
}

fn failure(status: u16, code: u8, message: &str) -> CallAnswer {
    CallAnswer::of(status, json!({"error": message, "message": message, "code": code}).to_string())
}
