//! Attempts as transactions: the same buckets as in a proxy's own table, under keys that are always the same few, so that
//! a flood of names takes no more room.

use std::collections::BTreeMap;

use super::{
    conversation::{Attempt, Reply, Verdict},
    outcome::{Record, malformed},
    transaction::{Guard, Operation, Transaction},
};
use crate::{
    attempts::{Bucket, Key, Limit},
    outbound::Fault,
    time::UnixTime,
};

/// A guess that is made, or was made.
#[derive(Clone, Debug)]
pub struct Counting {
    /// What its failures are counted by.
    pub subjects: Vec<(Key, Limit)>,
    /// What is to be counted while nobody has to wait.
    pub change: Change,
}

/// What is to be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing yet.
    Nothing,
    /// A failure of all subjects.
    Failure,
    /// A success, which makes the failures of this one forgotten.
    Success(Key),
}

/// Buckets by their numbers.
type Buckets = BTreeMap<u8, Bucket>;

impl Counting {
    /// Reads all buckets that it is about.
    pub(super) fn first(&self, prefix: &str) -> Attempt {
        let keys = self.numbers().into_iter().map(|number| key(prefix, number)).collect();
        Attempt { transaction: Transaction::reading(keys), reply: None }
    }

    /// Says who has to wait, and writes what has changed if nobody else has changed it meanwhile.
    pub(super) fn judge(&self, prefix: &str, found: &[Option<Record>], now: UnixTime) -> Result<Verdict, Fault> {
        let numbers = self.numbers();
        if numbers.len() != found.len() {
            return Err(malformed("not what was asked"));
        }
        let before = numbers.iter().zip(found).map(|(number, found)| Ok((*number, bucket(found.as_ref())?)));
        let before = before.collect::<Result<Buckets, Fault>>()?;
        let wait = self.wait(&before, now);
        let after = if wait > 0 { before.clone() } else { self.counted(before.clone(), now) };
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
        Ok(Verdict::Attempt(Attempt { transaction, reply: Some(Reply::Wait(0)) }))
    }

    fn wait(&self, buckets: &Buckets, now: UnixTime) -> u64 {
        let wait = |(key, limit): &(Key, Limit)| Some(buckets.get(&key.bucket)?.wait(key.tag, limit, now));
        self.subjects.iter().filter_map(wait).max().unwrap_or_default()
    }

    fn counted(&self, mut buckets: Buckets, now: UnixTime) -> Buckets {
        match self.change {
            Change::Nothing => {}
            Change::Failure => self.subjects.iter().for_each(|(key, limit)| {
                buckets.entry(key.bucket).and_modify(|bucket| _ = bucket.fail(key.tag, limit, now));
            }),
            Change::Success(key) => {
                buckets.entry(key.bucket).and_modify(|bucket| bucket.succeed(key.tag));
            }
        }
        buckets
    }

    /// Its buckets, each once: subjects may share one.
    fn numbers(&self) -> Vec<u8> {
        let mut numbers: Vec<_> = self.subjects.iter().map(|(key, _)| key.bucket).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
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
