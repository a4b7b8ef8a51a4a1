//! A store of attempts: the same buckets as in a proxy's own tables, under keys that are always the same few, so that
//! a flood of names takes no more room.

use std::collections::BTreeMap;

use super::{
    conversation::{Attempt, EtcdQuestion, Ruling},
    outcome::{KeyValue, malformed},
    transaction::{Guard, Operation, Transaction},
};
use crate::{
    attempts::{AttemptQuestion, BucketKey, MemoryStore},
    outbound::Fault,
    time::UnixTime,
};

impl<Q: AttemptQuestion> EtcdQuestion for Q {
    type Answer = Q::Answer;

    /// Reads all buckets that it is about.
    fn first(&self, prefix: &str, _: UnixTime) -> Attempt<Q::Answer> {
        let keys = self.places().into_iter().map(|place| key(prefix, place)).collect();
        Attempt { transaction: Transaction::reading(keys), reply: None }
    }

    /// Asks, and writes what has changed if nobody else has changed meanwhile what it was decided by.
    fn judge(&self, prefix: &str, found: &[Option<KeyValue>], now: UnixTime) -> Result<Ruling<Q::Answer>, Fault> {
        let places = self.places();
        if places.len() != found.len() {
            return Err(malformed("not what was asked"));
        }
        let found: BTreeMap<_, _> = places.iter().copied().zip(found).collect();
        let before = found.iter().map(|(place, found)| (*place, value(found.as_ref()))).collect::<BTreeMap<_, _>>();
        let store = MemoryStore::new(before.clone());
        let reply = self.ask(&store, now).map_err(|_| malformed("a bucket of attempts"))?;
        let mut changed = store.into_buckets();
        changed.retain(|place, bucket| before.get(place) != Some(bucket));
        if changed.is_empty() {
            return Ok(Ruling::Reply(reply));
        }
        let advisory = self.advisory();
        let decisive = found.iter().filter(|(place, _)| changed.contains_key(place) || !advisory.contains(place));
        let guard = |(place, found): (&BucketKey, &&Option<KeyValue>)| unchanged(prefix, *place, found.as_ref());
        let transaction = Transaction {
            guards: decisive.map(guard).collect(),
            then: changed
                .into_iter()
                .map(|(place, bucket)| Operation::Write(key(prefix, place), bucket, None))
                .collect(),
            otherwise: places.into_iter().map(|place| Operation::Read(key(prefix, place))).collect(),
        };
        Ok(Ruling::Attempt(Attempt { transaction, reply: Some(reply) }))
    }

    /// What is begun, and what has come of it, are remembered.
    fn only_asks(&self) -> bool {
        false
    }
}

fn key(prefix: &str, place: BucketKey) -> String {
    match place {
        BucketKey::Attempts(bucket) => format!("{prefix}attempts/{bucket}"),
        BucketKey::Flights(bucket) => format!("{prefix}flights/{bucket}"),
        BucketKey::Friends(bucket) => format!("{prefix}friends/{bucket}"),
    }
}

fn unchanged(prefix: &str, place: BucketKey, found: Option<&KeyValue>) -> Guard {
    Guard::Revision(key(prefix, place), found.map_or(0, |found| found.revision))
}

fn value(found: Option<&KeyValue>) -> Vec<u8> {
    found.map(|found| found.value.clone()).unwrap_or_default()
}
