//! A store of attempts: the same buckets as in a proxy's own table, under keys that are always the same few, so that
//! a flood of names takes no more room.

use std::collections::BTreeMap;

use super::{
    conversation::{Attempt, Reply, Verdict},
    outcome::{Record, malformed},
    transaction::{Guard, Operation, Transaction},
};
use crate::{
    attempts::{Bucket, Counting, MemoryStore},
    outbound::Fault,
    time::UnixTime,
};

/// Reads all buckets that it is about.
pub fn first(counting: &Counting, prefix: &str) -> Attempt {
    let keys = counting.buckets().into_iter().map(|number| key(prefix, number)).collect();
    Attempt { transaction: Transaction::reading(keys), reply: None }
}

/// Says who has to wait, and writes what has changed if nobody else has changed it meanwhile.
pub fn judge(counting: &Counting, prefix: &str, found: &[Option<Record>], now: UnixTime) -> Result<Verdict, Fault> {
    let numbers = counting.buckets();
    if numbers.len() != found.len() {
        return Err(malformed("not what was asked"));
    }
    let before = numbers.iter().zip(found).map(|(number, found)| Ok((*number, bucket(found.as_ref())?)));
    let before = before.collect::<Result<BTreeMap<u8, Bucket>, Fault>>()?;
    let store = MemoryStore::new(before.clone());
    let Ok(wait) = counting.perform(&store, now);
    let after = store.into_buckets();
    if after == before {
        return Ok(Verdict::Reply(Reply::Wait(wait)));
    }
    let guards = numbers.iter().zip(found).map(|(number, found)| unchanged(prefix, *number, found.as_ref()));
    let changed = after.iter().filter(|(number, bucket)| before.get(number) != Some(bucket));
    let write = |(number, bucket): (&u8, &Bucket)| Operation::Write(key(prefix, *number), bucket.to_bytes(), None);
    let transaction = Transaction {
        guards: guards.collect(),
        then: changed.map(write).collect(),
        otherwise: numbers.iter().map(|number| Operation::Read(key(prefix, *number))).collect(),
    };
    Ok(Verdict::Attempt(Attempt { transaction, reply: Some(Reply::Wait(wait)) }))
}

fn key(prefix: &str, bucket: u8) -> String {
    format!("{prefix}attempts/{bucket}")
}

fn unchanged(prefix: &str, bucket: u8, found: Option<&Record>) -> Guard {
    Guard::Revision(key(prefix, bucket), found.map_or(0, |found| found.revision))
}

fn bucket(found: Option<&Record>) -> Result<Bucket, Fault> {
    let Some(found) = found else { return Ok(Bucket::default()) };
    Bucket::from_bytes(&found.value).map_err(|_| malformed("a bucket of attempts"))
}
