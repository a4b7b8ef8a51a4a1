//! The attempt limits' table in values that all workers share, one for all workers of the process. Shared data can't be deleted
//! and has no insert-if-absent, so every key is made before the first request, and none after.

use super::host::{Failure, Host, SharedValue};
use crate::{
    attempts::{Bucket, Key, Limit, Limits, Subject, TableKey},
    endpoint::{
        Answer,
        attempt::{Attempt, Guess, Turn},
    },
    time::UnixTime,
};

/// Counts failures, and says who has to wait.
pub struct AttemptTable {
    key: TableKey,
    limits: Limits,
}

/// The names hold the version of the layout: another build in the same process must not misread the table.
const KEY_NAME: &str = "token-endpoint.attempts.1.key";
/// How often an update that another worker got in the way of is tried again.
const TRIES: u32 = 32;

impl AttemptTable {
    /// Opens the table, and makes it if there is none: the main thread's VM does so before any worker's VM starts.
    pub fn open(limits: Limits, host: &impl Host) -> Option<Self> {
        let key = match host.shared_value(KEY_NAME) {
            Ok(SharedValue { bytes, .. }) if !bytes.is_empty() => bytes.try_into().ok()?,
            _ => create(host)?,
        };
        Some(Self { key: TableKey::new(key), limits })
    }

    /// Answers a question about a guess.
    pub fn answer(&self, attempt: &Attempt, host: &impl Host) -> Answer {
        match self.perform(attempt, host.now(), host) {
            Ok(0) => Answer::Allowed,
            Ok(retry_after) => Answer::Limited { retry_after },
            Err(failure) => {
                log::error!("the attempt limits' table failed: {failure:?}");
                Answer::Unavailable { retry_after: 1 }
            }
        }
    }

    /// The seconds to wait; what is to be counted is counted if there are none.
    fn perform(&self, attempt: &Attempt, now: UnixTime, host: &impl Host) -> Result<u64, Failure> {
        match self.wait(&attempt.guess, now, host)? {
            0 => self.count(attempt, now, host),
            wait => Ok(wait),
        }
    }

    fn wait(&self, guess: &Guess, now: UnixTime, host: &impl Host) -> Result<u64, Failure> {
        guess.subjects().try_fold(0, |longest, subject| {
            let (key, limit) = self.place(subject);
            let (bucket, _) = load(key, host)?;
            Ok(bucket.wait(key.tag, limit, now).max(longest))
        })
    }

    /// Counts, and gives the wait that another worker's count has brought about meanwhile.
    fn count(&self, attempt: &Attempt, now: UnixTime, host: &impl Host) -> Result<u64, Failure> {
        match attempt.turn {
            Turn::Begins => Ok(0),
            Turn::Failed => attempt.guess.subjects().try_fold(0, |longest, subject| {
                let (key, limit) = self.place(subject);
                Ok(update(key, host, |bucket| bucket.fail(key.tag, limit, now))?.max(longest))
            }),
            Turn::Succeeded => attempt.guess.identifier().map_or(Ok(0), |subject| {
                let (key, _) = self.place(subject);
                update(key, host, |bucket| bucket.succeed(key.tag)).map(|()| 0)
            }),
        }
    }

    fn place(&self, subject: Subject) -> (Key, &Limit) {
        (self.key.key(subject), self.limits.of(subject))
    }
}

/// Makes the table, and its key last, which tells that it is whole.
fn create(host: &impl Host) -> Option<[u8; 32]> {
    let empty = Bucket::default().to_bytes();
    for bucket in 0..=u8::MAX {
        host.set_shared_value(&bucket_name(bucket), &empty, None).ok()?;
    }
    let key = host.entropy()?;
    host.set_shared_value(KEY_NAME, &key, None).ok()?;
    Some(key)
}

fn load(key: Key, host: &impl Host) -> Result<(Bucket, Option<u32>), Failure> {
    let SharedValue { bytes, version } = host.shared_value(&bucket_name(key.bucket))?;
    let bucket = Bucket::from_bytes(&bytes).map_err(|_| Failure::ParseFailure)?;
    Ok((bucket, version))
}

/// Changes a bucket by compare-and-swap, so that no worker's change is lost.
fn update<T>(key: Key, host: &impl Host, change: impl Fn(&mut Bucket) -> T) -> Result<T, Failure> {
    for _ in 0..TRIES {
        let (before, version) = load(key, host)?;
        let mut after = before.clone();
        let changed = change(&mut after);
        if after == before {
            return Ok(changed);
        }
        match host.set_shared_value(&bucket_name(key.bucket), &after.to_bytes(), version) {
            Err(Failure::CasMismatch) => {}
            result => return result.map(|()| changed),
        }
    }
    Err(Failure::CasMismatch)
}

fn bucket_name(bucket: u8) -> String {
    format!("token-endpoint.attempts.1.{bucket}")
}
