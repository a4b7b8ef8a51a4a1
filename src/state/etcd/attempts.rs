//! A store of attempts: the same buckets as in a proxy's own table, under keys that are always the same few, so that
//! a flood of names takes no more room.

use std::collections::BTreeMap;

use super::{
    conversation::{Attempt, EtcdQuestion, Verdict},
    outcome::{Record, malformed},
    transaction::{Guard, Operation, Transaction},
};
use crate::{
    attempts::{Bucket, Change, Counting, MemoryStore},
    outbound::Fault,
    time::UnixTime,
};

impl EtcdQuestion for Counting {
    type Answer = u64;

    /// Reads all buckets that it is about.
    fn first(&self, prefix: &str, _: UnixTime) -> Attempt<u64> {
        let keys = self.buckets().into_iter().map(|number| key(prefix, number)).collect();
        Attempt { transaction: Transaction::reading(keys), reply: None }
    }

    /// Says who has to wait, and writes what has changed if nobody else has changed it meanwhile.
    fn judge(&self, prefix: &str, found: &[Option<Record>], now: UnixTime) -> Result<Verdict<u64>, Fault> {
        let numbers = self.buckets();
        if numbers.len() != found.len() {
            return Err(malformed("not what was asked"));
        }
        let before = numbers.iter().zip(found).map(|(number, found)| Ok((*number, bucket(found.as_ref())?)));
        let before = before.collect::<Result<BTreeMap<u8, Bucket>, Fault>>()?;
        let store = MemoryStore::new(before.clone());
        let Ok(wait) = self.perform(&store, now);
        let after = store.into_buckets();
        if after == before {
            return Ok(Verdict::Reply(wait));
        }
        let guards = numbers.iter().zip(found).map(|(number, found)| unchanged(prefix, *number, found.as_ref()));
        let changed = after.iter().filter(|(number, bucket)| before.get(number) != Some(bucket));
        let write = |(number, bucket): (&u8, &Bucket)| Operation::Write(key(prefix, *number), bucket.to_bytes(), None);
        let transaction = Transaction {
            guards: guards.collect(),
            then: changed.map(write).collect(),
            otherwise: numbers.iter().map(|number| Operation::Read(key(prefix, *number))).collect(),
        };
        Ok(Verdict::Attempt(Attempt { transaction, reply: Some(wait) }))
    }

    fn only_asks(&self) -> bool {
        self.change == Change::Nothing
    }
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
