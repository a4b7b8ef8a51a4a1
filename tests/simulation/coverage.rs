//! What a run has reached, and what every run must reach.

use std::collections::BTreeMap;

#[derive(Default, Clone)]
pub struct Coverage(BTreeMap<String, u64>);

impl Coverage {
    pub fn count(&mut self, name: &str) {
        match self.0.get_mut(name) {
            Some(count) => *count += 1,
            None => drop(self.0.insert(name.to_owned(), 1)),
        }
    }

    pub fn add(&mut self, other: &Self) {
        other.0.iter().for_each(|(name, count)| *self.0.entry(name.clone()).or_default() += count);
    }

    /// What was not reached and must be.
    pub fn missing(&self) -> Vec<String> {
        let required = REQUIRED.iter().map(|name| (*name).to_owned()).chain(refusals());
        required.filter(|name| !self.0.contains_key(name)).collect()
    }

    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(name, count)| format!("{count:>10}  {name}"))
    }
}

/// Each fault, each state of a family, each exception that docs/state.md names.
const REQUIRED: &[&str] = &[
    "fault: a call that can't begin",
    "fault: a call that is slow",
    "fault: a call that is sent twice",
    "fault: a call that is lost",
    "fault: a call that arrives late",
    "fault: an answer that is lost",
    "fault: an answer that comes twice",
    "fault: an answer that is garbage",
    "fault: an answer that is an error",
    "fault: a caller who goes away",
    "fault: another worker has changed the value",
    "fault: the pacing cluster dies",
    "fault: a VM crashes",
    "fault: a process restarts",
    "fault: the configuration changes",
    "fault: etcd can't be reached",
    "fault: the directories are down",
    "fault: a wall clock jumps ahead",
    "fault: a wall clock jumps back",
    "fault: there is no entropy",
    "family: begun",
    "family: renewed",
    "family: renewed twice within the grace",
    "family: renewed without rotation",
    "family: ended by a theft",
    "family: ended by graces from elsewhere",
    "family: told of graces from elsewhere",
    "family: ended by a revocation",
    "family: ended with its user",
    "family: ended by itself",
    "family: refused since it has ended",
    "token: denied alone",
    "token: ended with its user",
    "token: ended with its client",
    "limit: a right password is told like a wrong one",
    "exception: a restart with local state",
    "exception: on_store_failure: allow",
    "exception: a clock behind the end of what etcd remembers",
];

/// The file with the table of refusals.
const TABLE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/endpoint/oauth_error.rs"));

/// Each row of the table of refusals, by its reason: the first text of a row that is about a parameter, the second one of any
/// other.
fn refusals() -> impl Iterator<Item = String> {
    let (_, table) = TABLE.split_once("match self {").unwrap();
    let (table, _) = table.split_once("};").unwrap();
    table.split("Self::").skip(1).map(|row| {
        let at = if row.contains("invalid(") { 1 } else { 3 };
        format!("refusal: {}", row.split('"').nth(at).unwrap())
    })
}
