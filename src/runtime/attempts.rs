//! The attempt limits' table in values that all workers share, one for all workers of the process. Shared values can't be
//! deleted and have no insert-if-absent, so every key is made before the first request, and none after.

use super::{
    host::{Failure, Host, SharedValue},
    shared,
};
use crate::{
    attempts::{BUCKETS, Bucket, Limits, Store, TableKey},
    endpoint::{Unavailable, attempt::Attempt},
};

/// Counts failures, and says who has to wait.
pub(super) struct AttemptTable {
    key: TableKey,
    limits: Limits,
}

/// The buckets, as all workers share them.
struct Buckets<'a, H>(&'a H);

/// The names hold the version of the layout: another build in the same process must not misread the table.
const KEY_NAME: &str = "token-endpoint.attempts.1.key";

impl AttemptTable {
    /// Opens the table, and makes it if there is none: the main thread's VM does so before any worker's VM starts.
    pub(super) fn open(limits: Limits, host: &impl Host) -> Option<Self> {
        let key = match host.shared_value(KEY_NAME) {
            Ok(SharedValue { bytes, .. }) if !bytes.is_empty() => bytes.try_into().ok()?,
            _ => create(host)?,
        };
        Some(Self { key: TableKey::new(key), limits })
    }

    /// The seconds to wait; what is to be counted is counted if there are none.
    pub(super) fn answer(&self, attempt: &Attempt, host: &impl Host) -> Result<u64, Unavailable> {
        let wait = attempt.counting(&self.key, &self.limits).perform(&Buckets(host), host.now());
        wait.map_err(|failure| {
            log::error!("the attempt limits' table failed: {failure:?}");
            Unavailable::SOON
        })
    }
}

impl<H: Host> Store for Buckets<'_, H> {
    type Error = Failure;

    fn read(&self, bucket: u8) -> Result<Bucket, Failure> {
        parse(&self.0.shared_value(&bucket_name(bucket))?.bytes)
    }

    fn update<T>(&self, bucket: u8, change: impl Fn(&mut Bucket) -> T) -> Result<T, Failure> {
        shared::update(&bucket_name(bucket), self.0, |bytes| {
            let before = parse(bytes)?;
            let mut after = before.clone();
            let result = change(&mut after);
            Ok(((after != before).then(|| after.to_bytes()), result))
        })
    }
}

/// Makes the table, and its key last, which tells that it is whole.
fn create(host: &impl Host) -> Option<[u8; 32]> {
    let empty = Bucket::default().to_bytes();
    for bucket in 0..BUCKETS {
        host.set_shared_value(&bucket_name(bucket), &empty, None).ok()?;
    }
    let key = host.entropy()?;
    host.set_shared_value(KEY_NAME, &key, None).ok()?;
    Some(key)
}

fn parse(bytes: &[u8]) -> Result<Bucket, Failure> {
    Bucket::from_bytes(bytes).map_err(|_| Failure::ParseFailure)
}

fn bucket_name(bucket: u8) -> String {
    format!("token-endpoint.attempts.1.{bucket}")
}
