//! The people of all directories: who they are at what time, and what the directories say of them.

use std::{cell::RefCell, collections::BTreeMap, sync::Mutex, time::Duration};

use ct_codecs::{Base64, Decoder, Encoder};
use serde_json::{Value, json};
use token_endpoint::{
    crypto::password::{Argon2Cost, hash_argon2id},
    secret::Secret,
};

use super::{chance::Chance, host::CallAnswer};

/// Somebody at some time.
#[derive(Clone, Debug)]
pub struct Person {
    pub name: &'static str,
    pub password: &'static str,
    pub status: &'static str,
}

/// All names that are used; nobody has the last one.
pub const NAMES: [&str; 6] = ["alice", "bob", "carol", "dave", "erin", "nobody"];
pub const PASSWORDS: [&str; 2] = ["one", "two"];

/// The users of a configuration's variant.
pub fn listed(variant: usize) -> Vec<Person> {
    let person = |name, password, status| Person { name, password, status };
    vec![
        person("alice", PASSWORDS[variant], "active"),
        person("bob", "one", if variant == 0 { "active" } else { "locked" }),
        person("carol", "one", "frozen"),
        person("dave", "two", "active"),
        person("erin", "one", "active"),
    ]
}

/// A hash of a password, cheap; but for dave's, which takes several slices.
pub fn hash(password: &str, name: &str) -> String {
    static KNOWN: Mutex<BTreeMap<(String, bool), String>> = Mutex::new(BTreeMap::new());
    let is_dear = name == "dave";
    let memory = if is_dear { 2048 } else { 8 };
    let mut known = KNOWN.lock().unwrap();
    let hash = known.entry((password.to_owned(), is_dear)).or_insert_with(|| {
        hash_argon2id(&Secret::new(password), b"16 bytes of salt", Argon2Cost { memory, passes: 1, lanes: 1 }).unwrap()
    });
    hash.clone()
}

impl Person {
    pub fn listed(&self) -> Value {
        json!({"id": self.name, "identifiers": {"username": self.name}, "password_hash": hash(self.password, self.name), "status": self.status})
    }

    pub fn is_active(&self) -> bool {
        self.status == "active"
    }

    fn told(&self) -> Value {
        json!({"id": self.name, "hash": hash(self.password, self.name), "status": self.status})
    }
}

/// The `Authorization` by which a directory is asked about a password.
pub fn credentials(name: &str, password: &str) -> String {
    format!("Basic {}", Base64::encode_to_string(format!("{name}:{password}")).unwrap())
}

/// The directories outside, which change.
pub struct Directories(RefCell<Vec<(Duration, Vec<Person>)>>);

impl Directories {
    pub fn new() -> Self {
        Self(RefCell::new(vec![(Duration::ZERO, listed(0))]))
    }

    /// Somebody gets another password or status.
    pub fn change(&self, chance: &Chance, now: Duration) {
        let mut people = self.people();
        let at = chance.index(people.len());
        if chance.one_in(2) {
            people[at].password = *chance.pick(&PASSWORDS);
        } else {
            people[at].status = *chance.pick(&["active", "active", "locked", "disabled"]);
        }
        self.0.borrow_mut().push((now, people));
    }

    /// Who somebody was at some time between these.
    pub fn between(&self, name: &str, from: Duration, to: Duration) -> Vec<Person> {
        let history = self.0.borrow();
        let first = history.iter().rposition(|(since, _)| *since <= from).unwrap_or(0);
        let then = history[first..].iter().filter(|(since, _)| *since <= to);
        then.flat_map(|(_, people)| people.iter().filter(|person| person.name == name).cloned()).collect()
    }

    /// What is answered to a call.
    pub fn answer(&self, path: &str, authorization: Option<&str>) -> CallAnswer {
        let people = self.people();
        let find = |name: &str| people.iter().find(|person| person.name == name);
        if path == "/all" {
            let all: Vec<_> = people.iter().map(Person::listed).collect();
            return CallAnswer::of(200, json!({"users": all}).to_string());
        }
        if let Some(name) = path.strip_prefix("/people/") {
            return find(name).map_or(CallAnswer::of(404, ""), |person| CallAnswer::of(200, person.told().to_string()));
        }
        let credentials = authorization.and_then(|value| value.strip_prefix("Basic ")).unwrap();
        let credentials = String::from_utf8(Base64::decode_to_vec(credentials, None).unwrap()).unwrap();
        let (name, password) = credentials.split_once(':').unwrap();
        match find(name).filter(|person| person.password == password) {
            Some(person) => CallAnswer::of(200, json!({"id": person.name, "status": person.status}).to_string()),
            None => CallAnswer::of(401, ""),
        }
    }

    /// Who is there now.
    pub fn people(&self) -> Vec<Person> {
        self.0.borrow().last().unwrap().1.clone()
    }
}
